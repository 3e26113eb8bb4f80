import { afterEach, describe, expect, test } from '@jest/globals'
import type { Settings } from '../../sandbox/azure/switches.ts'
import { bot, subscriptions } from '../../sandbox/seed.ts'
import { Unanswered } from '../../src/engine/ports.ts'
import {
  adapter,
  closeAll,
  headed,
  linkName,
  never,
  nonce,
  provisioned,
  put,
  requestMessage,
  see,
  signalr,
  startPeer,
  startWorld,
  vault,
  watch,
  writesOf,
} from './world.ts'

afterEach(closeAll)

const operationOf = async (world: Awaited<ReturnType<typeof startWorld>>): Promise<string> => {
  const outcome = await world.azure.perform(put, never)
  if (outcome.is !== 'done' || outcome.operation === undefined) throw new Error('No operation')
  return outcome.operation
}

describe('a look', () => {
  test('shows the whole story, state by state', async () => {
    const world = await startWorld()
    expect(await see(world)).toMatchObject({
      own: { is: 'absent' },
      rivals: [],
      connections: { is: 'present', value: [] },
      vaultIsPublic: true,
    })
    const connection = await provisioned(world)
    expect(connection).toMatchObject({ status: 'Pending', description: requestMessage })
    expect(connection).not.toHaveProperty('etag')
    const pinned = { connection: connection.id, privateEndpoint: connection.privateEndpoint }
    world.sandbox.portal.approve('contoso-kv', 'owner')
    expect(await see(world, { pinned })).toMatchObject({
      own: { value: { status: 'Pending', provisioningState: 'Succeeded', target: vault } },
      connections: {
        value: [{ status: 'Approved', provisioningState: 'Updating', etag: expect.any(String) }],
      },
    })
    world.sandbox.turn(180_000)
    expect(await see(world, { pinned })).toMatchObject({
      own: { value: { status: 'Approved', requestMessage } },
      connections: { value: [{ status: 'Approved', provisioningState: 'Succeeded' }] },
    })
    world.sandbox.portal.deleteLink('contoso-signalr', linkName)
    world.sandbox.turn(30_000)
    expect(await see(world, { pinned })).toMatchObject({
      own: { is: 'absent' },
      connections: { is: 'present', value: [] },
    })
    expect(writesOf(world.sandbox)).toHaveLength(1)
    expect(world.lines).toEqual([])
  })

  test('is stamped with the time before its first read began', async () => {
    let time = 1_000
    const world = await startWorld({}, { now: () => time })
    world.sandbox.onEvent(() => {
      time += 1
    })
    expect((await see(world)).at).toBe(1_000)
  })

  test('and not with that before it waited for its turn', async () => {
    let time = 1_000
    const world = await startWorld({}, { now: () => time })
    world.sandbox.onEvent(() => {
      time += 1
    })
    const looks = await Promise.all([1, 2, 3, 4].map(() => see(world)))
    expect(looks[0]?.at).toBe(1_000)
    expect(looks[3]?.at).toBeGreaterThan(1_000)
  })

  test.each<[string, Partial<Settings>]>([
    ["the link's name", { connectionName: 'linkName' }],
    ['a dotted name', { connectionName: 'dotted' }],
    ['an upper-cased description', { descriptionCase: 'upper' }],
    ['strangers beside ours', { extraConnections: 3, pageSize: 2 }],
    ['a page for each', { extraConnections: 2, pageSize: 1 }],
  ])('finds the one connection of ours: %s', async (_name, settings) => {
    const world = await startWorld(settings)
    await provisioned(world)
    const { connections } = await see(world)
    expect(connections).toMatchObject({ is: 'present', value: [{ status: 'Pending' }] })
  })

  test('shows all that bear the nonce, for others to refuse', async () => {
    const world = await startWorld({ extraConnections: 1, extraDescription: 'same', extraEndpoint: 'tenant' })
    await provisioned(world)
    const { connections } = await see(world)
    expect(connections).toHaveProperty('value.length', 2)
  })

  test.each([
    ['of the bot', subscriptions.main.id, true],
    ['that the bot sees, far from SignalR and vault', subscriptions.other.id.toUpperCase(), true],
    ['that the bot does not see', '99999999-0000-4000-8000-000000000009', false],
  ])('says of an endpoint in a subscription %s whose it is', async (_whose, subscription, isOurs) => {
    const world = await startWorld({ pageSize: 1 })
    const endpoint = `/subscriptions/${subscription}/resourceGroups/m/providers/Microsoft.Network/privateEndpoints/e`
    world.sandbox.portal.addConnection('contoso-kv', requestMessage, 'Pending', { endpoint })
    const ours = isOurs ? { endpointIsOurs: true } : {}
    const { connections } = await see(world)
    expect(connections).toEqual({
      is: 'present',
      value: [expect.objectContaining({ privateEndpoint: endpoint, ...ours })],
    })
    expect(JSON.stringify(connections).includes('endpointIsOurs')).toBe(isOurs)
    expect(await world.directory.connections(vault, nonce, undefined, never)).toEqual(connections)
  })

  test('without the list of subscriptions nobody knows whose an endpoint is: no picture', async () => {
    const world = await startWorld()
    world.sandbox.portal.addConnection('contoso-kv', requestMessage)
    const fails = () => world.sandbox.fail({ path: /^\/subscriptions$/, times: 1, status: 503 })
    fails()
    expect((await world.azure.observe([watch()], never)).get('one')).toMatchObject({
      failed: { cause: 'unavailable' },
    })
    fails()
    await expect(world.directory.connections(vault, nonce, undefined, never)).rejects.toThrow(Unanswered)
  })

  test('an empty nonce is borne by none', async () => {
    const world = await startWorld()
    await provisioned(world)
    expect((await see(world, { nonce: '' })).connections).toEqual({ is: 'present', value: [] })
  })

  test('shows the pinned connection whatever its description has become', async () => {
    const world = await startWorld({ portalDescription: 'overwritten' })
    const connection = await provisioned(world)
    world.sandbox.portal.approve('contoso-kv', 'owner')
    const pinned = { connection: connection.id.toUpperCase(), privateEndpoint: connection.privateEndpoint }
    expect((await see(world)).connections).toEqual({ is: 'present', value: [] })
    expect((await see(world, { pinned })).connections).toMatchObject({ value: [{ status: 'Approved' }] })
    expect(world.calls().filter(({ path }) => /privateEndpointConnections\/[^/]+$/.test(path))).toHaveLength(
      0,
    )
  })

  test.each([404, 204] as const)('of a pinned connection that is gone: %d', async (missingConnection) => {
    const world = await startWorld({ missingConnection })
    const connection = await provisioned(world)
    const pinned = { connection: connection.id, privateEndpoint: connection.privateEndpoint }
    world.sandbox.portal.removeConnection('contoso-kv')
    expect((await see(world, { pinned })).connections).toEqual({ is: 'present', value: [] })
    expect(world.calls().at(-1)).toMatchObject({ method: 'GET', status: missingConnection })
  })

  test('of a pinned connection that the list leaves out but a GET shows', async () => {
    const world = await startWorld()
    const { id } = await provisioned(world)
    const item = { id, properties: { privateLinkServiceConnectionState: { status: 'Approved' } } }
    const { url } = await startPeer((request, response) => {
      const path = request.url ?? ''
      const body = /privateEndpointConnections\?/.test(path)
        ? { value: [] }
        : /privateEndpointConnections\//.test(path)
          ? item
          : /sharedPrivateLinkResources\?/.test(path)
            ? { value: [] }
            : { id: vault, properties: { sku: {}, privateLinkResourceId: vault } }
      headed(response, 200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    const seen = await see(adapter(url), { pinned: { connection: id, privateEndpoint: '' } })
    expect(seen.connections).toMatchObject({ value: [{ id, status: 'Approved' }] })
  })

  test("names other people's links to the same vault, and no others", async () => {
    const world = await startWorld({ pageSize: 1 })
    world.sandbox.portal.createLink('contoso-signalr', 'contoso-kv', 'theirs', 'hello')
    world.sandbox.turn(60_000)
    world.sandbox.portal.createLink('contoso-signalr', 'contoso-certs', 'elsewhere', 'hello')
    world.sandbox.turn(60_000)
    expect(await see(world)).toMatchObject({ own: { is: 'absent' }, rivals: [{ name: 'theirs' }] })
    expect((await see(world, { name: 'THEIRS' })).rivals).toEqual([])
  })

  test('shows the target and the message of whatever bears the name', async () => {
    const world = await startWorld()
    world.sandbox.portal.createLink('contoso-signalr', 'contoso-certs', linkName, 'somebody else')
    expect((await see(world)).own).toMatchObject({
      value: { target: expect.stringMatching(/contoso-certs$/), requestMessage: 'somebody else' },
    })
  })

  test('a vault that is gone is absent; a closed one says so', async () => {
    const world = await startWorld()
    const gone = await see(world, { vault: `${vault}x` })
    expect(gone.connections).toEqual({ is: 'absent' })
    expect(gone).not.toHaveProperty('vaultIsPublic')
    expect(await see(world, { vault: vault.replace('contoso-kv', 'contoso-certs') })).toMatchObject({
      vaultIsPublic: false,
    })
  })

  test('words that Azure has not said before are Unknown', async () => {
    const { url } = await startPeer((request, response) => {
      const list = /(Connections|Resources)\?/.test(request.url ?? '')
      const one = {
        id: `${signalr}/sharedPrivateLinkResources/${linkName}`,
        properties: { sku: {}, privateLinkResourceId: vault, provisioningState: 'Pondering', status: 7 },
      }
      headed(response, 200, { 'content-type': 'application/json' }).end(
        JSON.stringify(list ? { value: [] } : one),
      )
    })
    expect((await see(adapter(url))).own).toMatchObject({
      value: { provisioningState: 'Unknown', status: 'Unknown', requestMessage: '' },
    })
  })
})

describe('the operation behind the PUT', () => {
  test.each<[string, Partial<Settings>]>([
    ['by its status', {}],
    ['by its result', { asyncHeaders: 'location' }],
    ['by a signed address', { operationAddresses: 'signed' }],
    ['by the signed address of its result', { operationAddresses: 'signed', asyncHeaders: 'location' }],
  ])('is followed %s to its end, also by an adapter that did not begin it', async (_name, settings) => {
    const world = await startWorld(settings)
    const operation = await operationOf(world)
    const other = adapter(world.sandbox.url)
    expect((await see(other, { operation })).operation).toEqual({ status: 'Running' })
    world.sandbox.turn(60_000)
    expect((await see(other, { operation })).operation).toEqual({ status: 'Succeeded' })
    expect(writesOf(world.sandbox)).toHaveLength(1)
  })

  test('that failed says why', async () => {
    const world = await startWorld({ operationOutcome: 'Failed' })
    const operation = await operationOf(world)
    world.sandbox.turn(60_000)
    const seen = await see(world, { operation })
    expect(seen.operation).toEqual({
      status: 'Failed',
      code: expect.any(String),
      message: expect.any(String),
    })
    expect(seen.own).toMatchObject({ value: { provisioningState: 'Failed' } })
  })

  test('that was canceled says so', async () => {
    const world = await startWorld({ operationOutcome: 'Canceled' })
    const operation = await operationOf(world)
    world.sandbox.turn(60_000)
    expect((await see(world, { operation })).operation).toMatchObject({ status: 'Canceled' })
  })

  test.each([
    '',
    ' ',
    'status',
    'status  ',
    '{"state":{}}',
    'status not-an-address',
    'result https://example.org/a',
  ])(
    'whose token is worthless (%j) is passed over: the link tells, and nothing is written',
    async (operation) => {
      const world = await startWorld()
      await operationOf(world)
      const seen = await see(world, { operation })
      expect(seen).not.toHaveProperty('operation')
      expect(seen.own).toMatchObject({ value: { provisioningState: 'Creating' } })
      expect(writesOf(world.sandbox)).toHaveLength(1)
    },
  )

  test.each([404, 403, 500])('that answers %d is passed over', async (status) => {
    const world = await startWorld()
    const operation = await operationOf(world)
    world.sandbox.fail({ path: /operationStatuses/, times: 1, status, code: 'ResourceNotFound' })
    const seen = await see(world, { operation })
    expect(seen).not.toHaveProperty('operation')
    expect(seen.own.is).toBe('present')
  })
})

describe('what may not be seen', () => {
  const main = '/subscriptions/00000000-0000-0000-0000-000000000000'

  test('is hidden, with the right that it takes, and never gone', async () => {
    const world = await startWorld()
    await provisioned(world)
    world.sandbox.rights.revoke(bot.objectId, 'linkMaker', main)
    const seen = await see(world)
    expect(seen.own).toMatchObject({
      is: 'hidden',
      cause: {
        cause: 'botLacksRight',
        action: 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/read',
        scope: expect.stringContaining('/contoso-signalr'),
      },
    })
    expect(seen.connections).toMatchObject({ is: 'present', value: [{ status: 'Pending' }] })
    world.sandbox.rights.revoke(bot.objectId, 'vaultApprover', main)
    expect((await see(world)).connections).toMatchObject({
      is: 'hidden',
      cause: { action: 'Microsoft.KeyVault/vaults/privateEndpointConnections/read' },
    })
  })

  test('hides the link when only the list of its rivals is closed', async () => {
    const world = await startWorld()
    await provisioned(world)
    world.sandbox.fail({
      path: /sharedPrivateLinkResources$/,
      times: 1,
      status: 403,
      code: 'AuthorizationFailed',
    })
    expect((await see(world)).own.is).toBe('hidden')
  })

  test('a subscription that ARM does not find is hidden, not gone', async () => {
    const world = await startWorld()
    const id = signalr.replace('00000000-0000-0000-0000-000000000000', '33333333-0000-4000-8000-000000000003')
    expect((await see(world, { signalr: id })).own).toMatchObject({
      is: 'hidden',
      cause: { cause: 'refused', code: 'SubscriptionNotFound' },
    })
  })
})

describe('no answer', () => {
  const entry = async (world: ReturnType<typeof adapter>) =>
    (await world.azure.observe([watch()], never)).get('one')

  test.each([
    ['500', { status: 500 }, { failed: { cause: 'unavailable', code: 'InternalServerError' } }],
    [
      '429',
      { status: 429, headers: { 'retry-after': '9' } },
      { failed: { cause: 'throttled' }, retryAfterMs: 9_000 },
    ],
    ['a reset', { how: 'reset' as const }, { failed: { cause: 'unavailable', code: 'ECONNRESET' } }],
  ])('to one of the reads leaves the whole picture out: %s', async (_name, rule, expected) => {
    for (const path of [
      /kv-contoso-kv$/,
      /sharedPrivateLinkResources$/,
      /contoso-kv$/,
      /privateEndpointConnections$/,
    ]) {
      const world = await startWorld()
      world.sandbox.fail({ path, times: 1, ...rule })
      expect(await entry(world)).toEqual(expected)
      expect(world.lines).toMatchObject([{ level: 'warn', event: 'azure.unread' }])
    }
  })

  test('within the deadline', async () => {
    const world = await startWorld({}, { deadlineMs: 150 })
    world.sandbox.fail({ path: /kv-contoso-kv$/, times: 1, how: 'hang' })
    expect(await entry(world)).toEqual({ failed: { cause: 'unavailable', code: 'Deadline' } })
  })

  test('from a list whose pages never end', async () => {
    const { url, requests } = await startPeer((request, response) => {
      const next = `https://${request.headers.host}${request.url}`
      headed(response, 200, { 'content-type': 'application/json' }).end(
        JSON.stringify({ id: vault, value: [], nextLink: next }),
      )
    })
    expect(await entry(adapter(url, { deadlineMs: 300 }))).toMatchObject({ failed: { cause: 'unavailable' } })
    // Some pages forget the signal. Whoever went on reading would get as many in as we do here.
    const before = requests.length
    for (let n = 0; n < 20; n += 1) await (await fetch(`${url}/ours`)).text()
    expect(requests.length - before).toBeLessThan(20 + 5)
  })

  test.each([
    ['a list without a value', '{}'],
    ['a list of nonsense', '{"value":[7,null]}'],
    ['text', '"hello"'],
    ['half a body', '{"value":['],
    ['nothing', ''],
  ])('but garbled: %s', async (_name, body) => {
    const { url } = await startPeer((_request, response) =>
      headed(response, 200, { 'content-type': 'application/json' }).end(body),
    )
    expect(await entry(adapter(url))).toMatchObject({ failed: { cause: 'unavailable' } })
  })

  test('a 404 that is not of ARM is no absence', async () => {
    const { url } = await startPeer((_request, response) => headed(response, 404).end('<h1>Not found</h1>'))
    expect(await entry(adapter(url))).toEqual({ failed: { cause: 'unavailable', code: '404' } })
  })
})

describe('many links', () => {
  test('share what they have in common', async () => {
    const world = await startWorld()
    const watches = Array.from({ length: 20 }, (_, n) =>
      watch({ id: `l${n}`, name: `kv-${n}`, nonce: `${nonce}${n}` }),
    )
    const seen = await world.azure.observe(watches, never)
    expect(seen.size).toBe(20)
    // A GET each, and one list of links, one vault, one list of connections for all.
    expect(world.calls()).toHaveLength(20 + 3)
  })

  test('are read eight at a time', async () => {
    let inFlight = 0
    let most = 0
    const { url } = await startPeer((_request, response) => {
      inFlight += 1
      most = Math.max(most, inFlight)
      setImmediate(() => {
        inFlight -= 1
        headed(response, 404, { 'x-ms-request-id': '1' }).end()
      })
    })
    const watches = Array.from({ length: 30 }, (_, n) =>
      watch({ id: `l${n}`, name: `kv-${n}`, vault: `${vault}${n}` }),
    )
    expect((await adapter(url).azure.observe(watches, never)).size).toBe(30)
    expect(most).toBeLessThanOrEqual(8)
  })

  test('of a throttled subscription are left alone; those of another are looked at', async () => {
    const world = await startWorld()
    world.sandbox.fail({ path: /00000000-0000/, times: 100, status: 429, headers: { 'retry-after': '30' } })
    const other = (id: string) =>
      id
        .replace('00000000-0000-0000-0000-000000000000', '22222222-0000-4000-8000-000000000002')
        .replace('/contoso/', '/labs/')
    const watches = Array.from({ length: 40 }, (_, n) => watch({ id: `l${n}`, name: `kv-${n}` }))
    const elsewhere = watch({
      id: 'labs',
      signalr: other(signalr).replace('contoso-signalr', 'labs-signalr'),
      vault: other(vault).replace('contoso-kv', 'labs-kv'),
    })
    const seen = await world.azure.observe([...watches, elsewhere], never)
    for (const { id } of watches)
      expect(seen.get(id)).toEqual({ failed: { cause: 'throttled' }, retryAfterMs: 30_000 })
    expect(seen.get('labs')).toHaveProperty('own')
    expect(world.calls().filter(({ status }) => status === 429).length).toBeLessThanOrEqual(8)
  })
})
