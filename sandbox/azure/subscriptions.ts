import { isWithin, parseResourceId, resourceName } from '../../src/link/resourceId.ts'
import { badRequest, groupNotFound, notAllowed, ok, type Reply } from './reply.ts'
import { parseResourceFilter, passes, wantsType } from './resourceFilter.ts'
import { resourcesVersions } from './resourcesVersions.ts'
import { may, mayAnywhere, sees } from './rights.ts'
import { type Call, groupOf, page, type Route } from './routes.ts'
import { kindOf, kinds, typeOf } from './signalrShape.ts'
import type { History, ResourceGroup, World } from './state.ts'
import { vaultType } from './vaults.ts'

/** Microsoft.Resources: subscriptions, resource groups, and the plain list of resources in them. */

const showSubscription = (world: World, { id, name }: { id: string; name: string }): unknown => ({
  id: `/subscriptions/${id}`,
  subscriptionId: id,
  tenantId: world.tenantId,
  displayName: name,
  state: 'Enabled',
  authorizationSource: 'RoleBased',
})

const list = ({ world, principal, ...call }: Call): Reply =>
  page(
    { world, principal, ...call },
    world.subscriptions
      .filter(({ id }) => sees(world, principal, `/subscriptions/${id}`))
      .map((one) => showSubscription(world, one)),
  )

/** The tenants that the caller is in: there is one here, and whoever has its token is in it. */
const listTenants = (call: Call): Reply =>
  page(call, [
    {
      id: `/tenants/${call.world.tenantId}`,
      tenantId: call.world.tenantId,
      countryCode: 'NL',
      displayName: 'Contoso',
      domains: ['contoso.example'],
      tenantCategory: 'Home',
    },
  ])

function get({ world, principal, params }: Call): Reply {
  const found = world.subscriptions.find(({ id }) => id === params.subscription?.toLowerCase())
  const scope = `/subscriptions/${params.subscription}`
  // A subscription shows to whoever holds anything in it, and to nobody else.
  return found && sees(world, principal, scope)
    ? ok(showSubscription(world, found))
    : notAllowed(principal, 'Microsoft.Resources/subscriptions/read', scope)
}

const groupRead = 'Microsoft.Resources/subscriptions/resourceGroups/read'

const showGroup = ({ id, location, tags }: ResourceGroup): unknown => ({
  id,
  name: resourceName(id),
  type: 'Microsoft.Resources/resourceGroups',
  location,
  ...(tags && { tags }),
  properties: { provisioningState: 'Succeeded' },
})

function listGroups(call: Call): Reply {
  const { world, principal, params } = call
  const within = `/subscriptions/${params.subscription}`
  if (!mayAnywhere(world, principal, groupRead, within)) return notAllowed(principal, groupRead, within)
  const readable = [...world.resourceGroups.values()].filter(
    ({ id }) => isWithin(within, id) && may(world, principal, groupRead, id),
  )
  return page(call, readable.map(showGroup), { top: true })
}

function getGroup({ world, params }: Call): Reply {
  const { subscription = '', group = '' } = params
  const found = groupOf(world, subscription, group)
  return found ? ok(showGroup(found)) : groupNotFound(group)
}

type Resource = {
  id: string
  location: string
  tags?: Readonly<Record<string, string>>
  provisioningState?: string
  history?: History | undefined
}

/** The resources of each type that is listed, and the right to see one. */
function resourcesOf(world: World): { type: string; action: string; all: readonly Resource[] }[] {
  const instances = [...world.instances.values()]
  const types = [
    { type: vaultType, all: [...world.vaults.values()] },
    ...kinds.map((kind) => ({ type: typeOf(kind), all: instances.filter(({ id }) => kindOf(id) === kind) })),
  ]
  return types.map((one) => ({ ...one, action: `${one.type}/read` }))
}

function listResources(call: Call): Reply {
  const { world, principal, params, query } = call
  const { subscription = '', group } = params
  const within = `/subscriptions/${subscription}${group === undefined ? '' : `/resourceGroups/${group}`}`
  const text = query.get('$filter') ?? ''
  const filter = parseResourceFilter(text)
  if (!filter)
    return badRequest(
      `Invalid $filter '${text}' specified in the query string.`,
      'InvalidFilterInQueryString',
    )
  if (group !== undefined && !groupOf(world, subscription, group)) return groupNotFound(group)
  const types = resourcesOf(world).filter(({ type }) => wantsType(filter, type))
  const [first] = types
  if (first && !types.some(({ action }) => mayAnywhere(world, principal, action, within)))
    return notAllowed(principal, first.action, within)
  const expanded = (query.get('$expand') ?? '').split(',')
  const found = types.flatMap(({ type, action, all }) =>
    all
      .filter(({ id }) => isWithin(within, id) && may(world, principal, action, id))
      .map((one) => ({ ...one, type, name: resourceName(one.id), tags: one.tags ?? {} }))
      .filter((one) =>
        passes(filter, { ...one, resourceGroup: parseResourceId(one.id)?.resourceGroup ?? '' }),
      )
      .map((one) => showResource(one, expanded)),
  )
  return page(call, found, { top: true })
}

function showResource(one: Resource & { type: string; name: string }, expanded: readonly string[]): unknown {
  const { id, name, type, location, tags, history, provisioningState = 'Succeeded' } = one
  const more = {
    ...(history && {
      createdTime: new Date(history.createdAt).toISOString(),
      changedTime: new Date(history.changedAt).toISOString(),
    }),
    provisioningState,
  }
  return {
    id,
    name,
    type,
    location,
    tags,
    ...Object.fromEntries(Object.entries(more).filter(([field]) => expanded.includes(field))),
  }
}

const one = '/subscriptions/{subscription}'
const routes: readonly Omit<Route, 'versions' | 'method'>[] = [
  { path: '/tenants', handle: listTenants },
  { path: '/subscriptions', handle: list },
  { path: one, handle: get },
  { path: `${one}/resourceGroups`, handle: listGroups },
  { path: `${one}/resourceGroups/{group}`, action: groupRead, handle: getGroup },
  { path: `${one}/resources`, handle: listResources },
  { path: `${one}/resourceGroups/{group}/resources`, handle: listResources },
]

export const subscriptionRoutes: readonly Route[] = routes.map((route) => ({
  ...route,
  method: 'GET',
  versions: resourcesVersions,
}))
