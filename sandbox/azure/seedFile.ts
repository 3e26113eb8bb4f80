import { tenantId } from '../seed.ts'
import { builtInRoles } from './builtInRoles.ts'
import {
  allDiffer,
  complain,
  elementsOf,
  entriesOf,
  flagAt,
  guidAt,
  listAt,
  membersOf,
  nameAt,
  oneOf,
  or,
  type Place,
  textAt,
  timeAt,
  wholeAt,
} from './jsonPlace.ts'
import { type Directory, readDirectory } from './seedDirectory.ts'
import { readAgenda, readMoves, readOperations } from './seedProgress.ts'
import { type Resources, readResources } from './seedResources.ts'
import {
  type Lock,
  lockKey,
  type Registration,
  registrationKey,
  type Seed,
  type Subscription,
} from './state.ts'
import { parseSettings, type Settings } from './switches.ts'

/** The JSON file that a world can start from and be kept in; README.md tells what stands in it. */

export const seedMembers = [
  'tenantId',
  'subscriptions',
  'people',
  'groups',
  'applications',
  'roleDefinitions',
  'roleAssignments',
  'denyAssignments',
  'resourceGroups',
  'signalR',
  'webPubSub',
  'vaults',
  'deletedVaults',
  'locks',
  'registrations',
  'settings',
  'clockAheadMs',
  'operations',
  'moves',
  'agenda',
] as const

/** Reads a seed file: the whole of a world, or all that is wrong with the file. `now`: when nothing says when. */
export function parseSeed(text: string, now: number): { seed: Seed } | { problems: readonly string[] } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { problems: [`it is no JSON: ${error instanceof Error ? error.message : String(error)}`] }
  }
  const problems: string[] = []
  const of = membersOf({ value, path: '', problems }, seedMembers)
  const subscriptions = readSubscriptions(of.subscriptions)
  const directory = readDirectory(of)
  const resources = readResources(
    of,
    subscriptions.map(({ id }) => id),
    now,
  )
  const { people, groups, applications } = directory
  const roles = readRoles(of.roleDefinitions)
  const roleKeys = [...new Set([...builtInRoles.map(({ key }) => key), ...Object.keys(roles)])]
  const { scopeAt, ...rest } = resources
  const seed: Seed = {
    tenantId: or(of.tenantId, guidAt, tenantId),
    subscriptions,
    people,
    groups,
    applications,
    roles,
    assignments: readAssignments(of.roleAssignments, roleKeys, directory, resources),
    denials: readDenials(of.denyAssignments, directory, resources),
    ...rest,
    locks: readLocks(of.locks, resources),
    registrations: readRegistrations(of.registrations, now),
    settings: readSettings(of.settings),
    turnedMs: or(of.clockAheadMs, wholeAt, 0),
    operations: readOperations(of.operations),
    moves: readMoves(of.moves),
    agenda: readAgenda(of.agenda),
  }
  return problems.length > 0 ? { problems } : { seed }
}

function readSubscriptions(all: Place): readonly Subscription[] {
  if (all.value === undefined) return [{ id: '00000000-0000-0000-0000-000000000000', name: 'Sandbox' }]
  const read = elementsOf(all).map((place) => {
    const { id, name } = membersOf(place, ['id', 'name'])
    return { place, subscription: { id: guidAt(id), name: or(name, nameAt, 'Sandbox') } }
  })
  if (Array.isArray(all.value) && read.length === 0) complain(all, 'is empty; list one, or leave it out')
  allDiffer(
    'id',
    read.map(({ place, subscription }) => ({ place, key: subscription.id })),
  )
  return read.map(({ subscription }) => subscription)
}

function readRoles(all: Place): NonNullable<Seed['roles']> {
  const read = elementsOf(all).map((place) => {
    const of = membersOf(place, ['name', 'id', 'roleName', 'actions', 'notActions'])
    const key = nameAt(of.name)
    if (builtInRoles.some((role) => role.key === key))
      complain(of.name, `${key} is one of Azure's own roles; write another name`)
    const actions = listAt(of.actions).map(nameAt)
    const role = {
      name: or(of.roleName, nameAt, key),
      actions,
      notActions: elementsOf(of.notActions).map(nameAt),
    }
    return { place, key, role: of.id.value === undefined ? role : { ...role, guid: guidAt(of.id) } }
  })
  allDiffer('name', read)
  return Object.fromEntries(read.map(({ key, role }) => [key, role]))
}

const withGuid = <T extends object>(id: Place, one: T): T & { guid?: string } =>
  id.value === undefined ? one : { ...one, guid: guidAt(id) }

/** Unless it is said who may do what, everybody may do everything. */
function readAssignments(
  all: Place,
  roleKeys: readonly string[],
  directory: Directory,
  resources: Resources,
): NonNullable<Seed['assignments']> {
  const everybody = [...Object.values(directory.people), ...Object.values(directory.applications)]
  if (all.value === undefined)
    return everybody.map(({ objectId }) => ({ principalId: objectId, role: 'owner', scope: '/' }))
  return elementsOf(all).map((place) => {
    const of = membersOf(place, ['id', 'principal', 'role', 'scope', 'condition'])
    const assignment = {
      principalId: directory.principalAt(of.principal),
      role: oneOf(of.role, roleKeys),
      scope: or(of.scope, resources.scopeAt, '/'),
    }
    return withGuid(
      of.id,
      of.condition.value === undefined ? assignment : { ...assignment, condition: nameAt(of.condition) },
    )
  })
}

const readDenials = (all: Place, directory: Directory, resources: Resources): NonNullable<Seed['denials']> =>
  elementsOf(all).map((place) => {
    const of = membersOf(place, ['id', 'principal', 'actions', 'scope'])
    return withGuid(of.id, {
      principalId: directory.principalAt(of.principal),
      actions: listAt(of.actions).map(nameAt),
      scope: or(of.scope, resources.scopeAt, '/'),
    })
  })

function readLocks(all: Place, resources: Resources): Lock[] {
  const read = elementsOf(all).map((place) => {
    const of = membersOf(place, ['scope', 'name', 'level', 'notes'])
    const lock = {
      scope: resources.scopeAt(of.scope),
      name: nameAt(of.name),
      level: oneOf(of.level, ['CanNotDelete', 'ReadOnly']),
    }
    return { place, lock: of.notes.value === undefined ? lock : { ...lock, notes: textAt(of.notes) } }
  })
  allDiffer(
    'scope and name',
    read.map(({ place, lock }) => ({ place, key: lockKey(lock.scope, lock.name) })),
  )
  return read.map(({ lock }) => lock)
}

/** Of resource providers: what is not listed is registered. */
function readRegistrations(all: Place, now: number): Registration[] {
  const read = elementsOf(all).map((place) => {
    const of = membersOf(place, ['subscription', 'namespace', 'registered', 'doneAt'])
    const registration: Registration = {
      subscription: nameAt(of.subscription),
      namespace: nameAt(of.namespace),
      registered: flagAt(of.registered),
      done: or(of.doneAt, timeAt, now),
    }
    return { place, registration }
  })
  allDiffer(
    'subscription and namespace',
    read.map(({ place, registration: { subscription, namespace } }) => ({
      place,
      key: registrationKey(subscription, namespace),
    })),
  )
  return read.map(({ registration }) => registration)
}

function readSettings(all: Place): Partial<Settings> {
  const read = entriesOf(all).map(([name, place]) => {
    try {
      return parseSettings({ [name]: place.value })
    } catch (error) {
      complain(place, error instanceof Error ? error.message : String(error))
      return {}
    }
  })
  return Object.assign({}, ...read)
}
