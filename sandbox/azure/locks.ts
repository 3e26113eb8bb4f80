import { parseResourceId, resourceKey } from '../../src/link/resourceId.ts'
import { badRequest, groupNotFound, notAllowed, ok, type Reply, refusal, resourceNotFound } from './reply.ts'
import { covers, may } from './rights.ts'
import { type Call, groupOf, member, page, type Route } from './routes.ts'
import { type Lock, lockKey, type World } from './state.ts'

/** Microsoft.Authorization/locks: what keeps a scope, and all that is in it, from being changed or deleted. */

const type = 'Microsoft.Authorization/locks'
const versions = ['2015-01-01', '2016-09-01', '2017-04-01', '2020-05-01']

const idOf = ({ scope, name }: Lock): string => `${scope}/providers/${type}/${name}`

/** ScopeLocked, when a lock at the resource, above it or, for a deletion, in it forbids the call. */
export function refuseLocked(world: World, method: string, id: string): Reply | undefined {
  if (method === 'GET' || /\/providers\/Microsoft\.Authorization\/locks\/[^/]+$/i.test(id)) return undefined
  const deletes = method === 'DELETE'
  const scope = method === 'POST' ? id.slice(0, id.lastIndexOf('/')) : id
  const locked = [...world.locks.values(), ...movingGroups(world)].filter(
    (lock) =>
      (deletes || lock.level === 'ReadOnly') &&
      (covers(lock.scope, scope) || (deletes && covers(scope, lock.scope))),
  )
  if (locked.length === 0) return undefined
  const scopes = [...new Set(locked.map((lock) => `'${lock.scope}'`))].join(',')
  return refusal(
    409,
    'ScopeLocked',
    `The scope '${scope}' cannot perform ${deletes ? 'delete' : 'write'} operation because following scope(s) are locked: ${scopes}. Please remove the lock and try again.`,
  )
}

/** Documented: nothing is written or deleted in the groups between which resources are moving. */
const movingGroups = (world: World): Pick<Lock, 'scope' | 'level'>[] =>
  [...world.moves.values()]
    .filter(({ endedAt, validateOnly }) => endedAt === undefined && !validateOnly)
    .flatMap(({ from, to }) => [from, to])
    .map((scope) => ({ scope, level: 'ReadOnly' }))

const show = (lock: Lock): unknown => ({
  properties: { level: lock.level, ...(lock.notes !== undefined && { notes: lock.notes }) },
  id: idOf(lock),
  type,
  name: lock.name,
})

/** Locks lie on subscriptions, groups and resources that are there. */
function refuseScope(world: World, scope: string): Reply | undefined {
  const [, subscription = '', group] =
    /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?/i.exec(scope) ?? []
  if (scope.toLowerCase() === `/subscriptions/${subscription}`.toLowerCase()) return undefined
  if (group !== undefined && !groupOf(world, subscription, group)) return groupNotFound(group)
  if (/^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+$/i.test(scope)) return undefined
  const key = resourceKey(scope)
  const { instances, vaults, links, connections } = world
  if ([instances, vaults, links, connections].some((all) => all.has(key))) return undefined
  const { provider, path = [] } = parseResourceId(scope) ?? {}
  return group === undefined || provider === undefined
    ? refusal(404, 'InvalidScope', `The scope '${scope}' is not valid.`)
    : resourceNotFound(
        [provider, ...path.filter((_, index) => index % 2 === 0)].join('/'),
        path.filter((_, index) => index % 2 === 1).join('/'),
        group,
      )
}

const keyOf = ({ params }: Call): string => lockKey(params.scope ?? '', params.lock ?? '')

function list(call: Call): Reply {
  const { world, principal, params, query } = call
  const { scope = '' } = params
  if (!may(world, principal, `${type}/read`, scope)) return notAllowed(principal, `${type}/read`, scope)
  const refused = refuseScope(world, scope)
  if (refused) return refused
  const atScope = /^atScope\(\)$/i.test(query.get('$filter') ?? '')
  const found = [...world.locks.values()].filter(
    (lock) => covers(lock.scope, scope) || (!atScope && covers(scope, lock.scope)),
  )
  return page(call, found.map(show))
}

function get(call: Call): Reply {
  const lock = call.world.locks.get(keyOf(call))
  return lock ? ok(show(lock)) : refusal(404, 'LockNotFound', `The lock '${call.params.lock}' was not found.`)
}

function put(call: Call): Reply {
  const { world, params, body } = call
  const { scope = '', lock: name = '' } = params
  const refused = refuseScope(world, scope)
  if (refused) return refused
  const given = member(member(body, 'properties'), 'level')
  const level = (['CanNotDelete', 'ReadOnly'] as const).find((one) => one === given)
  const notes = member(member(body, 'properties'), 'notes')
  if (!level) return badRequest(`The lock level '${given}' is not valid.`, 'InvalidLockLevel')
  if (name.length > 260) return badRequest('The lock name is longer than 260 characters.')
  if (typeof notes === 'string' && notes.length > 512)
    return badRequest('The notes of the lock are longer than 512 characters.')
  const before = world.locks.get(keyOf(call))
  const lock: Lock = {
    scope: before?.scope ?? scope,
    name: before?.name ?? name,
    level,
    ...(typeof notes === 'string' && { notes }),
  }
  world.locks.set(keyOf(call), lock)
  return { status: before ? 200 : 201, body: show(lock) }
}

const remove = (call: Call): Reply => ({ status: call.world.locks.delete(keyOf(call)) ? 200 : 204 })

const locks = `{+scope}/providers/${type}`

export const lockRoutes: readonly Route[] = [
  { method: 'GET', path: locks, versions, handle: list },
  { method: 'GET', path: `${locks}/{lock}`, action: `${type}/read`, versions, handle: get },
  { method: 'PUT', path: `${locks}/{lock}`, action: `${type}/write`, versions, handle: put },
  { method: 'DELETE', path: `${locks}/{lock}`, action: `${type}/delete`, versions, handle: remove },
]
