import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people, signalrs, subscriptions, vaults } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

let azure: Azure
beforeEach(async () => {
  azure = await startAzure({ clock: () => Date.parse('2030-01-01T00:00:00Z') })
})
afterEach(() => azure.close())

const main = `/subscriptions/${subscriptions.main.id}`
const set = (namespace: string, registered: boolean, subscription: string = subscriptions.main.id) =>
  call(azure, 'POST', '/_sandbox/registration', { body: { subscription, namespace, registered } })
const approved = { body: { properties: { privateLinkServiceConnectionState: { status: 'Approved' } } } }
const connection = () => azure.connections('contoso-kv')[0]

test('a subscription without the provider is refused every write to it, and no read', async () => {
  await set('microsoft.signalrservice', false)
  const refused = await call(azure, 'PUT', linkPath('our'), { body: wish() })
  const message =
    "The subscription is not registered to use namespace 'Microsoft.SignalRService'. See https://aka.ms/rps-not-found for how to register subscriptions."
  const code = 'MissingSubscriptionRegistration'
  expect(refused).toMatchObject({
    status: 409,
    body: { error: { code, message, details: [{ code, message, target: 'Microsoft.SignalRService' }] } },
  })
  expect(codeOf(await call(azure, 'DELETE', linkPath('our')))).toBe(code)
  expect((await call(azure, 'GET', signalrPath)).status).toBe(200)
  expect(azure.links()).toEqual([])
  const other = signalrs.find(({ id }) => id.includes(subscriptions.other.id))?.id ?? ''
  expect((await call(azure, 'PUT', linkPath('our', other), { body: wish() })).status).toBe(201)
})

test('whoever may not write hears that first, and registering lets writes through at once', async () => {
  await set('Microsoft.SignalRService', false)
  const outsider = people.outsider.objectId
  const refused = await call(azure, 'PUT', linkPath('our'), { principal: outsider, body: wish() })
  expect(codeOf(refused)).toBe('AuthorizationFailed')
  azure.rights.grant(bot.objectId, 'contributor', main)
  const registered = await call(azure, 'POST', `${main}/providers/Microsoft.SignalRService/register`)
  expect(registered.body).toMatchObject({ registrationState: 'Registering' })
  expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(201)
})

test('no approval of a connection whose private endpoint is where Key Vault is not registered', async () => {
  await call(azure, 'PUT', linkPath('our'), { body: wish() })
  azure.turn(65_000)
  const endpoint = connection()?.privateEndpointId ?? ''
  const theirs = endpoint.split('/')[2] ?? ''
  await set('Microsoft.KeyVault', false, theirs)
  const refused = await call(azure, 'PUT', connection()?.id ?? '', approved)
  expect(refused).toMatchObject({
    status: 403,
    body: {
      error: {
        code: 'AuthorizationFailed',
        message: `Microsoft.KeyVault provider must be registered on subscription containing private endpoint: ${endpoint}`,
      },
    },
  })
  expect(() => azure.portal.approve('contoso-kv', 'owner')).toThrow(/must be registered/)
  expect(connection()?.status).toBe('Pending')
  azure.portal.reject('contoso-kv', 'owner')
  azure.turn(66_000)
  await set('Microsoft.KeyVault', true, theirs)
  expect((await call(azure, 'PUT', connection()?.id ?? '', approved)).status).toBe(200)
})

test('unregisteredKeyVault: the link itself is refused, where the SignalR is', async () => {
  const far = vaults.find(({ id }) => id.includes(subscriptions.other.id))?.id ?? ''
  await set('Microsoft.KeyVault', false)
  expect((await call(azure, 'PUT', linkPath('early'), { body: wish('x', far) })).status).toBe(201)
  azure.turn(65_000)
  azure.configure({ unregisteredKeyVault: 'refusesLink' })
  const refused = await call(azure, 'PUT', linkPath('our'), { body: wish('x', far) })
  expect([refused.status, codeOf(refused)]).toEqual([403, 'AuthorizationFailed'])
  expect(azure.links()).toHaveLength(1)
  azure.rights.grant(bot.objectId, 'contributor', vaultPath())
  expect(codeOf(await call(azure, 'DELETE', `${vaultPath()}/privateEndpointConnections/x`))).toBe(
    'MissingSubscriptionRegistration',
  )
})
