import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people, subscriptions, tenantId, vaults } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

let azure: Azure
let now = Date.parse('2030-01-01T00:00:00Z')
beforeEach(async () => {
  now = Date.parse('2030-01-01T00:00:00Z')
  azure = await startAzure({ clock: () => now })
})
afterEach(() => azure.close())

const get = (path: string, options: Parameters<typeof call>[3] = {}) => call(azure, 'GET', path, options)
const main = `/subscriptions/${subscriptions.main.id}`

describe('what ARM says to a call that goes wrong', () => {
  test.each([
    ['no token', 401, 'AuthenticationFailed', vaultPath(), { principal: undefined }],
    [
      'a token that is none',
      401,
      'InvalidAuthenticationToken',
      vaultPath(),
      { principal: undefined, headers: { authorization: 'Bearer a.b.c' } },
    ],
    [
      'a header that is none',
      401,
      'AuthenticationFailedInvalidHeader',
      vaultPath(),
      { principal: undefined, headers: { authorization: 'Basic eDp5' } },
    ],
    ['no api-version', 400, 'MissingApiVersionParameter', vaultPath(), { version: '' }],
    ['an unknown api-version', 400, 'NoRegisteredProviderFound', vaultPath(), { version: '1999-01-01' }],
    ['an unknown subscription', 404, 'SubscriptionNotFound', vaultPath().replace(/0000/, '9999'), {}],
    [
      'no subscription id',
      400,
      'InvalidSubscriptionId',
      '/subscriptions/x/providers/Microsoft.KeyVault/vaults',
      {},
    ],
    ['an unknown group', 404, 'ResourceGroupNotFound', vaultPath('contoso-kv', 'nowhere'), {}],
    ['an unknown vault', 404, 'ResourceNotFound', vaultPath('nothing'), {}],
    ['an unknown SignalR', 404, 'ResourceNotFound', `${signalrPath}x`, {}],
    ['a link of an unknown SignalR', 404, 'ParentResourceNotFound', linkPath('our', `${signalrPath}x`), {}],
    ['a link that is not there', 404, 'ResourceNotFound', linkPath('our'), {}],
    [
      'an unknown provider',
      404,
      'InvalidResourceNamespace',
      `${main}/providers/Microsoft.Nothing/things`,
      {},
    ],
    ['an unknown type', 404, 'InvalidResourceType', `${main}/providers/Microsoft.KeyVault/safes`, {}],
    ['a path that is none', 404, 'NotFound', '/nothing', {}],
    [
      'an operation that is not there',
      404,
      'NotFound',
      `${signalrPath}/operationStatuses/00000000-0000-0000-0000-000000000000`,
      {},
    ],
  ])('%s', async (_, status, code, path, options) => {
    const answer = await get(path, options)
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })

  test.each([
    ['that has expired', 'ExpiredAuthenticationToken', { exp: Math.floor(Date.now() / 1000) - 1 }],
    ['for something else', 'InvalidAuthenticationTokenAudience', { aud: 'https://graph.microsoft.com/' }],
    [
      'of another tenant',
      'InvalidAuthenticationTokenTenant',
      { tid: '11111111-0000-4000-8000-000000000000' },
    ],
    ['that names nobody', 'InvalidAuthenticationToken', { oid: undefined }],
  ])('a token %s', async (_, code, claims) => {
    const read = async (token: string) =>
      get(vaultPath(), { principal: undefined, headers: { authorization: `Bearer ${token}` } })
    const answer = await read(await azure.identity.tokenFor(bot.objectId, claims))
    expect([answer.status, codeOf(answer)]).toEqual([401, code])
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer authorization_uri=/)
    const good = await azure.identity.tokenFor(bot.objectId)
    expect((await read(good)).status).toBe(200)
    const [header, payload, signature = ''] = good.split('.')
    const forged = Buffer.from(
      JSON.stringify({
        ...JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()),
        oid: people.owner.objectId,
      }),
    ).toString('base64url')
    for (const other of [`${header}.${forged}.${signature}`, `${header}.${payload}.`]) {
      const refused = await read(other)
      expect([refused.status, codeOf(refused)]).toEqual([401, 'InvalidAuthenticationToken'])
    }
  })

  test('a body that is not JSON, one that is too large, a method that is not there', async () => {
    const token = await azure.identity.tokenFor(bot.objectId)
    const send = (method: string, body: string) =>
      fetch(`${azure.url}${linkPath('our')}?api-version=2024-03-01`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        body,
      }).then((response) => response.status)
    expect(await send('PUT', '{')).toBe(400)
    expect(await send('PUT', JSON.stringify('x'.repeat(1_100_000)))).toBe(413)
    expect(await send('PATCH', '{}')).toBe(405)
    expect(azure.links()).toEqual([])
  })
})

describe('the envelope', () => {
  test('paths match without regard to case or doubled slashes', async () => {
    const odd = vaultPath('CONTOSO-KV')
      .replace('resourceGroups', 'resourcegroups')
      .replace('KeyVault', 'Keyvault')
    expect((await get(`/${odd}`)).body).toMatchObject({ id: vaults[0]?.id })
    await call(azure, 'PUT', linkPath('Our').toUpperCase(), { body: wish() })
    expect((await get(linkPath('our'))).status).toBe(200)
  })

  test('bears request ids, echoes the correlation id, and counts the bucket down', async () => {
    const id = '11111111-2222-4333-8444-555555555555'
    const headers = { 'x-ms-correlation-request-id': id, 'x-ms-client-request-id': id }
    const first = await get(vaultPath(), { headers })
    expect(first.headers.get('x-ms-correlation-request-id')).toBe(id)
    expect(first.headers.get('x-ms-client-request-id')).toBe(id)
    expect(first.headers.get('keep-alive')).toBe('timeout=120')
    expect(first.headers.get('x-ms-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(first.headers.get('x-ms-routing-request-id')).toBe(`WESTEUROPE:20300101T000000Z:${id}`)
    expect(first.headers.get('x-ms-ratelimit-remaining-subscription-reads')).toBe('249')
    expect((await get(vaultPath())).headers.get('x-ms-ratelimit-remaining-subscription-reads')).toBe('248')
    now += 1_000
    expect((await get(vaultPath())).headers.get('x-ms-ratelimit-remaining-subscription-reads')).toBe('249')
    const put = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    expect(put.headers.get('x-ms-ratelimit-remaining-subscription-writes')).toBe('199')
    expect(put.headers.get('azure-asyncoperation')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//)
    const tls = await call(azure, 'DELETE', linkPath('x'), { headers: { 'x-forwarded-proto': 'https' } })
    expect(tls.headers.get('x-ms-ratelimit-remaining-subscription-deletes')).toBe('199')
  })

  test('bears what each provider says of itself, on its own answers alone', async () => {
    const of = async (path: string, options = {}) => (await get(path, options)).headers
    const vault = await of(vaultPath())
    expect(vault.get('x-ms-keyvault-service-version')).toMatch(/^\d+(\.\d+)+$/)
    expect([vault.get('server'), vault.get('expires'), vault.get('pragma')]).toEqual([
      'Microsoft-IIS/10.0',
      '-1',
      'no-cache',
    ])
    const signalr = await of(signalrPath)
    expect(signalr.get('x-rp-server-mvid')).toMatch(/^[0-9a-f-]{36}$/)
    expect(signalr.get('x-ms-keyvault-service-version')).toBeNull()
    const assignments = await of(`${vaultPath()}/providers/Microsoft.Authorization/roleAssignments`)
    const refused = await of(vaultPath(), { principal: people.guest.objectId })
    for (const headers of [assignments, refused, await of(main)]) {
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains')
      expect(headers.get('server')).toBeNull()
    }
    const nothing = await call(azure, 'DELETE', linkPath('none'))
    expect([nothing.status, nothing.headers.get('content-length')]).toEqual([204, null])
  })

  test('an empty bucket answers 429 until it fills again; other principals have their own', async () => {
    for (let used = 0; used < 250; used += 1) expect((await get(vaultPath())).status).toBe(200)
    const refused = await get(vaultPath())
    expect([refused.status, codeOf(refused)]).toEqual([429, 'SubscriptionRequestsThrottled'])
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await get(vaultPath(), { principal: people.owner.objectId })).status).toBe(200)
    now += 1_000
    expect((await get(vaultPath())).status).toBe(200)
    azure.configure({ throttle: false })
    for (let used = 0; used < 30; used += 1) expect((await get(vaultPath())).status).toBe(200)
  })

  test('Resource Graph allows fifteen queries in five seconds', async () => {
    const ask = () =>
      call(azure, 'POST', '/providers/Microsoft.ResourceGraph/resources', {
        version: '2024-04-01',
        body: { query: 'resources | count' },
      })
    const first = await ask()
    expect(first.body).toMatchObject({ data: [{ Count: 11 }] })
    expect(first.headers.get('x-ms-user-quota-remaining')).toBe('14')
    for (let used = 1; used < 15; used += 1) await ask()
    expect([(await ask()).status, codeOf(await ask())]).toEqual([429, 'RateLimiting'])
  })

  test('what goes on after its answer says where to ask and when, and says it again meanwhile', async () => {
    azure.rights.grant(bot.objectId, 'owner', main)
    azure.portal.addConnection('contoso-kv', 'x')
    const connection = azure.connections('contoso-kv')[0]?.id ?? ''
    const move = { resources: [signalrPath], targetResourceGroup: `${main}/resourceGroups/solo` }
    const contoso = `${main}/resourceGroups/contoso`
    for (const begun of [
      await call(azure, 'DELETE', connection),
      await call(azure, 'POST', `${contoso}/moveResources`, { body: move }),
    ]) {
      const location = begun.headers.get('location') ?? ''
      const authorization = `Bearer ${await azure.identity.tokenFor(bot.objectId)}`
      const polled = await fetch(location, { headers: { authorization } })
      for (const { status, headers } of [begun, polled]) {
        expect([status, headers.get('retry-after')]).toEqual([202, '1'])
        expect(headers.get('location')).toBe(location)
      }
    }
  })

  test('listens on loopback alone and tells what it did', async () => {
    expect(azure.url).toBe(`http://127.0.0.1:${azure.port}`)
    const heard: unknown[] = []
    const stop = azure.onEvent((event) => heard.push(event))
    await call(azure, 'PUT', linkPath('our'), { body: wish() })
    stop()
    await get(linkPath('our'))
    expect(heard).toMatchObject([
      { kind: 'effect', what: 'linkCreated' },
      {
        kind: 'arm',
        at: now,
        method: 'PUT',
        path: linkPath('our'),
        query: 'api-version=2024-03-01',
        status: 201,
        requestBody: wish(),
        body: { name: 'our' },
        principal: bot.objectId,
        write: true,
      },
    ])
    expect(JSON.stringify(azure.events)).not.toContain('Bearer')
    expect(azure.events.at(-1)).toMatchObject({ kind: 'arm', method: 'GET', write: false })
  })
})

describe('faults', () => {
  test('before: the call does not act; after: it acts and the answer lies', async () => {
    azure.fail({
      method: 'put',
      path: /sharedPrivateLinkResources/i,
      times: 1,
      status: 503,
      code: 'ServerBusy',
      headers: { 'retry-after': '7' },
    })
    expect((await get(linkPath('our'))).status).toBe(404)
    const refused = await call(azure, 'PUT', linkPath('our'), { body: wish() })
    expect([refused.status, codeOf(refused), refused.headers.get('retry-after')]).toEqual([
      503,
      'ServerBusy',
      '7',
    ])
    expect(azure.links()).toEqual([])
    azure.fail({ method: 'PUT', times: 1, when: 'after', status: 500 })
    expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(500)
    expect(azure.links()).toHaveLength(1)
    expect((await call(azure, 'PUT', linkPath('our'), { body: wish() })).status).toBe(409)
  })

  test('that nobody could have meant are refused over HTTP, and none is to come', async () => {
    const post = (what: string, text: string) =>
      fetch(`${azure.url}/_sandbox/${what}`, { method: 'POST', body: text }).then((answer) => answer.json())
    const said = (message: RegExp | string) => ({
      error: { code: 'Refused', message: expect.stringMatching(message) },
    })
    for (const what of ['fail', 'settings', 'clock'])
      expect(await post(what, '{')).toEqual(said('The body is not JSON.'))
    expect(await post('fail', '{"time": 3}')).toEqual(
      said(/^A fault has no time; it has method, path, times/),
    )
    expect(await post('fail', '{"status": "503"}')).toEqual(said('status is not a number'))
    expect(await post('fail', '{"path": 1}')).toEqual(said('path is not a text'))
    expect(await post('fail', '{"how": "slowly"}')).toEqual(
      said('how is one of answer, page, reset, hang, truncate, garble, empty, expire'),
    )
    expect((await call(azure, 'GET', '/_sandbox/token')).body).toEqual(said('principal is missing'))
    expect((await get(vaultPath())).status).toBe(200)
  })

  test('a reset cuts the connection, before or after', async () => {
    azure.fail({ times: 1, how: 'reset' })
    await expect(call(azure, 'PUT', linkPath('our'), { body: wish() })).rejects.toThrow(/fetch failed/)
    expect(azure.links()).toEqual([])
    azure.fail({ times: 1, how: 'reset', when: 'after' })
    await expect(call(azure, 'PUT', linkPath('our'), { body: wish() })).rejects.toThrow(/fetch failed/)
    expect(azure.links()).toHaveLength(1)
    expect(azure.events.at(-1)).toMatchObject({ method: 'PUT', status: 0 })
  })

  test('a hung call never answers, and closing does not wait for it', async () => {
    await call(azure, 'POST', '/_sandbox/fail', { body: { path: '/VAULTS/', times: 2, how: 'hang' } })
    const heard = new Promise<void>((resolve) => azure.onEvent(() => resolve()))
    const hung = get(vaultPath())
    await heard
    expect((await get(linkPath('our'))).status).toBe(404)
    await azure.close()
    await expect(hung).rejects.toThrow(/fetch failed/)
    azure = await startAzure()
  })
})

describe('the role graph', () => {
  const decide = {
    body: { properties: { privateLinkServiceConnectionState: { status: 'Approved', description: 'x' } } },
  }
  const as = (person: keyof typeof people) => ({ principal: people[person].objectId })

  test('holds for every call, with the sentence that Azure says', async () => {
    const refused = await call(azure, 'PUT', linkPath('our'), { ...as('outsider'), body: wish() })
    expect(refused).toMatchObject({
      status: 403,
      body: {
        error: {
          code: 'AuthorizationFailed',
          message: `The client '${people.outsider.objectId}' with object id '${people.outsider.objectId}' does not have authorization to perform action 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write' over scope '${linkPath('our')}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
        },
      },
    })
    expect(azure.links()).toEqual([])
    expect((await call(azure, 'PUT', linkPath('our'), { ...as('requester'), body: wish() })).status).toBe(201)
    azure.turn(65_000)
    const path = azure.connections('contoso-kv')[0]?.id ?? ''
    for (const person of ['requester', 'lone', 'outsider', 'guest'] as const)
      expect((await call(azure, 'PUT', path, { ...as(person), ...decide })).status).toBe(403)
    expect(azure.connections('contoso-kv')[0]?.status).toBe('Pending')
    expect((await call(azure, 'PUT', path, { ...as('second'), ...decide })).status).toBe(200)
  })

  test('a write without the approval action is not enough', async () => {
    azure.portal.addConnection('contoso-kv', 'x')
    const path = azure.connections('contoso-kv')[0]?.id ?? ''
    azure.rights.deny(
      people.owner.objectId,
      'Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/*',
      vaultPath(),
    )
    const refused = await call(azure, 'PUT', path, { ...as('owner'), ...decide })
    expect(refused.status).toBe(403)
    expect(JSON.stringify(refused.body)).toContain('PrivateEndpointConnectionsApproval/action')
  })

  test('notActions, conditions, denials, revoked roles and management groups count', async () => {
    const guest = people.guest.objectId
    const read = () => get(vaultPath(), { principal: guest })
    expect((await read()).status).toBe(403)
    azure.rights.grant(guest, 'contributor', main)
    expect((await read()).status).toBe(200)
    azure.rights.revoke(guest, 'contributor', main)
    expect((await read()).status).toBe(403)
    azure.rights.grant(guest, 'reader', '/providers/Microsoft.Management/managementGroups/elsewhere')
    expect((await read()).status).toBe(403)
    azure.rights.grant(guest, 'reader', `/providers/Microsoft.Management/managementGroups/${tenantId}`)
    expect((await read()).status).toBe(200)
    azure.rights.deny(guest, '*', vaultPath())
    expect((await read()).status).toBe(403)
    await azure.close()
    const conditional = {
      principalId: guest,
      role: 'reader',
      scope: main,
      condition: "@Resource[a] StringEquals 'b'",
    } as const
    azure = await startAzure({ seed: { assignments: [conditional] } })
    expect((await read()).status).toBe(403)
  })

  test('are given to object ids, on scopes that can be', () => {
    const guest = people.guest.objectId
    for (const scope of ['/', main, vaultPath(), '/providers/Microsoft.Management/managementGroups/root'])
      expect(() => azure.rights.grant(guest, 'reader', scope)).not.toThrow()
    expect(() => azure.rights.grant('guest', 'reader', main)).toThrow('guest is no object id')
    for (const scope of ['', 'contoso-kv', '/elsewhere', `/subscriptions/${guest}`, `${main}x`])
      for (const give of [azure.rights.grant, azure.rights.deny])
        expect(() => give(guest, 'reader', scope)).toThrow(`There is no scope ${scope}`)
  })

  test('a role may be edited, over HTTP too', async () => {
    const guest = people.guest.objectId
    const read = async () => (await get(vaultPath(), { principal: guest })).status
    azure.rights.grant(guest, 'reader', main)
    expect(await read()).toBe(200)
    const edit = (role: string, notActions: unknown) =>
      call(azure, 'POST', '/_sandbox/rights/redefine', { body: { role, actions: ['*'], notActions } })
    expect((await edit('reader', ['*/vaults/READ'])).status).toBe(200)
    expect(await read()).toBe(403)
    expect((await edit('reader', [])).status).toBe(200)
    expect(await read()).toBe(200)
    for (const refused of [edit('none', []), edit('reader', '*'), edit('reader', [1])])
      expect((await refused).status).toBe(400)
  })

  test('what a role takes back, another one may still give', async () => {
    await azure.close()
    const guest = people.guest.objectId
    const of = (role: string) => ({ principalId: guest, role, scope: main })
    azure = await startAzure({
      seed: {
        roles: {
          most: { name: 'Most', actions: ['*'], notActions: ['microsoft.keyvault/*/READ'] },
          some: { name: 'Some', actions: ['Microsoft.KeyVault/vaults/read'], notActions: [] },
        },
        assignments: [of('most')],
      },
    })
    const read = async () => (await get(vaultPath(), { principal: guest })).status
    expect(await read()).toBe(403)
    expect((await get(signalrPath, { principal: guest })).status).toBe(200)
    azure.rights.grant(guest, 'some', main)
    expect(await read()).toBe(200)
  })

  test('a list shows what may be read, and is refused where nothing may', async () => {
    const names = async (person: keyof typeof people, path: string) => {
      const answer = await get(path, as(person))
      return answer.status === 200
        ? (answer.body as { value: { name: string }[] }).value.map(({ name }) => name)
        : answer.status
    }
    const all = `${main}/providers/Microsoft.KeyVault/vaults`
    expect(await names('owner', all)).toEqual(['contoso-kv', 'contoso-certs'])
    expect(await names('lone', all)).toEqual(['solo-kv'])
    expect(await names('guest', all)).toBe(403)
    expect(await names('requester', `${main}/providers/Microsoft.SignalRService/SignalR`)).toHaveLength(5)
    expect(await names('outsider', `${main}/resourceGroups`)).toEqual(
      expect.arrayContaining(['contoso', 'chat-blue', 'chat-green', 'solo', 'orphan']),
    )
    const subscriptionsOf = async (person: keyof typeof people) => {
      const { value } = (await get('/subscriptions', as(person))).body as {
        value: { subscriptionId: string }[]
      }
      return value.map(({ subscriptionId }) => subscriptionId)
    }
    expect(await subscriptionsOf('guest')).toEqual([])
    expect(await subscriptionsOf('lone')).toEqual([subscriptions.main.id])
    expect((await get(main, as('guest'))).status).toBe(403)
    expect((await get(main, as('lone'))).body).toMatchObject({ displayName: 'Contoso' })
  })

  test('rights can be read by those who may, and definitions carry their actions', async () => {
    const listed = `${vaultPath()}/providers/Microsoft.Authorization/roleAssignments`
    expect((await get(listed, as('owner'))).status).toBe(403)
    expect((await get(listed)).status).toBe(200)
    const definitions = await get(`${main}/providers/Microsoft.Authorization/roleDefinitions`, {
      query: "$filter=roleName eq 'Contributor'",
    })
    expect(definitions.body).toMatchObject({
      value: [
        { name: 'b24988ac-6180-42a0-ab88-20f7382dd24c', properties: { permissions: [{ actions: ['*'] }] } },
      ],
    })
  })
})

test('replicas are listed', async () => {
  const replicas = await get(`${signalrPath.replace('contoso-signalr', 'contoso-global')}/replicas`)
  expect(replicas.body).toMatchObject({
    value: [{ name: 'contoso-global-us', properties: { provisioningState: 'Succeeded' } }],
  })
})
