import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { people, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf } from './clients.ts'

let azure: Azure
beforeEach(async () => {
  azure = await startAzure({ clock: () => Date.parse('2030-01-01T00:00:00Z') })
})
afterEach(() => azure.close())

const main = `/subscriptions/${subscriptions.main.id}`
const reader = people.outsider.objectId

type Provider = {
  id: string
  namespace: string
  registrationState?: string
  resourceTypes: { resourceType: string; apiVersions: string[] }[]
}
const read = async (path: string): Promise<Provider> =>
  (await call(azure, 'GET', path, { principal: reader })).body as Provider
const typesOf = (provider: Provider): string[] =>
  provider.resourceTypes.map(({ resourceType }) => resourceType)

describe('resource providers', () => {
  test('tell each type that is served, in their own spelling, versions newest first', async () => {
    const vaults = await read(`${main}/providers/microsoft.keyvault`)
    expect(vaults).toMatchObject({
      id: `${main}/providers/Microsoft.KeyVault`,
      namespace: 'Microsoft.KeyVault',
      registrationState: 'Registered',
      registrationPolicy: 'RegistrationRequired',
    })
    expect(typesOf(vaults)).toEqual(expect.arrayContaining(['vaults', 'vaults/privateEndpointConnections']))
    const versions = vaults.resourceTypes.find(({ resourceType }) => resourceType === 'vaults')?.apiVersions
    expect(versions).toContain('2021-06-01-preview')
    expect(versions?.map((version) => version.slice(0, 10))).toEqual(
      versions
        ?.map((version) => version.slice(0, 10))
        .sort()
        .reverse(),
    )
    // The first that is no preview is what the CLI goes on with.
    const stable = versions?.find((version) => !version.includes('preview')) ?? ''
    const vault = `${main}/resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/contoso-kv`
    expect((await call(azure, 'GET', vault, { version: stable })).status).toBe(200)

    const signalr = await read(`${main}/providers/Microsoft.SignalRService`)
    expect(typesOf(signalr)).toEqual(
      expect.arrayContaining([
        'SignalR',
        'SignalR/sharedPrivateLinkResources',
        'SignalR/replicas',
        'SignalR/operationStatuses',
        'locations/operationStatuses',
      ]),
    )
    expect(typesOf(await read(`${main}/providers/Microsoft.Resources`))).toEqual(
      expect.arrayContaining(['subscriptions', 'subscriptions/resourceGroups', 'subscriptions/providers']),
    )
  })

  test('are listed, in a subscription and without one', async () => {
    const all = await call(azure, 'GET', `${main}/providers`, { principal: reader })
    const namespaces = (all.body as { value: Provider[] }).value.map(({ namespace }) => namespace)
    expect(namespaces.sort()).toEqual([
      'Microsoft.Authorization',
      'Microsoft.KeyVault',
      'Microsoft.ResourceGraph',
      'Microsoft.Resources',
      'Microsoft.SignalRService',
    ])
    const tenant = await call(azure, 'GET', '/providers/Microsoft.KeyVault', {
      principal: people.guest.objectId,
    })
    expect(tenant.body).toMatchObject({ id: '/providers/Microsoft.KeyVault' })
    expect(tenant.body).not.toHaveProperty('registrationState')
    expect((await call(azure, 'GET', '/providers')).body).toMatchObject({ value: expect.any(Array) })
  })

  test('are refused to whoever may not read them, and where there is none of that name', async () => {
    const asGuest = await call(azure, 'GET', `${main}/providers`, { principal: people.guest.objectId })
    expect(codeOf(asGuest)).toBe('AuthorizationFailed')
    const none = await call(azure, 'GET', `${main}/providers/Microsoft.Nothing`, { principal: reader })
    expect([none.status, codeOf(none)]).toEqual([404, 'InvalidResourceNamespace'])
  })

  test('are registered and unregistered by whoever may, after a while', async () => {
    const path = `${main}/providers/Microsoft.KeyVault`
    const post = (verb: string, principal: string) => call(azure, 'POST', `${path}/${verb}`, { principal })
    const refused = await post('unregister', reader)
    expect(refused.status).toBe(403)
    expect(JSON.stringify(refused.body)).toContain('Microsoft.KeyVault/unregister/action')
    azure.rights.grant(people.guest.objectId, 'contributor', main)
    const guest = people.guest.objectId
    const state = async () => (await read(path)).registrationState
    expect((await post('unregister', guest)).body).toMatchObject({ registrationState: 'Unregistering' })
    azure.turn(29_999)
    expect(await state()).toBe('Unregistering')
    azure.turn(1)
    expect(await state()).toBe('NotRegistered')
    const other = await read(`/subscriptions/${subscriptions.main.id}/providers/Microsoft.SignalRService`)
    expect(other.registrationState).toBe('Registered')
    expect((await post('register', guest)).body).toMatchObject({ registrationState: 'Registering' })
    azure.turn(20_000)
    await post('register', guest)
    azure.turn(10_000)
    expect(await state()).toBe('Registered')
    expect((await post('register', guest)).body).toMatchObject({ registrationState: 'Registered' })
  })
})
