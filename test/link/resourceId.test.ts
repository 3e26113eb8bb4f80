import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  isSignalrId,
  isVaultId,
  isWithin,
  parseResourceId,
  resourceKey,
  resourceName,
  sameResource,
} from '../../src/link/resourceId.ts'
import { connectionId, home, signalr, vault } from './given.ts'

const group = `/subscriptions/${home}/resourceGroups/contoso`

describe('parsing', () => {
  test.each([
    [vault, ['vaults', 'contoso-kv']],
    [connectionId('c'), ['vaults', 'contoso-kv', 'privateEndpointConnections', 'c']],
    [`${vault}/`, ['vaults', 'contoso-kv']],
    [`/${vault}`, ['vaults', 'contoso-kv']],
    [vault.toLowerCase(), ['vaults', 'contoso-kv']],
    [vault.replace('Microsoft.KeyVault', 'Microsoft.Keyvault'), ['vaults', 'contoso-kv']],
    [vault.replace('resourceGroups', 'resourcegroups'), ['vaults', 'contoso-kv']],
  ])('%s', (id, path) => {
    expect(parseResourceId(id)).toMatchObject({ subscription: home, resourceGroup: 'contoso', path })
  })

  test.each([
    '',
    '/',
    'contoso-kv',
    group,
    `${group}/providers/Microsoft.KeyVault`,
    `${group}/providers/Microsoft.KeyVault/vaults`,
    `${vault}/privateEndpointConnections`,
    `${vault}//privateEndpointConnections/c`,
    vault.slice(1),
    `https://management.azure.com${vault}`,
    `/subscriptions//resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/contoso-kv`,
  ])('%j is no id of a resource', (id) => {
    expect(parseResourceId(id)).toBeUndefined()
  })

  test('whatever is written, it answers, and soon', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseResourceId(text)
        expect(sameResource(text, text)).toBe(true)
      }),
    )
    expect(parseResourceId(`${vault}${'/'.repeat(20_000)}x`)).toBeUndefined()
  })
})

describe('the same resource', () => {
  const cased = (id: string): fc.Arbitrary<string> =>
    fc
      .array(fc.boolean(), { minLength: id.length, maxLength: id.length })
      .map((upper) =>
        [...id].map((letter, index) => (upper[index] ? letter.toUpperCase() : letter.toLowerCase())).join(''),
      )

  test('in whatever letters', () => {
    fc.assert(
      fc.property(cased(vault), cased(vault), (a, b) => {
        expect(sameResource(a, b)).toBe(true)
        expect(resourceKey(a)).toBe(resourceKey(b))
      }),
    )
    expect(sameResource(vault, `/${vault}/`)).toBe(true)
  })

  test.each([
    [vault, `${vault}2`],
    [vault, connectionId('c')],
    [vault, vault.replace('contoso/', 'contoso2/')],
    [vault, vault.replace(home, '11111111-1111-1111-1111-111111111111')],
    [vault, signalr],
    [vault, ''],
  ])('%s is not %s', (a, b) => {
    expect(sameResource(a, b)).toBe(false)
  })
})

describe('scopes', () => {
  test.each([
    [vault, vault, true],
    [group, vault, true],
    [`/subscriptions/${home}`, vault, true],
    [`/subscriptions/${home}/`, vault.toUpperCase(), true],
    ['/', vault, true],
    ['', vault, true],
    [`//subscriptions/${home}`, vault, true],
    [connectionId('c'), vault, false],
    [`${group}/providers/Microsoft.KeyVault/vaults/contoso`, vault, false],
    [`/subscriptions/${home}/resourceGroups/cont`, vault, false],
    ['/subscriptions/11111111-1111-1111-1111-111111111111', vault, false],
  ])('%s holds %s: %s', (scope, id, expected) => {
    expect(isWithin(scope, id)).toBe(expected)
  })
})

test.each(['.', '..'])('a segment %s leads elsewhere in an address, so it is in no id', (segment) => {
  expect(isVaultId(vault.replace('contoso-kv', segment))).toBe(false)
  expect(isVaultId(vault.replace(/(?<=resourceGroups\/)[^/]+/i, segment))).toBe(false)
  expect(isVaultId(vault.replace('contoso-kv', `${segment}x`))).toBe(true)
})

test('the kinds of resources, and their names', () => {
  expect([
    isVaultId(vault),
    isVaultId(vault.toUpperCase()),
    isVaultId(signalr),
    isVaultId(connectionId('c')),
    isVaultId(''),
  ]).toEqual([true, true, false, false, false])
  expect([isSignalrId(signalr), isSignalrId(signalr.toLowerCase()), isSignalrId(vault)]).toEqual([
    true,
    true,
    false,
  ])
  expect(resourceName(vault)).toBe('contoso-kv')
  expect(resourceName('contoso-kv')).toBe('contoso-kv')
})
