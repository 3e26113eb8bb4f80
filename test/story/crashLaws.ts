/**
 * What holds of a life in which the bot was killed, however often: it ended as if nothing had been, nothing was done
 * twice in Azure, and a card or a reply stands twice only when a kill fell between Teams' answer and the commit.
 */
import { isDeepStrictEqual } from 'node:util'
import { endings, type Lived, type Moment, twiceAt } from './crashLives.ts'

/** Lost requests, doubled effects and wrong ends are what the figures count; the rest is what could become one of them. */
export type Flaw = { readonly kind: 'lost' | 'twice' | 'wrongEnd' | 'other'; readonly what: string }

export function flawsOf(moment: Moment, lived: Lived): readonly Flaw[] {
  const ending = endings[moment.life]
  const { deaths, store } = lived
  const flaws: Flaw[] = []
  const same = (kind: Flaw['kind'], what: string, is: unknown, should: unknown): void => {
    if (!isDeepStrictEqual(is, should))
      flaws.push({ kind, what: `${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(should)}` })
  }

  const [first] = deaths
  same('other', 'it died of its first moment', first?.lastLine?.moment, moment.at)
  for (const death of deaths) {
    same('other', 'it was killed', death.signal, 'SIGKILL')
    same('other', 'its last line', death.lastLine?.event, 'crash')
    // Whatever was committed by then is whole.
    same('other', 'the log as the dead left it is whole', death.store.verified, true)
    same('other', 'the record as the dead left it', death.store.link, death.store.folded)
  }

  same('lost', 'links', store.links, 1)
  same('lost', 'left to do', store.left, [])
  same(
    lived.effects.length > ending.effects.length ? 'twice' : 'lost',
    'effects',
    lived.effects,
    ending.effects,
  )
  same(lived.writes.length > ending.writes.length ? 'twice' : 'lost', 'writes', lived.writes, ending.writes)
  same('wrongEnd', 'status', store.link?.stage.status, ending.status)
  const stands = ending.status === 'Approved'
  same('wrongEnd', 'links on SignalR', lived.links, stands ? ['Succeeded Approved'] : [])
  same('wrongEnd', 'connections on the vault', lived.connections, stands ? ['Approved'] : [])
  same('other', 'the record and its log', store.folded, store.link)
  same('other', 'the log is whole', store.verified, true)

  // Other places are told at the same time, so theirs may be lost by the same kill, but nowhere more often than that.
  const twice = twiceAt(moment)
  if (twice) same('other', `${twice} stands of which nobody knows`, first?.unrecorded[twice], 1)
  const unrecorded = deaths.at(-1)?.unrecorded ?? {}
  for (const [post, times] of Object.entries(lived.posts)) {
    const known = Object.entries(unrecorded).find(([lost]) => lost === post)?.[1] ?? 0
    same('other', `how often ${post} stands`, times, 1 + known)
    same('other', `how often ${post} was written down`, new Set(store.posted[post]).size, 1)
  }
  // The card that nobody had written down is pressed once, and from then on is like the other.
  if (twice === 'approval' || twice === 'status') {
    same('other', 'the older card', lived.older?.shows, lived.cards[twice])
    same('other', 'its buttons', /\[(Approve…|Cancel request)\]/.test(lived.older?.shows ?? ''), false)
    const late = lived.older?.said
    const answers =
      twice === 'approval'
        ? /^Approved already (by Noor Haddad|in the Azure portal)/
        : /reaches contoso-kv privately already|has ended/
    if (late !== undefined) same('other', `its press was answered "${late}"`, answers.test(late), true)
  }
  same('other', 'how it left', lived.left, { code: 0 })
  same('other', 'errors', lived.errors, [])
  return flaws
}
