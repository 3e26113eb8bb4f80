// What `npm run migrate-store` runs.
import '../requireNode.js'

await import('./command.ts')
