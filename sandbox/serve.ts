/** `npm run sandbox` and `npm run sandbox:azure`: the servers alone, for a bot or a client of your own. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startAzure } from './azure/server.ts'
import { bot } from './seed.ts'
import { startTeams } from './teams/server.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    port: { type: 'string', default: '4100' },
    'tls-port': { type: 'string' },
    'ca-out': { type: 'string' },
    'teams-port': { type: 'string', default: '4200' },
    bot: { type: 'string', default: 'http://127.0.0.1:3978' },
  },
})

const tlsPort = options['tls-port']
const azure = await startAzure({
  port: Number(options.port),
  ...(tlsPort !== undefined && { tlsPort: Number(tlsPort) }),
})
console.log(`Azure Resource Manager   ${azure.url}   (what happened: GET ${azure.url}/_sandbox/events)`)
if (azure.tls) {
  const file = options['ca-out']
  if (file !== undefined) await writeFile(file, azure.tls.ca)
  console.log(
    `over TLS                 ${azure.tls.url}   (${file === undefined ? 'nobody knows its authority: --ca-out FILE' : `its authority: ${file}`})`,
  )
}
const teams = options.only === 'azure' ? undefined : await startTeams({ port: Number(options['teams-port']) })
const identity = Object.entries(azure.identity.environment).map(([name, value]) => `${name}=${value}`)
console.log(`Managed identity         ${identity.join(' ')}   (client id ${bot.appId})`)
if (teams) {
  teams.connect(options.bot)
  console.log(`Teams                    ${teams.url}   (the bot: ${options.bot}/api/messages)`)
  console.log(
    `Start the bot with       VAULTLINK_MODE=sandbox ARM_ENDPOINT=${azure.url} BOT_SERVICE_HOSTS=${teams.host} ${identity.join(' ')} npm start`,
  )
}
const leave = async (): Promise<void> => {
  await Promise.all([azure.close(), teams?.close()])
  process.exit(0)
}
process.on('SIGINT', leave)
process.on('SIGTERM', leave)
