/** The composition root: reads the settings, joins the rooms, starts the worker and the door, and leaves in order. */
import { ClientSecretCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity'
import { createAzure } from './azure/index.ts'
import { systemClock, turnableClock } from './clock.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { crashMoments } from './crash.ts'
import { createDesk } from './engine/desk.ts'
import { createJournal } from './engine/journal.ts'
import { createPerformer } from './engine/perform.ts'
import { createRouter } from './engine/router.ts'
import { startWorker, type Worker } from './engine/worker.ts'
import { createLog } from './log.ts'
import { openStore } from './store/openStore.ts'
import { createAdapter } from './teams/adapter.ts'
import { createBot } from './teams/bot.ts'
import { createGuard } from './teams/guard.ts'
import { createMessenger } from './teams/messenger.ts'
import { createRoster } from './teams/roster.ts'
import { createServer } from './teams/server.ts'
import { en } from './teams/words/en.ts'

let config: Config
try {
  config = readConfig(process.env)
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  console.error(`Vaultlink cannot start:\n${error.problems.map((problem) => `  ${problem}`).join('\n')}`)
  process.exit(1)
}
await run(config)

async function run({ bot: identity, limits, arm, sandbox, ...settings }: Config): Promise<void> {
  const turnable = sandbox && turnableClock(sandbox.clockOffsetMs)
  const clock = turnable ?? systemClock()
  const moments = crashMoments(sandbox?.crashAt ?? [])
  const log = createLog(clock.now)
  if (sandbox)
    log('warn', 'sandbox', {
      text: `${identity.appId === undefined ? 'Nobody is asked who they are. ' : ''}Only this machine can speak to this bot.`,
    })

  const store = await openStore({ url: settings.databaseUrl, log, onCommit: moments.onCommit })
  const { azure, directory, access, warm } = createAzure({
    endpoint: arm.endpoint,
    credential: credentialOf(identity, arm.clientId),
    deadlineMs: arm.deadlineMs,
    now: clock.now,
    log,
  })
  const { adapter, authentication } = createAdapter(identity)
  const appId = identity.appId ?? ''
  const drawing = {
    portal: settings.portal,
    timeZone: settings.timeZone,
    ...(identity.tenantId !== undefined && { tenantId: identity.tenantId }),
  }
  const messenger = createMessenger({
    adapter,
    appId,
    people: store.people,
    texts: store.texts,
    words: en,
    drawing,
    log,
  })
  const router = createRouter({
    store,
    directory,
    defaultOwners: settings.defaultOwners,
  })
  let worker: Worker | undefined
  const journal = createJournal({ store, clock, limits, wake: () => worker?.wake() })
  const performer = createPerformer({
    store,
    clock,
    journal,
    azure,
    access,
    messenger,
    router,
    limits,
    log,
    crashPoint: moments.at,
  })
  const desk = createDesk({
    store,
    journal,
    directory,
    access,
    roster: createRoster({ adapter, appId, log }),
    router,
    deadlineMs: settings.turnReadsMs,
    freshDecisionMs: limits.freshDecisionMs,
  })
  let leaving = false
  const server = await createServer({
    host: settings.host,
    port: settings.port,
    adapter,
    guard: createGuard({
      authentication,
      ...(identity.appId !== undefined && { appId: identity.appId }),
      ...(identity.tenantId !== undefined && { tenantId: identity.tenantId }),
    }),
    bot: createBot({
      desk,
      conversations: store,
      words: en,
      usual: limits,
      drawing,
      log,
      admits: settings.admits,
      now: clock.now,
    }),
    tokens: authentication.required,
    log,
    ready: () => worker !== undefined && !leaving,
  })
  worker = startWorker({ store, clock, journal, performer, limits, log })
  // Loaded now, the clients do not keep the first turn waiting; what fails here fails there again, and is told.
  warm().catch((error: unknown) =>
    log('warn', 'azure.notWarm', { error: error instanceof Error ? error.message : '' }),
  )

  // What is under way ends, what is asked meanwhile hears 503, and nothing that was answered is lost.
  const leave = async (signal: string): Promise<void> => {
    if (leaving) return
    leaving = true
    log('info', 'leaving', { signal })
    await server.close()
    await worker?.stop()
    await store.close()
    log('info', 'left')
    process.exit(0)
  }
  process.on('SIGTERM', leave)
  process.on('SIGINT', leave)
  if (turnable) {
    process.on('message', (message: unknown) => {
      const ms =
        typeof message === 'object' && message !== null && 'turn' in message ? message.turn : undefined
      if (typeof ms !== 'number') return
      turnable.turn(ms)
      worker?.wake()
      process.send?.({ turned: ms })
    })
  }
  // Said last: whoever waits for it may end the process at once, and is heard.
  log('info', 'listening', { url: server.url })
}

/** As whom the bot acts on Azure: a managed identity, or without one the bot registration itself. */
function credentialOf(
  { tenantId, appId, password }: Config['bot'],
  clientId: string | undefined,
): TokenCredential {
  if (clientId === undefined && tenantId !== undefined && appId !== undefined && password !== undefined)
    return new ClientSecretCredential(tenantId, appId, password)
  return new ManagedIdentityCredential(clientId === undefined ? {} : { clientId })
}
