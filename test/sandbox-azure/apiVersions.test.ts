import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, subscriptions, vaults } from '../../sandbox/seed.ts'
import { call, linkPath, signalrPath, vaultPath } from './clients.ts'

const main = `/subscriptions/${subscriptions.main.id}`
let azure: Azure
beforeAll(async () => {
  azure = await startAzure({ throttle: false })
  azure.rights.grant(bot.objectId, 'contributor', main)
  azure.rights.grant(bot.objectId, 'contributor', `/subscriptions/${subscriptions.other.id}`)
})
afterAll(() => azure.close())

const get = (path: string, version: string) => call(azure, 'GET', path, { version })
const errorOf = async (path: string, version: string, method = 'GET') => {
  const { status, body } = await call(azure, method, path, { version })
  return { status, ...(body as { error: { code: string; message: string } }).error }
}

/** Both lists since the version that the documentation of shared private endpoints uses. */
const signalrVersions =
  `2021-06-01-preview 2021-09-01-preview 2021-10-01 2022-02-01 2022-08-01-preview 2023-02-01
  2023-03-01-preview 2023-06-01-preview 2023-08-01-preview 2024-01-01-preview 2024-03-01 2024-04-01-preview
  2024-08-01-preview 2024-10-01-preview 2025-01-01-preview`.split(/\s+/)
const vaultVersions =
  `2021-06-01-preview 2021-10-01 2021-11-01-preview 2022-02-01-preview 2022-07-01 2022-11-01
  2023-02-01 2023-07-01 2024-04-01-preview 2024-11-01 2024-12-01-preview 2025-05-01 2026-02-01
  2026-03-01-preview 2026-04-01-preview`.split(/\s+/)

describe('api-versions', () => {
  test.each(signalrVersions)('SignalR takes %s', async (version) => {
    expect((await get(signalrPath, version)).status).toBe(200)
    expect((await get(`${signalrPath}/sharedPrivateLinkResources`, version)).body).toEqual({ value: [] })
    expect((await get(signalrPath, version.toUpperCase())).status).toBe(200)
  })

  test.each(vaultVersions)('Key Vault takes %s', async (version) => {
    expect((await get(vaultPath(), version)).status).toBe(200)
    expect((await get(`${vaultPath()}/privateEndpointConnections`, version)).body).toEqual({ value: [] })
    expect((await get(`${main}/providers/Microsoft.KeyVault/deletedVaults`, version)).status).toBe(200)
  })

  test.each([
    ['/subscriptions', '2016-06-01'],
    ['/subscriptions', '2019-11-01'],
    [`${main}/resourceGroups`, '2021-04-01'],
    [`${main}/resources`, '2015-11-01'],
    [`${main}/providers`, '2019-10-01'],
    [`${main}/providers/Microsoft.Authorization/locks`, '2016-09-01'],
  ])('%s takes %s, which the Azure CLI sends', async (path, version) => {
    azure.rights.grant(bot.objectId, 'owner', main)
    expect((await get(path, version)).status).toBe(200)
  })

  test('of a resource: none of that version where it is, and those that there are', async () => {
    const far = vaults.find(({ id }) => id.includes(subscriptions.other.id))?.id ?? ''
    const refused = await errorOf(far, '1999-01-01')
    expect(refused).toMatchObject({ status: 400, code: 'NoRegisteredProviderFound' })
    expect(refused.message).toMatch(
      /^No registered resource provider found for location 'northeurope' and API version '1999-01-01' for type 'vaults'\. The supported api-versions are '2014-12-19-preview, 2015-06-01, .*, 2026-04-01-preview'\. The supported locations are 'westeurope, northeurope, westus, eastus'\.$/,
    )
    const child = await errorOf(linkPath('our'), '2020-05-01', 'DELETE')
    expect(child.code).toBe('NoRegisteredProviderFound')
    expect(child.message).toContain("for type 'SignalR/sharedPrivateLinkResources'")
    // Older than the first version with links, which is not too old for the SignalR itself.
    expect((await get(signalrPath, '2020-05-01')).status).toBe(200)
    const elsewhere = `${main}/providers/Microsoft.KeyVault/locations/eastus/deletedVaults/x`
    expect((await errorOf(elsewhere, '2015-06-01')).message).toContain("for location 'eastus'")
  })

  test('of what has no location: no such type', async () => {
    expect(await errorOf(`${main}/providers/Microsoft.KeyVault/deletedVaults`, '2015-06-01')).toMatchObject({
      status: 404,
      code: 'InvalidResourceType',
      message: expect.stringMatching(
        /^The resource type 'deletedVaults' could not be found in the namespace 'Microsoft\.KeyVault' for api version '2015-06-01'\. The supported api-versions are '2016-10-01,2018-02-14-preview,[^ ]*'\.$/,
      ),
    })
    expect(await errorOf(`${main}/providers/Microsoft.Authorization/locks`, '1999-01-01')).toMatchObject({
      status: 404,
      code: 'InvalidResourceType',
      message: expect.stringContaining("'2015-01-01,2016-09-01,2017-04-01,2020-05-01'"),
    })
  })

  test("of ARM's own: the newest first", async () => {
    const refused = await errorOf(`${main}/resources`, '1999-01-01')
    expect(refused).toMatchObject({ status: 400, code: 'InvalidApiVersionParameter' })
    expect(refused.message).toMatch(
      /^The api-version '1999-01-01' is invalid\. The supported versions are '2026-06-01,2025-04-01,[^ ]*,2014-04'\.$/,
    )
  })

  test('replicas came later than links', async () => {
    expect((await get(`${signalrPath}/replicas`, '2023-03-01-preview')).status).toBe(200)
    expect((await get(`${signalrPath}/replicas`, '2023-02-01')).status).toBe(400)
  })
})
