/**
 * Takes in what happened. Total: what happened is never refused, at most it changes nothing, and then the same
 * record comes back (`===`), so that an observation that changes nothing is no fact.
 */
import { standingEndorsements } from './approvals.ts'
import { remedy } from './causes.ts'
import type {
  CardName,
  Cause,
  ConnectionState,
  Decision,
  Effect,
  Ended,
  Endorsement,
  Fact,
  GonePlace,
  Link,
  Millis,
  News,
  PersonKey,
  PostKey,
  ProvisioningState,
  Seen,
  Sighted,
  Stage,
  Status,
  Time,
  Told,
  Undoing,
} from './link.ts'
import {
  bears,
  checkApproved,
  checkAtClick,
  countApproved,
  isAsPinned,
  isGone,
  isOurs,
  isUnproven,
  leftOpen,
  matchConnection,
  othersBearing,
  pinnedAmong,
  samePin,
} from './match.ts'
import { isUndecided, nudge } from './nudges.ts'
import { cardOf, isCopy, nextCopy, postedAs, standingOf } from './places.ts'
import { beingSent, decisionSent, type Sent, sentByPerson } from './sent.ts'
import { setBack } from './setBack.ts'
import { canCancel, isEnded, mayRevoke, viewSchema } from './views.ts'

type AskedFact = Fact & { readonly fact: 'asked' }

/** The record as its first fact makes it. */
export function begin(fact: AskedFact): Link {
  const { approvers: needs = 1 } = fact.asked
  return {
    schema: needs > 1 ? 2 : 1,
    ...(needs > 1 && { needs }),
    id: fact.id,
    asked: fact.asked,
    stage: { status: 'Requested' },
    since: fact.at,
    moved: fact.at,
    followers: [],
    late: false,
    alarmed: false,
    news: [],
    told: {},
    gone: [],
    looked: false,
    unlookedAt: fact.at,
  }
}

/** The record that a whole audit log gives; undefined when it does not begin with `asked`. */
export function foldAll(facts: readonly Fact[]): Link | undefined {
  const [first, ...rest] = facts
  return first?.fact === 'asked' ? rest.reduce(fold, begin(first)) : undefined
}

export function fold(link: Link, fact: Fact): Link {
  const folded = take(link, fact)
  if (says(folded, link)) return link
  const isSetBack = fact.fact === 'passed' && fact.what === 'setBack'
  return isSetBack ? folded : { ...folded, moved: Math.max(link.moved, fact.at) }
}

/** Whether two records say the same: what was merely copied is no change. */
function says(a: Link, b: Link): boolean {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof Link)[]
  return keys.every((key) => a[key] === b[key] || JSON.stringify(a[key]) === JSON.stringify(b[key]))
}

function take(link: Link, fact: Fact): Link {
  switch (fact.fact) {
    case 'asked':
      return link
    case 'followed':
      return followed(link, fact)
    case 'heard':
      return heard(link, fact)
    case 'decided':
      return decided(link, fact)
    case 'endorsed':
      return endorsed(link, fact)
    case 'revoked':
      return revoked(link, fact)
    case 'cancelled':
      return canCancel(link.stage.status)
        ? stage(unlook(link, fact.at), fact.at, {
            status: 'Removing',
            outcome: 'Cancelled',
            by: fact.by,
          })
        : link
    case 'unlinked':
      return link.stage.status === 'Approved' || link.stage.status === 'Disconnected'
        ? stage(unlook(link, fact.at), fact.at, { status: 'Removing', outcome: 'Removed', by: fact.by })
        : link
    case 'questioned':
      return questioned(link, fact.conversation)
    case 'retried':
      return retried(link, fact.at)
    case 'intended':
      return {
        ...unlook(reread(link, fact), fact.at),
        attempt: {
          effect: fact.effect,
          at: fact.at,
          count: link.attempt?.effect === fact.effect ? link.attempt.count + 1 : 1,
          ...(fact.by && { by: fact.by }),
          ...(fact.reason && { reason: fact.reason }),
          outcome: { is: 'underWay' },
        },
      }
    case 'done':
      return done(link, fact)
    case 'failed':
      return failed(link, fact)
    case 'observed':
      return observed(link, fact.seen, fact.at)
    case 'rechecked':
      return rechecked(link, fact)
    case 'posted':
      return posted(link, fact)
    case 'unposted':
      return unposted(link, fact.post, fact.notBefore, fact.at)
    case 'adopted':
      return adopted(link, fact)
    case 'lost': {
      const { [fact.post]: _lost, ...told } = link.told
      return isCopy(fact.post) ? { ...link, told } : link
    }
    case 'gone':
      return gone(link, fact.place, fact.at)
    case 'rerouted': {
      // The old channel's card is lost with it: ask again where somebody reads it.
      return {
        ...link,
        asked: { ...link.asked, owners: fact.owners },
        told: toldWithout(link, 'approval'),
        gone: link.gone.filter((place) => place !== 'owners'),
      }
    }
    case 'passed':
      return passed(link, fact.what, fact.at)
  }
}

/** What was seen no longer counts: only a look that begins from now on does. */
const unlook = (link: Link, at: Millis): Link => ({
  ...link,
  looked: false,
  unlookedAt: Math.max(link.unlookedAt, at),
})

// ---- moving from stage to stage ----------------------------------------------------------------------

/** Moves to a stage, and tells what people are told of it. */
function stage(link: Link, at: Millis, to: Stage): Link {
  const { blocked: _cleared, ...rest } = link
  // Asking and making share one usual time.
  const late = link.late && to.status === 'Provisioning'
  // However it ends, what somebody is just sending may arrive, and what it opens was opened by them.
  const sent =
    to.status === 'Removing' && link.stage.status === 'Pending' ? decisionSent(link, 'approve') : undefined
  const decision = link.decision ?? sent
  const moved: Link = {
    ...rest,
    ...(decision && { decision }),
    stage: to,
    since: at,
    late,
    alarmed: false,
  }
  if (to.status === 'Approved') {
    const again = link.stage.status === 'Disconnected'
    return { ...news(moved, { news: 'approved', at, ...(again && { again }) }), functionalAt: at }
  }
  if (isEnded(to.status)) {
    const { by, cause } = to as Stage & { status: Ended }
    const { attempt } = link
    const closed =
      isUnproven(link) && !isRevoking(link) && attempt?.effect === 'reject' && attempt.outcome.is !== 'failed'
    return news(moved, {
      news: 'ended',
      at,
      outcome: to.status,
      ...(by && { by }),
      ...(cause && { cause }),
      ...(closed && { closed: true }),
    })
  }
  return moved
}

const news = (link: Link, piece: News): Link => ({ ...link, news: [...link.news, piece] })
const tell = (link: Link, post: PostKey, told: Told): Link => ({
  ...link,
  told: { ...link.told, [post]: told },
})

function remove(link: Link, at: Millis, outcome: Ended, why: { by?: PersonKey; cause?: Cause } = {}): Link {
  return stage(link, at, { status: 'Removing', outcome, ...why })
}

/** Stops until a person acts, and says so once: a reason that comes and goes is not told each time. */
function block(link: Link, at: Millis, cause: Cause): Link {
  const same = (other: Cause | undefined): boolean => JSON.stringify(other) === JSON.stringify(cause)
  if (same(link.blocked?.cause)) return link
  const blocked = { ...link, blocked: { at, cause } }
  const last = link.news.at(-1)
  return last?.news === 'blocked' && same(last.cause)
    ? blocked
    : news(blocked, { news: 'blocked', at, cause })
}

function unblock(link: Link): Link {
  if (!link.blocked) return link
  const { blocked: _cleared, ...rest } = link
  return rest
}

// ---- what people decide ------------------------------------------------------------------------------

function decided(link: Link, fact: Fact & { fact: 'decided' }): Link {
  if (link.stage.status !== 'Pending') return link
  // The press saw the pinned connection alone: what was there before no longer matters.
  const { endorsements: _decided, partedAt: _known, ...rest } = link
  const others = fact.verdict === 'approve' ? standingEndorsements(link, fact) : []
  const decision: Decision = {
    at: fact.at,
    verdict: fact.verdict,
    by: fact.by,
    ...(fact.reason && { reason: fact.reason }),
    where: 'card',
    checkedAt: fact.at,
    ...(others.length > 0 && { with: others }),
  }
  const known = { ...unlook(rest, fact.at), decision }
  return fact.verdict === 'approve'
    ? stage(known, fact.at, { status: 'Approving' })
    : remove(known, fact.at, 'Rejected', { by: fact.by })
}

/** Of the earlier approvals those remain whose makers still held the right. */
function reread(link: Link, { at, reread }: Fact & { fact: 'intended' }): Link {
  const { endorsements, ...rest } = link
  if (!endorsements || !reread) return link
  const standing = standingEndorsements(link, { at, reread })
  return { ...rest, ...(standing.length > 0 && { endorsements: standing }) }
}

function endorsed(link: Link, fact: Fact & { fact: 'endorsed' }): Link {
  const { at, by, needs } = fact
  const known = link.endorsements?.some((one) => one.by === by)
  if (link.stage.status !== 'Pending' || known) return link
  return {
    ...link,
    schema: 2,
    needs: Math.max(needs, link.needs ?? 1),
    endorsements: [...standingEndorsements(link, fact), { by, at, checkedAt: at }],
  }
}

/** What was approved is to be closed again, and our own link goes with it. */
function revoked(link: Link, { at, by, reason }: Fact & { fact: 'revoked' }): Link {
  if (!mayRevoke(link)) return link
  const { decision: takesBack } = link
  const decision: Decision = {
    at,
    verdict: 'reject',
    by,
    ...(reason && { reason }),
    where: 'card',
    checkedAt: at,
    ...(takesBack && { takesBack }),
  }
  return remove({ ...unlook(link, at), decision }, at, 'Rejected', { by })
}

function followed(link: Link, { by, thread, at }: Fact & { fact: 'followed' }): Link {
  const there = link.followers.some((one) => one.thread.conversation === thread.conversation)
  const since = link.news.length
  if (there) return link
  const followers = [...link.followers, { by, thread, ...(since > 0 && { since }) }]
  return heard({ ...link, followers }, { by, conversation: thread.conversation, at })
}

const mostQuestions = 20
function questioned(link: Link, conversation: string): Link {
  const others = (link.questions ?? []).filter((one) => one !== conversation)
  return { ...link, questions: [...others.slice(1 - mostQuestions), conversation] }
}

const mostHeard = 20
function heard(
  link: Link,
  { by, conversation, at }: { by: PersonKey; conversation: string; at: Millis },
): Link {
  const others = (link.heard ?? []).filter((one) => one.by !== by || one.conversation !== conversation)
  return { ...link, heard: [...others.slice(1 - mostHeard), { by, conversation, at }] }
}

function retried(link: Link, at: Millis): Link {
  if (!link.blocked) return link
  const { attempt } = link
  const again = unlook(unblock(link), at)
  if (attempt?.outcome.is !== 'failed') return again
  return { ...again, attempt: { ...attempt, outcome: { ...attempt.outcome, notBefore: at } } }
}

function rechecked(link: Link, fact: Fact & { fact: 'rechecked' }): Link {
  const { decision, ...rest } = link
  if (link.stage.status !== 'Approving' || !decision?.by) return link
  const { with: others = [], at, checkedAt } = decision
  const by = fact.by ?? decision.by
  const approvals: readonly Endorsement[] = [...others, { by: decision.by, at, checkedAt }]
  if (!approvals.some((one) => one.by === by)) return link
  if (fact.right === 'held') {
    const checked = <T extends { by?: PersonKey; checkedAt: Millis }>(one: T): T =>
      one.by === by ? { ...one, checkedAt: fact.at } : one
    const known = others.length > 0 ? { ...decision, with: others.map(checked) } : decision
    return { ...link, decision: checked(known) }
  }
  // Of several approvals the others still stand.
  const endorsements = approvals.filter((one) => one.by !== by)
  const asked = { ...rest, ...(endorsements.length > 0 && { endorsements }) }
  return stage(news(asked, { news: 'askAgain', at: fact.at, by }), fact.at, { status: 'Pending' })
}

// ---- what we did -------------------------------------------------------------------------------------

function done(link: Link, fact: Fact & { fact: 'done' }): Link {
  const { attempt } = link
  const ended: Link = {
    ...unlook(unblock(link), fact.at),
    ...(fact.operation !== undefined && { operation: fact.operation }),
    ...(attempt?.effect === fact.effect && { attempt: { ...attempt, outcome: { is: 'done', at: fact.at } } }),
  }
  const sent = sentByPerson(ended)
  // Sent by whoever decides, it is a decision once Azure has taken it.
  if (sent?.effect === fact.effect) return decided(ended, decidedBy(sent, fact.at))
  return fact.effect === 'put' && ended.stage.status === 'Requested'
    ? stage(ended, fact.at, { status: 'Provisioning' })
    : ended
}

const decidedBy = ({ effect: verdict, by, reason }: Sent, at: Millis): Fact & { fact: 'decided' } => ({
  fact: 'decided',
  at,
  verdict,
  by,
  ...(reason && { reason }),
})

function failed(link: Link, fact: Fact & { fact: 'failed' }): Link {
  const { attempt } = link
  const { at, notBefore, effect } = fact
  // Not Pending is what an approved connection always is: Azure then rejects no such thing.
  const cause: Cause =
    effect === 'reject' && (isRevoking(link) || leftOpen(link)) && fact.cause.cause === 'decidedMeanwhile'
      ? { cause: 'cannotReject' }
      : fact.cause
  const ended: Link = {
    ...unlook(link, at),
    ...(attempt?.effect === effect && {
      attempt: { ...attempt, outcome: { is: 'failed', at, cause, notBefore } },
    }),
  }
  if (isEnded(ended.stage.status)) return ended
  // Whoever sent it themselves hears of it at once, and may press again.
  if (sentByPerson(ended)?.effect === effect)
    return cause.cause === 'unavailable' ? ended : withoutDecisionSent(ended)
  switch (remedy(effect, cause)) {
    case 'end':
      return ended.stage.status === 'Requested' ? remove(ended, at, 'Failed', { cause }) : ended
    case 'person':
      return asksFor(ended, effect) ? block(ended, at, cause) : ended
    case 'later':
      return ended
  }
}

/** The request was ended while it was sent; Azure has refused it, so nobody decided. */
function withoutDecisionSent(link: Link): Link {
  const { decision, ...rest } = link
  const isSent = decision?.by === link.attempt?.by && decision?.at === link.attempt?.at
  return link.stage.status === 'Removing' && isSent ? rest : link
}

/** Whether the stage still asks for this effect: what a given-up approval met must not hold up a removal. */
function asksFor({ stage: { status } }: Link, effect: Effect): boolean {
  if (effect === 'put') return status === 'Requested'
  return effect === 'approve' ? status === 'Approving' : status === 'Removing'
}

// ---- what Azure shows --------------------------------------------------------------------------------

const sight = ({ at: _when, steadySince: _by, ...what }: Seen): string => JSON.stringify(what)

/** When the last attempt was begun or, once that is known, came to its outcome. */
const attemptedAt = ({ attempt }: Pick<Link, 'attempt'>): Millis =>
  attempt ? (attempt.outcome.is === 'underWay' ? attempt.at : attempt.outcome.at) : 0

function observed(link: Link, seen: Seen, at: Millis): Link {
  if (isEnded(link.stage.status)) return link
  const isSame = link.looked && link.seen && sight(link.seen) === sight(seen)
  // A removal may end by the same absence, seen late enough.
  const mayEnd = link.stage.status === 'Removing' && isGone(link, seen)
  if (isSame && !mayEnd && !waitsFor(link, seen)) return link
  const { sighted, ...unsighted } = link
  // What began before the last decision, attempt or outcome says nothing of it.
  const looked = parted({ ...unsighted, seen, looked: seen.at >= link.unlookedAt }, link.seen)
  const followed = sightedSince(sighted, follow(looked, seen, at, link.seen))
  if (isSame && !mayEnd && followed.stage === link.stage) return link
  const begun = link.stage.status !== 'Removing' && followed.stage.status === 'Removing'
  // The look that began a removal may already show that nothing is left to remove.
  return begun ? follow(followed, seen, at, link.seen) : followed
}

/** Another that bore the mark beside the pinned connection is gone: which of the two SignalR meant shows only in time. */
function parted(link: Link, before: Seen | undefined): Link {
  const { seen, pinned, decision } = link
  if (!pinned || seen?.connections.is !== 'present' || before?.connections.is !== 'present') return link
  // The press since then saw the pinned one alone.
  if (decision?.where === 'card' && before.at < decision.at) return link
  const now = othersBearing(link, seen.connections.value)
  const missed = othersBearing(link, before.connections.value).some((id) => !now.includes(id))
  return missed ? { ...link, partedAt: seen.at } : link
}

/** How long ago something was when the look began, for certain. */
const sureAge = (time: Millis, { at, steadySince = time }: Seen): Millis => at - Math.max(time, steadySince)

/** SignalR follows the vault within minutes; until then it may still speak of the connection that is gone. */
const partedForMs = 15 * 60_000
const hasPartedLately = ({ partedAt }: Link, seen: Seen): boolean =>
  partedAt !== undefined && sureAge(partedAt, seen) < partedForMs
/** Whether the same as before may now be believed. */
const waitsFor = (link: Link, seen: Seen): boolean =>
  link.partedAt !== undefined && !hasPartedLately(link, seen) && link.stage.status !== 'Approved'

/** Of the looks in a row that showed this one connection alone, the first counts. */
const sightedSince = (before: Sighted | undefined, link: Link): Link =>
  before && link.sighted && samePin(before, link.sighted) ? { ...link, sighted: before } : link

/** Moves the stage along with what Azure shows. `before` is what it showed the last time. */
function follow(link: Link, seen: Seen, at: Millis, before: Seen | undefined): Link {
  const { own } = seen
  const { status } = link.stage
  if (link.stage.status === 'Removing') return removing(link, link.stage, seen, at)
  if (own.is === 'hidden') return hiddenFrom(link, own.cause, at)
  if (own.is === 'absent') {
    if (status === 'Requested') return requested(link, seen, at)
    // Gone only if it was there: a link just put may take a moment to be shown.
    if (seen.operation?.status === 'Failed' || seen.operation?.status === 'Canceled')
      return provisioningFailed(link, seen, at)
    return status !== 'Provisioning' || before?.own.is === 'present'
      ? remove(link, at, 'Removed', {
          cause: { cause: seen.signalrIsGone ? 'signalrGone' : 'deletedElsewhere' },
        })
      : unblockSeen(link)
  }
  if (!isOurs(link, own.value)) {
    return status === 'Approved' || status === 'Disconnected'
      ? remove(link, at, 'Removed', { cause: { cause: 'deletedElsewhere' } })
      : remove(link, at, 'Failed', { cause: { cause: 'nameTaken' } })
  }
  // Somebody is deleting it: its connection may go first, but it is the link's absence that tells what happened.
  if (own.value.provisioningState === 'Deleting') return unblockSeen(link)
  if (isFunctional(link, seen)) {
    const count = seen.connections.is === 'present' ? countApproved(link, seen.connections.value) : 0
    if (count > 1 && status !== 'Approved') return block(link, at, { cause: 'ambiguous', count })
    if (status === 'Approved' || !hasPartedLately(link, seen)) return works(link, at, before)
  }
  switch (status) {
    case 'Requested':
      return follow(stage(link, at, { status: 'Provisioning' }), seen, at, before)
    case 'Provisioning':
      return provisioning(link, seen, at)
    case 'Pending':
    case 'Approving':
    case 'Propagating':
      return deciding(link, seen, at)
    case 'Approved':
      return standing(unblockSeen(link), seen, at)
    default:
      return unblockSeen(link)
  }
}

/** Before the PUT: somebody else may already have made what was asked for. */
function requested(link: Link, seen: Seen, at: Millis): Link {
  const [rival] = seen.rivals
  if (rival) {
    const cause: Cause = { cause: 'madeByOthers', name: rival.name, status: rival.status }
    return remove(link, at, 'Failed', { cause })
  }
  if (seen.connections.is === 'hidden') return hiddenFrom(link, seen.connections.cause, at)
  if (seen.connections.is === 'absent') return remove(link, at, 'Failed', { cause: { cause: 'vaultGone' } })
  // Nothing can bear our mark before we have sent it, but an imitation.
  const { length: count } = seen.connections.value.filter(({ description }) =>
    bears(link.asked.nonce, description),
  )
  return count > 0 && !link.attempt ? block(link, at, { cause: 'ambiguous', count }) : unblockSeen(link)
}

/** What may not be read is never gone: wait, and if a right is missing, say which. */
function hiddenFrom(link: Link, cause: Cause, at: Millis): Link {
  return cause.cause === 'botLacksRight' ? block(link, at, cause) : link
}

/** What a look raised, a look puts to rest; what an effect met waits for Retry. */
function unblockSeen(link: Link): Link {
  return link.attempt?.outcome.is === 'failed' &&
    !link.attempt.by &&
    remedy(link.attempt.effect, link.attempt.outcome.cause) === 'person' &&
    asksFor(link, link.attempt.effect)
    ? link
    : unblock(link)
}

/** Functional is what the documentation calls so: Succeeded and Approved on SignalR, and the pinned connection agrees. */
function isFunctional(link: Link, seen: Seen): boolean {
  if (seen.own.is !== 'present' || !isOurs(link, seen.own.value)) return false
  const { provisioningState, status } = seen.own.value
  if (provisioningState !== 'Succeeded' || status !== 'Approved') return false
  if (!link.pinned) return true
  if (seen.connections.is !== 'present') return false
  const connection = pinnedAmong(link, seen.connections.value)
  return connection?.status === 'Approved' && isAsPinned(link, connection)
}

const inPortal = (verdict: 'approve' | 'reject', at: Millis): Decision => ({
  at,
  verdict,
  where: 'portal',
  checkedAt: at,
})

function works(link: Link, at: Millis, before?: Seen): Link {
  if (link.stage.status === 'Approved') return unblock(link)
  // What the portal rejected and then approved again works by no decision of the card's.
  const rejected =
    before?.connections.is === 'present' && pinnedAmong(link, before.connections.value)?.status === 'Rejected'
  const known = rejected ? undefined : (decisionSent(link, 'approve') ?? link.decision)
  const decision = known?.verdict === 'approve' ? known : inPortal('approve', at)
  const { partedAt: _waited, ...rest } = link
  return stage({ ...rest, decision, vaultApprovedAt: link.vaultApprovedAt ?? at }, at, { status: 'Approved' })
}

function provisioningFailed(link: Link, seen: Seen, at: Millis): Link {
  const code =
    seen.operation?.code ?? (seen.operation?.status === 'Canceled' ? 'Canceled' : 'ProvisioningFailed')
  const message = seen.operation?.message ?? ''
  return remove(link, at, 'Failed', { cause: { cause: 'provisioningFailed', code, message } })
}

function provisioning(link: Link, seen: Seen, at: Millis): Link {
  if (seen.own.is !== 'present') return link
  const { provisioningState } = seen.own.value
  const operation = seen.operation?.status
  if (operation === 'Failed' || operation === 'Canceled' || hasFailed(provisioningState)) {
    return provisioningFailed(link, seen, at)
  }
  if (provisioningState !== 'Succeeded' || operation === 'Running') return unblockSeen(link)
  if (seen.connections.is === 'hidden') return hiddenFrom(link, seen.connections.cause, at)
  if (seen.connections.is === 'absent') return remove(link, at, 'Failed', { cause: { cause: 'vaultGone' } })
  const match = matchConnection(link, seen.connections.value)
  switch (match.is) {
    case 'none':
      // A decision in the portal may have overwritten the mark: then SignalR alone tells of it.
      return byConnectionState(unblockSeen(link), seen.own.value.status, at)
    case 'several':
      return block(link, at, { cause: 'ambiguous', count: match.count })
    case 'strange':
      return block(link, at, { cause: 'strangeEndpoint' })
    case 'one': {
      const { id: connection, privateEndpoint } = match.connection
      return { ...unblockSeen(link), sighted: { connection, privateEndpoint, since: seen.at } }
    }
  }
}

/** No other has come for as long as looks were apart: this is the connection that the owners are asked about. */
function pin(link: Link, at: Millis): Link {
  const { sighted, ...rest } = link
  if (link.stage.status !== 'Provisioning' || !sighted || !link.seen) return link
  const { connection, privateEndpoint } = sighted
  const pinned = stage({ ...rest, pinned: { connection, privateEndpoint } }, at, { status: 'Pending' })
  return deciding(pinned, link.seen, at)
}

/** A connection is pinned: follow what the vault shows of it. */
function deciding(link: Link, seen: Seen, at: Millis): Link {
  if (seen.own.is === 'present' && hasFailed(seen.own.value.provisioningState))
    return provisioningFailed(link, seen, at)
  if (seen.connections.is === 'hidden') return hiddenFrom(link, seen.connections.cause, at)
  if (seen.connections.is === 'absent') return remove(link, at, 'Failed', { cause: { cause: 'vaultGone' } })
  const connection = pinnedAmong(link, seen.connections.value)
  if (!connection) return remove(link, at, 'Failed', { cause: { cause: 'connectionGone' } })
  if (!isAsPinned(link, connection)) {
    // In the instant before our approval another one took the name: what is open now is not what was asked about.
    return connection.status === 'Approved' && link.attempt?.effect === 'approve'
      ? alarm(link.stage.status === 'Propagating' ? link : stage(link, at, { status: 'Propagating' }), at)
      : remove(link, at, 'Failed', { cause: { cause: 'connectionChanged' } })
  }
  // What was checked at the click is checked again before it is acted on.
  if (link.stage.status === 'Approving' && connection.status === 'Pending') {
    const cause = checkAtClick(link, seen.connections)
    if (cause) return block(link, at, cause)
  }
  return byConnectionState(unblockSeen(link), connection.status, at)
}

function byConnectionState(link: Link, state: ConnectionState, at: Millis): Link {
  switch (state) {
    case 'Rejected': {
      const decision = decisionSent(link, 'reject') ?? inPortal('reject', at)
      return remove({ ...link, decision }, at, 'Rejected', decision.by ? { by: decision.by } : {})
    }
    case 'Disconnected':
      return remove(link, at, 'Failed', { cause: { cause: 'connectionGone' } })
    case 'Approved':
      if (link.stage.status === 'Propagating') return link
      return stage(
        {
          ...link,
          decision: decisionSent(link, 'approve') ?? link.decision ?? inPortal('approve', at),
          vaultApprovedAt: at,
        },
        at,
        { status: 'Propagating' },
      )
    case 'Pending':
    case 'Timeout':
    case 'Unknown':
      return link
  }
}

/** It worked; does it still? */
function standing(link: Link, seen: Seen, at: Millis): Link {
  // SignalR follows the vault: what both say began there.
  const undoing = undoneOnVault(link, seen) ?? undoneOnSignalr(seen)
  return undoing
    ? stage(news(link, { news: 'disconnected', at, ...undoing }), at, { status: 'Disconnected' })
    : link
}

type Undone = { readonly because: Undoing; readonly status: ConnectionState }
/** A state without a name is no news. */
const isUndone = (status: ConnectionState): boolean => status !== 'Approved' && status !== 'Unknown'

function undoneOnVault(link: Link, { connections }: Seen): Undone | undefined {
  if (connections.is === 'absent') return { because: 'vaultGone', status: 'Disconnected' }
  if (connections.is === 'hidden' || !link.pinned) return undefined
  const connection = pinnedAmong(link, connections.value)
  if (!connection) return { because: 'connectionGone', status: 'Disconnected' }
  const { status } = connection
  if (!isAsPinned(link, connection)) return { because: 'connectionReplaced', status }
  return isUndone(status) ? { because: 'onVault', status } : undefined
}

function undoneOnSignalr({ own }: Seen): Undone | undefined {
  if (own.is !== 'present') return undefined
  const { status, provisioningState } = own.value
  if (isUndone(status)) return { because: 'onSignalr', status }
  return hasFailed(provisioningState) ? { because: 'linkFailed', status } : undefined
}

const hasFailed = (state: ProvisioningState): boolean => state === 'Failed' || state === 'Canceled'

function removing(link: Link, to: Stage & { status: 'Removing' }, seen: Seen, at: Millis): Link {
  const { outcome, by, cause } = to
  // Before our own link is let go of, what is open has to be closed.
  if (isRevoking(link) && seen.connections.is === 'hidden')
    return hiddenFrom(link, seen.connections.cause, at)
  const open = isRevoking(link) ? checkApproved(link, seen.connections) === undefined : leftOpen(link)
  const end = (): Link => stage(link, at, { status: outcome, ...(by && { by }), ...(cause && { cause }) })
  if (seen.own.is === 'hidden') return hiddenFrom(link, seen.own.cause, at)
  if (seen.own.is === 'absent' && mayStillAppear(link, seen)) return link
  if (isGone(link, seen)) {
    if (mayStillOpen(link, seen)) return unblockSeen(link)
    // Nor is it over while nobody can see whether what was approved went with it.
    if (isUnproven(link) && seen.connections.is === 'hidden')
      return hiddenFrom(link, seen.connections.cause, at)
    return open ? unblockSeen(link) : end()
  }
  // SignalR has followed after all, and nothing was rejected yet: the approval was right.
  const rejected = link.attempt?.effect === 'reject' || link.attempt?.effect === 'delete'
  if (isRevoking(link) && !rejected && isFunctional(link, seen)) return works(withApproval(link), at)
  // Taking back and running out both yield to an approval that came first.
  const yields = (outcome === 'Cancelled' || outcome === 'Expired') && link.attempt?.effect !== 'delete'
  return yields && isFunctional(link, seen) ? works(link, at) : unblockSeen(link)
}

/** Whether an approval is being undone because SignalR did not follow it. */
const isRevoking = ({ stage, decision }: Link): boolean =>
  stage.status === 'Removing' && decision?.takesBack !== undefined

function withApproval(link: Link): Link {
  const { decision, ...rest } = link
  return { ...rest, ...(decision?.takesBack && { decision: decision.takesBack }) }
}

const arrivesWithinMs = 60_000

/**
 * SignalR's connection goes with its link. One that stays and waits is somebody else's, and an approval whose answer was
 * lost may still open it.
 */
function mayStillOpen(link: Link, seen: Seen): boolean {
  if (!isUnproven(link) || seen.connections.is !== 'present') return false
  const waits = pinnedAmong(link, seen.connections.value)?.status === 'Pending'
  return waits && sureAge(link.since, seen) < arrivesWithinMs
}

/** A PUT is shown a while after its answer; one whose answer was lost may arrive as late. Until then absence proves nothing. */
function mayStillAppear({ attempt }: Link, seen: Seen): boolean {
  if (attempt?.effect !== 'put') return false
  const { outcome } = attempt
  if (outcome.is === 'failed' && outcome.cause.cause !== 'unavailable') return false
  return sureAge(attemptedAt({ attempt }), seen) < arrivesWithinMs
}

// ---- what Teams was told, and time -------------------------------------------------------------------

function posted(link: Link, fact: Fact & { fact: 'posted' }): Link {
  const { at, post, conversation, activity, digest, schema } = fact
  const told = tell(link, post, { is: 'posted', conversation, activity, digest, schema })
  if (post === 'approval' && !standingOf(link.told.approval)) return { ...told, ownersAskedAt: at }
  const nudges = link.nudges?.map((one, index) =>
    post === `owners/nudge-${index}` ? { ...one, postedAt: at } : one,
  )
  return nudges ? { ...told, nudges } : told
}

function unposted(link: Link, post: PostKey, notBefore: Millis, at: Millis): Link {
  const before = link.told[post]
  const standing = standingOf(before)
  const count = before?.is === 'failed' ? before.count + 1 : 1
  const tried = tell(link, post, { is: 'failed', count, notBefore, ...(standing && { standing }) })
  // The requester must not go on believing that the owners were asked.
  const unasked =
    post === 'approval' && !standing && count === triesUntilTold && link.stage.status === 'Pending'
  return unasked ? news(tried, { news: 'unasked', at }) : tried
}

/** With the pauses in between, some minutes. */
const triesUntilTold = 7

function gone(link: Link, place: GonePlace, at: Millis): Link {
  if (link.gone.includes(place)) return link
  const known = { ...link, gone: [...link.gone, place] }
  if (place === 'owners' && !isEnded(link.stage.status)) return news(known, { news: 'ownersGone', at })
  if (place !== 'thread') return known
  // The status card begins anew in the requester's personal chat.
  return { ...known, told: toldWithout(known, 'status') }
}

/** A card that the record did not know is drawn like the first from now on, at once for the first time. */
function adopted(link: Link, { card, conversation, activity }: Fact & { fact: 'adopted' }): Link {
  if (postedAs(link, conversation, activity)) return link
  const told = { is: 'posted', conversation, activity, digest: '', schema: viewSchema } as const
  return tell(link, nextCopy(link, card), told)
}

/** A card and its copies are lost with their place. */
const toldWithout = (link: Link, card: CardName): Link['told'] =>
  Object.fromEntries(Object.entries(link.told).filter(([post]) => cardOf(post as PostKey) !== card))

/** Where something takes its time: what waits for a person too, past its end. What stands takes none. */
const hasUsualTime = (status: Status): boolean =>
  ['Requested', 'Provisioning', 'Pending', 'Approving', 'Propagating', 'Removing'].includes(status)

/** The wrong connection may be open: told once. */
const alarm = (link: Link, at: Millis): Link =>
  link.alarmed ? link : news({ ...link, alarmed: true }, { news: 'unfollowed', at })

function passed(link: Link, what: Time, at: Millis): Link {
  const { status } = link.stage
  switch (what) {
    case 'usualTime':
      return link.late || !hasUsualTime(status)
        ? link
        : news({ ...link, late: true }, { news: 'late', at, status })
    case 'alarmTime':
      return status === 'Propagating' || leftOpen(link) ? alarm(link, at) : link
    case 'expiry':
      return isUndecided(link) ? remove(unlook(link, at), at, 'Expired') : link
    case 'settleTime':
      return notApplied(link, at)
    case 'pinTime':
      return pin(link, at)
    case 'endingTime':
      return nudge(link, 'ending', at)
    case 'reminderTime':
      return nudge(link, 'reminder', at)
    case 'escalationTime':
      return link.asked.escalation ? nudge(link, 'escalation', at) : link
    case 'setBack':
      return setBack(link, at)
  }
}

/** What was sent did not arrive, and only a person can send it again: the decision is open as before. */
function notApplied(link: Link, at: Millis): Link {
  const { decision, ...rest } = link
  // Of several approvals the others still stand.
  const others = decision?.with ?? link.endorsements
  const undecided = { ...rest, ...(others && { endorsements: others }) }
  const sent = sentByPerson(link)
  const isOpen = link.stage.status === 'Pending' && beingSent(link) !== undefined
  const isTaken = link.stage.status === 'Approving'
  const by = isTaken ? decision?.by : sent?.by
  if (by === undefined || !(isOpen || isTaken)) return link
  const told = news(undecided, { news: 'notApplied', at, by, verdict: sent?.effect ?? 'approve' })
  const known: Link = sent ? { ...told, attempt: { ...sent, outcome: { is: 'notApplied', at } } } : told
  return isTaken ? stage(known, at, { status: 'Pending' }) : known
}
