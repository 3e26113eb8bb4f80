import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people, subscriptions } from '../../sandbox/seed.ts'
import { call, clientsFor, codeOf, linkPath, vaultPath, wish } from './clients.ts'

let azure: Azure
beforeEach(async () => {
  azure = await startAzure({ clock: () => Date.parse('2030-01-01T00:00:00Z') })
  azure.rights.grant(bot.objectId, 'contributor', `/subscriptions/${subscriptions.main.id}`)
})
afterEach(() => azure.close())

const group = (name = 'solo') => `/subscriptions/${subscriptions.main.id}/resourceGroups/${name}`
const path = (type: string, name = 'fresh', within = 'solo') =>
  `${group(within)}/providers/Microsoft.SignalRService/${type}/${name}`
const body = { location: 'West Europe', sku: { name: 'Standard_S1' }, tags: { team: 'blue' } }
const follow = (answer: { headers: Headers }, name: string): string =>
  new URL(answer.headers.get(name) ?? '').pathname
const effects = () =>
  azure.events.flatMap((event) => (event.kind === 'effect' ? [[event.what, event.by]] : []))

test('arm-signalr creates an instance, changes it and deletes it', async () => {
  const { signalr } = clientsFor(azure)
  const fast = { updateIntervalInMs: 1 }
  const creation = await signalr.signalR.beginCreateOrUpdate('solo', 'fresh', body, fast)
  expect(await signalr.signalR.get('solo', 'fresh')).toMatchObject({ provisioningState: 'Creating' })
  azure.turn(61_000)
  expect(await creation.pollUntilDone()).toMatchObject({
    name: 'fresh',
    type: 'Microsoft.SignalRService/SignalR',
    provisioningState: 'Succeeded',
    hostName: 'fresh.service.signalr.net',
    location: 'westeurope',
    tags: { team: 'blue' },
    systemData: { createdBy: bot.objectId, createdByType: 'Application' },
  })
  const change = await signalr.signalR.beginUpdate(
    'solo',
    'fresh',
    { location: 'westeurope', sku: { name: 'Premium_P1', capacity: 2 } },
    fast,
  )
  expect((await signalr.signalR.get('solo', 'fresh')).provisioningState).toBe('Updating')
  azure.turn(61_000)
  expect(await change.pollUntilDone()).toMatchObject({
    provisioningState: 'Succeeded',
    sku: { name: 'Premium_P1', tier: 'Premium', capacity: 2 },
    tags: { team: 'blue' },
  })
  await signalr.signalR.beginDeleteAndWait('solo', 'fresh', fast)
  await expect(signalr.signalR.get('solo', 'fresh')).rejects.toMatchObject({ statusCode: 404 })
  azure.configure({ deletedInstance: 'later' })
  const again = await signalr.signalR.beginCreateOrUpdate('solo', 'fresh', body, fast)
  azure.turn(61_000)
  await again.pollUntilDone()
  const removal = await signalr.signalR.beginDelete('solo', 'fresh', fast)
  expect((await signalr.signalR.get('solo', 'fresh')).provisioningState).toBe('Deleting')
  azure.turn(30_000)
  await removal.pollUntilDone()
  await expect(signalr.signalR.get('solo', 'fresh')).rejects.toMatchObject({ statusCode: 404 })
  expect(effects()).toEqual([
    ['instanceCreated', 'bot'],
    ['instanceUpdated', 'bot'],
    ['instanceDeleted', 'bot'],
    ['instanceCreated', 'bot'],
    ['instanceDeleted', 'bot'],
  ])
})

describe.each([
  ['SignalR', 'signalR', 'fresh.service.signalr.net', 'signalr'],
  ['WebPubSub', 'webPubSub', 'fresh.webpubsub.azure.com', 'webpubsub'],
])('%s', (type, segment, hostName, groupId) => {
  const made = async () => {
    const answer = await call(azure, 'PUT', path(segment), { body })
    azure.turn(61_000)
    return answer
  }
  const get = () => call(azure, 'GET', path(segment))

  test('is Creating for a while, and bears no link before that is over', async () => {
    const put = await call(azure, 'PUT', path(segment), { body })
    expect(put).toMatchObject({
      status: 201,
      body: {
        id: path(type),
        type: `Microsoft.SignalRService/${type}`,
        properties: { provisioningState: 'Creating', externalIP: null, version: '1.0-preview', hostName },
      },
    })
    expect(follow(put, 'azure-asyncoperation')).toMatch(`${path(type)}/operationStatuses/`)
    expect(follow(put, 'location')).toMatch(`${path(type)}/operationResults/`)
    expect((await call(azure, 'GET', follow(put, 'azure-asyncoperation'))).body).toMatchObject({
      status: 'Running',
    })
    expect((await call(azure, 'GET', follow(put, 'location'))).status).toBe(202)
    const early = await call(azure, 'PUT', linkPath('our', path(segment)), { body: wish() })
    expect([early.status, codeOf(early)]).toEqual([409, 'Conflict'])
    azure.turn(60_999)
    expect((await get()).body).toMatchObject({ properties: { provisioningState: 'Creating' } })
    azure.turn(1)
    const shown = { properties: { provisioningState: 'Succeeded', version: '1.0' } }
    expect((await get()).body).toMatchObject(shown)
    expect(await call(azure, 'GET', follow(put, 'location'))).toMatchObject({ status: 200, body: shown })
    expect((await call(azure, 'GET', `${path(segment)}/privateLinkResources`)).body).toMatchObject({
      value: [{ properties: { groupId, requiredMembers: [groupId] } }],
    })
  })

  test('takes its links with it, and their connections on vaults', async () => {
    await made()
    const link = await call(azure, 'PUT', linkPath('our', path(segment)), { body: wish() })
    expect(link).toMatchObject({
      status: 201,
      body: { type: `Microsoft.SignalRService/${type}/sharedPrivateLinkResources` },
    })
    expect(codeOf(await call(azure, 'DELETE', path(segment)))).toBe('Conflict')
    azure.turn(65_000)
    expect(await call(azure, 'GET', follow(link, 'location'))).toMatchObject({ body: { name: 'our' } })
    azure.portal.approve('contoso-kv', 'owner')
    azure.turn(180_000)
    expect((await get()).body).toMatchObject({
      properties: { sharedPrivateLinkResources: [{ properties: { status: 'Approved' } }] },
    })
    expect(await call(azure, 'DELETE', path(segment))).toMatchObject({ status: 204, body: undefined })
    expect((await get()).status).toBe(404)
    expect(azure.links()).toEqual([])
    expect(azure.connections('contoso-kv')).toEqual([])
    expect((await call(azure, 'DELETE', path(segment))).status).toBe(204)
  })

  test('leaves connections disconnected where deleted links do', async () => {
    await made()
    azure.configure({ deletedLink: 'disconnectsConnection', deletedInstance: 'later' })
    await call(azure, 'PUT', linkPath('our', path(segment)), { body: wish() })
    azure.turn(65_000)
    const removal = await call(azure, 'DELETE', path(segment))
    expect(removal.status).toBe(202)
    azure.turn(29_999)
    expect(azure.links()).toHaveLength(1)
    expect((await call(azure, 'GET', follow(removal, 'location'))).status).toBe(202)
    azure.turn(1)
    expect(azure.links()).toEqual([])
    expect(azure.connections('contoso-kv')[0]?.status).toBe('Disconnected')
    expect((await call(azure, 'GET', follow(removal, 'location'))).status).toBe(204)
    expect((await call(azure, 'GET', follow(removal, 'azure-asyncoperation'))).body).toMatchObject({
      status: 'Succeeded',
    })
    // Even where there is one of that name again.
    await made()
    expect((await call(azure, 'GET', follow(removal, 'location'))).status).toBe(204)
  })

  test('is changed by PUT as a whole, by PATCH in parts', async () => {
    const properties = { tls: { clientCertEnabled: true }, disableLocalAuth: true, hostName: 'mine' }
    await call(azure, 'PUT', path(segment), { body: { ...body, properties } })
    azure.turn(61_000)
    expect((await get()).body).toMatchObject({ properties: { ...properties, hostName } })
    const patched = await call(azure, 'PATCH', path(segment), {
      body: { properties: { disableAadAuth: true } },
    })
    expect(patched).toMatchObject({ status: 202, body: undefined })
    expect(codeOf(await call(azure, 'PATCH', path(segment), { body: {} }))).toBe('Conflict')
    azure.turn(61_000)
    expect((await call(azure, 'GET', follow(patched, 'location'))).body).toMatchObject({
      tags: body.tags,
      properties: { disableLocalAuth: true, disableAadAuth: true },
    })
    const replaced = await call(azure, 'PUT', path(segment), {
      body: { location: 'westeurope', sku: { name: 'Premium_P1', capacity: 5 } },
    })
    expect(replaced.status).toBe(202)
    azure.turn(61_000)
    expect((await get()).body).toMatchObject({
      tags: {},
      sku: { name: 'Premium_P1', capacity: 5 },
      properties: { disableLocalAuth: false, disableAadAuth: false, tls: { clientCertEnabled: false } },
    })
    const moved = await call(azure, 'PUT', path(segment), { body: { location: 'northeurope' } })
    expect([moved.status, codeOf(moved)]).toEqual([409, 'InvalidResourceLocation'])
  })

  test('needs the rights that Azure names', async () => {
    await made()
    for (const [method, action] of [
      ['PUT', 'write'],
      ['PATCH', 'write'],
      ['DELETE', 'delete'],
    ] as const) {
      const refused = await call(azure, method, path(segment), { principal: people.outsider.objectId, body })
      expect(refused.status).toBe(403)
      expect(JSON.stringify(refused.body)).toContain(`'Microsoft.SignalRService/${type}/${action}'`)
    }
    const put = await call(azure, 'PUT', path(segment), { body })
    for (const header of ['azure-asyncoperation', 'location'])
      expect(
        (await call(azure, 'GET', follow(put, header), { principal: people.lone.objectId })).status,
      ).toBe(403)
  })

  test('is refused where the body or the place makes no sense', async () => {
    const put = async (given: unknown, at = path(segment)) => {
      const answer = await call(azure, 'PUT', at, { body: given })
      return [answer.status, codeOf(answer)]
    }
    expect(await put({ sku: body.sku })).toEqual([400, 'LocationRequired'])
    expect(await put({ ...body, location: 'nearby!' })).toEqual([400, 'LocationNotAvailableForResourceType'])
    expect(await put({ ...body, location: 5 })).toEqual([400, 'LocationNotAvailableForResourceType'])
    expect(await put({ ...body, sku: { name: 'Huge' } })).toEqual([400, 'BadRequest'])
    expect(await put({ ...body, sku: { ...body.sku, capacity: 0 } })).toEqual([400, 'BadRequest'])
    expect(await put({ ...body, tags: 'blue' })).toEqual([400, 'BadRequest'])
    expect(await put({ ...body, properties: [] })).toEqual([400, 'BadRequest'])
    expect(await put(body, path(segment, '1st'))).toEqual([400, 'InvalidResourceName'])
    expect(await put(body, path(segment, 'fresh', 'nowhere'))).toEqual([404, 'ResourceGroupNotFound'])
    expect((await call(azure, 'PATCH', path(segment), { body })).status).toBe(404)
    expect((await get()).status).toBe(404)
  })

  test('may fail to come up', async () => {
    azure.configure({ operationOutcome: 'Failed' })
    const put = await made()
    expect((await get()).body).toMatchObject({ properties: { provisioningState: 'Failed' } })
    expect((await call(azure, 'GET', follow(put, 'azure-asyncoperation'))).body).toMatchObject({
      status: 'Failed',
      error: { message: expect.stringMatching(/^The resource could not be created/) },
    })
    expect((await call(azure, 'DELETE', path(segment))).status).toBe(204)
  })
})

test('SignalR and Web PubSub of one name are two', async () => {
  await call(azure, 'PUT', path('signalR'), { body })
  const put = await call(azure, 'PUT', path('webPubSub'), { body })
  azure.turn(61_000)
  const status = follow(put, 'azure-asyncoperation')
  expect((await call(azure, 'GET', status)).status).toBe(200)
  expect((await call(azure, 'GET', status.replace('WebPubSub', 'SignalR'))).status).toBe(404)
  const names = async (where: string, query = '') => {
    const { value } = (await call(azure, 'GET', where, { query })).body as { value: { id: string }[] }
    return value.map(({ id }) => id)
  }
  expect(await names(`${group()}/providers/Microsoft.SignalRService/webPubSub`)).toEqual([path('WebPubSub')])
  expect(await names(`${group()}/providers/Microsoft.SignalRService/signalR`)).toEqual([path('SignalR')])
  expect(
    await names(`${group()}/resources`, "$filter=resourceType eq 'Microsoft.SignalRService/webPubSub'"),
  ).toEqual([path('WebPubSub')])
  const { graph } = clientsFor(azure)
  const { data } = await graph.resources({
    query: "resources | where name == 'fresh' | project type, kind | order by type asc",
    options: { resultFormat: 'objectArray' },
  })
  expect(data).toEqual([
    { type: 'microsoft.signalrservice/signalr', kind: 'signalr' },
    { type: 'microsoft.signalrservice/webpubsub', kind: 'webpubsub' },
  ])
  expect((await call(azure, 'GET', path('webPubSub'), { version: '2021-10-01' })).body).not.toHaveProperty(
    'kind',
  )
  expect((await call(azure, 'GET', path('webPubSub'))).body).toMatchObject({ kind: 'WebPubSub' })
})

test('a group stays when its last resource goes, and one may be empty from the start', async () => {
  await azure.close()
  const id = group('bare')
  azure = await startAzure({
    seed: {
      signalrs: [{ id: path('SignalR', 'only', 'single'), location: 'westus2', sku: 'Standard_S1' }],
      vaults: [],
      resourceGroups: [{ id, location: 'northeurope', tags: { empty: 'yes' } }],
    },
  })
  azure.rights.grant(bot.objectId, 'contributor', '/')
  expect((await call(azure, 'GET', id)).body).toEqual({
    id,
    name: 'bare',
    type: 'Microsoft.Resources/resourceGroups',
    location: 'northeurope',
    tags: { empty: 'yes' },
    properties: { provisioningState: 'Succeeded' },
  })
  expect((await call(azure, 'GET', `${id}/providers/Microsoft.KeyVault/vaults`)).body).toEqual({ value: [] })
  expect((await call(azure, 'GET', group('single'))).body).toMatchObject({ location: 'westus2' })
  await call(azure, 'DELETE', path('SignalR', 'only', 'single'))
  const groups = await call(azure, 'GET', group('x').replace(/\/x$/, ''))
  expect(groups.body).toMatchObject({ value: [{ name: 'bare' }, { name: 'single' }] })
  expect(codeOf(await call(azure, 'GET', path('SignalR', 'only', 'single')))).toBe('ResourceNotFound')
  expect((await call(azure, 'PUT', path('SignalR', 'next', 'bare'), { body })).status).toBe(201)
})

test('a link made anew does not hear what was decided about the one before', async () => {
  await call(azure, 'PUT', linkPath('our'), { body: wish() })
  azure.turn(65_000)
  azure.portal.approve('contoso-kv', 'owner')
  await call(azure, 'DELETE', linkPath('our'))
  azure.turn(30_000)
  await call(azure, 'PUT', linkPath('our'), { body: wish('again', vaultPath('contoso-certs')) })
  azure.turn(180_000)
  expect(azure.links()).toMatchObject([{ provisioningState: 'Succeeded', status: 'Pending' }])
})
