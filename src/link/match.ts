/** Which private endpoint connection is ours: the one that bears our nonce, and after the first match the pinned one. */
import { nameless, namelessCause } from './causes.ts'
import type { Cause, Connection, Link, Pinned, Seen, SharedPrivateLink, Sighting } from './link.ts'
import { sameResource, subscriptionOf } from './resourceId.ts'

const longestText = 95

const mark = (nonce: string): string => `[vaultlink ${nonce}]`

/** The request message that SignalR carries to the vault: people's words, then our mark; at most 140 characters. */
export function requestMessage(words: string | undefined, nonce: string): string {
  // Words that bear another request's mark would make that one's connection ambiguous.
  // Azure counts UTF-16 units; half a pair at the cut would be no character at all.
  const text = (words?.trim() || 'please approve')
    // `u`: what becomes a letter of the mark in another case, as the Kelvin sign does, is one.
    .replace(/\[(?=vaultlink )/giu, '(')
    .slice(0, longestText)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trim()
  return `${text} ${mark(nonce)}`
}

/** What stands on the connection after a decision: deciding overwrites the description, so the mark is repeated. */
export const decisionMessage = (verdict: 'approve' | 'reject', nonce: string): string =>
  `${verdict === 'approve' ? 'Approved' : 'Rejected'} through Vaultlink ${mark(nonce)}`

/** What a look showed, without people's words and names: of messages only our mark is kept, so that words can be forgotten. */
export function withoutWords(nonce: string, seen: Seen): Seen {
  const only = (text: string): string => (bears(nonce, text) ? mark(nonce) : '')
  const link = (found: SharedPrivateLink): SharedPrivateLink => ({
    ...found,
    requestMessage: only(found.requestMessage),
  })
  const of = <T>(sighting: Sighting<T>, without: (value: T) => T): Sighting<T> => {
    switch (sighting.is) {
      case 'present':
        return { ...sighting, value: without(sighting.value) }
      case 'hidden':
        return { ...sighting, cause: namelessCause(sighting.cause) }
      case 'absent':
        return sighting
    }
  }
  const { own, rivals, connections, operation } = seen
  return {
    ...seen,
    own: of(own, link),
    rivals: rivals.map(link),
    connections: of(connections, (all) => all.map((one) => ({ ...one, description: only(one.description) }))),
    ...(operation?.message !== undefined && {
      operation: { ...operation, message: nameless(operation.message) },
    }),
  }
}

/** Azure may change the case of what it passes on. */
export const bears = (nonce: string, text: string): boolean =>
  text.toLowerCase().includes(mark(nonce).toLowerCase())

/** Whether a link found under our name is the one we made: our target, and our mark. */
export const isOurs = (link: Link, found: SharedPrivateLink): boolean =>
  sameResource(found.target, link.asked.vault) && bears(link.asked.nonce, found.requestMessage)

export type Match =
  | { readonly is: 'none' }
  | { readonly is: 'one'; readonly connection: Connection }
  | { readonly is: 'several'; readonly count: number }
  | { readonly is: 'strange' }

/** Whether a connection's endpoint lies where SignalR's never does: it is managed by Microsoft, out of every tenant's sight. */
function isStrange(link: Link, { privateEndpoint, endpointIsOurs }: Connection): boolean {
  // Without an endpoint there is nothing to pin.
  if (privateEndpoint === '' || endpointIsOurs) return true
  const home = subscriptionOf(privateEndpoint)
  return home !== undefined && [link.asked.signalr, link.asked.vault].map(subscriptionOf).includes(home)
}

/** The one connection that can only be ours, if it stays the only one; see `Sighted`. */
export function matchConnection(link: Link, connections: readonly Connection[]): Match {
  const [first, ...others] = connections.filter((connection) =>
    bears(link.asked.nonce, connection.description),
  )
  if (!first) return { is: 'none' }
  if (others.length > 0) return { is: 'several', count: others.length + 1 }
  return isStrange(link, first) ? { is: 'strange' } : { is: 'one', connection: first }
}

/** Whether two looks found the same connection with the same endpoint behind it. */
export const samePin = (a: Pinned, b: Pinned): boolean =>
  sameResource(a.connection, b.connection) && sameResource(a.privateEndpoint, b.privateEndpoint)

/** The connection of the pinned id among those seen, whatever is behind it by now; undefined when it is not there. */
export const pinnedAmong = (link: Link, connections: readonly Connection[]): Connection | undefined =>
  connections.find((connection) => link.pinned && sameResource(connection.id, link.pinned.connection))

/** Ids of the connections other than the pinned one that bear our mark. */
export const othersBearing = (link: Link, connections: readonly Connection[]): readonly string[] =>
  connections
    .filter((one) => bears(link.asked.nonce, one.description) && one !== pinnedAmong(link, connections))
    .map(({ id }) => id)

/** Whether the endpoint behind it is still the one that was pinned: a name can be given away and taken anew. */
export const isAsPinned = (link: Link, { privateEndpoint }: Connection): boolean =>
  link.pinned !== undefined && sameResource(privateEndpoint, link.pinned.privateEndpoint)

/** How many approved connections bear our mark or are the pinned one: of two, nobody can tell which SignalR means. */
export const countApproved = (link: Link, connections: readonly Connection[]): number =>
  connections.filter(
    (one) =>
      one.status === 'Approved' &&
      (bears(link.asked.nonce, one.description) || one === pinnedAmong(link, connections)),
  ).length

/** Why the connection that was approved cannot be rejected; whatever is behind it by now, it is open under that name. */
export function checkApproved(link: Link, sighting: Sighting<readonly Connection[]>): Cause | undefined {
  if (sighting.is === 'hidden') return sighting.cause
  if (sighting.is === 'absent') return { cause: 'vaultGone' }
  const pinned = pinnedAmong(link, sighting.value)
  if (!pinned) return { cause: 'connectionGone' }
  return pinned.status === 'Approved' ? undefined : { cause: 'decidedMeanwhile' }
}

/** Whether the card's approval opened the connection, and SignalR never said that it follows: then nobody knows whose it is. */
export function isUnproven({ decision, functionalAt, pinned }: Link): boolean {
  const opened = decision?.takesBack ?? decision
  const isOpened = opened?.verdict === 'approve' && opened.where === 'card'
  return isOpened && pinned !== undefined && functionalAt === undefined
}

/** Whether SignalR has no link of ours under that name any more. */
export const isGone = (link: Link, { own }: Seen): boolean =>
  own.is === 'absent' || (own.is === 'present' && !isOurs(link, own.value))

/** What an unproven approval left open though SignalR has no link of ours any more: SignalR's would have gone with it. */
export function leftOpen(link: Link): Connection | undefined {
  const { seen, stage } = link
  if (stage.status !== 'Removing' || !seen || !isUnproven(link)) return undefined
  const shown = seen.connections.is === 'present' ? pinnedAmong(link, seen.connections.value) : undefined
  return isGone(link, seen) && shown?.status === 'Approved' ? shown : undefined
}

/**
 * Whether what a look shows at the moment of the click is still what the card asked about: exactly one connection
 * bears our mark, in whatever state, and it is the pinned one, unchanged and Pending.
 */
export function checkAtClick(link: Link, sighting: Sighting<readonly Connection[]>): Cause | undefined {
  if (sighting.is === 'hidden') return sighting.cause
  if (sighting.is === 'absent') return { cause: 'vaultGone' }
  const bearing = sighting.value.filter((connection) => bears(link.asked.nonce, connection.description))
  if (bearing.length > 1) return { cause: 'ambiguous', count: bearing.length }
  const pinned = pinnedAmong(link, sighting.value)
  if (!pinned || !link.pinned) return { cause: 'connectionGone' }
  if (!isAsPinned(link, pinned)) return { cause: 'connectionChanged' }
  if (isStrange(link, pinned)) return { cause: 'strangeEndpoint' }
  if (pinned.status !== 'Pending') return { cause: 'decidedMeanwhile' }
  const [bearer] = bearing
  return bearer && sameResource(bearer.id, pinned.id) ? undefined : { cause: 'connectionChanged' }
}

/**
 * What an approval may be sent to: what the card asked about, as one and the same look shows it, and our own link with it.
 * While that is hidden or on its way out, an approval would open what nobody can see SignalR follow.
 */
export function approvable(link: Link, { own, connections }: Seen): Connection | undefined {
  const stands = own.is === 'present' && isOurs(link, own.value) && own.value.provisioningState !== 'Deleting'
  if (!stands || connections.is !== 'present' || checkAtClick(link, connections)) return undefined
  return pinnedAmong(link, connections.value)
}
