/**
 * The bot is killed by SIGKILL at each named moment of a request's life, started again on the same store, and lives on
 * to the end; then twice in a life, at moments drawn by a seed. What must hold is in `crashLaws.ts`.
 */
import { afterAll, describe, expect, test } from '@jest/globals'
import { flawsOf } from './crashLaws.ts'
import { type Lived, live, type Moment } from './crashLives.ts'
import { all, drawn, sample } from './crashPoints.ts'

const cut = process.env.VAULTLINK_FIGURES === '1' ? all : sample
/** `npm run test:crash` lives many more of these. */
const seed = 1
const moments: readonly Moment[] = [...cut, ...drawn(seed, 6)]

/** Each life mostly waits, so the next one is lived beside it. */
const lives = new Map<number, Promise<Lived>>()
function lifeOf(index: number): Promise<Lived> | undefined {
  const moment = moments[index]
  const begun = lives.get(index)
  if (begun || !moment) return begun
  const life = live(moment)
  // Heard by its own test; until then a failure must not end the run.
  life.catch(() => undefined)
  lives.set(index, life)
  return life
}
afterAll(() => Promise.allSettled(lives.values()))

const named = moments.map((moment, index) => ({
  ...moment,
  index,
  since: [moment.from ? ' (an update)' : '', moment.again ? `, and again ${moment.again}` : ''].join(''),
}))

describe('killed', () => {
  test.each(named)('in the life "$life": $at$since', async ({ index, since: _, ...moment }) => {
    const mine = lifeOf(index)
    void lifeOf(index + 1)
    if (!mine) throw new Error('There is no such life')
    expect(flawsOf(moment, await mine)).toEqual([])
  })
})
