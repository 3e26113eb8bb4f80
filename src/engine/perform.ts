/** Does one step: a look, an effect between its intent and its outcome, a message. Each ends as facts in the journal. */
import { namelessCause, retryAt } from '../link/causes.ts'
import type { Effect, Fact, Limits, Link, LinkId, Millis } from '../link/link.ts'
import { decisionMessage, requestMessage, withoutWords } from '../link/match.ts'
import type { AzureStep, Plan, PlannedMessage } from '../link/next.ts'
import { isCopy } from '../link/places.ts'
import { decideActions } from '../link/policy.ts'
import { viewSchema } from '../link/views.ts'
import { callDeadline } from './callDeadline.ts'
import { gateKey, longestGateMs, settledGates } from './gates.ts'
import type { Journal, Watched } from './journal.ts'
import { createFailures } from './keptInMind.ts'
import type { Access, Act, Azure, Clock, Log, Messenger, Observation, Row, Store, Watch } from './ports.ts'
import { StoreAway, StoreInDoubt } from './ports.ts'
import type { Router } from './router.ts'
import type { SendLimits } from './sendLimits.ts'

/** Looks that share one deadline. */
const mostTogether = 8
/** Nothing that the core times by looks takes longer. */
const longestDoubtMs = 15 * 60_000
const rerouteAgainMs = 60 * 60_000
const insistAgainMs = 2_000
/** Ten minutes at least: beyond that Azure is looked at, and a message may come twice. */
const mostInsisting = 300

/** Named moments at which a test may kill the process; see `config.ts`. */
export type CrashPoint = (moment: `${'before' | 'after' | 'committing' | 'committed'} ${string}`) => void

export type Performer = {
  /** Resolves to the moment before which this should not be tried again, when that is no fact of the record. */
  act(row: Row & Watched, step: AzureStep, holder: string): Promise<Millis | undefined>
  tell(row: Row, message: PlannedMessage): Promise<Millis | undefined>
  /** The link's own look, whoever holds the record: facts are taken in at any time. */
  look(row: Row): Promise<Millis | undefined>
}

type Ports = {
  store: Store
  clock: Clock
  journal: Journal
  azure: Azure
  access: Access
  messenger: Messenger
  router: Router
  sendLimits: Pick<SendLimits, 'take' | 'throttled'>
  limits: Limits
  log: Log
  crashPoint: CrashPoint
  /** Aborted when the process is to end. */
  leaving?: AbortSignal
  /** Aborted when it has to: calls under way are let go of. */
  ending?: AbortSignal
}

export function createPerformer(ports: Ports): Performer {
  const { clock, journal, log } = ports
  const { leaving = new AbortController().signal, ending = new AbortController().signal } = ports
  const { firstLookMs, freshLookMs, settleMs } = ports.limits
  const look = createLooker(ports.azure, ending)
  const failedLooks = createFailures(clock.now)

  async function lookAt(row: Row): Promise<Millis | undefined> {
    const { link } = row
    const answer = await look(watchOf(link))
    if ('failed' in answer) {
      const count = failedLooks.count(link.id)
      log('warn', 'azure.look.failed', { link: link.id, cause: answer.failed.cause, count })
      return retryAt(clock.now(), count, answer.retryAfterMs, firstLookMs)
    }
    failedLooks.clear(link.id)
    // The clock was set back meanwhile: whether it began before what happened since cannot be told.
    if (answer.at > clock.now()) return undefined
    const since = clock.set?.().since
    const seen =
      since !== undefined && answer.at - since < longestDoubtMs ? { ...answer, steadySince: since } : answer
    await journal.record(
      link.id,
      [{ fact: 'observed', seen: withoutWords(link.asked.nonce, seen), at: clock.now() }],
      {
        lookedAt: answer.at,
        heeded: row.hintedAt,
        // An effect that began since makes this look a thing of the past, and so does a look that began later.
        unless: (newest) =>
          (newest.link.attempt !== undefined && effectBegan(row.link, newest.link)) ||
          isOlder(answer.at, newest, clock.now()),
        gates: [gateKey(link, 'put'), gateKey(link, 'approve')],
        release: (newest, held) => settledGates(newest, held, { lookedAt: answer.at, settleMs }),
      },
    )
    return undefined
  }

  /** What came of an effect is kept in mind while the store is away: forgotten, a message would be posted again. */
  async function insist(id: LinkId, facts: readonly Fact[]): Promise<void> {
    for (let count = 1; ; count++) {
      try {
        await journal.record(id, facts)
        return
      } catch (error) {
        const isAway = error instanceof StoreAway || error instanceof StoreInDoubt
        if (!isAway || leaving.aborted || count === mostInsisting) throw error
        log('warn', 'link.unrecorded', { link: id, count }, error)
        await clock.until(clock.now() + insistAgainMs, leaving)
      }
    }
  }

  async function effect(
    row: Row & Watched,
    step: AzureStep & { step: Effect },
    holder: string,
  ): Promise<Millis | undefined> {
    const { id } = row.link
    // What the newest record asks for: since the plan was made a look may have shown the connection otherwise.
    let newest = step
    const intended = await journal.intend(
      id,
      holder,
      ({ azure }: Plan) => {
        if (azure?.step !== step.step) return undefined
        newest = azure
        return { fact: 'intended', effect: step.step, at: clock.now() }
      },
      {
        key: gateKey(row.link, step.step),
        until: clock.now() + longestGateMs,
        placeMs: 3 * freshLookMs,
      },
      row,
    )
    if (intended.is === 'changed') return undefined
    // Somebody else has the record now, or will soon.
    if (intended.is === 'lost') return clock.now() + firstLookMs
    // When the gate opens, what was seen is old: look again first. Whoever is next in line asks more often.
    if (intended.is === 'busy')
      return clock.now() + (intended.isNext ? Math.min(firstLookMs, freshLookMs) : freshLookMs + 1)
    const act = await actOf(intended.link, newest)
    ports.crashPoint(`before ${step.step}`)
    const outcome = await ports.azure.perform(act, callDeadline(ending))
    ports.crashPoint(`after ${step.step}`)
    const at = clock.now()
    if (outcome.is === 'done') {
      log('info', 'azure.done', { link: id, effect: step.step })
      const { operation } = outcome
      await insist(id, [
        { fact: 'done', effect: step.step, at, ...(operation !== undefined && { operation }) },
      ])
      ports.crashPoint(`committed ${step.step}`)
      return undefined
    }
    log('warn', 'azure.failed', {
      link: id,
      effect: step.step,
      cause: outcome.cause.cause,
      answer: outcome.log,
    })
    const count = intended.link.attempt?.count ?? 1
    const notBefore = retryAt(at, count, outcome.retryAfterMs)
    await insist(id, [
      { fact: 'failed', effect: step.step, cause: namelessCause(outcome.cause), notBefore, at },
    ])
    return undefined
  }

  async function actOf({ asked }: Link, step: AzureStep & { step: Effect }): Promise<Act> {
    const { signalr, name, vault, nonce } = asked
    switch (step.step) {
      case 'put': {
        const words = asked.reason && (await ports.store.texts([asked.reason])).get(asked.reason)
        return { effect: 'put', signalr, name, vault, requestMessage: requestMessage(words, nonce) }
      }
      case 'approve':
      case 'reject':
        return {
          effect: step.step,
          vault,
          connection: step.connection,
          description: decisionMessage(step.step, nonce),
        }
      case 'delete':
        return { effect: 'delete', signalr, name }
    }
  }

  async function recheck({ link }: Row, step: AzureStep & { step: 'recheck' }): Promise<undefined> {
    const person = (await ports.store.people([step.by])).get(step.by)
    // Somebody whose name was erased can no longer be asked about: that is a no.
    const right = person
      ? await ports.access.may(person.objectId, decideActions, link.asked.vault, callDeadline(ending))
      : ({ is: 'unreadable' } as const)
    await journal.record(link.id, [{ fact: 'rechecked', right: right.is, by: step.by, at: clock.now() }])
  }

  async function reroute({ link }: Row): Promise<Millis | undefined> {
    const owners = await ports.router(link.asked.vault, callDeadline(ending))
    if (!owners || owners.place.conversation === link.asked.owners.place.conversation)
      return clock.now() + rerouteAgainMs
    await journal.record(link.id, [{ fact: 'rerouted', owners, at: clock.now() }])
    return undefined
  }

  return {
    look: lookAt,
    act(row, step, holder) {
      switch (step.step) {
        case 'look':
          return lookAt(row)
        case 'recheck':
          return recheck(row, step)
        case 'reroute':
          return reroute(row)
        default:
          return effect(row, step, holder)
      }
    },

    async tell(row, { post, view, digest, to, place, lane }) {
      const { link } = row
      const later = await ports.sendLimits.take({ link: link.id, lane, to })
      if (later !== undefined) return later
      const name = `${to.how === 'update' ? 'update' : 'post'} ${post}`
      ports.crashPoint(`before ${name}`)
      const delivered = await ports.messenger.deliver({ link, post, view, to }, callDeadline(ending))
      ports.crashPoint(`after ${name}`)
      if (delivered.is === 'failed' && delivered.throttled)
        await ports.sendLimits.throttled(to, delivered.throttled, delivered.retryAfterMs)
      const at = clock.now()
      const fact = ((): Fact => {
        switch (delivered.is) {
          case 'posted': {
            const { conversation, activity } = delivered
            return { fact: 'posted', post, conversation, activity, digest, schema: viewSchema, at }
          }
          case 'gone':
            if (isCopy(post)) return { fact: 'lost', post, at }
            log('warn', 'teams.gone', { link: link.id, post, place, answer: delivered.log })
            return { fact: 'gone', place, at }
          case 'failed': {
            log('warn', 'teams.failed', { link: link.id, post, answer: delivered.log })
            const told = link.told[post]
            const count = told?.is === 'failed' ? told.count + 1 : 1
            return { fact: 'unposted', post, notBefore: retryAt(at, count, delivered.retryAfterMs), at }
          }
        }
      })()
      await insist(link.id, [fact])
      if (delivered.is === 'posted') log('info', 'teams.told', { link: link.id, post })
      ports.crashPoint(`committed ${name}`)
      return undefined
    },
  }
}

const watchOf = ({ id, asked, pinned, operation, stage, looked }: Link): Watch => ({
  id,
  signalr: asked.signalr,
  name: asked.name,
  vault: asked.vault,
  nonce: asked.nonce,
  ...(pinned && { pinned }),
  // Once the link stands, its own state says more than the operation that made it.
  ...(operation !== undefined && stage.status === 'Provisioning' && { operation }),
  // What was decided or done since the last look waits for this one.
  ...(looked && { canWait: true }),
})

const effectBegan = (before: Link, newest: Link): boolean =>
  newest.attempt?.at !== before.attempt?.at || newest.attempt?.count !== before.attempt?.count

/** Looks of one link may overlap, and the older one be answered last. A look ahead of the clock began before that was set back. */
const isOlder = (at: Millis, { lookedAt }: Row, now: Millis): boolean =>
  lookedAt !== undefined && at < lookedAt && lookedAt <= now

/** Looks asked for in the same moment go out together, so that links of one subscription share their reads. */
function createLooker(azure: Azure, ending: AbortSignal) {
  let waiting: { watch: Watch; resolve: (answer: Observation) => void; reject: (error: unknown) => void }[] =
    []
  const flush = (): void => {
    const asked = waiting
    waiting = []
    for (let first = 0; first < asked.length; first += mostTogether)
      void ask(asked.slice(first, first + mostTogether))
  }
  const ask = async (asked: typeof waiting): Promise<void> => {
    try {
      const seen = await azure.observe(
        asked.map(({ watch }) => watch),
        callDeadline(ending),
      )
      for (const { watch, resolve } of asked)
        resolve(seen.get(watch.id) ?? { failed: { cause: 'unavailable', code: 'NoAnswer' } })
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }
  return (watch: Watch): Promise<Observation> =>
    new Promise((resolve, reject) => {
      waiting.push({ watch, resolve, reject })
      if (waiting.length === 1) setImmediate(flush)
    })
}
