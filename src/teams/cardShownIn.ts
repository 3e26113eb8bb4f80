/** The card that a press gets back: the link's card of that place, as it is now. */
import type { Link } from '../link/link.ts'
import { views } from '../link/views.ts'
import { namesIn } from './about.ts'
import { renderView } from './cards.ts'
import type { Turn } from './turn.ts'

/** Undefined when no card of this link belongs where it was pressed. */
export async function cardShownIn(turn: Turn, link: Link): Promise<unknown> {
  const { usual, words, drawing } = turn
  const inOwners = turn.channel === link.asked.owners.place.conversation
  const inThread = turn.place.conversation === link.asked.thread.conversation
  const posts = views(link, usual)
  // The owners may have been asked in the channel where the request was made: there the thread tells them apart.
  const post = posts.find(({ post }) => post === (inOwners && !inThread ? 'approval' : 'status'))
  if (!post) return undefined
  const { card } = await renderView(post.view, await namesIn(turn, post.view), words, drawing)
  return card
}
