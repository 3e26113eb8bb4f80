// Keeps what Node compiles (https://nodejs.org/api/module.html#module-compile-cache) and starts the bot.
import './requireNode.js'
import module from 'node:module'

module.enableCompileCache()
await import('./main.ts')
