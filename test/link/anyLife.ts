/** Any life that a link may have: how slow Azure is, and what happens when. */
import fc from 'fast-check'
import { type Delays, portalActs } from './azureModel.ts'
import { hour, minute, second } from './given.ts'
import { deliveries, faults, type Move, wishes } from './lives.ts'

export const anyDelays: fc.Arbitrary<Delays> = fc.record({
  shown: fc.constantFrom(0, 10 * second, 30 * second),
  made: fc.constantFrom(30 * second, 2 * minute),
  connected: fc.constantFrom(0, 30 * second),
  follows: fc.constantFrom(0, minute, 20 * minute),
  deleted: fc.constantFrom(0, minute, 20 * minute),
})

export const usually = <T>(value: T, ...rarely: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: fc.constantFrom(...rarely) })
const rights = usually<'held' | 'missing' | 'unreadable'>('held', 'missing', 'unreadable')
const work: fc.Arbitrary<Move> = fc.record({
  move: fc.constant('work'),
  fault: usually<(typeof faults)[number]>('none', ...faults),
  delivery: usually<(typeof deliveries)[number]>('posted', ...deliveries),
  right: rights,
})
const wait: fc.Arbitrary<Move> = fc.record({
  move: fc.constant('wait'),
  ms: fc.oneof(
    fc.constantFrom(second, 5 * second, 30 * second, minute),
    fc.nat({ max: 20 * minute }),
    fc.nat({ max: 3 * hour }),
  ),
})
const anyHiding: fc.Arbitrary<Move> = fc.record({
  move: fc.constant('hide'),
  link: fc.boolean(),
  vault: fc.boolean(),
  byPolicy: fc.boolean(),
})
export const anyMove: fc.Arbitrary<Move> = fc.oneof(
  { weight: 12, arbitrary: work },
  { weight: 5, arbitrary: wait },
  { weight: 1, arbitrary: fc.constantFrom<Move>({ move: 'beginLook' }, { move: 'endLook' }) },
  { weight: 2, arbitrary: fc.constantFrom(...portalActs.map((act): Move => ({ move: 'portal', act }))) },
  { weight: 1, arbitrary: anyHiding },
  { weight: 4, arbitrary: fc.record({ move: fc.constant('wish'), wish: usually(...wishes), right: rights }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('tag'), needs: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('again'), index: fc.nat({ max: 200 }) }) },
)
export const anyMoves = fc.array(anyMove, { maxLength: 80, size: 'max' })

/** So many moves of work, with the clock turned in between, that a link gets somewhere. */
export const worked = (rounds: number): readonly Move[] =>
  Array.from({ length: rounds }, (_none, round) =>
    round % 3 === 2
      ? { move: 'wait', ms: 20 * second }
      : { move: 'work', fault: 'none', delivery: 'posted', right: 'held' },
  )
