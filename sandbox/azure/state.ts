import { randomUUID } from 'node:crypto'
import { resourceKey } from '../../src/link/resourceId.ts'
import * as seeded from '../seed.ts'
import type { Settings } from './switches.ts'

/** The world as the resource providers store it, its clock, and the agenda of what is yet to happen. */
export type World = {
  readonly tenantId: string
  readonly subscriptions: readonly { readonly id: string; readonly name: string }[]
  readonly people: Readonly<Record<string, { readonly objectId: string }>>
  readonly groups: Readonly<
    Record<string, { readonly objectId: string; readonly members: readonly string[] }>
  >
  readonly roles: readonly Role[]
  readonly assignments: Assignment[]
  readonly denials: Denial[]
  readonly locks: Map<string, Lock>
  readonly signalrs: Map<string, seeded.SeedSignalr>
  readonly vaults: Map<string, Vault>
  readonly deletedVaults: Map<string, DeletedVault>
  readonly links: Map<string, Link>
  readonly connections: Map<string, Connection>
  readonly operations: Map<string, Operation>
  /** Sorted by due time; equal times in the order they were added. */
  readonly agenda: { readonly at: number; readonly step: Step }[]
  /** By subscription and namespace: the last change, and when it is done. What was never changed is registered. */
  readonly registrations: Map<string, { readonly registered: boolean; readonly done: number }>
  readonly buckets: Map<string, { tokens: number; at: number }>
  settings: Settings
  now(): number
  turn(ms: number): void
  tell(event: AzureEvent): void
}

export type Effect =
  | 'linkCreated'
  | 'linkUpdated'
  | 'linkDeleted'
  | 'connectionAppeared'
  | 'connectionReset'
  | 'connectionApproved'
  | 'connectionRejected'
  | 'connectionRemoved'
  | 'propagated'
  | 'vaultCreated'
  | 'vaultUpdated'
  | 'vaultDeleted'
  | 'vaultRecovered'
  | 'vaultPurged'

/** What happened, for those who watch. A reset or hung call has status 0. `by` is a person's key, `bot`, `portal` or `Azure`. */
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
  | { at: number; who: 'Azure'; kind: 'effect'; what: Effect; id: string; by: string }

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

export type Lock = {
  readonly scope: string
  readonly name: string
  readonly level: 'CanNotDelete' | 'ReadOnly'
  readonly notes?: string
}

export type Link = {
  readonly id: string
  readonly signalr: string
  groupId: string
  target: string
  requestMessage: string | undefined
  provisioningState: 'Creating' | 'Updating' | 'Succeeded' | 'Failed' | 'Canceled' | 'Deleting'
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

export type Operation = {
  readonly id: string
  readonly signalr: string
  readonly link: string
  readonly kind: 'put' | 'delete'
  readonly startedAt: number
  endedAt?: number
  status: 'Running' | 'Succeeded' | 'Failed' | 'Canceled'
  /** Why it failed, where there is more to say than that. */
  error?: { readonly code: string; readonly message: string }
}

export type Step =
  | { kind: 'provisioned'; link: string; operation: string }
  | { kind: 'appears'; link: string; generation: number }
  | { kind: 'settled'; connection: string; edits: number }
  | { kind: 'propagates'; link: string; generation: number; status: Link['status'] }
  | { kind: 'linkGone'; link: string; operation: string }
  | { kind: 'connectionGone'; connection: string; by: string }

/** What a world starts with; each part defaults to `sandbox/seed.ts`. */
export type Seed = {
  signalrs?: readonly seeded.SeedSignalr[]
  vaults?: readonly seeded.SeedVault[]
  roles?: Readonly<Record<string, Omit<Role, 'key' | 'guid' | 'builtIn'>>>
  assignments?: readonly Omit<Assignment, 'guid'>[]
  denials?: readonly Omit<Denial, 'guid'>[]
}

// Azure's own ids where the role is one of Azure's own.
const builtIn: Readonly<Record<string, string>> = {
  reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
  contributor: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
}

export function createWorld(
  seed: Seed,
  settings: Settings,
  clock: () => number,
  tell: (event: AzureEvent) => void,
): World {
  let turned = 0
  const byKey = <T extends { id: string }>(list: readonly T[]): Map<string, T> =>
    new Map(list.map((one) => [resourceKey(one.id), one]))
  return {
    tenantId: seeded.tenantId,
    subscriptions: Object.values(seeded.subscriptions),
    people: { ...seeded.people, bot: seeded.bot },
    groups: seeded.groups,
    roles: Object.entries(seed.roles ?? seeded.roles).map(([key, role], index) => ({
      ...role,
      key,
      guid: builtIn[key] ?? `e0000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      builtIn: key in builtIn,
    })),
    assignments: (seed.assignments ?? seeded.assignments).map((one) => ({ guid: randomUUID(), ...one })),
    denials: (seed.denials ?? []).map((one) => ({ guid: randomUUID(), ...one })),
    locks: new Map(),
    signalrs: byKey(seed.signalrs ?? seeded.signalrs),
    vaults: byKey(seed.vaults ?? seeded.vaults),
    deletedVaults: new Map(),
    links: new Map(),
    connections: new Map(),
    operations: new Map(),
    agenda: [],
    registrations: new Map(),
    buckets: new Map(),
    settings,
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

/** Who a principal is, in a word that a person reads. */
export function whoIs(world: World, principal: string): string {
  return Object.entries(world.people).find(([, one]) => one.objectId === principal)?.[0] ?? principal
}

export const linksOf = (world: World, signalr: string): Link[] =>
  [...world.links.values()].filter((link) => link.signalr === signalr)

export const connectionsOf = (world: World, vault: string): Connection[] =>
  [...world.connections.values()].filter((connection) => connection.vault === vault)
