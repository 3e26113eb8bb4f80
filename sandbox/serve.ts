/** `npm run sandbox` and `npm run sandbox:azure`: the servers alone, for a bot or a client of your own. */
import { parseArgs } from 'node:util'
import { startAzure } from './azure/server.ts'
import { startTeams } from './teams/server.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    port: { type: 'string', default: '4100' },
    'teams-port': { type: 'string', default: '4200' },
    openapi: { type: 'string' },
    bot: { type: 'string', default: 'http://127.0.0.1:3978' },
  },
})

const azure = await startAzure({ port: Number(options.port), openapi: options.openapi })
console.log(`Azure Resource Manager   ${azure.url}   (what happened: GET ${azure.url}/_sandbox/events)`)
const conformity = azure.conformity()
if (conformity)
  console.log(`Checked against          ${conformity.documented} operations; deviations go to stderr`)
const teams = options.only === 'azure' ? undefined : await startTeams({ port: Number(options['teams-port']) })
if (teams) {
  teams.connect(options.bot)
  console.log(`Teams                    ${teams.url}   (the bot: ${options.bot}/api/messages)`)
  console.log(`Start the bot with       VAULTLINK_MODE=sandbox ARM_ENDPOINT=${azure.url} npm start`)
}
const leave = async (): Promise<void> => {
  await Promise.all([azure.close(), teams?.close()])
  process.exit(0)
}
process.on('SIGINT', leave)
process.on('SIGTERM', leave)
