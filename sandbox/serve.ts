/** `npm run sandbox` and `npm run sandbox:azure`: the servers alone, for a bot or a client of your own. */
import { parseArgs } from 'node:util'
import { startAzure } from './azure/server.ts'
import { keepWorld, openSeed } from './azure/worldFile.ts'
import { startTeams } from './teams/server.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    port: { type: 'string', default: '4100' },
    'teams-port': { type: 'string', default: '4200' },
    bot: { type: 'string', default: 'http://127.0.0.1:3978' },
    seed: { type: 'string' },
    save: { type: 'string' },
  },
})

const opened = await openSeed(options)
if ('problem' in opened) end(opened.problem)
const azure = await startAzure({ port: Number(options.port), seed: opened.seed })
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
if (teams) {
  teams.connect(options.bot)
  console.log(`Teams                    ${teams.url}   (the bot: ${options.bot}/api/messages)`)
  console.log(`Start the bot with       VAULTLINK_MODE=sandbox ARM_ENDPOINT=${azure.url} npm start`)
}

function end(problem: unknown): never {
  console.error(problem instanceof Error ? problem.message : problem)
  process.exit(1)
}
