import { randomUUID } from 'node:crypto'
import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { refuseEndpoint, refuseLink } from './registration.ts'
import { badRequest, type Reply, refusal } from './reply.ts'
import {
  type Connection,
  connectionsOf,
  type Decision,
  type Effect,
  type Link,
  later,
  linksOf,
  type Operation,
  type Step,
  type World,
  whoIs,
} from './state.ts'

/**
 * What a shared private link does: how a wish on SignalR becomes a private endpoint connection on the vault, and how a
 * decision there comes back. Used by the routes and by the portal alike.
 */

/** Managed private endpoints live in a subscription of Microsoft's, which no tenant can read. */
const microsoftSubscription = '9ca4f1b0-51c7-4f0e-9f7e-00005e1f9a11'

const newEtag = (): string => randomUUID().replaceAll('-', '')

const effect = (world: World, at: number, what: Effect, id: string, by: string): void =>
  world.tell({ at, who: 'Azure', kind: 'effect', what, id, by: whoIs(world, by) })

/** Works off what is due, in order, each step at its own time. */
export function settle(world: World): void {
  const held = (step: Step): boolean => step.kind === 'propagates' && world.settings.propagation === 'never'
  for (;;) {
    const now = world.now()
    const index = world.agenda.findIndex(({ at, step }) => at > now || !held(step))
    const entry = world.agenda[index]
    if (!entry || entry.at > now) return
    world.agenda.splice(index, 1)
    run(world, entry.at, entry.step)
  }
}

function run(world: World, at: number, step: Step): void {
  switch (step.kind) {
    case 'provisioned':
      provisioned(world, at, step)
      break
    case 'appears':
      appears(world, at, step)
      break
    case 'settled':
      settled(world, step)
      break
    case 'propagates':
      propagates(world, at, step)
      break
    case 'linkGone':
      linkGone(world, at, step)
      break
    case 'connectionGone':
      connectionGone(world, at, step)
      break
    default:
      step satisfies never
  }
}

export type LinkWish = { groupId: string; target: string; requestMessage: string | undefined }

const runningOn = (world: World, signalr: string): boolean =>
  linksOf(world, signalr).some(({ provisioningState: state }) =>
    ['Creating', 'Updating', 'Deleting'].includes(state),
  )

const busy = (): Reply => refusal(409, 'Conflict', 'The resource is not in succeeded state')

function start(world: World, link: Link, kind: Operation['kind']): Operation {
  const operation: Operation = {
    id: randomUUID(),
    signalr: link.signalr,
    link: resourceKey(link.id),
    kind,
    startedAt: world.now(),
    status: 'Running',
  }
  world.operations.set(operation.id, operation)
  return operation
}

/** Creates the link, or updates it: a repeated PUT asks for approval anew, whatever had been decided. */
export function putLink(
  world: World,
  id: string,
  wish: LinkWish,
  by: string,
): { created: boolean; link: Link; operation: Operation } | Reply {
  const key = resourceKey(id)
  const signalr = key.slice(0, key.lastIndexOf('/sharedprivatelinkresources/'))
  const host = world.signalrs.get(signalr)
  if (!host) return refusal(404, 'ResourceNotFound', `The resource '${id}' was not found.`)
  if (!/^[a-zA-Z][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$/.test(resourceName(id)))
    return badRequest(`Resource name '${resourceName(id)}' is invalid.`, 'InvalidResourceName')
  if (host.sku === 'Free_F1')
    return badRequest('Shared private link resources are not supported on the Free tier.')
  if (wish.groupId.toLowerCase() !== 'vault')
    return badRequest(`The group id '${wish.groupId}' is not supported by '${wish.target}'.`)
  if ((wish.requestMessage?.length ?? 0) > 140)
    return badRequest('The request message is longer than 140 characters.')
  if (!world.vaults.has(resourceKey(wish.target)))
    return badRequest(`The private link resource '${wish.target}' was not found.`)
  const unregistered = refuseLink(world, host.id)
  if (unregistered) return unregistered
  if (runningOn(world, signalr)) return busy()

  const now = world.now()
  const before = world.links.get(key)
  const updating = before?.provisioningState === 'Succeeded'
  const link: Link = {
    id: before?.id ?? id,
    signalr,
    groupId: wish.groupId,
    target: wish.target,
    requestMessage: wish.requestMessage,
    provisioningState: updating ? 'Updating' : 'Creating',
    status: 'Pending',
    generation: (before?.generation ?? 0) + 1,
    createdAt: before?.createdAt ?? now,
    createdBy: before?.createdBy ?? by,
    changedAt: now,
    changedBy: by,
  }
  world.links.set(key, link)
  if (before && resourceKey(before.target) !== resourceKey(link.target))
    for (const old of ownConnections(world, key)) removeConnection(world, old, now, by)
  effect(world, now, before ? 'linkUpdated' : 'linkCreated', link.id, by)
  const operation = start(world, link, 'put')
  const { provisioningMs, appearsMs, appearsEarly } = world.settings
  later(world, now + provisioningMs, { kind: 'provisioned', link: key, operation: operation.id })
  if (appearsEarly) {
    const at = now + Math.min(appearsMs, provisioningMs / 2)
    later(world, at, { kind: 'appears', link: key, generation: link.generation })
  }
  return { created: !before, link, operation }
}

/** Begins to delete the link; undefined when there is none. */
export function deleteLink(world: World, id: string, by: string): Operation | Reply | undefined {
  const key = resourceKey(id)
  const link = world.links.get(key)
  if (!link) return undefined
  if (runningOn(world, link.signalr)) return busy()
  link.provisioningState = 'Deleting'
  link.changedAt = world.now()
  link.changedBy = by
  const operation = start(world, link, 'delete')
  later(world, world.now() + world.settings.deletingMs, {
    kind: 'linkGone',
    link: key,
    operation: operation.id,
  })
  return operation
}

const ownConnections = (world: World, link: string): Connection[] =>
  [...world.connections.values()].filter((connection) => connection.link === link)

function provisioned(world: World, at: number, step: Extract<Step, { kind: 'provisioned' }>): void {
  const link = world.links.get(step.link)
  const operation = world.operations.get(step.operation)
  if (!link || !operation) return
  operation.status = world.settings.operationOutcome
  operation.endedAt = at
  link.provisioningState = operation.status
  if (operation.status !== 'Succeeded' || world.settings.appearsEarly) return
  later(world, at + world.settings.appearsMs, {
    kind: 'appears',
    link: step.link,
    generation: link.generation,
  })
}

function appears(world: World, at: number, step: Extract<Step, { kind: 'appears' }>): void {
  const link = world.links.get(step.link)
  const { settings } = world
  if (!link || link.generation !== step.generation || link.provisioningState === 'Deleting') return
  const message =
    settings.descriptionCase === 'upper' ? link.requestMessage?.toUpperCase() : link.requestMessage
  const before = ownConnections(world, step.link)
  for (const connection of before) {
    connection.status = 'Pending'
    connection.description = message
    connection.provisioningState = 'Succeeded'
    connection.edits += 1
    effect(world, at, 'connectionReset', connection.id, 'Azure')
  }
  if (before.length > 0) return

  // The service copies a shared private link to every replica, each with an endpoint of its own.
  const host = world.signalrs.get(link.signalr)
  for (let made = 0; made < 1 + (host?.replicas?.length ?? 0); made += 1) {
    const connection = addConnection(world, link.target, {
      name: nameFor(world, link),
      link: step.link,
      endpoint: endpointId('microsoft', world),
      description: settings.autoApprove ? undefined : message,
      status: settings.autoApprove ? 'Approved' : 'Pending',
    })
    effect(world, at, 'connectionAppeared', connection.id, 'Azure')
  }
  if (settings.autoApprove) tellLink(world, at, step.link)
  for (let made = 0; made < settings.extraConnections; made += 1) {
    const extra = addConnection(world, link.target, {
      name: nameFor(world, link),
      link: undefined,
      endpoint: endpointId(settings.extraEndpoint, world),
      description: settings.extraDescription === 'same' ? message : 'Please approve',
      status: 'Pending',
    })
    effect(world, at, 'connectionAppeared', extra.id, 'Azure')
  }
}

function endpointId(whose: 'microsoft' | 'tenant', world: World): string {
  const subscription = whose === 'microsoft' ? microsoftSubscription : world.subscriptions[0]?.id
  return `/subscriptions/${subscription}/resourceGroups/pls-${randomUUID().slice(0, 8)}/providers/Microsoft.Network/privateEndpoints/${randomUUID()}`
}

function nameFor(world: World, link: Link): string {
  switch (world.settings.connectionName) {
    case 'guid':
      return randomUUID()
    case 'dotted':
      return `${resourceName(link.signalr)}.${randomUUID()}`
    case 'linkName': {
      // Two endpoints of one link cannot bear the same name.
      const name = resourceName(link.id)
      const taken = connectionsOf(world, resourceKey(link.target)).some(
        (one) => resourceName(one.id) === name,
      )
      return taken ? `${name}-${randomUUID().slice(0, 8)}` : name
    }
  }
}

/** Puts a connection on a vault, a link's own or a stranger's. */
function addConnection(
  world: World,
  target: string,
  made: {
    name: string
    link: string | undefined
    endpoint: string
    description: string | undefined
    status: Decision
  },
): Connection {
  const vault = resourceKey(target)
  const id = `${world.vaults.get(vault)?.id ?? target}/privateEndpointConnections/${made.name}`
  const connection: Connection = {
    id,
    vault,
    privateEndpointId: made.endpoint,
    link: made.link,
    status: made.status,
    description: made.description,
    actionsRequired: 'None',
    provisioningState: 'Succeeded',
    etag: world.settings.etag === 'always' ? newEtag() : undefined,
    edits: 0,
  }
  world.connections.set(resourceKey(id), connection)
  return connection
}

/** What a stranger's connection is like, as far as it was chosen. */
export type Likeness = { readonly name?: string; readonly endpoint?: string }

/** A stranger's connection, as the portal's lists show them beside ours. */
export function addStranger(
  world: World,
  vault: string,
  description: string,
  status: Decision,
  { name = randomUUID(), endpoint = endpointId('microsoft', world) }: Likeness,
): Connection {
  if (
    connectionsOf(world, resourceKey(vault)).some(
      ({ id }) => resourceName(id).toLowerCase() === name.toLowerCase(),
    )
  )
    throw new Error(`There is a connection ${name} already`)
  const connection = addConnection(world, vault, { name, link: undefined, endpoint, description, status })
  effect(world, world.now(), 'connectionAppeared', connection.id, 'portal')
  return connection
}

/** Approves, rejects or otherwise edits a connection: the status holds at once, the rest follows. */
export function decideConnection(
  world: World,
  connection: Connection,
  wish: {
    status: Decision
    description: string | undefined
    actionsRequired?: string
    etag?: string | undefined
  },
  by: string,
): Reply | undefined {
  const { settings } = world
  const vaultName = resourceName(parentId(connection))
  const siblings = connectionsOf(world, connection.vault)
  const racing = siblings.some(
    (one) => one.provisioningState === 'Updating' || one.provisioningState === 'Deleting',
  )
  const stale = wish.etag !== undefined && wish.etag !== '' && wish.etag !== connection.etag
  if (stale || (settings.vaultWrites === 'serial' && racing))
    return refusal(
      409,
      'ConflictError',
      `A conflict occurred that prevented the operation from completing. The operation failed because the Key Vault '${vaultName}' changed from the point the operation began. This can happen if parallel operations are being performed on the Key Vault. To prevent this error, serialize the operations so that only one operation is performed on the Key Vault at a time.`,
    )
  const unregistered =
    wish.status === 'Approved' ? refuseEndpoint(world, connection.privateEndpointId) : undefined
  if (unregistered) return unregistered
  const from = connection.status
  const redecided =
    (from === 'Approved' && wish.status === 'Rejected') ||
    (from === 'Rejected' && (wish.status === 'Approved' || wish.status === 'Rejected'))
  const allowed = from === 'Pending' || (settings.decidedConnection === 'recorded' && redecided)
  if (!allowed)
    return badRequest(
      `Private endpoint connection '${resourceName(connection.id)}' is ${from}, not Pending.`,
      'PrivateEndpointConnectionStatusNotPending',
    )
  const now = world.now()
  connection.status = wish.status
  connection.description = wish.description
  connection.actionsRequired = wish.actionsRequired ?? 'None'
  connection.provisioningState = 'Updating'
  connection.edits += 1
  if (settings.etag !== 'never') connection.etag = newEtag()
  const key = resourceKey(connection.id)
  later(world, now + settings.settlesMs, { kind: 'settled', connection: key, edits: connection.edits })
  if (wish.status === from) return undefined
  if (wish.status === 'Approved') effect(world, now, 'connectionApproved', connection.id, by)
  if (wish.status === 'Rejected') effect(world, now, 'connectionRejected', connection.id, by)
  if (connection.link) tellLink(world, now, connection.link)
  return undefined
}

const parentId = (connection: Connection): string =>
  connection.id.slice(0, connection.id.lastIndexOf('/privateEndpointConnections/'))

/** The vault's connections are gone at once when the portal removes them, after a while when DELETE does. */
export function removeConnection(world: World, connection: Connection, at: number, by: string): void {
  world.connections.delete(resourceKey(connection.id))
  effect(world, at, 'connectionRemoved', connection.id, by)
  if (connection.link && world.links.has(connection.link)) tellLink(world, at, connection.link)
}

export function beginRemoval(world: World, connection: Connection, by: string): void {
  if (connection.provisioningState === 'Deleting') return
  connection.provisioningState = 'Deleting'
  const at = world.now() + world.settings.deletingMs
  later(world, at, { kind: 'connectionGone', connection: resourceKey(connection.id), by })
}

function settled(world: World, step: Extract<Step, { kind: 'settled' }>): void {
  const connection = world.connections.get(step.connection)
  if (!connection || connection.edits !== step.edits || connection.provisioningState !== 'Updating') return
  connection.provisioningState = 'Succeeded'
  if (world.settings.etag !== 'never') connection.etag = newEtag()
}

/** What the link's connections amount to now, on its way to SignalR. */
function tellLink(world: World, at: number, key: string): void {
  const link = world.links.get(key)
  if (!link) return
  const own = ownConnections(world, key)
  const all = (status: Decision): boolean => own.every((one) => one.status === status)
  const any = (status: Decision): boolean => own.some((one) => one.status === status)
  const status = any('Rejected')
    ? 'Rejected'
    : own.length === 0 || any('Disconnected')
      ? 'Disconnected'
      : all('Approved')
        ? 'Approved'
        : 'Pending'
  later(world, at + world.settings.propagatesMs, {
    kind: 'propagates',
    link: key,
    generation: link.generation,
    status,
  })
}

function propagates(world: World, at: number, step: Extract<Step, { kind: 'propagates' }>): void {
  const link = world.links.get(step.link)
  if (!link || link.generation !== step.generation) return
  const status =
    step.status === 'Approved' && world.settings.propagation === 'timeout' ? 'Timeout' : step.status
  if (link.status === status) return
  link.status = status
  effect(world, at, 'propagated', link.id, 'Azure')
}

function linkGone(world: World, at: number, step: Extract<Step, { kind: 'linkGone' }>): void {
  const link = world.links.get(step.link)
  const operation = world.operations.get(step.operation)
  if (!link || !operation) return
  operation.status = 'Succeeded'
  operation.endedAt = at
  world.links.delete(step.link)
  effect(world, at, 'linkDeleted', link.id, link.changedBy)
  for (const connection of ownConnections(world, step.link)) {
    if (world.settings.deletedLink === 'removesConnection') removeConnection(world, connection, at, 'Azure')
    else {
      connection.status = 'Disconnected'
      connection.provisioningState = 'Disconnected'
    }
  }
}

function connectionGone(world: World, at: number, step: Extract<Step, { kind: 'connectionGone' }>): void {
  const connection = world.connections.get(step.connection)
  if (connection) removeConnection(world, connection, at, step.by)
}

/** The link of a SignalR that is named so; for the portal, which knows names and not ids. */
export function findLink(world: World, signalrName: string, linkName: string): Link | undefined {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
  return [...world.signalrs.entries()]
    .filter(([, one]) => same(resourceName(one.id), signalrName) || same(one.id, signalrName))
    .flatMap(([key]) => linksOf(world, key))
    .find((link) => same(resourceName(link.id), linkName))
}
