import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { type History, type Instance, type Link, linksOf, type World } from './state.ts'

/** How Microsoft.SignalRService shows what it stores: SignalR and Web PubSub differ in names and a few properties. */

export type Kind = {
  /** The type as the provider writes it, in ids and rights. */
  readonly type: 'SignalR' | 'WebPubSub'
  /** The type as paths are documented. */
  readonly segment: 'signalR' | 'webPubSub'
  readonly hostSuffix: string
  readonly privateLinkZone: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly versions: readonly string[]
}

const signalrVersions = [
  '2018-03-01-preview',
  '2018-10-01',
  '2020-05-01',
  '2020-07-01-preview',
  '2021-04-01-preview',
  '2021-06-01-preview',
  '2021-09-01-preview',
  '2021-10-01',
  '2022-02-01',
  '2022-08-01-preview',
  '2023-02-01',
  '2023-03-01-preview',
  '2023-06-01-preview',
  '2023-08-01-preview',
  '2024-01-01-preview',
  '2024-03-01',
  '2024-04-01-preview',
  '2024-08-01-preview',
  '2024-10-01-preview',
  '2025-01-01-preview',
]

const signalr: Kind = {
  type: 'SignalR',
  segment: 'signalR',
  hostSuffix: 'service.signalr.net',
  privateLinkZone: 'privatelink.service.signalr.net',
  properties: { features: [{ flag: 'ServiceMode', value: 'Default', properties: {} }] },
  versions: signalrVersions,
}

const webPubSub: Kind = {
  type: 'WebPubSub',
  segment: 'webPubSub',
  hostSuffix: 'webpubsub.azure.com',
  privateLinkZone: 'privatelink.webpubsub.azure.com',
  properties: {},
  // Its change log leaves one out, and the newest that a client of Microsoft's names is later than SignalR's.
  versions: [
    ...signalrVersions.filter((version) => version >= '2021-04-01-preview' && version !== '2022-02-01'),
    '2025-08-01-preview',
  ],
}

export const kinds: readonly Kind[] = [signalr, webPubSub]

export const typeOf = (kind: Kind): string => `Microsoft.SignalRService/${kind.type}`

export const kindOf = (id: string): Kind =>
  /\/Microsoft\.SignalRService\/webPubSub\//i.test(`${id}/`) ? webPubSub : signalr

function systemData(world: World, { createdAt, createdBy, changedAt, changedBy }: History): unknown {
  const applications = new Set(Object.values(world.applications).map(({ objectId }) => objectId))
  const kindOfPrincipal = (by: string): string => (applications.has(by) ? 'Application' : 'User')
  return {
    createdBy,
    createdByType: kindOfPrincipal(createdBy),
    createdAt: new Date(createdAt).toISOString(),
    lastModifiedBy: changedBy,
    lastModifiedByType: kindOfPrincipal(changedBy),
    lastModifiedAt: new Date(changedAt).toISOString(),
  }
}

export function showLink(world: World, link: Link): unknown {
  const groupId = world.settings.groupIdInReply
  return {
    id: link.id,
    name: resourceName(link.id),
    type: `${typeOf(kindOf(link.id))}/sharedPrivateLinkResources`,
    properties: {
      groupId,
      privateLinkResourceId: link.target,
      provisioningState: link.provisioningState,
      ...(link.requestMessage !== undefined && { requestMessage: link.requestMessage }),
      status: link.status,
    },
    systemData: systemData(world, link),
  }
}

export const sizes = {
  Free_F1: { tier: 'Free', size: 'F1' },
  Standard_S1: { tier: 'Standard', size: 'S1' },
  Premium_P1: { tier: 'Premium', size: 'P1' },
  Premium_P2: { tier: 'Premium', size: 'P2' },
} as const satisfies Record<Instance['sku'], { tier: string; size: string }>

const sku = ({ sku: name, capacity }: Instance): object => ({ name, ...sizes[name], capacity })

/** What only the service sets; a client that sends back what it read sends these too. */
export const readOnlyProperties: readonly string[] = [
  'provisioningState',
  'externalIP',
  'hostName',
  'hostNamePrefix',
  'publicPort',
  'serverPort',
  'version',
  'privateEndpointConnections',
  'sharedPrivateLinkResources',
]

/** Recorded replies of 2021 call a Web PubSub by its type alone, those of 2023 by its kind as well. */
const showsKind = (kind: Kind, apiVersion: string | undefined): boolean =>
  kind.type === 'SignalR' || apiVersion === undefined || apiVersion >= '2023-06-01'

export function showInstance(world: World, instance: Instance, apiVersion?: string): unknown {
  const name = resourceName(instance.id)
  const prefix = name.toLowerCase()
  const kind = kindOf(instance.id)
  const creating = instance.provisioningState === 'Creating'
  return {
    sku: sku(instance),
    properties: {
      // Succeeded even while a link of it is being written: people report just that.
      provisioningState: instance.provisioningState,
      externalIP: creating ? null : '203.0.113.1',
      hostName: `${prefix}.${kind.hostSuffix}`,
      publicPort: 443,
      serverPort: 443,
      version: creating ? '1.0-preview' : '1.0',
      privateEndpointConnections: [],
      sharedPrivateLinkResources: linksOf(world, resourceKey(instance.id)).map((link) =>
        showLink(world, link),
      ),
      tls: { clientCertEnabled: false },
      hostNamePrefix: prefix,
      ...kind.properties,
      publicNetworkAccess: 'Enabled',
      disableLocalAuth: false,
      disableAadAuth: false,
      ...instance.properties,
    },
    ...(showsKind(kind, apiVersion) && { kind: kind.type }),
    ...(instance.history && { systemData: systemData(world, instance.history) }),
    location: instance.location,
    tags: instance.tags,
    id: instance.id,
    name,
    type: typeOf(kind),
  }
}

export function showReplica(instance: Instance, name: string): unknown {
  return {
    id: `${instance.id}/replicas/${name}`,
    name,
    type: `${typeOf(kindOf(instance.id))}/replicas`,
    location: instance.location,
    tags: {},
    sku: sku(instance),
    properties: { provisioningState: 'Succeeded' },
  }
}
