import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

let azure: Azure
beforeEach(async () => {
  azure = await startAzure({ clock: () => Date.parse('2030-01-01T00:00:00Z') })
  azure.rights.grant(bot.objectId, 'contributor', `/subscriptions/${subscriptions.main.id}`)
})
afterEach(() => azure.close())

const put = (name: string) => call(azure, 'PUT', linkPath(name), { body: wish() })
const remove = (name: string) => call(azure, 'DELETE', linkPath(name))
const pathOf = (index: number): string => azure.connections('contoso-kv')[index]?.id ?? ''
const decision = (status: string, etag?: string) => ({
  ...(etag !== undefined && { etag }),
  properties: { privateLinkServiceConnectionState: { status, description: 'x' } },
})
const decide = (path: string, status = 'Approved', headers: Record<string, string> = {}) =>
  call(azure, 'PUT', path, { body: decision(status), headers })
const conflict = {
  status: 409,
  body: { error: { code: 'Conflict', message: 'The resource is not in succeeded state' } },
}

describe('one write at a time for a SignalR and its links', () => {
  test('while a link is being made', async () => {
    expect((await put('our')).status).toBe(201)
    for (const answer of [await put('our'), await put('other'), await remove('our')])
      expect(answer).toMatchObject(conflict)
    azure.turn(60_000)
    expect((await put('other')).status).toBe(201)
  })

  test('while a link is being deleted', async () => {
    await put('our')
    azure.turn(65_000)
    expect((await remove('our')).status).toBe(202)
    for (const answer of [await put('our'), await put('other'), await remove('our')])
      expect(answer).toMatchObject(conflict)
    azure.turn(30_000)
    expect((await remove('our')).status).toBe(204)
    expect((await put('our')).status).toBe(201)
  })

  test('while the SignalR itself is being updated, and the other way round', async () => {
    const update = () => call(azure, 'PATCH', signalrPath, { body: { tags: { team: 'chat' } } })
    expect((await update()).status).toBeLessThan(300)
    expect(await put('our')).toMatchObject(conflict)
    azure.turn(61_000)
    expect((await put('our')).status).toBe(201)
    expect(await update()).toMatchObject(conflict)
  })

  test('but several SignalRs are written side by side', async () => {
    await put('our')
    const other = linkPath('our', signalrPath.replace('contoso-signalr', 'contoso-global'))
    expect((await call(azure, 'PUT', other, { body: wish() })).status).toBe(201)
  })
})

describe('one write at a time for a vault and its connections', () => {
  beforeEach(() => {
    azure.portal.addConnection('contoso-kv', 'one')
    azure.portal.addConnection('contoso-kv', 'two')
  })

  test('while a connection is being decided or removed', async () => {
    expect((await decide(pathOf(0))).status).toBe(200)
    expect(codeOf(await decide(pathOf(1)))).toBe('ConflictError')
    expect(codeOf(await call(azure, 'DELETE', pathOf(1)))).toBe('ConflictError')
    // Only others stand in the way of removing it.
    expect((await call(azure, 'DELETE', pathOf(0))).status).toBe(202)
    expect((await call(azure, 'DELETE', pathOf(0))).status).toBe(202)
    const refused = await decide(pathOf(1))
    expect(refused.status).toBe(409)
    expect(JSON.stringify(refused.body)).toContain(
      "the Key Vault 'contoso-kv' changed from the point the operation began",
    )
    azure.turn(30_000)
    expect((await decide(pathOf(0))).status).toBe(200)
  })

  test('and none upon an etag that is no longer', async () => {
    await decide(pathOf(0), 'Rejected')
    const early = azure.connections('contoso-kv')[0]?.etag ?? ''
    azure.turn(66_000)
    const now = azure.connections('contoso-kv')[0]?.etag ?? ''
    expect(now).not.toBe(early)
    const stale = await call(azure, 'PUT', pathOf(0), { body: decision('Approved', early) })
    expect(codeOf(stale)).toBe('ConflictError')
    const refused = await decide(pathOf(0), 'Approved', { 'if-match': `"${early}"` })
    expect([refused.status, codeOf(refused)]).toEqual([412, 'PreconditionFailed'])
    const removed = await call(azure, 'DELETE', pathOf(0), { headers: { 'if-match': early } })
    expect(removed.status).toBe(412)
    expect((await decide(pathOf(0), 'Approved', { 'if-none-match': '*' })).status).toBe(412)
    expect(azure.connections('contoso-kv')[0]?.status).toBe('Rejected')
    expect((await decide(pathOf(0), 'Approved', { 'if-match': `"${early}", "${now}"` })).status).toBe(200)
  })

  test('If-Match: * takes any, and a connection that was never edited matches no etag', async () => {
    expect((await decide(pathOf(0), 'Approved', { 'if-match': 'x' })).status).toBe(412)
    expect((await decide(pathOf(0), 'Approved', { 'if-match': '*' })).status).toBe(200)
  })
})

describe.each(['Failed', 'Canceled'] as const)('deletionOutcome %s', (deletionOutcome) => {
  test('the link stays, says so, and can be deleted again', async () => {
    await put('our')
    azure.turn(65_000)
    azure.configure({ deletionOutcome })
    const begun = await remove('our')
    azure.turn(30_000)
    const operation = new URL(begun.headers.get('azure-asyncoperation') ?? '').pathname
    expect((await call(azure, 'GET', operation)).body).toMatchObject({
      status: deletionOutcome,
      error: { code: expect.any(String), message: expect.any(String) },
    })
    expect(azure.links()[0]?.provisioningState).toBe(deletionOutcome)
    expect(azure.connections('contoso-kv')).toHaveLength(1)
    azure.configure({ deletionOutcome: 'Succeeded' })
    expect((await remove('our')).status).toBe(202)
    azure.turn(30_000)
    expect(azure.links()).toEqual([])
  })

  test('so does a SignalR whose deletion takes a while', async () => {
    azure.configure({ deletionOutcome, deletedInstance: 'later' })
    expect((await call(azure, 'DELETE', signalrPath)).status).toBe(202)
    azure.turn(30_000)
    expect((await call(azure, 'GET', signalrPath)).body).toMatchObject({
      properties: { provisioningState: deletionOutcome },
    })
  })
})

test('the name of a SignalR is taken by any other of that name', async () => {
  const elsewhere = signalrPath.replace('/contoso/', '/solo/')
  const body = { location: 'westeurope', sku: { name: 'Standard_S1' } }
  const refused = await call(azure, 'PUT', elsewhere, { body })
  expect([refused.status, codeOf(refused)]).toEqual([400, 'BadArgument'])
  expect(JSON.stringify(refused.body)).toContain('Leaf domain contoso-signalr is already in use.')
  expect((await call(azure, 'PUT', `${elsewhere}-2`, { body })).status).toBeLessThan(300)
})

test('what ARM itself refuses names the gateway, and not what the buckets still hold', async () => {
  const cause = (answer: { headers: Headers }) => [
    answer.headers.get('x-ms-failure-cause'),
    answer.headers.get('x-ms-ratelimit-remaining-subscription-reads') !== null,
  ]
  const get = (path: string, options = {}) => call(azure, 'GET', path, options)
  expect(cause(await get(vaultPath('none')))).toEqual(['gateway', false])
  expect(cause(await get(vaultPath(), { principal: undefined }))).toEqual(['gateway', false])
  expect(cause(await get(vaultPath(), { principal: people.guest.objectId }))).toEqual(['gateway', false])
  expect(cause(await get(vaultPath(), { version: '1999-01-01' }))).toEqual(['gateway', false])
  expect(cause(await get(vaultPath()))).toEqual([null, true])
  expect(cause(await put('9'))).toEqual([null, false])
})
