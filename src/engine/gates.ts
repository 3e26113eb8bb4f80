/** Gates keep writes serial where Azure is serial: one for each SignalR and each vault. */
import type { Connection, Effect, Link, LinkId, Millis, Seen } from '../link/link.ts'
import { isGone, pinnedAmong } from '../link/match.ts'
import { resourceKey } from '../link/resourceId.ts'
import { skewMs } from '../link/setBack.ts'
import { isEnded } from '../link/views.ts'
import type { Gate } from './ports.ts'

/** A write is seen settled within this time, or its gate opens all the same. */
export const longestGateMs = 15 * 60_000

/** Whether somebody else's write is under way there. What is shut for longer than can be was so by a clock since set back. */
export const isShut = ({ holder, until }: Gate, by: LinkId, now: Millis): boolean =>
  holder !== by && until > now && until <= now + longestGateMs + skewMs

export const gateKey = (link: Pick<Link, 'asked'>, effect: Effect): string =>
  effect === 'put' || effect === 'delete'
    ? `signalr ${resourceKey(link.asked.signalr)}`
    : `vault ${resourceKey(link.asked.vault)}`

/** Where the first of those who wait at a busy gate stands: without a place, whoever comes often would always be before it. */
export const lineKey = (gate: string): string => `next ${gate}`

/**
 * Whether a link may go in at a gate now. Whoever is inside goes on; whoever comes while another is next in line waits, as
 * at a gate that is shut. `isNext`: it waits, and the place in line is its own or nobody's.
 */
export function atGate(
  gates: readonly Gate[],
  key: string,
  by: LinkId,
  now: Millis,
): { readonly is: 'open' } | { readonly is: 'busy'; readonly isNext: boolean } {
  const isAnothers = (one: string): boolean => gates.some((gate) => gate.key === one && isShut(gate, by, now))
  const isInside = gates.some((gate) => gate.key === key && gate.holder === by && gate.until > now)
  const isNext = !isAnothers(lineKey(key))
  return isInside || (isNext && !isAnothers(key)) ? { is: 'open' } : { is: 'busy', isNext }
}

type Looked = {
  /** When the look began that the record last took in. */
  readonly lookedAt: Millis
  /** How long after a write Azure may still show the old state. */
  readonly settleMs: Millis
}

/** The gates that a look shows settled: nothing of ours is still being written there, and what was written is seen. */
export function settledGates(link: Link, held: readonly Gate[], looked: Looked): readonly string[] {
  const { seen } = link
  if (!seen) return []
  const own = seen.own.is === 'present' ? seen.own.value.provisioningState : seen.own.is
  const connection = seen.connections.is === 'present' ? pinnedAmong(link, seen.connections.value) : undefined
  const unseen = notYetSeen(link, seen, connection, looked)
  const settled = {
    [gateKey(link, 'put')]: ['absent', 'Succeeded', 'Failed', 'Canceled'].includes(own),
    [gateKey(link, 'approve')]: connection?.provisioningState !== 'Updating',
  }
  return held.map(({ key }) => key).filter((key) => settled[key] && key !== unseen)
}

/** The gate of a write that Azure may have taken and need not show yet. */
function notYetSeen(
  link: Link,
  seen: Seen,
  connection: Connection | undefined,
  { lookedAt, settleMs }: Looked,
): string | undefined {
  const { attempt } = link
  if (!attempt || isEnded(link.stage.status)) return undefined
  const { effect, outcome } = attempt
  const isRefused = outcome.is === 'failed' && outcome.cause.cause !== 'unavailable'
  const shows = {
    put: !isGone(link, seen),
    delete: isGone(link, seen),
    approve: connection?.status === 'Approved',
    reject: connection?.status === 'Rejected',
  }
  if (isRefused || outcome.is === 'notApplied' || shows[effect]) return undefined
  const since = outcome.is === 'underWay' ? attempt.at : outcome.at
  return lookedAt < since + settleMs ? gateKey(link, effect) : undefined
}
