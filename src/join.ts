/**
 * Joins the rooms into one bot, for whatever clocks, store and log it is given: `main.ts` runs it as a process of its own,
 * and what tries it under faults runs it beside itself.
 */
import { flushCompileCache } from 'node:module'
import type { TokenCredential } from '@azure/identity'
import type { ActingApplication } from './azure/actAs.ts'
import { credentialOf, teamsToken } from './azure/credential.ts'
import { createAzure } from './azure/index.ts'
import { azureEventsHook } from './azureEvents.ts'
import type { Config } from './config.ts'
import { startAnchor } from './engine/anchor.ts'
import { createDesk } from './engine/desk.ts'
import { createHints } from './engine/hints.ts'
import { createJournal, type Journal } from './engine/journal.ts'
import { type CrashPoint, createPerformer } from './engine/perform.ts'
import type { Clock, Log, Store } from './engine/ports.ts'
import { createEscalations, createRouter } from './engine/router.ts'
import { createSender } from './engine/send.ts'
import { createSendLimits } from './engine/sendLimits.ts'
import { type Surveyor, startSurveyor } from './engine/surveyor.ts'
import { startWorker, type Worker } from './engine/worker.ts'
import { createMetrics } from './metrics.ts'
import { startProbes } from './probes.ts'
import { createAdapter } from './teams/adapter.ts'
import { createBot } from './teams/bot.ts'
import { warmCards } from './teams/cardTemplates.ts'
import { createConnector } from './teams/connector.ts'
import { createEventTokenCheck } from './teams/eventToken.ts'
import { createGuard } from './teams/guard.ts'
import { createSigningKeys } from './teams/keys.ts'
import { createMessenger } from './teams/messenger.ts'
import { publicCloud } from './teams/publicCloud.ts'
import { createRoster } from './teams/roster.ts'
import { createServer } from './teams/server.ts'
import { createServiceList } from './teams/services.ts'
import { createTokenCheck } from './teams/token.ts'
import { en } from './teams/words/en.ts'
import { workingTime } from './workingHours.ts'

/** How long after it was told to go the bot lets go of Azure and Teams: what came of it is still written, within 20 s. */
const lettingGoMs = 15_000

export type Ground = {
  /** The time of this machine, by which tokens live. */
  readonly machine: Clock
  /** The time of the links: the database's, where that is shared. */
  readonly clock: Clock
  readonly store: Store
  readonly log: Log
  readonly crashPoint?: CrashPoint
  /** Hears of each piece of work that is begun for a link, and hands it back. */
  readonly watch?: <T>(work: Promise<T>) => Promise<T>
}
export type Joined = {
  readonly url: string
  readonly probes: string
  readonly journal: Journal
  /** Something may be due. */
  wake(): void
  /** What is under way ends, what is asked meanwhile hears 503, and nothing that was answered is lost. */
  leave(): Promise<void>
}

/** Resolves when it listens and works; rejects when it cannot. */
export async function join(
  { bot: identity, limits, arm, approver, events, sandbox, ...settings }: Config,
  { machine, clock, store, log, crashPoint = () => undefined, watch = (work) => work }: Ground,
): Promise<Joined> {
  const credential = credentialOf(identity, arm.clientId, machine.now)
  const { azure, survey, directory, access, actAs, warm } = createAzure({
    endpoint: arm.endpoint,
    credential,
    deadlineMs: arm.deadlineMs,
    ...(approver && { application: applicationOf(approver, credential) }),
    now: clock.now,
    log,
  })
  const { openIdMetadataUrl, issuer, scope } = identity.cloud ?? publicCloud
  const keys = createSigningKeys({ openIdMetadataUrl, now: machine.now, log })
  const metrics = createMetrics({ openByStatus: store.openByStatus, keysAgeMs: keys.ageMs })
  const isListed = createServiceList({ hosts: settings.serviceHosts, log, onMiss: metrics.serviceMissed })
  const sendLimits = createSendLimits({ store, clock, log, ...(sandbox && { faster: sandbox.sendsFaster }) })
  const { appId = '', tenantId } = identity
  const connector = createConnector({
    isListed,
    ...(identity.appId !== undefined &&
      tenantId !== undefined && { token: teamsToken({ ...identity, appId, tenantId }, scope, machine.now) }),
    now: machine.now,
  })
  const adapter = createAdapter({ connector, traffic: sendLimits })
  const drawing = {
    portal: settings.portal,
    timeZone: settings.timeZone,
    ...(tenantId !== undefined && { tenantId }),
    asApprover: approver !== undefined,
  }
  const messenger = createMessenger({
    connector,
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
  let surveyor: Surveyor | undefined
  const anchor = startAnchor({ store, clock, everyMs: settings.anchorMs, log })
  const wake = (): void => worker?.wake()
  const approveAs = approver ? 'approver' : 'bot'
  const working = workingTime(settings.workingHours, settings.timeZone)
  const journal = createJournal({ store, clock, limits, working, approveAs, wake, onDecision: anchor.say })
  const [leavingSoon, endingSoon] = [new AbortController(), new AbortController()]
  const ending = endingSoon.signal
  const sender = createSender({ store, clock, journal, wake, log, crashPoint, ending })
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
    leaving: leavingSoon.signal,
    ending,
  })
  const desk = createDesk({
    store,
    journal,
    directory,
    access,
    roster: createRoster({ connector, log }),
    router,
    escalations: createEscalations({ store, fallback: settings.escalation, log }),
    ...(actAs && { asApprover: { actAs, sender } }),
    deadlineMs: settings.turnReadsMs,
    freshDecisionMs: limits.freshDecisionMs,
  })
  const entraKeys =
    events && createSigningKeys({ openIdMetadataUrl: events.openIdMetadataUrl, now: machine.now, log })
  const hook =
    events &&
    entraKeys &&
    azureEventsHook({
      tokenCheck: createEventTokenCheck({ ...events, keys: entraKeys, now: machine.now }),
      hints: createHints({ store, clock, wake, onHinted: metrics.hinted }),
      onAnnounced: metrics.announced,
    })
  let leaving = false
  const server = await createServer({
    host: settings.host,
    port: settings.port,
    adapter,
    guard: createGuard({
      ...(tenantId !== undefined && { tenantId }),
      ...(identity.appId !== undefined && {
        appId,
        tokenCheck: createTokenCheck({ keys, issuer, appId, now: machine.now }),
      }),
      isListed,
    }),
    bot: createBot({
      desk,
      conversations: store,
      words: en,
      usual: limits,
      drawing,
      ...(approver && { signIn: { uri: approver.uri, page: consentPage(approver) } }),
      log,
      admits: settings.admits,
      now: clock.now,
    }),
    ...(hook && { hook }),
    meter: metrics.meter,
    log,
  })
  const probes = await startProbes({
    ...settings.probes,
    ready: async () => worker !== undefined && !leaving && (await answersSoon(store, log)),
    metrics: metrics.text,
  })
  worker = startWorker({
    store,
    clock,
    journal,
    performer: {
      ...performer,
      act: (...given) => watch(performer.act(...given)),
      tell: (...given) => watch(performer.tell(...given)),
    },
    limits,
    leaseMs: settings.leaseMs,
    log,
  })
  surveyor = startSurveyor({
    store,
    clock,
    survey: (...given) => watch(survey(...given)),
    look: (row) => watch(performer.look(row)),
    limits,
    log,
    wake,
  })
  if (identity.appId !== undefined) keys.refresh()
  entraKeys?.refresh()
  // Whoever waits for this start to be over is answered first, and the first link does not wait for the clients, nor the
  // first card for its engine. What fails here fails there again, and is told.
  setTimeout(() => {
    Promise.all([warm(), warmCards()])
      .then(() => setTimeout(giveBack, 2_000).unref())
      .catch((error: unknown) => log('warn', 'notWarm', {}, error))
  }, 1_000).unref()

  return {
    url: server.url,
    probes: probes.url,
    journal,
    wake,
    async leave() {
      leaving = true
      leavingSoon.abort()
      setTimeout(() => endingSoon.abort(), lettingGoMs).unref()
      // Beside the turns: while these end, nothing else is begun.
      await Promise.all([server.close().then(sender.settled), worker?.stop(), surveyor?.stop()])
      await sendLimits.settled()
      await anchor.stop()
      await probes.close()
    },
  }
}

/**
 * What the start needed and nothing needs any more, nine megabytes: what was compiled is written where the next start finds
 * it, and V8 collects, which a bot at rest gives it no reason for. Node has that function when it is started with
 * `--expose-gc`.
 */
function giveBack(): void {
  flushCompileCache()
  globalThis.gc?.({ type: 'major', flavor: 'last-resort' })
}

/** Sooner than a platform gives up on its probe. */
async function answersSoon(store: Pick<Store, 'answers'>, log: Log): Promise<boolean> {
  const silent = new Promise<'silent'>((resolve) => setTimeout(resolve, 900, 'silent').unref())
  try {
    return (await Promise.race([store.answers(), silent])) !== 'silent'
  } catch (error) {
    log('warn', 'store.away', {}, error)
    return false
  }
}

/** As whom owners are acted for: by its secret, or by what the managed identity vouches. */
function applicationOf(
  { tenantId, appId: clientId, password, authorityHost }: NonNullable<Config['approver']>,
  identity: TokenCredential,
): ActingApplication {
  const vouched = async (): Promise<string> => {
    // https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
    const token = await identity.getToken('api://AzureADTokenExchange/.default')
    if (!token) throw new Error('The managed identity gave no token')
    return token.token
  }
  const proof = password === undefined ? { getAssertion: vouched } : { clientSecret: password }
  return { tenantId, clientId, proof, ...(authorityHost !== undefined && { authorityHost }) }
}

/** Where an administrator agrees for everybody, and others ask for it: the one page that needs no address to return to. */
function consentPage({ tenantId, appId, authorityHost }: NonNullable<Config['approver']>): string {
  return `${authorityHost ?? 'https://login.microsoftonline.com'}/${tenantId}/adminconsent?client_id=${appId}`
}
