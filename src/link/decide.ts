/** Answers what somebody wants of a link that exists: a fact, or a refusal with its reason. */
import { weigh } from './approvals.ts'
import type { Fact, Link, Millis, Refusal, Right, Wish } from './link.ts'
import { checkApproved, checkAtClick } from './match.ts'
import { canCancel, isEnded, mayRevoke } from './views.ts'

export type Decided =
  | { readonly is: 'fact'; readonly fact: Fact }
  | { readonly is: 'refused'; readonly refusal: Refusal }

const grant = (fact: Fact): Decided => ({ is: 'fact', fact })
const refuse = (refusal: Refusal): Decided => ({ is: 'refused', refusal })

export function decide(link: Link, wish: Wish, now: Millis): Decided {
  switch (wish.wish) {
    case 'approve':
    case 'reject':
      return onApprovalCard(link, wish, now)
    case 'revoke':
      return revoke(link, wish, now)
    case 'cancel':
      return cancel(link, wish, now)
    case 'unlink':
      return unlink(link, wish, now)
    case 'retry':
      if (!link.blocked) return refuse({ refusal: 'nothingBlocked' })
      return retry(wish, now)
    case 'follow':
      return follow(link, wish, now)
  }
}

/** Whether a conversation is where this link's owners decide: the card's own thread, or the channel it stands in. */
export function isOwnersPlace(link: Link, conversation: string): boolean {
  const { approval } = link.told
  const card = approval?.is === 'posted' ? approval : approval?.standing
  return (
    conversation === card?.conversation ||
    channelOf(conversation) === channelOf(link.asked.owners.place.conversation)
  )
}

/** Teams names a thread `<channel>;messageid=<root>`. */
export const channelOf = (conversation: string): string => conversation.split(';')[0] ?? conversation

function onApprovalCard(link: Link, wish: Wish & { wish: 'approve' | 'reject' }, now: Millis): Decided {
  if (!isOwnersPlace(link, wish.conversation)) return refuse({ refusal: 'wrongPlace' })
  const unfit = notPending(link)
  if (unfit) return refuse(unfit)
  if (now >= link.asked.expiresAt) return refuse({ refusal: 'expired' })
  if (wish.by === link.asked.by) return refuse({ refusal: 'ownRequest' })
  const lacking = unlessHeld(wish.right)
  if (lacking) return refuse(lacking)
  if (wish.wish === 'reject') {
    return grant({
      fact: 'decided',
      at: now,
      verdict: 'reject',
      by: wish.by,
      ...(wish.reason && { reason: wish.reason }),
    })
  }
  const cause = checkAtClick(link, wish.connections)
  if (cause) return refuse({ refusal: 'connection', cause })
  const weighed = weigh(link, wish, now)
  return 'fact' in weighed ? grant(weighed) : refuse(weighed)
}

/** Closes what may be the wrong path, so whoever may decide there may do it, the requester too. */
function revoke(link: Link, wish: Wish & { wish: 'revoke' }, now: Millis): Decided {
  if (!isOwnersPlace(link, wish.conversation)) return refuse({ refusal: 'wrongPlace' })
  const { status } = link.stage
  if (isEnded(status) || status === 'Removing')
    return refuse(notPending(link) ?? { refusal: 'alreadyEnded', status })
  if (!mayRevoke(link)) return refuse({ refusal: 'noAlarm', status })
  const lacking = unlessHeld(wish.right)
  if (lacking) return refuse(lacking)
  const cause = checkApproved(link, wish.connections)
  if (cause) return refuse({ refusal: 'connection', cause })
  const { by, reason } = wish
  return grant({ fact: 'revoked', at: now, by, ...(reason && { reason }) })
}

function notPending(link: Link): Refusal | undefined {
  const { stage, decision } = link
  switch (stage.status) {
    case 'Pending':
      return undefined
    case 'Requested':
    case 'Provisioning':
      return { refusal: 'tooEarly', status: stage.status }
    case 'Approving':
    case 'Propagating':
    case 'Approved':
    case 'Disconnected':
      return decision
        ? { refusal: 'alreadyDecided', decision, status: stage.status }
        : { refusal: 'alreadyApproved' }
    default:
      return decision
        ? { refusal: 'alreadyDecided', decision, status: stage.status }
        : { refusal: 'alreadyEnded', status: stage.status }
  }
}

function unlessHeld(right: Right): Refusal | undefined {
  switch (right.is) {
    case 'held':
      return undefined
    case 'missing':
      return { refusal: 'lacksRight', actions: right.actions }
    case 'unreadable':
      return { refusal: 'rightUnreadable' }
  }
}

/** By whoever asked, or whoever may write that SignalR. */
function cancel(link: Link, wish: Wish & { wish: 'cancel' }, now: Millis): Decided {
  const { status } = link.stage
  if (status === 'Approved' || status === 'Disconnected') return refuse({ refusal: 'alreadyApproved' })
  if (isEnded(status) || status === 'Removing') return refuse({ refusal: 'alreadyEnded', status })
  if (wish.by !== link.asked.by) {
    if (wish.right.is === 'unreadable') return refuse({ refusal: 'rightUnreadable' })
    if (wish.right.is === 'missing') return refuse({ refusal: 'notYourRequest' })
  }
  return canCancel(status)
    ? grant({ fact: 'cancelled', at: now, by: wish.by })
    : refuse({ refusal: 'alreadyApproved' })
}

/** By whoever may write that SignalR now: what once was asked for gives no right to take it away. */
function unlink(link: Link, wish: Wish & { wish: 'unlink' }, now: Millis): Decided {
  const { status } = link.stage
  if (isEnded(status) || status === 'Removing') return refuse({ refusal: 'alreadyEnded', status })
  const lacking = unlessHeld(wish.right)
  if (lacking) return refuse(lacking)
  return status === 'Approved' || status === 'Disconnected'
    ? grant({ fact: 'unlinked', at: now, by: wish.by })
    : refuse({ refusal: 'notApprovedYet' })
}

function retry(wish: Wish & { wish: 'retry' }, now: Millis): Decided {
  const lacking = unlessHeld(wish.right)
  return lacking ? refuse(lacking) : grant({ fact: 'retried', at: now, by: wish.by })
}

function follow(link: Link, wish: Wish & { wish: 'follow' }, now: Millis): Decided {
  const { conversation } = wish.thread
  const there =
    link.asked.thread.conversation === conversation ||
    link.followers.some(({ thread }) => thread.conversation === conversation)
  if (there) return refuse({ refusal: 'alreadyThere' })
  return grant({ fact: 'followed', at: now, by: wish.by, thread: wish.thread })
}
