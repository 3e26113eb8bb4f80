/** One effect on Azure: one write on the wire, never repeated here, and what came of it. */
import type { Act, Azure, Outcome } from '../engine/ports.ts'
import type { Cause, Connection } from '../link/link.ts'
import { isWithin, sameResource } from '../link/resourceId.ts'
import { within } from './deadline.ts'
import { type Call, failureOf } from './errors.ts'
import type { Look, Reading } from './looks.ts'
import { linkActions, linkId, type SharedPrivateLinks } from './sharedPrivateLinks.ts'
import { type VaultConnections, vaultActions } from './vaultConnections.ts'

function callOf(act: Act): Call {
  switch (act.effect) {
    case 'put':
      return { does: 'put', action: linkActions.write, scope: linkId(act.signalr, act.name) }
    case 'delete':
      return { does: 'delete', action: linkActions.delete, scope: linkId(act.signalr, act.name) }
    case 'approve':
    case 'reject':
      return { does: act.effect, action: vaultActions.writeConnection, scope: act.connection.id }
    default:
      return act satisfies never
  }
}

const failed = (cause: Cause, log: string): Outcome => ({ is: 'failed', cause, log })

function unseen(found: Exclude<Look<Connection>, { is: 'present' }>): Outcome {
  switch (found.is) {
    case 'absent':
      return failed({ cause: 'connectionGone' }, 'The connection is gone')
    case 'hidden':
      return failed(found.cause, 'The connection may not be seen')
    case 'silent': {
      const { cause, log, retryAfterMs } = found.failure
      return { is: 'failed', cause, log, ...(retryAfterMs !== undefined && { retryAfterMs }) }
    }
  }
}

/** A name can be given up and taken anew: read once more, an approval goes out only to what the look showed. */
function changedSince(looked: Connection, standing: Connection): Cause | undefined {
  if (!sameResource(looked.privateEndpoint, standing.privateEndpoint)) return { cause: 'connectionChanged' }
  return standing.status === looked.status ? undefined : { cause: 'decidedMeanwhile' }
}

export function createPerform(
  links: SharedPrivateLinks,
  vaults: VaultConnections,
  { deadlineMs, now }: Reading,
): Azure['perform'] {
  const run = async (act: Act, signal: AbortSignal): Promise<Outcome> => {
    switch (act.effect) {
      case 'put': {
        const operation = await links.put(act.signalr, act.name, act, signal)
        return { is: 'done', ...(operation !== undefined && { operation }) }
      }
      case 'delete':
        await links.delete(act.signalr, act.name, signal)
        return { is: 'done' }
      case 'approve':
      case 'reject': {
        const { connection } = act
        // The record names the vault that was asked for: a decision on another one is nobody's wish.
        if (!isWithin(act.vault, connection.id))
          return failed({ cause: 'connectionChanged' }, 'The connection is not on the vault')
        if (act.effect === 'reject') {
          await vaults.decide(connection, { status: 'Rejected', description: act.description }, signal)
          return { is: 'done' }
        }
        const standing = await vaults.getConnection(connection.id, signal)
        if (standing.is !== 'present') return unseen(standing)
        const changed = changedSince(connection, standing.value)
        if (changed) return failed(changed, 'The connection is not as the last look showed it')
        // The edit that the look knew, if it knew one: whatever came after it is a conflict.
        const etag = connection.etag ?? standing.value.etag
        const as = { ...connection, ...(etag !== undefined && { etag }) }
        await vaults.decide(as, { status: 'Approved', description: act.description }, signal)
        return { is: 'done' }
      }
      default:
        return act satisfies never
    }
  }
  return async (act, signal) => {
    try {
      return await within(deadlineMs, signal, (both) => run(act, both))
    } catch (error) {
      const { cause, retryAfterMs, log, missing } = failureOf(error, callOf(act), now())
      // What is gone needs no removal.
      if (missing && act.effect === 'delete') return { is: 'done' }
      return { is: 'failed', cause, ...(retryAfterMs !== undefined && { retryAfterMs }), log }
    }
  }
}
