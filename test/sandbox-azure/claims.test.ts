import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'

const folder = new URL('../../sandbox/azure/', import.meta.url)
const document = readFileSync(new URL('../../docs/sandbox.md', import.meta.url), 'utf8')

/** Written as codes are, and none: types, states and roles of the specification, and what the sandbox says of itself. */
const others = [
  'BuiltInRole',
  'CanNotDelete',
  'CustomRole',
  'ErrorResponse',
  'NoSuchRoute',
  'NotRegistered',
  'NotStarted',
  'ReadOnly',
  'RegistrationFree',
  'RegistrationRequired',
  'RegisteringDns',
  'RoleBased',
  'SandboxFault',
  'ServiceMode',
  'ServicePrincipal',
  'SignalR',
  'SubscriptionValidation',
  'SystemDefined',
  'VaultlinkSandbox',
  'WebPubSub',
]

test('every error code that the local Azure answers has a line, and so a mark, in docs/sandbox.md', () => {
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'))
  const words = sources.flatMap((name) =>
    [...readFileSync(new URL(name, folder), 'utf8').matchAll(/'([A-Z][a-z]+(?:[A-Z][a-z]+)+)'/g)].map(
      ([, word = '']) => word,
    ),
  )
  const codes = [...new Set(words)].filter((word) => !others.includes(word))
  expect(codes.length).toBeGreaterThan(40)
  expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(document))).toEqual([])
})
