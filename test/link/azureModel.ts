/**
 * What Azure does to one link, reckoned from a clock that stands still until it is turned: a link is shown a while
 * after its PUT, its connection a while after it is made, a decision on SignalR a while after the vault. A request
 * whose answer was lost may arrive later. Truth is kept apart from what a look may show of it.
 */
import type { Connection, ConnectionState, Millis, Seen, SharedPrivateLink } from '../../src/link/link.ts'
import { decisionMessage } from '../../src/link/match.ts'
import { asked, byFirewall, connectionId, endpoint, lacksRead, message, nonce, signalr } from './given.ts'

export type Delays = {
  /** From the PUT until a GET shows the link, until it is made, from then until its connection appears. */
  readonly shown: Millis
  readonly made: Millis
  readonly connected: Millis
  /** From a decision on the vault until SignalR says so, and from a DELETE until nothing is there. */
  readonly follows: Millis
  readonly deleted: Millis
}
export type Request =
  | { readonly does: 'put' | 'delete' }
  | { readonly does: 'approve' | 'reject'; readonly connection: Connection }
export type Answer = 'done' | 'conflict' | 'decidedMeanwhile' | 'connectionGone'

type StandingLink = {
  put: Millis
  status: ConnectionState
  follows: { at: Millis; status: ConnectionState }[]
  gone?: Millis
}
type StandingConnection = {
  id: string
  privateEndpoint: string
  description: string
  status: ConnectionState
  appears: Millis
  edits: number
}

export function createAzure(delays: Delays) {
  let link: StandingLink | undefined
  let connections: StandingConnection[] = []
  let flights: { arrives: Millis; request: Request }[] = []
  let made = 0
  /** How often a request of ours turned a connection into an approved one. */
  let approvals = 0
  const hides = { link: false, vault: false, byPolicy: false }

  const ours = (): StandingConnection | undefined =>
    connections.find(({ id }) => id !== connectionId('imitation'))
  const etagOf = ({ edits }: StandingConnection): string | undefined => (edits > 0 ? `"${edits}"` : undefined)

  function answer(request: Request, now: Millis): Answer {
    switch (request.does) {
      case 'put':
        if (link?.gone !== undefined) return 'conflict'
        if (link) return 'done'
        made += 1
        link = { put: now, status: 'Pending', follows: [] }
        connections = [
          ...connections.filter(({ id }) => id === connectionId('imitation')),
          {
            id: connectionId(`ours-${made}`),
            privateEndpoint: endpoint(`managed-${made}`),
            description: message,
            status: 'Pending',
            appears: now + delays.made + delays.connected,
            edits: 0,
          },
        ]
        return 'done'
      case 'delete':
        if (!link) return 'done'
        if (link.gone !== undefined || now < link.put + delays.made) return 'conflict'
        link.gone = now + delays.deleted
        return 'done'
      case 'approve':
      case 'reject': {
        const found = connections.find(({ id }) => id === request.connection.id)
        if (!found || found.appears > now) return 'connectionGone'
        // A connection never edited is seen without an etag: a decision on that look overrides whatever came since.
        const { etag } = request.connection
        if (etag !== undefined && etag !== etagOf(found)) return 'decidedMeanwhile'
        const status = request.does === 'approve' ? 'Approved' : 'Rejected'
        if (status === 'Approved' && found.status !== 'Approved') approvals += 1
        decideOn(found, status, decisionMessage(request.does, nonce), now)
        return 'done'
      }
    }
  }

  function decideOn(
    found: StandingConnection,
    status: ConnectionState,
    description: string,
    now: Millis,
  ): void {
    found.status = status
    found.description = description
    found.edits += 1
    if (link && found === ours()) link.follows.push({ at: now + delays.follows, status })
  }

  /** Lets everything happen that is due. */
  function turn(now: Millis): void {
    for (const flight of flights.filter(({ arrives }) => arrives <= now))
      answer(flight.request, flight.arrives)
    flights = flights.filter(({ arrives }) => arrives > now)
    if (!link) return
    for (const { status } of link.follows.filter(({ at }) => at <= now)) link.status = status
    link.follows = link.follows.filter(({ at }) => at > now)
    if (link.gone !== undefined && link.gone <= now) {
      link = undefined
      connections = connections.filter(({ id }) => id === connectionId('imitation'))
    }
  }

  function shownLink(now: Millis): SharedPrivateLink | undefined {
    if (!link || now < link.put + delays.shown) return undefined
    return {
      id: `${signalr}/sharedPrivateLinkResources/${asked.name}`,
      name: asked.name,
      target: asked.vault,
      requestMessage: message,
      provisioningState:
        link.gone !== undefined ? 'Deleting' : now < link.put + delays.made ? 'Creating' : 'Succeeded',
      status: link.status,
    }
  }

  return {
    hides,
    turn,
    answer,
    /** Sends a request whose answer nobody hears. */
    send: (request: Request, arrives: Millis): void => void flights.push({ arrives, request }),
    approvals: () => approvals,
    /** Whether anything of ours stands there or may still arrive. */
    holds: () => link !== undefined || flights.some(({ request }) => request.does === 'put'),

    look(now: Millis): Seen {
      const shown = shownLink(now)
      const hidden = hides.byPolicy ? byFirewall : ({ is: 'hidden', cause: lacksRead } as const)
      return {
        at: now,
        own: hides.link ? hidden : shown ? { is: 'present', value: shown } : { is: 'absent' },
        rivals: [],
        connections: hides.vault ? hidden : { is: 'present', value: this.connections(now) },
      }
    },
    connections: (now: Millis): readonly Connection[] =>
      connections
        .filter(({ appears }) => appears <= now)
        .map((one) => {
          const etag = etagOf(one)
          const { id, privateEndpoint, description, status } = one
          return {
            id,
            privateEndpoint,
            description,
            status,
            provisioningState: 'Succeeded',
            ...(etag !== undefined && { etag }),
          }
        }),

    /** What people do in the portal, behind our back. */
    portal(act: PortalAct, now: Millis): void {
      const found = ours()
      switch (act) {
        case 'approve':
          if (found && found.appears <= now && found.status === 'Pending')
            decideOn(found, 'Approved', 'approved by hand', now)
          return
        case 'reject':
          if (found && found.appears <= now) decideOn(found, 'Rejected', 'rejected by hand', now)
          return
        case 'deleteLink':
          answer({ does: 'delete' }, now)
          return
        case 'deleteConnection':
          if (!found || found.appears > now) return
          connections = connections.filter((one) => one !== found)
          link?.follows.push({ at: now + delays.follows, status: 'Disconnected' })
          return
        case 'imitate':
          if (connections.some(({ id }) => id === connectionId('imitation')) || made === 0) return
          connections.push({
            id: connectionId('imitation'),
            privateEndpoint: endpoint('imitation'),
            description: message,
            status: 'Pending',
            appears: now,
            edits: 0,
          })
      }
    },
    imitated: () => connections.some(({ id }) => id === connectionId('imitation')),
  }
}
export const portalActs = ['approve', 'reject', 'deleteLink', 'deleteConnection', 'imitate'] as const
export type PortalAct = (typeof portalActs)[number]
