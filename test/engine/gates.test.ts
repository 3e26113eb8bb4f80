/** Whose write is under way, by clocks that may be apart or be set. */
import { expect, test } from '@jest/globals'
import { gateKey, isShut, longestGateMs, settledGates } from '../../src/engine/gates.ts'
import type { Link } from '../../src/link/link.ts'
import {
  absent,
  at,
  byFirewall,
  connection,
  done,
  intended,
  limits,
  looked,
  minute,
  noon,
  onVault,
  own,
  type Step,
} from '../link/given.ts'

const now = Date.UTC(2026, 10, 23, 12)

test.each([
  ["another's, just shut", 'other', now + longestGateMs, true],
  ['by an instance whose clock is ahead by a minute', 'other', now + longestGateMs + minute, true],
  ['before the clock was set back by an hour', 'other', now + longestGateMs + 60 * minute, false],
  ['that has run out', 'other', now, false],
  ['our own', 'ours', now + minute, false],
])('a gate of %s', (_what, holder, until, shut) => {
  expect(isShut({ key: 'vault', holder, until }, 'ours', now)).toBe(shut)
})

const { settleMs } = limits
const unavailable = { cause: 'unavailable', code: 'Deadline' } as const
const conflict = { cause: 'conflict', code: 'Conflict' } as const
const failed = (effect: 'put' | 'approve', cause: typeof unavailable | typeof conflict): Step => ({
  fact: 'failed',
  effect,
  cause,
  notBefore: noon,
})
const made = looked({ own: own(), connections: onVault(connection()) })
const notMade = looked({})

/** Whether the gate of the last attempt is opened by a look that began so long after its outcome and shows what the record says. */
function opens(link: Link, afterMs: number): boolean {
  const { attempt } = link
  if (!attempt) throw new Error('Nothing was written')
  const key = gateKey(link, attempt.effect)
  const since = attempt.outcome.is === 'underWay' ? attempt.at : attempt.outcome.at
  const held = [{ key, holder: link.id, until: since + longestGateMs }]
  return settledGates(link, held, { lookedAt: since + afterMs, settleMs }).includes(key)
}

test.each<[string, Link, boolean, boolean]>([
  [
    'a PUT that is not shown yet',
    at('Requested', notMade, intended('put'), done('put'), notMade),
    false,
    true,
  ],
  [
    'a PUT whose answer was lost',
    at('Requested', notMade, intended('put'), failed('put', unavailable), notMade),
    false,
    true,
  ],
  ['a PUT under way', at('Requested', notMade, intended('put'), notMade), false, true],
  [
    'a PUT that was refused',
    at('Requested', notMade, intended('put'), failed('put', conflict), notMade),
    true,
    true,
  ],
  ['a PUT that is shown', at('Requested', notMade, intended('put'), done('put'), made), true, true],
  [
    'a PUT that is being carried out',
    at(
      'Requested',
      notMade,
      intended('put'),
      done('put'),
      looked({ own: own({ provisioningState: 'Creating' }) }),
    ),
    false,
    false,
  ],
  [
    'an approval that is not shown yet',
    at('Approving', made, intended('approve'), done('approve'), made),
    false,
    true,
  ],
  [
    'an approval whose answer was lost',
    at('Approving', made, intended('approve'), failed('approve', unavailable), made),
    false,
    true,
  ],
  ['an approval that is shown', at('Propagating'), true, true],
  [
    'an approval that is being carried out',
    at(
      'Approving',
      made,
      intended('approve'),
      done('approve'),
      looked({ own: own(), connections: onVault(connection('Approved', { provisioningState: 'Updating' })) }),
    ),
    false,
    false,
  ],
  [
    'a DELETE that is not shown yet',
    at('Removing', made, intended('delete'), done('delete'), made),
    false,
    true,
  ],
  [
    'a DELETE that is shown',
    at('Removing', made, intended('delete'), done('delete'), looked({ own: absent })),
    true,
    true,
  ],
  [
    'a link that nobody may see',
    at('Removing', made, intended('delete'), done('delete'), looked({ own: byFirewall })),
    false,
    false,
  ],
])('the gate of %s', (_what, link, atOnce, inTime) => {
  expect([opens(link, 0), opens(link, settleMs - 1), opens(link, settleMs)]).toEqual([atOnce, atOnce, inTime])
})
