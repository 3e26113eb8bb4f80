import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import type { seedMembers } from './seedFile.ts'
import { kindOf } from './signalrShape.ts'
import {
  type Connection,
  connectionsOf,
  type History,
  type Instance,
  type Link,
  linksOf,
  type Move,
  type Operation,
  type Vault,
  type World,
} from './state.ts'
import { defaults } from './switches.ts'

/** The world as it stands, as a seed file that it can go on from; members that are undefined do not reach the file. */
export function savedSeed(world: World): Record<(typeof seedMembers)[number], unknown> {
  const names = new Map(
    Object.entries({ ...world.people, ...world.groups, ...world.applications }).map(([name, one]) => [
      one.objectId,
      name,
    ]),
  )
  const principal = (id: string): string => names.get(id) ?? id
  const instances = [...world.instances.values()]
  const show = (one: Instance): object => showInstance(one, linksOf(world, resourceKey(one.id)))
  return {
    tenantId: world.tenantId,
    subscriptions: world.subscriptions,
    people: named(world.people),
    groups: named(world.groups),
    applications: named(world.applications),
    roleDefinitions: world.roles
      .filter(({ builtIn }) => !builtIn)
      .map(({ key, guid, name, actions, notActions }) => ({
        name: key,
        id: guid,
        roleName: name,
        actions,
        notActions,
      })),
    roleAssignments: world.assignments.map(({ guid, principalId, role, scope, condition }) => ({
      id: guid,
      principal: principal(principalId),
      role,
      scope,
      condition,
    })),
    denyAssignments: world.denials.map(({ guid, principalId, actions, scope }) => ({
      id: guid,
      principal: principal(principalId),
      actions,
      scope,
    })),
    resourceGroups: [...world.resourceGroups.values()],
    signalR: instances.filter(({ id }) => kindOf(id).type === 'SignalR').map(show),
    webPubSub: instances.filter(({ id }) => kindOf(id).type === 'WebPubSub').map(show),
    vaults: [...world.vaults.values()].map((vault) => ({
      ...showVault(vault),
      privateEndpointConnections: connectionsOf(world, resourceKey(vault.id)).map(showConnection),
    })),
    deletedVaults: [...world.deletedVaults.values()].map(({ vault, deletedAt, goneAt }) => ({
      ...showVault(vault),
      deletedAt: time(deletedAt),
      goneAt: time(goneAt),
    })),
    locks: [...world.locks.values()],
    registrations: [...world.registrations.values()].map(({ done, ...one }) => ({
      ...one,
      doneAt: time(done),
    })),
    settings: Object.fromEntries(
      Object.entries(world.settings).filter(([name, value]) => Reflect.get(defaults, name) !== value),
    ),
    clockAheadMs: Math.round(world.turnedMs),
    operations: [...world.operations.values()].map(showOperation),
    moves: [...world.moves.values()].map(showMove),
    agenda: world.agenda.map(({ at, step }) => ({ at: time(at), ...step })),
  }
}

const time = (at: number): string => new Date(at).toISOString()

const named = <T extends object>(all: Readonly<Record<string, T>>): object[] =>
  Object.entries(all).map(([name, one]) => ({ name, ...one }))

const showHistory = ({ createdAt, createdBy, changedAt, changedBy }: History): object => ({
  createdAt: time(createdAt),
  createdBy,
  lastModifiedAt: time(changedAt),
  lastModifiedBy: changedBy,
})

const showInstance = ({ id, history, ...instance }: Instance, links: readonly Link[]): object => ({
  id,
  ...instance,
  ...(history && showHistory(history)),
  sharedPrivateLinkResources: links.map((link) => ({
    name: resourceName(link.id),
    privateLinkResourceId: link.target,
    groupId: link.groupId,
    requestMessage: link.requestMessage,
    provisioningState: link.provisioningState,
    status: link.status,
    generation: link.generation,
    ...showHistory(link),
  })),
})

const showVault = ({ namedAt, ...vault }: Vault): object => ({
  tags: {},
  ...vault,
  namedAt: namedAt && time(namedAt),
})

const showConnection = ({ id, vault: _, privateEndpointId, link, ...connection }: Connection): object => ({
  name: resourceName(id),
  privateEndpoint: privateEndpointId,
  sharedPrivateLinkResource: link,
  ...connection,
})

const showMove = ({ problem, endedAt, ...move }: Move): object => ({
  ...move,
  status: problem?.status,
  body: problem?.body,
  endedAt: endedAt && time(endedAt),
})

const showOperation = ({ link, startedAt, endedAt, ...operation }: Operation): object => ({
  ...operation,
  sharedPrivateLinkResource: link,
  startedAt: time(startedAt),
  endedAt: endedAt && time(endedAt),
})
