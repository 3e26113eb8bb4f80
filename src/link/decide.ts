/** Answers what somebody wants of a link that exists: a fact, or a refusal with its reason. */
import { weigh } from './approvals.ts'
import type {
  Connection,
  Ended,
  Fact,
  Link,
  Millis,
  PersonKey,
  Refusal,
  Right,
  Sighting,
  Stage,
  Wish,
} from './link.ts'
import { checkApproved, checkAtClick, pinnedAmong } from './match.ts'
import { cardOf, isOwnersPlace, isPressedInPlace, type Pressed, postedAs } from './places.ts'
import { beingSent } from './sent.ts'
import { canCancel, isEnded, mayRevoke } from './views.ts'

export type Decided =
  | { readonly is: 'fact'; readonly fact: Fact }
  | { readonly is: 'refused'; readonly refusal: Refusal }

const grant = (fact: Fact): Decided => ({ is: 'fact', fact })
const refuse = (refusal: Refusal): Decided => ({ is: 'refused', refusal })

/** `pressed`: the button that wants it; absent when it was said. */
export function decide(link: Link, wish: Wish, now: Millis, pressed?: Pressed): Decided {
  if (pressed && !isPressedInPlace(link, pressed, wish.by)) return refuse({ refusal: 'wrongPlace' })
  if (pressed && isOnAnother(link, pressed)) return refuse({ refusal: 'wrongCard' })
  switch (wish.wish) {
    case 'approve':
    case 'reject':
      return onApprovalCard(link, wish, now)
    case 'send':
      return send(link, wish, now)
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

/** Whether the message that was pressed stands for something else of this link: its button was put there by somebody. */
function isOnAnother(link: Link, { conversation, activity, on }: Pressed): boolean {
  const post = activity === undefined ? undefined : postedAs(link, conversation, activity)
  if (post === undefined) return false
  const card = cardOf(post)
  return on === 'either' ? card === undefined : card !== on
}

type Deciding = { readonly by: PersonKey; readonly conversation: string }

/** Why nothing can be decided there, then or by them, whoever sends it to Azure. */
function notTheirs(link: Link, { by, conversation }: Deciding, now: Millis): Refusal | undefined {
  if (!isOwnersPlace(link, conversation)) return { refusal: 'wrongPlace' }
  const unfit = notPending(link)
  if (unfit) return unfit
  if (now >= link.asked.expiresAt) return { refusal: 'expired' }
  return by === link.asked.by ? { refusal: 'ownRequest' } : undefined
}

function onApprovalCard(link: Link, wish: Wish & { wish: 'approve' | 'reject' }, now: Millis): Decided {
  const refusal = notTheirs(link, wish, now)
  if (refusal) return refuse(refusal)
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
  const ended = endedAlready(link)
  if (ended) return refuse(notPending(link) ?? ended)
  if (!mayRevoke(link)) return refuse({ refusal: 'noAlarm', status })
  const lacking = unlessHeld(wish.right)
  if (lacking) return refuse(lacking)
  const cause = checkApproved(link, wish.connections)
  if (cause) return refuse({ refusal: 'connection', cause })
  const { by, reason } = wish
  return grant({ fact: 'revoked', at: now, by, ...(reason && { reason }) })
}

/** Who may is Azure's to say, when they send it; all else is as where the bot sends it. */
function send(link: Link, wish: Wish & { wish: 'send' }, now: Millis): Decided {
  const refusal = notTheirs(link, wish, now)
  if (refusal) return refuse(refusal)
  const { verdict, by } = wish
  const sent = beingSent(link)
  if (sent) return refuse({ refusal: 'beingSent', by: sent.by, verdict: sent.effect })
  const { connections } = wish
  const cause = checkAtClick(link, verdict === 'approve' ? connections : pinnedAlone(link, connections))
  if (cause) return refuse({ refusal: 'connection', cause })
  if (wish.verdict === 'reject')
    return grant({
      fact: 'intended',
      at: now,
      effect: 'reject',
      by,
      ...(wish.reason && { reason: wish.reason }),
    })
  const weighed = weigh(link, wish, now)
  if (!('fact' in weighed)) return refuse(weighed)
  if (weighed.fact === 'decided') {
    const { reread } = weighed
    return grant({ fact: 'intended', at: now, effect: 'approve', by, ...(reread && { reread }) })
  }
  // Azure is asked nothing yet, so it is here that the right has to be shown.
  const lacking = unlessHeld(wish.right ?? { is: 'unreadable' })
  return lacking ? refuse(lacking) : grant(weighed)
}

/** Look-alikes keep nobody from rejecting the one that was pinned. */
function pinnedAlone(link: Link, connections: Sighting<readonly Connection[]>): typeof connections {
  if (connections.is !== 'present') return connections
  const pinned = pinnedAmong(link, connections.value)
  return { is: 'present', value: pinned ? [pinned] : [] }
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
      return decision ? { refusal: 'alreadyDecided', decision, status: stage.status } : alreadyEnded(stage)
  }
}

function endedAlready({ stage }: Link): Refusal | undefined {
  return stage.status === 'Removing' || isEndedStage(stage) ? alreadyEnded(stage) : undefined
}
const isEndedStage = (stage: Stage): stage is Stage & { readonly status: Ended } => isEnded(stage.status)
const alreadyEnded = (stage: Stage & { readonly status: Ended | 'Removing' }): Refusal => ({
  refusal: 'alreadyEnded',
  status: stage.status,
  outcome: stage.status === 'Removing' ? stage.outcome : stage.status,
  ...(stage.by && { by: stage.by }),
})

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
  const ended = endedAlready(link)
  if (ended) return refuse(ended)
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
  const ended = endedAlready(link)
  if (ended) return refuse(ended)
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
  const { by, thread } = wish
  const { conversation } = thread
  const there =
    link.asked.thread.conversation === conversation ||
    link.followers.some((follower) => follower.thread.conversation === conversation)
  if (!there) return grant({ fact: 'followed', at: now, by, thread })
  const heard = link.heard?.find((one) => one.by === by && one.conversation === conversation)
  return isMomentAgo(heard?.at, now) || isAskedLately(link, by, conversation, now)
    ? refuse({ refusal: 'heardAlready' })
    : grant({ fact: 'heard', at: now, by, conversation })
}

/** Whether it was asked for by the same person in the same thread so lately that it may be the same message once more. */
export const isAskedLately = ({ asked }: Link, by: PersonKey, conversation: string, now: Millis): boolean =>
  by === asked.by && conversation === asked.thread.conversation && isMomentAgo(asked.at, now)

/** Whether they were told there since it has ended. */
export const hasHeardOfEnd = ({ heard = [], since }: Link, by: PersonKey, conversation: string): boolean =>
  heard.some((one) => one.by === by && one.conversation === conversation && one.at >= since)

// A clock that was set back since is no reason to say nothing.
const isMomentAgo = (at: Millis | undefined, now: Millis): boolean =>
  at !== undefined && Math.abs(now - at) < repeatMs

/**
 * Teams delivers a message again when its answer was slow, after half a minute under a new id and time: within this
 * time the same from the same person in the same thread is that message.
 */
const repeatMs = 2 * 60_000
