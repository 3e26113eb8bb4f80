import { randomUUID } from 'node:crypto'
import { parseResourceId, resourceKey } from '../../src/link/resourceId.ts'
import * as seeded from '../seed.ts'
import { builtInRoles } from './builtInRoles.ts'
import type { Reply } from './reply.ts'
import type { Settings } from './switches.ts'

/** The world as the resource providers store it, its clock, and the agenda of what is yet to happen. */
export type World = {
  readonly tenantId: string
  readonly subscriptions: readonly Subscription[]
  readonly people: Readonly<Record<string, Person>>
  /** Members are names of people and applications. */
  readonly groups: Readonly<Record<string, Group>>
  readonly applications: Readonly<Record<string, Application>>
  readonly roles: readonly Role[]
  readonly assignments: Assignment[]
  readonly denials: Denial[]
  readonly resourceGroups: Map<string, ResourceGroup>
  readonly instances: Map<string, Instance>
  readonly locks: Map<string, Lock>
  readonly vaults: Map<string, Vault>
  readonly deletedVaults: Map<string, DeletedVault>
  readonly links: Map<string, Link>
  readonly connections: Map<string, Connection>
  readonly operations: Map<string, Operation>
  readonly moves: Map<string, Move>
  /** Sorted by due time; equal times in the order they were added. */
  readonly agenda: { readonly at: number; readonly step: Step }[]
  /** By subscription and namespace: the last change, and when it is done. What was never changed is registered. */
  readonly registrations: Map<string, Registration>
  readonly buckets: Map<string, { tokens: number; at: number }>
  settings: Settings
  /** How far the clock has been turned on. */
  readonly turnedMs: number
  now(): number
  turn(ms: number): void
  tell(event: AzureEvent): void
}

export type Effect =
  | 'instanceCreated'
  | 'instanceUpdated'
  | 'instanceDeleted'
  | 'linkCreated'
  | 'linkUpdated'
  | 'linkDeleted'
  | 'linkKept'
  | 'connectionAppeared'
  | 'connectionReset'
  | 'connectionApproved'
  | 'connectionRejected'
  | 'connectionRemoved'
  | 'propagated'
  | 'resourceMoved'
  | 'vaultCreated'
  | 'vaultUpdated'
  | 'vaultDeleted'
  | 'vaultRecovered'
  | 'vaultPurged'

/**
 * What happened, for those who watch. A reset or hung call has status 0. `by` is the name of a person or an application
 * (`bot`), `portal` or `Azure`.
 */
export type AzureEvent =
  | {
      at: number
      who: 'Azure'
      kind: 'arm'
      method: string
      path: string
      query: string
      status: number
      requestBody?: unknown
      body?: unknown
      principal?: string
      write: boolean
    }
  /** A request before anybody has signed in: a token, or what the cloud says of itself. */
  | { at: number; who: 'Azure'; kind: 'anonymous'; method: string; path: string; status: number }
  | { at: number; who: 'Azure'; kind: 'effect'; what: Effect; id: string; by: string }

export type Subscription = { readonly id: string; readonly name: string }
export type Person = {
  readonly objectId: string
  readonly displayName: string
  readonly guest: boolean
  readonly userPrincipalName: string
  readonly password: string
}
export type Group = { readonly objectId: string; readonly members: readonly string[] }
/** An application and its service principal: `objectId` is the principal's. */
export type Application = {
  readonly appId: string
  readonly objectId: string
  readonly displayName: string
  readonly secret: string | undefined
  /** Its tokens come from the managed identity endpoint. */
  readonly managedIdentity: boolean
}

export type Role = {
  readonly key: string
  readonly guid: string
  readonly name: string
  readonly builtIn: boolean
  readonly actions: readonly string[]
  readonly notActions: readonly string[]
}
export type Assignment = {
  readonly guid: string
  readonly principalId: string
  readonly role: string
  readonly scope: string
  readonly condition?: string
}
export type Denial = {
  readonly guid: string
  readonly principalId: string
  readonly actions: readonly string[]
  readonly scope: string
}

/** A vault of the seed, or one that was made here. */
export type Vault = seeded.SeedVault & {
  /** As they were given to ARM, if they were. */
  readonly properties?: Readonly<Record<string, unknown>>
  /** When its name is in DNS; from the start for one of the seed. */
  readonly namedAt?: number | undefined
}
/** A vault that was deleted, until it is purged: by somebody, or when its days are over. */
export type DeletedVault = { readonly vault: Vault; readonly deletedAt: number; readonly goneAt: number }
export type ResourceGroup = {
  readonly id: string
  readonly location: string
  readonly tags?: Readonly<Record<string, string>>
}

export type ProvisioningState = 'Creating' | 'Updating' | 'Succeeded' | 'Failed' | 'Canceled' | 'Deleting'

/** SignalR or Web PubSub, as the type in its id says: one resource provider, and alike in all that is modelled here. */
export type Instance = {
  readonly id: string
  readonly location: string
  sku: 'Free_F1' | 'Standard_S1' | 'Premium_P1' | 'Premium_P2'
  capacity: number
  tags: Readonly<Record<string, string>>
  /** As they were given, without what only the service sets. */
  properties: Readonly<Record<string, unknown>>
  readonly replicas: readonly string[]
  provisioningState: ProvisioningState
  /** Unknown for what was there from the start. */
  history: History | undefined
}
export type History = {
  readonly createdAt: number
  readonly createdBy: string
  readonly changedAt: number
  readonly changedBy: string
}
/** What a seed has to say of an instance; the rest is as after a plain creation. */
export type SeedInstance = Pick<Instance, 'id' | 'location' | 'sku'> & Partial<Instance>

export type Lock = {
  readonly scope: string
  readonly name: string
  readonly level: 'CanNotDelete' | 'ReadOnly'
  readonly notes?: string
}

export type Registration = {
  readonly subscription: string
  readonly namespace: string
  readonly registered: boolean
  readonly done: number
}

export type Link = {
  readonly id: string
  /** The key of the instance that it hangs on. */
  readonly instance: string
  groupId: string
  target: string
  requestMessage: string | undefined
  provisioningState: ProvisioningState
  status: 'Pending' | 'Approved' | 'Rejected' | 'Disconnected' | 'Timeout'
  /** Counts the PUTs: what an earlier one set going no longer reaches the link. */
  generation: number
  readonly createdAt: number
  readonly createdBy: string
  changedAt: number
  changedBy: string
}

export type Decision = 'Pending' | 'Approved' | 'Rejected' | 'Disconnected'
export type Connection = {
  readonly id: string
  readonly vault: string
  readonly privateEndpointId: string
  /** The link that it belongs to, unless it is a stranger's. */
  readonly link: string | undefined
  status: Decision
  description: string | undefined
  actionsRequired: string
  provisioningState: 'Succeeded' | 'Updating' | 'Deleting' | 'Disconnected'
  etag: string | undefined
  edits: number
}

/** A write to an instance, or to a link of it, that goes on after its answer. */
export type Operation = {
  readonly id: string
  /** The instance's id; it may be gone. */
  readonly instance: string
  /** The key of the link, unless it is about the instance itself. */
  readonly link: string | undefined
  readonly kind: 'put' | 'delete'
  readonly startedAt: number
  endedAt: number | undefined
  status: 'Running' | 'Succeeded' | 'Failed' | 'Canceled'
  /** Why it failed, where there is more to say than that. */
  error?: { readonly code: string; readonly message: string }
}

/** Resources on their way from one group to another, or a look whether they could go. */
export type Move = {
  readonly id: string
  readonly resources: readonly string[]
  /** The ids of the groups. */
  readonly from: string
  readonly to: string
  readonly validateOnly: boolean
  readonly by: string
  /** What its end answers, when a provider refused. */
  readonly problem: Reply | undefined
  readonly endedAt?: number
}

export type Step =
  | { kind: 'provisioned'; link: string; operation: string }
  | { kind: 'appears'; link: string; generation: number }
  | { kind: 'settled'; connection: string; edits: number }
  | { kind: 'propagates'; link: string; generation: number; status: Link['status'] }
  | { kind: 'linkGone'; link: string; operation: string }
  | { kind: 'connectionGone'; connection: string; by: string }
  | { kind: 'instanceProvisioned'; instance: string; operation: string }
  | { kind: 'moved'; move: string }
  | { kind: 'instanceGone'; instance: string; operation: string }

/** What a world starts with; each part that describes the tenant and its resources defaults to `sandbox/seed.ts`. */
export type Seed = {
  tenantId?: string
  subscriptions?: readonly Subscription[]
  people?: World['people']
  groups?: World['groups']
  applications?: World['applications']
  /** Beside Azure's own Owner, Contributor and Reader. */
  roles?: Readonly<Record<string, Omit<Role, 'key' | 'guid' | 'builtIn'> & { guid?: string }>>
  assignments?: readonly (Omit<Assignment, 'guid'> & { guid?: string })[]
  denials?: readonly (Omit<Denial, 'guid'> & { guid?: string })[]
  /** Beside those that the resources imply. */
  resourceGroups?: readonly ResourceGroup[]
  signalrs?: readonly SeedInstance[]
  webPubSubs?: readonly SeedInstance[]
  vaults?: readonly Vault[]
  links?: readonly Link[]
  connections?: readonly Connection[]
  deletedVaults?: readonly DeletedVault[]
  locks?: readonly Lock[]
  registrations?: readonly Registration[]
  moves?: readonly Move[]
  operations?: readonly Operation[]
  agenda?: World['agenda']
  settings?: Partial<Settings>
  turnedMs?: number
}

const defaultPeople = (): World['people'] =>
  Object.fromEntries(
    Object.values(seeded.people).map(({ key, name, objectId, guest = false }) => [
      key,
      { objectId, displayName: name, guest, ...signInOf(key) },
    ]),
  )

/** With what a person signs in who is given nothing else. */
export const signInOf = (name: string): Pick<Person, 'userPrincipalName' | 'password'> => ({
  userPrincipalName: `${name}@contoso.example`,
  password: 'sandbox-password',
})

function defaultApplications(): World['applications'] {
  const { appId, objectId, name, secret } = seeded.bot
  return { bot: { appId, objectId, displayName: name, secret, managedIdentity: true } }
}

/** Keys of what hangs on a scope or a subscription. */
export const lockKey = (scope: string, name: string): string => `${resourceKey(scope)}/${name}`.toLowerCase()
export const registrationKey = (subscription: string, namespace: string): string =>
  `${subscription}/${namespace}`.toLowerCase()

const customRoles = (given: NonNullable<Seed['roles']>): Role[] =>
  Object.entries(given).map(([key, role], index) => ({
    guid: `e0000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    ...role,
    key,
    builtIn: false,
  }))

const grown = (seed: SeedInstance): Instance => ({
  capacity: 1,
  tags: {},
  properties: {},
  replicas: [],
  provisioningState: 'Succeeded',
  history: undefined,
  ...seed,
})

/** The groups that are listed, and those that the resources are in. */
function resourceGroupsOf(
  listed: readonly ResourceGroup[],
  resources: readonly { id: string; location: string }[],
): Map<string, ResourceGroup> {
  const groups = new Map(listed.map((group) => [group.id.toLowerCase(), group]))
  for (const { id, location } of resources) {
    const parsed = parseResourceId(id)
    if (!parsed) throw new Error(`${id} is no resource id`)
    const group = `/subscriptions/${parsed.subscription}/resourceGroups/${parsed.resourceGroup}`
    if (!groups.has(group.toLowerCase())) groups.set(group.toLowerCase(), { id: group, location })
  }
  return groups
}

export function createWorld(
  seed: Seed,
  settings: Settings,
  clock: () => number,
  tell: (event: AzureEvent) => void,
): World {
  let turned = seed.turnedMs ?? 0
  const byKey = <T extends { id: string }>(list: readonly T[]): Map<string, T> =>
    new Map(list.map((one) => [resourceKey(one.id), { ...one }]))
  const instances = [...(seed.signalrs ?? seeded.signalrs), ...(seed.webPubSubs ?? [])].map(grown)
  const vaults = seed.vaults ?? seeded.vaults
  return {
    tenantId: seed.tenantId ?? seeded.tenantId,
    subscriptions: seed.subscriptions ?? Object.values(seeded.subscriptions),
    people: seed.people ?? defaultPeople(),
    groups: seed.groups ?? seeded.groups,
    applications: seed.applications ?? defaultApplications(),
    roles: [...builtInRoles, ...customRoles(seed.roles ?? seeded.roles)],
    assignments: (seed.assignments ?? seeded.assignments).map((one) => ({ guid: randomUUID(), ...one })),
    denials: (seed.denials ?? []).map((one) => ({ guid: randomUUID(), ...one })),
    resourceGroups: resourceGroupsOf(seed.resourceGroups ?? [], [...instances, ...vaults]),
    instances: byKey(instances),
    vaults: byKey(vaults),
    links: byKey(seed.links ?? []),
    connections: byKey(seed.connections ?? []),
    operations: new Map((seed.operations ?? []).map((one) => [one.id, { ...one }])),
    agenda: [...(seed.agenda ?? [])],
    locks: new Map((seed.locks ?? []).map((one) => [lockKey(one.scope, one.name), one])),
    registrations: new Map(
      (seed.registrations ?? []).map((one) => [registrationKey(one.subscription, one.namespace), one]),
    ),
    deletedVaults: new Map((seed.deletedVaults ?? []).map((one) => [resourceKey(one.vault.id), one])),
    moves: new Map((seed.moves ?? []).map((one) => [one.id, one])),
    buckets: new Map(),
    settings,
    get turnedMs() {
      return turned
    },
    now: () => clock() + turned,
    turn(ms) {
      turned += ms
    },
    tell,
  }
}

/** Puts a step on the agenda. */
export function later(world: World, at: number, step: Step): void {
  const after = world.agenda.findLastIndex((entry) => entry.at <= at)
  world.agenda.splice(after + 1, 0, { at, step })
}

/** The name under which a person or an application is known here. */
export const nameOf = (world: World, principal: string): string | undefined =>
  [...Object.entries(world.people), ...Object.entries(world.applications)].find(
    ([, { objectId }]) => objectId === principal,
  )?.[0]

/** Who a principal is, in a word that a person reads. */
export const whoIs = (world: World, principal: string): string => nameOf(world, principal) ?? principal

export const linksOf = (world: World, instance: string): Link[] =>
  [...world.links.values()].filter((link) => link.instance === instance)

export const connectionsOf = (world: World, vault: string): Connection[] =>
  [...world.connections.values()].filter((connection) => connection.vault === vault)
