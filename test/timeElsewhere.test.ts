/** The time that several instances share: the database's, whatever somebody does to the machine's own. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { timeElsewhere } from '../src/clock.ts'

const hour = 3_600_000
beforeEach(() => {
  jest.useFakeTimers({ now: 1_000 * hour })
})
afterEach(() => {
  jest.useRealTimers()
})

test('it goes on by itself between two readings, is set by each, and the machine’s clock has no part in it', async () => {
  let elsewhere = 500 * hour
  const logged: string[] = []
  const time = await timeElsewhere(
    async () => {
      if (elsewhere < 0) throw new Error('away')
      return elsewhere
    },
    (_level, event) => void logged.push(event),
  )
  expect(time.now()).toBe(500 * hour)
  jest.setSystemTime(2_000 * hour)
  expect(time.now()).toBe(500 * hour)
  await jest.advanceTimersByTimeAsync(9_000)
  expect(time.now()).toBe(500 * hour + 9_000)
  elsewhere = 600 * hour
  await jest.advanceTimersByTimeAsync(1_000)
  expect(time.now()).toBe(600 * hour)
  // While it cannot be read it goes on.
  elsewhere = -1
  await jest.advanceTimersByTimeAsync(60_000)
  expect(time.now()).toBe(600 * hour + 60_000)
  expect(logged).toContain('clock.unread')
  time.stop()
})
