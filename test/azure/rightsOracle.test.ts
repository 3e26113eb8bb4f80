/** The oracle against the documentation's own examples. Pages below https://learn.microsoft.com/azure/. */
import { describe, expect, test } from '@jest/globals'
import { allows, allowsForCertain, type DenyAssignment, type Role, type RoleGraph } from './rightsOracle.ts'

const everyone = { id: '00000000-0000-0000-0000-000000000000', type: 'SystemDefined' }
const ana = { id: '11111111-1111-1111-1111-111111111111', type: 'User' }
const bob = { id: '22222222-2222-2222-2222-222222222222', type: 'User' }
const marketing = { id: '33333333-3333-3333-3333-333333333333', type: 'Group' }
const company = { id: '44444444-4444-4444-4444-444444444444', type: 'Group' }

const subscription = '/subscriptions/55555555-5555-5555-5555-555555555555'
const group = `${subscription}/resourceGroups/pharma-sales`
const machine = `${group}/providers/Microsoft.Compute/virtualMachines/vm1`

const role = (id: string, actions: readonly string[], notActions: readonly string[] = []): Role => ({
  id,
  permissions: [{ actions, notActions }],
})
const contributor = role(
  'b24988ac-6180-42a0-ab88-20f7382dd24c',
  ['*'],
  [
    'Microsoft.Authorization/*/Delete',
    'Microsoft.Authorization/*/Write',
    'Microsoft.Authorization/elevateAccess/Action',
  ],
)
const reader = role('acdd72a7-3385-48ef-bd42-f606fba81ae7', ['*/read'])

const graphOf = (given: Partial<RoleGraph>): RoleGraph => ({
  groups: [
    { id: marketing.id, members: [ana.id] },
    { id: company.id, members: [marketing.id] },
  ],
  managementGroups: [
    { name: 'root' },
    { name: 'production', parent: 'root' },
    { name: 'trial', parent: 'root' },
  ],
  subscriptions: [{ id: '55555555-5555-5555-5555-555555555555', managementGroup: 'production' }],
  roles: [contributor, reader],
  roleAssignments: [],
  denyAssignments: [],
  ...given,
})
const assigned = (principal: typeof ana, { id }: Role, scope: string, condition: string | null = null) => ({
  principal,
  roleId: id,
  scope,
  condition,
})
const write = 'Microsoft.Compute/virtualMachines/write'
const may = (given: Partial<RoleGraph>, action = write, who = ana, resource = machine) =>
  allows(graphOf(given), who.id, action, resource)

describe('role-based-access-control/overview', () => {
  test('the Marketing group is Contributor of pharma-sales, and nowhere else', () => {
    const roleAssignments = [assigned(marketing, contributor, group)]
    expect(may({ roleAssignments })).toBe(true)
    expect(may({ roleAssignments }, write, bob)).toBe(false)
    expect(may({ roleAssignments }, write, ana, machine.replace('pharma-sales', 'pharma-sales-2'))).toBe(
      false,
    )
  })
  test('assignments are transitive for groups', () => {
    expect(may({ roleAssignments: [assigned(company, contributor, group)] })).toBe(true)
  })
  test('assignments add up: Contributor of the subscription is not lessened by Reader of the group', () => {
    const roleAssignments = [assigned(ana, reader, group), assigned(ana, contributor, subscription)]
    expect(may({ roleAssignments })).toBe(true)
  })
  test('deny assignments take precedence', () => {
    expect(may({ roleAssignments: [assigned(ana, contributor, group)], denyAssignments: [denied({})] })).toBe(
      false,
    )
  })
})

describe('role-based-access-control/role-definitions', () => {
  const exports = 'Microsoft.CostManagement/exports'
  test.each([
    [`${exports}/*`, [], `${exports}/run/action`, true],
    [`${exports}/*`, [`${exports}/delete`], `${exports}/delete`, false],
    [`${exports}/*`, [`${exports}/delete`], `${exports}/run/action`, true],
    ['*/read', [], 'Microsoft.Compute/virtualMachines/read', true],
    ['Microsoft.Network/*/read', [], 'Microsoft.Network/virtualNetworks/subnets/read', true],
    ['Microsoft.Network/*/read', [], 'Microsoft.Network/read', false],
    ['Microsoft.Compute/virtualMachines/*', [], 'Microsoft.Compute/virtualMachines/extensions/write', true],
    ['Microsoft.Compute/virtualMachines/*', [], 'Microsoft.Compute/virtualMachinesX/write', false],
    ['microsoft.web/sites/restart/Action', [], 'Microsoft.Web/sites/restart/action', true],
    ['Microsoft.Web/*/restart/*', [], 'Microsoft.Web/sites/restart/action', true],
    ['Microsoft.Web/sites/restart/action*action', [], 'Microsoft.Web/sites/restart/action', false],
  ])('%s without %j: %s is %s', (actions, notActions, action, expected) => {
    const made = role('one', [actions], notActions)
    expect(may({ roles: [made], roleAssignments: [assigned(ana, made, group)] }, action)).toBe(expected)
  })
  test('NotActions are no deny: a second role may grant what the first leaves out', () => {
    const without = role('without', ['*'], [write])
    const roleAssignments = [assigned(ana, without, group), assigned(ana, contributor, group)]
    expect(may({ roles: [without, contributor], roleAssignments })).toBe(true)
    expect(may({ roles: [without, contributor], roleAssignments: roleAssignments.slice(0, 1) })).toBe(false)
  })
  test('data actions are another plane', () => {
    const made: Role = { id: 'one', permissions: [{ actions: [], notActions: [], dataActions: ['*'] }] }
    expect(may({ roles: [made], roleAssignments: [assigned(ana, made, group)] })).toBe(false)
  })
})

describe('role-based-access-control/scope-overview and governance/management-groups/overview', () => {
  const managementGroup = (name: string) => `/providers/Microsoft.Management/managementGroups/${name}`
  test.each([
    [machine, true],
    [group, true],
    [group.replace('resourceGroups', 'resourcegroups').toUpperCase(), true],
    [subscription, true],
    [managementGroup('production'), true],
    [managementGroup('root'), true],
    ['/', true],
    [managementGroup('trial'), false],
    [managementGroup('product'), false],
    [`${machine}/extensions/one`, false],
    [`${machine}2`, false],
    [group.slice(0, -1), false],
    [subscription.slice(0, -1), false],
  ])('Contributor of %s: %s', (scope, expected) => {
    expect(may({ roleAssignments: [assigned(ana, contributor, scope)] })).toBe(expected)
  })
})

const denied = (given: Partial<DenyAssignment>): DenyAssignment => ({
  principals: [everyone],
  excludePrincipals: [],
  permissions: [{ actions: ['*'], notActions: ['*/read'] }],
  scope: group,
  doNotApplyToChildScopes: false,
  ...given,
})

describe('role-based-access-control/deny-assignments', () => {
  test.each<[string, Partial<DenyAssignment>, string, boolean]>([
    ['all principals', {}, write, false],
    ['what it leaves out', {}, 'Microsoft.Compute/virtualMachines/read', true],
    ['somebody else', { principals: [bob] }, write, true],
    ['a group of the group', { principals: [company] }, write, false],
    ['all but her', { excludePrincipals: [ana] }, write, true],
    ['all but her group’s group', { excludePrincipals: [company] }, write, true],
    ['all but somebody else', { excludePrincipals: [bob] }, write, false],
    ['all but all, which is not a thing', { excludePrincipals: [everyone] }, write, false],
    ['the group, and not what is in it', { doNotApplyToChildScopes: true }, write, true],
    ['that machine alone', { doNotApplyToChildScopes: true, scope: machine }, write, false],
    ['something below', { scope: `${machine}/extensions/one` }, write, true],
  ])('%s', (_name, given, action, expected) => {
    const roleAssignments = [assigned(ana, contributor, subscription)]
    expect(may({ roleAssignments, denyAssignments: [denied(given)] }, action)).toBe(expected)
  })
})

describe('Vaultlink’s own rules: what cannot be told is no', () => {
  const certainly = (given: Partial<RoleGraph>, action = write) =>
    allowsForCertain(graphOf(given), ana.id, action, machine)
  test('an excluded group excuses whom an assignment shows to be in it', () => {
    const denyAssignments = [denied({ excludePrincipals: [company] })]
    const own = assigned(ana, contributor, subscription)
    for (const [shown, expected] of [
      [[], false],
      [[assigned(company, reader, subscription.slice(0, -1))], false],
      [[assigned(marketing, reader, group)], false],
      [[assigned(company, reader, group)], true],
      [[assigned(company, reader, `${machine}/extensions/one`, 'some')], true],
    ] as const)
      expect(certainly({ roleAssignments: [own, ...shown], denyAssignments })).toBe(expected)
  })
  test('what is denied on a child of the action’s type is denied', () => {
    const roleAssignments = [assigned(ana, contributor, subscription)]
    const denyAssignments = [denied({ scope: `${machine}/extensions/one` })]
    expect(certainly({ roleAssignments, denyAssignments })).toBe(true)
    const onChild = 'Microsoft.Compute/virtualMachines/extensions/write'
    expect(certainly({ roleAssignments, denyAssignments }, onChild)).toBe(false)
  })
  test('of several permissions of a role, the NotActions of each count', () => {
    const made: Role = {
      id: 'one',
      permissions: [
        { actions: ['*'], notActions: [write] },
        { actions: [write], notActions: [] },
      ],
    }
    expect(may({ roles: [made], roleAssignments: [assigned(ana, made, group)] })).toBe(false)
  })
  const condition = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'one'"
  test('an assignment with a condition grants nothing', () => {
    expect(may({ roleAssignments: [assigned(ana, contributor, group, condition)] })).toBe(false)
  })
  test('a permission with a condition grants nothing', () => {
    const made: Role = { id: 'one', permissions: [{ actions: ['*'], notActions: [], condition }] }
    expect(may({ roles: [made], roleAssignments: [assigned(ana, made, group)] })).toBe(false)
  })
  test('a deny assignment with a condition denies', () => {
    const roleAssignments = [assigned(ana, contributor, group)]
    expect(may({ roleAssignments, denyAssignments: [denied({ condition })] })).toBe(false)
  })
})
