/** `npm run sandbox` and `npm run sandbox:azure`: the servers alone, for a bot or a client of your own. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startAzure } from './azure/server.ts'
import { keepWorld, openSeed } from './azure/worldFile.ts'
import { startTeams } from './teams/server.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    port: { type: 'string', default: '4100' },
    'tls-port': { type: 'string' },
    'ca-out': { type: 'string' },
    'teams-port': { type: 'string', default: '4200' },
    openapi: { type: 'string' },
    bot: { type: 'string', default: 'http://127.0.0.1:3978' },
    seed: { type: 'string' },
    save: { type: 'string' },
  },
})

const opened = await openSeed(options)
if ('problem' in opened) end(opened.problem)
const tlsPort = options['tls-port']
const azure = await startAzure({
  port: Number(options.port),
  ...(tlsPort !== undefined && { tlsPort: Number(tlsPort) }),
  seed: opened.seed,
  openapi: options.openapi,
})
const kept = options.save === undefined ? undefined : await keepWorld(azure, options.save).catch(end)
const teams = options.only === 'azure' ? undefined : await startTeams({ port: Number(options['teams-port']) })
const leave = async (): Promise<void> => {
  await Promise.all([azure.close(), teams?.close()])
  await kept?.close().catch(end)
  process.exit(0)
}
process.on('SIGINT', leave)
process.on('SIGTERM', leave)

console.log(`Azure Resource Manager   ${azure.url}   (what happened: GET ${azure.url}/_sandbox/events)`)
const conformity = azure.conformity()
if (conformity)
  console.log(`Checked against          ${conformity.documented} operations; deviations go to stderr`)
if (azure.tls) {
  const file = options['ca-out']
  if (file !== undefined) await writeFile(file, azure.tls.ca)
  console.log(
    `over TLS                 ${azure.tls.url}   (${file === undefined ? 'nobody knows its authority: --ca-out FILE' : `its authority: ${file}`})`,
  )
}
const identity = Object.entries(azure.identity.environment).map(([name, value]) => `${name}=${value}`)
const managed = azure.identity.directory.applications.filter(({ managedIdentity }) => managedIdentity)
for (const { appId, name } of managed)
  console.log(`Managed identity         ${identity.join(' ')}   (client id ${appId}, ${name})`)
if (teams) {
  teams.connect(options.bot)
  console.log(`Teams                    ${teams.url}   (the bot: ${options.bot}/api/messages)`)
  console.log(
    `Start the bot with       VAULTLINK_MODE=sandbox ARM_ENDPOINT=${azure.url} ${identity.join(' ')} npm start`,
  )
}

function end(problem: unknown): never {
  console.error(problem instanceof Error ? problem.message : problem)
  process.exit(1)
}
