/** What Teams' roster says of somebody, and whom that makes them. */
import { describe, expect, test } from '@jest/globals'
import { tenantId } from '../../sandbox/seed.ts'
import { whoIs } from '../../src/teams/membership.ts'

const colleague = { tenantId, userRole: 'user', userPrincipalName: 'riley@contoso.example' }
const invited = 'gia_fabrikam.example#EXT#@contoso.example'
const elsewhere = '11111111-0000-4000-8000-000000000011'

describe('who somebody is', () => {
  test.each([
    ['a colleague', {}, 'member'],
    ['in other letters', { userRole: 'User' }, 'member'],
    ['without a role or a tenant', { userRole: undefined, tenantId: undefined }, 'member'],
    ['a guest by role', { userRole: 'guest' }, 'guests'],
    ['a guest by name alone', { userRole: undefined, userPrincipalName: invited }, 'guests'],
    ['a guest, named with their own tenant', { userRole: 'guest', tenantId: elsewhere }, 'guests'],
    ['of another tenant', { tenantId: elsewhere }, 'federated'],
    ['anonymous', { userRole: 'anonymous' }, 'stranger'],
    ['anonymous, of another tenant', { userRole: 'anonymous', tenantId: elsewhere }, 'stranger'],
    ['of a role without a name here', { userRole: 'owner of everything' }, 'stranger'],
  ])('%s', (_what, change, expected) => {
    expect(whoIs({ ...colleague, ...change }, tenantId)).toBe(expected)
  })
})
