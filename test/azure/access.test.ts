import type { ServerResponse } from 'node:http'
import { afterEach, describe, expect, test } from '@jest/globals'
import { assignments, bot, groups, people, subscriptions } from '../../sandbox/seed.ts'
import { adapter, closeAll, headed, never, signalr, startPeer, startWorld, vault } from './world.ts'

afterEach(closeAll)

const write = 'Microsoft.KeyVault/vaults/privateEndpointConnections/write'
const approval = 'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action'
const deciding = [write, approval]
const linking = ['Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write']
const main = `/subscriptions/${subscriptions.main.id}`

describe('who may what', () => {
  test.each([
    ['an owner on their vault', people.owner.objectId, deciding, vault, 'held'],
    [
      'an owner on a vault of others',
      people.owner.objectId,
      deciding,
      `${main}/resourceGroups/solo/providers/Microsoft.KeyVault/vaults/solo-kv`,
      'missing',
    ],
    ['through a group, on the resource group', people.second.objectId, deciding, vault, 'held'],
    ['one who links, on the vault', people.requester.objectId, deciding, vault, 'missing'],
    ['one who links, on the SignalR', people.requester.objectId, linking, signalr, 'held'],
    ['a reader', people.outsider.objectId, linking, signalr, 'missing'],
    ['a guest', people.guest.objectId, deciding, vault, 'missing'],
  ])('%s', async (_name, objectId, actions, resource, expected) => {
    const { access } = await startWorld()
    const right = await access.may(objectId, actions, resource, never)
    expect(right).toEqual(expected === 'held' ? { is: 'held' } : { is: 'missing', actions })
  })

  test('the bot, by the token it bears', async () => {
    const world = await startWorld()
    expect(await world.access.botMay(deciding, vault, never)).toEqual({ is: 'held' })
    world.sandbox.rights.revoke(bot.objectId, 'vaultApprover', main)
    expect(await world.access.botMay(deciding, vault, never)).toEqual({ is: 'missing', actions: deciding })
  })

  test('part of it: what is missing is named', async () => {
    const { access } = await startWorld()
    expect(await access.may(people.requester.objectId, [...linking, write], signalr, never)).toEqual({
      is: 'missing',
      actions: [write],
    })
  })

  test('a right taken away is gone at the next question; one given is there', async () => {
    const world = await startWorld()
    const ask = () => world.access.may(people.owner.objectId, deciding, vault, never)
    expect((await ask()).is).toBe('held')
    world.sandbox.rights.revoke(people.owner.objectId, 'vaultApprover', vault)
    expect((await ask()).is).toBe('missing')
    world.sandbox.rights.grant(people.owner.objectId, 'contributor', main)
    expect((await ask()).is).toBe('held')
    world.sandbox.rights.deny(people.owner.objectId, approval, main)
    expect(await ask()).toEqual({ is: 'missing', actions: [approval] })
  })

  // The role graphs of rights.test.ts found these three: the bot knew of no group beyond those that assignments show,
  // read no deny assignment below the vault, and remembered for five minutes what a role allows.
  test('a denial of a group is for those who are in it, which Azure tells', async () => {
    const world = await startWorld()
    const auditors = { objectId: 'd0000000-0000-4000-8000-000000000002', members: ['owner'] }
    world.sandbox.rights.replace({ groups: { ...groups, auditors } })
    world.sandbox.rights.deny(auditors.objectId, approval, main)
    const may = async ({ objectId }: { readonly objectId: string }) =>
      (await world.access.may(objectId, deciding, vault, never)).is
    expect(await may(people.owner)).toBe('missing')
    expect(await may(people.second)).toBe('held')
  })

  test('who may not write one of the vault’s connections is taken for one who may write none', async () => {
    const world = await startWorld()
    world.sandbox.rights.deny(people.owner.objectId, '*', `${vault}/privateEndpointConnections/any`)
    expect(await world.access.may(people.owner.objectId, deciding, vault, never)).toEqual({
      is: 'missing',
      actions: [write],
    })
  })

  test('a role that is edited is another role at the next question', async () => {
    const world = await startWorld()
    const ask = () => world.access.may(people.owner.objectId, deciding, vault, never)
    expect((await ask()).is).toBe('held')
    world.sandbox.rights.redefine('vaultApprover', [{ actions: deciding, notActions: [approval] }])
    expect(await ask()).toEqual({ is: 'missing', actions: [approval] })
    world.sandbox.rights.redefine('vaultApprover', [{ actions: ['*'], notActions: [] }])
    expect((await ask()).is).toBe('held')
  })

  test('an assignment with a condition does not grant', async () => {
    const seed = {
      assignments: assignments.map((one) =>
        one.principalId === people.owner.objectId
          ? { ...one, condition: "@Resource[a] StringEquals 'b'" }
          : one,
      ),
    }
    const { access } = await startWorld({ seed })
    expect((await access.may(people.owner.objectId, deciding, vault, never)).is).toBe('missing')
  })

  test('a question costs two lists, and a definition for each role that might grant; many share the definitions', async () => {
    const world = await startWorld()
    const definitions = () => world.calls().filter(({ path }) => /roleDefinitions/i.test(path)).length
    const lists = () => world.calls().length - definitions()
    const ask = () => world.access.may(people.owner.objectId, deciding, vault, never)
    await ask()
    await ask()
    expect([lists(), definitions()]).toEqual([4, 2])
    await Promise.all([ask(), ask(), ask()])
    expect(lists()).toBe(10)
    expect(definitions()).toBeLessThan(5)
  })

  test('a denial that shuts the bot out itself leaves nothing to read', async () => {
    const world = await startWorld()
    world.sandbox.rights.deny(bot.objectId, 'Microsoft.Authorization/*', main)
    expect(await world.access.may(people.owner.objectId, deciding, vault, never)).toEqual({
      is: 'unreadable',
    })
  })
})

describe('what cannot be read is a no', () => {
  test.each([
    ['role assignments', /roleAssignments$/],
    ['role definitions', /roleDefinitions/i],
    ['deny assignments', /denyAssignments$/],
  ])('%s', async (_name, path) => {
    for (const rule of [
      { status: 403, code: 'AuthorizationFailed' },
      { status: 500 },
      { status: 429 },
      { how: 'reset' as const },
      { how: 'hang' as const },
    ]) {
      const world = await startWorld({}, { deadlineMs: 150 })
      world.sandbox.fail({ path, times: 1, ...rule })
      const right = await world.access.may(people.owner.objectId, deciding, vault, never)
      expect(right).toEqual({ is: 'unreadable' })
      expect(world.lines).toMatchObject([{ level: 'warn', event: 'azure.rightsUnread' }])
      expect(JSON.stringify(world.lines)).not.toContain(people.owner.objectId)
    }
  })

  test('whose a denial of a group is', async () => {
    const world = await startWorld()
    world.sandbox.rights.deny(groups.vaultTeam.objectId, approval, main)
    const ask = () => world.access.may(people.owner.objectId, deciding, vault, never)
    const rule = { path: /denyAssignments$/, status: 400, code: 'UnsupportedQuery' }
    expect((await ask()).is).toBe('held')
    const refused = new Set<string>()
    world.sandbox.onEvent((event) => {
      // The first of the two lists of deny assignments is through: the next is asked whose they are.
      if (
        event.kind === 'arm' &&
        /denyAssignments$/.test(event.path) &&
        event.status === 200 &&
        !refused.size
      )
        world.sandbox.fail({ ...rule, times: 1 })
      if (event.kind === 'arm' && event.status === 400) refused.add(event.query)
    })
    expect(await ask()).toEqual({ is: 'unreadable' })
    expect([...refused].join()).toContain('assignedTo')
  })

  test('a role that is no more grants nothing, and hides nothing', async () => {
    const world = await startWorld()
    world.sandbox.fail({
      path: /roleDefinitions/i,
      times: 1,
      status: 404,
      code: 'RoleDefinitionDoesNotExist',
    })
    expect((await world.access.may(people.owner.objectId, deciding, vault, never)).is).toBe('missing')
  })

  test.each(["x') or assignedTo('y", '', 'a0000000-0000-4000-8000-000000000002 '])(
    'an id that is none (%j) enters no filter',
    async (objectId) => {
      const world = await startWorld()
      expect(await world.access.may(objectId, deciding, vault, never)).toEqual({ is: 'unreadable' })
      expect(world.calls()).toHaveLength(0)
    },
  )

  test('a token that names nobody, or none at all', async () => {
    const world = await startWorld()
    for (const token of ['opaque', 'a.b.c', `a.${Buffer.from('{}').toString('base64url')}.c`]) {
      const getToken = async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 })
      const { access, lines } = adapter(world.sandbox.url, { getToken })
      expect(await access.botMay(deciding, vault, never)).toEqual({ is: 'unreadable' })
      expect(JSON.stringify(lines)).not.toContain(token)
    }
    const broken = adapter(world.sandbox.url, { getToken: () => Promise.reject(new Error('secret')) })
    expect(await broken.access.botMay(deciding, vault, never)).toEqual({ is: 'unreadable' })
    expect(await broken.access.may(people.owner.objectId, deciding, vault, never)).toEqual({
      is: 'unreadable',
    })
    expect(
      JSON.stringify(broken.lines.filter(({ event }) => event === 'azure.identityUnread')),
    ).not.toContain('secret')
  })

  const role = '/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/r'
  const held = {
    scope: vault,
    roleDefinitionId: role,
    principalId: people.owner.objectId,
    principalType: 'User',
  }
  const peer = (lists: { assigned?: unknown; denied?: unknown; permission?: object }) =>
    startPeer((request, response) => {
      const path = request.url ?? ''
      const body = /roleAssignments/.test(path)
        ? (lists.assigned ?? { value: [{ properties: held }] })
        : /denyAssignments/.test(path)
          ? (lists.denied ?? { value: [] })
          : { properties: { permissions: [{ actions: ['*'], notActions: [], ...lists.permission }] } }
      headed(response, 200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  const owner = { id: people.owner.objectId, type: 'User' }
  const everyone = { id: '00000000-0000-0000-0000-000000000000', type: 'SystemDefined' }
  const denialOf = (more: object) => {
    const properties = { scope: vault, permissions: [{ actions: ['*'] }], principals: [owner], ...more }
    return { value: [{ id: `${vault}/denied`, properties }] }
  }
  test.each<[string, Parameters<typeof peer>[0], string]>([
    ['as promised', {}, 'held'],
    ['a permission with a condition', { permission: { condition: '@Request[a] Exists' } }, 'missing'],
    [
      'a list of assignments that was not filtered',
      {
        assigned: {
          value: [{ properties: held }, { properties: { ...held, principalId: people.second.objectId } }],
        },
      },
      'unreadable',
    ],
    [
      'an assignment without a scope',
      { assigned: { value: [{ properties: { ...held, scope: undefined } }] } },
      'unreadable',
    ],
    ['no list of assignments', { assigned: {} }, 'unreadable'],
    ['no list of denials', { denied: {} }, 'unreadable'],
    ['a denial without a scope', { denied: denialOf({ scope: undefined }) }, 'unreadable'],
    ['a denial of nobody knows whom', { denied: denialOf({ principals: undefined }) }, 'unreadable'],
    ['a denial of nobody knows what', { denied: denialOf({ permissions: undefined }) }, 'unreadable'],
    [
      'a denial whose exceptions are no actions',
      { denied: denialOf({ permissions: [{ actions: ['*'], notActions: [{}] }] }) },
      'unreadable',
    ],
    ['a role whose exceptions are no actions', { permission: { notActions: [7] } }, 'unreadable'],
    [
      'a denial for this scope alone, above',
      { denied: denialOf({ scope: main, doNotApplyToChildScopes: true }) },
      'held',
    ],
    [
      'a denial of everyone but the person',
      { denied: denialOf({ principals: [everyone], excludePrincipals: [owner] }) },
      'held',
    ],
    ['a denial of everyone', { denied: denialOf({ principals: [everyone] }) }, 'missing'],
    ['a denial with a condition', { denied: denialOf({ condition: '@Request[a] Exists' }) }, 'missing'],
  ])('%s', async (_name, lists, expected) => {
    const { url } = await peer(lists)
    expect((await adapter(url).access.may(people.owner.objectId, deciding, vault, never)).is).toBe(expected)
  })

  /** Each list has nothing on its first page but the address of the second. */
  const paged = (second: Partial<Record<'assigned' | 'denied', (response: ServerResponse) => void>>) =>
    startPeer((request, response) => {
      const address = new URL(`https://${request.headers.host}${request.url}`)
      const list = /(role|deny)Assignments$/.exec(address.pathname)?.[1] === 'role' ? 'assigned' : 'denied'
      const body = (value: object): void => {
        headed(response, 200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      }
      if (/roleDefinitions/i.test(address.pathname))
        return body({ properties: { permissions: [{ actions: ['*'], notActions: [] }] } })
      if (address.searchParams.has('page')) {
        const own = second[list]
        return own ? own(response) : body({ value: list === 'assigned' ? [{ properties: held }] : [] })
      }
      address.searchParams.set('page', '2')
      body({ value: [], nextLink: address.href })
    })
  const json = (status: number, value: object) => (response: ServerResponse) => {
    headed(response, status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const broken: readonly [string, (response: ServerResponse) => void][] = [
    ['an error', json(500, { error: { code: 'InternalServerError', message: 'no' } })],
    ['throttling', json(429, { error: { code: 'TooManyRequests', message: 'later' } })],
    ['a refusal', json(403, { error: { code: 'AuthorizationFailed', message: 'no' } })],
    ['nothing found', json(404, { error: { code: 'NotFound', message: 'no' } })],
    ['a page of no list', json(200, { error: 'no' })],
    ['a page cut short', (response) => headed(response, 200).end('{"value": [')],
    ['a broken connection', (response) => response.destroy()],
    ['silence', () => undefined],
    ['the address of somebody else', json(200, { value: [], nextLink: 'https://elsewhere.example/' })],
  ]
  const ask = async (second: Parameters<typeof paged>[0], deadlineMs = 20_000) => {
    const { access, warm } = adapter((await paged(second)).url, { deadlineMs })
    await warm()
    return (await access.may(people.owner.objectId, deciding, vault, never)).is
  }
  test('all pages count, of assignments and of denials', async () => {
    expect(await ask({})).toBe('held')
    expect(await ask({ denied: json(200, denialOf({})) })).toBe('missing')
  })
  describe.each(['assigned', 'denied'] as const)('a list of who is %s fails midway:', (list) => {
    test.each(broken)('%s', async (_what, answer) => {
      expect(await ask({ [list]: answer }, 1_000)).toBe('unreadable')
    })
  })
})
