import { describe, expect, test } from '@jest/globals'
import { fold, foldAll } from '../../src/link/fold.ts'
import type { Fact, Link } from '../../src/link/link.ts'
import { type Origin, originOf, personIn, wordsIn } from '../../src/link/origin.ts'
import { everyOther } from './facts.ts'
import {
  asked,
  type at,
  connection,
  facts,
  general,
  histories,
  looked,
  minute,
  noon,
  onVault,
  own,
  request,
  statuses,
  timed,
} from './given.ts'

const originsIn = (log: readonly Fact[]): readonly Origin[] => {
  const [first, ...rest] = log
  if (!first) return []
  let before = foldAll([first])
  const origins = [originOf(first, undefined, before)]
  for (const fact of rest) {
    const after: Link | undefined = before && fold(before, fact)
    origins.push(originOf(fact, before, after))
    before = after
  }
  return origins
}

describe('a fact comes from', () => {
  test('the conversation in which it was said; without one in old facts', () => {
    const decided: Fact = { fact: 'decided', at: noon, verdict: 'approve', by: 'owner' }
    expect(originOf(decided, undefined, undefined)).toEqual({ is: 'person' })
    expect(originOf({ ...decided, from: '19:owners' }, undefined, undefined)).toEqual({
      is: 'person',
      conversation: '19:owners',
    })
    // What was asked names its thread by itself.
    expect(originOf(request, undefined, undefined)).toEqual({
      is: 'person',
      conversation: general.conversation,
    })
  })

  test('Azure, but from the portal where Azure shows a decision that is not ours', () => {
    const approved = looked({ own: own(), connections: onVault(connection('Approved')) })
    const origins = (...steps: Parameters<typeof at>[1][]) =>
      originsIn(facts(...histories.Pending, ...steps)).slice(-steps.length)
    expect(origins(looked({ own: own(), connections: onVault(connection()) }), approved)).toEqual([
      { is: 'azure' },
      { is: 'portal' },
    ])
    expect(origins({ fact: 'decided', verdict: 'approve', by: 'owner' }, approved)).toEqual([
      { is: 'person' },
      { is: 'azure' },
    ])
    // The same decision, seen once more, is no second one.
    const functional = looked({
      own: own({ status: 'Approved' }),
      connections: onVault(connection('Approved')),
    })
    expect(origins(approved, functional)).toEqual([{ is: 'portal' }, { is: 'azure' }])
  })

  test('somebody, whenever it names somebody, and from nobody else', () => {
    const all = [
      ...statuses.flatMap((status) => facts(...histories[status])),
      ...everyOther.map((step) => timed(step, noon + minute)),
    ]
    expect(all.length).toBeGreaterThan(100)
    for (const fact of all) {
      const names = /"by":/.test(JSON.stringify(fact))
      expect([fact.fact, personIn(fact) !== undefined]).toEqual([fact.fact, names])
      expect(originOf(fact, undefined, undefined).is === 'person').toBe(names)
    }
  })
})

test('words are the reason of a request and of a decision', () => {
  expect(wordsIn(request)).toBe(asked.reason)
  expect(wordsIn({ fact: 'decided', at: noon, verdict: 'reject', by: 'owner', reason: 'no' })).toBe('no')
  expect(wordsIn({ fact: 'cancelled', at: noon, by: 'owner' })).toBeUndefined()
})
