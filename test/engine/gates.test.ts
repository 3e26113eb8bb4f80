/** Whose write is under way, by clocks that may be apart or be set. */
import { expect, test } from '@jest/globals'
import { isShut, longestGateMs } from '../../src/engine/gates.ts'

const now = Date.UTC(2026, 10, 23, 12)
const minute = 60_000

test.each([
  ["another's, just shut", 'other', now + longestGateMs, true],
  ['by an instance whose clock is ahead by a minute', 'other', now + longestGateMs + minute, true],
  ['before the clock was set back by an hour', 'other', now + longestGateMs + 60 * minute, false],
  ['that has run out', 'other', now, false],
  ['our own', 'ours', now + minute, false],
])('a gate of %s', (_what, holder, until, shut) => {
  expect(isShut({ key: 'vault', holder, until }, 'ours', now)).toBe(shut)
})
