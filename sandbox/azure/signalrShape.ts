import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import type { SeedSignalr } from '../seed.ts'
import { type Link, linksOf, type World } from './state.ts'

/** How Microsoft.SignalRService shows what it stores. */
export const signalrType = 'Microsoft.SignalRService/SignalR'

export const signalrVersions = [
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

export function showLink(world: World, link: Link): unknown {
  const groupId = world.settings.groupIdInReply
  return {
    id: link.id,
    name: resourceName(link.id),
    type: `${signalrType}/sharedPrivateLinkResources`,
    properties: {
      groupId,
      privateLinkResourceId: link.target,
      provisioningState: link.provisioningState,
      ...(link.requestMessage !== undefined && { requestMessage: link.requestMessage }),
      status: link.status,
    },
    systemData: {
      createdBy: link.createdBy,
      createdByType: 'Application',
      createdAt: new Date(link.createdAt).toISOString(),
      lastModifiedBy: link.changedBy,
      lastModifiedByType: 'Application',
      lastModifiedAt: new Date(link.changedAt).toISOString(),
    },
  }
}

const sizes = {
  Standard_S1: { tier: 'Standard', size: 'S1' },
  Premium_P1: { tier: 'Premium', size: 'P1' },
  Free_F1: { tier: 'Free', size: 'F1' },
} as const

const sku = ({ sku: name }: SeedSignalr): object => ({ name, ...sizes[name], capacity: 1 })

export function showSignalr(world: World, signalr: SeedSignalr): unknown {
  const name = resourceName(signalr.id)
  return {
    id: signalr.id,
    name,
    type: signalrType,
    kind: 'SignalR',
    location: signalr.location,
    tags: {},
    sku: sku(signalr),
    properties: {
      // Succeeded even while a child is being written: people report just that.
      provisioningState: 'Succeeded',
      hostName: `${name.toLowerCase()}.service.signalr.net`,
      hostNamePrefix: name.toLowerCase(),
      publicPort: 443,
      serverPort: 443,
      version: '1.0',
      privateEndpointConnections: [],
      sharedPrivateLinkResources: linksOf(world, resourceKey(signalr.id)).map((link) =>
        showLink(world, link),
      ),
      tls: { clientCertEnabled: false },
      features: [{ flag: 'ServiceMode', value: 'Default', properties: {} }],
      publicNetworkAccess: 'Enabled',
      disableLocalAuth: false,
      disableAadAuth: false,
    },
  }
}

export function showReplica(signalr: SeedSignalr, name: string): unknown {
  return {
    id: `${signalr.id}/replicas/${name}`,
    name,
    type: `${signalrType}/replicas`,
    location: signalr.location,
    tags: {},
    sku: sku(signalr),
    properties: { provisioningState: 'Succeeded' },
  }
}
