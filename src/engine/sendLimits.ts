/**
 * How much Teams is told, and how fast: a bucket of tokens for each conversation and one for the tenant, kept among the
 * gates, so that all instances draw from the same. A message that finds one empty is given a moment to come again, each
 * another, in the order of asking.
 *
 * A bucket is one time: when it is full again if nothing more is taken. What it holds now follows from that, so nothing
 * has to be filled up.
 */
import type { LinkId, Millis } from '../link/link.ts'
import type { Destination } from '../link/next.ts'
import { channelOf } from '../link/places.ts'
import { left, type Wait, waitOf } from '../link/wait.ts'
import type { Clock, Gate, Log, Store, Traffic } from './ports.ts'

export type SendLimits = Traffic & {
  /** Takes what a message costs; or resolves to the moment to come again, when it may not be sent yet. */
  take(message: {
    readonly link: LinkId
    readonly lane: string
    readonly to: Destination
  }): Promise<Millis | undefined>
  /** Teams wants no more to be said there, or in the whole tenant, before so long. */
  throttled(to: Destination, scope: 'here' | 'tenant', retryAfterMs: number | undefined): Promise<void>
  /** What turns called until now stands among the gates. */
  settled(): Promise<void>
}

type Bucket = { readonly key: string; readonly most: number; readonly everyMs: number }

/**
 * Teams takes 7 in 1 s, 8 in 2 s, 60 in 30 s and 1800 in an hour for each bot and conversation, which is a chat or a
 * whole channel with all its threads, and 50 a second for each app and tenant, of which only 30 are sure.
 * learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
 *
 * In any time a bucket gives out what it holds and what comes meanwhile. A message may be a second on its way, so these
 * numbers keep each limit over a second more than it says: 6 in 1 + 1 s, 7 in 2 + 1 s, 52 in 30 + 1 s and 1691 in an
 * hour; 25 in 1 + 1 s. What is left is for the turns' answers, which do not wait.
 */
const ofPlace = { most: 3, everyMs: 625 }
const ofPlaceHourly = { most: 600, everyMs: 3_300 }
const ofTenant = { most: 5, everyMs: 100 }

/** Where Teams does not say for how long. */
const usualRetryAfterMs = 2_000
/**
 * A turn's calls are written down together with those of the next moment, so that no answer waits for a disk. This
 * instance's own messages wait for them; another's see them so much later, within the second that the buckets leave.
 */
const gatheredMs = 200
/** Nobody is told to come later than that: by then a clock may be set right, or others may have let go. */
const longestWaitMs = 5 * 60_000

/** How often what has passed is swept: a full bucket, or the moment of a message that was never sent, means nothing. */
const sweepMs = 60 * 60_000

/** `faster`: how many times as much is sent as that, to a Teams without limits. */
export function createSendLimits(options: {
  readonly store: Pick<Store, 'gates' | 'sweepGates'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly faster?: number
}): SendLimits {
  const { store, clock, log, faster = 1 } = options
  const bucket = (key: string, { most, everyMs }: Omit<Bucket, 'key'>): Bucket => ({
    key,
    most: most * faster,
    everyMs: everyMs / faster,
  })
  const tenant = bucket('tenant', ofTenant)
  const bucketsOf = (place: string | undefined): readonly Bucket[] =>
    place === undefined
      ? [tenant]
      : [bucket(`thread ${place}`, ofPlace), bucket(`thread ${place} hourly`, ofPlaceHourly), tenant]

  type Changes<T> = ReturnType<Parameters<typeof store.gates<T>>[1]>
  /** The gates as of now: what was written later than that, by a clock that was set back since or is ahead, counts from now. */
  const reckon = <T>(keys: readonly string[], work: (gates: readonly Gate[], now: Millis) => Changes<T>) =>
    store.gates<T>(keys, (found) => {
      const now = clock.now()
      const ahead = (gate: Gate): number => Math.max(0, (gate.at ?? now) - now)
      const late = found.filter((gate) => ahead(gate) > 0)
      const redated = late.map((gate) => ({ ...gate, until: gate.until - ahead(gate), at: now }))
      const {
        take = [],
        release = [],
        result,
      } = work([...found.filter((gate) => !late.includes(gate)), ...redated], now)
      const gone = [...take.map(({ key }) => key), ...release]
      return { take: [...take, ...redated.filter(({ key }) => !gone.includes(key))], release, result }
    })

  const spend = (
    buckets: readonly Bucket[],
    gates: readonly Gate[],
    now: Millis,
    calls: (bucket: Bucket) => number = () => 1,
  ): readonly Gate[] =>
    buckets.map((one) => levelled(one, fullAt(one, gates, now) + one.everyMs * calls(one), now))

  /** Calls of turns that are not among the gates yet, by bucket. */
  let uncounted = new Map<string, { readonly bucket: Bucket; calls: number }>()
  let counting: Promise<void> = Promise.resolve()
  let gathering: NodeJS.Timeout | undefined
  /** Never rejects: no answer fails with it, and no message waits for a count that cannot be kept. */
  function count(): Promise<void> {
    clearTimeout(gathering)
    gathering = undefined
    const met = uncounted
    if (met.size === 0) return counting
    uncounted = new Map()
    const buckets = [...met.values()].map(({ bucket }) => bucket)
    const callsOf = ({ key }: Bucket): number => met.get(key)?.calls ?? 0
    const counted = unheld(
      reckon([...met.keys()], (gates, now) => ({
        take: spend(buckets, gates, now, callsOf),
        result: undefined,
      })),
    )
    counting = Promise.all([counting, counted]).then(() => undefined)
    return counting
  }

  /** Empties the narrowest bucket: the first token is there again after that time. */
  async function empty(place: string | undefined, afterMs = usualRetryAfterMs): Promise<void> {
    const [first = tenant] = bucketsOf(place)
    await reckon([first.key], (gates, now) => {
      const until = Math.max(fullAt(first, gates, now), now + afterMs + (first.most - 1) * first.everyMs)
      return { take: [levelled(first, until, now)], result: undefined }
    })
  }
  /** For an answer that must not fail with it. */
  async function unheld(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      log('warn', 'teams.uncounted', {}, error)
    }
  }

  let swept: Wait | undefined
  async function sweep(): Promise<void> {
    const now = clock.now()
    if (swept && left(swept, now) > 0) return
    swept = waitOf(sweepMs, now)
    // By less than that the clocks of two instances differ.
    await store.sweepGates(now - longestWaitMs)
  }

  return {
    async take({ link, lane, to }) {
      await sweep()
      await count()
      const buckets = bucketsOf(placeOf(to))
      const ticket = `message ${link} ${lane}`
      const keys = [...buckets.flatMap(({ key }) => [key, lineOf(key)]), ticket]
      return reckon<Millis | undefined>(keys, (gates, now) => {
        const lacking = buckets.filter((one) => tokenAt(one, gates, now) > now)
        if (lacking.length === 0)
          return { take: spend(buckets, gates, now), release: [ticket], result: undefined }
        const promised = untilOf(ticket, gates)
        if (promised > now) return { result: promised }
        const line = lacking
          .map((one) => ({ key: lineOf(one.key), at: endOfLine(one, gates, now) }))
          .reduce((slowest, one) => (one.at > slowest.at ? one : slowest))
        const until = Math.min(line.at, now + longestWaitMs)
        const take = [ticket, line.key].map((key) => ({ key, holder: link, until, at: now }))
        return { take, result: until }
      })
    },

    throttled: (to, scope, retryAfterMs) => empty(scope === 'tenant' ? undefined : placeOf(to), retryAfterMs),

    async called(conversation) {
      for (const one of bucketsOf(conversation && channelOf(conversation))) {
        const met = uncounted.get(one.key) ?? { bucket: one, calls: 0 }
        met.calls += 1
        uncounted.set(one.key, met)
      }
      gathering ??= setTimeout(count, gatheredMs).unref()
    },
    settled: count,
    refused: (conversation, retryAfterMs) =>
      unheld(empty(conversation && channelOf(conversation), retryAfterMs)),
  }
}

/** What Teams counts together: a chat, or a channel with its threads. */
function placeOf(to: Destination): string {
  switch (to.how) {
    case 'post':
    case 'update':
      return channelOf(to.conversation)
    case 'thread':
      return to.channel
    case 'personal':
      return `with ${to.person}`
  }
}

/** The last moment that was given to anybody who waits for this bucket. */
const lineOf = (key: string): string => `line ${key}`

const untilOf = (key: string, gates: readonly Gate[]): Millis =>
  gates.find((gate) => gate.key === key)?.until ?? 0

const fullAt = ({ key }: Bucket, gates: readonly Gate[], now: Millis): Millis =>
  Math.max(now, untilOf(key, gates))

/** When it holds a token. */
const tokenAt = (bucket: Bucket, gates: readonly Gate[], now: Millis): Millis =>
  fullAt(bucket, gates, now) - (bucket.most - 1) * bucket.everyMs

const endOfLine = (bucket: Bucket, gates: readonly Gate[], now: Millis): Millis =>
  Math.ceil(Math.max(tokenAt(bucket, gates, now), untilOf(lineOf(bucket.key), gates) + bucket.everyMs))

const levelled = ({ key }: Bucket, until: Millis, at: Millis): Gate => ({
  key,
  holder: '',
  until: Math.ceil(until),
  at,
})
