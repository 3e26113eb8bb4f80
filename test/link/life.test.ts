import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { foldAll } from '../../src/link/fold.ts'
import type { ApproveAs } from '../../src/link/link.ts'
import { isEnded } from '../../src/link/views.ts'
import { anyDelays, anyMove, anyMoves, usually, worked } from './anyLife.ts'
import type { Delays } from './azureModel.ts'
import { day, hour, minute, second } from './given.ts'
import { createLife, faults, type Life, type Move } from './lives.ts'

/** `npm run figures` plays more of them. */
const many = process.env.VAULTLINK_FIGURES === '1' ? 20 : 1

const lived = (of: Delays, script: readonly Move[], approveAs: ApproveAs = 'bot', approvers = 1): Life => {
  const life = createLife(of, approveAs, approvers)
  for (const move of script) life.play(move)
  return life
}
const quick: Delays = {
  shown: 0,
  made: minute,
  connected: 10 * second,
  follows: minute,
  deleted: 10 * second,
}
/** Goes on until nothing is left to do, and holds the end to what must be true of every life. */
function keepsTheLaws(life: Life, mostRounds = 600): void {
  const rested = life.rest(mostRounds)
  const { stage } = life.link()
  expect(life.broken).toEqual([])
  expect({ rested: rested !== undefined, stage }).toEqual({ rested: true, stage })
  expect(life.azure.approvals()).toBeLessThanOrEqual(1)
  if (isEnded(stage.status)) expect({ stage, left: life.azure.holds() }).toEqual({ stage, left: false })
}
const owner = { move: 'wish', wish: 'approve', right: 'held' } as const satisfies Move

describe('a whole life', () => {
  test('asked, made, approved by an owner, Approved', () => {
    const life = lived(quick, [...worked(40), owner])
    expect(life.rest(300)).toBeDefined()
    expect(life.link()).toMatchObject({
      stage: { status: 'Approved' },
      decision: { by: 'owner', where: 'card' },
    })
    expect(life.azure.approvals()).toBe(1)
    expect(life.broken).toEqual([])
  })

  test('where two have to approve, one is not enough, and the same one twice is one', () => {
    const alone = lived(quick, [...worked(40), owner, owner], 'bot', 2)
    expect(alone.link()).toMatchObject({ stage: { status: 'Pending' }, endorsements: [{ by: 'owner' }] })
    expect(alone.rest(400)).toBeDefined()
    expect(alone.link().stage.status).toBe('Expired')
    expect(alone.azure.approvals()).toBe(0)
    const both = lived(quick, [...worked(40), owner, { ...owner, wish: 'approveToo' }], 'bot', 2)
    expect(both.rest(300)).toBeDefined()
    expect(both.link()).toMatchObject({
      stage: { status: 'Approved' },
      decision: { by: 'another', with: [{ by: 'owner' }] },
    })
    expect([...alone.broken, ...both.broken]).toEqual([])
  })

  test('nobody decides: it runs out, and nothing is left', () => {
    const life = lived(quick, worked(40))
    expect(life.rest(300)).toBeDefined()
    expect(life.link().stage.status).toBe('Expired')
    expect(life.azure.holds()).toBe(false)
  })

  test('whatever fails, whoever acts: the laws hold, it comes to rest, and nothing of ours is left behind', () => {
    fc.assert(
      fc.property(
        anyDelays,
        fc.nat({ max: 40 }),
        anyMoves,
        fc.constantFrom(1, 2),
        (of, rounds, script, approvers) =>
          keepsTheLaws(lived(of, [...worked(rounds), ...script], 'bot', approvers)),
      ),
      { numRuns: 600 * many },
    )
  })

  test('an approval that fails in every way takes effect at most once, and owners who reject are not overruled', () => {
    const rough: fc.Arbitrary<Move> = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .constantFrom(...faults)
          .map((fault): Move => ({ move: 'work', fault, delivery: 'posted', right: 'held' })),
      },
      {
        weight: 2,
        arbitrary: fc
          .constantFrom(second, 5 * second, 30 * second, minute)
          .map((ms): Move => ({ move: 'wait', ms })),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Move>(
          { move: 'beginLook' },
          { move: 'endLook' },
          { move: 'portal', act: 'reject' },
          { move: 'wish', wish: 'retry', right: 'held' },
        ),
      },
    )
    fc.assert(
      fc.property(fc.array(rough, { maxLength: 60, size: 'max' }), (script) => {
        const life = lived(quick, [...worked(40), owner, ...script])
        expect(life.rest(600)).toBeDefined()
        expect(life.broken).toEqual([])
        expect(life.azure.approvals()).toBeLessThanOrEqual(1)
      }),
      { numRuns: 150 * many },
    )
  })

  test('between the decision and the approval: what a look no longer shows as it was asked about is not approved', () => {
    const between: fc.Arbitrary<Move> = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...worked(2)) },
      { weight: 1, arbitrary: fc.constantFrom(second, 5 * second).map((ms): Move => ({ move: 'wait', ms })) },
      {
        weight: 3,
        arbitrary: fc.constantFrom<Move>(
          { move: 'portal', act: 'imitate' },
          { move: 'portal', act: 'deleteLink' },
          { move: 'hide', link: true, vault: false, byPolicy: true },
          { move: 'hide', link: false, vault: false },
        ),
      },
    )
    fc.assert(
      fc.property(fc.array(between, { maxLength: 20 }), (script) =>
        keepsTheLaws(lived({ ...quick, deleted: 20 * minute }, [...worked(40), owner, ...script])),
      ),
      { numRuns: 200 * many },
    )
  })

  test('where owners send it themselves: whatever fails, the same laws hold, and the bot sends no decision', () => {
    const sends: fc.Arbitrary<Move> = fc.record({
      move: fc.constant('send'),
      verdict: usually<'approve' | 'reject'>('approve', 'reject'),
      fault: usually<(typeof faults)[number]>('none', ...faults),
      by: fc.constantFrom('owner', 'another'),
      right: usually<'held' | 'missing' | 'unreadable'>('held', 'missing', 'unreadable'),
    })
    const script = fc.array(fc.oneof({ weight: 5, arbitrary: anyMove }, { weight: 2, arbitrary: sends }), {
      maxLength: 80,
      size: 'max',
    })
    fc.assert(
      fc.property(
        anyDelays,
        fc.nat({ max: 40 }),
        script,
        fc.constantFrom(1, 2),
        (of, rounds, played, approvers) =>
          keepsTheLaws(lived(of, [...worked(rounds), ...played], 'approver', approvers)),
      ),
      { numRuns: 400 * many },
    )
  })

  test('the clock is set, forth and back by an hour or a day, at any moment: the same laws hold, and it ends in time', () => {
    const set: fc.Arbitrary<Move> = fc
      .constantFrom(hour, -hour, day, -day)
      .map((ms): Move => ({ move: 'set', ms }))
    const script = fc.array(fc.oneof({ weight: 8, arbitrary: anyMove }, { weight: 1, arbitrary: set }), {
      maxLength: 80,
      size: 'max',
    })
    fc.assert(
      fc.property(
        anyDelays,
        fc.nat({ max: 40 }),
        script,
        fc.constantFrom<ApproveAs>('bot', 'approver'),
        (of, rounds, played, approveAs) => {
          // Set back by days, a request lasts for as many more, and is looked at every five minutes.
          keepsTheLaws(lived(of, [...worked(rounds), ...played], approveAs), 10_000)
        },
      ),
      { numRuns: 200 * many },
    )
  })

  test.each([
    ['before it is asked for', 0],
    ['while it is made', 6],
    ['while the owners have it', 40],
  ])('the clock is set back by a day %s: nothing waits for that day', (_when, rounds) => {
    const life = lived(quick, [...worked(rounds), { move: 'set', ms: -day }])
    const begun = life.now()
    for (const move of [...worked(60), owner, ...worked(60)]) life.play(move)
    expect(life.link().stage.status).toBe('Approved')
    expect(life.now() - begun).toBeLessThan(hour)
    expect(life.azure.approvals()).toBe(1)
    expect(life.broken).toEqual([])
  })

  test('the clock is set forth while an approval is on its way: it is not sent again before it can have arrived', () => {
    const late: Move = { move: 'work', fault: 'killedAndLate', delivery: 'posted', right: 'held' }
    const life = lived(quick, [...worked(40), owner, late, late])
    const works: Move = { move: 'work', fault: 'none', delivery: 'posted', right: 'held' }
    for (const move of [{ move: 'set', ms: hour } as const, ...Array(8).fill(works)]) life.play(move)
    // The link, and the approval.
    expect(life.log.filter(({ fact }) => fact === 'intended')).toHaveLength(2)
    expect(life.rest(300)).toBeDefined()
    expect(life.azure.approvals()).toBe(1)
    expect(life.broken).toEqual([])
  })

  test('the clock is set past the end of a request that was just sent to Azure: what is made all the same is removed', () => {
    const works: Move = { move: 'work', fault: 'none', delivery: 'posted', right: 'held' }
    const life = lived({ ...quick, shown: 30 * second }, [works, works, works])
    expect(life.link().stage.status).toBe('Provisioning')
    life.play({ move: 'set', ms: day })
    expect(life.rest(600)).toBeDefined()
    expect(life.link().stage.status).toBe('Expired')
    expect(life.azure.holds()).toBe(false)
  })

  test.each([
    ['cut off by a kill', 'killedAndLate', 0, 19.5],
    ['its answer lost', 'lostAndLate', 2, 8],
  ] as const)(
    'an approval %s arrives late, and an owner rejects after it: nothing overrules that',
    (_what, fault, pause, arrives) => {
      const working: Move = { move: 'work', fault, delivery: 'posted', right: 'held' }
      const life = lived(quick, [
        ...worked(40),
        owner,
        working,
        working,
        { move: 'wait', ms: pause * second },
        working,
        working,
        { move: 'wait', ms: arrives * second },
        { move: 'portal', act: 'reject' },
      ])
      expect(life.azure.approvals()).toBe(1)
      expect(life.rest(600)).toBeDefined()
      expect(life.azure.approvals()).toBe(1)
      expect(life.link()).toMatchObject({ stage: { status: 'Rejected' }, decision: { where: 'portal' } })
      expect(life.broken).toEqual([])
    },
  )

  test('the log folded gives the row, after a journey through JSON as well', () => {
    fc.assert(
      fc.property(anyDelays, anyMoves, fc.constantFrom(1, 2), (of, script, approvers) => {
        const life = lived(of, [...worked(20), ...script], 'bot', approvers)
        expect(foldAll(JSON.parse(JSON.stringify(life.log)))).toEqual(JSON.parse(JSON.stringify(life.link())))
      }),
      { numRuns: 100 * many },
    )
  })
})
