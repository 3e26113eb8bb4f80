/**
 * Watches the links that rest, a subscription at a time: few reads show them all, and whichever shows otherwise than it
 * was last seen is looked at by itself before anything is concluded. What shows nothing new writes nothing to its record.
 */
import { randomUUID } from 'node:crypto'
import type { Limits, LinkId, Millis } from '../link/link.ts'
import { subscriptionOf } from '../link/resourceId.ts'
import { type AtRest, atRest, lookInterval, restsFrom } from '../link/rest.ts'
import { skewMs } from '../link/setBack.ts'
import { left } from '../link/wait.ts'
import type { Clock, Log, Row, Store, Survey } from './ports.ts'
import { createShowing, type Judgement, type Sight } from './showing.ts'

export type Surveyor = { stop(): Promise<void> }

/** All surveys together read half of one thing a second at most: the other half is for the links' own looks. */
const msPerRead = 2_000
/** What a link's own look may read. */
const readsPerLook = 4
/** Looks that share their reads. */
const together = 8
const rowsAtOnce = 100

/** What is known of a link that is not ended, as of that version of its record. */
type Known = {
  readonly version: number
  /** From when on it rests, and how it looked; undefined while something has to happen first. */
  readonly rest: { readonly from: Millis; readonly link: AtRest } | undefined
  /** When its own look last began. */
  lookedAt: Millis
  /** What was shown of it and its own look contradicted: shown again, it says nothing. */
  disbelieved: Sight
}
type Resting = Known & { readonly rest: object }

type Ports = {
  readonly store: Pick<Store, 'rows' | 'openVersions' | 'gates'>
  readonly clock: Clock
  readonly survey: Survey
  /** One look of the link's own; resolves to when to try again if Azure did not answer. */
  readonly look: (row: Row) => Promise<Millis | undefined>
  readonly limits: Limits
  readonly log: Log
  /** Called when a look may have left something to do. */
  readonly wake: () => void
}

export function startSurveyor(ports: Ports): Surveyor {
  const { store, clock, limits, log } = ports
  const holder = randomUUID()
  const stopping = new AbortController()
  const known = new Map<LinkId, Known>()
  const dueAt = new Map<string, Millis>()
  let backMs = 0

  function keep({ link, version, lookedAt = 0 }: Row): void {
    const from = restsFrom(link, limits)
    const rest = from === undefined ? undefined : { from, link: atRest(link) }
    known.set(link.id, { version, rest, lookedAt, disbelieved: {} })
  }

  /** Reads the records that are newer than what is known of them, and no others. */
  async function refresh(): Promise<void> {
    const open = new Map((await store.openVersions()).map(({ id, version }) => [id, version]))
    for (const id of known.keys()) if (!open.has(id)) known.delete(id)
    const newer = [...open].flatMap(([id, version]) => (known.get(id)?.version === version ? [] : [id]))
    for (let first = 0; first < newer.length && !stopping.signal.aborted; first += rowsAtOnce)
      for (const row of await store.rows(newer.slice(first, first + rowsAtOnce))) keep(row)
  }

  /** Surveys what is due; resolves to when something is again. */
  async function round(): Promise<Millis> {
    await refresh()
    const set = clock.set?.().backMs ?? 0
    // A clock that was set back would not come to these times for long.
    if (set > backMs) dueAt.clear()
    backMs = set
    const bySubscription = new Map<string, Resting[]>()
    for (const one of known.values()) {
      if (!isResting(one, clock.now())) continue
      for (const subscription of new Set([one.rest.link.signalr, one.rest.link.vault].map(subscriptionOf))) {
        if (subscription === undefined) continue
        const others = bySubscription.get(subscription)
        if (others) others.push(one)
        else bySubscription.set(subscription, [one])
      }
    }
    for (const subscription of dueAt.keys()) if (!bySubscription.has(subscription)) dueAt.delete(subscription)
    for (const [subscription, resting] of bySubscription) {
      if (stopping.signal.aborted) break
      if ((dueAt.get(subscription) ?? 0) <= clock.now())
        dueAt.set(subscription, await surveyed(subscription, resting, bySubscription.size))
    }
    // What begins to rest meanwhile has a subscription that may not be known yet.
    return Math.min(clock.now() + limits.longestLookMs, ...dueAt.values())
  }

  /** Surveys one subscription, unless another instance does; resolves to when it is due again. */
  async function surveyed(
    subscription: string,
    resting: readonly Resting[],
    subscriptions: number,
  ): Promise<Millis> {
    const began = clock.now()
    const key = `survey ${subscription}`
    const others = await hold(key, began + limits.longestLookMs)
    if (others !== undefined) return others
    const here = (ids: readonly string[]): readonly string[] =>
      [...new Set(ids)].filter((id) => subscriptionOf(id) === subscription)
    const found = await ports.survey(
      {
        subscription,
        signalrs: here(resting.map(({ rest }) => rest.link.signalr)),
        vaults: here(resting.map(({ rest }) => rest.link.vault)),
      },
      stopping.signal,
    )
    const still = began - Math.max(...resting.map(({ rest }) => rest.link.stirredAt))
    const paced = (reads: number): number =>
      Math.max(limits.longestLookMs, lookInterval(still, limits), reads * msPerRead * subscriptions)
    const { later, extra } = await lookInto(resting, createShowing(found), paced(found.reads), subscriptions)
    const now = clock.now()
    const due = Math.max(began + paced(found.reads + extra), now + (found.retryAfterMs ?? 0), later ?? now)
    await hold(key, due)
    return due
  }

  /** Takes the gate until then; or resolves to until when another instance has it. */
  const hold = (key: string, until: Millis): Promise<Millis | undefined> =>
    store.gates<Millis | undefined>([key], ([held]) => {
      const at = clock.now()
      const isTheirs =
        held && held.holder !== holder && left({ from: held.at ?? at, until: held.until }, at, skewMs) > 0
      return isTheirs ? { result: held.until } : { take: [{ key, holder, until, at }], result: undefined }
    })

  /** Looks at what shows otherwise than it was, and now and then at what does not show. */
  async function lookInto(
    resting: readonly Resting[],
    sightOf: ReturnType<typeof createShowing>,
    roundMs: number,
    subscriptions: number,
  ): Promise<{ later: Millis | undefined; extra: number }> {
    const judged: Record<Judgement, [Resting, Sight][]> = { same: [], changed: [], missing: [], unseen: [] }
    for (const one of resting) {
      const { judgement, sight, disbelieved } = sightOf(one.rest.link, one.disbelieved)
      one.disbelieved = disbelieved
      if (judgement !== 'same') judged[judgement].push([one, sight])
    }
    const { changed, missing, unseen } = judged
    if (changed.length + missing.length > 0)
      log('info', 'survey.shows', { changed: changed.length, missing: missing.length })
    for (const chunk of chunks(changed)) {
      const { later } = await lookAt(chunk)
      if (later !== undefined) return { later, extra: 0 }
    }
    for (const chunk of chunks(missing)) {
      const { later, contradicted } = await lookAt(chunk)
      if (later !== undefined) return { later, extra: 0 }
      // A list that leaves out what is there may leave out much more: the rest has its turn in the next rounds.
      if (contradicted) break
    }
    const oldest = unseen
      .filter(([{ lookedAt }]) => lookedAt + lookInterval(Number.POSITIVE_INFINITY, limits) <= clock.now())
      .sort(([a], [b]) => a.lookedAt - b.lookedAt)
      .slice(0, Math.max(1, Math.floor(roundMs / (readsPerLook * msPerRead * subscriptions))))
    for (const chunk of chunks(oldest)) {
      const { later } = await lookAt(chunk)
      if (later !== undefined) return { later, extra: 0 }
    }
    return { later: undefined, extra: oldest.length * readsPerLook }
  }

  /** Whether one of them is as it was known, whatever was shown of it; and when to go on if Azure is silent. */
  async function lookAt(
    chunk: readonly [Resting, Sight][],
  ): Promise<{ later?: Millis; contradicted: boolean }> {
    if (stopping.signal.aborted) return { later: clock.now(), contradicted: false }
    const by = new Map(chunk.map(([one, sight]) => [one.rest.link.id, { one, sight }]))
    const ids = [...by.keys()]
    // What has moved on since is no longer what was compared.
    const rows = (await store.rows(ids)).filter(
      ({ link, version }) => by.get(link.id)?.one.version === version,
    )
    const laters = await Promise.all(
      rows.map(async (row) => {
        const later = await ports.look(row)
        const known = by.get(row.link.id)
        if (later === undefined && known) known.one.lookedAt = clock.now()
        return later
      }),
    )
    ports.wake()
    const silent = laters.filter((later) => later !== undefined)
    if (silent.length > 0) return { later: Math.max(...silent), contradicted: false }
    let contradicted = false
    for (const { link, version } of await store.rows(rows.map(({ link }) => link.id))) {
      const found = by.get(link.id)
      if (found?.one.version !== version) continue
      contradicted = true
      found.one.disbelieved = { ...found.one.disbelieved, ...found.sight }
    }
    return { contradicted }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      let due = clock.now() + limits.longestLookMs
      try {
        due = await round()
      } catch (error) {
        log('error', 'survey.failed', {}, error)
      }
      await clock.until(due, stopping.signal)
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}

const isResting = (one: Known, now: Millis): one is Resting => one.rest !== undefined && one.rest.from <= now

function* chunks<T>(all: readonly T[]): Iterable<readonly T[]> {
  for (let first = 0; first < all.length; first += together) yield all.slice(first, first + together)
}
