import { randomUUID } from 'node:crypto'
import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { refuseEndpoint, refuseLink } from './registration.ts'
import { badRequest, type Reply, refusal } from './reply.ts'
import {
  type Connection,
  connectionsOf,
  type Decision,
  type Effect,
  type Instance,
  type Link,
  later,
  linksOf,
  type Operation,
  type ProvisioningState,
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

export const effect = (world: World, at: number, what: Effect, id: string, by: string): void =>
  world.tell({ at, who: 'Azure', kind: 'effect', what, id, by: whoIs(world, by) })

export type LinkWish = { groupId: string; target: string; requestMessage: string | undefined }

const moving = ({ provisioningState: state }: { provisioningState: ProvisioningState }): boolean =>
  state === 'Creating' || state === 'Updating' || state === 'Deleting'

/** One write at a time for an instance and its links: the refusal while one runs. */
export function busy(world: World, instance: Instance): Reply | undefined {
  return moving(instance) || linksOf(world, resourceKey(instance.id)).some(moving)
    ? refusal(409, 'Conflict', 'The resource is not in succeeded state')
    : undefined
}

export function startOperation(
  world: World,
  instance: Instance,
  kind: Operation['kind'],
  link?: Link,
): Operation {
  const operation: Operation = {
    id: randomUUID(),
    instance: instance.id,
    link: link && resourceKey(link.id),
    kind,
    startedAt: world.now(),
    endedAt: undefined,
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
  const instance = key.slice(0, key.lastIndexOf('/sharedprivatelinkresources/'))
  const host = world.instances.get(instance)
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
  const conflict = busy(world, host)
  if (conflict) return conflict

  const now = world.now()
  const before = world.links.get(key)
  const updating = before?.provisioningState === 'Succeeded'
  const link: Link = {
    id: before?.id ?? id,
    instance,
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
  const operation = startOperation(world, host, 'put', link)
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
  const host = link && world.instances.get(link.instance)
  if (!link || !host) return undefined
  const conflict = busy(world, host)
  if (conflict) return conflict
  link.provisioningState = 'Deleting'
  link.changedAt = world.now()
  link.changedBy = by
  const operation = startOperation(world, host, 'delete', link)
  later(world, world.now() + world.settings.deletingMs, {
    kind: 'linkGone',
    link: key,
    operation: operation.id,
  })
  return operation
}

const ownConnections = (world: World, link: string): Connection[] =>
  [...world.connections.values()].filter((connection) => connection.link === link)

/** The service copies a shared private link to every replica, each with an endpoint of its own. */
const endpointsOf = (world: World, link: Link): number =>
  1 + (world.instances.get(link.instance)?.replicas.length ?? 0)

/** Why the vault takes no connection of the link; said as the network's provider passes on what a vault answered it. */
function refusedByVault(world: World, link: Link): Operation['error'] {
  const vault = resourceKey(link.target)
  const failed = (code: string, why: string): Operation['error'] => ({
    code,
    message: `Call to Microsoft.KeyVault/vaults failed. Error message: ${why}`,
  })
  if (!world.vaults.has(vault))
    return failed('ResourceNotFound', `The Resource '${link.target}' was not found.`)
  const others = connectionsOf(world, vault).filter((one) => one.link !== resourceKey(link.id))
  return others.length + endpointsOf(world, link) <= world.settings.connectionQuota
    ? undefined
    : failed('QuotaExceeded', `The vault has ${others.length} private endpoint connections, and no more fit.`)
}

export function provisioned(world: World, at: number, step: Extract<Step, { kind: 'provisioned' }>): void {
  const link = world.links.get(step.link)
  const operation = world.operations.get(step.operation)
  if (!link || !operation) return
  const error = refusedByVault(world, link)
  operation.status = error ? 'Failed' : world.settings.operationOutcome
  if (error) operation.error = error
  operation.endedAt = at
  link.provisioningState = operation.status
  if (operation.status !== 'Succeeded' || world.settings.appearsEarly) return
  later(world, at + world.settings.appearsMs, {
    kind: 'appears',
    link: step.link,
    generation: link.generation,
  })
}

export function appears(world: World, at: number, step: Extract<Step, { kind: 'appears' }>): void {
  const link = world.links.get(step.link)
  const { settings } = world
  if (!link || link.generation !== step.generation || link.provisioningState === 'Deleting') return
  const message =
    settings.descriptionCase === 'upper' ? link.requestMessage?.toUpperCase() : link.requestMessage
  // The vault went while the link was on its way to it.
  if (!world.vaults.has(resourceKey(link.target))) {
    tellLink(world, at, step.link)
    return
  }
  const before = ownConnections(world, step.link)
  for (const connection of before) {
    connection.status = 'Pending'
    connection.description = message
    connection.provisioningState = 'Succeeded'
    connection.edits += 1
    effect(world, at, 'connectionReset', connection.id, 'Azure')
  }
  if (before.length > 0) return

  for (let made = 0; made < endpointsOf(world, link); made += 1) {
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

const endpointIn = (subscription: string | undefined): string =>
  `/subscriptions/${subscription}/resourceGroups/pls-${randomUUID().slice(0, 8)}/providers/Microsoft.Network/privateEndpoints/${randomUUID()}`

export const microsoftEndpointId = (): string => endpointIn(microsoftSubscription)

const endpointId = (whose: 'microsoft' | 'tenant', world: World): string =>
  whose === 'microsoft' ? microsoftEndpointId() : endpointIn(world.subscriptions[0]?.id)

function nameFor(world: World, link: Link): string {
  switch (world.settings.connectionName) {
    case 'guid':
      return randomUUID()
    case 'dotted':
      return `${resourceName(link.instance)}.${randomUUID()}`
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

/** A stranger's connection, as the portal's lists show them beside ours. */
export function addStranger(world: World, vault: string, description: string, status: Decision): Connection {
  if (connectionsOf(world, resourceKey(vault)).length >= world.settings.connectionQuota)
    throw new Error(`${resourceName(vault)} has as many private endpoint connections as fit`)
  const connection = addConnection(world, vault, {
    name: randomUUID(),
    link: undefined,
    endpoint: endpointId('microsoft', world),
    description,
    status,
  })
  effect(world, world.now(), 'connectionAppeared', connection.id, 'portal')
  return connection
}

const changedMeanwhile = (vault: { id: string }): Reply =>
  refusal(
    409,
    'ConflictError',
    `A conflict occurred that prevented the operation from completing. The operation failed because the Key Vault '${resourceName(vault.id)}' changed from the point the operation began. This can happen if parallel operations are being performed on the Key Vault. To prevent this error, serialize the operations so that only one operation is performed on the Key Vault at a time. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147741`,
  )

/** One write at a time for a vault and its connections: the refusal while one runs, that of one connection excepted. */
export function vaultConflict(world: World, vault: { id: string }, except?: Connection): Reply | undefined {
  const racing = connectionsOf(world, resourceKey(vault.id)).some(
    (one) => one !== except && (one.provisioningState === 'Updating' || one.provisioningState === 'Deleting'),
  )
  return racing && world.settings.vaultWrites === 'serial' ? changedMeanwhile(vault) : undefined
}

/** Approves, rejects or otherwise edits a connection: the status holds at once, the rest follows. */
export function decideConnection(
  world: World,
  connection: Connection,
  wish: {
    status: Decision
    description: string | undefined
    etag?: string | undefined
  },
  by: string,
): Reply | undefined {
  const { settings } = world
  const vault = { id: parentId(connection) }
  const stale = wish.etag !== undefined && wish.etag !== '' && wish.etag !== connection.etag
  const conflict = stale ? changedMeanwhile(vault) : vaultConflict(world, vault)
  if (conflict) return conflict
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
  // Whatever was asked for: the specification knows no other value.
  connection.actionsRequired = 'None'
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

export function settled(world: World, step: Extract<Step, { kind: 'settled' }>): void {
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

export function propagates(world: World, at: number, step: Extract<Step, { kind: 'propagates' }>): void {
  const link = world.links.get(step.link)
  if (!link || link.generation !== step.generation) return
  const status =
    step.status === 'Approved' && world.settings.propagation === 'timeout' ? 'Timeout' : step.status
  if (link.status === status) return
  link.status = status
  effect(world, at, 'propagated', link.id, 'Azure')
}

export function linkGone(world: World, at: number, step: Extract<Step, { kind: 'linkGone' }>): void {
  const link = world.links.get(step.link)
  const operation = world.operations.get(step.operation)
  if (!link || !operation) return
  operation.status = world.settings.deletionOutcome
  operation.endedAt = at
  if (operation.status !== 'Succeeded') {
    link.provisioningState = operation.status
    effect(world, at, 'linkKept', link.id, 'Azure')
    return
  }
  dropLink(world, link, at, link.changedBy)
}

/** The link is gone, and its connections follow. */
export function dropLink(world: World, link: Link, at: number, by: string): void {
  const key = resourceKey(link.id)
  world.links.delete(key)
  effect(world, at, 'linkDeleted', link.id, by)
  // A link made anew under the name must not hear of what was on its way to this one.
  for (const entry of world.agenda.filter(({ step }) => 'link' in step && step.link === key))
    world.agenda.splice(world.agenda.indexOf(entry), 1)
  for (const connection of ownConnections(world, key)) {
    if (world.settings.deletedLink === 'removesConnection') removeConnection(world, connection, at, 'Azure')
    else {
      connection.status = 'Disconnected'
      connection.provisioningState = 'Disconnected'
    }
  }
}

export function connectionGone(
  world: World,
  at: number,
  step: Extract<Step, { kind: 'connectionGone' }>,
): void {
  const connection = world.connections.get(step.connection)
  if (connection) removeConnection(world, connection, at, step.by)
}

/** The link of an instance that is named so; for the portal, which knows names and not ids. */
export function findLink(world: World, instanceName: string, linkName: string): Link | undefined {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
  return [...world.instances.entries()]
    .filter(([, one]) => same(resourceName(one.id), instanceName) || same(one.id, instanceName))
    .flatMap(([key]) => linksOf(world, key))
    .find((link) => same(resourceName(link.id), linkName))
}
