/** The bot as `src/main.ts` joins it, in this process, so that its clock can be turned and its rest be seen. */
import { approver, bot as identity, tenantId } from '../../sandbox/seed.ts'
import { credentialOf, teamsToken } from '../../src/azure/credential.ts'
import { createAzure } from '../../src/azure/index.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createDesk } from '../../src/engine/desk.ts'
import { createJournal } from '../../src/engine/journal.ts'
import { createPerformer, type Performer } from '../../src/engine/perform.ts'
import type { Log, Store } from '../../src/engine/ports.ts'
import { createRouter } from '../../src/engine/router.ts'
import { createSender } from '../../src/engine/send.ts'
import { createSendLimits } from '../../src/engine/sendLimits.ts'
import { startSurveyor } from '../../src/engine/surveyor.ts'
import { startWorker, type Worker } from '../../src/engine/worker.ts'
import { errorFields } from '../../src/log.ts'
import { openStore } from '../../src/store/openStore.ts'
import { createAdapter } from '../../src/teams/adapter.ts'
import { createBot } from '../../src/teams/bot.ts'
import { createConnector } from '../../src/teams/connector.ts'
import { createGuard } from '../../src/teams/guard.ts'
import { createSigningKeys } from '../../src/teams/keys.ts'
import { createMessenger } from '../../src/teams/messenger.ts'
import { createRoster } from '../../src/teams/roster.ts'
import { createServer } from '../../src/teams/server.ts'
import { createServiceList } from '../../src/teams/services.ts'
import { createTokenCheck } from '../../src/teams/token.ts'
import { en } from '../../src/teams/words/en.ts'
import { workingTime } from '../../src/workingHours.ts'
import type { Peers } from './peers.ts'

export type Line = { readonly level: string; readonly event: string } & Readonly<Record<string, unknown>>
export type ApproveAs = 'bot' | 'approver'
export type RunningBot = {
  readonly store: Store
  readonly log: readonly Line[]
  /** How much of it is under way. */
  busy(): number
  /** Whether nothing is left to do for that link now, to Azure or to Teams. */
  isAtRest(id: string): Promise<boolean>
  stop(): Promise<void>
}

/** As production has them when nothing is set. */
const { limits, leaseMs, turnReadsMs, workingHours, timeZone } = readConfig({
  MicrosoftAppId: identity.appId,
  MicrosoftAppTenantId: tenantId,
})

export async function runBot(
  peers: Peers,
  options: { approveAs: ApproveAs; moved: () => void },
): Promise<RunningBot> {
  const { proxies, teams } = peers
  const asApprover = options.approveAs === 'approver'
  let underWay = 0
  /** Counts what has begun and not ended. */
  const counted = async <T>(work: Promise<T>): Promise<T> => {
    underWay += 1
    options.moved()
    try {
      return await work
    } finally {
      underWay -= 1
      options.moved()
    }
  }
  const lines: Line[] = []
  const log: Log = (level, event, fields = {}, error) => {
    lines.push({ level, event, ...fields, ...(error !== undefined && errorFields(error)) })
  }
  const clock = systemClock()
  const store = watched(await openStore({ url: ':memory:' }), counted)
  Object.assign(process.env, peers.identity)
  const { azure, survey, directory, access, actAs } = createAzure({
    endpoint: proxies.arm.url,
    credential: credentialOf({}, identity.appId, clock.now),
    ...(asApprover && {
      application: {
        tenantId,
        clientId: approver.appId,
        proof: { clientSecret: approver.secret },
        authorityHost: proxies.entra.url,
      },
    }),
    now: clock.now,
    log,
  })
  const keys = createSigningKeys({ openIdMetadataUrl: teams.openIdUrl, now: clock.now, log })
  const isListed = createServiceList({ hosts: [proxies.teams.host], log })
  const issuer = 'https://api.botframework.com'
  const sendLimits = createSendLimits({ store, clock, log })
  const { appId } = identity
  const cloud = { authority: `${proxies.login.url}/${tenantId}`, scope: issuer }
  const connector = createConnector({
    isListed,
    token: teamsToken({ tenantId, appId, password: identity.secret, cloud }, issuer, clock.now),
    now: clock.now,
  })
  const adapter = createAdapter({ appId, connector, traffic: sendLimits })
  const drawing = { portal: 'https://portal.azure.com', timeZone, tenantId, asApprover }
  const messenger = createMessenger({
    connector,
    appId,
    people: store.people,
    texts: store.texts,
    words: en,
    drawing,
    log,
  })
  const router = createRouter({ store, directory, defaultOwners: undefined })
  let worker: Worker | undefined
  const wake = (): void => worker?.wake()
  const journal = createJournal({
    store,
    clock,
    limits,
    working: workingTime(workingHours, timeZone),
    approveAs: options.approveAs,
    wake,
  })
  const crashPoint = (): void => undefined
  const sender = createSender({ store, clock, journal, wake, log, crashPoint })
  const performer = createPerformer({
    store,
    clock,
    journal,
    azure,
    access,
    messenger,
    router,
    sendLimits,
    limits,
    log,
    crashPoint,
  })
  const desk = createDesk({
    store,
    journal,
    directory,
    access,
    roster: createRoster({ connector, log }),
    router,
    ...(actAs && { asApprover: { actAs, sender } }),
    deadlineMs: turnReadsMs,
    freshDecisionMs: limits.freshDecisionMs,
  })
  const server = await createServer({
    host: '127.0.0.1',
    port: 0,
    adapter,
    guard: createGuard({
      tenantId,
      appId,
      tokenCheck: createTokenCheck({ keys, issuer, appId, now: clock.now }),
      isListed,
    }),
    bot: createBot({
      desk,
      conversations: store,
      words: en,
      usual: limits,
      drawing,
      ...(asApprover && { signIn: { uri: approver.uri, page: 'https://login.microsoftonline.com/' } }),
      log,
      now: clock.now,
    }),
    meter: {
      answered: () => undefined,
      failed: () => undefined,
      refused: () => undefined,
      turn: () => () => undefined,
    },
    log,
  })
  teams.connect(`${server.url}/api/messages`)
  const tell: Performer['tell'] = (...given) => counted(performer.tell(...given))
  worker = startWorker({
    store,
    clock,
    journal,
    performer: { ...performer, act: (...given) => counted(performer.act(...given)), tell },
    limits,
    leaseMs,
    log,
  })
  const surveyor = startSurveyor({
    store,
    clock,
    survey: (...given) => counted(survey(...given)),
    look: (row) => counted(performer.look(row)),
    limits,
    log,
    wake,
  })
  return {
    store,
    log: lines,
    busy: () => underWay,
    async isAtRest(id) {
      const row = await store.get(id)
      if (!row) return false
      const plan = journal.planFor(row.link, row)
      const failing = Object.values(row.link.told).some((told) => told?.is === 'failed')
      return !plan.azure && !plan.passed && plan.messages.length === 0 && !failing && !row.lease
    },
    async stop() {
      await server.close()
      await Promise.all([worker?.stop(), surveyor.stop()])
      await store.close()
    },
  }
}

/** The same store, its calls counted. */
function watched(store: Store, counted: <T>(work: Promise<T>) => Promise<T>): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) => {
        const result: unknown = Reflect.apply(member, target, given)
        return result instanceof Promise ? counted(result) : result
      }
    },
  })
}
