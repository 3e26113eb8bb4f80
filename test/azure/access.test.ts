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

  test('a denial of a group counts, though nobody may read who is in it', async () => {
    const world = await startWorld()
    world.sandbox.rights.deny(groups.vaultTeam.objectId, approval, main)
    expect((await world.access.may(people.owner.objectId, deciding, vault, never)).is).toBe('missing')
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

  test('a role is remembered, who holds it never', async () => {
    let time = 0
    const world = await startWorld({}, { now: () => time })
    const definitions = () => world.calls().filter(({ path }) => /roleDefinitions/i.test(path)).length
    const others = () => world.calls().length - definitions()
    await world.access.may(people.owner.objectId, deciding, vault, never)
    await world.access.may(people.owner.objectId, deciding, vault, never)
    expect([definitions(), others()]).toEqual([1, 4])
    time = 6 * 60_000
    await world.access.may(people.owner.objectId, deciding, vault, never)
    expect([definitions(), others()]).toEqual([2, 6])
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
    ['a denial without a scope', { denied: { value: [{ properties: {} }] } }, 'unreadable'],
    [
      'a denial for this scope alone, above',
      {
        denied: {
          value: [
            {
              properties: {
                scope: main,
                doNotApplyToChildScopes: true,
                permissions: [{ actions: ['*'] }],
                principals: [{ id: people.owner.objectId, type: 'User' }],
              },
            },
          ],
        },
      },
      'held',
    ],
    [
      'a denial of everyone but the person',
      {
        denied: {
          value: [
            {
              properties: {
                scope: vault,
                permissions: [{ actions: ['*'] }],
                principals: [{ id: '00000000-0000-0000-0000-000000000000', type: 'SystemDefined' }],
                excludePrincipals: [{ id: people.owner.objectId, type: 'User' }],
              },
            },
          ],
        },
      },
      'held',
    ],
    [
      'a denial of everyone',
      {
        denied: {
          value: [
            {
              properties: {
                scope: vault,
                permissions: [{ actions: ['*'] }],
                principals: [{ id: '00000000-0000-0000-0000-000000000000', type: 'SystemDefined' }],
              },
            },
          ],
        },
      },
      'missing',
    ],
  ])('%s', async (_name, lists, expected) => {
    const { url } = await peer(lists)
    expect((await adapter(url).access.may(people.owner.objectId, deciding, vault, never)).is).toBe(expected)
  })
})
