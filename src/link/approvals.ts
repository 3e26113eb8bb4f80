/** How many different people have to approve, and whose approvals count. */
import type { Fact, Link, Millis, PersonKey, Refusal, Reread, Weighing } from './link.ts'

/** The tag on a vault that says how many different people have to approve a link to it. */
export const approversTag = 'vaultlink-approvers'

/** No tag: one. What is no number was meant to ask for more than one. */
export function approversNeeded(tags: Readonly<Record<string, string>>): number {
  // Azure keeps the case of a tag's name and compares without it.
  const [, value] = Object.entries(tags).find(([name]) => name.toLowerCase() === approversTag) ?? []
  if (value === undefined) return 1
  return /^\s*[1-9]\d?\s*$/.test(value) ? Number(value) : 2
}

/** How many more people have to approve before it is decided. */
export const stillMissing = ({ needs = 1, endorsements = [] }: Link): number => needs - endorsements.length

type ApproveWish = Weighing & { readonly by: PersonKey }
type Approval = Fact & { readonly fact: 'decided' | 'endorsed' }

/**
 * The approval of somebody who may decide. With enough others beside it, it decides; else it waits for them. An earlier
 * approval counts while its maker holds the right: read at that time if it is fresh, else read again.
 */
export function weigh(link: Link, wish: ApproveWish, now: Millis): Approval | Refusal {
  if (wish.needs.is === 'hidden') return { refusal: 'connection', cause: wish.needs.cause }
  if (wish.needs.is === 'absent') return { refusal: 'connection', cause: { cause: 'vaultGone' } }
  const { endorsements = [] } = link
  const before = endorsements.filter(({ by }) => by !== wish.by)
  if (before.length < endorsements.length) return { refusal: 'alreadyEndorsed', missing: stillMissing(link) }
  const reread: Reread[] = []
  for (const { by, checkedAt } of before) {
    const right = wish.others.find((other) => other.by === by)?.right
    if (!right && checkedAt >= wish.freshSince) continue
    // A right that nobody read is as good as one that could not be read.
    if (!right || right.is === 'unreadable') return { refusal: 'otherUnreadable', by }
    reread.push({ by, right: right.is })
  }
  const needs = Math.max(link.needs ?? 1, wish.needs.value)
  const lapsed = reread.filter(({ right }) => right === 'missing').length
  const about = { at: now, by: wish.by, ...(reread.length > 0 && { reread }) }
  return before.length - lapsed + 1 >= needs
    ? { fact: 'decided', verdict: 'approve', ...about }
    : { fact: 'endorsed', needs, ...about }
}

/** The earlier approvals that a press leaves standing. */
export const standingEndorsements = (
  { endorsements = [] }: Link,
  {
    at,
    by,
    reread = [],
  }: { readonly at: Millis; readonly by?: PersonKey; readonly reread?: readonly Reread[] },
): NonNullable<Link['endorsements']> =>
  endorsements.flatMap((one) => {
    if (one.by === by) return []
    const again = reread.find((other) => other.by === one.by)
    if (!again) return [one]
    return again.right === 'held' ? [{ ...one, checkedAt: at }] : []
  })
