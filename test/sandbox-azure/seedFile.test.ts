import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from '@jest/globals'
import { parseSeed, seedMembers } from '../../sandbox/azure/seedFile.ts'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { defaults } from '../../sandbox/azure/switches.ts'
import { bot, directory, people, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, vaultPath, wish } from './clients.ts'

const open: Azure[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((azure) => azure.close()))
})

const noon = Date.parse('2030-01-01T12:00:00Z')
const clock = () => noon

function seedOf(file: unknown) {
  const read = parseSeed(JSON.stringify(file), noon)
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  return read.seed
}
const problemsOf = (file: unknown) => {
  const read = parseSeed(typeof file === 'string' ? file : JSON.stringify(file), noon)
  return 'problems' in read ? read.problems : []
}
async function start(file: unknown): Promise<Azure> {
  const azure = await startAzure({ seed: seedOf(file), clock })
  open.push(azure)
  return azure
}
const worldOf = (azure: Azure) => JSON.parse(JSON.stringify(azure.world()))

const mine = '11111111-2222-4333-8444-555555555555'
const ada = 'aaaaaaaa-2222-4333-8444-555555555555'
const minimal = {
  subscriptions: [{ id: mine, name: 'Mine' }],
  people: [{ name: 'ada', objectId: ada }],
  signalR: [{ name: 'chat' }],
  vaults: [{ name: 'certs' }],
}
const within = (name: string, subscription = mine) => `/subscriptions/${subscription}/resourceGroups/${name}`
const signalr = (name: string, group = 'sandbox') =>
  `${within(group)}/providers/Microsoft.SignalRService/SignalR/${name}`
const vault = (name: string, group = 'sandbox') =>
  `${within(group)}/providers/Microsoft.KeyVault/vaults/${name}`

describe('a seed file', () => {
  test('of a few lines is a world in which a link can be asked for, approved and used', async () => {
    const azure = await start(minimal)
    const as = { principal: ada }
    const asked = await call(azure, 'PUT', linkPath('our', signalr('chat')), {
      ...as,
      body: wish('please', vault('certs')),
    })
    expect(asked.status).toBe(201)
    azure.turn(65_000)
    const path = azure.connections('certs')[0]?.id ?? ''
    const approval = { properties: { privateLinkServiceConnectionState: { status: 'Approved' } } }
    expect((await call(azure, 'PUT', path, { ...as, body: approval })).status).toBe(200)
    azure.turn(180_000)
    expect((await call(azure, 'GET', linkPath('our', signalr('chat')), as)).body).toMatchObject({
      properties: { status: 'Approved' },
      systemData: { createdBy: ada, createdByType: 'User', createdAt: '2030-01-01T12:00:00.000Z' },
    })
    expect((await call(azure, 'GET', `/subscriptions/${mine}`, as)).body).toMatchObject({
      displayName: 'Mine',
    })
    const assignments = await call(
      azure,
      'GET',
      `${vault('certs')}/providers/Microsoft.Authorization/roleAssignments`,
      as,
    )
    expect(assignments.body).toMatchObject({
      value: [
        {
          id: expect.stringMatching(/^\/providers\/Microsoft\.Authorization\/roleAssignments\//),
          properties: { principalId: ada, principalType: 'User', scope: '/' },
        },
      ],
    })
    // Nothing of the usual world is left in it.
    expect((await call(azure, 'GET', vaultPath())).status).toBe(404)
    expect((await call(azure, 'GET', vault('certs'))).status).toBe(403)
  })

  test('is explained in the README, by an example that works and with every member', async () => {
    const readme = readFileSync(new URL('../../sandbox/azure/README.md', import.meta.url), 'utf8')
    const example = /```json\n(.*?)```/s.exec(readme)?.[1] ?? ''
    expect(JSON.parse(example)).toEqual(minimal)
    for (const member of seedMembers) expect(readme).toMatch(new RegExp(`^\\|.*\`${member}\`.*\\|`, 'm'))
  })

  test('of nothing has a subscription and an admin, the same ones at every start', async () => {
    const [one, other] = [worldOf(await start({})), worldOf(await start({}))]
    expect(one).toMatchObject({ subscriptions: [{ name: 'Sandbox' }], people: [{ name: 'admin' }] })
    expect(other.people).toEqual(one.people)
    const azure = await start({ resourceGroups: [{ name: 'bare' }] })
    const groups = await call(azure, 'GET', `/subscriptions/${one.subscriptions[0].id}/resourceGroups`, {
      principal: one.people[0].objectId,
    })
    expect(groups.body).toMatchObject({ value: [{ name: 'bare', location: 'westeurope' }] })
  })

  test('says everything that a world holds', async () => {
    const azure = await start({
      ...minimal,
      people: [...minimal.people, { name: 'bo', displayName: 'Bo Berg', guest: true }],
      groups: [{ name: 'owners', members: ['bo', 'robot'] }],
      applications: [
        { name: 'robot', appId: mine, objectId: bot.objectId, secret: 's3cret', managedIdentity: true },
      ],
      roleDefinitions: [
        { name: 'looker', roleName: 'Only looks', actions: ['*'], notActions: ['*/write', '*/delete'] },
      ],
      roleAssignments: [
        { principal: 'owners', role: 'looker', scope: 'certs' },
        { principal: ada, role: 'reader' },
        { principal: 'robot', role: 'owner', scope: within('more') },
        { principal: 'bo', role: 'owner', scope: vault('certs'), condition: 'some' },
      ],
      denyAssignments: [{ principal: 'bo', actions: ['Microsoft.KeyVault/vaults/read'], scope: 'certs' }],
      resourceGroups: [{ id: within('more'), location: 'northeurope', tags: { a: 'b' } }],
      signalR: [
        { id: signalr('chat').replace('SignalR/', 'signalr/'), sku: 'Premium_P1', replicas: ['chat-us'] },
      ],
      webPubSub: [
        {
          name: 'pubs',
          resourceGroup: 'more',
          tags: { c: 'd' },
          capacity: 2,
          properties: { disableLocalAuth: true },
          createdAt: '2029-12-24T10:00:00+02:00',
          createdBy: ada,
          sharedPrivateLinkResources: [
            { name: 'to-certs', privateLinkResourceId: 'certs', status: 'Approved', requestMessage: 'hi' },
          ],
        },
      ],
      vaults: [
        {
          name: 'certs',
          publicNetworkAccess: 'Disabled',
          privateEndpointConnections: [
            { name: 'ours', sharedPrivateLinkResource: 'to-certs', status: 'Approved' },
            { description: 'a stranger' },
          ],
        },
      ],
      locks: [{ scope: 'certs', name: 'keep', level: 'ReadOnly', notes: 'for now' }],
      registrations: [{ subscription: mine, namespace: 'Microsoft.SignalRService', registered: false }],
      settings: { provisioningMs: 1, throttle: false, etag: 'never' },
      clockAheadMs: 60_000,
    })
    const get = async (path: string, principal: string) =>
      (await call(azure, 'GET', path, { principal })).status
    const robot = bot.objectId
    expect(await get(vault('certs'), robot)).toBe(200)
    const bo = worldOf(azure).people[1].objectId
    expect(await get(vault('certs'), bo)).toBe(403)
    expect(await get(`${vault('certs')}/privateEndpointConnections`, bo)).toBe(200)
    expect(await get(signalr('chat'), robot)).toBe(403)
    expect(await get(signalr('chat'), ada)).toBe(200)
    const pubs = signalr('pubs', 'more').replace('SignalR/', 'webPubSub/')
    expect((await call(azure, 'GET', pubs)).body).toMatchObject({
      sku: { capacity: 2 },
      tags: { c: 'd' },
      systemData: { createdAt: '2029-12-24T08:00:00.000Z', createdBy: ada, createdByType: 'User' },
      properties: {
        disableLocalAuth: true,
        sharedPrivateLinkResources: [
          {
            systemData: { createdAt: '2030-01-01T12:00:00.000Z' },
            properties: { privateLinkResourceId: vault('certs'), status: 'Approved', requestMessage: 'hi' },
          },
        ],
      },
    })
    expect((await call(azure, 'GET', within('more'))).body).toMatchObject({
      location: 'northeurope',
      tags: { a: 'b' },
    })
    expect(azure.connections('certs')).toMatchObject([
      { name: 'ours', status: 'Approved' },
      { status: 'Pending', description: 'a stranger' },
    ])
    azure.rights.grant(ada, 'owner', '/')
    const refusedAs = async (method: string, path: string) =>
      codeOf(await call(azure, method, path, { principal: ada, body: { location: 'westeurope' } }))
    expect(await refusedAs('PUT', signalr('new'))).toBe('MissingSubscriptionRegistration')
    expect(() => azure.portal.reject('certs', 'ada', 'ours')).toThrow(/locked/)
    const lock = `${vault('certs')}/providers/Microsoft.Authorization/locks/keep`
    const asAda = { principal: ada, version: '2020-05-01' }
    expect((await call(azure, 'GET', lock, asAda)).body).toMatchObject({
      properties: { level: 'ReadOnly', notes: 'for now' },
    })
    expect((await call(azure, 'DELETE', lock, asAda)).status).toBe(200)
    // The connection belongs to the link: what is decided about it reaches Web PubSub.
    azure.portal.reject('certs', 'ada', 'ours')
    azure.turn(180_000)
    expect(azure.links()).toMatchObject([{ status: 'Rejected' }])
    expect(() => azure.portal.reject('certs', 'owner', 'ours')).toThrow('by is one of ada, bo')
    const world = worldOf(azure)
    expect(world.settings).toEqual({ provisioningMs: 1, throttle: false, etag: 'never' })
    expect(world.clockAheadMs).toBe(60_000 + 180_000)
    expect(world.signalR).toMatchObject([{ id: signalr('chat'), sku: 'Premium_P1', replicas: ['chat-us'] }])
    expect(world.applications).toEqual([
      {
        name: 'robot',
        appId: mine,
        objectId: robot,
        displayName: 'robot',
        secret: 's3cret',
        managedIdentity: true,
      },
    ])
    expect(world.roleAssignments.map(({ id: _, ...one }: { id: string }) => one)).toEqual([
      { principal: 'owners', role: 'looker', scope: vault('certs') },
      { principal: 'ada', role: 'reader', scope: '/' },
      { principal: 'robot', role: 'owner', scope: within('more') },
      { principal: 'bo', role: 'owner', scope: vault('certs'), condition: 'some' },
      { principal: 'ada', role: 'owner', scope: '/' },
    ])
  })
})

describe('a kept world', () => {
  test('goes on with its locks, deleted vaults, registrations and moves', async () => {
    const azure = await start({
      ...minimal,
      resourceGroups: [{ name: 'new' }],
      vaults: [{ name: 'certs' }, { name: 'old' }, { name: 'moving' }],
    })
    const as = { principal: ada, version: '2021-04-01' }
    const lock = `${vault('certs')}/providers/Microsoft.Authorization/locks/stay`
    await call(azure, 'PUT', lock, {
      principal: ada,
      version: '2016-09-01',
      body: { properties: { level: 'ReadOnly' } },
    })
    await call(azure, 'DELETE', vault('old'), { principal: ada })
    await call(azure, 'POST', `/subscriptions/${mine}/providers/Microsoft.SignalRService/unregister`, as)
    const move = await call(azure, 'POST', `${within('sandbox')}/moveResources`, {
      ...as,
      body: { resources: [vault('moving')], targetResourceGroup: within('new') },
    })
    const result = new URL(move.headers.get('location') ?? '').pathname

    const next = await start(worldOf(azure))
    expect(worldOf(next)).toEqual(worldOf(azure))
    expect(codeOf(await call(next, 'DELETE', vault('certs'), { principal: ada }))).toBe('ScopeLocked')
    const deleted = await call(
      next,
      'GET',
      `/subscriptions/${mine}/providers/Microsoft.KeyVault/deletedVaults`,
      {
        principal: ada,
      },
    )
    expect(deleted.body).toMatchObject({ value: [{ name: 'old' }] })
    next.turn(3_600_000)
    expect((await call(next, 'GET', result, as)).status).toBe(204)
    expect((await call(next, 'GET', vault('moving', 'new'), { principal: ada })).status).toBe(200)
    const refused = await call(next, 'PUT', linkPath('our', signalr('chat')), {
      principal: ada,
      body: wish('please', vault('certs')),
    })
    expect(codeOf(refused)).toBe('MissingSubscriptionRegistration')
  })
})

describe('who can sign in', () => {
  test('is whom the file names, with what it says or what the usual people have', async () => {
    const azure = await start({
      ...minimal,
      applications: [
        { name: 'robot', appId: mine, secret: 's3cret', managedIdentity: true },
        { name: 'mute' },
      ],
    })
    const { tenantId } = azure.identity.directory
    const token = async (form: Record<string, string>) => {
      const answer = await fetch(`${azure.url}/${tenantId}/oauth2/v2.0/token`, {
        method: 'POST',
        body: new URLSearchParams({ scope: 'https://management.azure.com/.default', ...form }),
      })
      const { access_token } = (await answer.json()) as { access_token?: string }
      return access_token
    }
    const robot = { grant_type: 'client_credentials', client_id: mine, client_secret: 's3cret' }
    const header = { authorization: `Bearer ${await token(robot)}` }
    const read = await call(azure, 'GET', vault('certs'), { principal: undefined, headers: header })
    expect(read.status).toBe(200)
    expect(await token({ ...robot, client_secret: 'other' })).toBeUndefined()
    const azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
    const password = { grant_type: 'password', client_id: azureCli, password: 'sandbox-password' }
    expect(await token({ ...password, username: 'ada@contoso.example' })).toBeDefined()
    expect(await token({ ...password, username: 'owner@contoso.example' })).toBeUndefined()
    const { IDENTITY_ENDPOINT, IDENTITY_HEADER } = azure.identity.environment
    const managed = await fetch(
      `${IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://management.azure.com/`,
      { headers: { 'x-identity-header': IDENTITY_HEADER } },
    )
    expect(await managed.json()).toMatchObject({ client_id: mine })
  })

  test('is in the usual world whom its seed says', async () => {
    const azure = await startAzure()
    open.push(azure)
    expect(azure.identity.directory).toEqual(directory)
  })
})

describe('what is wrong with a file', () => {
  test('is said all at once, each with its path and what to write instead', () => {
    const file = {
      subscription: [],
      tenantId: 'contoso',
      subscriptions: [{ id: mine }, { id: mine.toUpperCase() }, { name: 'x' }],
      people: [{ name: 'ada' }, { name: 'ada', guest: 'no' }, { objectId: 7 }, 'bo'],
      groups: [{ name: 'all', members: ['ada', 'bo'] }],
      applications: [
        { name: 'app', objectId: ada },
        { name: 'twin', objectId: ada },
      ],
      roleDefinitions: [{ name: 'owner', actions: ['*'] }, { name: 'mine', actions: '*' }, { name: 'none' }],
      roleAssignments: [{ principal: 'eve', role: 'boss', scope: 'nowhere' }],
      denyAssignments: [{ principal: 'ada', actions: [], scope: '/nowhere' }],
      locks: [
        { scope: '/', name: 'one', level: 'Loose' },
        { scope: '/', name: 'one', level: 'ReadOnly', notes: 1 },
        {},
      ],
      registrations: [
        { subscription: mine, namespace: 'a', registered: 'yes', doneAt: 'soon' },
        { subscription: mine, namespace: 'A', registered: true },
        {},
      ],
      settings: { provisioningMs: -1, throttle: 'off', etag: 'often' },
      clockAheadMs: 0.5,
      operations: [{ id: mine, kind: 'post', instance: 'chat', startedAt: 'today', status: 'Running' }],
      agenda: [{ at: '2030-01-01', kind: 'appears', link: signalr('chat'), generation: 1, edits: 1 }, {}],
    }
    expect(problemsOf(file)).toEqual([
      expect.stringMatching(/^subscription: is not known; known here are tenantId, subscriptions, /),
      'subscriptions[2].id: is missing; write a GUID such as "11111111-2222-4333-8444-555555555555"',
      'subscriptions[1]: has the id of subscriptions[0]; write another',
      'people[1].guest: "no" will not do; write true or false',
      'people[2].name: is missing; write a name',
      'people[2].objectId: 7 will not do; write a GUID such as "11111111-2222-4333-8444-555555555555"',
      'people[3]: "bo" will not do; write an object with name, objectId, displayName, guest, userPrincipalName, password',
      'groups[0].members[1]: "bo" will not do; write one of ada, app, twin',
      'people[1]: has the name of people[0]; write another',
      'applications[1]: has the objectId of applications[0]; write another',
      "roleDefinitions[0].name: owner is one of Azure's own roles; write another name",
      'roleDefinitions[1].actions: "*" will not do; write a list, [ … ]',
      'roleDefinitions[2].actions: is missing; write a list, [ … ]',
      'tenantId: "contoso" will not do; write a GUID such as "11111111-2222-4333-8444-555555555555"',
      'roleAssignments[0].principal: "eve" will not do; write one of ada, all, app, twin, or an object id',
      'roleAssignments[0].role: "boss" will not do; write one of owner, contributor, reader, mine, none',
      'roleAssignments[0].scope: there is no nowhere here; write the name or id of a resource or resource group',
      'denyAssignments[0].scope: "/nowhere" will not do; write the name or id of a resource or resource group',
      'locks[0].level: "Loose" will not do; write one of CanNotDelete, ReadOnly',
      'locks[1].notes: 1 will not do; write a text',
      'locks[2].scope: is missing; write the name or id of a resource or resource group',
      'locks[2].name: is missing; write a name',
      'locks[2].level: is missing; write one of CanNotDelete, ReadOnly',
      'locks[1]: has the scope and name of locks[0]; write another',
      'registrations[0].registered: "yes" will not do; write true or false',
      'registrations[0].doneAt: "soon" will not do; write a time such as "2026-01-31T12:00:00Z"',
      'registrations[2].subscription: is missing; write a name',
      'registrations[2].namespace: is missing; write a name',
      'registrations[2].registered: is missing; write true or false',
      'registrations[1]: has the subscription and namespace of registrations[0]; write another',
      'settings.provisioningMs: provisioningMs cannot be -1; it is a number, 0 or more',
      'settings.throttle: throttle cannot be "off"; it is true or false',
      'settings.etag: etag cannot be "often"; it is one of afterEdit, always, never',
      'clockAheadMs: 0.5 will not do; write a whole number, 0 or more',
      'operations[0].kind: "post" will not do; write one of put, delete',
      'operations[0].instance: "chat" will not do; write a resource id, /subscriptions/…',
      'operations[0].startedAt: "today" will not do; write a time such as "2026-01-31T12:00:00Z"',
      'agenda[0].edits: is not known; known here are at, kind, link, generation',
      'agenda[0].at: "2030-01-01" will not do; write a time such as "2026-01-31T12:00:00Z"',
      expect.stringMatching(/^agenda\[1\]\.kind: is missing; write one of provisioned, appears, /),
      'agenda[1].link: is missing; write a resource id, /subscriptions/…',
      'agenda[1].operation: is missing; write a GUID such as "11111111-2222-4333-8444-555555555555"',
      'agenda[1].at: is missing; write a time such as "2026-01-31T12:00:00Z"',
    ])
  })

  test('about resources likewise', () => {
    const file = {
      subscriptions: [{ id: mine }],
      resourceGroups: [{ name: 'a/b' }, { id: within('x'), name: 'x' }, { name: 'X' }],
      signalR: [
        { name: '1st', sku: 'Large', capacity: 0, location: 'West Europe', replicas: [1] },
        { id: signalr('chat'), resourceGroup: 'x', tags: { a: 1 }, provisioningState: 'Done' },
        { name: 'chat', properties: [] },
        { id: vault('certs') },
        { id: signalr('far').replace(mine, ada) },
        {
          name: 'host',
          sharedPrivateLinkResources: [
            { name: 'l', privateLinkResourceId: 'certs', status: 'Open', generation: 0 },
            { name: 'one', privateLinkResourceId: 'nothing', createdAt: 5 },
            { name: 'one' },
          ],
        },
      ],
      vaults: [
        { name: 'certs', publicNetworkAccess: 'Sometimes' },
        { name: 'certs', resourceGroup: 'x', privateEndpointConnections: {} },
        {
          name: 'other',
          privateEndpointConnections: [{ name: 'a/b', status: 'Gone', privateEndpoint: 'pe', edits: '1' }],
        },
      ],
    }
    const named = 'write a name of 3 to 63 letters, digits and -, a letter first'
    expect(problemsOf(file)).toEqual([
      'resourceGroups[0].name: "a/b" will not do; write a name of letters, digits and - _ . ( ), or /subscriptions/…/resourceGroups/…',
      'resourceGroups[1].name: is in the id already; leave it out',
      'vaults[0].publicNetworkAccess: "Sometimes" will not do; write one of Enabled, Disabled',
      `signalR[0].name: "1st" will not do; ${named}`,
      'signalR[0].location: "West Europe" will not do; write a region such as "westeurope"',
      'signalR[0].sku: "Large" will not do; write one of Free_F1, Standard_S1, Premium_P1, Premium_P2',
      'signalR[0].capacity: 0 will not do; write a whole number, 1 or more',
      'signalR[0].replicas[0]: 1 will not do; write a name',
      'signalR[1].resourceGroup: is in the id already; leave it out',
      'signalR[1].tags.a: 1 will not do; write a text',
      'signalR[1].provisioningState: "Done" will not do; write one of Succeeded, Creating, Updating, Failed, Canceled, Deleting',
      'signalR[2].properties: [] will not do; write an object',
      expect.stringMatching(
        /^signalR\[3\]\.id: ".+… will not do; write \/subscriptions\/…\/resourceGroups\/…\/providers\/Microsoft\.SignalRService\/SignalR\/…, at its end a name /,
      ),
      `signalR[4].id: is in subscription ${ada}, which is not among subscriptions; add it there`,
      `signalR[5].sharedPrivateLinkResources[0].name: "l" will not do; ${named}`,
      `signalR[5].sharedPrivateLinkResources[0].privateLinkResourceId: "certs" could be any of ${vault('certs')}, ${vault('certs', 'x')}; write the id that is meant`,
      'signalR[5].sharedPrivateLinkResources[0].status: "Open" will not do; write one of Pending, Approved, Rejected, Disconnected, Timeout',
      'signalR[5].sharedPrivateLinkResources[0].generation: 0 will not do; write a whole number, 1 or more',
      'signalR[5].sharedPrivateLinkResources[1].privateLinkResourceId: there is no nothing here; write the name or id of a vault',
      'signalR[5].sharedPrivateLinkResources[1].createdAt: 5 will not do; write a time such as "2026-01-31T12:00:00Z"',
      'signalR[5].sharedPrivateLinkResources[2].privateLinkResourceId: is missing; write the name or id of a vault',
      'vaults[1].privateEndpointConnections: {} will not do; write a list, [ … ]',
      'vaults[2].privateEndpointConnections[0].name: "a/b" will not do; write a name of letters, digits and - _ .',
      'vaults[2].privateEndpointConnections[0].privateEndpoint: "pe" will not do; write the id of a private endpoint',
      'vaults[2].privateEndpointConnections[0].status: "Gone" will not do; write one of Pending, Approved, Rejected, Disconnected',
      'vaults[2].privateEndpointConnections[0].edits: "1" will not do; write a whole number, 0 or more',
      'resourceGroups[2]: has the id of resourceGroups[1]; write another',
      'signalR[2]: has the id of signalR[1]; write another',
      'signalR[5].sharedPrivateLinkResources[2]: has the id of signalR[5].sharedPrivateLinkResources[1]; write another',
    ])
  })

  test('where there are several subscriptions: a bare resource group says too little', () => {
    const subscriptions = [{ id: mine }, { id: ada }]
    expect(problemsOf({ subscriptions, vaults: [{ name: 'certs' }, { id: vault('other') }] })).toEqual([
      'vaults[0].resourceGroup: "sandbox" could be in any of 2 subscriptions; write /subscriptions/…/resourceGroups/…',
    ])
    expect(
      problemsOf({ subscriptions, vaults: [{ name: 'certs', resourceGroup: within('sandbox', ada) }] }),
    ).toEqual([])
    expect(problemsOf({ subscriptions: [] })).toEqual([
      'subscriptions: is empty; list one, or leave it out',
      ...problemsOf({ subscriptions: [] }).slice(1),
    ])
  })

  test('that is no JSON, or no object', () => {
    expect(problemsOf('{ "people": [')).toEqual([expect.stringMatching(/^it is no JSON: /)])
    expect(problemsOf([])).toEqual([
      expect.stringMatching(/^the file: \[\] will not do; write an object with /),
    ])
  })
})

describe('a world that goes on from its file', () => {
  test('is the same world, whatever was under way in it', async () => {
    const azure = await startAzure({ clock, pageSize: 7, extraConnections: 1 })
    open.push(azure)
    azure.rights.grant(bot.objectId, 'contributor', '/')
    azure.rights.deny(bot.objectId, 'Microsoft.Nothing/*', vaultPath())
    azure.setRegistration(subscriptions.other.id, 'Microsoft.KeyVault', false)
    azure.rights.grant(people.lone.objectId, 'owner', '/')
    const lock = `${vaultPath('solo-kv', 'solo')}/providers/Microsoft.Authorization/locks/keep`
    const lone = {
      principal: people.lone.objectId,
      version: '2020-05-01',
      body: { properties: { level: 'CanNotDelete' } },
    }
    expect((await call(azure, 'PUT', lock, lone)).status).toBe(201)
    const group = vaultPath().split('/providers/')[0]
    const pubs = `${group}/providers/Microsoft.SignalRService/webPubSub/pubs`
    await call(azure, 'PUT', pubs, { body: { location: 'westus2', tags: { a: 'b' } } })
    azure.portal.createLink('contoso-signalr', 'contoso-kv', 'first', 'mine')
    azure.turn(65_000)
    const [ours] = azure.connections('contoso-kv').filter(({ description }) => description === 'mine')
    const approval = { status: 'Approved', description: '', actionsRequired: '' }
    const decision = { properties: { privateLinkServiceConnectionState: approval } }
    expect((await call(azure, 'PUT', ours?.id ?? '', { body: decision })).status).toBe(200)
    await call(azure, 'PUT', linkPath('second', pubs), { body: wish('more', vaultPath('contoso-certs')) })
    azure.turn(1_000)
    azure.portal.deleteLink('contoso-signalr', 'first')
    const chat = pubs.replace('webPubSub/pubs', 'signalR/fresh')
    await call(azure, 'PUT', chat, { body: { location: 'westeurope' } })
    azure.configure({ deletedInstance: 'later' })
    await call(azure, 'DELETE', pubs.replace('webPubSub/pubs', 'SignalR/contoso-free'))

    expect((await call(azure, 'DELETE', vaultPath('orphan-kv', 'orphan'))).status).toBe(200)
    const move = await call(azure, 'POST', `${vaultPath('', 'solo').split('/providers/')[0]}/moveResources`, {
      version: '2021-04-01',
      body: {
        resources: [vaultPath('solo-kv', 'solo')],
        targetResourceGroup: vaultPath('', 'orphan').split('/providers/')[0],
      },
    })
    expect(move.status).toBe(202)

    const world = worldOf(azure)
    expect(seedMembers.filter((name) => ['[]', '{}', '0'].includes(JSON.stringify(world[name])))).toEqual([])
    expect(new Set(world.agenda.map(({ kind }: { kind: string }) => kind))).toEqual(
      new Set([
        'propagates',
        'settled',
        'provisioned',
        'linkGone',
        'instanceProvisioned',
        'instanceGone',
        'moved',
      ]),
    )
    expect(world.operations).toHaveLength(6)
    const again = await start(world)
    expect(worldOf(again)).toEqual(world)
    for (const one of [azure, again]) one.turn(200_000)
    expect(again.links()).toEqual(azure.links())
    expect(again.links()).toMatchObject([{ provisioningState: 'Succeeded' }])
    const names = (one: Azure) => worldOf(one).signalR.map(({ id }: { id: string }) => id)
    expect(names(again)).toEqual(names(azure))
    expect(again.connections('contoso-certs')).toMatchObject([{ description: 'more' }, {}])
    const statuses = (one: Azure) =>
      worldOf(one).operations.map(({ status, endedAt }: Record<string, string>) => [status, endedAt])
    expect(statuses(again)).toEqual(statuses(azure))
    expect((await call(again, 'GET', `/_sandbox/world`)).body).toEqual(worldOf(again))
  })

  test('keeps steps of every kind, and every setting', async () => {
    const link = `${signalr('chat')}/sharedPrivateLinkResources/one`.toLowerCase()
    const connection = `${vault('certs')}/privateEndpointConnections/c`.toLowerCase()
    const at = '2031-01-01T00:00:00.000Z'
    const agenda = [
      { at, kind: 'provisioned', link, operation: mine },
      { at, kind: 'appears', link, generation: 1 },
      { at, kind: 'settled', connection, edits: 2 },
      { at, kind: 'propagates', link, generation: 1, status: 'Approved' },
      { at, kind: 'linkGone', link, operation: mine },
      { at, kind: 'connectionGone', connection, by: 'ada' },
      { at, kind: 'instanceProvisioned', instance: signalr('chat').toLowerCase(), operation: mine },
      { at, kind: 'instanceGone', instance: signalr('chat').toLowerCase(), operation: mine },
    ]
    expect(worldOf(await start({ ...minimal, agenda })).agenda).toEqual(agenda)
    const changed = Object.fromEntries(
      Object.entries(defaults).map(([name, value]) => [
        name,
        typeof value === 'number' && name !== 'missingConnection' && name !== 'putAnswer' ? value + 1 : value,
      ]),
    )
    const world = worldOf(await start({ ...minimal, settings: changed }))
    expect(Object.keys(world.settings)).toContain('instanceMs')
    expect({ ...defaults, ...world.settings }).toEqual(changed)
    // An earlier entry is worked off first, wherever it stands in the file.
    const late = { ...agenda[1], at: '2032-01-01T00:00:00.000Z' }
    expect(worldOf(await start({ ...minimal, agenda: [late, agenda[0]] })).agenda).toEqual([agenda[0], late])
  })
})
