import { badRequest, notAllowed, ok, type Reply, refusal } from './reply.ts'
import { covers, identities, may } from './rights.ts'
import { type Call, page, type Route } from './routes.ts'
import type { Assignment, Denial, Role, World } from './state.ts'

/** Microsoft.Authorization: who holds which role where, as its lists tell it. */

const provider = 'providers/Microsoft.Authorization'
const versions = [
  '2015-07-01',
  '2018-01-01-preview',
  '2018-07-01',
  '2018-07-01-preview',
  '2018-09-01-preview',
  '2020-03-01-preview',
  '2020-04-01-preview',
  '2020-08-01-preview',
  '2020-10-01',
  '2020-10-01-preview',
  '2022-04-01',
  '2022-05-01-preview',
]

const definitionId = (role: Role, scope: string): string => {
  const subscription = /^\/subscriptions\/[^/]+/i.exec(scope)?.[0] ?? ''
  return `${subscription}/${provider}/roleDefinitions/${role.guid}`
}

/** The root scope is written `/`, and adds nothing before `/providers`. */
const prefix = (scope: string): string => (scope === '/' ? '' : scope)

function principalType(world: World, id: string): string {
  if (Object.values(world.groups).some((group) => group.objectId === id)) return 'Group'
  return Object.values(world.applications).some(({ objectId }) => objectId === id)
    ? 'ServicePrincipal'
    : 'User'
}

function showAssignment(world: World, one: Assignment): unknown {
  const role = world.roles.find(({ key }) => key === one.role)
  return {
    id: `${prefix(one.scope)}/${provider}/roleAssignments/${one.guid}`,
    name: one.guid,
    type: 'Microsoft.Authorization/roleAssignments',
    properties: {
      roleDefinitionId: role && definitionId(role, one.scope),
      principalId: one.principalId,
      principalType: principalType(world, one.principalId),
      scope: one.scope,
      condition: one.condition ?? null,
      conditionVersion: one.condition === undefined ? null : '2.0',
    },
  }
}

function showDefinition(role: Role, scope: string): unknown {
  return {
    id: definitionId(role, scope),
    name: role.guid,
    type: 'Microsoft.Authorization/roleDefinitions',
    properties: {
      roleName: role.name,
      type: role.builtIn ? 'BuiltInRole' : 'CustomRole',
      description: role.name,
      assignableScopes: ['/'],
      permissions: [
        { actions: role.actions, notActions: role.notActions, dataActions: [], notDataActions: [] },
      ],
    },
  }
}

function showDenial(world: World, one: Denial): unknown {
  return {
    id: `${prefix(one.scope)}/${provider}/denyAssignments/${one.guid}`,
    name: one.guid,
    type: 'Microsoft.Authorization/denyAssignments',
    properties: {
      denyAssignmentName: one.guid,
      description: '',
      permissions: [{ actions: one.actions, notActions: [], dataActions: [], notDataActions: [] }],
      scope: one.scope,
      doNotApplyToChildScopes: false,
      principals: [{ id: one.principalId, type: principalType(world, one.principalId) }],
      excludePrincipals: [],
      isSystemProtected: false,
    },
  }
}

/** The filters that these lists know: whose, and whether scopes below count. */
function parseFilter(world: World, filter: string): { atScope: boolean; principals?: string[] } | undefined {
  const asked: { atScope: boolean; principals?: string[] } = { atScope: false }
  for (const clause of filter === '' ? [] : filter.split(/\s+and\s+/i)) {
    const direct = /^principalId\s+eq\s+'?([^']+?)'?$/i.exec(clause.trim())?.[1]
    const assigned = /^assignedTo\('([^']+)'\)$/i.exec(clause.trim())?.[1]
    if (/^atScope\(\)$/i.test(clause.trim())) asked.atScope = true
    else if (direct !== undefined) asked.principals = [direct]
    else if (assigned !== undefined) asked.principals = identities(world, assigned)
    else return undefined
  }
  return asked
}

const badFilter = (): Reply =>
  badRequest(
    'The filter is not supported. Supported are atScope(), assignedTo() and principalId eq.',
    'UnsupportedQuery',
  )

function listOver<T extends { scope: string; principalId: string }>(
  call: Call,
  all: readonly T[],
  action: string,
  show: (one: T) => unknown,
): Reply {
  const { world } = call
  const scope = call.params.scope ?? ''
  if (!may(world, call.principal, action, scope)) return notAllowed(call.principal, action, scope)
  const asked = parseFilter(world, call.query.get('$filter') ?? '')
  if (!asked) return badFilter()
  return page(
    call,
    all
      .filter((one) => covers(one.scope, scope) || (!asked.atScope && covers(scope, one.scope)))
      .filter((one) => asked.principals?.includes(one.principalId) ?? true)
      .map(show),
  )
}

const listAssignments = (call: Call): Reply =>
  listOver(call, call.world.assignments, 'Microsoft.Authorization/roleAssignments/read', (one) =>
    showAssignment(call.world, one),
  )

const listDenials = (call: Call): Reply =>
  listOver(call, call.world.denials, 'Microsoft.Authorization/denyAssignments/read', (one) =>
    showDenial(call.world, one),
  )

function listDefinitions(call: Call): Reply {
  const scope = call.params.scope ?? ''
  const action = 'Microsoft.Authorization/roleDefinitions/read'
  if (!may(call.world, call.principal, action, scope)) return notAllowed(call.principal, action, scope)
  const filter = call.query.get('$filter') ?? ''
  const name = /^roleName\s+eq\s+'(.+)'$/i.exec(filter)?.[1]
  if (filter !== '' && name === undefined && !/^atScope.*\(\)$/i.test(filter)) return badFilter()
  const wanted = call.world.roles.filter((role) => name === undefined || role.name === name)
  return page(
    call,
    wanted.map((role) => showDefinition(role, scope)),
  )
}

function getDefinition(call: Call): Reply {
  const scope = call.params.scope ?? ''
  const action = 'Microsoft.Authorization/roleDefinitions/read'
  // Definitions without a scope are the directory's own; anybody who is signed in may read them.
  if (scope !== '' && !may(call.world, call.principal, action, scope))
    return notAllowed(call.principal, action, scope)
  const role = call.world.roles.find(({ guid }) => guid === call.params.definition?.toLowerCase())
  if (role) return ok(showDefinition(role, scope))
  return refusal(
    404,
    'RoleDefinitionDoesNotExist',
    `The specified role definition with ID '${call.params.definition}' does not exist.`,
  )
}

const get = (path: string, handle: (call: Call) => Reply): Route => ({
  method: 'GET',
  path: `{+scope}/${provider}/${path}`,
  versions,
  handle,
})

export const authorizationRoutes: readonly Route[] = [
  get('roleAssignments', listAssignments),
  get('roleDefinitions', listDefinitions),
  get('roleDefinitions/{definition}', getDefinition),
  get('denyAssignments', listDenials),
]
