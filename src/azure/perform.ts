/** One effect on Azure: one call on the wire, never repeated here, and what came of it. */
import type { Act, Azure, Outcome } from '../engine/ports.ts'
import { isWithin } from '../link/resourceId.ts'
import { within } from './deadline.ts'
import { type Call, failureOf } from './errors.ts'
import type { Reading } from './looks.ts'
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
        // The record names the vault that was asked for: a decision on another one is nobody's wish.
        if (!isWithin(act.vault, act.connection.id))
          return {
            is: 'failed',
            cause: { cause: 'connectionChanged' },
            log: 'The connection is not on the vault',
          }
        const status = act.effect === 'approve' ? 'Approved' : 'Rejected'
        await vaults.decide(act.connection, { status, description: act.description }, signal)
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
