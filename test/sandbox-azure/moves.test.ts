import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { assignments, bot, people, roles, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

const main = `/subscriptions/${subscriptions.main.id}`
const groupPath = (name: string, subscription = main) => `${subscription}/resourceGroups/${name}`
const labs = groupPath('labs', `/subscriptions/${subscriptions.other.id}`)
let azure: Azure
beforeEach(async () => {
  azure = await startAzure({
    clock: () => Date.parse('2030-01-01T00:00:00Z'),
    seed: { roles, assignments: [...assignments, { principalId: bot.objectId, role: 'owner', scope: main }] },
  })
})
afterEach(() => azure.close())

const move = (resources: unknown[], to = groupPath('solo'), verb = 'moveResources', from = 'contoso') =>
  call(azure, 'POST', `${groupPath(from)}/${verb}`, { body: { resources, targetResourceGroup: to } })
const get = (path: string, options: Parameters<typeof call>[3] = {}) => call(azure, 'GET', path, options)
const decide = (path: string, status = 'Approved') =>
  call(azure, 'PUT', path, { body: { properties: { privateLinkServiceConnectionState: { status } } } })
const connection = () => azure.connections('contoso-kv')[0]
const moved = (id: string, group = 'solo') => id.replace('/contoso/', `/${group}/`)
async function linked(): Promise<void> {
  await call(azure, 'PUT', linkPath('our'), { body: wish() })
  azure.turn(65_000)
}

describe('a move to another group', () => {
  test('takes a while, then the resource and its children have new ids and the old ones name nothing', async () => {
    await linked()
    const before = connection()?.id ?? ''
    const begun = await move([signalrPath, vaultPath()])
    expect(begun.status).toBe(202)
    const operation = new URL(begun.headers.get('location') ?? '').pathname
    expect((await get(operation)).status).toBe(202)
    expect((await get(vaultPath())).status).toBe(200)
    azure.turn(60_000)
    expect(await get(operation)).toMatchObject({ status: 204, body: undefined })

    for (const old of [signalrPath, vaultPath()]) expect(codeOf(await get(old))).toBe('ResourceNotFound')
    expect(codeOf(await get(linkPath('our')))).toBe('ParentResourceNotFound')
    expect((await get(vaultPath('contoso-kv', 'solo'))).body).toMatchObject({
      id: vaultPath('contoso-kv', 'solo'),
      properties: { privateEndpointConnections: [{ id: moved(before) }] },
    })
    const link = linkPath('our', moved(signalrPath))
    expect((await get(link)).body).toMatchObject({
      id: expect.stringMatching(new RegExp(`^${link}$`, 'i')),
      properties: { provisioningState: 'Succeeded', status: 'Pending' },
    })
    // Still one pair: a decision there reaches the link here.
    expect((await decide(moved(before))).status).toBe(200)
    azure.turn(180_000)
    expect((await get(link)).body).toMatchObject({ properties: { status: 'Approved' } })
    const lists = await get(`${groupPath('solo')}/providers/Microsoft.KeyVault/vaults`)
    expect(JSON.stringify(lists.body)).toContain('contoso-kv')
  })

  test('reaches what was under way: a link that is being made is made', async () => {
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    azure.portal.move('contoso-signalr', 'solo')
    azure.turn(65_000)
    expect(azure.links()[0]).toMatchObject({
      id: expect.stringContaining('/solo/'),
      provisioningState: 'Succeeded',
    })
    expect(azure.connections('contoso-kv')).toHaveLength(1)
    const status = new URL(put.headers.get('azure-asyncoperation') ?? '').pathname
    expect((await get(moved(status))).body).toMatchObject({ status: 'Succeeded' })
  })

  test('movedTarget: a link keeps the id of its vault, or follows it', async () => {
    await linked()
    azure.portal.move('contoso-kv', 'solo')
    expect(azure.links()[0]?.privateLinkResourceId).toBe(vaultPath())
    expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(400)
    azure.configure({ movedTarget: 'follows' })
    azure.portal.move('contoso-kv', 'contoso')
    azure.portal.move('contoso-kv', groupPath('solo'))
    expect(azure.links()[0]?.privateLinkResourceId).toBe(vaultPath('contoso-kv', 'solo'))
  })

  test('leaves behind who was assigned on the resource itself, as documented', async () => {
    const { objectId: principal } = people.owner
    expect((await get(vaultPath(), { principal })).status).toBe(200)
    azure.portal.move('contoso-kv', 'solo')
    expect((await get(vaultPath('contoso-kv', 'solo'), { principal })).status).toBe(403)
  })

  test('blocks writes and deletions in both groups until it ends, and reads nowhere', async () => {
    await move([vaultPath()])
    const refused = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    expect([refused.status, codeOf(refused)]).toEqual([409, 'ScopeLocked'])
    expect(codeOf(await call(azure, 'DELETE', vaultPath('solo-kv', 'solo')))).toBe('ScopeLocked')
    expect((await get(signalrPath)).status).toBe(200)
    azure.turn(60_000)
    expect((await call(azure, 'DELETE', vaultPath('solo-kv', 'solo'))).status).toBe(200)
  })

  test('goes nowhere while something is being written, and says so at the end', async () => {
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    const begun = await move([signalrPath])
    azure.turn(60_000)
    const result = await get(new URL(begun.headers.get('location') ?? '').pathname)
    expect(result).toMatchObject({
      status: 409,
      body: {
        error: {
          code: 'ResourceMoveProviderValidationFailed',
          details: [
            {
              code: 'MoveCannotProceedWithResourcesNotInSucceededState',
              details: [{ code: 'ResourceNotProvisioned' }],
            },
          ],
        },
      },
    })
    expect((await get(signalrPath)).status).toBe(200)
  })

  test('can be tried first, which moves and blocks nothing', async () => {
    const tried = await move([vaultPath()], groupPath('solo'), 'validateMoveResources')
    expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(201)
    azure.turn(60_000)
    expect((await get(new URL(tried.headers.get('location') ?? '').pathname)).status).toBe(204)
    expect((await get(vaultPath())).status).toBe(200)
  })

  test.each([
    ['a group that is not there', 404, 'ResourceGroupNotFound', [vaultPath()], groupPath('none')],
    ['a target that is no group', 400, 'InvalidTargetResourceGroup', [vaultPath()], 'solo'],
    ['the same group', 400, 'InvalidMoveRequest', [vaultPath()], groupPath('contoso')],
    ['no resources', 400, 'InvalidMoveRequest', [], groupPath('solo')],
    ['a resource that is not there', 404, 'ResourceNotFound', [vaultPath('none')], groupPath('solo')],
    [
      'a resource of another group',
      400,
      'ResourcesNotInSameGroup',
      [vaultPath('solo-kv', 'solo')],
      groupPath('orphan'),
    ],
    ['a child', 400, 'ResourceNotTopLevel', [linkPath('our')], groupPath('solo')],
    ['where one may not write', 403, 'AuthorizationFailed', [vaultPath()], labs],
  ])('is refused for %s', async (_, status, code, resources, to) => {
    const refused = await move(resources, to)
    expect([refused.status, codeOf(refused)]).toEqual([status, code])
  })

  test('is refused to and from a group that is ReadOnly', async () => {
    const lock = (group: string, method = 'PUT') =>
      call(azure, method, `${groupPath(group)}/providers/Microsoft.Authorization/locks/keep`, {
        version: '2016-09-01',
        ...(method === 'PUT' && { body: { properties: { level: 'ReadOnly' } } }),
      })
    await lock('solo')
    expect(codeOf(await move([vaultPath()]))).toBe('ScopeLocked')
    expect(() => azure.portal.move('contoso-kv', 'solo')).toThrow(/are locked/)
    await lock('solo', 'DELETE')
    await lock('contoso')
    expect(codeOf(await move([vaultPath()]))).toBe('ScopeLocked')
    expect(() => azure.portal.move('contoso-kv', 'nowhere')).toThrow(/no group/)
  })

  test('in the portal can be had over HTTP', async () => {
    const body = { resource: 'contoso-kv', group: 'solo' }
    expect((await call(azure, 'POST', '/_sandbox/portal/move', { body })).status).toBe(200)
    expect((await get(vaultPath('contoso-kv', 'solo'))).status).toBe(200)
  })
})

describe('idCase', () => {
  const answered = async (idCase: 'kept' | 'lower' | 'upper' | 'seen') => {
    azure.configure({ idCase })
    const link = await get(linkPath('our'))
    const vault = await get(vaultPath())
    return [link.body, vault.body] as [
      { id: string; name: string; properties: { privateLinkResourceId: string } },
      { id: string; properties: { privateEndpointConnections: { id: string }[] } },
    ]
  }

  test.each([
    ['lower', 'resourcegroups/contoso/providers/microsoft.keyvault/vaults/contoso-kv'],
    ['upper', 'RESOURCEGROUPS/CONTOSO/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/contoso-kv'],
    ['seen', 'resourcegroups/contoso/providers/Microsoft.Keyvault/vaults/contoso-kv'],
    ['kept', 'resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/contoso-kv'],
  ] as const)('%s: every id in a reply is written so, targets included', async (idCase, written) => {
    await linked()
    const [link, vault] = await answered(idCase)
    expect(vault.id).toBe(`${main}/${written}`)
    expect(link.properties.privateLinkResourceId).toBe(`${main}/${written}`)
    expect(link.name).toBe('our')
    const [first] = vault.properties.privateEndpointConnections
    expect(first?.id.startsWith(`${main}/${written}/`)).toBe(true)
    // They still name the same: what a reply names can be asked for.
    expect((await get(first?.id ?? '')).status).toBe(200)
    expect((await get(link.id)).status).toBe(200)
    const list = await get(`${main}/resources`, {
      query: "$filter=resourceType eq 'Microsoft.KeyVault/vaults'",
    })
    expect(JSON.stringify(list.body)).toContain(written)
    expect(azure.links()[0]?.privateLinkResourceId).toBe(vaultPath())
  })

  test('seen: SignalR in small letters', async () => {
    azure.configure({ idCase: 'seen' })
    const signalr = await get(signalrPath)
    expect(signalr.body).toMatchObject({
      id: `${main}/resourcegroups/contoso/providers/Microsoft.SignalRService/signalr/contoso-signalr`,
    })
  })
})
