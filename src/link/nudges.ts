/**
 * What people are told because time passes and nobody decides: reminders in the owners' thread, the same in a second
 * channel when they go unanswered, and a day ahead that the request is about to end.
 */
import type { Asked, Link, Millis, Nudge, Time } from './link.ts'
import { standingOf } from './places.ts'
import { beingSent } from './sent.ts'

/** When people work. A zone with daylight saving is for whoever has a calendar; the core has none. */
export type Working = {
  /** The first moment from `at` on in which they work. */
  readonly from: (at: Millis) => Millis
  /** The same time of the next day. */
  readonly nextDay: (at: Millis) => Millis
}

const day = 24 * 60 * 60_000
/** At any time of the day, by days that are all as long. */
export const anyTime: Working = { from: (at) => at, nextDay: (at) => at + day }

/** The next day's same time is never nearer than this: until then no calendar is asked. */
const shortestDay = 20 * 60 * 60_000

/** A day ahead, or half way where there are less than two. */
export const endsSoonAt = ({ at, expiresAt }: Asked): Millis =>
  expiresAt - Math.min(day, (expiresAt - at) / 2)

/** When the owners were asked, or the last of them approved where others have to as well: since then nobody answered. */
function unansweredSince({ since, ownersAskedAt, endorsements = [] }: Link): Millis {
  return Math.max(since, ownersAskedAt ?? since, ...endorsements.map(({ at }) => at))
}

/** Whether somebody in the owners' channel has something to decide, and the card to do it on. */
const isForOwners = (link: Link): boolean =>
  link.stage.status === 'Pending' &&
  !link.blocked &&
  !beingSent(link) &&
  !link.gone.includes('owners') &&
  standingOf(link.told.approval) !== undefined

/** Whether a request still runs out. */
export const isUndecided = ({ stage: { status } }: Link): boolean =>
  status === 'Requested' || status === 'Provisioning' || status === 'Pending'

/** Whether it is still true: what was not posted before it ceased to be is not posted any more. */
export function isStillTrue(link: Link, { nudge, at }: Nudge): boolean {
  if (nudge === 'ending') return isUndecided(link) && !beingSent(link)
  return isForOwners(link) && at >= unansweredSince(link)
}

/** Reminders since somebody last answered, in their order. */
export const unanswered = (link: Link): readonly Nudge[] =>
  (link.nudges ?? []).filter(({ nudge, at }) => nudge === 'reminder' && at >= unansweredSince(link))

export function nudgeTimes(
  link: Link,
  around: {
    readonly now: Millis
    readonly working: Working
    readonly limits: { readonly reminders?: { readonly afterMs: number; readonly escalateAfter: number } }
  },
): readonly { readonly what: Time; readonly at: Millis }[] {
  const { now, limits, working } = around
  const { nudges = [], asked } = link
  if (!isUndecided(link) || beingSent(link) || now >= asked.expiresAt) return []
  const ending = nudges.some(({ nudge }) => nudge === 'ending')
    ? []
    : [{ what: 'endingTime', at: endsSoonAt(asked) } as const]
  // One at a time: what waits for Teams, or for the morning, is not added to.
  const forOwners = nudges.filter((one) => one.nudge !== 'escalation')
  const waits = forOwners.some((one) => one.postedAt === undefined && isStillTrue(link, one))
  if (!limits.reminders || !isForOwners(link) || waits) return ending
  const { afterMs, escalateAfter } = limits.reminders
  const posted = forOwners.flatMap(({ postedAt }) => postedAt ?? [])
  const last = posted.length > 0 ? Math.max(...posted) : undefined
  const at = nextAt(unansweredSince(link) + afterMs, last, now, working)
  const mayEscalate = asked.escalation !== undefined && !nudges.some(({ nudge }) => nudge === 'escalation')
  const { length: count } = unanswered(link)
  const soon = endsSoonAt(asked)
  const escalations = mayEscalate
    ? [
        ...(count >= escalateAfter ? [at] : []),
        // Where time is short, one that was not answered is enough.
        ...(count > 0 ? [soon > now ? soon : working.from(now)] : []),
      ]
    : []
  return [
    ...ending,
    ...escalations.map((time) => ({ what: 'escalationTime', at: time }) as const),
    { what: 'reminderTime', at },
  ]
}

/** At most one on a day, and in working hours. */
function nextAt(earliest: Millis, last: Millis | undefined, now: Millis, working: Working): Millis {
  const surely = Math.max(earliest, last === undefined ? earliest : last + shortestDay)
  if (surely > now) return surely
  const at = last === undefined ? earliest : Math.max(earliest, working.nextDay(last))
  return at > now ? at : working.from(now)
}

/** Takes in that the time for one has come. */
export function nudge(link: Link, what: Nudge['nudge'], at: Millis): Link {
  const { nudges = [] } = link
  const due = what === 'ending' ? isUndecided(link) : isForOwners(link)
  const once = what !== 'reminder' && nudges.some((one) => one.nudge === what)
  return due && !once ? { ...link, nudges: [...nudges, { nudge: what, at }] } : link
}
