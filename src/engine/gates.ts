/** Gates keep writes serial where Azure is serial: one for each SignalR and each vault. */
import type { Effect, Link, LinkId, Millis } from '../link/link.ts'
import { pinnedAmong } from '../link/match.ts'
import { resourceKey } from '../link/resourceId.ts'
import type { Gate } from './ports.ts'

/** A write is seen settled within this time, or its gate opens all the same. */
export const longestGateMs = 15 * 60_000

/** By how much another instance's clock may be ahead. */
export const skewMs = 5 * 60_000

/** Whether somebody else's write is under way there. What is shut for longer than can be was so by a clock since set back. */
export const isShut = ({ holder, until }: Gate, by: LinkId, now: Millis): boolean =>
  holder !== by && until > now && until <= now + longestGateMs + skewMs

export const gateKey = (link: Pick<Link, 'asked'>, effect: Effect): string =>
  effect === 'put' || effect === 'delete'
    ? `signalr ${resourceKey(link.asked.signalr)}`
    : `vault ${resourceKey(link.asked.vault)}`

/** The gates that the newest look shows settled: nothing of ours is still being written there. */
export function settledGates(link: Link, held: readonly Gate[]): readonly string[] {
  const { seen } = link
  if (!seen) return []
  const own =
    seen.own.is === 'present'
      ? seen.own.value.provisioningState
      : seen.own.is === 'absent'
        ? 'Succeeded'
        : 'Unknown'
  const connection = seen.connections.is === 'present' ? pinnedAmong(link, seen.connections.value) : undefined
  const settled = {
    [gateKey(link, 'put')]: own === 'Succeeded' || own === 'Failed' || own === 'Canceled',
    [gateKey(link, 'approve')]: connection?.provisioningState !== 'Updating',
  }
  return held.map(({ key }) => key).filter((key) => settled[key])
}
