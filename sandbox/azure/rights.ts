import { isWithin } from '../../src/link/resourceId.ts'
import { type Assignment, type Denial, everyone, nameOf, type Permission, type World } from './state.ts'

/** Azure RBAC as it is documented: assignments inherited from every ancestor, notActions per role, denials win. */

const managementGroup = /^\/providers\/Microsoft\.Management\/managementGroups\/([^/]+)\/?$/i

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The management group that the scope is, or that its subscription is in, and all above it. */
function managementGroupsOf(world: World, id: string): Set<string> {
  const subscription = /^\/+subscriptions\/([^/]+)/i.exec(id)?.[1]
  const own =
    subscription === undefined
      ? managementGroup.exec(id)?.[1]
      : (world.managementGroups.find((one) => one.subscriptions.some((sub) => same(sub, subscription)))
          ?.name ?? world.tenantId)
  const found = new Set(own === undefined ? [] : [own.toLowerCase()])
  for (const name of found)
    found.add(
      (world.managementGroups.find((one) => same(one.name, name))?.parent ?? world.tenantId).toLowerCase(),
    )
  return found
}

/** Is the scope the resource itself or one of its ancestors? */
export function covers(world: World, scope: string, id: string): boolean {
  const group = managementGroup.exec(scope)?.[1]
  return group === undefined ? isWithin(scope, id) : managementGroupsOf(world, id).has(group.toLowerCase())
}

/** The principal and the groups that it is in, by way of other groups too. */
export function identities(world: World, principal: string): string[] {
  const id = principal.toLowerCase()
  const name = nameOf(world, id)
  const names = new Set(name === undefined ? [] : [name])
  for (const member of names)
    for (const [group, { members }] of Object.entries(world.groups))
      if (members.includes(member)) names.add(group)
  return [id, ...[...names].flatMap((one) => world.groups[one]?.objectId ?? [])]
}

export const isAmong = (ids: readonly string[], id: string): boolean => ids.some((one) => same(one, id))

/** `Microsoft.KeyVault/vaults/*` against an action, without regard to case. */
function matches(pattern: string, action: string): boolean {
  const escaped = pattern.split('*').map((piece) => piece.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${escaped.join('.*')}$`, 'i').test(action)
}

const anyMatches = (patterns: readonly string[], action: string): boolean =>
  patterns.some((pattern) => matches(pattern, action))

function grants(world: World, assignment: Assignment, action: string): boolean {
  // A condition narrows an assignment in a language that is not evaluated here, so it grants nothing.
  if (assignment.condition !== undefined) return false
  const permissions = world.roles.find((one) => one.key === assignment.role)?.permissions ?? []
  return (
    permissions.some(({ actions, condition }) => condition === undefined && anyMatches(actions, action)) &&
    !permissions.some(({ notActions }) => anyMatches(notActions, action))
  )
}

const forbids = ({ actions, notActions }: Permission, action: string): boolean =>
  anyMatches(actions, action) && !anyMatches(notActions, action)

/** A denial's condition, as one of an assignment, is not evaluated: it denies all the same. */
function denies(
  world: World,
  denial: Denial,
  who: readonly string[],
  action: string,
  scope: string,
): boolean {
  const reaches = denial.doNotApplyToChildScopes
    ? covers(world, denial.scope, scope) && covers(world, scope, denial.scope)
    : covers(world, denial.scope, scope)
  return (
    reaches &&
    denial.principals.some((one) => one === everyone || isAmong(who, one)) &&
    !denial.excludePrincipals.some((one) => isAmong(who, one)) &&
    denial.permissions.some((permission) => forbids(permission, action))
  )
}

export function may(world: World, principal: string, action: string, scope: string): boolean {
  const who = identities(world, principal)
  return (
    !world.denials.some((one) => denies(world, one, who, action, scope)) &&
    world.assignments.some(
      (one) => isAmong(who, one.principalId) && covers(world, one.scope, scope) && grants(world, one, action),
    )
  )
}

/** Does the principal hold the action anywhere in the subscription? Only then does a LIST over it answer at all. */
export function mayAnywhere(world: World, principal: string, action: string, within: string): boolean {
  const who = identities(world, principal)
  return world.assignments.some(
    (one) =>
      isAmong(who, one.principalId) &&
      (covers(world, one.scope, within) || covers(world, within, one.scope)) &&
      grants(world, one, action),
  )
}

const scopes =
  /^\/$|^\/providers\/Microsoft\.Management\/managementGroups\/[^/]+$|^\/subscriptions\/([^/]+)(\/.+)?$/i

/** Throws where an assignment to this principal on this scope could not be: Azure has no such thing. */
export function checkAssignable(world: World, principalId: string, scope: string): void {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(principalId))
    throw new Error(`${principalId} is no object id`)
  const [found, subscription] = scopes.exec(scope) ?? []
  const known = world.subscriptions.some(({ id }) => id === subscription?.toLowerCase())
  if (found === undefined || (subscription !== undefined && !known))
    throw new Error(`There is no scope ${scope}`)
}

/** Does the principal have any assignment at all on the subscription or below? Then it shows among its subscriptions. */
export function sees(world: World, principal: string, subscription: string): boolean {
  const who = identities(world, principal)
  return world.assignments.some(
    (one) =>
      isAmong(who, one.principalId) &&
      (covers(world, one.scope, subscription) || covers(world, subscription, one.scope)),
  )
}
