import { parseResourceId, resourceKey } from '../../src/link/resourceId.ts'
import { refuseLocked } from './locks.ts'
import { beginMove } from './moves.ts'
import { badRequest, groupNotFound, notAllowed, type Reply, refusal, resourceNotFound } from './reply.ts'
import { resourcesVersions } from './resourcesVersions.ts'
import { may } from './rights.ts'
import { type Call, groupOf, isReply, member, type Route } from './routes.ts'
import type { Move, ResourceGroup } from './state.ts'

/** Microsoft.Resources: asking to move resources to another group, and how that went. */

function groupByPath(call: Call, path: string): ResourceGroup | Reply {
  const [, subscription = '', group] =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/?$/i.exec(path) ?? []
  if (group === undefined)
    return badRequest(`The target resource group '${path}' is not valid.`, 'InvalidTargetResourceGroup')
  return groupOf(call.world, subscription, group) ?? groupNotFound(group)
}

/** A SignalR or vault of the group that is moved from, by its id. */
function resourceById({ world }: Call, from: ResourceGroup, id: unknown): string | Reply {
  const parsed = typeof id === 'string' ? parseResourceId(id) : undefined
  if (typeof id !== 'string' || !parsed || parsed.path.length !== 2)
    return badRequest(`The resource '${id}' is not a top level resource.`, 'ResourceNotTopLevel')
  const found = world.instances.get(resourceKey(id)) ?? world.vaults.get(resourceKey(id))
  if (!found)
    return resourceNotFound(
      `${parsed.provider}/${parsed.path[0]}`,
      parsed.path[1] ?? '',
      parsed.resourceGroup,
    )
  return found.id.toLowerCase().startsWith(`${from.id}/`.toLowerCase())
    ? found.id
    : badRequest(`The resource '${id}' is not in the group '${from.id}'.`, 'ResourcesNotInSameGroup')
}

function parseMove(call: Call): Pick<Move, 'resources' | 'from' | 'to'> | Reply {
  const { world, params, body, principal } = call
  const from = groupByPath(call, `/subscriptions/${params.subscription}/resourceGroups/${params.group}`)
  if (isReply(from)) return from
  const to = groupByPath(call, String(member(body, 'targetResourceGroup')))
  if (isReply(to)) return to
  const write = 'Microsoft.Resources/subscriptions/resourceGroups/write'
  if (!may(world, principal, write, to.id)) return notAllowed(principal, write, to.id)
  const locked = refuseLocked(world, 'PUT', to.id)
  if (locked) return locked
  const asked = member(body, 'resources')
  const found = (Array.isArray(asked) ? asked : []).map((id: unknown) => resourceById(call, from, id))
  const refused = found.find((one) => typeof one !== 'string')
  if (refused !== undefined && typeof refused !== 'string') return refused
  const resources = found.filter((one) => typeof one === 'string')
  if (resources.length === 0 || from.id === to.id)
    return badRequest('Name resources, and another group to move them to.', 'InvalidMoveRequest')
  return { resources, from: from.id, to: to.id }
}

const start =
  (validateOnly: boolean) =>
  (call: Call): Reply => {
    const wish = parseMove(call)
    if (isReply(wish)) return wish
    return running(call, beginMove(call.world, { ...wish, validateOnly }, call.principal))
  }

const running = (call: Call, move: Move): Reply => ({
  status: 202,
  headers: {
    location: call.address(`/subscriptions/${call.params.subscription}/operationresults/${move.id}`, {
      'api-version': call.apiVersion,
    }),
    'retry-after': '1',
  },
})

function result(call: Call): Reply {
  const move = call.world.moves.get(call.params.operation ?? '')
  if (!move) return refusal(404, 'NotFound', `The operation '${call.params.operation}' was not found.`)
  return move.endedAt === undefined ? running(call, move) : (move.problem ?? { status: 204 })
}

const group = '/subscriptions/{subscription}/resourceGroups/{group}'
const action = 'Microsoft.Resources/subscriptions/resourceGroups'
const versions = resourcesVersions

export const moveRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: `${group}/moveResources`,
    action: `${action}/moveResources/action`,
    versions,
    handle: start(false),
  },
  {
    method: 'POST',
    path: `${group}/validateMoveResources`,
    action: `${action}/validateMoveResources/action`,
    versions,
    handle: start(true),
  },
  {
    method: 'GET',
    path: '/subscriptions/{subscription}/operationresults/{operation}',
    action: 'Microsoft.Resources/subscriptions/operationresults/read',
    versions,
    handle: result,
  },
]
