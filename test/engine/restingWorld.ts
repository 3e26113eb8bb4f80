/**
 * Resting links with the real worker and surveyor between a real store and the local Azure, over HTTP. Time passes from
 * one thing that is due to the next.
 */
import { startAzure } from '../../sandbox/azure/server.ts'
import { turnableClock } from '../../src/clock.ts'
import { createJournal } from '../../src/engine/journal.ts'
import { createPerformer } from '../../src/engine/perform.ts'
import type { Clock, Store } from '../../src/engine/ports.ts'
import { startSurveyor } from '../../src/engine/surveyor.ts'
import { startWorker } from '../../src/engine/worker.ts'
import type { Link, Millis } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { adapter, headed, startPeer } from '../azure/world.ts'
import { keepResting, limits, placed, type Size, seedOf } from './restingLinks.ts'

/** What of an ARM list a test may change on its way. */
export type ArmList = { value: { id: string; properties: Record<string, unknown> }[] }

/** Something between the bot and ARM that changes lists. */
async function between(arm: string, change: (path: string, body: ArmList) => void): Promise<string> {
  const { url } = await startPeer(async (request, response) => {
    const answer = await fetch(`${arm}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization: request.headers.authorization ?? '', 'x-forwarded-proto': 'https' },
    })
    // The next page has to come this way too.
    const text = (await answer.text()).replaceAll(new URL(arm).host, request.headers.host ?? '')
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    if (isList(body)) change(request.url?.split('?')[0] ?? '', body)
    const headers = Object.fromEntries(
      [...answer.headers].filter(([name]) => /^(x-ms-|retry-after|content-type)/.test(name)),
    )
    headed(response, answer.status, headers).end(body === undefined ? '' : JSON.stringify(body))
  })
  return url
}
const isList = (body: unknown): body is ArmList =>
  typeof body === 'object' && body !== null && 'value' in body && Array.isArray(body.value)

export type RestingWorld = Awaited<ReturnType<typeof startResting>>

export async function startResting(
  size: Size,
  options: {
    readonly instances?: number
    /** A list on its way to the bot, which it may change. */
    readonly onTheWay?: (path: string, body: ArmList) => void
  } = {},
) {
  const { instances = 1, onTheWay } = options
  const turnable = turnableClock(0)
  const sandbox = await startAzure({ seed: seedOf(size, turnable.now()) })
  const reads: { readonly path: string; readonly status: number }[] = []
  sandbox.onEvent((event) => {
    if (event.kind === 'arm') reads.push({ path: event.path, status: event.status })
    // The bodies of hours are more than a test can keep.
    sandbox.events.length = 0
  })

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
  const opened = await openStore({ url: ':memory:' })
  let written = 0
  const store: Store = {
    ...opened,
    transact(...given) {
      written++
      return opened.transact(...given)
    },
  }
  const running: { stop(): Promise<void>; wake(): void }[] = []
  const wake = (): void => {
    for (const one of running) one.wake()
  }
  const journal = createJournal({ store, clock, limits, wake })
  await keepResting(store, size, clock)

  const way = onTheWay && (await between(sandbox.url, onTheWay))
  const { azure, survey } = adapter(way ?? sandbox.url, { now: turnable.now })
  let underWay = 0
  const counted =
    <A extends unknown[], T>(run: (...all: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      underWay++
      return await run(...given).finally(() => underWay--)
    }
  const { act, tell, look } = createPerformer({
    store,
    clock,
    journal,
    azure,
    access: { may: async () => ({ is: 'unreadable' }), botMay: async () => ({ is: 'unreadable' }) },
    messenger: { deliver: async () => ({ is: 'posted', conversation: 'told', activity: 'told' }) },
    router: async () => undefined,
    sendLimits: { take: async () => undefined, throttled: async () => undefined },
    limits,
    log: () => undefined,
    crashPoint: () => undefined,
  })
  const performer = { act: counted(act), tell: counted(tell), look: counted(look) }
  const common = { store, clock, limits, log: () => undefined, wake }
  for (let instance = 0; instance < instances; instance++) {
    const worker = startWorker({ ...common, journal, performer, leaseMs: 60_000 })
    const surveyor = startSurveyor({ ...common, survey: counted(survey), look: performer.look })
    running.push(worker, { stop: surveyor.stop, wake: () => undefined })
  }

  /** Nothing is under way, and all loops wait. */
  async function idle(): Promise<void> {
    let calm = 0
    while (calm < 3) {
      await new Promise(setImmediate)
      calm = underWay === 0 && due.size === running.length ? calm + 1 : 0
    }
  }
  async function passes(ms: number): Promise<void> {
    const end = turnable.now() + ms
    while (true) {
      await idle()
      const now = turnable.now()
      const step = Math.min(end, ...due.values()) - now
      if (now >= end) return
      if (step > 0) {
        turnable.turn(step)
        sandbox.turn(step)
      }
      await new Promise(setImmediate)
    }
  }

  return {
    all: placed(size),
    sandbox,
    store,
    reads,
    now: turnable.now,
    passes,
    /** How many transactions on records there were. */
    written: () => written,
    get: async (n: number): Promise<Link> => {
      const row = await store.get(`link-${n}`)
      if (!row) throw new Error(`There is no link ${n}`)
      return row.link
    },
    async close() {
      await Promise.all(running.map((one) => one.stop()))
      await store.close()
      await sandbox.close()
    },
  }
}
