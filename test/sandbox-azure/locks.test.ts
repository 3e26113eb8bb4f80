import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { assignments, bot, people, roles, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

const keeper = people.guest.objectId
const main = `/subscriptions/${subscriptions.main.id}`
const group = `${main}/resourceGroups/contoso`
let azure: Azure
beforeEach(async () => {
  azure = await startAzure({
    seed: {
      roles: {
        ...roles,
        lockKeeper: { name: 'Lock keeper', actions: ['Microsoft.Authorization/locks/*'], notActions: [] },
      },
      assignments: [
        ...assignments,
        { principalId: keeper, role: 'lockKeeper', scope: main },
        { principalId: bot.objectId, role: 'contributor', scope: vaultPath() },
      ],
    },
  })
})
afterEach(() => azure.close())

const lockPath = (scope: string, name = 'keep') => `${scope}/providers/Microsoft.Authorization/locks/${name}`
const version = '2016-09-01'
const lock = (scope: string, level: string, name?: string, more: Record<string, unknown> = {}) =>
  call(azure, 'PUT', lockPath(scope, name), {
    principal: keeper,
    version,
    body: { properties: { level, ...more } },
  })
const ask = (method: string, path: string, query = '') =>
  call(azure, method, path, { principal: keeper, version, ...(query && { query }) })
const put = (link = 'our') => call(azure, 'PUT', linkPath(link), { body: wish() })
const decide = () =>
  call(azure, 'PUT', azure.connections('contoso-kv')[0]?.id ?? '', {
    body: { properties: { privateLinkServiceConnectionState: { status: 'Approved' } } },
  })

describe('a lock', () => {
  test('is made, read, changed, listed and taken away', async () => {
    const made = await lock(vaultPath(), 'CanNotDelete', 'keep', { notes: 'audit' })
    expect(made).toMatchObject({
      status: 201,
      body: {
        id: lockPath(vaultPath()),
        name: 'keep',
        type: 'Microsoft.Authorization/locks',
        properties: { level: 'CanNotDelete', notes: 'audit' },
      },
    })
    expect((await lock(vaultPath(), 'ReadOnly')).status).toBe(200)
    expect((await ask('GET', lockPath(vaultPath()))).body).toMatchObject({
      properties: { level: 'ReadOnly' },
    })
    await lock(group, 'CanNotDelete', 'group')
    await lock(main, 'CanNotDelete', 'all')
    const names = async (scope: string, query = '') => {
      const { body } = await ask('GET', `${scope}/providers/Microsoft.Authorization/locks`, query)
      return (body as { value: { name: string }[] }).value.map(({ name }) => name).sort()
    }
    expect(await names(main)).toEqual(['all', 'group', 'keep'])
    expect(await names(main, '$filter=atScope()')).toEqual(['all'])
    expect(await names(group, '$filter=atScope()')).toEqual(['all', 'group'])
    expect(await names(vaultPath())).toEqual(['all', 'group', 'keep'])
    expect(await names(signalrPath)).toEqual(['all', 'group'])
    expect(await ask('DELETE', lockPath(vaultPath()))).toMatchObject({ status: 200, body: undefined })
    expect((await ask('DELETE', lockPath(vaultPath()))).status).toBe(204)
    expect((await ask('GET', lockPath(vaultPath()))).status).toBe(404)
  })

  test('is found under the spelling of the Azure CLI', async () => {
    const odd = lockPath(vaultPath())
      .replace('resourceGroups', 'resourcegroups')
      .replace('Microsoft.KeyVault/', 'Microsoft.KeyVault//')
    const body = { properties: { level: 'CanNotDelete' } }
    const made = await call(azure, 'PUT', odd, { principal: keeper, version, body })
    expect(made.status).toBe(201)
    expect((await ask('GET', lockPath(vaultPath()))).status).toBe(200)
  })

  test('is for those with the right to locks, and on what is there', async () => {
    const body = { properties: { level: 'ReadOnly' } }
    const refused = await call(azure, 'PUT', lockPath(vaultPath()), { version, body })
    expect(refused.status).toBe(403)
    expect(JSON.stringify(refused.body)).toContain('Microsoft.Authorization/locks/write')
    const list = await call(azure, 'GET', `${main}/providers/Microsoft.Authorization/locks`, { version })
    expect(JSON.stringify(list.body)).toContain('Microsoft.Authorization/locks/read')
    expect(codeOf(await lock(vaultPath('none'), 'ReadOnly'))).toBe('ResourceNotFound')
    expect(codeOf(await lock(`${main}/resourceGroups/none`, 'ReadOnly'))).toBe('ResourceGroupNotFound')
    expect((await lock(vaultPath(), 'Loose')).status).toBe(400)
    expect((await lock(vaultPath(), 'ReadOnly', 'x', { notes: 'x'.repeat(513) })).status).toBe(400)
    expect((await lock(vaultPath(), 'ReadOnly', 'x'.repeat(261))).status).toBe(400)
  })
})

describe('what a lock forbids', () => {
  test.each([
    ['the SignalR', signalrPath],
    ['its group', group],
    ['the subscription', main],
  ])('CanNotDelete on %s: links are made and not deleted', async (_, scope) => {
    await lock(scope, 'CanNotDelete')
    expect((await put()).status).toBe(201)
    azure.turn(65_000)
    const refused = await call(azure, 'DELETE', linkPath('our'))
    expect(refused).toMatchObject({
      status: 409,
      body: {
        error: {
          code: 'ScopeLocked',
          message: `The scope '${linkPath('our')}' cannot perform delete operation because following scope(s) are locked: '${scope}'. Please remove the lock and try again.`,
        },
      },
    })
    await ask('DELETE', lockPath(scope))
    expect((await call(azure, 'DELETE', linkPath('our'))).status).toBe(202)
  })

  test.each([
    ['the SignalR', signalrPath],
    ['its group', group],
    ['the subscription', main],
  ])('ReadOnly on %s: links are read only', async (_, scope) => {
    await put()
    azure.turn(65_000)
    await lock(scope, 'ReadOnly')
    const refused = await put('another')
    expect([refused.status, codeOf(refused)]).toEqual([409, 'ScopeLocked'])
    expect(JSON.stringify(refused.body)).toContain('cannot perform write operation')
    expect(codeOf(await call(azure, 'DELETE', linkPath('our')))).toBe('ScopeLocked')
    expect((await call(azure, 'GET', linkPath('our'))).status).toBe(200)
    expect(azure.links()).toHaveLength(1)
  })

  test('ReadOnly on the vault: nobody decides there, by ARM or in the portal', async () => {
    await put()
    azure.turn(65_000)
    await lock(vaultPath(), 'ReadOnly')
    expect(codeOf(await decide())).toBe('ScopeLocked')
    expect(() => azure.portal.approve('contoso-kv', 'owner')).toThrow(/are locked/)
    expect(() => azure.portal.removeConnection('contoso-kv')).toThrow(/are locked/)
    expect(azure.connections('contoso-kv')[0]?.status).toBe('Pending')
    await lock(vaultPath(), 'CanNotDelete')
    expect((await decide()).status).toBe(200)
    const connection = azure.connections('contoso-kv')[0]?.id ?? ''
    expect(codeOf(await call(azure, 'DELETE', connection))).toBe('ScopeLocked')
    await ask('DELETE', lockPath(vaultPath()))
    azure.turn(66_000)
    await lock(connection, 'CanNotDelete')
    // One locked resource keeps all that it is in.
    expect(codeOf(await call(azure, 'DELETE', vaultPath()))).toBe('ScopeLocked')
    await ask('DELETE', lockPath(connection))
    expect((await call(azure, 'DELETE', vaultPath())).status).toBe(200)
  })

  test('the most restrictive of several wins, and a lock elsewhere forbids nothing', async () => {
    await lock(group, 'CanNotDelete')
    await lock(signalrPath, 'ReadOnly')
    expect(codeOf(await put())).toBe('ScopeLocked')
    expect(() => azure.portal.createLink('contoso-signalr', 'contoso-kv', 'our', 'x')).toThrow(/are locked/)
    await ask('DELETE', lockPath(signalrPath))
    await lock(`${main}/resourceGroups/solo`, 'ReadOnly')
    expect((await put()).status).toBe(201)
    azure.turn(65_000)
    await lock(linkPath('our'), 'CanNotDelete')
    expect(() => azure.portal.deleteLink('contoso-signalr', 'our')).toThrow(/are locked/)
  })
})
