/**
 * Links at rest: nothing of theirs is in motion and nobody has touched them for a while, so that the lists of a
 * subscription, which show many at once, tell whether one of them is worth a look of its own.
 */
import type { Connection, Limits, Link, LinkId, Millis, SharedPrivateLink } from './link.ts'
import { bears } from './match.ts'
import { isMoving } from './motion.ts'
import { resourceKey, resourceName, sameResource } from './resourceId.ts'
import { beingSent } from './sent.ts'

/** How many times longer than the longest interval of what is watched closely an interval may grow. */
const growth = 5

/** When something last changed in Azure, or was done or decided that may change it. What is only told changes nothing. */
export const stirredAt = ({ since, unlookedAt, seen }: Link): Millis =>
  Math.max(since, unlookedAt, seen?.at ?? 0)

/** Soon while something is fresh, seldom when nothing has moved for hours. */
export function lookInterval(still: Millis, { firstLookMs, longestLookMs }: Limits): number {
  const close = Math.min(longestLookMs, Math.max(firstLookMs, Math.round(still / 5)))
  return Math.min(growth * longestLookMs, Math.max(close, Math.round(still / 60)))
}

/** From when on the link rests if nothing happens; undefined while something has to happen first. */
export function restsFrom(link: Link, limits: Limits): Millis | undefined {
  if (!link.looked) return undefined
  switch (link.stage.status) {
    case 'Approved':
    case 'Disconnected':
      return isMoving(link) ? stirredAt(link) + limits.usualPropagatingMs : link.since
    case 'Pending':
      // The same look means more once enough time has passed since another connection left.
      return beingSent(link) || link.partedAt !== undefined
        ? undefined
        : stirredAt(link) + growth * limits.longestLookMs
    default:
      return undefined
  }
}

/**
 * How long a resting link does without a look of its own. Spread by its id: what began to rest in one moment, as after an
 * outage, is not looked at in one moment.
 */
export function restInterval({ id }: Link, { restLookMs }: Limits): number {
  const share = [...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1_009, 0) / 1_009
  return Math.round(restLookMs * (1 - share / 4))
}

/** What is remembered of a link at rest: where it shows, and how it looked when it was last looked at. */
export type AtRest = {
  readonly id: LinkId
  readonly stirredAt: Millis
  readonly signalr: string
  readonly name: string
  readonly vault: string
  readonly nonce: string
  readonly pinned?: { readonly connection: string; readonly privateEndpoint: string }
  readonly own: string
  readonly onVault: string
  readonly vaultIsPublic?: boolean
}

/** What is said of a half that shows nothing there; a hidden one looks like nothing that a list can show. */
export const nothing = 'nothing'
const hidden = 'hidden'

export function atRest(link: Link): AtRest {
  const { asked, pinned, seen } = link
  const known = {
    id: link.id,
    stirredAt: stirredAt(link),
    signalr: resourceKey(asked.signalr),
    name: asked.name.toLowerCase(),
    vault: resourceKey(asked.vault),
    nonce: asked.nonce.toLowerCase(),
    ...(pinned && {
      pinned: {
        connection: resourceKey(pinned.connection),
        privateEndpoint: resourceKey(pinned.privateEndpoint),
      },
    }),
  }
  return {
    ...known,
    own:
      !seen || seen.own.is === 'hidden'
        ? hidden
        : ownOf(known, seen.own.is === 'present' ? [seen.own.value] : []),
    onVault:
      !seen || seen.connections.is === 'hidden'
        ? hidden
        : onVaultOf(known, seen.connections.is === 'present' ? seen.connections.value : []),
    ...(seen?.vaultIsPublic !== undefined && { vaultIsPublic: seen.vaultIsPublic }),
  }
}

type Known = Pick<AtRest, 'name' | 'vault' | 'nonce' | 'pinned'>

/** How the link's own side looks among all the links of its SignalR: equal texts, the same picture. */
export function ownOf({ name, vault, nonce }: Known, links: readonly SharedPrivateLink[]): string {
  const own = links.find((one) => one.name.toLowerCase() === name)
  if (!own) return nothing
  const { target, requestMessage, provisioningState, status } = own
  const whose = `${sameResource(target, vault) ? '' : resourceKey(target)} ${bears(nonce, requestMessage)}`
  return `${whose} ${provisioningState} ${status}`
}

/** How the vault's side looks, among connections that may be its own. */
export function onVaultOf({ nonce, pinned }: Known, connections: readonly Connection[]): string {
  const ours = connections.flatMap((one) => {
    const key = resourceKey(one.id)
    const marked = bears(nonce, one.description)
    if (key !== pinned?.connection && !marked) return []
    const endpoint = resourceKey(one.privateEndpoint)
    const which = key === pinned?.connection ? 'pinned' : resourceName(key)
    const behind = endpoint === pinned?.privateEndpoint ? 'same' : endpoint
    return [`${which} ${behind} ${marked} ${one.provisioningState} ${one.status}`]
  })
  return ours.length === 0 ? nothing : ours.sort().join('\n')
}

/** Whose marks a description bears, lower-cased. */
export const marksIn = (description: string): readonly string[] =>
  [...description.toLowerCase().matchAll(/\[vaultlink ([^\]]*)\]/g)].flatMap(([, nonce]) => nonce ?? [])
