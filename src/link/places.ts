/**
 * Where the cards of a link stand. Teams has no idempotency key, so a kill between its answer and our commit may leave
 * a second card that the record does not know; one that is pressed where it belongs is adopted.
 */
import type { CardName, CopyKey, Fact, Link, Millis, PersonKey, PostKey, Told } from './link.ts'

/** Teams names a thread `<channel>;messageid=<root>`. */
export const channelOf = (conversation: string): string => conversation.split(';')[0] ?? conversation

export type Standing = Omit<Told & { readonly is: 'posted' }, 'is'>
/** The post as Teams has it, as far as the record knows. */
export function standingOf(told: Told | undefined): Standing | undefined {
  if (told?.is !== 'posted') return told?.standing
  const { is: _posted, ...standing } = told
  return standing
}

/** What of this link stands as that message. */
export const postedAs = (link: Link, conversation: string, activity: string): PostKey | undefined =>
  (Object.keys(link.told) as PostKey[]).find((post) => {
    const standing = standingOf(link.told[post])
    return standing?.conversation === conversation && standing.activity === activity
  })

const copyKey = /^(status|approval)\+\d+$/
/** Which of the two cards a post is, the first of its kind or a copy; undefined for a reply. */
export const cardOf = (post: PostKey): CardName | undefined =>
  post === 'status' || post === 'approval' ? post : (copyKey.exec(post)?.[1] as CardName | undefined)
export const isCopy = (post: PostKey): post is CopyKey => copyKey.test(post)

/** Whether a conversation is where this link's owners decide: the card's own thread, or the channel it stands in. */
export const isOwnersPlace = (link: Link, conversation: string): boolean =>
  conversation === standingOf(link.told.approval)?.conversation ||
  channelOf(conversation) === channelOf(link.asked.owners.place.conversation)

/** Whether the requester's status card stands there: the thread of the request, or what took its place. */
const isRequestersPlace = (link: Link, conversation: string): boolean =>
  conversation === link.asked.thread.conversation ||
  conversation === standingOf(link.told.status)?.conversation

/** A button that was pressed: where, on which message if Teams said so, and which card it belongs to. */
export type Pressed = {
  readonly conversation: string
  readonly activity?: string
  readonly on: CardName | 'either' | 'question'
}

/** Whether the button is where its card stands: what is forwarded elsewhere is no card of ours. */
export function isPressedInPlace(link: Link, { conversation, on }: Pressed, by: PersonKey): boolean {
  const isRequesters =
    isRequestersPlace(link, conversation) ||
    // The thread is gone, and their personal chat may have the card without the record knowing it yet.
    (by === link.asked.by && link.gone.includes('thread'))
  switch (on) {
    case 'approval':
      return isOwnersPlace(link, conversation)
    case 'status':
      return isRequesters
    case 'either':
      return isRequesters || isOwnersPlace(link, conversation)
    case 'question':
      return link.questions?.includes(conversation) === true
  }
}

/** Each kill leaves at most one; whoever makes them up does not grow the record. */
const mostCopies = 4

/**
 * Takes in a card that the record does not know, if it can be one of ours. Whether the message is another link's has
 * been looked up before.
 */
export function adopt(link: Link, pressed: Pressed, by: PersonKey, now: Millis): Fact | undefined {
  const { conversation, activity } = pressed
  if (activity === undefined || !isPressedInPlace(link, pressed, by)) return undefined
  if (postedAs(link, conversation, activity)) return undefined
  const card = cardAt(link, pressed)
  if (!card || copiesOf(link, card).length >= mostCopies) return undefined
  return { fact: 'adopted', at: now, card, conversation, activity }
}

/** Which card of ours a message that the record does not know can be. */
function cardAt(link: Link, { conversation, activity, on }: Pressed): CardName | undefined {
  const { place } = link.asked.owners
  // In a channel each approval card begins a thread of its own: the message is the thread's root.
  const mayBeApproval =
    place.kind === 'channel'
      ? conversation === `${channelOf(place.conversation)};messageid=${activity}`
      : conversation === place.conversation
  if ((on === 'approval' || on === 'either') && mayBeApproval && link.pinned) return 'approval'
  return on === 'status' || (on === 'either' && isRequestersPlace(link, conversation)) ? 'status' : undefined
}

const copiesOf = (link: Link, card: CardName): readonly CopyKey[] =>
  (Object.keys(link.told) as PostKey[]).filter(isCopy).filter((post) => cardOf(post) === card)

/** The key of the next copy. */
export function nextCopy(link: Link, card: CardName): CopyKey {
  const taken = copiesOf(link, card).map((post) => Number(post.split('+')[1]))
  return `${card}+${Math.max(-1, ...taken) + 1}`
}
