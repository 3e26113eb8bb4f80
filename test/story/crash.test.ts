/**
 * The bot is killed by SIGKILL at each named moment of a request's life, started again on the same store, and lives on
 * to the end. Nothing is done twice in Azure; a card or a reply stands twice only when the kill fell between Teams'
 * answer and the commit.
 */
import { afterAll, describe, expect, test } from '@jest/globals'
import { endings, type LifeName, type Lived, live, type Moment, twiceAt } from './crashLives.ts'

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
const sample: readonly Moment[] = [
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
const all: readonly Moment[] = [
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
const moments = process.env.VAULTLINK_FIGURES === '1' ? all : sample

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

const named = moments.map((moment, index) => ({ ...moment, index, since: moment.from ? ' (an update)' : '' }))

describe('killed', () => {
  test.each(named)('in the life "$life": $at$since', async ({ index, ...moment }) => {
    const mine = lifeOf(index)
    void lifeOf(index + 1)
    if (!mine) throw new Error('There is no such life')
    const lived = await mine
    const ending = endings[moment.life]
    const { died, store } = lived

    expect(died).toMatchObject({ signal: 'SIGKILL', lastLine: { event: 'crash', moment: moment.at } })
    // Whatever was committed by then is whole.
    expect({ verified: died.store.verified, link: died.store.folded }).toEqual({
      verified: true,
      link: died.store.link,
    })

    expect(lived.effects).toEqual(ending.effects)
    expect(lived.writes).toEqual(ending.writes)
    const stands = ending.status === 'Approved'
    expect(lived.links).toEqual(stands ? ['Succeeded Approved'] : [])
    expect(lived.connections).toEqual(stands ? ['Approved'] : [])

    // Other places are told at the same time, so theirs may be lost by the same kill, but nowhere twice.
    const twice = twiceAt(moment)
    if (twice) expect(died.unrecorded).toHaveProperty([twice], 1)
    for (const [post, times] of Object.entries(lived.posts)) {
      expect([post, times]).toEqual([
        post,
        1 + (Object.entries(died.unrecorded).find(([lost]) => lost === post)?.[1] ?? 0),
      ])
      expect([post, new Set(store.posted[post]).size]).toEqual([post, 1])
    }
    // The card that nobody had written down is pressed once, and from then on is like the other.
    if (twice === 'approval' || twice === 'status') {
      expect(lived.older?.shows).toBe(lived.cards[twice])
      expect(lived.older?.shows).not.toMatch(/\[(Approve…|Cancel request)\]/)
    }
    const late = lived.older?.said
    if (late !== undefined)
      expect(late).toMatch(
        twice === 'approval'
          ? /^Approved already (by Noor Haddad|in the Azure portal)/
          : /reaches contoso-kv privately already|has ended/,
      )

    expect(store).toMatchObject({
      links: 1,
      verified: true,
      left: [],
      link: { stage: { status: ending.status } },
    })
    expect(store.folded).toEqual(store.link)
    expect(lived.left).toEqual({ code: 0 })
    expect(lived.errors).toEqual([])
  })
})
