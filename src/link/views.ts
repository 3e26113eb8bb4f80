/**
 * What each place in Teams should show of a link, as data without words. A view whose data differ from what
 * was last posted there is work to do; replies (`news`) are posted once and never changed.
 */
import { stillMissing } from './approvals.ts'
import type {
  Cause,
  ConnectionState,
  Decision,
  Ended,
  Link,
  LinkId,
  Millis,
  News,
  Nudge,
  PersonKey,
  PostKey,
  ProvisioningState,
  Route,
  Status,
  TextKey,
} from './link.ts'
import { isStillTrue, unanswered } from './nudges.ts'
import { cardOf, isCopy, standingOf } from './places.ts'

/** Grows when the same data come to be drawn otherwise; ended links are not redrawn for it. */
export const viewSchema = 1

export type StepName = 'requested' | 'created' | 'decided' | 'approvedOnVault' | 'approvedOnSignalr'
export type Sign = 'done' | 'now' | 'next' | 'failed' | 'skipped'
export type Step = { readonly step: StepName; readonly sign: Sign }

/** Where several have to approve: who did, and how many more have to. */
export type Approvals = { readonly by: readonly PersonKey[]; readonly missing: number }

/** What the link waits for, and until when that is usual (or, for the owner, possible). */
export type Waiting =
  | { readonly for: 'creation'; readonly until: Millis; readonly late: boolean }
  | { readonly for: 'owner'; readonly until: Millis; readonly approvals?: Approvals }
  | { readonly for: 'approvalOnVault'; readonly until: Millis; readonly late: boolean }
  | {
      readonly for: 'signalr'
      readonly until: Millis
      readonly late: boolean
      /** The wrong connection may be open. */
      readonly alarmed?: true
    }
  | { readonly for: 'removal'; readonly outcome: Ended }
  /** A person has to act first. */
  | { readonly for: 'retry'; readonly cause: Cause }

type Pair = { readonly link: LinkId; readonly signalr: string; readonly vault: string; readonly name: string }

/** The status card in the requester's thread. */
export type StatusView = Pair & {
  readonly view: 'status'
  readonly status: Status
  readonly steps: readonly Step[]
  readonly waits?: Waiting
  readonly cause?: Cause
  readonly by: PersonKey
  readonly askedAt: Millis
  readonly reason?: TextKey
  readonly nonce: string
  readonly decision?: Decision
  /** Who cancelled or unlinked. */
  readonly endedBy?: PersonKey
  readonly provisioningState?: ProvisioningState
  readonly connectionState?: ConnectionState
  readonly functionalAt?: Millis
  readonly vaultIsPublic?: boolean
  readonly actions: readonly ('cancel' | 'retry')[]
}

/** The approval card in the owners' channel. While it is open nothing in it changes: somebody may be typing in it. */
export type ApprovalView = Pair & {
  readonly view: 'approval'
  readonly phase: /** `again`: the last answer was sent by a person as themselves, and did not arrive. */
    | {
        readonly is: 'open'
        readonly answerBy: Millis
        readonly again?: true
        readonly approvals?: Approvals
      }
    | { readonly is: 'approving'; readonly retry?: Cause }
    /** `alarmed`: SignalR does not follow, and the connection may be rejected. */
    | { readonly is: 'propagating'; readonly alarmed?: true }
    | { readonly is: 'works'; readonly since: Millis }
    | { readonly is: 'disconnected' }
    | { readonly is: 'ending'; readonly outcome: Ended }
    | { readonly is: 'ended'; readonly outcome: Ended; readonly cause?: Cause }
  readonly by: PersonKey
  readonly askedAt: Millis
  readonly reason?: TextKey
  readonly nonce: string
  readonly connection: string
  readonly because: Route['because']
  readonly decision?: Decision
  readonly endedBy?: PersonKey
}

/** A reply in a thread that tells one piece of news. */
export type NewsView = Pair & {
  readonly view: 'news'
  readonly to: 'requester' | 'owners' | 'follower'
  /** Whom the reply mentions. */
  readonly mentions?: PersonKey
  readonly news: News
  readonly by: PersonKey
  readonly decision?: Decision
  readonly functionalAt?: Millis
  readonly vaultIsPublic?: boolean
}

/** What is told because time passes: in the owners' thread, the requester's, or in the second channel. */
export type NudgeView = Pair & {
  readonly view: 'nudge'
  readonly to: 'requester' | 'owners' | 'escalation'
  readonly nudge: Nudge['nudge']
  readonly status: Status
  readonly by: PersonKey
  readonly reason?: TextKey
  readonly askedAt: Millis
  readonly endsAt: Millis
  /** How many reminders nobody answered, this one included. */
  readonly reminders: number
  readonly isEscalated: boolean
  readonly approvals?: Approvals
}
export type View = StatusView | ApprovalView | NewsView | NudgeView

export type Post = {
  readonly post: PostKey
  readonly place: 'thread' | 'owners' | 'escalation' | { readonly follower: number }
  readonly view: View
}

const stepNames: readonly StepName[] = [
  'requested',
  'created',
  'decided',
  'approvedOnVault',
  'approvedOnSignalr',
]

/** How many of the five steps the link has behind it. */
function stepsDone(link: Link): number {
  if (link.functionalAt !== undefined) return 5
  if (link.vaultApprovedAt !== undefined) return 4
  if (link.decision?.verdict === 'approve') return 3
  if (link.pinned) return 2
  return 1
}

const endedStatuses: readonly Status[] = ['Rejected', 'Cancelled', 'Expired', 'Failed', 'Removed']
/** Ended: nothing of it is left in Azure, and it is looked at no more. */
export const isEnded = (status: Status): status is Ended => endedStatuses.includes(status)

export function steps(link: Link): readonly Step[] {
  const done = stepsDone(link)
  const { status } = link.stage
  return stepNames.map((step, index) => {
    if (status === 'Disconnected' && step === 'approvedOnSignalr') return { step, sign: 'failed' }
    if (index < done) return { step, sign: 'done' }
    if (index > done) return { step, sign: isEnded(status) || status === 'Removing' ? 'skipped' : 'next' }
    return { step, sign: isEnded(status) || status === 'Removing' || link.blocked ? 'failed' : 'now' }
  })
}

/** What the link waits for now; undefined when it waits for nothing. The usual times are those of `limits`. */
function waiting(link: Link, usual: UsualTimes): Waiting | undefined {
  if (link.blocked) return { for: 'retry', cause: link.blocked.cause }
  const { stage, since, late } = link
  switch (stage.status) {
    case 'Requested':
    case 'Provisioning':
      return { for: 'creation', until: link.asked.at + usual.usualProvisioningMs, late }
    case 'Pending':
      return { for: 'owner', until: link.asked.expiresAt, ...has('approvals', approvals(link)) }
    case 'Approving':
      return { for: 'approvalOnVault', until: since + usual.usualPropagatingMs, late }
    case 'Propagating':
      return {
        for: 'signalr',
        until: since + usual.usualPropagatingMs,
        late,
        ...(mayRevoke(link) && { alarmed: true }),
      }
    case 'Removing':
      return { for: 'removal', outcome: stage.outcome }
    default:
      return undefined
  }
}
export type UsualTimes = { readonly usualProvisioningMs: number; readonly usualPropagatingMs: number }

const approvals = (link: Link): Approvals | undefined =>
  (link.needs ?? 1) > 1
    ? { by: (link.endorsements ?? []).map(({ by }) => by), missing: stillMissing(link) }
    : undefined

const pair = (link: Link): Pair => ({
  link: link.id,
  signalr: link.asked.signalr,
  vault: link.asked.vault,
  name: link.asked.name,
})
const has = <K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V }

const cause = (link: Link): Cause | undefined => {
  if (link.blocked) return link.blocked.cause
  if (link.stage.status === 'Removing' || isEnded(link.stage.status))
    return 'cause' in link.stage ? link.stage.cause : undefined
  if (link.seen?.own.is === 'hidden') return link.seen.own.cause
  if (link.seen?.connections.is === 'hidden') return link.seen.connections.cause
  return undefined
}
const endedBy = (link: Link): PersonKey | undefined => ('by' in link.stage ? link.stage.by : undefined)

/** Whether a person may still take the request back: nothing functional stands yet, and it is not ending. */
export const canCancel = (status: Status): boolean =>
  ['Requested', 'Provisioning', 'Pending', 'Approving', 'Propagating'].includes(status)

/** Whether the approved connection may be rejected: the alarm was raised, and no look has shown SignalR following. */
export const mayRevoke = ({ stage, alarmed, pinned, seen }: Link): boolean =>
  stage.status === 'Propagating' &&
  alarmed &&
  pinned !== undefined &&
  !(seen?.own.is === 'present' && seen.own.value.status === 'Approved')

export function statusView(link: Link, usual: UsualTimes): StatusView {
  const { asked, stage } = link
  const own = link.seen?.own
  const actions: ('cancel' | 'retry')[] = []
  if (link.blocked) actions.push('retry')
  if (canCancel(stage.status)) actions.push('cancel')
  return {
    view: 'status',
    ...pair(link),
    status: stage.status,
    steps: steps(link),
    ...has('waits', waiting(link, usual)),
    ...has('cause', cause(link)),
    by: asked.by,
    askedAt: asked.at,
    ...has('reason', asked.reason),
    nonce: asked.nonce,
    ...has('decision', link.decision),
    ...has('endedBy', endedBy(link)),
    ...has('provisioningState', own?.is === 'present' ? own.value.provisioningState : undefined),
    ...has('connectionState', own?.is === 'present' ? own.value.status : undefined),
    ...has('functionalAt', link.functionalAt),
    // Said of a link that works: before, it would only redraw the card.
    ...has('vaultIsPublic', link.functionalAt === undefined ? undefined : link.seen?.vaultIsPublic),
    actions,
  }
}

function phase(link: Link): ApprovalView['phase'] | undefined {
  const { stage } = link
  switch (stage.status) {
    case 'Requested':
    case 'Provisioning':
      return undefined
    case 'Pending':
      return {
        is: 'open',
        answerBy: link.asked.expiresAt,
        ...(link.attempt?.outcome.is === 'notApplied' && { again: true }),
        ...has('approvals', approvals(link)),
      }
    case 'Approving':
      return { is: 'approving', ...has('retry', link.blocked?.cause) }
    case 'Propagating':
      return { is: 'propagating', ...(mayRevoke(link) && { alarmed: true }) }
    case 'Approved':
      return { is: 'works', since: link.functionalAt ?? link.since }
    case 'Disconnected':
      return { is: 'disconnected' }
    case 'Removing':
      return { is: 'ending', outcome: stage.outcome }
    default:
      return { is: 'ended', outcome: stage.status, ...has('cause', stage.cause) }
  }
}

function approvalView(link: Link): ApprovalView | undefined {
  const { asked, pinned } = link
  const now = phase(link)
  if (!pinned || !now) return undefined
  return {
    view: 'approval',
    ...pair(link),
    phase: now,
    by: asked.by,
    askedAt: asked.at,
    ...has('reason', asked.reason),
    nonce: asked.nonce,
    connection: pinned.connection,
    because: asked.owners.because,
    ...has('decision', link.decision),
    ...has('endedBy', endedBy(link)),
  }
}

/** Who is told what in a reply. The owners hear only of what they were asked about. */
function audience(news: News): readonly ('requester' | 'owners' | 'follower')[] {
  switch (news.news) {
    case 'approved':
    case 'ended':
    case 'disconnected':
    case 'unfollowed':
      return ['requester', 'owners', 'follower']
    case 'blocked':
      return ['requester', 'owners']
    case 'askAgain':
    case 'notApplied':
      return ['owners']
    case 'late':
    case 'ownersGone':
    case 'unasked':
      return ['requester']
  }
}

function newsView(link: Link, news: News, to: NewsView['to'], mentions: PersonKey | undefined): NewsView {
  return {
    view: 'news',
    ...pair(link),
    to,
    ...has('mentions', mentions),
    news,
    by: link.asked.by,
    ...has('decision', link.decision),
    ...has('functionalAt', link.functionalAt),
    ...has('vaultIsPublic', link.seen?.vaultIsPublic),
  }
}

/** Whether this post was ever made and, as far as we know, is still there. */
const standsInTeams = (link: Link, post: PostKey): boolean => standingOf(link.told[post]) !== undefined

const asksSomething = ({ phase }: ApprovalView): boolean =>
  phase.is === 'open' || (phase.is === 'propagating' && phase.alarmed === true)

const nudgeAudience = {
  reminder: ['owners'],
  escalation: ['escalation'],
  ending: ['requester', 'owners'],
} as const

/** What time brought and is still true; what was told and is not true any more stays where it stands. */
function nudgePosts(link: Link, wasAsked: boolean): readonly Post[] {
  const { nudges = [], asked } = link
  return nudges.flatMap((nudge, index) => {
    if (!isStillTrue(link, nudge)) return []
    const view = (to: NudgeView['to']): NudgeView => ({
      view: 'nudge',
      ...pair(link),
      to,
      nudge: nudge.nudge,
      status: link.stage.status,
      by: asked.by,
      ...has('reason', asked.reason),
      askedAt: asked.at,
      endsAt: asked.expiresAt,
      reminders: unanswered(link).filter(({ at }) => at <= nudge.at).length,
      isEscalated: nudges.some((one) => one.nudge === 'escalation'),
      ...has('approvals', approvals(link)),
    })
    return nudgeAudience[nudge.nudge].flatMap((to): Post[] => {
      if (to === 'owners' && !wasAsked) return []
      const place = to === 'requester' ? 'thread' : to
      return [{ post: `${place}/nudge-${index}`, place, view: view(to) }]
    })
  })
}

/** All that should stand in Teams of this link, the two cards first, then the replies in their order, then second cards. */
export function views(link: Link, usual: UsualTimes): readonly Post[] {
  const posts: Post[] = [{ post: 'status', place: 'thread', view: statusView(link, usual) }]
  const approval = approvalView(link)
  const wasAsked = standsInTeams(link, 'approval')
  const wasEscalated = (link.nudges ?? []).some((_, index) =>
    standsInTeams(link, `escalation/nudge-${index}`),
  )
  // An approval card is begun only for what still asks something; one that was posted follows to the end.
  if (approval && (wasAsked || asksSomething(approval)))
    posts.push({ post: 'approval', place: 'owners', view: approval })
  link.news.forEach((news, index) => {
    for (const to of audience(news)) {
      if (to === 'requester') {
        posts.push({
          post: `thread/${index}`,
          place: 'thread',
          view: newsView(link, news, to, link.asked.by),
        })
      } else if (to === 'owners') {
        const mentions = news.news === 'askAgain' || news.news === 'notApplied' ? news.by : undefined
        if (wasAsked)
          posts.push({ post: `owners/${index}`, place: 'owners', view: newsView(link, news, to, mentions) })
        if (wasEscalated && (news.news === 'approved' || news.news === 'ended'))
          posts.push({
            post: `escalation/${index}`,
            place: 'escalation',
            view: newsView(link, news, to, undefined),
          })
      } else {
        link.followers.forEach((follower, place) => {
          if (index < (follower.since ?? 0)) return
          posts.push({
            post: `follower-${place}/${index}`,
            place: { follower: place },
            view: newsView(link, news, to, follower.by),
          })
        })
      }
    }
  })
  posts.push(...nudgePosts(link, wasAsked))
  const firsts = posts.filter(({ post }) => post === 'status' || post === 'approval')
  for (const post of (Object.keys(link.told) as PostKey[]).filter(isCopy)) {
    const first = firsts.find((one) => one.post === cardOf(post))
    if (first && standsInTeams(link, post)) posts.push({ ...first, post })
  }
  return posts
}
