/** Whose vault is it: which channel decides, and why. Never the requester's choice. */
import type { Millis, Place, Route } from './link.ts'

/** The tag on a vault whose value is the id of the channel that decides for it. */
export const ownersTag = 'vaultlink-owners'
/** The tag whose value is the id of the channel that hears of it when the owners do not answer. */
export const escalationTag = 'vaultlink-escalation'

/** What a team said with `own` comes before the vault's tag, and the tag before the tenant's default channel. */
export function route(known: {
  readonly owned: { readonly place: Place; readonly since: Millis } | undefined
  readonly tagged: Place | undefined
  readonly fallback: Place | undefined
}): Route | undefined {
  if (known.owned) return { place: known.owned.place, because: { is: 'owned', since: known.owned.since } }
  if (known.tagged) return { place: known.tagged, because: { is: 'tagged' } }
  if (known.fallback) return { place: known.fallback, because: { is: 'default' } }
  return undefined
}

/** The second channel: the vault's tag comes before the tenant's. Where the owners are asked already, there is none. */
export function escalation(known: {
  readonly tagged: Place | undefined
  readonly fallback: Place | undefined
  readonly owners: Place
}): Place | undefined {
  const place = known.tagged ?? known.fallback
  return place?.conversation === known.owners.conversation ? undefined : place
}
