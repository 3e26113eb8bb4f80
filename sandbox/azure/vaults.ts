import { randomUUID } from 'node:crypto'
import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { beginRemoval, decideConnection, vaultConflict } from './privateLinks.ts'
import { badRequest, notAllowed, ok, parentNotFound, type Reply, refusal } from './reply.ts'
import { may } from './rights.ts'
import { type Call, findResource, isReply, listReadable, member, page, type Route } from './routes.ts'
import { type Connection, connectionsOf, type Decision, type Vault, type World } from './state.ts'

/** Microsoft.KeyVault: vaults and the private endpoint connections on them. */

export const vaultType = 'Microsoft.KeyVault/vaults'
const connectionType = `${vaultType}/privateEndpointConnections`

export const vaultVersions = [
  '2014-12-19-preview',
  '2015-06-01',
  '2016-10-01',
  '2018-02-14-preview',
  '2018-02-14',
  '2019-09-01',
  '2020-04-01-preview',
  '2021-04-01-preview',
  '2021-06-01-preview',
  '2021-10-01',
  '2021-11-01-preview',
  '2022-02-01-preview',
  '2022-07-01',
  '2022-11-01',
  '2023-02-01',
  '2023-07-01',
  '2024-04-01-preview',
  '2024-11-01',
  '2024-12-01-preview',
  '2025-05-01',
  '2026-02-01',
  '2026-03-01-preview',
  '2026-04-01-preview',
]

function properties(connection: Connection): unknown {
  return {
    provisioningState: connection.provisioningState,
    privateEndpoint: { id: connection.privateEndpointId },
    privateLinkServiceConnectionState: {
      status: connection.status,
      ...(connection.description !== undefined && { description: connection.description }),
      actionsRequired: connection.actionsRequired,
    },
  }
}

function showConnection(vault: Vault, connection: Connection): unknown {
  return {
    id: connection.id,
    name: resourceName(connection.id),
    type: connectionType,
    location: vault.location,
    ...(connection.etag !== undefined && { etag: connection.etag }),
    properties: properties(connection),
  }
}

export function showVault(world: World, vault: Vault): unknown {
  const name = resourceName(vault.id)
  const connections = connectionsOf(world, resourceKey(vault.id))
  const isNamed = world.now() >= (vault.namedAt ?? 0)
  return {
    id: vault.id,
    name,
    type: vaultType,
    location: vault.location,
    tags: vault.tags ?? {},
    properties: {
      sku: { family: 'A', name: 'standard' },
      tenantId: world.tenantId,
      accessPolicies: [],
      enabledForDeployment: false,
      enableSoftDelete: true,
      softDeleteRetentionInDays: 90,
      enableRbacAuthorization: true,
      ...vault.properties,
      vaultUri: `https://${name.toLowerCase()}.vault.azure.net${isNamed ? '/' : ''}`,
      provisioningState: isNamed ? 'Succeeded' : 'RegisteringDns',
      publicNetworkAccess: vault.publicNetworkAccess,
      // Only id and properties here, and no list at all without a connection.
      ...(connections.length > 0 && {
        privateEndpointConnections: connections.map((one) => ({ id: one.id, properties: properties(one) })),
      }),
    },
  }
}

const findVault = (call: Call): Vault | Reply => findResource(call, call.world.vaults, vaultType)

function parent(call: Call, verb: 'read' | 'write' | 'delete'): Vault | Reply {
  const found = findVault(call)
  if (!isReply(found) || member(member(found.body, 'error'), 'code') !== 'ResourceNotFound') return found
  const { subscription, group, name } = call.params
  const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/${vaultType}/${name}`
  return parentNotFound(verb, 'vaults/privateEndpointConnections', id)
}

const list = (call: Call): Reply =>
  listReadable(
    call,
    call.world.vaults.values(),
    `${vaultType}/read`,
    (vault) => showVault(call.world, vault),
    { top: true, endsEmpty: call.world.settings.vaultListEnd === 'empty' },
  )

function get(call: Call): Reply {
  const found = findVault(call)
  return isReply(found) ? found : ok(showVault(call.world, found))
}

function listConnections(call: Call): Reply {
  const vault = parent(call, 'read')
  if (isReply(vault)) return vault
  const connections = connectionsOf(call.world, resourceKey(vault.id))
  return page(
    call,
    connections.map((one) => showConnection(vault, one)),
  )
}

const connectionOf = (call: Call, vault: Vault): Connection | undefined =>
  call.world.connections.get(resourceKey(`${vault.id}/privateEndpointConnections/${call.params.connection}`))

const missing = (call: Call): Reply =>
  refusal(
    404,
    'ResourceNotFound',
    `The private endpoint connection '${call.params.connection}' was not found.`,
  )

function getConnection(call: Call): Reply {
  const vault = parent(call, 'read')
  if (isReply(vault)) return vault
  const connection = connectionOf(call, vault)
  // The Location of a DELETE: 202 until the connection is gone, then what it was; official clients need a body.
  if (call.query.has('operationid')) {
    const location = call.address(call.path, Object.fromEntries(call.query))
    if (connection) return { status: 202, headers: { location, 'retry-after': '1' } }
    const id = `${vault.id}/privateEndpointConnections/${call.params.connection}`
    const properties = { provisioningState: 'Disconnected' }
    return ok({ id, name: call.params.connection, type: connectionType, properties })
  }
  if (connection) return ok(showConnection(vault, connection))
  return call.world.settings.missingConnection === 204 ? { status: 204 } : missing(call)
}

const decisions: readonly Decision[] = ['Pending', 'Approved', 'Rejected', 'Disconnected']

/** Deciding takes this right as well; the recorded operation is named after the decision. */
export const approvalAction = `${vaultType}/PrivateEndpointConnectionsApproval/action`

/** 412 when the connection is not the one that the caller's headers name. */
function refusePrecondition({ headers }: Call, { etag }: Connection): Reply | undefined {
  const names = (header: string): boolean =>
    header.split(',').some((one) => one.trim() === '*' || one.trim().replaceAll('"', '') === etag)
  const { 'if-match': wanted, 'if-none-match': unwanted } = headers
  const unmet =
    wanted !== undefined && !names(wanted)
      ? 'If-Match'
      : unwanted !== undefined && names(unwanted)
        ? 'If-None-Match'
        : undefined
  return unmet && refusal(412, 'PreconditionFailed', `The condition set by ${unmet} is not met.`)
}

function putConnection(call: Call): Reply {
  const vault = parent(call, 'write')
  if (isReply(vault)) return vault
  if (!may(call.world, call.principal, approvalAction, vault.id))
    return notAllowed(call.principal, approvalAction, vault.id)
  const state = member(member(call.body, 'properties'), 'privateLinkServiceConnectionState')
  const status = decisions.find((one) => one === member(state, 'status'))
  if (!status) return badRequest('privateLinkServiceConnectionState.status is missing or has no known value.')
  const connection = connectionOf(call, vault)
  if (!connection) return missing(call)
  const unmet = refusePrecondition(call, connection)
  if (unmet) return unmet
  const given = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const refused = decideConnection(
    call.world,
    connection,
    {
      status,
      description: given(member(state, 'description')),
      etag: given(member(call.body, 'etag')),
    },
    call.principal,
  )
  if (refused) return refused
  const code = `privateEndpointConnections/${status === 'Rejected' ? 'reject' : 'approve'}`
  const st = new Date(call.world.now()).toISOString()
  const operation = Buffer.from(JSON.stringify({ code, st, etag: connection.etag })).toString('base64url')
  const address = call.address(connection.id, { 'api-version': call.apiVersion, 'kv-operation': operation })
  return ok(showConnection(vault, connection), { 'azure-asyncoperation': address })
}

function removeConnection(call: Call): Reply {
  const vault = parent(call, 'delete')
  if (isReply(vault)) return vault
  const connection = connectionOf(call, vault)
  if (!connection) return { status: 204 }
  const refused = refusePrecondition(call, connection) ?? vaultConflict(call.world, vault, connection)
  if (refused) return refused
  beginRemoval(call.world, connection, call.principal)
  const location = call.address(connection.id, { 'api-version': call.apiVersion, operationid: randomUUID() })
  return { status: 202, headers: { location, 'retry-after': '1' } }
}

const top = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.KeyVault/vaults'
export const vaultPath = `${top}/{name}`
const connections = `${vaultPath}/privateEndpointConnections`

const routes: readonly Omit<Route, 'versions'>[] = [
  { method: 'GET', path: '/subscriptions/{subscription}/providers/Microsoft.KeyVault/vaults', handle: list },
  { method: 'GET', path: top, handle: list },
  { method: 'GET', path: vaultPath, action: `${vaultType}/read`, handle: get },
  { method: 'GET', path: connections, action: `${connectionType}/read`, handle: listConnections },
  {
    method: 'GET',
    path: `${connections}/{connection}`,
    action: `${connectionType}/read`,
    handle: getConnection,
  },
  {
    method: 'PUT',
    path: `${connections}/{connection}`,
    action: `${connectionType}/write`,
    handle: putConnection,
  },
  {
    method: 'DELETE',
    path: `${connections}/{connection}`,
    action: `${connectionType}/delete`,
    handle: removeConnection,
  },
]

// Private endpoints came with 2018-02-14, by the OpenAPI files.
const connectionVersions = vaultVersions.filter((version) => version >= '2018-02-14')

export const vaultRoutes: readonly Route[] = routes.map((route) => ({
  ...route,
  versions: route.path.startsWith(connections) ? connectionVersions : vaultVersions,
}))
