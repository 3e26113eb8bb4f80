/** Whether what was last seen is on its way to something else: then it is looked at soon again, also where a link stands. */
import type { Connection, Link } from './link.ts'
import { pinnedAmong } from './match.ts'

export function isMoving(link: Link): boolean {
  const { seen } = link
  if (!seen) return false
  const own = seen.own.is === 'present' ? seen.own.value : undefined
  const connection = seen.connections.is === 'present' ? pinnedAmong(link, seen.connections.value) : undefined
  return (
    own?.provisioningState === 'Deleting' ||
    (connection !== undefined && isChanging(connection)) ||
    // SignalR follows the vault within minutes, and nothing tells when it has.
    (own !== undefined && connection?.status === 'Approved' && own.status !== 'Approved')
  )
}

/** SignalR may say Approved before the vault is settled, and until then nothing else is written to that vault. */
const isChanging = ({ provisioningState }: Connection): boolean =>
  provisioningState === 'Updating' || provisioningState === 'Deleting'
