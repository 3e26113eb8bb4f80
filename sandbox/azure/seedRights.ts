import { builtInRoles } from './builtInRoles.ts'
import {
  allDiffer,
  complain,
  elementsOf,
  flagAt,
  guidAt,
  listAt,
  membersOf,
  nameAt,
  oneOf,
  or,
  type Place,
} from './jsonPlace.ts'
import type { Directory } from './seedDirectory.ts'
import type { Resources } from './seedResources.ts'
import type { ManagementGroup, Permission, Seed } from './state.ts'

/** Who may do what, as a seed file says it. */

const permissionNames = ['actions', 'notActions', 'dataActions', 'condition'] as const

const namesAt = (place: Place): readonly string[] => elementsOf(place).map(nameAt)

const conditionAt = (place: Place): { condition?: string } =>
  place.value === undefined ? {} : { condition: nameAt(place) }

const permissionAt = (of: Record<(typeof permissionNames)[number], Place>): Permission => ({
  actions: listAt(of.actions).map(nameAt),
  notActions: namesAt(of.notActions),
  ...(of.dataActions.value !== undefined && { dataActions: namesAt(of.dataActions) }),
  ...conditionAt(of.condition),
})

/** `actions` and `notActions` for the one permission that most have, or the list of them. */
function permissionsAt(of: Record<'permissions' | 'actions' | 'notActions', Place>): readonly Permission[] {
  if (of.permissions.value === undefined)
    return [{ actions: listAt(of.actions).map(nameAt), notActions: namesAt(of.notActions) }]
  for (const place of [of.actions, of.notActions])
    or(place, () => complain(place, 'belongs in permissions, since there are such'), undefined)
  return listAt(of.permissions).map((place) => permissionAt(membersOf(place, permissionNames)))
}

export const readManagementGroups = (all: Place): readonly ManagementGroup[] =>
  elementsOf(all).map((place) => {
    const { name, parent, subscriptions } = membersOf(place, ['name', 'parent', 'subscriptions'])
    return {
      name: nameAt(name),
      ...(parent.value !== undefined && { parent: nameAt(parent) }),
      subscriptions: elementsOf(subscriptions).map(guidAt),
    }
  })

export function readRoles(all: Place): NonNullable<Seed['roles']> {
  const read = elementsOf(all).map((place) => {
    const of = membersOf(place, ['name', 'id', 'roleName', 'actions', 'notActions', 'permissions'])
    const key = nameAt(of.name)
    if (builtInRoles.some((role) => role.key === key))
      complain(of.name, `${key} is one of Azure's own roles; write another name`)
    const permissions = permissionsAt(of)
    return { place, key, role: withGuid(of.id, { name: or(of.roleName, nameAt, key), permissions }) }
  })
  allDiffer('name', read)
  return Object.fromEntries(read.map(({ key, role }) => [key, role]))
}

const withGuid = <T extends object>(id: Place, one: T): T & { guid?: string } =>
  id.value === undefined ? one : { ...one, guid: guidAt(id) }

/** Unless it is said who may do what, everybody may do everything. */
export function readAssignments(
  all: Place,
  roleKeys: readonly string[],
  directory: Directory,
  resources: Resources,
): NonNullable<Seed['assignments']> {
  const everybody = [...Object.values(directory.people), ...Object.values(directory.applications)]
  if (all.value === undefined)
    return everybody.map(({ objectId }) => ({ principalId: objectId, role: 'owner', scope: '/' }))
  return elementsOf(all).map((place) => {
    const of = membersOf(place, ['id', 'principal', 'role', 'scope', 'condition'])
    return withGuid(of.id, {
      principalId: directory.principalAt(of.principal),
      role: oneOf(of.role, roleKeys),
      scope: or(of.scope, resources.scopeAt, '/'),
      ...conditionAt(of.condition),
    })
  })
}

export const readDenials = (
  all: Place,
  directory: Directory,
  resources: Resources,
): NonNullable<Seed['denials']> =>
  elementsOf(all).map((place) => {
    const of = membersOf(place, [
      'id',
      'principals',
      'excludePrincipals',
      'actions',
      'notActions',
      'permissions',
      'scope',
      'doNotApplyToChildScopes',
      'condition',
    ])
    return withGuid(of.id, {
      principals: listAt(of.principals).map(directory.principalAt),
      excludePrincipals: elementsOf(of.excludePrincipals).map(directory.principalAt),
      permissions: permissionsAt(of),
      scope: or(of.scope, resources.scopeAt, '/'),
      doNotApplyToChildScopes: or(of.doNotApplyToChildScopes, flagAt, false),
      ...conditionAt(of.condition),
    })
  })
