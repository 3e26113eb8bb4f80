/** What `npm start` runs: reads the settings, opens the log and the store, starts the bot, and leaves when it is told to. */
import { timeElsewhere, turnableClock } from './clock.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { crashMoments } from './crash.ts'
import { join } from './join.ts'
import { createLog } from './log.ts'
import { openStore } from './store/openStore.ts'

let config: Config
try {
  config = readConfig(process.env)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(`Vaultlink cannot start:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`)
  process.exit(1)
}
try {
  await run(config)
} catch (error) {
  console.error(`Vaultlink cannot start: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

async function run(config: Config): Promise<void> {
  const { bot, approver, sandbox, databaseUrl } = config
  const offset = sandbox?.clockOffsetMs ?? 0
  const machine = turnableClock(offset)
  const moments = crashMoments(sandbox?.crashAt ?? [])
  const log = createLog(machine.now, secretsOf(databaseUrl, bot.password, approver?.password))
  process.on('uncaughtException', (error, origin) => {
    log('error', 'crashed', { origin }, error)
    process.exit(1)
  })
  if (sandbox)
    log('warn', 'sandbox', {
      note: `${bot.appId === undefined ? 'Nobody is asked who they are. ' : ''}Only this machine can speak to this bot.`,
    })

  const store = await openStore({ url: databaseUrl, log, onCommit: moments.onCommit })
  // Whoever shares a database goes by its clock: leases and due times mean the same to all.
  const shared = store.now && (await timeElsewhere(store.now, log))
  const clock = shared ? turnableClock(offset, shared.now) : machine
  const { url, probes, wake, leave } = await join(config, {
    machine,
    clock,
    store,
    log,
    crashPoint: moments.at,
  })

  let leaving = false
  const leaveOnce = async (signal: string): Promise<void> => {
    if (leaving) return
    leaving = true
    log('info', 'leaving', { signal })
    await leave()
    shared?.stop()
    await store.close()
    log('info', 'left')
    process.exit(0)
  }
  process.on('SIGTERM', leaveOnce)
  process.on('SIGINT', leaveOnce)
  if (sandbox) {
    process.on('message', (message: unknown) => {
      const asked = typeof message === 'object' && message !== null ? message : {}
      const clocks = new Set([machine, clock])
      if ('turn' in asked && typeof asked.turn === 'number') for (const one of clocks) one.turn(asked.turn)
      else if ('jump' in asked && typeof asked.jump === 'number')
        for (const one of clocks) one.jump(asked.jump)
      else return
      wake()
      process.send?.({ turned: asked })
    })
  }
  // Said last: whoever waits for it may end the process at once, and is heard.
  log('info', 'listening', { url, probes })
}

/** What no line of the log may hold. */
function secretsOf(databaseUrl: string, ...passwords: readonly (string | undefined)[]): readonly string[] {
  const ofDatabase = URL.canParse(databaseUrl) ? decodeURIComponent(new URL(databaseUrl).password) : ''
  return [...passwords, ofDatabase].flatMap((secret) => (secret ? [secret] : []))
}
