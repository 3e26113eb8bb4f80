import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people, subscriptions, tenantId } from '../../sandbox/seed.ts'
import { call, clientsFor, codeOf, linkPath, vaultPath, wish } from './clients.ts'

const start = Date.parse('2030-01-01T00:00:00Z')
const day = 24 * 3_600_000
const main = `/subscriptions/${subscriptions.main.id}`
let azure: Azure
beforeEach(async () => {
  azure = await startAzure({ clock: () => start })
  azure.rights.grant(bot.objectId, 'contributor', main)
})
afterEach(() => azure.close())

const deletedPath = (name = 'contoso-kv', location = 'westeurope') =>
  `${main}/providers/Microsoft.KeyVault/locations/${location}/deletedVaults/${name}`
const body = (more: Record<string, unknown> = {}, top: Record<string, unknown> = {}) => ({
  location: 'westeurope',
  properties: { tenantId, sku: { family: 'A', name: 'standard' }, ...more },
  ...top,
})
const get = (path: string) => call(azure, 'GET', path)
const put = (path: string, wished: unknown = body()) => call(azure, 'PUT', path, { body: wished })
const remove = (path = vaultPath()) => call(azure, 'DELETE', path)
const statusOfLink = () => azure.links()[0]?.status

describe('a vault', () => {
  test('is made, its name in DNS a little later, and changed', async () => {
    const path = vaultPath('fresh-kv')
    const made = await put(path, body({ enablePurgeProtection: true }, { tags: { team: 'chat' } }))
    expect(made).toMatchObject({
      status: 200,
      body: {
        id: path,
        location: 'westeurope',
        tags: { team: 'chat' },
        properties: {
          provisioningState: 'RegisteringDns',
          vaultUri: 'https://fresh-kv.vault.azure.net',
          publicNetworkAccess: 'Enabled',
        },
      },
    })
    azure.turn(15_000)
    expect((await get(path)).body).toMatchObject({
      properties: { provisioningState: 'Succeeded', vaultUri: 'https://fresh-kv.vault.azure.net/' },
    })
    const changed = await put(path, body({ publicNetworkAccess: 'Disabled' }, { location: 'West Europe' }))
    expect((changed.body as { tags: unknown }).tags).toEqual({})
    expect(changed.body).toMatchObject({
      properties: {
        provisioningState: 'Succeeded',
        publicNetworkAccess: 'Disabled',
        enablePurgeProtection: true,
      },
    })
    expect((await put(linkPath('our'), wish('x', path))).status).toBe(201)
  })

  test('keeps its connections when it is changed, but not while one is being written', async () => {
    azure.portal.addConnection('contoso-kv', 'a stranger')
    azure.portal.approve('contoso-kv', 'owner')
    expect(codeOf(await put(vaultPath()))).toBe('ConflictError')
    expect(codeOf(await remove())).toBe('ConflictError')
    azure.turn(66_000)
    expect((await put(vaultPath())).status).toBe(200)
    expect(azure.connections('contoso-kv')).toHaveLength(1)
  })

  test.each([
    ['a name that is none', 400, 'VaultNameNotValid', vaultPath('9x'), body()],
    ['a name that is taken', 409, 'VaultAlreadyExists', vaultPath('CONTOSO-KV', 'solo'), body()],
    ['another location', 409, 'InvalidResourceLocation', vaultPath(), body({}, { location: 'eastus' })],
    ['no location', 400, 'LocationRequired', vaultPath('x-kv'), { properties: body().properties }],
    ['no properties', 400, 'BadRequest', vaultPath('x-kv'), { location: 'westeurope' }],
    ['a group that is not there', 404, 'ResourceGroupNotFound', vaultPath('x-kv', 'none'), body()],
    ['nothing to recover', 404, 'DeletedVaultNotFound', vaultPath('x-kv'), body({ createMode: 'recover' })],
  ])('is refused for %s', async (_, status, code, path, wished) => {
    const refused = await put(path, wished)
    expect([refused.status, codeOf(refused)]).toEqual([status, code])
  })

  test('is made and deleted by whoever may', async () => {
    const principal = people.owner.objectId
    const refused = await call(azure, 'PUT', vaultPath('x-kv'), { principal, body: body() })
    expect(JSON.stringify(refused.body)).toContain('Microsoft.KeyVault/vaults/write')
    const kept = await call(azure, 'DELETE', vaultPath(), { principal })
    expect(JSON.stringify(kept.body)).toContain('Microsoft.KeyVault/vaults/delete')
    expect((await get(vaultPath())).status).toBe(200)
  })
})

describe('a deleted vault', () => {
  test('is gone, remembered with its dates, and its name is taken', async () => {
    expect(await remove()).toMatchObject({ status: 200, body: undefined })
    expect(codeOf(await get(vaultPath()))).toBe('ResourceNotFound')
    expect((await remove()).status).toBe(204)
    expect((await get(deletedPath('CONTOSO-KV', 'West%20Europe'))).body).toEqual({
      id: deletedPath(),
      name: 'contoso-kv',
      type: 'Microsoft.KeyVault/deletedVaults',
      properties: {
        vaultId: vaultPath(),
        location: 'westeurope',
        tags: {},
        deletionDate: new Date(start).toISOString(),
        scheduledPurgeDate: new Date(start + 90 * day).toISOString(),
      },
    })
    const taken = await put(vaultPath())
    expect([taken.status, codeOf(taken)]).toEqual([409, 'ConflictError'])
    expect(JSON.stringify(taken.body)).toContain('already exists in deleted state')
    expect(codeOf(await get(deletedPath('contoso-kv', 'eastus')))).toBe('DeletedVaultNotFound')
    const elsewhere = deletedPath().replace(subscriptions.main.id, subscriptions.other.id)
    azure.rights.grant(bot.objectId, 'reader', `/subscriptions/${subscriptions.other.id}`)
    expect(codeOf(await get(elsewhere))).toBe('DeletedVaultNotFound')
  })

  test('comes back when it is recovered, without its connections', async () => {
    await put(vaultPath(), body({ publicNetworkAccess: 'Disabled' }, { tags: { team: 'chat' } }))
    azure.portal.addConnection('contoso-kv', 'a stranger')
    await remove()
    const recovered = await put(vaultPath(), body({ createMode: 'recover' }))
    expect(recovered).toMatchObject({
      status: 200,
      body: { id: vaultPath(), properties: { publicNetworkAccess: 'Disabled' } },
    })
    expect((recovered.body as { tags: unknown }).tags).toEqual({})
    expect(azure.connections('contoso-kv')).toEqual([])
    expect(codeOf(await get(deletedPath()))).toBe('DeletedVaultNotFound')
    expect((await get(vaultPath())).status).toBe(200)
  })

  test('leaves the links that pointed at it disconnected after a while, and takes no new ones', async () => {
    await put(linkPath('our'), wish())
    azure.turn(65_000)
    azure.portal.approve('contoso-kv', 'owner')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Approved')
    await remove()
    expect(codeOf(await get(`${vaultPath()}/privateEndpointConnections`))).toBe('ParentResourceNotFound')
    expect(statusOfLink()).toBe('Approved')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Disconnected')
    expect((await put(linkPath('another'), wish())).status).toBe(400)
    expect(azure.links()).toHaveLength(1)
  })

  test('gets no connection from a link that was on its way', async () => {
    await put(linkPath('our'), wish())
    azure.turn(60_000)
    await remove()
    azure.turn(5_000)
    expect(azure.connections('contoso-kv')).toEqual([])
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Disconnected')
  })

  test('fails a link that is still being made', async () => {
    const made = await put(linkPath('our'), wish())
    await remove()
    azure.turn(60_000)
    const status = await get(new URL(made.headers.get('azure-asyncoperation') ?? '').pathname)
    expect(status.body).toMatchObject({ status: 'Failed', error: { code: 'ResourceNotFound' } })
    expect(azure.links()[0]?.provisioningState).toBe('Failed')
  })

  test('is purged by itself when its days are over', async () => {
    await put(vaultPath(), body({ softDeleteRetentionInDays: 7 }))
    await remove()
    azure.turn(7 * day - 1)
    expect((await get(deletedPath())).status).toBe(200)
    azure.turn(1)
    expect((await get(deletedPath())).status).toBe(404)
    expect((await put(vaultPath())).status).toBe(200)
  })

  test('is purged on demand, which takes a while and has its own address', async () => {
    await remove()
    const purged = await call(azure, 'POST', `${deletedPath()}/purge`)
    expect([purged.status, purged.headers.get('retry-after')]).toEqual([202, '5'])
    const location = new URL(purged.headers.get('location') ?? '')
    const running = await get(location.pathname)
    expect(running).toMatchObject({
      status: 202,
      body: { createdDateTime: '2030-01-01 00:00:00Z', status: 'NotStarted' },
    })
    expect(running.headers.get('location')).toBe(location.href)
    expect(codeOf(await put(vaultPath()))).toBe('ConflictError')
    azure.turn(30_000)
    expect(await get(location.pathname)).toMatchObject({
      status: 200,
      body: { lastActionDateTime: '2030-01-01 00:00:30Z', status: 'Succeeded' },
    })
    expect((await put(vaultPath())).status).toBe(200)
    expect((await get(`${location.pathname}x`)).status).toBe(404)
  })

  test('that is protected cannot be purged', async () => {
    await put(vaultPath(), body({ enablePurgeProtection: true }))
    await remove()
    const refused = await call(azure, 'POST', `${deletedPath()}/purge`)
    expect([refused.status, codeOf(refused)]).toEqual([405, 'MethodNotAllowed'])
    expect((await get(deletedPath())).body).toMatchObject({ properties: { purgeProtectionEnabled: true } })
  })

  test("is found, recovered and purged by Microsoft's own client", async () => {
    const { vaults } = clientsFor(azure).vault
    const wished = {
      location: 'westeurope',
      properties: { tenantId, sku: { family: 'A', name: 'standard' } },
    } as const
    const making = vaults.createOrUpdate('contoso', 'fresh-kv', wished, { updateIntervalInMs: 1 })
    await making.submitted()
    azure.turn(15_000)
    expect((await making).properties?.provisioningState).toBe('Succeeded')
    await vaults.delete('contoso', 'fresh-kv')
    await vaults.delete('contoso', 'contoso-kv')
    const names: (string | undefined)[] = []
    for await (const { name } of vaults.listDeleted()) names.push(name)
    expect(names).toEqual(['fresh-kv', 'contoso-kv'])
    expect((await vaults.getDeleted('contoso-kv', 'westeurope')).properties?.vaultId).toBe(vaultPath())
    const purge = vaults.purgeDeleted('fresh-kv', 'westeurope', { updateIntervalInMs: 1 })
    await purge.submitted()
    azure.turn(30_000)
    await purge
    await expect(vaults.getDeleted('fresh-kv', 'westeurope')).rejects.toMatchObject({
      code: 'DeletedVaultNotFound',
    })
    const recovered = await vaults.createOrUpdate('contoso', 'contoso-kv', {
      ...wished,
      properties: { ...wished.properties, createMode: 'recover' },
    })
    expect(recovered.id).toBe(vaultPath())
  })
})

test('of managed HSMs there are none, which clients may ask', async () => {
  for (const what of ['managedHSMs', 'deletedManagedHSMs'])
    expect(await get(`${main}/providers/Microsoft.KeyVault/${what}`)).toMatchObject({
      status: 200,
      body: { value: [] },
    })
  const inGroup = await get(`${main}/resourceGroups/contoso/providers/Microsoft.KeyVault/managedHSMs`)
  expect(inGroup.body).toEqual({ value: [] })
})
