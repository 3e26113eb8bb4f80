/** `npm run sandbox` and `npm run sandbox:azure`: the servers alone, for a bot or a client of your own. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { startAzure } from './azure/server.ts'
import { keepWorld, openSeed } from './azure/worldFile.ts'
import { startTeams } from './teams/server.ts'

const known = {
  only: { type: 'string' },
  port: { type: 'string', default: '4100' },
  'tls-port': { type: 'string' },
  'ca-out': { type: 'string' },
  'teams-port': { type: 'string', default: '4200' },
  openapi: { type: 'string' },
  bot: { type: 'string', default: 'http://127.0.0.1:3978' },
  seed: { type: 'string' },
  save: { type: 'string' },
} as const

const options = readOptions()
const port = portOf('port', options.port)
const tlsPort = options['tls-port'] === undefined ? undefined : portOf('tls-port', options['tls-port'])
const teamsPort = portOf('teams-port', options['teams-port'])
const caFile = options['ca-out']
if (caFile !== undefined && tlsPort === undefined)
  end('--ca-out is for the authority of TLS: name a port for that as well, --tls-port')

const opened = await openSeed(options)
if ('problem' in opened) end(opened.problem)
const azure = await startAzure({
  port,
  ...(tlsPort !== undefined && { tlsPort }),
  seed: opened.seed,
  openapi: options.openapi,
}).catch(end)
if (azure.tls && caFile !== undefined) await writeFile(caFile, azure.tls.ca).catch(end)
const kept = options.save === undefined ? undefined : await keepWorld(azure, options.save).catch(end)
const teams = options.only === 'azure' ? undefined : await startTeams({ port: teamsPort }).catch(end)
const leave = async (): Promise<void> => {
  await Promise.all([azure.close(), teams?.close()])
  await kept?.close().catch(end)
  process.exit(0)
}
process.on('SIGINT', leave)
process.on('SIGTERM', leave)
// npm passes a signal on to its shell alone, which dies of it and would leave this process behind, its port taken.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    leave().catch(end)
  }, 250)
}

console.log(`Azure Resource Manager   ${azure.url}   (what happened: GET ${azure.url}/_sandbox/events)`)
const conformity = azure.conformity()
if (conformity)
  console.log(`Checked against          ${conformity.documented} operations; deviations go to stderr`)
if (azure.tls)
  console.log(
    `over TLS                 ${azure.tls.url}   (${caFile === undefined ? 'nobody knows its authority: --ca-out FILE' : `its authority: ${caFile}`})`,
  )
const { tenantId, people, applications } = azure.identity.directory
console.log(`Who can sign in          in the tenant ${tenantId}`)
for (const { userPrincipalName, password, name } of people)
  console.log(`  person                 ${userPrincipalName} ${password}   (${name})`)
for (const { appId, secrets = [], name } of applications)
  console.log(`  application            ${[appId, ...secrets].join(' ')}   (${name})`)
const identity = Object.entries(azure.identity.environment).map(([name, value]) => `${name}=${value}`)
const managed = applications.filter(({ managedIdentity }) => managedIdentity)
for (const { appId, name } of managed)
  console.log(`Managed identity         ${identity.join(' ')}   (client id ${appId}, ${name})`)
if (teams) {
  teams.connect(options.bot)
  console.log(`Teams                    ${teams.url}   (the bot: ${options.bot}/api/messages)`)
  console.log(
    `Start the bot with       VAULTLINK_MODE=sandbox ARM_ENDPOINT=${azure.url} BOT_SERVICE_HOSTS=${teams.host} ${identity.join(' ')} npm start`,
  )
}

function readOptions() {
  try {
    return parseArgs({ options: known }).values
  } catch (error) {
    const names = Object.keys(known).map((name) => `--${name}`)
    end(`${messageOf(error)}\nThe options are ${names.join(', ')}.`)
  }
}

function portOf(option: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  end(`--${option} cannot be ${JSON.stringify(text)}; write a port, or 0 for any that is free`)
}

function messageOf(problem: unknown): string {
  if (!(problem instanceof Error)) return String(problem)
  return 'code' in problem && problem.code === 'EADDRINUSE' && 'port' in problem
    ? `Port ${problem.port} is in use; name another one, or 0 for any that is free`
    : problem.message
}

function end(problem: unknown): never {
  console.error(messageOf(problem))
  process.exit(1)
}
