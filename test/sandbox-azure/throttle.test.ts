import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, vaultPath } from './clients.ts'

const main = `/subscriptions/${subscriptions.main.id}`
let now: number
let azure: Azure
beforeEach(async () => {
  now = Date.parse('2030-01-01T00:00:00Z')
  azure = await startAzure({ clock: () => now })
})
afterEach(() => azure.close())

const prefix = 'x-ms-ratelimit-remaining-'
const left = ({ headers }: { headers: Headers }) =>
  Object.fromEntries(
    [...headers]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), value]),
  )
const get = (path = vaultPath(), principal: string = bot.objectId) => call(azure, 'GET', path, { principal })
const many = async (count: number, one: () => Promise<unknown>) => {
  for (let made = 0; made < count; made += 50)
    await Promise.all(Array.from({ length: Math.min(50, count - made) }, one))
}

test('each kind of call has its bucket, and its headers say what is left', async () => {
  expect(left(await get())).toEqual({ 'subscription-reads': '249', 'subscription-global-reads': '3749' })
  expect(left(await get(vaultPath(), people.owner.objectId))).toEqual({
    'subscription-reads': '249',
    'subscription-global-reads': '3748',
  })
  expect(left(await call(azure, 'DELETE', linkPath('none')))).toEqual({
    'subscription-deletes': '199',
    'subscription-global-deletes': '2999',
  })
  expect(left(await get('/subscriptions'))).toEqual({ 'tenant-reads': '249' })
})

test('an empty bucket refuses with the headers and the wait, and asking meanwhile changes neither', async () => {
  await many(200, () => call(azure, 'DELETE', linkPath('none')))
  for (let asked = 0; asked < 3; asked += 1) {
    const refused = await call(azure, 'DELETE', linkPath('none'))
    expect([refused.status, codeOf(refused)]).toEqual([429, 'SubscriptionRequestsThrottled'])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(left(refused)).toEqual({ 'subscription-deletes': '0', 'subscription-global-deletes': '2800' })
    expect(JSON.stringify(refused.body)).toContain(
      `Number of requests for subscription '${subscriptions.main.id}' and operation 'DELETE/SUBSCRIPTIONS/RESOURCEGROUPS/PROVIDERS/MICROSOFT.SIGNALRSERVICE/SIGNALR/SHAREDPRIVATELINKRESOURCES' exceeded the backend storage limit. Please try again after '1' seconds.`,
    )
  }
  expect((await get()).status).toBe(200)
  now += 1_000
  await many(10, () => call(azure, 'DELETE', linkPath('none')))
  expect((await call(azure, 'DELETE', linkPath('none'))).status).toBe(429)
})

test('all principals together have fifteen times as much', async () => {
  const guests = Array.from(
    { length: 16 },
    (_, index) => `c0000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  )
  for (const guest of guests) azure.rights.grant(guest, 'linkMaker', main)
  const remover = async (guest: string) => {
    const authorization = `Bearer ${await azure.identity.tokenFor(guest)}`
    return () => call(azure, 'DELETE', linkPath('none'), { principal: undefined, headers: { authorization } })
  }
  for (const guest of guests.slice(0, 15)) await many(200, await remover(guest))
  const refused = await (await remover(guests.at(-1) ?? ''))()
  expect(refused.status).toBe(429)
  expect(left(refused)).toEqual({ 'subscription-deletes': '200', 'subscription-global-deletes': '0' })
})

test('Resource Graph says when its window ends', async () => {
  const ask = () =>
    call(azure, 'POST', '/providers/Microsoft.ResourceGraph/resources', {
      version: '2024-04-01',
      body: { query: 'resources | count' },
    })
  await many(15, ask)
  const refused = await ask()
  expect([refused.status, codeOf(refused)]).toEqual([429, 'RateLimiting'])
  expect(refused.body).toMatchObject({ error: { details: [{ code: 'RateLimiting' }] } })
  const { headers } = refused
  expect(headers.get('x-ms-user-quota-remaining')).toBe('0')
  expect([headers.get('x-ms-user-quota-resets-after'), headers.get('retry-after')]).toEqual(['00:00:05', '5'])
})
