/** What messages have to wait for, reckoned on a real store: no window of Teams ever holds more than Teams takes. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Store } from '../../src/engine/ports.ts'
import { createSendLimits, type SendLimits } from '../../src/engine/sendLimits.ts'
import { openStore } from '../../src/store/openStore.ts'

const start = Date.UTC(2026, 10, 23, 12)
const hour = 3_600_000
let now: number
let store: Store
let limits: SendLimits
const logged: string[] = []

const create = (options: { behindMs?: number } = {}): SendLimits =>
  createSendLimits({
    store,
    clock: { now: () => now - (options.behindMs ?? 0) },
    log: (_level, event) => void logged.push(event),
  })
beforeEach(async () => {
  now = start
  logged.length = 0
  store = await openStore({ url: ':memory:' })
  limits = create()
})
afterEach(() => store.close())

const general = '19:general@thread.tacv2'
const inThread = (conversation: string) => ({ how: 'post', conversation, serviceUrl: '' }) as const
const newThread = (channel: string) => ({ how: 'thread', channel, serviceUrl: '' }) as const
const take = (link: string, to: Parameters<SendLimits['take']>[0]['to'] = newThread(general), by = limits) =>
  by.take({ link, lane: 'thread', to })

type Waiting = { readonly link: string; readonly at: number; readonly place: string }
/** Sends what waits, each when it was told to come, and the clock with it; returns when each went, and how often it asked. */
async function sendAll(waiting: Waiting[], by: readonly SendLimits[] = [limits]) {
  const sent: { link: string; at: number }[] = []
  let asked = 0
  while (waiting.length > 0) {
    waiting.sort((a, b) => a.at - b.at)
    const next = waiting.shift()
    if (!next) break
    now = Math.max(now, next.at)
    const later = await take(next.link, newThread(next.place), by[asked++ % by.length])
    if (later === undefined) sent.push({ link: next.link, at: now })
    else waiting.push({ ...next, at: later })
  }
  return { sent, asked }
}
const burst = (count: number, place: (n: number) => string = () => general): Waiting[] =>
  Array.from({ length: count }, (_, n) => ({ link: `link-${n}`, at: start, place: place(n) }))
const mostWithin = (ms: number, sent: readonly { at: number }[]): number =>
  Math.max(...sent.map(({ at }) => sent.filter((other) => other.at >= at && other.at - at <= ms).length))

describe('a conversation', () => {
  test('hears no more than Teams takes, in the order of asking, and each asks twice at most', async () => {
    const { sent, asked } = await sendAll(burst(400))
    expect(sent.map(({ link }) => link)).toEqual(burst(400).map(({ link }) => link))
    // Each limit over a second more, since a message may be that long on its way.
    expect(mostWithin(2_000, sent)).toBeLessThanOrEqual(7 - 1)
    expect(mostWithin(3_000, sent)).toBeLessThanOrEqual(8 - 1)
    expect(mostWithin(31_000, sent)).toBeLessThanOrEqual(60 - 6)
    expect(asked).toBeLessThanOrEqual(2 * 400)
    // It is not slower than it has to be either.
    expect(now - start).toBeLessThan((400 / 60) * 30_000 * 1.3)
  })

  test('no more in an hour', async () => {
    const { sent } = await sendAll(burst(2_000))
    expect(mostWithin(hour + 1_000, sent)).toBeLessThanOrEqual(1_800 - 100)
  })

  test('is a channel with all its threads, and no other', async () => {
    const threads = [1, 2, 3, 4].map((root) => inThread(`${general};messageid=${root}`))
    const told = []
    for (const [n, to] of threads.entries()) told.push(await take(`link-${n}`, to))
    expect(told).toEqual([undefined, undefined, undefined, expect.any(Number)])
    expect(await take('other', newThread('19:random@thread.tacv2'))).toBeUndefined()
  })

  test('keeps the moment that it gave, whichever instance asks', async () => {
    for (const link of ['a', 'b', 'c']) await take(link)
    const given = await take('waits')
    expect(await take('later')).toBeGreaterThan(given ?? 0)
    expect(await take('waits', newThread(general), create())).toBe(given)
    now = given ?? 0
    expect(await take('waits', newThread(general), create())).toBeUndefined()
  })

  test('hears of turns at once, and the cards wait for them', async () => {
    for (let answers = 0; answers < 10; answers++) await limits.called(`${general};messageid=1`)
    const given = await take('card')
    expect(given).toBe(start + 8 * 625)
    await limits.called(undefined)
    expect(await take('card')).toBe(given)
  })

  test("hears of another instance's turns once they are counted", async () => {
    const other = create()
    for (let answers = 0; answers < 10; answers++) await other.called(general)
    await other.settled()
    expect(await take('card')).toBe(start + 8 * 625)
  })

  test('leaves no message out, whatever turns say meanwhile, and never holds more than Teams takes by far', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(60_000), say: fc.boolean() }), { minLength: 1, maxLength: 60 }),
        async (asks) => {
          await store.close()
          store = await openStore({ url: ':memory:' })
          now = start
          const pair = [create(), create()]
          const waiting: Waiting[] = []
          for (const [n, { at, say }] of asks.toSorted((a, b) => a.at - b.at).entries()) {
            now = start + at
            if (say) await pair[n % 2]?.called(general)
            else waiting.push({ link: `link-${n}`, at: now, place: general })
          }
          const { sent } = await sendAll(waiting, pair)
          expect(sent).toHaveLength(asks.filter(({ say }) => !say).length)
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('the tenant', () => {
  test('hears no more than 30 a second, however many conversations there are', async () => {
    const { sent, asked } = await sendAll(burst(300, (n) => `19:channel-${n}@thread.tacv2`))
    expect(sent).toHaveLength(300)
    expect(mostWithin(2_000, sent)).toBeLessThanOrEqual(30 - 5)
    expect(asked).toBeLessThanOrEqual(2 * 300)
    expect(now - start).toBeLessThan(31_000)
  })

  test('is not held up by a conversation with a long line', async () => {
    for (const { link } of burst(100)) await take(link)
    expect(await take('other', newThread('19:random@thread.tacv2'))).toBeUndefined()
  })
})

describe('what Teams refuses', () => {
  test('closes that conversation until then, for all instances, and for what was told to come before', async () => {
    for (const link of ['a', 'b', 'c']) await take(link)
    const given = (await take('waits')) ?? 0
    await limits.throttled(inThread(`${general};messageid=1`), 'here', 30_000)
    const other = create()
    expect(await take('new', newThread(general), other)).toBeGreaterThanOrEqual(start + 30_000)
    now = given
    expect(await take('waits', newThread(general), other)).toBeGreaterThanOrEqual(start + 30_000)
    expect(await take('elsewhere', newThread('19:random@thread.tacv2'), other)).toBeUndefined()
    now = start + 30_000
    expect(await take('first', newThread(general), other)).toBeUndefined()
    expect(await take('second', newThread(general), other)).toBeGreaterThan(now)
  })

  test('closes the tenant, where it speaks of that', async () => {
    await limits.throttled(newThread(general), 'tenant', 10_000)
    expect(await take('elsewhere', newThread('19:random@thread.tacv2'))).toBeGreaterThanOrEqual(
      start + 10_000,
    )
    await limits.refused(undefined, 20_000)
    expect(await take('another', newThread('19:other@thread.tacv2'))).toBeGreaterThanOrEqual(start + 20_000)
  })

  test('for longer than before stays closed for longer', async () => {
    await limits.refused(`${general};messageid=1`, 60_000)
    await limits.throttled(newThread(general), 'here', undefined)
    expect(await take('card')).toBeGreaterThanOrEqual(start + 60_000)
  })
})

describe('a clock', () => {
  test('that is set back by a day holds nothing up for longer than what was left', async () => {
    for (const { link } of burst(20)) await take(link)
    now -= 24 * hour
    limits = create()
    const given = await take('link-19')
    expect(given).toBeGreaterThan(now)
    expect(given).toBeLessThan(now + 20_000)
    now += 20_000
    expect(await take('link-19')).toBeUndefined()
  })

  test('that is behind another’s gives out no more', async () => {
    const behind = create({ behindMs: 2_000 })
    for (const link of ['a', 'b', 'c']) await take(link)
    expect(await take('d', newThread(general), behind)).toBeGreaterThan(now - 2_000)
  })
})

test('what was promised to messages that were never sent is swept, and what stands is not', async () => {
  for (const { link } of burst(20)) await take(link)
  const kept = async () => {
    const keys = burst(20).map(({ link }) => `message ${link} thread`)
    return await store.gates(keys, (found) => ({ result: found.length }))
  }
  const before = await kept()
  expect(before).toBeGreaterThan(10)
  now += 2 * hour
  await limits.refused(general, 60_000)
  await take('another')
  expect(await kept()).toBe(0)
  expect(await take('and another')).toBeGreaterThan(now)
})

test('a turn hears nothing of a store that is away', async () => {
  const closed = await openStore({ url: ':memory:' })
  await closed.close()
  const away = createSendLimits({
    store: closed,
    clock: { now: () => now },
    log: (_level, event) => void logged.push(event),
  })
  await away.called(general)
  await away.settled()
  await away.refused(general, 1_000)
  expect(logged).toEqual(['teams.uncounted', 'teams.uncounted'])
})
