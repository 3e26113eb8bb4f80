import { randomUUID } from 'node:crypto'
import { resourceKey } from '../../src/link/resourceId.ts'
import {
  allDiffer,
  complain,
  elementsOf,
  entriesOf,
  matching,
  membersOf,
  nameAt,
  oneOf,
  or,
  type Place,
  tagsAt,
  textAt,
  timeAt,
  wholeAt,
} from './jsonPlace.ts'
import { microsoftEndpointId } from './privateLinks.ts'
import { type Ids, idsWithin, type Names } from './seedIds.ts'
import { type Kind, kinds, sizes, typeOf } from './signalrShape.ts'
import type {
  Connection,
  Decision,
  DeletedVault,
  History,
  Instance,
  Link,
  ProvisioningState,
  ResourceGroup,
  Vault,
} from './state.ts'
import { vaultType } from './vaults.ts'

/** The resource groups and resources of a seed file, and what their names mean elsewhere in it. */

export type Resources = {
  readonly resourceGroups: readonly ResourceGroup[]
  readonly signalrs: readonly Instance[]
  readonly webPubSubs: readonly Instance[]
  readonly vaults: readonly Vault[]
  readonly deletedVaults: readonly DeletedVault[]
  readonly links: readonly Link[]
  readonly connections: readonly Connection[]
  /** The scope that the place names: `/`, an id, or the bare name of a resource or resource group of the file. */
  scopeAt(place: Place): string
}

const instanceNames: Names = {
  pattern: /^[a-zA-Z][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$/,
  what: 'a name of 3 to 63 letters, digits and -, a letter first',
}
const vaultNames: Names = { pattern: /^[a-zA-Z0-9-]{3,24}$/, what: 'a name of 3 to 24 letters, digits and -' }

const provisioningStates: readonly ProvisioningState[] = [
  'Succeeded',
  'Creating',
  'Updating',
  'Failed',
  'Canceled',
  'Deleting',
]
const decisions: readonly Decision[] = ['Pending', 'Approved', 'Rejected', 'Disconnected']

const locationAt = (place: Place): string =>
  or(place, (at) => matching(at, /^[a-z0-9]+$/, 'a region such as "westeurope"'), 'westeurope')

const dayMs = 86_400_000

const historyNames = ['createdAt', 'createdBy', 'lastModifiedAt', 'lastModifiedBy'] as const

function historyAt(of: Record<(typeof historyNames)[number], Place>, now: number): History {
  const createdAt = or(of.createdAt, timeAt, now)
  const createdBy = or(of.createdBy, nameAt, 'sandbox')
  return {
    createdAt,
    createdBy,
    changedAt: or(of.lastModifiedAt, timeAt, createdAt),
    changedBy: or(of.lastModifiedBy, nameAt, createdBy),
  }
}

/** Something that was read, where it stands, and the list of what hangs on it. */
type Read<T> = { readonly one: T; readonly place: Place; readonly children?: Place }

function readGroup(place: Place, ids: Ids): Read<ResourceGroup> {
  const { id, name, location, tags } = membersOf(place, ['id', 'name', 'location', 'tags'])
  if (id.value !== undefined) or(name, (at) => complain(at, 'is in the id already; leave it out'), undefined)
  const group = { id: ids.groupAt(id.value === undefined ? name : id), location: locationAt(location) }
  return { place, one: tags.value === undefined ? group : { ...group, tags: tagsAt(tags) } }
}

function readInstance(place: Place, kind: Kind, ids: Ids, now: number): Read<Instance> {
  const { sharedPrivateLinkResources, ...of } = membersOf(place, [
    'id',
    'name',
    'resourceGroup',
    'location',
    'sku',
    'capacity',
    'tags',
    'properties',
    'replicas',
    'provisioningState',
    ...historyNames,
    'sharedPrivateLinkResources',
  ])
  const hasHistory = historyNames.some((name) => of[name].value !== undefined)
  const skus = Object.keys(sizes) as Instance['sku'][]
  const one: Instance = {
    id: ids.idAt(of, typeOf(kind), instanceNames),
    location: locationAt(of.location),
    sku: or(of.sku, (at) => oneOf(at, skus), 'Standard_S1'),
    capacity: or(of.capacity, (at) => wholeAt(at, 1), 1),
    tags: tagsAt(of.tags),
    properties: Object.fromEntries(entriesOf(of.properties).map(([name, { value }]) => [name, value])),
    replicas: elementsOf(of.replicas).map(nameAt),
    provisioningState: or(of.provisioningState, (at) => oneOf(at, provisioningStates), 'Succeeded'),
    history: hasHistory ? historyAt(of, now) : undefined,
  }
  return { place, one, children: sharedPrivateLinkResources }
}

function readLink(
  place: Place,
  instance: Instance,
  vaults: readonly string[],
  ids: Ids,
  now: number,
): Read<Link> {
  const of = membersOf(place, [
    'name',
    'privateLinkResourceId',
    'groupId',
    'requestMessage',
    'provisioningState',
    'status',
    'generation',
    ...historyNames,
  ])
  const name = matching(of.name, instanceNames.pattern, instanceNames.what)
  const one: Link = {
    id: `${instance.id}/sharedPrivateLinkResources/${name}`,
    instance: resourceKey(instance.id),
    target: ids.named(of.privateLinkResourceId, vaults, 'a vault'),
    groupId: or(of.groupId, nameAt, 'vault'),
    requestMessage: or<string | undefined>(of.requestMessage, textAt, undefined),
    provisioningState: or(of.provisioningState, (at) => oneOf(at, provisioningStates), 'Succeeded'),
    status: or(of.status, (at) => oneOf(at, [...decisions, 'Timeout']), 'Pending'),
    generation: or(of.generation, (at) => wholeAt(at, 1), 1),
    ...historyAt(of, now),
  }
  return { place, one }
}

const vaultMembers = [
  'id',
  'name',
  'resourceGroup',
  'location',
  'publicNetworkAccess',
  'tags',
  'properties',
  'namedAt',
] as const

const vaultAt = (of: Record<(typeof vaultMembers)[number], Place>, ids: Ids): Vault => ({
  id: ids.idAt(of, vaultType, vaultNames),
  location: locationAt(of.location),
  publicNetworkAccess: or(of.publicNetworkAccess, (at) => oneOf(at, ['Enabled', 'Disabled']), 'Enabled'),
  tags: tagsAt(of.tags),
  ...(of.properties.value !== undefined && {
    properties: Object.fromEntries(entriesOf(of.properties).map(([name, { value }]) => [name, value])),
  }),
  ...(of.namedAt.value !== undefined && { namedAt: timeAt(of.namedAt) }),
})

function readVault(place: Place, ids: Ids): Read<Vault> {
  const { privateEndpointConnections, ...of } = membersOf(place, [
    ...vaultMembers,
    'privateEndpointConnections',
  ])
  return { place, one: vaultAt(of, ids), children: privateEndpointConnections }
}

function readDeletedVault(place: Place, ids: Ids, now: number): DeletedVault {
  const of = membersOf(place, [...vaultMembers, 'deletedAt', 'goneAt'])
  const deletedAt = or(of.deletedAt, timeAt, now)
  return { vault: vaultAt(of, ids), deletedAt, goneAt: or(of.goneAt, timeAt, deletedAt + 90 * dayMs) }
}

function readConnection(place: Place, vault: Vault, links: readonly string[], ids: Ids): Read<Connection> {
  const of = membersOf(place, [
    'name',
    'privateEndpoint',
    'sharedPrivateLinkResource',
    'status',
    'description',
    'actionsRequired',
    'provisioningState',
    'etag',
    'edits',
  ])
  const link = (at: Place): string => resourceKey(ids.named(at, links, 'a shared private link resource'))
  const endpoint = (at: Place): string => matching(at, /^\//, 'the id of a private endpoint')
  const states = ['Succeeded', 'Updating', 'Deleting', 'Disconnected'] as const
  const name = or(
    of.name,
    (at) => matching(at, /^[\w.-]+$/, 'a name of letters, digits and - _ .'),
    randomUUID(),
  )
  const one: Connection = {
    id: `${vault.id}/privateEndpointConnections/${name}`,
    vault: resourceKey(vault.id),
    privateEndpointId: or(of.privateEndpoint, endpoint, microsoftEndpointId()),
    link: or<string | undefined>(of.sharedPrivateLinkResource, link, undefined),
    status: or(of.status, (at) => oneOf(at, decisions), 'Pending'),
    description: or<string | undefined>(of.description, textAt, undefined),
    actionsRequired: or(of.actionsRequired, textAt, 'None'),
    provisioningState: or(of.provisioningState, (at) => oneOf(at, states), 'Succeeded'),
    etag: or<string | undefined>(of.etag, nameAt, undefined),
    edits: or(of.edits, wholeAt, 0),
  }
  return { place, one }
}

export function readResources(
  of: Record<'resourceGroups' | 'signalR' | 'webPubSub' | 'vaults' | 'deletedVaults', Place>,
  subscriptions: readonly string[],
  now: number,
): Resources {
  const ids = idsWithin(subscriptions)
  const groups = elementsOf(of.resourceGroups).map((place) => readGroup(place, ids))
  const vaults = elementsOf(of.vaults).map((place) => readVault(place, ids))
  const [signalrs = [], webPubSubs = []] = kinds.map((kind) =>
    elementsOf(of[kind.segment]).map((place) => readInstance(place, kind, ids, now)),
  )
  const instances = [...signalrs, ...webPubSubs]
  const idsOf = (all: readonly Read<{ id: string }>[]): string[] => all.map(({ one }) => one.id)
  const below = <P, T>({ one, children }: Read<P>, read: (place: Place, parent: P) => Read<T>): Read<T>[] =>
    children ? elementsOf(children).map((place) => read(place, one)) : []
  const links = instances.flatMap((instance) =>
    below(instance, (place, parent) => readLink(place, parent, idsOf(vaults), ids, now)),
  )
  const connections = vaults.flatMap((vault) =>
    below(vault, (place, parent) => readConnection(place, parent, idsOf(links), ids)),
  )
  const resources = [...instances, ...vaults]
  for (const all of [groups, resources, links, connections])
    allDiffer(
      'id',
      all.map(({ place, one }) => ({ place, key: resourceKey(one.id) })),
    )
  const implied = idsOf(resources).map((id) => id.split('/').slice(0, 5).join('/'))
  const groupIds = new Map([...idsOf(groups), ...implied].map((id) => [id.toLowerCase(), id]))
  const scopes = [...groupIds.values(), ...idsOf(resources)]
  const managementGroup = /^\/providers\/Microsoft\.Management\/managementGroups\/[^/]+$/i
  return {
    resourceGroups: groups.map(({ one }) => one),
    signalrs: signalrs.map(({ one }) => one),
    webPubSubs: webPubSubs.map(({ one }) => one),
    vaults: vaults.map(({ one }) => one),
    deletedVaults: elementsOf(of.deletedVaults).map((place) => readDeletedVault(place, ids, now)),
    links: links.map(({ one }) => one),
    connections: connections.map(({ one }) => one),
    scopeAt: (place) =>
      typeof place.value === 'string' && (place.value === '/' || managementGroup.test(place.value))
        ? place.value
        : ids.named(place, scopes, 'a resource or resource group'),
  }
}
