/**
 * What to do now: at most one Azure step, at most one message per place, or until when to wait. The same record
 * and the same moment always give the same answer, so a restart needs no recovery: a due record is just due.
 */
import { settlesWithin } from './causes.ts'
import type {
  ApproveAs,
  Connection,
  Effect,
  GonePlace,
  Limits,
  Link,
  Millis,
  PersonKey,
  Place,
  PostKey,
  Time,
} from './link.ts'
import { approvable, isAsPinned, isOurs, leftOpen, pinnedAmong } from './match.ts'
import { isUndecided, nudgeTimes, type Working } from './nudges.ts'
import { isCopy, standingOf } from './places.ts'
import { lookInterval, restInterval, restsFrom, stirredAt } from './rest.ts'
import { beingSent } from './sent.ts'
import { isAhead } from './setBack.ts'
import { isEnded, type Post, type View, viewSchema, views } from './views.ts'

export type Surroundings = {
  readonly now: Millis
  /** When the last look began; undefined before the first. */
  readonly lookedAt: Millis | undefined
  /** How long that look took, where this is known and it has just ended. */
  readonly lookTookMs?: Millis | undefined
  /** Since then it is said that something was written in Azure; no look has followed. */
  readonly hintedAt?: Millis | undefined
  readonly limits: Limits
  readonly working: Working
  /** Since when the clock goes steadily, where it was set: what began before may be younger than it looks. */
  readonly steadySince?: Millis | undefined
  /** As `approver` the worker sends no decision to Azure: it has no right to. */
  readonly approveAs: ApproveAs
  /** A short text that differs when the view's data differ. */
  readonly digest: (view: View) => string
}

export type AzureStep =
  | { readonly step: 'look' }
  | { readonly step: 'put' }
  | { readonly step: 'approve' | 'reject'; readonly connection: Connection }
  | { readonly step: 'delete' }
  /** The decision has grown old: read the rights of one who made it again. */
  | { readonly step: 'recheck'; readonly by: PersonKey }
  /** The owners' channel is gone: find who decides for the vault now. */
  | { readonly step: 'reroute' }

export type Destination =
  | { readonly how: 'post'; readonly conversation: string; readonly serviceUrl: string }
  | { readonly how: 'thread'; readonly channel: string; readonly serviceUrl: string }
  | { readonly how: 'personal'; readonly person: PersonKey; readonly serviceUrl: string }
  | {
      readonly how: 'update'
      readonly conversation: string
      readonly activity: string
      readonly serviceUrl: string
      /** A second card, which nobody misses if it is not there. */
      readonly copy?: true
    }
export type PlannedMessage = {
  readonly post: PostKey
  readonly view: View
  readonly digest: string
  readonly to: Destination
  /** The place to write off when Teams says that it is finally gone; a copy alone is let go of. */
  readonly place: GonePlace
  /** What waits for each other: the messages of a place. A copy holds up nothing else. */
  readonly lane: string
}

export type Plan = {
  readonly azure?: AzureStep
  /** A time that has come, to be folded in before anything else is done. */
  readonly passed?: Time
  readonly messages: readonly PlannedMessage[]
  /** When to come again if nothing happens before; undefined: never. */
  readonly wake?: Millis
}

export function next(link: Link, around: Surroundings): Plan {
  const { passed, wake: timer } = timers(link, around)
  const azure = azureStep(link, around)
  const telling = messages(link, around)
  const wakes = [timer, azure.wake, telling.wake].filter((at) => at !== undefined)
  return {
    ...(azure.step && { azure: azure.step }),
    ...(passed && { passed }),
    messages: telling.messages,
    ...(wakes.length > 0 && { wake: Math.min(...wakes) }),
  }
}

// ---- times that pass ---------------------------------------------------------------------------------

function timers(link: Link, around: Surroundings): { passed?: Plan['passed']; wake?: Millis } {
  const { now, lookedAt, limits, steadySince = 0 } = around
  const { status } = link.stage
  // Before anything else: what is ahead of the clock would be waited for.
  if (isAhead(link, now)) return { passed: 'setBack' }
  const shownBy = mustBeShownBy(link, around)
  const times: { what: Time; at: Millis }[] = [...nudgeTimes(link, around)]
  if (!link.late && !link.blocked) {
    if (status === 'Requested' || status === 'Provisioning') {
      times.push({ what: 'usualTime', at: link.asked.at + limits.usualProvisioningMs })
    } else if (status === 'Approving' || status === 'Propagating') {
      times.push({ what: 'usualTime', at: link.since + limits.usualPropagatingMs })
    } else if (status === 'Pending') {
      // Only when Azure could not be looked at since its end does it still wait then.
      times.push({ what: 'usualTime', at: link.asked.expiresAt + limits.usualProvisioningMs })
    } else if (status === 'Removing') {
      times.push({ what: 'usualTime', at: link.since + limits.usualProvisioningMs })
    }
  }
  // What SignalR says is approved is followed: then at most somebody has to clear up which it means.
  const followed = link.seen?.own.is === 'present' && link.seen.own.value.status === 'Approved'
  if (status === 'Propagating' && !link.alarmed && !followed)
    times.push({ what: 'alarmTime', at: link.since + limits.alarmMs })
  // Where only people decide, only they can close it.
  if (around.approveAs === 'approver' && !link.alarmed && leftOpen(link))
    times.push({ what: 'alarmTime', at: link.since + limits.alarmMs })
  // A look that shows nothing new is no fact, but moves `lookedAt`.
  const { sighted } = link
  if (status === 'Provisioning' && sighted && link.looked && lookedAt !== undefined) {
    const at = Math.max(sighted.since, steadySince) + limits.pinMs
    if (lookedAt >= at) times.push({ what: 'pinTime', at })
  }
  // Expiry looks once more: an approval that came first wins.
  const { expiresAt } = link.asked
  const lookedSince = lookedAt !== undefined && lookedAt >= expiresAt && link.looked
  if (isUndecided(link) && shownBy === undefined && (now < expiresAt || lookedSince))
    times.push({ what: 'expiry', at: expiresAt })
  if (shownBy !== undefined && isStillPending(link, lookedAt, shownBy))
    times.push({ what: 'settleTime', at: shownBy })
  const due = times.find(({ at }) => at <= now)
  if (due) return { passed: due.what }
  return times.length > 0 ? { wake: Math.min(...times.map(({ at }) => at)) } : {}
}

/** When Azure has to show what a person sent, or what nobody but a person can send; undefined when nothing waits so. */
function mustBeShownBy(link: Link, { approveAs, limits, steadySince = 0 }: Surroundings): Millis | undefined {
  const taken = link.stage.status === 'Approving' && approveAs === 'approver'
  if (!taken && !(link.stage.status === 'Pending' && beingSent(link))) return undefined
  return Math.max(link.unlookedAt, steadySince) + limits.settleMs
}

const isStillPending = (link: Link, lookedAt: Millis | undefined, by: Millis): boolean =>
  lookedAt !== undefined && lookedAt >= by && pinnedSeen(link)?.status === 'Pending'

// ---- Azure -------------------------------------------------------------------------------------------

type Chosen = { step?: AzureStep; wake?: Millis }

function azureStep(link: Link, around: Surroundings): Chosen {
  const { now, lookedAt, lookTookMs = 0, limits } = around
  if (isEnded(link.stage.status)) return {}
  const failure = link.attempt?.outcome.is === 'failed' ? link.attempt.outcome : undefined
  // Another instance's clock may be ahead: a look begun before the attempt it follows would not count.
  const notBefore = Math.max(link.unlookedAt, failure && !link.blocked ? failure.notBefore : 0)
  const effect = link.blocked ? undefined : wanted(link, around.approveAs)
  if (!link.looked || lookedAt === undefined)
    return now >= notBefore ? { step: { step: 'look' } } : { wake: notBefore }
  if (effect) {
    const earliest = notYet(link, effect.step, around)
    if (now < earliest) return lookAgain(link, around, earliest)
    // Where looks take longer than one stays fresh, nothing would ever be done.
    const fresh = Math.max(limits.freshLookMs, 2 * lookTookMs)
    if (Math.abs(now - lookedAt) > fresh || lookedAt < earliest) return { step: { step: 'look' } }
    const old = effect.step === 'approve' ? oldApprover(link, now - limits.freshDecisionMs) : undefined
    return { step: old === undefined ? effect : { step: 'recheck', by: old } }
  }
  const shownBy = mustBeShownBy(link, around)
  const rest = lookAgain(link, around, lookedAt < (shownBy ?? 0) ? shownBy : undefined)
  // Nobody may be found to ask for days: meanwhile the portal and the end of the request's time are looked for.
  const reroutes = link.gone.includes('owners') && link.stage.status === 'Pending' && !rest.step
  return reroutes ? { ...rest, step: { step: 'reroute' } } : rest
}

/** One of those who approved whose right was last read before `freshSince`. */
function oldApprover({ decision }: Link, freshSince: Millis): PersonKey | undefined {
  if (!decision) return undefined
  return [decision, ...(decision.with ?? [])].find(({ by, checkedAt }) => by && checkedAt < freshSince)?.by
}

/** The pinned connection as the last look showed it. */
const pinnedSeen = (link: Link): Connection | undefined =>
  link.seen?.connections.is === 'present' ? pinnedAmong(link, link.seen.connections.value) : undefined

/** The one thing that Azure should be asked to do, going by the last look. */
function wanted(
  link: Link,
  approveAs: ApproveAs,
): Exclude<AzureStep, { step: 'look' | 'recheck' | 'reroute' }> | undefined {
  const { seen, stage } = link
  if (!seen) return undefined
  const connection = pinnedSeen(link)
  switch (stage.status) {
    case 'Requested':
      return seen.own.is === 'absent' && seen.rivals.length === 0 && seen.connections.is === 'present'
        ? { step: 'put' }
        : undefined
    case 'Approving': {
      const asked = approvable(link, seen)
      return asked && approveAs === 'bot' ? { step: 'approve', connection: asked } : undefined
    }
    case 'Removing': {
      // What was opened in error is closed before anything else, and whatever stands on SignalR.
      const revokes = stage.outcome === 'Rejected' && link.decision?.takesBack !== undefined
      // Where only people decide, it is theirs to close in the portal, and nothing is said to be over before.
      if (revokes && connection?.status === 'Approved')
        return approveAs === 'bot' ? { step: 'reject', connection } : undefined
      const left = leftOpen(link)
      if (left) return approveAs === 'bot' ? { step: 'reject', connection: left } : undefined
      if (seen.own.is !== 'present' || !isOurs(link, seen.own.value)) return undefined
      const byCard = stage.outcome === 'Rejected' && link.decision?.where === 'card'
      // The owners said no to what was pinned; what has its name by now is not ours to decide on.
      if (byCard && approveAs === 'bot' && connection?.status === 'Pending' && isAsPinned(link, connection))
        return { step: 'reject', connection }
      // A link that is still being made or already being deleted refuses a DELETE: wait for it.
      const { provisioningState } = seen.own.value
      const settled =
        provisioningState === 'Succeeded' ||
        provisioningState === 'Failed' ||
        provisioningState === 'Canceled'
      return settled ? { step: 'delete' } : undefined
    }
    default:
      return undefined
  }
}

/**
 * The earliest moment for this effect: after a failure its not-before; after a success, what Azure needs to show it.
 * A decision whose answer was lost may still arrive: sent again too soon, it could override what an owner did since.
 */
function notYet(link: Link, effect: Effect, { limits, steadySince = 0 }: Surroundings): Millis {
  const { attempt } = link
  const settled = (since: Millis, within = limits.settleMs): Millis => Math.max(since, steadySince) + within
  // What is SignalR's goes from the vault soon after its link.
  if (effect === 'reject' && leftOpen(link) && attempt?.effect !== 'reject')
    return settled(Math.max(link.since, attempt?.outcome.is === 'done' ? attempt.outcome.at : 0))
  if (attempt?.effect !== effect) return 0
  const decides = effect === 'approve' || effect === 'reject'
  switch (attempt.outcome.is) {
    case 'underWay':
      return decides ? settled(attempt.at) : 0
    case 'done':
      return settled(attempt.outcome.at, settlesWithin(limits.settleMs, attempt.count))
    case 'notApplied':
      return attempt.outcome.at
    case 'failed': {
      const { at, cause, notBefore } = attempt.outcome
      return decides && cause.cause === 'unavailable' ? Math.max(notBefore, settled(at)) : notBefore
    }
  }
}

function lookAgain(
  link: Link,
  { now, lookedAt = now, hintedAt, limits }: Surroundings,
  notAfter?: Millis,
): Chosen {
  const usual = lookedAt + ownInterval(link, lookedAt, limits)
  const due = hintedAt === undefined ? usual : Math.min(usual, lookedAt + limits.hintMs)
  // At its end a request is looked at once more, however long the interval has grown.
  const { expiresAt } = link.asked
  const at = Math.min(due, notAfter ?? due, lookedAt < expiresAt && now < expiresAt ? expiresAt : due)
  if (lookedAt < expiresAt && now >= expiresAt) return { step: { step: 'look' } }
  return at <= now ? { step: { step: 'look' } } : { wake: at }
}

/**
 * How long after a look the next is due. What rested then is watched through the lists that show many links at once, and
 * looked at by itself only now and then.
 */
function ownInterval(link: Link, lookedAt: Millis, limits: Limits): number {
  const from = restsFrom(link, limits)
  return from !== undefined && lookedAt >= from
    ? restInterval(link, limits)
    : lookInterval(Math.max(0, lookedAt - stirredAt(link)), limits)
}

// ---- Teams -------------------------------------------------------------------------------------------

function messages(link: Link, around: Surroundings): { messages: PlannedMessage[]; wake?: Millis } {
  const planned: PlannedMessage[] = []
  const busy = new Set<string>()
  let wake: Millis | undefined
  for (const post of views(link, around.limits)) {
    const place = placeOf(link, post)
    if (!place) continue
    const copy = isCopy(post.post)
    const lane = copy ? post.post : place.key
    // One place hears one thing at a time, in order.
    if (busy.has(lane)) continue
    const told = link.told[post.post]
    const digest = around.digest(post.view)
    const standing = standingOf(told)
    if (standing && upToDate(link, post, standing, digest)) continue
    const opens = opensAt(link, post, around)
    if (opens === undefined) continue
    if (opens > around.now) {
      // It holds up nothing that may be said now.
      wake = Math.min(wake ?? opens, opens)
      continue
    }
    busy.add(lane)
    if (told?.is === 'failed' && told.notBefore > around.now) {
      wake = Math.min(wake ?? told.notBefore, told.notBefore)
      continue
    }
    const to: Destination = standing
      ? {
          how: 'update',
          conversation: standing.conversation,
          activity: standing.activity,
          serviceUrl: place.serviceUrl,
          ...(copy && { copy }),
        }
      : place.to
    planned.push({ post: post.post, view: post.view, digest, to, place: place.gone, lane })
  }
  return { messages: planned, ...(wake !== undefined && { wake }) }
}

/** From when on this may be said: some of it in working hours alone, or not any more. */
function opensAt({ asked }: Link, { view }: Post, { now, working }: Surroundings): Millis | undefined {
  if (view.view !== 'nudge') return now
  if (now >= asked.expiresAt) return undefined
  return view.nudge === 'ending' ? now : working.from(now)
}

function upToDate(
  link: Link,
  post: Post,
  standing: { digest: string; schema: number },
  digest: string,
): boolean {
  if (post.view.view === 'news' || post.view.view === 'nudge') return true
  if (standing.schema !== viewSchema && isEnded(link.stage.status)) return true
  return standing.digest === digest && standing.schema === viewSchema
}

type Writable = { key: string; to: Destination; gone: GonePlace; serviceUrl: string }

/** Where a post goes; undefined when nobody can be reached there any more. */
function placeOf(link: Link, { post, place }: Post): Writable | undefined {
  if (typeof place === 'object') {
    const gone: GonePlace = `follower-${place.follower}`
    const thread = link.followers[place.follower]?.thread
    if (!thread || link.gone.includes(gone)) return undefined
    const { conversation, serviceUrl } = thread
    return { key: gone, gone, serviceUrl, to: { how: 'post', conversation, serviceUrl } }
  }
  if (place === 'thread') {
    const { conversation, serviceUrl } = link.asked.thread
    if (!link.gone.includes('thread')) {
      return { key: 'thread', gone: 'thread', serviceUrl, to: { how: 'post', conversation, serviceUrl } }
    }
    if (link.gone.includes('requester')) return undefined
    return {
      key: 'thread',
      gone: 'requester',
      serviceUrl,
      to: { how: 'personal', person: link.asked.by, serviceUrl },
    }
  }
  if (place === 'escalation') return escalationOf(link)
  if (link.gone.includes('owners')) return undefined
  const { serviceUrl } = link.asked.owners.place
  const card = standingOf(link.told.approval)
  if (post !== 'approval' && card) {
    return {
      key: 'owners',
      gone: 'owners',
      serviceUrl,
      to: { how: 'post', conversation: card.conversation, serviceUrl },
    }
  }
  const to = begins(link.asked.owners.place)
  return { key: 'owners', gone: 'owners', serviceUrl, to }
}

/** A channel gets a thread of its own. */
const begins = ({ conversation, serviceUrl, kind }: Place): Destination =>
  kind === 'channel'
    ? { how: 'thread', channel: conversation, serviceUrl }
    : { how: 'post', conversation, serviceUrl }

/** What is told in the second channel later goes below what it was told first. */
function escalationOf({ asked: { escalation }, gone, told }: Link): Writable | undefined {
  if (!escalation || gone.includes('escalation')) return undefined
  const { serviceUrl } = escalation
  const first = (Object.keys(told) as PostKey[]).find((post) => post.startsWith('escalation/'))
  const conversation = first && standingOf(told[first])?.conversation
  const to: Destination =
    conversation === undefined ? begins(escalation) : { how: 'post', conversation, serviceUrl }
  return { key: 'escalation', gone: 'escalation', serviceUrl, to }
}
