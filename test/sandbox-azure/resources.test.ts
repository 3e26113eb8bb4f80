import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { people, signalrs, subscriptions, vaults } from '../../sandbox/seed.ts'
import { call, codeOf, vaultPath } from './clients.ts'

const main = `/subscriptions/${subscriptions.main.id}`
let azure: Azure
beforeAll(async () => {
  const [first, ...others] = vaults
  const tagged = first ? [{ ...first, tags: { team: 'Chat', env: 'test' } }, ...others] : others
  azure = await startAzure({ seed: { vaults: tagged } })
})
afterAll(() => azure.close())

type Listed = { id: string; name: string; type: string; location: string; provisioningState?: string }
const list = async (query: string, path = `${main}/resources`, principal = people.outsider.objectId) =>
  (
    (
      await call(azure, 'GET', path, {
        principal,
        query: query.replaceAll(' ', '%20'),
        version: '2021-04-01',
      })
    ).body as { value: Listed[] }
  ).value
const names = async (filter: string, path?: string) =>
  (await list(`$filter=${filter}`, path)).map(({ name }) => name)

const here = [...vaults, ...signalrs].filter(({ id }) => id.startsWith(`${main}/`))

test('the resources of a subscription are listed, with an empty filter too', async () => {
  expect(await list('')).toHaveLength(here.length)
  expect(await list('$filter=')).toHaveLength(here.length)
  expect((await list('$filter=')).map(({ type }) => type)).toEqual(
    expect.arrayContaining(['Microsoft.KeyVault/vaults', 'Microsoft.SignalRService/SignalR']),
  )
  const inGroup = await list('', `${main}/resourceGroups/solo/resources`)
  expect(inGroup.map(({ name }) => name)).toEqual(['solo-kv'])
})

test.each([
  ["resourceType eq 'microsoft.keyvault/Vaults'", ['contoso-kv', 'contoso-certs', 'solo-kv', 'orphan-kv']],
  [
    "resourceGroup eq 'CONTOSO' and resourceType eq 'Microsoft.KeyVault/vaults'",
    ['contoso-kv', 'contoso-certs'],
  ],
  ["name eq 'solo-kv'", ['solo-kv']],
  [
    "resourceType eq 'Microsoft.KeyVault/vaults' and name ne 'solo-kv'",
    ['contoso-kv', 'contoso-certs', 'orphan-kv'],
  ],
  [
    "resourceType ne 'Microsoft.KeyVault/vaults' and resourceGroup eq 'contoso'",
    ['contoso-signalr', 'contoso-free', 'contoso-global'],
  ],
  ["tagname eq 'team' and tagvalue eq 'chat'", ['contoso-kv']],
  ["tagname eq 'env' and tagvalue eq 'chat'", []],
  ["location eq 'northeurope'", []],
  ["resourceType eq 'Microsoft.Compute/virtualMachines'", []],
])('filtered by %s', async (filter, expected) => {
  expect(await names(filter)).toEqual(expected)
})

test('a filter that is none is refused', async () => {
  for (const filter of ['nonsense', "name eq 'x' or name eq 'y'", 'name eq x', "colour eq 'x'"]) {
    const query = `$filter=${filter}`.replaceAll(' ', '%20')
    const refused = await call(azure, 'GET', `${main}/resources`, {
      principal: people.outsider.objectId,
      query,
    })
    expect([refused.status, codeOf(refused)]).toEqual([400, 'InvalidFilterInQueryString'])
  }
})

test('$expand adds what it names', async () => {
  const [plain] = await list("$filter=name eq 'contoso-kv'")
  expect(plain).toEqual({
    id: vaultPath(),
    name: 'contoso-kv',
    type: 'Microsoft.KeyVault/vaults',
    location: 'westeurope',
    tags: { team: 'Chat', env: 'test' },
  })
  const [expanded] = await list(
    "$filter=name eq 'contoso-kv'&$expand=createdTime,changedTime,provisioningState",
  )
  expect(expanded?.provisioningState).toBe('Succeeded')
})

test('only what may be read, and a refusal where nothing may', async () => {
  const owner = people.owner.objectId
  expect((await list('', undefined, owner)).map(({ name }) => name)).toEqual(['contoso-kv', 'contoso-certs'])
  const guest = await call(azure, 'GET', `${main}/resources`, { principal: people.guest.objectId })
  expect(codeOf(guest)).toBe('AuthorizationFailed')
  const nowhere = await call(azure, 'GET', `${main}/resourceGroups/none/resources`)
  expect(codeOf(nowhere)).toBe('ResourceGroupNotFound')
})
