import { parseQuery, QueryError, type Row, runQuery } from './kusto.ts'
import { ok, type Reply } from './reply.ts'
import { may } from './rights.ts'
import { type Call, member, type Route } from './routes.ts'
import { kindOf, showInstance, typeOf } from './signalrShape.ts'
import type { World } from './state.ts'
import { showVault, vaultType } from './vaults.ts'

/** Azure Resource Graph: one table of the resources that the caller may read, and a query over it. */

function row(world: World, shown: unknown): Row {
  const id = String(member(shown, 'id'))
  const [, , subscriptionId = '', , resourceGroup = ''] = id.split('/')
  return {
    id,
    name: member(shown, 'name'),
    type: String(member(shown, 'type')).toLowerCase(),
    tenantId: world.tenantId,
    kind: String(member(shown, 'kind') ?? '').toLowerCase(),
    location: member(shown, 'location'),
    resourceGroup: resourceGroup.toLowerCase(),
    subscriptionId,
    sku: member(shown, 'sku') ?? null,
    tags: member(shown, 'tags') ?? null,
    properties: member(shown, 'properties'),
  }
}

function readable({ world, principal }: Call): Row[] {
  const instances = [...world.instances.values()]
    .filter(({ id }) => may(world, principal, `${typeOf(kindOf(id))}/read`, id))
    .map((one) => showInstance(world, one))
  const vaults = [...world.vaults.values()]
    .filter(({ id }) => may(world, principal, `${vaultType}/read`, id))
    .map((one) => showVault(world, one))
  return [...instances, ...vaults].map((shown) => row(world, shown))
}

const invalid = (code: string, message: string): Reply => ({
  status: 400,
  body: {
    error: {
      code: 'BadRequest',
      message: 'Please provide below info when asking for support.',
      details: [{ code, message }],
    },
  },
})

function resources(call: Call): Reply {
  const text = member(call.body, 'query')
  if (typeof text !== 'string') return invalid('InvalidQuery', 'Query is required.')
  const options = member(call.body, 'options')
  if ((member(options, 'resultFormat') ?? 'objectArray') !== 'objectArray')
    return invalid('InvalidOptions', 'Only the result format objectArray is known here.')
  let query: ReturnType<typeof parseQuery>
  try {
    query = parseQuery(text)
  } catch (error) {
    if (error instanceof QueryError) return invalid('ParserFailure', error.message)
    throw error
  }
  if (query.table !== 'resources')
    return invalid('DisallowedLogicalTableName', `Table ${query.table} is unknown.`)
  const within = member(call.body, 'subscriptions')
  const wanted = Array.isArray(within) ? within.map((one) => String(one).toLowerCase()) : []
  const rows = readable(call).filter(
    ({ subscriptionId }) => wanted.length === 0 || wanted.includes(String(subscriptionId).toLowerCase()),
  )
  const found = runQuery(query, rows)
  const number = (name: string, fallback: number): number => Number(member(options, name) ?? fallback)
  const from = Number(member(options, '$skipToken') ?? number('$skip', 0))
  const data = found.slice(from, from + Math.min(number('$top', 1000), 1000))
  const more = from + data.length < found.length
  return ok({
    totalRecords: found.length,
    count: data.length,
    data,
    facets: [],
    resultTruncated: 'false',
    ...(more && { $skipToken: String(from + data.length) }),
  })
}

export const resourceGraphPath = '/providers/Microsoft.ResourceGraph/resources'

// No action: whoever may read a resource finds it; who may read none finds nothing.
export const resourceGraphRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: resourceGraphPath,
    versions: [
      '2019-04-01',
      '2020-04-01-preview',
      '2021-03-01',
      '2021-06-01-preview',
      '2022-10-01',
      '2024-04-01',
    ],
    handle: resources,
  },
]
