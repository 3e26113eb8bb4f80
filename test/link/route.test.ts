import { expect, test } from '@jest/globals'
import { escalation } from '../../src/link/route.ts'
import { newOwners, otherThread, vaultOwners } from './given.ts'

test.each([
  ["the vault's own comes before the tenant's", otherThread, newOwners, otherThread],
  ["the tenant's where the vault names none", undefined, newOwners, newOwners],
  ['none where none is named', undefined, undefined, undefined],
  ['none where the owners are asked already', undefined, vaultOwners, undefined],
  ['and a vault can do without by naming that', vaultOwners, newOwners, undefined],
])('the second channel: %s', (_what, tagged, fallback, expected) => {
  expect(escalation({ tagged, fallback, owners: vaultOwners })).toEqual(expected)
})
