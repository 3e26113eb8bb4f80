import type { Directory } from './entra/directory.ts'

/**
 * The world both sandboxes start with: one tenant, its people, their rights, what runs in Azure, and the team
 * they talk in. Data only; `sandbox/azure` and `sandbox/teams` each read their part.
 */
export const tenantId = '72f988bf-0000-4000-8000-00000000c0de'
/** The bot: its app id in Teams, and the object id of its service principal in Azure. */
export const bot = {
  appId: 'b0700000-0000-4000-8000-000000000001',
  objectId: 'b0700000-0000-4000-8000-0000000000aa',
  name: 'Vaultlink',
  /** What it signs in with where it has no managed identity. */
  secret: 'sandbox-secret',
} as const

/** The application that acts on Azure for people, where owners decide as themselves. */
export const approver = {
  name: 'Vaultlink approvals',
  appId: 'b0700000-0000-4000-8000-000000000002',
  objectId: 'b0700000-0000-4000-8000-0000000000bb',
  secret: 'sandbox-approver-secret',
  uri: `api://botid-${bot.appId}`,
} as const

/** Event Grid's application, the same in every tenant, and the role that lets it deliver. */
export const eventGrid = {
  name: 'Microsoft.EventGrid',
  appId: '4962773b-9cdb-44cf-a8bf-237846a00ab7',
  objectId: 'b0700000-0000-4000-8000-0000000000cc',
  role: 'AzureEventGridSecureWebhookSubscriber',
} as const
/** The application that stands for where the bot takes Azure's events. */
export const events = {
  name: 'Vaultlink events',
  appId: 'b0700000-0000-4000-8000-000000000003',
  objectId: 'b0700000-0000-4000-8000-0000000000dd',
  uri: 'api://vaultlink-events',
} as const

export type Person = {
  readonly key: string
  readonly name: string
  readonly objectId: string
  /** What the role of this person in the story is, for the terminal. */
  readonly is: string
  readonly guest?: boolean
}

const person = (key: string, name: string, n: number, is: string, guest = false): Person => ({
  key,
  name,
  objectId: `a0000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  is,
  ...(guest && { guest }),
})

export const people = {
  requester: person('requester', 'Riley Park', 1, 'runs contoso-signalr'),
  owner: person('owner', 'Noor Haddad', 2, 'owns contoso-kv'),
  second: person('second', 'Mika Aalto', 3, 'owns contoso-kv too, through a group'),
  lone: person('lone', 'Lena Ortiz', 4, 'runs contoso-signalr and alone owns solo-kv'),
  outsider: person('outsider', 'Sam Visser', 5, 'has no rights in Azure'),
  guest: person('guest', 'Gia Fox', 6, 'is a guest in the tenant', true),
} as const

export type PersonKey = keyof typeof people

/** Who can sign in: the bot by its secret or as a managed identity, people by their key and a password that is no secret. */
export const directory: Directory = {
  tenantId,
  applications: [
    {
      name: bot.name,
      appId: bot.appId,
      objectId: bot.objectId,
      secrets: [bot.secret],
      managedIdentity: true,
    },
    {
      name: approver.name,
      appId: approver.appId,
      objectId: approver.objectId,
      secrets: [approver.secret],
      // The bot's managed identity vouches for it: then it needs no secret.
      federations: [{ issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`, subject: bot.objectId }],
      uris: [approver.uri],
    },
    { name: eventGrid.name, appId: eventGrid.appId, objectId: eventGrid.objectId },
    {
      name: events.name,
      appId: events.appId,
      objectId: events.objectId,
      uris: [events.uri],
      roles: { [eventGrid.role]: [eventGrid.appId] },
    },
  ],
  people: Object.values(people).map(({ key, name, objectId }) => ({
    name,
    objectId,
    userPrincipalName: `${key}@contoso.example`,
    password: 'sandbox-password',
  })),
}

export const groups = {
  vaultTeam: { objectId: 'd0000000-0000-4000-8000-000000000001', members: ['second'] },
} as const

export const subscriptions = {
  main: { id: '00000000-0000-0000-0000-000000000000', name: 'Contoso' },
  other: { id: '22222222-0000-4000-8000-000000000002', name: 'Contoso Labs' },
} as const

const signalrId = (name: string, group = 'contoso', sub: string = subscriptions.main.id): string =>
  `/subscriptions/${sub}/resourceGroups/${group}/providers/Microsoft.SignalRService/SignalR/${name}`
const vaultId = (name: string, group = 'contoso', sub: string = subscriptions.main.id): string =>
  `/subscriptions/${sub}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${name}`

export type SeedSignalr = {
  id: string
  location: string
  sku: 'Standard_S1' | 'Premium_P1' | 'Free_F1'
  replicas?: string[]
}
export type SeedVault = {
  id: string
  location: string
  publicNetworkAccess: 'Enabled' | 'Disabled'
  tags?: Record<string, string>
}

export const signalrs: SeedSignalr[] = [
  { id: signalrId('contoso-signalr'), location: 'westeurope', sku: 'Standard_S1' },
  { id: signalrId('contoso-free'), location: 'westeurope', sku: 'Free_F1' },
  {
    id: signalrId('contoso-global'),
    location: 'westeurope',
    sku: 'Premium_P1',
    replicas: ['contoso-global-us'],
  },
  { id: signalrId('contoso-chat', 'chat-blue'), location: 'westeurope', sku: 'Standard_S1' },
  { id: signalrId('contoso-chat', 'chat-green'), location: 'westeurope', sku: 'Standard_S1' },
  {
    id: signalrId('labs-signalr', 'labs', subscriptions.other.id),
    location: 'northeurope',
    sku: 'Standard_S1',
  },
]

export const vaults: SeedVault[] = [
  { id: vaultId('contoso-kv'), location: 'westeurope', publicNetworkAccess: 'Enabled' },
  { id: vaultId('contoso-certs'), location: 'westeurope', publicNetworkAccess: 'Disabled' },
  { id: vaultId('solo-kv', 'solo'), location: 'westeurope', publicNetworkAccess: 'Disabled' },
  { id: vaultId('orphan-kv', 'orphan'), location: 'westeurope', publicNetworkAccess: 'Enabled' },
  {
    id: vaultId('labs-kv', 'labs', subscriptions.other.id),
    location: 'northeurope',
    publicNetworkAccess: 'Enabled',
  },
]

/** Role definitions by the actions they hold, beside Azure's own Owner, Contributor and Reader. */
export const roles = {
  linkMaker: {
    name: 'SignalR link maker',
    actions: [
      'Microsoft.SignalRService/SignalR/read',
      'Microsoft.SignalRService/SignalR/replicas/read',
      'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/*',
      'Microsoft.SignalRService/SignalR/operationStatuses/read',
      'Microsoft.SignalRService/SignalR/operationResults/read',
      'Microsoft.SignalRService/locations/operationStatuses/signalr/read',
      'Microsoft.SignalRService/locations/operationresults/signalr/read',
    ],
    notActions: [],
  },
  vaultApprover: {
    name: 'Vault connection approver',
    actions: [
      'Microsoft.KeyVault/vaults/read',
      'Microsoft.KeyVault/vaults/privateEndpointConnections/read',
      'Microsoft.KeyVault/vaults/privateEndpointConnections/write',
      'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action',
    ],
    notActions: [],
  },
  rightsReader: {
    name: 'Rights reader',
    actions: [
      'Microsoft.Authorization/roleAssignments/read',
      'Microsoft.Authorization/roleDefinitions/read',
      'Microsoft.Authorization/denyAssignments/read',
      'Microsoft.ResourceGraph/resources/read',
    ],
    notActions: [],
  },
  /** All that the bot needs on vaults where owners decide as themselves. */
  vaultReader: {
    name: 'Vault connection reader',
    actions: ['Microsoft.KeyVault/vaults/read', 'Microsoft.KeyVault/vaults/privateEndpointConnections/read'],
    notActions: [],
  },
} as const

export type RoleKey = keyof typeof roles | 'owner' | 'contributor' | 'reader'
export type SeedAssignment = { principalId: string; role: RoleKey; scope: string; condition?: string }

const sub = (id: string): string => `/subscriptions/${id}`
const rg = (name: string): string => `/subscriptions/${subscriptions.main.id}/resourceGroups/${name}`

export const assignments: SeedAssignment[] = [
  ...[subscriptions.main.id, subscriptions.other.id].flatMap((id) =>
    (['linkMaker', 'vaultApprover', 'rightsReader'] as const).map((role) => ({
      principalId: bot.objectId,
      role,
      scope: sub(id),
    })),
  ),
  { principalId: people.requester.objectId, role: 'linkMaker', scope: rg('contoso') },
  { principalId: people.requester.objectId, role: 'linkMaker', scope: rg('chat-blue') },
  { principalId: people.requester.objectId, role: 'linkMaker', scope: rg('chat-green') },
  { principalId: people.owner.objectId, role: 'vaultApprover', scope: vaultId('contoso-kv') },
  { principalId: people.owner.objectId, role: 'vaultApprover', scope: vaultId('contoso-certs') },
  { principalId: groups.vaultTeam.objectId, role: 'vaultApprover', scope: rg('contoso') },
  { principalId: people.lone.objectId, role: 'linkMaker', scope: signalrId('contoso-signalr') },
  { principalId: people.lone.objectId, role: 'vaultApprover', scope: vaultId('solo-kv', 'solo') },
  { principalId: people.outsider.objectId, role: 'reader', scope: sub(subscriptions.main.id) },
]

/** The team: its channels and who is in them. Everyone in a team sees its standard channels. */
export const team = {
  id: '19:team-contoso@thread.tacv2',
  name: 'Contoso',
  channels: [
    { id: '19:team-contoso@thread.tacv2', name: 'General', key: 'general' },
    { id: '19:vault-owners@thread.tacv2', name: 'vault-owners', key: 'vault-owners' },
    { id: '19:solo-owners@thread.tacv2', name: 'solo-owners', key: 'solo-owners' },
    { id: '19:random@thread.tacv2', name: 'random', key: 'random' },
  ],
  members: ['requester', 'owner', 'second', 'lone', 'outsider', 'guest'],
} as const
/** A second team, for a vault that two teams want to own. */
export const otherTeam = {
  id: '19:team-labs@thread.tacv2',
  name: 'Labs',
  channels: [
    { id: '19:team-labs@thread.tacv2', name: 'General', key: 'labs-general' },
    { id: '19:labs-owners@thread.tacv2', name: 'labs-owners', key: 'labs-owners' },
  ],
  members: ['requester', 'second'],
} as const
/** A group chat beside the teams. */
export const groupChat = {
  id: '19:group-contoso@thread.v2',
  name: 'SignalR crew',
  members: ['requester', 'lone'],
} as const
