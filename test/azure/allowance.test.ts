/** Who yields when Azure lets little more be read, and in which order they come back. */
import { beforeEach, expect, test } from '@jest/globals'
import { type Allowance, createAllowance } from '../../src/azure/allowance.ts'

const [main, other] = [
  'AAAAAAAA-0000-4000-8000-000000000001',
  'aaaaaaaa-0000-4000-8000-000000000002',
] as const
let now: number
let allowance: Allowance
const hears = (subscription: string, remaining: number): void =>
  allowance.heard(`https://management.azure.com/subscriptions/${subscription}/x?y`, String(remaining))
beforeEach(() => {
  now = Date.UTC(2026, 10, 23, 12)
  allowance = createAllowance(() => now)
  hears(main, 0)
})
const turns = (count: number, subscriptions: readonly string[] = [main]): readonly number[] =>
  Array.from({ length: count }, () => allowance.turnMs(subscriptions))

test('each look has one turn, whether its SignalR and its vault share the subscription or not', () => {
  const [first = 0, second = 0] = turns(2)
  expect(first).toBeGreaterThan(allowance.holdMs(main))
  const step = second - first
  expect(turns(1, [main, main.toLowerCase()])).toEqual([second + step])
  expect(turns(1, [other, main])).toEqual([second + 2 * step])
  expect(turns(1)).toEqual([second + 3 * step])
  expect(turns(1, [other])).toEqual([0])
})

test('a look in two that are held has a turn in each, and waits for the later', () => {
  const [last = 0] = turns(10).slice(-1)
  hears(other, 0)
  const both = allowance.turnMs([other, main])
  expect(both).toBeGreaterThan(last)
  expect(allowance.turnMs([other])).toBeLessThan(last)
})

test('turns that have passed count no more; those that are to come do', () => {
  const [first = 0] = turns(1)
  const [last = 0] = turns(1_000).slice(-1)
  now += last / 2
  hears(main, 0)
  expect(allowance.turnMs([main])).toBeGreaterThan(last / 2)
  now += last
  hears(main, 0)
  expect(turns(1)).toEqual([first])
})
