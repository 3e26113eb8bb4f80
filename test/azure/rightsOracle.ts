/**
 * Who may do what, said a second time: from Azure's documentation alone, by somebody who had not read how the bot or
 * the local Azure finds it out, so that three answers can be compared. Each rule names the page that it is from, below
 * https://learn.microsoft.com/azure/role-based-access-control/ unless it says otherwise.
 */
export type Principal = { readonly id: string; readonly type?: string }

export type Permission = {
  readonly actions: readonly string[]
  readonly notActions: readonly string[]
  readonly dataActions?: readonly string[]
  readonly notDataActions?: readonly string[]
  readonly condition?: string | null
}

export type Role = { readonly id: string; readonly permissions: readonly Permission[] }

export type RoleAssignment = {
  readonly principal: Principal
  readonly roleId: string
  readonly scope: string
  readonly condition?: string | null
}

export type DenyAssignment = {
  readonly principals: readonly Principal[]
  readonly excludePrincipals: readonly Principal[]
  readonly permissions: readonly Permission[]
  readonly scope: string
  readonly doNotApplyToChildScopes: boolean
  readonly condition?: string | null
}

export type RoleGraph = {
  readonly groups: readonly { readonly id: string; readonly members: readonly string[] }[]
  readonly managementGroups: readonly { readonly name: string; readonly parent?: string }[]
  readonly subscriptions: readonly { readonly id: string; readonly managementGroup: string }[]
  readonly roles: readonly Role[]
  readonly roleAssignments: readonly RoleAssignment[]
  readonly denyAssignments: readonly DenyAssignment[]
}

/** What Azure says, as far as it can be told without evaluating conditions. */
export function allows(graph: RoleGraph, principal: string, action: string, resource: string): boolean {
  const identities = identitiesOf(graph, principal)
  return decides(graph, {
    identities,
    excused: identities,
    action,
    scopes: scopesOf(graph, resource),
    below: [],
  })
}

/**
 * What Vaultlink may say: as above, but for two rules of its own, which make it stricter. Of groups it knows what role
 * assignments show, and asks no directory: a group that a deny assignment excludes, but no assignment at, above or below
 * the resource shows to be the person's, excuses nobody. And it asks about a vault or a SignalR before there is the child
 * that Azure will be asked about: what is denied on a child of the action's type is denied.
 */
export function allowsForCertain(
  graph: RoleGraph,
  principal: string,
  action: string,
  resource: string,
): boolean {
  const identities = identitiesOf(graph, principal)
  const scopes = scopesOf(graph, resource)
  const listed = graph.roleAssignments.filter(
    ({ scope }) => scopes.includes(fold(scope)) || fold(scope).startsWith(`${fold(resource)}/`),
  )
  const shown = listed.map((one) => fold(one.principal.id)).filter((id) => identities.has(id))
  const children = graph.denyAssignments
    .map(({ scope }) => fold(scope))
    .filter((scope) => scope.startsWith(`${fold(resource)}/`) && typeOf(scope) === typeOfAction(action))
  return decides(graph, {
    identities,
    excused: new Set([fold(principal), ...shown]),
    action,
    scopes,
    below: children,
  })
}

/** The type of a resource, from its id: `microsoft.keyvault/vaults/privateendpointconnections`. */
function typeOf(id: string): string {
  const [namespace, ...path] = id.slice(id.lastIndexOf('/providers/') + '/providers/'.length).split('/')
  return [namespace, ...path.filter((_segment, index) => index % 2 === 0)].join('/')
}
/** role-definitions, "Actions format": `{Company}.{ProviderName}/{resourceType}/{action}`. */
const typeOfAction = (action: string): string => fold(action.slice(0, action.lastIndexOf('/')))

type Question = {
  readonly identities: ReadonlySet<string>
  /** Those of the identities that an exclusion may name. */
  readonly excused: ReadonlySet<string>
  readonly action: string
  /** The resource first, then all above it. */
  readonly scopes: readonly string[]
  /** Scopes below it whose deny assignments count. */
  readonly below: readonly string[]
}

/** overview, "How Azure RBAC determines if a user has access to a resource": deny assignments first, then the roles. */
function decides(graph: RoleGraph, question: Question): boolean {
  if (graph.denyAssignments.some((deny) => denies(deny, question))) return false
  // overview, "Multiple role assignments": additive, so one role that grants is enough whatever another leaves out.
  return graph.roleAssignments.some((assignment) => grants(graph, assignment, question))
}

/**
 * overview, "Groups": role assignments are transitive for groups; and step 1 of the evaluation: the token that is
 * evaluated holds the transitive memberships, for deny assignments and their exclusions as well.
 */
function identitiesOf(graph: RoleGraph, principal: string): ReadonlySet<string> {
  const found = new Set([fold(principal)])
  // A set grows while it is iterated, and groups that hold each other end by being in it already.
  for (const identity of found)
    for (const { id, members } of graph.groups)
      if (members.some((member) => fold(member) === identity)) found.add(fold(id))
  return found
}

/**
 * The scope itself and all above it, nearest first. scope-overview, "Scope levels": a child inherits from its parents;
 * a resource below a resource is named by its parent's id and two segments more. governance/management-groups/overview:
 * every subscription and management group has one parent. elevate-access-global-admin: above all is the root scope, "/".
 */
function scopesOf(graph: RoleGraph, resource: string): readonly string[] {
  const segments = fold(resource).split('/').slice(1)
  const ends = segments.flatMap((_segment, index) => {
    const length = index + 1
    const isScope = length === 2 || length === 4 || (length >= 8 && length % 2 === 0)
    return isScope ? [`/${segments.slice(0, length).join('/')}`] : []
  })
  const scopes = ends.reverse()
  let above = graph.subscriptions.find(({ id }) => fold(id) === segments[1])?.managementGroup
  while (above !== undefined) {
    const name = fold(above)
    scopes.push(`/providers/microsoft.management/managementgroups/${name}`)
    above = graph.managementGroups.find((group) => fold(group.name) === name)?.parent
  }
  return [...scopes, '/']
}

function grants(
  graph: RoleGraph,
  { principal, roleId, scope, condition }: RoleAssignment,
  { identities, action, scopes }: Question,
): boolean {
  // Vaultlink's own rule: a condition is not evaluated but taken for unmet. (conditions-overview: it filters rights down.)
  if (isSet(condition)) return false
  if (!identities.has(fold(principal.id)) || !scopes.includes(fold(scope))) return false
  const role = graph.roles.find(({ id }) => fold(id) === fold(roleId))
  const permissions = role?.permissions ?? []
  // built-in-roles/security, "Key Vault Data Access Administrator": a permission of a role may have a condition too.
  const unconditional = permissions.filter((permission) => !isSet(permission.condition))
  // role-definitions, "NotActions": what "a role" grants is its Actions without its NotActions. A role of more than one
  // permission is on no page: this takes the sentence by the word, which is the stricter reading.
  return (
    unconditional.some(({ actions }) => among(actions, action)) &&
    !permissions.some(({ notActions }) => among(notActions, action))
  )
}

function denies(deny: DenyAssignment, { identities, excused, action, scopes, below }: Question): boolean {
  const scope = fold(deny.scope)
  // deny-assignments, "Deny assignment properties": DoNotApplyToChildScopes; false, it is inherited as a role is.
  const reaches =
    below.includes(scope) || (deny.doNotApplyToChildScopes ? scopes[0] === scope : scopes.includes(scope))
  // The same, "The All Principals principal": the zero GUID is everyone, among the principals but never among the excluded.
  const meant = deny.principals.some(({ id }) => id === allPrincipals || identities.has(fold(id)))
  const excluded = deny.excludePrincipals.some(({ id }) => excused.has(fold(id)))
  // Vaultlink's own rule: a deny assignment's condition, or its permission's, is not evaluated but taken for met.
  // Of several permissions one that denies is enough: again the stricter reading of what is on no page.
  return (
    reaches &&
    meant &&
    !excluded &&
    deny.permissions.some(({ actions, notActions }) => among(actions, action) && !among(notActions, action))
  )
}

const allPrincipals = '00000000-0000-0000-0000-000000000000'

/** role-definitions, "Control and data actions": data actions are another plane, and are not looked at. */
const among = (patterns: readonly string[], action: string): boolean =>
  patterns.some((pattern) => matches(fold(pattern), fold(action)))

/**
 * role-definitions, "Actions": a wildcard stands for any text, slashes too (`Microsoft.Compute/virtualMachines/*` holds
 * the actions of child types), and nothing else is special.
 */
function matches(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  const tail = rest.pop()
  if (tail === undefined) return pattern === text
  if (!text.startsWith(head)) return false
  let from = head.length
  for (const part of rest) {
    const found = text.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return text.length - tail.length >= from && text.endsWith(tail)
}

/** custom-roles, "Custom role properties": permission strings have no letter case; neither have resource ids or GUIDs. */
const fold = (text: string): string => text.toLowerCase()

const isSet = (condition: string | null | undefined): boolean => condition !== undefined && condition !== null
