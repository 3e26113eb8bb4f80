/** Where the lives of a request are cut: every moment that there is, and a sample in which each kind of them stands. */
import fc from 'fast-check'
import type { LifeName, Moment } from './crashLives.ts'

const around = (what: string): string[] =>
  ['before', 'after', 'committing done', 'committed'].map((moment) => `${moment} ${what}`)
const aroundPost = (post: string): string[] => [
  `before post ${post}`,
  `after post ${post}`,
  `committing posted ${post}`,
  `committed post ${post}`,
]
const aroundUpdate = (card: string): string[] => [
  `before update ${card}`,
  `after update ${card}`,
  `committed update ${card}`,
]
const every = (life: LifeName, moments: readonly string[], from?: 'pending'): Moment[] =>
  moments.map((at) => ({ life, at, ...(from && { from }) }))

/** Every effect before, after and before its commit; every kind of post and of turn; each kind of moment somewhere. */
export const sample: readonly Moment[] = [
  ...every('approve', [
    'committing asked',
    'after post status',
    'committing posted status',
    'committed post status',
    'before put',
    'after put',
    'committing done put',
    'committed put',
    'after post approval',
    'after update approval',
    'committing decided',
    'before approve',
    'after approve',
    'committing done approve',
    'before update status',
    'after post thread/0',
  ]),
  ...every('reject', [
    'committing decided',
    'before reject',
    'after reject',
    'committing done reject',
    'after delete',
  ]),
  ...every('cancel', ['committing cancelled', 'before delete', 'committing done delete']),
  ...every('portal', ['committing posted thread/0', 'before post owners/0']),
  ...every('unlink', ['committing unlinked', 'committed delete', 'after post thread/1']),
]
export const all: readonly Moment[] = [
  ...every('approve', [
    'committing asked',
    'committing observed',
    ...aroundPost('status'),
    'committing intended put',
    ...around('put'),
    ...aroundUpdate('status'),
    ...aroundPost('approval'),
    'committing decided',
    ...aroundUpdate('approval'),
    'committing intended approve',
    ...around('approve'),
    ...aroundPost('thread/0'),
    ...aroundPost('owners/0'),
  ]),
  // Armed once both cards stand: the same moment of an update.
  ...every('approve', ['committing posted status', 'committing posted approval'], 'pending'),
  ...every('reject', [
    'committing decided',
    'committing intended reject',
    ...around('reject'),
    'committing intended delete',
    ...around('delete'),
    ...aroundUpdate('approval'),
    ...aroundPost('thread/0'),
    ...aroundPost('owners/0'),
  ]),
  ...every('cancel', [
    ...aroundPost('status'),
    'committing cancelled',
    ...around('delete'),
    ...aroundUpdate('approval'),
    ...aroundPost('thread/0'),
    ...aroundPost('owners/0'),
  ]),
  ...every('portal', [
    ...aroundPost('approval'),
    ...aroundUpdate('approval'),
    ...aroundPost('thread/0'),
    ...aroundPost('owners/0'),
  ]),
  ...every('unlink', [
    'committing unlinked',
    ...around('delete'),
    ...aroundPost('thread/1'),
    ...aroundPost('owners/1'),
  ]),
]

/**
 * `count` lives of this seed. Every moment of `all` comes once before any comes again; most lives are cut a second time,
 * at any moment that the life after the first cut may come to.
 */
export function drawn(seed: number, count: number): readonly Moment[] {
  const points = [...new Set(all.map(({ at }) => at))]
  const rounds = Math.ceil(count / all.length)
  const shuffled = fc.shuffledSubarray([...all], { minLength: all.length })
  const seconds = fc.option(fc.constantFrom(...points), { freq: 3, nil: undefined })
  const firsts = fc.sample(shuffled, { seed, numRuns: rounds }).flat().slice(0, count)
  const agains = fc.sample(seconds, { seed, numRuns: count })
  return firsts.map((first, index) => {
    const again = agains[index]
    return again === undefined ? first : { ...first, again }
  })
}
