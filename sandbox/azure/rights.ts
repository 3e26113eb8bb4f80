import { isWithin } from '../../src/link/resourceId.ts'
import { type Assignment, nameOf, type World } from './state.ts'

/** Azure RBAC as it is documented: assignments inherited from every ancestor, notActions per role, denials win. */

const managementGroup = /^\/providers\/Microsoft\.Management\/managementGroups\/[^/]+\/?$/i

/** Is the scope the resource itself or one of its ancestors? Every management group is taken for the root one. */
export const covers = (scope: string, id: string): boolean =>
  managementGroup.test(scope)
    ? id.toLowerCase().startsWith('/subscriptions/') || managementGroup.test(id)
    : isWithin(scope, id)

/** The principal and the groups that it is in. */
export function identities(world: World, principal: string): string[] {
  const name = nameOf(world, principal)
  const groups = Object.values(world.groups).filter(
    (group) => name !== undefined && group.members.includes(name),
  )
  return [principal, ...groups.map((group) => group.objectId)]
}

/** `Microsoft.KeyVault/vaults/*` against an action, without regard to case. */
function matches(pattern: string, action: string): boolean {
  const escaped = pattern.split('*').map((piece) => piece.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${escaped.join('.*')}$`, 'i').test(action)
}

function grants(world: World, assignment: Assignment, action: string): boolean {
  // A condition narrows an assignment in a language that is not evaluated here, so it grants nothing.
  if (assignment.condition !== undefined) return false
  const role = world.roles.find((one) => one.key === assignment.role)
  if (!role) return false
  return (
    role.actions.some((pattern) => matches(pattern, action)) &&
    !role.notActions.some((pattern) => matches(pattern, action))
  )
}

export function may(world: World, principal: string, action: string, scope: string): boolean {
  const who = identities(world, principal)
  const denied = world.denials.some(
    (one) =>
      who.includes(one.principalId) &&
      covers(one.scope, scope) &&
      one.actions.some((pattern) => matches(pattern, action)),
  )
  return (
    !denied &&
    world.assignments.some(
      (one) => who.includes(one.principalId) && covers(one.scope, scope) && grants(world, one, action),
    )
  )
}

/** Does the principal hold the action anywhere in the subscription? Only then does a LIST over it answer at all. */
export function mayAnywhere(world: World, principal: string, action: string, within: string): boolean {
  const who = identities(world, principal)
  return world.assignments.some(
    (one) =>
      who.includes(one.principalId) &&
      (covers(one.scope, within) || covers(within, one.scope)) &&
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
      who.includes(one.principalId) && (covers(one.scope, subscription) || covers(subscription, one.scope)),
  )
}
