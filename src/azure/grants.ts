/**
 * Who may do what, reckoned from what Azure's lists say. Pure: role assignments, role definitions and deny assignments
 * come in as data. Whatever cannot be told for certain counts against the person.
 * https://learn.microsoft.com/azure/role-based-access-control/overview#how-azure-rbac-determines-if-a-user-has-access-to-a-resource
 */
import { isWithin, parseResourceId } from '../link/resourceId.ts'

export type Permission = { readonly actions: readonly string[]; readonly notActions: readonly string[] }
export type RoleAssignment = {
  readonly scope: string
  readonly role: string
  readonly principal: string
  /** An assignment with a condition holds only for requests we cannot see: it grants nothing here. */
  readonly conditional: boolean
}
export type Principal = { readonly id: string; readonly type: string }
export type DenyAssignment = {
  readonly id: string
  readonly scope: string
  readonly permissions: readonly Permission[]
  readonly principals: readonly Principal[]
  readonly excluded: readonly Principal[]
  readonly doNotApplyToChildScopes: boolean
}

/** Does the pattern of a role cover the action? `*` stands for any run of characters, anywhere; case does not matter. */
export function covers(pattern: string, action: string): boolean {
  const glob = pattern.toLowerCase()
  const name = action.toLowerCase()
  let at = 0
  let from = 0
  // Where the last star stands, and how much of the name it has taken so far: enough to go back to, in linear space.
  let star = -1
  let taken = 0
  while (from < name.length) {
    if (glob[at] === '*') {
      star = at
      taken = from
      at += 1
    } else if (glob[at] === name[from]) {
      at += 1
      from += 1
    } else if (star >= 0) {
      taken += 1
      from = taken
      at = star + 1
    } else return false
  }
  while (glob[at] === '*') at += 1
  return at === glob.length
}

const anyCovers = (patterns: readonly string[], action: string): boolean =>
  patterns.some((pattern) => covers(pattern, action))

/** `actions` minus `notActions`, over all permissions of one role or deny assignment. */
function holds(permissions: readonly Permission[], action: string): boolean {
  return (
    permissions.some(({ actions }) => anyCovers(actions, action)) &&
    !permissions.some(({ notActions }) => anyCovers(notActions, action))
  )
}

/** A deny assignment's exceptions hold per permission: a second permission may deny what the first leaves out. */
const denies = (permissions: readonly Permission[], action: string): boolean =>
  permissions.some(({ actions, notActions }) => anyCovers(actions, action) && !anyCovers(notActions, action))

const managementGroup = /^\/providers\/Microsoft\.Management\/managementGroups\/[^/]+\/?$/i

/**
 * Is the scope the resource or one of its ancestors? Lists for a resource name only those management groups that are
 * above it, so that each of them counts. An empty scope is none.
 */
export function isAncestorOrSelf(scope: string, resource: string): boolean {
  if (scope === '/' || managementGroup.test(scope)) return true
  return scope.startsWith('/') && isWithin(scope, resource) && scope.replace(/\/+$/, '') !== ''
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Stands for everyone in deny assignments that Azure itself makes. */
const everyone = '00000000-0000-0000-0000-000000000000'

type Person = { readonly objectId: string; readonly groups: readonly string[] }

/** Is the person meant for certain? */
const isNamed = ({ id }: Principal, { objectId, groups }: Person): boolean =>
  same(id, objectId) || groups.some((group) => same(id, group))

/** Ids of the deny assignments that Azure lists as the person's; undefined when it was not asked. */
type Theirs = ReadonlySet<string> | undefined

/** May the person be meant? Whether they are in a group that no assignment shows is known if `theirs` is. */
function mayBeMeant({ id, principals }: DenyAssignment, person: Person, theirs: Theirs): boolean {
  const isTold = ({ type }: Principal): boolean =>
    ['user', 'serviceprincipal', ...(theirs ? ['group'] : [])].includes(type.toLowerCase())
  return (
    theirs?.has(id) === true ||
    principals.some((one) => isNamed(one, person) || same(one.id, everyone) || !isTold(one))
  )
}

/**
 * A resource in the one that is asked about, of the type that the action belongs to: which of these Azure will be asked
 * about is not known yet, so what is denied on one is denied.
 */
function isOfAction(scope: string, action: string, resource: string): boolean {
  const parsed = parseResourceId(scope)
  if (!parsed || !isWithin(resource, scope)) return false
  const type = [parsed.provider, ...parsed.path.filter((_segment, index) => index % 2 === 0)].join('/')
  return same(type, action.slice(0, action.lastIndexOf('/')))
}

function applies(
  { scope, doNotApplyToChildScopes }: DenyAssignment,
  action: string,
  resource: string,
): boolean {
  if (isOfAction(scope, action, resource)) return true
  return doNotApplyToChildScopes
    ? isWithin(scope, resource) && isWithin(resource, scope)
    : scope === '' || isAncestorOrSelf(scope, resource)
}

/** Can the assignment grant anything on the resource? Those below it and those with a condition cannot. */
export const mayGrant = ({ conditional, scope }: RoleAssignment, resource: string): boolean =>
  !conditional && isAncestorOrSelf(scope, resource)

/** Those of the actions that the person does not hold on the resource. */
export function missingActions(asked: {
  readonly objectId: string
  readonly actions: readonly string[]
  readonly resource: string
  /** What `assignedTo` lists: the person's own assignments and those of their groups. */
  readonly assignments: readonly RoleAssignment[]
  readonly roles: ReadonlyMap<string, readonly Permission[]>
  readonly denials: readonly DenyAssignment[]
  readonly theirs?: Theirs
}): readonly string[] {
  const { objectId, actions, resource, assignments, roles, denials, theirs } = asked
  const groups = assignments.map(({ principal }) => principal).filter((id) => !same(id, objectId))
  const person = { objectId, groups }
  const granting = assignments.filter((one) => mayGrant(one, resource))
  const denying = denials.filter(
    (denial) =>
      mayBeMeant(denial, person, theirs) && !denial.excluded.some((principal) => isNamed(principal, person)),
  )
  return actions.filter(
    (action) =>
      !granting.some(({ role }) => holds(roles.get(role.toLowerCase()) ?? [], action)) ||
      denying.some((one) => applies(one, action, resource) && denies(one.permissions, action)),
  )
}
