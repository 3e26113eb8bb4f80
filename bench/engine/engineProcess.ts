/** A process of its own: the engine on a store full of waiting links; or one of several that claim from the same store. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { StatementSync } from 'node:sqlite'
import pg from 'pg'
import { turnableClock } from '../../src/clock.ts'
import { createJournal } from '../../src/engine/journal.ts'
import { createPerformer } from '../../src/engine/perform.ts'
import type { Clock } from '../../src/engine/ports.ts'
import { startSurveyor } from '../../src/engine/surveyor.ts'
import { startWorker } from '../../src/engine/worker.ts'
import type { Millis } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { adapter } from '../../test/azure/world.ts'
import { keepResting, limits, type Size } from '../../test/engine/restingLinks.ts'
import { answerQuestions } from '../load/asking.ts'

export type Looked = {
  /** Each of a subscription's links together: from the moment at which it is due until all is at rest again. */
  readonly looks: readonly { readonly ms: number; readonly queries: number }[]
  readonly loopDelayP99Ms: number
  readonly rssMb: number
}

let queries = 0
/** Each statement that the store runs, on either database. */
function countQueries(): void {
  for (const name of ['all', 'get', 'run', 'iterate'] as const) {
    const run = StatementSync.prototype[name]
    Object.defineProperty(StatementSync.prototype, name, {
      value(this: StatementSync, ...given: unknown[]) {
        queries++
        return Reflect.apply(run, this, given)
      },
    })
  }
  const query = pg.Client.prototype.query
  Object.defineProperty(pg.Client.prototype, 'query', {
    value(this: pg.Client, ...given: unknown[]) {
      queries++
      return Reflect.apply(query, this, given)
    },
  })
}

async function seed({ database, size }: { database: string; size: Size }): Promise<void> {
  const store = await openStore({ url: database })
  await keepResting(store, size, turnableClock(0))
  await store.close()
}

/** Lets minutes pass, from one thing that is due to the next. */
async function look(given: { database: string; azure: string; minutes: number }): Promise<Looked> {
  countQueries()
  const turnable = turnableClock(0)
  const due = new Map<symbol, Millis>()
  const clock: Clock = {
    now: turnable.now,
    async until(moment, signal) {
      const waits = Symbol()
      due.set(waits, moment)
      await turnable.until(moment, signal)
      due.delete(waits)
    },
  }
  const store = await openStore({ url: given.database })
  const { azure, survey } = adapter(given.azure, { now: turnable.now })
  let underWay = 0
  const counted =
    <A extends unknown[], T>(run: (...all: A) => Promise<T>) =>
    async (...all: A): Promise<T> => {
      underWay++
      return await run(...all).finally(() => underWay--)
    }
  const running: { stop(): Promise<void>; wake(): void }[] = []
  const wake = (): void => {
    for (const one of running) one.wake()
  }
  const journal = createJournal({ store, clock, limits, wake })
  const common = { store, clock, limits, log: () => undefined, wake }
  const { act, tell, look } = createPerformer({
    ...common,
    journal,
    azure,
    access: { may: async () => ({ is: 'unreadable' }), botMay: async () => ({ is: 'unreadable' }) },
    messenger: { deliver: async () => ({ is: 'posted', conversation: 'told', activity: 'told' }) },
    router: async () => undefined,
    sendLimits: { take: async () => undefined, throttled: async () => undefined },
    crashPoint: () => undefined,
  })
  const performer = { act: counted(act), tell: counted(tell), look: counted(look) }
  const worker = startWorker({ ...common, journal, performer, leaseMs: 60_000 })
  let surveys = 0
  const surveyed: typeof survey = (...given) => {
    surveys++
    return survey(...given)
  }
  const surveyor = startSurveyor({ ...common, survey: counted(surveyed), look: performer.look })
  running.push(worker, { stop: surveyor.stop, wake: () => undefined })

  /** Nothing is under way, and all loops wait. */
  const idle = async (): Promise<void> => {
    let calm = 0
    while (calm < 3) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      calm = underWay === 0 && due.size === running.length ? calm + 1 : 0
    }
  }
  await idle()
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  const looks: { ms: number; queries: number }[] = []
  const end = turnable.now() + given.minutes * 60_000
  while (turnable.now() < end) {
    const [queriesBefore, surveysBefore] = [queries, surveys]
    const began = performance.now()
    turnable.turn(Math.max(0, Math.min(...due.values()) - turnable.now()))
    await idle()
    const ms = performance.now() - began
    if (surveys > surveysBefore) looks.push({ ms, queries: queries - queriesBefore })
  }
  delays.disable()
  await Promise.all(running.map((one) => one.stop()))
  await store.close()
  return {
    looks,
    loopDelayP99Ms: delays.percentile(99) / 1e6,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
  }
}

/** Claims and gives back one record after the other, and says how many. */
async function claim(given: { database: string; holder: string; runMs: number }): Promise<number> {
  const store = await openStore({ url: given.database })
  // All of them are due by then.
  const later = Date.now() + 1_000 * 24 * 3_600_000
  const until = performance.now() + given.runMs
  let claims = 0
  while (performance.now() < until) {
    const [row] = await store.claim(given.holder, later, 60_000, 1)
    if (!row) continue
    claims++
    await store.release(row.link.id, given.holder)
  }
  await store.close()
  return claims / (given.runMs / 1_000)
}

answerQuestions({
  seed: (given) => seed(given as Parameters<typeof seed>[0]),
  look: (given) => look(given as Parameters<typeof look>[0]),
  claim: (given) => claim(given as Parameters<typeof claim>[0]),
})
