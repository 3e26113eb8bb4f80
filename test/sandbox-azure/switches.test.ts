import { afterEach, describe, expect, test } from '@jest/globals'
import { type Azure, choices, startAzure } from '../../sandbox/azure/server.ts'
import { people, type SeedAssignment, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

let azure: Azure
afterEach(() => azure.close())

const message = wish().properties.requestMessage

/** A link on its way, up to its connection on the vault. */
async function linked(settings: Parameters<typeof startAzure>[0] = {}): Promise<void> {
  azure = await startAzure(settings)
  const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
  expect([200, 201]).toContain(put.status)
  azure.turn(65_000)
}

const connection = () => azure.connections('contoso-kv')[0]
const pathOf = (index = 0): string => azure.connections('contoso-kv')[index]?.id ?? ''
const statusOfLink = () => azure.links()[0]?.status
const decision = (status: string, more: Record<string, unknown> = {}) => ({
  body: { ...more, properties: { privateLinkServiceConnectionState: { status, description: message } } },
})
const effects = () =>
  azure.events.flatMap((event) => (event.kind === 'effect' ? [[event.what, event.by]] : []))

describe('the way of a link', () => {
  test('appears, is approved and reaches SignalR, each at its time', async () => {
    azure = await startAzure({ clock: () => Date.parse('2030-01-01T00:00:00Z') })
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    azure.turn(59_999)
    expect(azure.links()[0]?.provisioningState).toBe('Creating')
    azure.turn(1)
    expect(azure.links()[0]).toMatchObject({ provisioningState: 'Succeeded', status: 'Pending' })
    azure.turn(4_999)
    expect(connection()).toBeUndefined()
    azure.turn(1)
    expect(connection()).toMatchObject({
      status: 'Pending',
      description: message,
      provisioningState: 'Succeeded',
    })
    expect(connection()?.privateEndpointId).not.toMatch(
      new RegExp(
        Object.values(subscriptions)
          .map(({ id }) => id)
          .join('|'),
      ),
    )
    expect((await call(azure, 'PUT', pathOf(), decision('Approved'))).status).toBe(200)
    azure.turn(179_999)
    expect(statusOfLink()).toBe('Pending')
    azure.turn(1)
    expect(statusOfLink()).toBe('Approved')
    expect(effects()).toEqual([
      ['linkCreated', 'bot'],
      ['connectionAppeared', 'Azure'],
      ['connectionApproved', 'bot'],
      ['propagated', 'Azure'],
    ])
  })

  test('one great turn of the clock ends where many small ones do', async () => {
    azure = await startAzure()
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    azure.turn(10 * 24 * 3_600_000)
    const appeared = azure.events.find(
      (event) => event.kind === 'effect' && event.what === 'connectionAppeared',
    )
    const created = azure.events.find((event) => event.kind === 'effect' && event.what === 'linkCreated')
    expect((appeared?.at ?? 0) - (created?.at ?? 0)).toBe(65_000)
  })

  test('a rejection reaches SignalR, and a removed connection disconnects the link', async () => {
    await linked()
    await call(azure, 'PUT', pathOf(), decision('Rejected'))
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Rejected')
    azure.portal.removeConnection('contoso-kv')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Disconnected')
  })

  test('a repeated PUT asks for approval anew', async () => {
    await linked()
    azure.portal.approve('contoso-kv', 'owner')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Approved')
    const again = await call(azure, 'PUT', linkPath('our'), { body: wish('again') })
    expect(again.status).toBe(200)
    expect(statusOfLink()).toBe('Pending')
    azure.turn(65_000)
    expect(azure.connections('contoso-kv')).toMatchObject([{ status: 'Pending', description: 'again' }])
  })

  test('what was decided before a repeated PUT no longer reaches SignalR', async () => {
    await linked()
    azure.portal.approve('contoso-kv', 'owner')
    await call(azure, 'PUT', linkPath('our'), { body: wish('again') })
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Pending')
  })

  test('of two decisions at one instant the later one stands', async () => {
    const now = Date.now()
    await linked({ settlesMs: 0, clock: () => now })
    azure.portal.approve('contoso-kv', 'owner')
    azure.portal.reject('contoso-kv', 'owner')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Rejected')
  })

  test('a PUT over a link to another vault takes the old connection away', async () => {
    await linked()
    await call(azure, 'PUT', linkPath('our'), { body: wish('other', vaultPath('contoso-certs')) })
    azure.turn(65_000)
    expect(azure.connections('contoso-kv')).toEqual([])
    expect(azure.connections('contoso-certs')).toMatchObject([{ status: 'Pending', description: 'other' }])
  })

  test('a second write to the SignalR meets a conflict, one to another does not', async () => {
    azure = await startAzure()
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    const second = await call(azure, 'PUT', linkPath('other'), { body: wish() })
    expect([second.status, codeOf(second)]).toEqual([409, 'Conflict'])
    expect((await call(azure, 'DELETE', linkPath('our'))).status).toBe(409)
    const elsewhere = signalrPath.replace('contoso/', 'chat-blue/').replace('contoso-signalr', 'contoso-chat')
    expect((await call(azure, 'PUT', linkPath('our', elsewhere), { body: wish() })).status).toBe(201)
  })

  test('a replica gets an endpoint of its own, and the link waits for both', async () => {
    azure = await startAzure()
    azure.portal.createLink('contoso-global', 'contoso-kv', 'our', 'both')
    azure.turn(65_000)
    const [first, second] = azure.connections('contoso-kv')
    expect(second).toMatchObject({ description: 'both', status: 'Pending' })
    azure.portal.approve('contoso-kv', 'owner', first?.name)
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Pending')
    azure.portal.approve('contoso-kv', 'owner')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Approved')
  })

  test.each([
    ['Free_F1', linkPath('our', signalrPath.replace('contoso-signalr', 'contoso-free')), wish()],
    ['a bad name', linkPath('1kv'), wish()],
    ['a vault that is not there', linkPath('our'), wish('m', vaultPath('nowhere'))],
    [
      'the group id that the documentation misspells',
      linkPath('our'),
      { properties: { ...wish().properties, groupId: 'vaults' } },
    ],
    ['a long message', linkPath('our'), wish('x'.repeat(141))],
  ])('refuses %s', async (_, path, body) => {
    azure = await startAzure()
    expect((await call(azure, 'PUT', path, { body })).status).toBe(400)
    expect(azure.links()).toEqual([])
  })

  test('deleting goes on for a while, then the link and its connection are gone', async () => {
    await linked()
    const removal = await call(azure, 'DELETE', linkPath('our'))
    expect(removal.status).toBe(202)
    expect((await call(azure, 'GET', linkPath('our'))).body).toMatchObject({
      properties: { provisioningState: 'Deleting' },
    })
    const result = new URL(removal.headers.get('location') ?? '').pathname
    expect((await call(azure, 'GET', result)).status).toBe(202)
    azure.turn(30_000)
    expect((await call(azure, 'GET', result)).status).toBe(204)
    expect((await call(azure, 'GET', linkPath('our'))).status).toBe(404)
    expect(azure.connections('contoso-kv')).toEqual([])
  })
})

describe('decisions on the vault', () => {
  test('an approval of what is not Pending is refused, an approved one may be rejected and approved again', async () => {
    await linked({ settlesMs: 0 })
    expect((await call(azure, 'PUT', pathOf(), decision('Approved'))).status).toBe(200)
    expect(codeOf(await call(azure, 'PUT', pathOf(), decision('Approved')))).toBe(
      'PrivateEndpointConnectionStatusNotPending',
    )
    expect((await call(azure, 'PUT', pathOf(), decision('Rejected'))).status).toBe(200)
    expect((await call(azure, 'PUT', pathOf(), decision('Approved'))).status).toBe(200)
  })

  test('decidedConnection pendingOnly: what is decided stays decided', async () => {
    await linked({ settlesMs: 0, decidedConnection: 'pendingOnly' })
    await call(azure, 'PUT', pathOf(), decision('Rejected'))
    for (const status of ['Approved', 'Rejected'])
      expect(codeOf(await call(azure, 'PUT', pathOf(), decision(status)))).toBe(
        'PrivateEndpointConnectionStatusNotPending',
      )
    expect(connection()?.status).toBe('Rejected')
  })

  test('a stale etag, an unmet If-Match and a write in flight are refused', async () => {
    await linked()
    expect(codeOf(await call(azure, 'PUT', pathOf(), decision('Approved', { etag: 'old' })))).toBe(
      'ConflictError',
    )
    const unmet = await call(azure, 'PUT', pathOf(), {
      ...decision('Approved'),
      headers: { 'if-match': '"old"' },
    })
    expect(unmet.status).toBe(412)
    expect(connection()?.status).toBe('Pending')
    await call(azure, 'PUT', pathOf(), decision('Approved'))
    expect((await call(azure, 'PUT', pathOf(), decision('Rejected'))).status).toBe(409)
    azure.turn(66_000)
    const { etag } = connection() ?? {}
    expect((await call(azure, 'PUT', pathOf(), decision('Rejected', { etag }))).status).toBe(200)
  })

  test('the private endpoint survives a PUT that sends an empty one, the description does not', async () => {
    await linked()
    const before = connection()?.privateEndpointId
    await call(azure, 'PUT', pathOf(), {
      body: {
        properties: { privateEndpoint: {}, privateLinkServiceConnectionState: { status: 'Approved' } },
      },
    })
    expect(connection()?.privateEndpointId).toBe(before)
    expect(connection()?.description).toBeUndefined()
  })
})

describe('each switch', () => {
  test('has its values, and refuses others', async () => {
    azure = await startAzure()
    const set = (body: unknown) => call(azure, 'POST', '/_sandbox/settings', { body })
    for (const [name, values] of Object.entries(choices)) {
      for (const value of values) expect((await set({ [name]: value })).status).toBe(200)
      expect((await set({ [name]: 'nonsense' })).status).toBe(400)
    }
    expect((await set({ nonsense: 1 })).status).toBe(400)
    expect((await set({ settlesMs: 'soon' })).status).toBe(400)
  })

  test('connectionName', async () => {
    await linked({ connectionName: 'linkName' })
    expect(connection()?.name).toBe('our')
    await azure.close()
    await linked({ connectionName: 'dotted' })
    expect(connection()?.name).toMatch(/^contoso-signalr\.[0-9a-f-]{36}$/)
    await azure.close()
    await linked()
    expect(connection()?.name).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('missingConnection', async () => {
    azure = await startAzure()
    const path = `${vaultPath()}/privateEndpointConnections/none`
    expect((await call(azure, 'GET', path)).status).toBe(404)
    azure.configure({ missingConnection: 204 })
    expect(await call(azure, 'GET', path)).toMatchObject({ status: 204, body: undefined })
  })

  test('etag', async () => {
    await linked({ etag: 'always' })
    expect(connection()?.etag).toMatch(/^[0-9a-f]{32}$/)
    await azure.close()
    await linked({ etag: 'never' })
    await call(azure, 'PUT', pathOf(), decision('Approved'))
    azure.turn(66_000)
    expect(connection()).toMatchObject({ status: 'Approved', provisioningState: 'Succeeded' })
    expect(connection()?.etag).toBeUndefined()
  })

  test('propagation never, until it follows again', async () => {
    await linked({ propagation: 'never' })
    azure.portal.approve('contoso-kv', 'owner')
    azure.turn(30 * 24 * 3_600_000)
    expect(statusOfLink()).toBe('Pending')
    await call(azure, 'GET', linkPath('our'))
    azure.configure({ propagation: 'follows' })
    expect(statusOfLink()).toBe('Approved')
    const times = azure.events.map((event) => event.at)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  test('propagation timeout', async () => {
    await linked({ propagation: 'timeout' })
    azure.portal.approve('contoso-kv', 'owner')
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Timeout')
  })

  test('extraConnections, extraDescription, extraEndpoint', async () => {
    await linked({ extraConnections: 2 })
    const [ours, ...others] = azure.connections('contoso-kv')
    expect(ours?.description).toBe(message)
    expect(others).toMatchObject([{ description: 'Please approve' }, { description: 'Please approve' }])
    await azure.close()
    await linked({ extraConnections: 1, extraDescription: 'same', extraEndpoint: 'tenant' })
    expect(azure.connections('contoso-kv')[1]).toMatchObject({
      status: 'Pending',
      description: message,
      privateEndpointId: expect.stringContaining(subscriptions.main.id),
    })
  })

  test('appearsEarly', async () => {
    azure = await startAzure({ appearsEarly: true })
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    azure.turn(5_000)
    expect(azure.links()[0]?.provisioningState).toBe('Creating')
    expect(azure.connections('contoso-kv')).toHaveLength(1)
    azure.turn(65_000)
    expect(azure.connections('contoso-kv')).toHaveLength(1)
  })

  test('descriptionCase', async () => {
    await linked({ descriptionCase: 'upper' })
    expect(connection()?.description).toBe(message.toUpperCase())
  })

  test('putAnswer and asyncHeaders', async () => {
    azure = await startAzure({ putAnswer: 200, asyncHeaders: 'location' })
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    expect(put.status).toBe(200)
    expect(put.headers.get('azure-asyncoperation')).toBeNull()
    const result = new URL(put.headers.get('location') ?? '').pathname
    expect((await call(azure, 'GET', result)).status).toBe(202)
    azure.turn(60_000)
    expect(await call(azure, 'GET', result)).toMatchObject({ status: 200, body: { name: 'our' } })
    azure.configure({ asyncHeaders: 'none', putAnswer: 201 })
    const bare = await call(azure, 'PUT', linkPath('bare'), { body: wish() })
    expect([bare.status, bare.headers.get('location')]).toEqual([201, null])
  })

  test('operationAddresses', async () => {
    azure = await startAzure({ operationAddresses: 'signed' })
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    for (const name of ['azure-asyncoperation', 'location']) {
      const address = new URL(put.headers.get(name) ?? '')
      expect(address.href.length).toBeGreaterThan(3_000)
      expect((await call(azure, 'GET', address.pathname)).status).toBe(403)
      const query = address.search.replace(/^\?api-version=[^&]*&/, '')
      expect((await call(azure, 'GET', address.pathname, { query: query.replace(/.$/, 'x') })).status).toBe(
        403,
      )
      expect([200, 202]).toContain((await call(azure, 'GET', address.pathname, { query })).status)
    }
  })

  test('retryAfterOnPolls', async () => {
    azure = await startAzure()
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    const polls = () =>
      Promise.all(
        ['azure-asyncoperation', 'location'].map(async (name) => {
          const answer = await call(azure, 'GET', new URL(put.headers.get(name) ?? '').pathname)
          return answer.headers.get('retry-after')
        }),
      )
    expect(await polls()).toEqual(['1', '1'])
    azure.configure({ retryAfterOnPolls: false })
    expect(await polls()).toEqual([null, null])
    expect(put.headers.get('retry-after')).toBeNull()
  })

  test.each(['Failed', 'Canceled'] as const)('operationOutcome %s', async (operationOutcome) => {
    azure = await startAzure({ operationOutcome })
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    azure.turn(65_000)
    const status = await call(azure, 'GET', new URL(put.headers.get('azure-asyncoperation') ?? '').pathname)
    expect(status.body).toMatchObject({
      status: operationOutcome,
      error: { code: expect.any(String), message: expect.any(String) },
    })
    expect(azure.links()[0]?.provisioningState).toBe(operationOutcome)
    expect(azure.connections('contoso-kv')).toEqual([])
    azure.configure({ operationOutcome: 'Succeeded' })
    expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(200)
    azure.turn(65_000)
    expect(azure.connections('contoso-kv')).toHaveLength(1)
  })

  test('groupIdInReply', async () => {
    azure = await startAzure({ groupIdInReply: 'vaults' })
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    expect(put.body).toMatchObject({ properties: { groupId: 'vaults' } })
  })

  test('autoApprove', async () => {
    await linked({ autoApprove: true })
    expect(connection()).toMatchObject({ status: 'Approved', provisioningState: 'Succeeded' })
    expect(connection()?.description).toBeUndefined()
    azure.turn(180_000)
    expect(statusOfLink()).toBe('Approved')
  })

  test('deletedLink', async () => {
    await linked({ deletedLink: 'disconnectsConnection' })
    await call(azure, 'DELETE', linkPath('our'))
    azure.turn(30_000)
    expect(azure.links()).toEqual([])
    expect(connection()?.status).toBe('Disconnected')
    expect(codeOf(await call(azure, 'PUT', pathOf(), decision('Approved')))).toBe(
      'PrivateEndpointConnectionStatusNotPending',
    )
  })

  test('vaultWrites', async () => {
    await linked({ extraConnections: 1 })
    await call(azure, 'PUT', pathOf(0), decision('Approved'))
    expect(codeOf(await call(azure, 'PUT', pathOf(1), decision('Rejected')))).toBe('ConflictError')
    azure.configure({ vaultWrites: 'parallel' })
    expect((await call(azure, 'PUT', pathOf(1), decision('Rejected'))).status).toBe(200)
    azure.turn(60_000)
    expect((await call(azure, 'PUT', pathOf(0), decision('Rejected'))).status).toBe(200)
    azure.turn(6_000)
    expect(azure.connections('contoso-kv').map((one) => one.provisioningState)).toEqual([
      'Updating',
      'Succeeded',
    ])
  })

  test('connectionQuota: the vault takes no more, and the operation says why', async () => {
    azure = await startAzure({ throttle: false })
    for (let made = 0; made < 64; made += 1) azure.portal.addConnection('contoso-kv', `stranger ${made}`)
    expect(() => azure.portal.addConnection('contoso-kv', 'one more')).toThrow(/as many .* as fit/)
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    expect(put.status).toBe(201)
    azure.turn(65_000)
    const status = await call(azure, 'GET', new URL(put.headers.get('azure-asyncoperation') ?? '').pathname)
    expect(status.body).toMatchObject({ status: 'Failed', error: { code: 'QuotaExceeded' } })
    expect(azure.links()[0]?.provisioningState).toBe('Failed')
    expect(azure.connections('contoso-kv')).toHaveLength(64)
    azure.portal.removeConnection('contoso-kv', 'stranger 7')
    expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(200)
    azure.turn(65_000)
    expect(azure.connections('contoso-kv')).toHaveLength(64)
    // Its own connection does not stand in its own way.
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    azure.turn(65_000)
    expect(azure.links()[0]?.provisioningState).toBe('Succeeded')
  })

  test('portalDescription', async () => {
    await linked({ portalDescription: 'overwritten' })
    azure.portal.approve('contoso-kv', 'second')
    expect(connection()?.description).toBeUndefined()
    expect(effects().at(-1)).toEqual(['connectionApproved', 'second'])
  })

  test('latencyMs holds the answers back, the admin routes excepted', async () => {
    azure = await startAzure({ latencyMs: 3_600_000 })
    const held = call(azure, 'GET', linkPath('our'))
    expect((await call(azure, 'GET', '/_sandbox/links')).status).toBe(200)
    await Promise.all([expect(held).rejects.toThrow(/fetch failed/), azure.close()])
    azure = await startAzure({ latencyMs: 1 })
    expect((await call(azure, 'GET', linkPath('our'))).status).toBe(404)
  })

  test('pageSize', async () => {
    azure = await startAzure({ pageSize: 2 })
    const seen: string[] = []
    let path: string | undefined =
      `/subscriptions/${subscriptions.main.id}/providers/Microsoft.KeyVault/vaults`
    let query = ''
    while (path !== undefined) {
      const answer: { body: unknown } = await call(azure, 'GET', path, { query })
      const { value, nextLink } = answer.body as { value: { name: string }[]; nextLink?: string }
      expect(value.length).toBeLessThanOrEqual(2)
      seen.push(...value.map(({ name }) => name))
      const next = nextLink === undefined ? undefined : new URL(nextLink)
      path = next?.pathname
      query = next ? `$skiptoken=${next.searchParams.get('$skiptoken')}` : ''
    }
    expect(seen).toHaveLength(4)
  })
})

describe('the portal', () => {
  test('lets nobody decide who may not', async () => {
    await linked()
    expect(() => azure.portal.approve('contoso-kv', 'outsider')).toThrow(/may not/)
    expect(() => azure.portal.reject('contoso-kv', 'requester')).toThrow(/may not/)
    expect(() => azure.portal.approve('contoso-kv', 'owner', 'nothing like it')).toThrow(/No such connection/)
    azure.portal.addConnection('contoso-kv', 'a stranger')
    expect(() => azure.portal.approve('contoso-kv', 'owner')).toThrow(/More than one/)
    azure.portal.reject('contoso-kv', 'owner', 'STRANGER')
    expect(azure.connections('contoso-kv').map((one) => one.status)).toEqual(['Pending', 'Rejected'])
  })

  test('deletes a link, and does all of it over HTTP', async () => {
    azure = await startAzure()
    const post = (what: string, body: unknown) =>
      call(azure, 'POST', `/_sandbox/${what}`, { body, principal: undefined })
    const made = { signalr: 'contoso-signalr', vault: 'contoso-kv', link: 'our', message: 'by hand' }
    expect((await post('portal/createLink', made)).status).toBe(200)
    await post('clock', { advanceMs: 65_000 })
    const listed = await call(azure, 'GET', '/_sandbox/connections', { query: 'vault=contoso-kv' })
    expect(listed.body).toMatchObject([{ status: 'Pending', description: 'by hand' }])
    expect((await post('portal/approve', { vault: 'contoso-kv', by: 'outsider' })).status).toBe(400)
    expect((await post('portal/approve', { vault: 'contoso-kv', by: 'owner' })).status).toBe(200)
    await post('clock', { advanceMs: 180_000 })
    expect((await call(azure, 'GET', '/_sandbox/links')).body).toMatchObject([{ status: 'Approved' }])
    expect((await post('portal/reject', { vault: 'contoso-kv', by: 'owner' })).status).toBe(200)
    await post('clock', { advanceMs: 66_000 })
    expect((await post('portal/removeConnection', { vault: 'contoso-kv' })).status).toBe(200)
    await post('portal/addConnection', { vault: 'contoso-kv', description: 'x', status: 'Rejected' })
    expect((await post('portal/deleteLink', { signalr: 'contoso-signalr', link: 'our' })).status).toBe(200)
    await post('clock', { advanceMs: 30_000 })
    expect((await call(azure, 'GET', '/_sandbox/links')).body).toEqual([])
    const grant: SeedAssignment = { principalId: people.guest.objectId, role: 'reader', scope: vaultPath() }
    expect((await post('rights/grant', grant)).status).toBe(200)
    const asGuest = () => call(azure, 'GET', vaultPath(), { principal: people.guest.objectId })
    expect((await asGuest()).status).toBe(200)
    await post('rights/deny', { principalId: people.guest.objectId, action: '*/read', scope: vaultPath() })
    expect((await asGuest()).status).toBe(403)
    expect((await post('rights/revoke', grant)).status).toBe(200)
    expect((await post('rights/revoke', grant)).status).toBe(400)
    expect((await post('nothing', {})).status).toBe(404)
    const events = await call(azure, 'GET', '/_sandbox/events', { query: 'since=1' })
    expect(events.body).toHaveLength(azure.events.length - 1)
  })
})
