/** Two pairs of eyes: how many different people have to approve, and whose approvals count. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { approversNeeded, approversTag } from '../../src/link/approvals.ts'
import { decide } from '../../src/link/decide.ts'
import { begin, fold } from '../../src/link/fold.ts'
import type { Link, Millis, Right, Wish } from '../../src/link/link.ts'
import { next } from '../../src/link/next.ts'
import { views } from '../../src/link/views.ts'
import {
  absent,
  around,
  asked,
  at,
  cardThread,
  connection,
  hidden,
  imitation,
  intended,
  lacksRead,
  limits,
  looked,
  minute,
  noon,
  onVault,
  own,
  posted,
  rejectedBy,
  type Step,
  second,
  timed,
} from './given.ts'

const held: Right = { is: 'held' }
const missing: Right = { is: 'missing', actions: ['write'] }
const unreadable: Right = { is: 'unreadable' }

/** A link whose owners are asked, for a vault that was tagged when it was asked for. */
const forTwo = (...then: readonly Step[]): Link => {
  const pending = at('Pending')
  const tagged = fold({ ...pending, needs: 2, schema: 2 }, timed(posted('approval'), pending.moved))
  return then.reduce((link, step) => fold(link, timed(step, link.moved + minute)), tagged)
}
const endorsedBy = (by: string): Step => ({ fact: 'endorsed', by, needs: 2 })

type Approve = Wish & { wish: 'approve' }
const approve = (by: string, change: Partial<Approve> = {}): Approve => ({
  wish: 'approve',
  by,
  right: held,
  connections: onVault(connection()),
  conversation: cardThread,
  needs: { is: 'present', value: 2 },
  others: [],
  freshSince: 0,
  ...change,
})
/** The record after a press; the refusal, when it was refused. */
function press(link: Link, wish: Wish, now: Millis = link.moved + second): { link: Link; answer: string } {
  const decided = decide(link, wish, now)
  return decided.is === 'refused'
    ? { link, answer: decided.refusal.refusal }
    : { link: fold(link, decided.fact), answer: decided.fact.fact }
}

describe('the tag', () => {
  test.each([
    [{}, 1],
    [{ team: '2' }, 1],
    [{ [approversTag]: '1' }, 1],
    [{ [approversTag]: '2' }, 2],
    [{ [approversTag]: ' 3 ' }, 3],
    [{ 'VaultLink-Approvers': '2' }, 2],
    // What was meant cannot be known: at least not less than two.
    [{ [approversTag]: 'two' }, 2],
    [{ [approversTag]: '' }, 2],
    [{ [approversTag]: '0' }, 2],
    [{ [approversTag]: '-1' }, 2],
    [{ [approversTag]: '1e0' }, 2],
  ])('%j asks for %i', (tags, expected) => {
    expect(approversNeeded(tags)).toBe(expected)
  })

  test('of any kind asks for one at least', () => {
    fc.assert(fc.property(fc.string(), (value) => approversNeeded({ [approversTag]: value }) >= 1))
  })
})

describe('two have to approve', () => {
  test('the first approval waits for another, the second decides, and the record names both', () => {
    const first = press(forTwo(), approve('owner'))
    expect(first).toMatchObject({
      answer: 'endorsed',
      link: { stage: { status: 'Pending' }, endorsements: [{ by: 'owner' }] },
    })
    expect(next(first.link, around(first.link.moved, first.link.seen?.at)).azure?.step).not.toBe('approve')
    const second = press(first.link, approve('another'))
    expect(second).toMatchObject({
      answer: 'decided',
      link: { stage: { status: 'Approving' }, decision: { by: 'another', with: [{ by: 'owner' }] } },
    })
    expect(second.link.endorsements).toBeUndefined()
  })

  test('nobody counts twice, and who asked does not count', () => {
    const first = forTwo(endorsedBy('owner'))
    expect(decide(first, approve('owner'), first.moved + 1)).toEqual({
      is: 'refused',
      refusal: { refusal: 'alreadyEndorsed', missing: 1 },
    })
    for (const link of [forTwo(), first]) expect(press(link, approve('requester')).answer).toBe('ownRequest')
  })

  test('the second is held to all that the first was', () => {
    const first = forTwo(endorsedBy('owner'))
    for (const [change, refusal] of [
      [{ right: missing }, 'lacksRight'],
      [{ right: unreadable }, 'rightUnreadable'],
      [{ connections: onVault(connection(), imitation()) }, 'connection'],
      [{ conversation: 'elsewhere' }, 'wrongPlace'],
    ] as const)
      expect(press(first, approve('another', change)).answer).toBe(refusal)
  })

  test.each(['owner', 'another'])('each may reject, who approved first too: %s', (by) => {
    const first = forTwo(endorsedBy('owner'))
    const wish: Wish = { wish: 'reject', by, right: held, conversation: cardThread }
    expect(press(first, wish).link).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected', by },
      decision: { verdict: 'reject', by },
    })
    expect(forTwo(endorsedBy('owner'), rejectedBy(by)).decision).not.toHaveProperty('with')
  })

  test('in between it runs out, is taken back, and is decided in the portal as ever', () => {
    const onPortal = looked({ own: own(), connections: onVault(connection('Approved')) })
    for (const [step, stage] of [
      [
        { fact: 'passed', what: 'expiry' },
        { status: 'Removing', outcome: 'Expired' },
      ],
      [
        { fact: 'cancelled', by: 'requester' },
        { status: 'Removing', outcome: 'Cancelled' },
      ],
      [onPortal, { status: 'Propagating' }],
    ] as const)
      expect(forTwo(endorsedBy('owner'), step).stage).toMatchObject(stage)
    expect(forTwo(endorsedBy('owner'), onPortal).decision).toMatchObject({ where: 'portal' })
    const late = forTwo(endorsedBy('owner'))
    expect(press(late, approve('another'), asked.expiresAt).answer).toBe('expired')
  })
})

describe('the tag at the click', () => {
  const needs = (value: number) => ({ needs: { is: 'present', value } }) as const

  test('taken away meanwhile it lowers nothing', () => {
    expect(press(forTwo(), approve('owner', needs(1))).answer).toBe('endorsed')
    expect(press(forTwo(endorsedBy('owner')), approve('another', needs(1))).answer).toBe('decided')
  })

  test('added meanwhile it raises, and stays raised', () => {
    const first = press(at('Pending'), approve('owner', needs(2)))
    expect(first).toMatchObject({ answer: 'endorsed', link: { needs: 2 } })
    expect(press(first.link, approve('owner', needs(1))).answer).toBe('alreadyEndorsed')
    const more = press(first.link, approve('another', needs(3)))
    expect(more).toMatchObject({ answer: 'endorsed', link: { needs: 3 } })
    expect(press(more.link, approve('third', needs(1))).link.decision?.with).toHaveLength(2)
  })

  test('that cannot be read approves nothing', () => {
    for (const [seen, cause] of [
      [hidden, lacksRead],
      [absent, { cause: 'vaultGone' }],
    ] as const)
      expect(decide(at('Pending'), approve('owner', { needs: seen }), asked.at + minute)).toEqual({
        is: 'refused',
        refusal: { refusal: 'connection', cause },
      })
  })

  test('a record that waits for several is for versions that know of it', () => {
    const tagged = begin({ fact: 'asked', at: noon, id: 'link-1', asked: { ...asked, approvers: 2 } })
    expect(tagged).toMatchObject({ schema: 2, needs: 2 })
    expect(at('Pending').schema).toBe(1)
    expect(press(at('Pending'), approve('owner', needs(2))).link.schema).toBe(2)
  })
})

describe('the right of whoever approved first', () => {
  const first = forTwo(endorsedBy('owner'))
  const later = first.moved + 20 * minute
  const freshSince = later - limits.freshDecisionMs
  const presses = (right: Right | undefined) =>
    press(first, approve('another', { freshSince, others: right ? [{ by: 'owner', right }] : [] }), later)

  test('is not read again while it is fresh', () => {
    expect(press(first, approve('another', { freshSince: first.moved })).answer).toBe('decided')
  })

  test('held: both count, as of now', () => {
    expect(presses(held).link.decision).toMatchObject({
      by: 'another',
      with: [{ by: 'owner', checkedAt: later }],
    })
  })

  test('lost: it counts no more, and the second is now the first', () => {
    const { answer, link } = presses(missing)
    expect(answer).toBe('endorsed')
    expect(link.endorsements?.map(({ by }) => by)).toEqual(['another'])
    expect(press(link, approve('owner', { freshSince })).answer).toBe('decided')
  })

  test.each([
    ['that cannot be read', unreadable],
    ['that nobody read', undefined],
  ])('%s: nothing is recorded', (_what, right) => {
    expect(presses(right).answer).toBe('otherUnreadable')
  })

  describe('when the decision has grown old before it is applied', () => {
    const decided = press(first, approve('another')).link
    const look = looked({ own: own(), connections: onVault(connection()) })
    const old = fold(decided, timed(look, decided.moved + 16 * minute))
    const stepOf = (link: Link) => next(link, around(link.moved, link.seen?.at)).azure
    const recheck = (link: Link, by: string, right: Right['is']) =>
      fold(link, timed({ fact: 'rechecked', right, by }, link.moved + 1))

    test('both are read again before anything is sent', () => {
      expect(stepOf(old)).toEqual({ step: 'recheck', by: 'another' })
      const half = recheck(old, 'another', 'held')
      expect(stepOf(half)).toEqual({ step: 'recheck', by: 'owner' })
      expect(stepOf(recheck(half, 'owner', 'held'))).toMatchObject({ step: 'approve' })
    })

    test.each([
      ['owner', 'another'],
      ['another', 'owner'],
    ])('who lost it (%s) is asked again, and the approval of the other stands', (by, other) => {
      for (const right of ['missing', 'unreadable'] as const) {
        const link = recheck(old, by, right)
        expect(link).toMatchObject({
          stage: { status: 'Pending' },
          endorsements: [{ by: other }],
          news: [{ news: 'askAgain', by }],
        })
        expect(link.decision).toBeUndefined()
      }
    })

    test('of somebody who approved nothing says nothing', () => {
      expect(recheck(old, 'stranger', 'missing')).toBe(old)
    })
  })
})

describe('what is shown', () => {
  const cards = (link: Link) => {
    const all = views(link, limits).map(({ view }) => view)
    return {
      status: all.find(({ view }) => view === 'status'),
      approval: all.find(({ view }) => view === 'approval'),
    }
  }

  test('both cards say who approved and how many more have to; a vault without the tag has nothing new', () => {
    for (const [link, approvals] of [
      [forTwo(), { by: [], missing: 2 }],
      [forTwo(endorsedBy('owner')), { by: ['owner'], missing: 1 }],
      [at('Pending'), undefined],
    ] as const) {
      const { status, approval } = cards(link)
      expect(status).toHaveProperty('waits.for', 'owner')
      for (const shown of [
        status?.view === 'status' && status.waits?.for === 'owner' && status.waits.approvals,
        approval?.view === 'approval' && approval.phase.is === 'open' && approval.phase.approvals,
      ])
        expect(shown).toEqual(approvals)
    }
  })

  test('nothing is done to Azure for a first approval', () => {
    const link = forTwo(endorsedBy('owner'), intended('put'))
    expect(link.stage.status).toBe('Pending')
  })
})
