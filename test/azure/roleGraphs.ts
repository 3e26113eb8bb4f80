/** Random role graphs around one vault and one SignalR, and the same as the local Azure holds them. */
import fc from 'fast-check'
import type { RoleGraph as SandboxGraph } from '../../sandbox/azure/state.ts'
import { bot, people, subscriptions, tenantId } from '../../sandbox/seed.ts'
import { askActions, decideActions } from '../../src/link/policy.ts'
import type {
  DenyAssignment,
  Permission,
  Principal,
  Role,
  RoleAssignment,
  RoleGraph,
} from './rightsOracle.ts'

export type Case = {
  readonly graph: RoleGraph
  /** Who is asked about. */
  readonly person: string
  readonly vault: string
  readonly connection: string
  readonly signalr: string
  readonly link: string
}

const person = people.requester.objectId
const others = [people.owner.objectId, people.second.objectId]
const groupIds = [0, 1, 2, 3].map((index) => `d1000000-0000-4000-8000-00000000000${index}`)
const roleIds = [0, 1, 2, 3].map((index) => `e1000000-0000-4000-8000-00000000000${index}`)
const everyone = '00000000-0000-0000-0000-000000000000'
/** The root group and those below it; some begin alike. */
const managementGroups = [tenantId, 'contoso', 'contoso2', 'Contoso-Prod', 'labs', 'labs-contoso']

const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({
  weight,
  arbitrary,
})
const sometimes = (percent: number): fc.Arbitrary<boolean> => fc.nat({ max: 99 }).map((n) => n < percent)

const swapped = (text: string): string =>
  [...text].map((one) => (one === one.toLowerCase() ? one.toUpperCase() : one.toLowerCase())).join('')
/** Azure has no letter case in ids and actions: neither may any reader of them. */
const spelt = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      texts,
      fc.constantFrom(
        ...Array<(text: string) => string>(5).fill((text) => text),
        (text: string) => text.toLowerCase(),
        (text: string) => text.toUpperCase(),
        swapped,
      ),
    )
    .map(([text, spell]) => spell(text))

// ---- actions ---------------------------------------------------------------------------------------

const asked = [...decideActions, ...askActions]
/** A wildcard in place of any stretch of an action, also of none. */
const cut = fc
  .record({ action: fc.constantFrom(...asked), from: fc.nat({ max: 1_000 }), length: fc.nat({ max: 1_000 }) })
  .map(({ action, from, length }) => {
    const start = from % (action.length + 1)
    return `${action.slice(0, start)}*${action.slice(start + (length % (action.length - start + 1)))}`
  })
const wide = fc.constantFrom(
  '*',
  '*/write',
  '*/action',
  '*/privateEndpointConnections*',
  'Microsoft.KeyVault/*',
  'Microsoft.KeyVault/vaults/*',
  'Microsoft.KeyVault/*/vaults/*',
  'Microsoft.KeyVault/vaults/*/write',
  'Microsoft.SignalRService/*',
  'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/*',
  'Microsoft.*/*/*/*',
)
/** What looks as if it meant one of the actions, to a careless reader of patterns. */
const beside = fc.constantFrom(
  '*/read',
  '*/delete',
  '',
  'Microsoft.KeyVault/vaults/read',
  'Microsoft.KeyVault/vaults/write',
  'Microsoft.KeyVault/vaults/privateEndpointConnections',
  'Microsoft.KeyVault/vaults/privateEndpointConnections/writ',
  'Microsoft.KeyVault/vaults/privateEndpointConnections/*/write',
  'Microsoft.KeyVault/vaults/privateEndpointConnectionProxies/*',
  'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/*/action',
  'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action*action',
  'Microsoft.KeyVaults/*',
  'MicrosoftxKeyVault/*',
  'icrosoft.*',
  'Microsoft.KeyVault/.+',
  '.*',
  '?*',
  '(*)',
  '[A-z]*',
  'Microsoft.SignalRService/SignalR/write',
  'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/*/write',
  'Microsoft.SignalRService/WebPubSub/*',
)
const pattern = spelt(
  fc.oneof(often(6, cut), often(4, wide), often(4, fc.constantFrom(...asked)), often(4, beside)),
)

const condition = (percent: number): fc.Arbitrary<string | null> =>
  sometimes(percent).map((is) => (is ? "@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'x'" : null))

const permission = (
  actions: fc.Arbitrary<readonly string[]>,
  notActions: fc.Arbitrary<readonly string[]>,
  conditional: number,
): fc.Arbitrary<Permission> =>
  fc.record({
    actions,
    notActions,
    dataActions: fc.constantFrom<readonly string[]>([], [], [], ['*']),
    condition: condition(conditional),
  })

const roleNames = fc.oneof(
  often(4, fc.constant<readonly string[]>(['*'])),
  often(4, fc.constant<readonly string[]>(asked)),
  often(5, fc.array(pattern, { minLength: 1, maxLength: 4 })),
)
const exceptions = fc.oneof(
  often(5, fc.constant<readonly string[]>([])),
  often(4, fc.array(pattern, { minLength: 1, maxLength: 2 })),
)
const roleOf = (id: string): fc.Arbitrary<Role> =>
  fc
    .array(permission(roleNames, exceptions, 6), { minLength: 1, maxLength: 2 })
    .chain((permissions) => sometimes(20).map((both) => (both ? permissions : permissions.slice(0, 1))))
    .map((permissions) => ({ id, permissions }))

// ---- principals ------------------------------------------------------------------------------------

const user = (id: string): Principal => ({ id, type: 'User' })
const principal = (
  weights: Readonly<Record<'self' | 'group' | 'other' | 'everyone', number>>,
): fc.Arbitrary<Principal> =>
  fc
    .tuple(
      fc.oneof(
        often(weights.self, fc.constant(user(person))),
        often(
          weights.group,
          fc.constantFrom(...groupIds).map((id): Principal => ({ id, type: 'Group' })),
        ),
        often(weights.other, fc.constantFrom(...others).map(user)),
        often(weights.everyone, fc.constant<Principal>({ id: everyone, type: 'SystemDefined' })),
      ),
      fc.constantFrom('asIs', 'asIs', 'upper'),
    )
    .map(([one, how]) => (how === 'upper' ? { ...one, id: one.id.toUpperCase() } : one))

/** Groups in groups, in circles too; about half of them hold the person in the end. */
const groups = fc
  .array(
    fc.record({
      self: sometimes(25),
      members: fc.subarray([...groupIds, ...others], { maxLength: 2 }),
    }),
    { minLength: groupIds.length, maxLength: groupIds.length },
  )
  .map((drawn) =>
    drawn.map(({ self, members }, index) => ({
      id: groupIds[index] ?? '',
      members: self ? [person, ...members] : members,
    })),
  )

// ---- scopes ----------------------------------------------------------------------------------------

const tree = fc
  .tuple(...managementGroups.slice(1).map((_name, index) => fc.nat({ max: index })))
  .map((parents) =>
    managementGroups.map((name, index) => {
      const parent = index === 0 ? undefined : managementGroups[parents[index - 1] ?? 0]
      return parent === undefined ? { name } : { name, parent }
    }),
  )

type Place = Omit<Case, 'graph' | 'person'>
const placeIn = (subscription: string, group: string, prefix: string): Place => {
  const resources = `/subscriptions/${subscription}/resourceGroups/${group}/providers`
  const vault = `${resources}/Microsoft.KeyVault/vaults/${prefix}-kv`
  const signalr = `${resources}/Microsoft.SignalRService/SignalR/${prefix}-signalr`
  return {
    vault,
    connection: `${vault}/privateEndpointConnections/ours`,
    signalr,
    link: `${signalr}/sharedPrivateLinkResources/ours`,
  }
}
const places = fc.constantFrom(
  placeIn(subscriptions.main.id, 'contoso', 'contoso'),
  placeIn(subscriptions.other.id, 'labs', 'labs'),
)

const ofManagementGroup = (name: string): string => `/providers/Microsoft.Management/managementGroups/${name}`
const upTo = (id: string, segments: number): string =>
  id
    .split('/')
    .slice(0, segments + 1)
    .join('/')

const scopeNear = ({ vault, connection, signalr, link }: Place): fc.Arbitrary<string> => {
  const group = upTo(vault, 4)
  const subscription = upTo(vault, 2)
  const other = subscription.endsWith(subscriptions.main.id) ? subscriptions.other.id : subscriptions.main.id
  const lookAlike = (id: string) => [`${id}2`, id.slice(0, -1), `${id}-x`]
  return spelt(
    fc.oneof(
      often(6, fc.constantFrom(vault, signalr)),
      often(4, fc.constant(group)),
      often(4, fc.constant(subscription)),
      often(5, fc.constantFrom(...managementGroups).map(ofManagementGroup)),
      often(1, fc.constant('/')),
      often(2, fc.constantFrom(connection, `${vault}/privateEndpointConnections/other`, link)),
      often(
        3,
        fc.constantFrom(
          ...[vault, signalr, group, subscription, ofManagementGroup('contoso')].flatMap(lookAlike),
          `${vault}/secrets/one`,
          `${group}/providers/Microsoft.KeyVault/managedHSMs/${vault.slice(vault.lastIndexOf('/') + 1)}`,
          vault.replace(subscription, `/subscriptions/${other}`),
          `/subscriptions/${other}`,
        ),
      ),
    ),
  )
}

// ---- the graph -------------------------------------------------------------------------------------

const roleAssignment = (scope: fc.Arbitrary<string>): fc.Arbitrary<RoleAssignment> =>
  fc.record({
    principal: principal({ self: 8, group: 12, other: 2, everyone: 1 }),
    roleId: spelt(fc.constantFrom(...roleIds)),
    scope,
    condition: condition(25),
  })

const denyAssignment = (scope: fc.Arbitrary<string>): fc.Arbitrary<DenyAssignment> =>
  fc.record({
    principals: fc.array(principal({ self: 4, group: 5, other: 2, everyone: 5 }), {
      minLength: 1,
      maxLength: 2,
    }),
    excludePrincipals: fc.oneof(
      often(4, fc.constant<readonly Principal[]>([])),
      often(
        5,
        fc.array(principal({ self: 3, group: 6, other: 2, everyone: 1 }), { minLength: 1, maxLength: 2 }),
      ),
    ),
    permissions: fc.array(permission(fc.array(pattern, { minLength: 1, maxLength: 2 }), exceptions, 10), {
      minLength: 1,
      maxLength: 2,
    }),
    scope,
    doNotApplyToChildScopes: sometimes(25),
    condition: condition(15),
  })

const graphAround = (place: Place): fc.Arbitrary<RoleGraph> => {
  const scope = scopeNear(place)
  const managementGroup = fc.constantFrom(...managementGroups)
  return fc.record({
    groups,
    managementGroups: tree,
    subscriptions: fc.tuple(managementGroup, managementGroup).map(([main, labs]) => [
      { id: subscriptions.main.id, managementGroup: main },
      { id: subscriptions.other.id, managementGroup: labs },
    ]),
    roles: fc.tuple(...roleIds.map(roleOf)),
    roleAssignments: fc.array(roleAssignment(scope), { minLength: 3, maxLength: 9 }),
    denyAssignments: fc.array(denyAssignment(scope), { maxLength: 3 }),
  })
}

/** Unbiased, so that the shares that are measured do not hang on how many are drawn. */
export const cases: fc.Arbitrary<Case> = fc.noBias(
  places.chain((place) =>
    fc
      .record({
        graph: graphAround(place),
        person: spelt(fc.constant(person)),
        names: fc.record({
          vault: spelt(fc.constant(place.vault)),
          signalr: spelt(fc.constant(place.signalr)),
        }),
      })
      .map(({ graph, person, names }) => ({ ...place, ...names, graph, person })),
  ),
)

// ---- the local Azure's form ------------------------------------------------------------------------

/**
 * The graph, and beside it what the bot needs to read any of it: its own role, and to be left out of every deny
 * assignment, since one for everyone would keep the lists from it too.
 */
export function held(graph: RoleGraph): SandboxGraph {
  const names = new Map<string, string>([
    ...Object.values(people).map(({ objectId, key }) => [objectId, key] as const),
    ...graph.groups.map(({ id }) => [id, id] as const),
  ])
  const conditionOf = (condition: string | null | undefined) => (condition ? { condition } : {})
  const permissionsOf = (permissions: readonly Permission[]) =>
    permissions.map(({ condition, ...permission }) => ({ ...permission, ...conditionOf(condition) }))
  const reader = {
    key: 'readsRights',
    guid: 'e1000000-0000-4000-8000-0000000000ff',
    name: 'Reads rights',
    builtIn: false,
    permissions: [{ actions: ['Microsoft.Authorization/*/read'], notActions: [] }],
  }
  const ids = (principals: readonly Principal[]): string[] => principals.map(({ id }) => id)
  return {
    groups: Object.fromEntries(
      graph.groups.map(({ id, members }) => [
        id,
        { objectId: id, members: members.flatMap((member) => names.get(member) ?? []) },
      ]),
    ),
    managementGroups: graph.managementGroups.map((group) => ({
      ...group,
      subscriptions: graph.subscriptions
        .filter(({ managementGroup }) => managementGroup === group.name)
        .map(({ id }) => id),
    })),
    roles: [
      reader,
      ...graph.roles.map(({ id, permissions }) => ({
        key: id,
        guid: id,
        name: id,
        builtIn: false,
        permissions: permissionsOf(permissions),
      })),
    ],
    assignments: [
      { guid: 'bot', principalId: bot.objectId, role: reader.key, scope: '/' },
      ...graph.roleAssignments.map(({ principal: { id }, roleId, scope, condition }, index) => ({
        guid: `assignment-${index}`,
        principalId: id,
        role: roleId.toLowerCase(),
        scope,
        ...conditionOf(condition),
      })),
    ],
    denials: graph.denyAssignments.map((deny, index) => ({
      guid: `denial-${index}`,
      principals: ids(deny.principals),
      excludePrincipals: [...ids(deny.excludePrincipals), bot.objectId],
      permissions: permissionsOf(deny.permissions),
      scope: deny.scope,
      doNotApplyToChildScopes: deny.doNotApplyToChildScopes,
      ...conditionOf(deny.condition),
    })),
  }
}
