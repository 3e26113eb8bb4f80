import { isWithin, resourceName } from '../../src/link/resourceId.ts'
import { badRequest, groupNotFound, notAllowed, ok, type Reply } from './reply.ts'
import { may, mayAnywhere, sees } from './rights.ts'
import { type Call, groupOf, listReadable, page, type Route } from './routes.ts'
import { kindOf, kinds, typeOf } from './signalrShape.ts'
import type { ResourceGroup, World } from './state.ts'
import { vaultType } from './vaults.ts'

/** Microsoft.Resources: subscriptions, resource groups, and the plain list of resources in them. */

export const resourcesVersions = [
  '2014-04-01',
  '2015-11-01',
  '2016-06-01',
  '2018-05-01',
  '2019-06-01',
  '2019-10-01',
  '2019-11-01',
  '2020-01-01',
  '2020-06-01',
  '2021-01-01',
  '2021-04-01',
  '2022-09-01',
  '2022-12-01',
  '2024-03-01',
  '2024-11-01',
]

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
  return page(call, readable.map(showGroup))
}

function getGroup({ world, params }: Call): Reply {
  const { subscription = '', group = '' } = params
  const found = groupOf(world, subscription, group)
  return found ? ok(showGroup(found)) : groupNotFound(group)
}

function listResources(call: Call): Reply {
  const { world } = call
  const wanted = /^resourceType\s+eq\s+'([^']+)'$/i.exec(call.query.get('$filter') ?? '')?.[1]?.toLowerCase()
  const types = [
    { type: vaultType, all: [...world.vaults.values()] },
    ...kinds.map((kind) => ({
      type: typeOf(kind),
      all: [...world.instances.values()].filter(({ id }) => kindOf(id) === kind),
    })),
  ]
  const kind = types.find(({ type }) => type.toLowerCase() === wanted)
  if (!kind)
    return badRequest(
      "The filter is not supported. Supported is resourceType eq '…'.",
      'InvalidFilterInQueryString',
    )
  return listReadable<{ id: string; location: string; tags?: Readonly<Record<string, string>> }>(
    call,
    kind.all,
    `${kind.type}/read`,
    ({ id, location, tags = {} }) => ({ id, name: resourceName(id), type: kind.type, location, tags }),
  )
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
