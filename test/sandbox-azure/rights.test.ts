import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { routes } from '../../sandbox/azure/gateway.ts'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { people, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

const main = `/subscriptions/${subscriptions.main.id}`
const guest = people.guest.objectId
let azure: Azure
beforeEach(async () => {
  azure = await startAzure({ throttle: false })
})
afterEach(() => azure.close())

const pathOf = (path: string): string =>
  path
    .replace('{+scope}', main)
    .replace('{subscription}', subscriptions.main.id)
    .replace('{group}', 'contoso')
    .replace('{namespace}', 'Microsoft.KeyVault')
    .replaceAll(/\{\w+\}/g, 'something')

const ask = (method: string, path: string, version?: string) =>
  call(azure, method, path, {
    principal: guest,
    ...(version !== undefined && { version }),
    ...(method !== 'GET' && method !== 'DELETE' && { body: { query: 'resources' } }),
  })

/** Answers everybody in the tenant: what is no resource, and lists of what the caller may read, which is nothing. */
const open = [
  'GET /tenants',
  'GET /subscriptions',
  'GET /providers',
  'GET /providers/{namespace}',
  'POST /providers/Microsoft.ResourceGraph/resources',
]
const closed = routes.filter(({ method, path }) => !open.includes(`${method} ${path}`))

describe('the role graph is asked by every route', () => {
  test('whoever holds nothing is refused, or finds nothing', async () => {
    expect(closed.length).toBe(routes.length - open.length)
    for (const { method, path, versions } of closed) {
      const answer = await ask(method, pathOf(path), versions[0])
      const heard = [method, path, answer.status, codeOf(answer)]
      expect(heard).toEqual([method, path, 403, 'AuthorizationFailed'])
    }
    expect((await ask('GET', '/subscriptions')).body).toEqual({ value: [] })
    const query = await ask('POST', '/providers/Microsoft.ResourceGraph/resources', '2024-04-01')
    expect(query.body).toMatchObject({ data: [], totalRecords: 0 })
  })

  test('whoever may only read changes nothing', async () => {
    azure.rights.grant(guest, 'reader', '/')
    for (const { method, path, versions } of closed) {
      if (method === 'GET') continue
      const answer = await ask(method, pathOf(path), versions[0])
      const heard = [method, path, answer.status, codeOf(answer)]
      expect(heard).toEqual([method, path, 403, 'AuthorizationFailed'])
    }
  })
})

test('a right on a resource is none on what is above it or beside it', async () => {
  azure.rights.grant(guest, 'owner', vaultPath('solo-kv', 'solo'))
  azure.rights.grant(guest, 'owner', linkPath('our'))
  const group = `${main}/resourceGroups/solo`
  const statuses = async (paths: readonly string[]) =>
    Promise.all(paths.map(async (path) => (await ask('GET', path)).status))
  expect(await statuses([vaultPath('solo-kv', 'solo'), `${main}/resourceGroups/solo/resources`])).toEqual([
    200, 200,
  ])
  expect(await statuses([group, `${group}x`, vaultPath(), signalrPath, linkPath('other')])).toEqual([
    403, 403, 403, 403, 403,
  ])
})

test('resource groups are listed to those who may read them, each by each', async () => {
  azure.rights.grant(guest, 'reader', `${main}/resourceGroups/solo`)
  expect((await ask('GET', `${main}/resourceGroups`)).body).toMatchObject({ value: [{ name: 'solo' }] })
})

test('a decision takes the right to write the connection and the right to approve, both', async () => {
  await call(azure, 'PUT', linkPath('our'), { body: wish() })
  azure.turn(65_000)
  const path = azure.connections('contoso-kv')[0]?.id ?? ''
  const decide = () =>
    call(azure, 'PUT', path, {
      principal: people.owner.objectId,
      body: { properties: { privateLinkServiceConnectionState: { status: 'Approved' } } },
    })
  azure.rights.deny(
    people.owner.objectId,
    'Microsoft.KeyVault/vaults/privateEndpointConnections/write',
    vaultPath(),
  )
  const refused = await decide()
  expect(refused.status).toBe(403)
  expect(JSON.stringify(refused.body)).toContain(
    "'Microsoft.KeyVault/vaults/privateEndpointConnections/write'",
  )
})
