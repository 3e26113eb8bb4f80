/**
 * The controller: claims what is due, looks at the world, chooses one step, writes the intent, does it, writes what
 * came of it, and comes again. Telling never holds up an Azure step, nor the other way.
 */
import { randomUUID } from 'node:crypto'
import { retryAt } from '../link/causes.ts'
import type { Limits, LinkId, Millis } from '../link/link.ts'
import type { AzureStep, Plan } from '../link/next.ts'
import type { Journal } from './journal.ts'
import { createFailures, createWaits } from './keptInMind.ts'
import type { Performer } from './perform.ts'
import type { Clock, Log, Row, Store } from './ports.ts'

/** Links worked on at the same time. */
const most = 32
/** How long one link is worked on at a stretch. */
const stretchMs = 30_000
/** How often what other instances hold and make due is looked for. */
const sharedLookMs = 5_000
/** How long a due record that another transaction holds is left to it. */
const takenAgainMs = 200
/** How long at most a database that was away is not tried. */
const longestOutageMs = 2_000
/**
 * How long after it was away whoever held a record has to write what came of its call, before others take the record:
 * that is tried every 2 s.
 */
const afterOutageMs = 3_000

export type Worker = {
  /** Looks for due records now. */
  wake(): void
  /** Lets what is under way come to its end and takes nothing new. Resolves when all is at rest. */
  stop(): Promise<void>
}

type Ports = {
  store: Store
  clock: Clock
  journal: Journal
  performer: Performer
  limits: Limits
  /** How long a record is held for whoever works on it, unless they say that they still do. */
  leaseMs: Millis
  log: Log
}

export function startWorker(ports: Ports): Worker {
  const { store, clock, leaseMs, log } = ports
  const holder = randomUUID()
  const stopping = new AbortController()
  const active = new Map<LinkId, Promise<void>>()
  const failures = createFailures(clock.now)
  const waits = createWaits(clock.now)
  /** What could not be given back while the store was away. */
  const owed = new Set<LinkId>()
  let renewedAt = clock.now()
  let outages = 0
  /** When the store last answered, and from when on it may be claimed from since it was away. */
  let answeredAt = clock.now()
  let claimsFrom = 0
  let backMs = clock.set?.().backMs ?? 0
  let alarm = new AbortController()
  const wake = (): void => alarm.abort()

  async function hasten(): Promise<void> {
    const by = (clock.set?.().backMs ?? 0) - backMs
    if (by <= 0) return
    log('warn', 'clock.setBack', { ms: by })
    await store.hasten(by)
    waits.endAll()
    renewedAt -= by
    answeredAt -= by
    claimsFrom -= by
    backMs += by
  }

  async function round(): Promise<Millis> {
    await keepHeld()
    if (stopping.signal.aborted) return renewal()
    await hasten()
    const free = most - active.size
    const now = clock.now()
    const mayClaim = free > 0 && (await isOver(now))
    const rows = mayClaim ? await store.claim(holder, now, leaseMs, free) : []
    for (const row of rows) {
      const { id } = row.link
      // A clock that jumps ends leases early; who is still at work here goes on alone.
      if (active.has(id)) continue
      const notBefore = waits.of(id)
      const ending = tend(row, notBefore, holder, stopping.signal, ports)
        .then(() => failures.clear(id))
        .catch((error: unknown) => setAside(id, error))
        .then(() => store.release(id, holder))
        .catch((error: unknown) => {
          owed.add(id)
          log('error', 'link.notReleased', { link: id }, error)
        })
        .finally(() => {
          active.delete(id)
          waits.leave(id, notBefore)
          wake()
        })
      active.set(id, ending)
    }
    const next = await store.nextDue()
    // Due, and not to be had: asked for again at once, it would be asked for without a pause.
    const isTaken = rows.length === 0 && next !== undefined && next <= now
    const due = isTaken ? Math.max(claimsFrom, now + takenAgainMs) : next
    const first = active.size >= most || due === undefined ? Number.MAX_SAFE_INTEGER : due
    // Others may hold now what they did not then, and die.
    const shared = store.now ? clock.now() + sharedLookMs : Number.MAX_SAFE_INTEGER
    return Math.min(first, shared, renewal())
  }

  /** Whether an outage is over in which leases of others may have ended. */
  async function isOver(now: Millis): Promise<boolean> {
    // Whoever lives has renewed its leases not long before, and one process alone knows what it holds.
    if (outages > 0 && store.now && now > answeredAt + leaseMs / 2) {
      await store.answers()
      claimsFrom = clock.now() + afterOutageMs
    }
    return claimsFrom <= now
  }

  const renewal = (): Millis => (active.size > 0 ? renewedAt + leaseMs / 3 : Number.MAX_SAFE_INTEGER)

  /** An effect may take longer than a lease. */
  async function keepHeld(): Promise<void> {
    for (const id of owed) {
      if (!active.has(id)) await store.release(id, holder)
      owed.delete(id)
    }
    if (clock.now() < renewedAt + leaseMs / 3) return
    const began = clock.now()
    const working = [...active.keys()]
    const held = new Set(await store.renew(working, holder, began + leaseMs))
    renewedAt = began
    // Ended meanwhile, or taken: by a turn that sends a decision, or by others since this process was held up too long.
    for (const id of working) if (active.has(id) && !held.has(id)) log('warn', 'link.taken', { link: id })
  }

  /** A record that cannot be worked on waits longer each time, so that it does not starve the others. */
  async function setAside(id: LinkId, error: unknown): Promise<void> {
    const count = failures.count(id)
    log('error', 'link.failed', { link: id, count }, error)
    await ports.journal.rest(id, { earliest: retryAt(clock.now(), count, undefined) })
  }

  /** Whoever leaves holds on to what is under way until it has ended: given up, it would be begun beside itself. */
  const goesOn = (): boolean => !stopping.signal.aborted || active.size > 0

  async function run(): Promise<void> {
    while (goesOn()) {
      alarm = new AbortController()
      let next: Millis
      try {
        next = await round()
        outages = 0
        answeredAt = clock.now()
      } catch (error) {
        // The store is away: wait it out, nothing is lost meanwhile.
        next = Math.min(retryAt(clock.now(), ++outages, undefined, 500), clock.now() + longestOutageMs)
        log('error', 'store.unavailable', {}, error)
      }
      if (goesOn()) await clock.until(next, alarm.signal)
    }
  }

  const running = run()
  return {
    wake,
    async stop() {
      stopping.abort()
      wake()
      await running
    },
  }
}

/**
 * Works on one record until nothing is left to do now. `notBefore`: what failed with nothing to record, or met a busy
 * gate, waits without a fact; whatever wakes the record meanwhile, it waits on, since calling early makes Azure's wait longer.
 */
async function tend(
  row: Row,
  notBefore: Map<string, Millis>,
  holder: string,
  stopping: AbortSignal,
  ports: Ports,
): Promise<void> {
  const { store, clock, journal, performer } = ports
  const { id } = row.link
  const until = clock.now() + stretchMs
  const running = new Map<string, Promise<void>>()
  let ends = 0
  let look: { readonly began: Millis; readonly ended: Millis } | undefined
  const start = (lane: string, task: () => Promise<Millis | undefined>): void => {
    const ended = task()
      .then((later) => {
        if (later !== undefined) notBefore.set(lane, later)
        else notBefore.delete(lane)
      })
      .finally(() => {
        running.delete(lane)
        ends += 1
      })
    // Settled together below; a rejection must not be unheard while the other lanes run on.
    ended.catch(() => undefined)
    running.set(lane, ended)
  }
  const free = (lane: string): boolean => !running.has(lane) && (notBefore.get(lane) ?? 0) <= clock.now()

  const act = async (now: Row, step: AzureStep): Promise<Millis | undefined> => {
    const began = clock.now()
    const later = await performer.act(now, step, holder)
    if (step.step === 'look') look = { began, ended: clock.now() }
    return later
  }

  while (true) {
    const endsBefore = ends
    const found = await store.get(id)
    if (!found) return
    const now = { ...found, lookTookMs: tookMs(found, look) }
    // What ended while the record was being read may not be in it: done by that record, it would be done twice.
    if (ends !== endsBefore) continue
    // A turn that sends somebody's decision takes the record over.
    const isTaken = now.lease !== undefined && now.lease.holder !== holder && now.lease.until > clock.now()
    const rested = stopping.aborted || clock.now() >= until || isTaken
    const plan: Plan = journal.planFor(now.link, now)
    if (!rested) {
      if (plan.passed && !running.has('azure')) {
        const what = plan.passed
        // Another instance may have written it meanwhile, and a reminder is one more each time.
        const unless = (row: Row): boolean => journal.planFor(row.link, row).passed !== what
        await journal.record(id, [{ fact: 'passed', what, at: clock.now() }], { unless })
        continue
      }
      const { azure } = plan
      if (azure && free(laneOf(azure))) start(laneOf(azure), () => act(now, azure))
      for (const message of plan.messages) {
        if (free(message.lane)) start(message.lane, () => performer.tell(now, message))
      }
    }
    if (running.size === 0) {
      const waits = [...notBefore.values()].filter((at) => at > clock.now())
      const ready = (plan.azure && free(laneOf(plan.azure))) || plan.messages.some(({ lane }) => free(lane))
      const idle = !ready && (plan.azure || plan.messages.length > 0)
      // With what this plan waits for: it may be due by the time that this is written, and nobody would come for it.
      const earliest = Math.min(...waits, plan.wake ?? Number.POSITIVE_INFINITY)
      await journal.rest(id, { as: now, ...(idle && waits.length > 0 && { earliest }) })
      return
    }
    try {
      await Promise.race(running.values())
    } catch (error) {
      await Promise.allSettled(running.values())
      throw error
    }
  }
}

/** How long the row's look took, if it is the one that was made here. */
function tookMs({ lookedAt }: Row, look: { began: Millis; ended: Millis } | undefined): Millis | undefined {
  return look && lookedAt !== undefined && lookedAt >= look.began ? look.ended - lookedAt : undefined
}

/** Looking for another channel waits by itself: it must not keep Azure from being looked at. */
const laneOf = ({ step }: NonNullable<Plan['azure']>): string => (step === 'reroute' ? 'reroute' : 'azure')
