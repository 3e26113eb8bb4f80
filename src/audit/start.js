// What `npm run audit` runs.
import '../requireNode.js'

await import('./command.ts')
