/** Who may do what on a resource, read from Azure at the moment of asking. What cannot be read is `unreadable`: a no. */
import type { Access } from '../engine/ports.ts'
import { resourceKey } from '../link/resourceId.ts'
import { objectIdOf } from './claims.ts'
import type { Clients } from './clients.ts'
import { within } from './deadline.ts'
import { failureOf } from './errors.ts'
import {
  type DenyAssignment,
  mayGrant,
  missingActions,
  type Permission,
  type Principal,
  type RoleAssignment,
} from './grants.ts'
import { all, listed, type Reading } from './looks.ts'
import { garbled, list, record, required, text } from './parse.ts'

/** An Entra object id. Nothing else enters a filter. */
const objectIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** How long a role's definition is remembered: it says what a role may do, nothing of who holds it. */
const definitionKeptMs = 5 * 60_000

const strings = (value: unknown): readonly string[] =>
  list(value).filter((one): one is string => typeof one === 'string')

const permissions = (value: unknown): readonly Permission[] =>
  list(value).map((one) => {
    const { actions, notActions } = record(one)
    return { actions: strings(actions), notActions: strings(notActions) }
  })

/** Some of Azure's own roles put a condition on a permission: like one on an assignment, it grants nothing here. */
const granted = (value: unknown): readonly Permission[] =>
  permissions(list(value).map((one) => (text(record(one).condition) ? { ...record(one), actions: [] } : one)))

const principals = (value: unknown): readonly Principal[] =>
  list(value).map((one) => {
    const { id, type } = record(one)
    return { id: text(id) ?? '', type: text(type) ?? '' }
  })

function roleAssignment(value: unknown, objectId: string): RoleAssignment {
  const { scope, roleDefinitionId, principalId, principalType, condition } = record(value)
  const principal = required(principalId, 'the principal of a role assignment')
  // A list that names somebody else was not filtered: whatever it grants is not this person's.
  const isSelf = principal.toLowerCase() === objectId.toLowerCase()
  const kind = text(principalType)?.toLowerCase()
  if (!isSelf && kind !== 'group') throw garbled('the filter by person that was asked for')
  return {
    principal,
    scope: required(scope, 'the scope of a role assignment'),
    role: required(roleDefinitionId, 'the role of a role assignment'),
    conditional: text(condition) !== undefined,
  }
}

function denyAssignment(value: unknown): DenyAssignment {
  const fields = record(value)
  return {
    scope: required(fields.scope, 'the scope of a deny assignment'),
    permissions: permissions(fields.permissions),
    principals: principals(fields.principals),
    excluded: principals(fields.excludePrincipals),
    doNotApplyToChildScopes: fields.doNotApplyToChildScopes === true,
  }
}

export function createAccess(clients: Clients, { deadlineMs, now, log }: Reading): Access {
  const definitions = new Map<
    string,
    { readonly readAt: number; readonly permissions: readonly Permission[] }
  >()

  const definition = async (role: string, signal: AbortSignal): Promise<readonly Permission[]> => {
    const key = role.toLowerCase()
    const known = definitions.get(key)
    if (known && now() - known.readAt < definitionKeptMs) return known.permissions
    const readAt = now()
    const client = await clients.authorization()
    try {
      const found = await client.roleDefinitions.getById(unrooted(role), { abortSignal: signal })
      const read = granted(found.permissions)
      for (const [old, { readAt: then }] of definitions)
        if (readAt - then >= definitionKeptMs) definitions.delete(old)
      definitions.set(key, { readAt, permissions: read })
      return read
    } catch (error) {
      const call = {
        does: 'read',
        action: 'Microsoft.Authorization/roleDefinitions/read',
        scope: role,
      } as const
      // A role that is no more grants nothing; an assignment may outlive it.
      if (failureOf(error, call, now()).missing) return []
      throw error
    }
  }

  const missing = async (
    objectId: string,
    actions: readonly string[],
    resource: string,
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    const client = await clients.authorization()
    const scope = unrooted(resource)
    const [assigned, denied] = await Promise.all([
      all(
        client.roleAssignments.listForScope(scope, {
          ...listed(signal),
          filter: `assignedTo('${objectId}')`,
        }),
        signal,
      ),
      all(client.denyAssignments.listForScope(scope, { ...listed(signal), filter: 'atScope()' }), signal),
    ])
    const assignments = assigned.map((one) => roleAssignment(one, objectId))
    const granting = assignments.filter((one) => mayGrant(one, resource))
    const roles = [...new Set(granting.map(({ role }) => role.toLowerCase()))]
    const read = await Promise.all(roles.map(async (role) => [role, await definition(role, signal)] as const))
    return missingActions({
      objectId,
      actions,
      resource,
      assignments,
      roles: new Map(read),
      denials: denied.map(denyAssignment),
    })
  }

  const may: Access['may'] = async (objectId, actions, resource, signal) => {
    if (!objectIdPattern.test(objectId)) return { is: 'unreadable' }
    try {
      const lacking = await within(deadlineMs, signal, (both) => missing(objectId, actions, resource, both))
      return lacking.length === 0 ? { is: 'held' } : { is: 'missing', actions: lacking }
    } catch (error) {
      const call = {
        does: 'read',
        action: 'Microsoft.Authorization/roleAssignments/read',
        scope: resource,
      } as const
      const { cause, log: answer } = failureOf(error, call, now())
      log('warn', 'azure.rightsUnread', { resource: resourceKey(resource), cause: cause.cause, answer })
      return { is: 'unreadable' }
    }
  }

  return {
    may,
    async botMay(actions, resource, signal) {
      try {
        const objectId = objectIdOf(await within(deadlineMs, signal, (both) => clients.token(both)))
        return objectId === undefined ? { is: 'unreadable' } : await may(objectId, actions, resource, signal)
      } catch (error) {
        log('warn', 'azure.identityUnread', {}, error)
        return { is: 'unreadable' }
      }
    },
  }
}

/** The client writes a slash before every scope. */
const unrooted = (id: string): string => id.replace(/^\/+/, '')
