/** Which link somebody means: what they name, else what this thread is about, else the only one there is. */
import type { Link } from '../../link/link.ts'
import { pairOf } from '../about.ts'
import type { Prose } from '../prose.ts'
import { isTalkedAboutIn, type Turn } from '../turn.ts'
import { after } from './command.ts'
import { type Pair, parsePair } from './linkText.ts'

export const parseMeant = (name: string, text: string): Pair | undefined => {
  const rest = after(name, text)
  return rest === undefined ? undefined : parsePair(rest)
}

export type Meant =
  | { readonly is: 'one'; readonly link: Link }
  /** None or several: what to answer instead. */
  | { readonly is: 'unclear'; readonly say: Prose }

/**
 * `fits` are the links that the command is for, preferred over others: who says `cancel` means what can be
 * cancelled. When nothing fits, what is there is taken, so that the refusal can say why.
 */
export async function linkMeant(
  turn: Turn,
  pair: Pair,
  command: { readonly name: string; readonly fits: (link: Link) => boolean; readonly ended: boolean },
): Promise<Meant> {
  const { words } = turn
  if (pair.extra !== undefined) return { is: 'unclear', say: words.replies.tooManyWords(pair.extra) }
  const open = await find(turn, pair, true)
  const found = open.length === 0 && command.ended ? await find(turn, pair, false) : open
  const here = found.filter((link) => isTalkedAboutIn(link, turn.place.conversation))
  const [links = []] = [here.filter(command.fits), found.filter(command.fits), here, found].filter(
    (some) => some.length > 0,
  )
  const [link] = links
  if (!link) {
    const named = pair.signalr !== undefined || pair.vault !== undefined
    return { is: 'unclear', say: named ? words.replies.noSuchLink : words.replies.noLinks }
  }
  if (links.length === 1) return { is: 'one', link }
  return {
    is: 'unclear',
    say: words.replies.which(
      command.name,
      links.slice(0, 10).map((one) => ({ ...pairOf(one), status: words.status[one.stage.status] })),
      links.length,
    ),
  }
}

async function find(turn: Turn, { signalr, vault }: Pair, open: boolean): Promise<readonly Link[]> {
  const which = { by: turn.by, conversation: turn.place.conversation, open }
  const found = await turn.desk.find({ ...which, ...(signalr && { signalr }), ...(vault && { vault }) })
  // A lone name may as well be the vault's.
  return found.length === 0 && signalr && !vault ? turn.desk.find({ ...which, vault: signalr }) : found
}
