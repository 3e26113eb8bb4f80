/** Waiting by a clock that may be set, and knowing that it was. */
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import { systemClock, turnableClock } from '../src/clock.ts'

const hour = 3_600_000
afterEach(() => {
  jest.restoreAllMocks()
})

/** Whether a wait has ended once another, of a few milliseconds that began later, has. */
async function hasEnded(waiting: Promise<void>): Promise<boolean> {
  let ended = false
  waiting.then(() => {
    ended = true
  })
  const { now, until } = turnableClock(0)
  await until(now() + 20, new AbortController().signal)
  return ended
}
const cut = new AbortController().signal

describe('a wait', () => {
  test.each([2 ** 31, 40 * 24 * hour, Number.MAX_SAFE_INTEGER])(
    'of %d ms does not end at once, and no timer is asked for more than it can',
    async (ms) => {
      // Asked for more, Node takes it for one.
      const timers = jest.spyOn(globalThis, 'setTimeout')
      const { now, until, turn } = turnableClock(0)
      const waiting = until(now() + ms, cut)
      expect(await hasEnded(waiting)).toBe(false)
      expect(timers.mock.calls.map(([, delay = 0]) => delay).filter((delay) => delay >= 2 ** 31)).toEqual([])
      expect(timers.mock.calls.length).toBeLessThan(10)
      turn(ms)
      await waiting
    },
  )

  test('ends when the clock is turned past it, and not when it is turned towards it', async () => {
    const { now, until, turn } = turnableClock(0)
    const waiting = until(now() + 2 * hour, cut)
    turn(hour)
    expect(await hasEnded(waiting)).toBe(false)
    turn(hour)
    await waiting
  })

  test('ends when the clock is set back: what is due may be due otherwise', async () => {
    const { now, until, turn, jump } = turnableClock(0)
    const waiting = until(now() + 2 * hour, cut)
    jump(-hour)
    await waiting
    const again = until(now() + hour, cut)
    expect(await hasEnded(again)).toBe(false)
    turn(hour)
    await again
  })
})

test('what is known of its being set: since when it goes steadily, and how far back it went in all', () => {
  const { now, set, turn, jump } = turnableClock(0)
  turn(hour)
  expect(set()).toEqual({ since: undefined, backMs: 0 })
  jump(-hour)
  jump(3 * hour)
  jump(-hour)
  turn(1)
  const { since = 0, backMs = 0 } = set()
  expect(backMs).toBe(2 * hour)
  expect(Math.abs(now() - since)).toBeLessThan(hour / 2)
})

test.each([-24 * hour, -hour, hour, 24 * hour])("the machine's own clock set by %d ms is noticed", (ms) => {
  const { now, set } = systemClock()
  const before = now()
  const { now: real } = Date
  jest.spyOn(Date, 'now').mockImplementation(() => real() + ms)
  expect(Math.abs(now() - before - ms)).toBeLessThan(hour / 2)
  const { since = 0, backMs = 0 } = set()
  expect(Math.abs(since - before - ms)).toBeLessThan(hour / 2)
  expect(Math.round(backMs / hour)).toBe(Math.max(0, -ms / hour))
})
