import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  covers,
  type DenyAssignment,
  isAncestorOrSelf,
  missingActions,
  type Permission,
  type RoleAssignment,
} from '../../src/azure/grants.ts'

const person = 'a0000000-0000-4000-8000-000000000001'
const group = 'd0000000-0000-4000-8000-000000000001'
const stranger = 'a0000000-0000-4000-8000-000000000009'
const vault = '/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv'
const write = 'Microsoft.KeyVault/vaults/privateEndpointConnections/write'
const approval = 'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action'

const approver = '/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/approver'
const assignment = (more: Partial<RoleAssignment> = {}): RoleAssignment => ({
  scope: vault,
  role: approver,
  principal: person,
  conditional: false,
  ...more,
})
const denial = (more: Partial<DenyAssignment> = {}): DenyAssignment => ({
  id: 'one',
  scope: vault,
  permissions: [{ actions: [write], notActions: [] }],
  principals: [{ id: person, type: 'User' }],
  excluded: [],
  doNotApplyToChildScopes: false,
  ...more,
})
const asked = (more: Partial<Parameters<typeof missingActions>[0]> = {}) => ({
  objectId: person,
  actions: [write, approval],
  resource: vault,
  assignments: [assignment()],
  roles: new Map([[approver.toLowerCase(), [{ actions: [write, approval], notActions: [] as string[] }]]]),
  denials: [],
  ...more,
})

describe('a pattern covers an action', () => {
  test.each([
    ['*', write, true],
    ['*/read', write, false],
    ['*/write', write, true],
    ['Microsoft.KeyVault/*', write, true],
    ['microsoft.keyvault/VAULTS/*/write', write, true],
    ['Microsoft.KeyVault/vaults/*', approval, true],
    ['Microsoft.KeyVault/vaults/*/read', approval, false],
    ['Microsoft.KeyVault/vaults/privateEndpointConnections/writ', write, false],
    ['Microsoft.KeyVault/vaults/privateEndpointConnections/write/', write, false],
    ['icrosoft.KeyVault/vaults/privateEndpointConnections/write', write, false],
    ['Microsoft.KeyVault/*/*/write', write, true],
    ['MicrosoftXKeyVault/*', write, false],
    ['', write, false],
    ['**', write, true],
  ])('%s, %s: %s', (pattern, action, expected) => {
    expect(covers(pattern, action)).toBe(expected)
  })

  test('as a regular expression would have it', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'B', '/', '.', '*'), maxLength: 12 })
    fc.assert(
      fc.property(piece, piece, (pattern, action) => {
        const escaped = pattern.split('*').map((part) => part.replace(/[.]/g, '\\.'))
        const oracle = new RegExp(`^${escaped.join('.*')}$`, 'is')
        expect(covers(pattern, action)).toBe(oracle.test(action))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a scope holds the resource', () => {
  test.each([
    [vault, true],
    [vault.toUpperCase(), true],
    ['/', true],
    ['/subscriptions/s', true],
    ['/subscriptions/S/resourcegroups/G/', true],
    ['/providers/Microsoft.Management/managementGroups/contoso', true],
    ['/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/k', false],
    ['/subscriptions/s/resourceGroups/g2', false],
    ['/subscriptions/s2', false],
    [`${vault}/privateEndpointConnections/c`, false],
    ['/providers/Microsoft.Management/managementGroups/a/b', false],
    ['', false],
    ['//', false],
    ['subscriptions/s', false],
  ])('%s: %s', (scope, expected) => {
    expect(isAncestorOrSelf(scope, vault)).toBe(expected)
  })
})

describe('what a person lacks', () => {
  const both = [write, approval]
  const everything = [{ actions: ['*'], notActions: [] }]
  const role = (actions: string[], notActions: string[] = []) =>
    new Map([[approver.toLowerCase(), [{ actions, notActions }]]])
  const group_ = assignment({ principal: group })
  const cases: [string, Partial<Parameters<typeof missingActions>[0]>, string[]][] = [
    ['an assignment on the vault', {}, []],
    ['no assignment', { assignments: [] }, both],
    ['one with a condition', { assignments: [assignment({ conditional: true })] }, both],
    ['one below the vault', { assignments: [assignment({ scope: `${vault}/x/y` })] }, both],
    ['one of a role that could not be found', { roles: new Map() }, both],
    ['a role that takes one action away again', { roles: role(['*'], ['*Approval/action']) }, [approval]],
    ['a role that takes all writing away', { roles: role(['*'], ['Microsoft.KeyVault/*/WRITE']) }, [write]],
    ['a denial', { denials: [denial()] }, [write]],
    ['a denial above', { denials: [denial({ scope: '/subscriptions/s' })] }, [write]],
    [
      'a denial above, not for child scopes',
      { denials: [denial({ scope: '/subscriptions/s', doNotApplyToChildScopes: true })] },
      [],
    ],
    [
      'a denial on the vault itself, not for child scopes',
      { denials: [denial({ doNotApplyToChildScopes: true })] },
      [write],
    ],
    ['a denial elsewhere', { denials: [denial({ scope: '/subscriptions/other' })] }, []],
    ['a denial of another user', { denials: [denial({ principals: [{ id: stranger, type: 'User' }] })] }, []],
    [
      'a denial of everyone',
      {
        denials: [
          denial({ principals: [{ id: '00000000-0000-0000-0000-000000000000', type: 'SystemDefined' }] }),
        ],
      },
      [write],
    ],
    [
      'a denial of a group whose members cannot be read',
      { denials: [denial({ principals: [{ id: group, type: 'Group' }] })] },
      [write],
    ],
    [
      'a denial of a group that Azure does not list as theirs',
      { denials: [denial({ principals: [{ id: group, type: 'Group' }] })], theirs: new Set() },
      [],
    ],
    [
      'a denial of a group that Azure lists as theirs',
      { denials: [denial({ principals: [{ id: group, type: 'Group' }] })], theirs: new Set(['one']) },
      [write],
    ],
    [
      'a denial of everyone, whatever kind of principal that is said to be',
      {
        denials: [denial({ principals: [{ id: '00000000-0000-0000-0000-000000000000', type: 'User' }] })],
        theirs: new Set(),
      },
      [write],
    ],
    [
      'a denial of a kind of principal that is not known, listed or not',
      { denials: [denial({ principals: [{ id: stranger, type: 'Device' }] })], theirs: new Set() },
      [write],
    ],
    [
      'a denial on a connection of the vault',
      { denials: [denial({ scope: `${vault}/privateEndpointConnections/any`, permissions: everything })] },
      [write],
    ],
    [
      'a denial on something else in the vault',
      { denials: [denial({ scope: `${vault}/secrets/any`, permissions: everything })] },
      [],
    ],
    [
      'a denial on a connection of another vault',
      { denials: [denial({ scope: `${vault}2/privateEndpointConnections/any`, permissions: everything })] },
      [],
    ],
    [
      'a denial of everyone that leaves the person out',
      {
        denials: [
          denial({
            principals: [{ id: '00000000-0000-0000-0000-000000000000', type: 'Everyone' }],
            excluded: [{ id: person.toUpperCase(), type: 'User' }],
          }),
        ],
      },
      [],
    ],
    [
      'a denial that leaves a group out, membership unknown',
      { denials: [denial({ excluded: [{ id: group, type: 'Group' }] })] },
      [write],
    ],
    [
      'a denial that leaves a group out, membership shown by an assignment',
      {
        assignments: [assignment(), group_],
        denials: [denial({ excluded: [{ id: group, type: 'Group' }] })],
      },
      [],
    ],
    [
      'a denial with an exception',
      { denials: [denial({ permissions: [{ actions: ['*'], notActions: [write] }] })] },
      [approval],
    ],
    [
      'a denial whose second permission denies what the first leaves out',
      {
        denials: [
          denial({
            permissions: [
              { actions: ['*'], notActions: [write] },
              { actions: [write], notActions: [] },
            ],
          }),
        ],
      },
      both.toReversed(),
    ],
  ]
  test.each(cases)('%s', (_name, more, expected) => {
    expect(new Set(missingActions(asked(more)))).toEqual(new Set(expected))
  })

  const scopes = fc.constantFrom(vault, '/', '/subscriptions/s', '/subscriptions/o', '', `${vault}/x/y`)
  const actions = fc.constantFrom('*', '*/write', '*/read', write, approval, 'Microsoft.KeyVault/*')
  const permission = fc.record({
    actions: fc.array(actions, { maxLength: 2 }),
    notActions: fc.array(actions, { maxLength: 1 }),
  })
  const ids = fc.constantFrom(person, group, stranger)
  const anyAssignment = fc.record({
    scope: scopes,
    role: fc.constantFrom('r1', 'r2'),
    principal: ids,
    conditional: fc.boolean(),
  })
  const principals = fc.array(
    fc.record({ id: ids, type: fc.constantFrom('User', 'Group', 'Everyone', '') }),
    { maxLength: 2 },
  )
  const anyDenial = fc.record({
    id: fc.constant('one'),
    scope: scopes,
    permissions: fc.array(permission, { maxLength: 2 }),
    principals,
    excluded: principals,
    doNotApplyToChildScopes: fc.boolean(),
  })
  const graph = fc.record({
    assignments: fc.array(anyAssignment, { maxLength: 3 }),
    r1: fc.array(permission, { maxLength: 2 }),
    r2: fc.array(permission, { maxLength: 2 }),
    denials: fc.array(anyDenial, { maxLength: 2 }),
  })
  type Graph = {
    readonly assignments: readonly RoleAssignment[]
    readonly denials: readonly DenyAssignment[]
    readonly r1: readonly Permission[]
    readonly r2: readonly Permission[]
  }
  const lacks = ({ r1, r2, ...rest }: Graph): readonly string[] =>
    missingActions(asked({ ...rest, roles: new Map(Object.entries({ r1, r2 })) }))

  test('a denial more never gives a right, an assignment of their own never takes one', () => {
    fc.assert(
      fc.property(graph, anyDenial, anyAssignment, (world, denied, assigned) => {
        const before = new Set(lacks(world))
        const stricter = new Set(lacks({ ...world, denials: [...world.denials, denied] }))
        for (const action of before) expect(stricter).toContain(action)
        // Not so a group's assignment: it may show that the person falls under a denial.
        const own = { ...assigned, principal: person }
        const wider = lacks({ ...world, assignments: [...world.assignments, own] })
        for (const action of wider) expect(before).toContain(action)
      }),
    )
  })

  test('nothing is held without an assignment that grants by itself', () => {
    fc.assert(
      fc.property(graph, (world) => {
        const useless = world.assignments.map((one) => ({ ...one, conditional: true }))
        expect(lacks({ ...world, assignments: useless })).toEqual([write, approval])
      }),
    )
  })
})
