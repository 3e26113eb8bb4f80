import { afterEach, describe, expect, test } from '@jest/globals'
import type { Settings } from '../../sandbox/azure/switches.ts'
import { bot, people } from '../../sandbox/seed.ts'
import type { Act } from '../../src/engine/ports.ts'
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
  writesOf,
} from './world.ts'

afterEach(closeAll)

const remove: Act = { effect: 'delete', signalr, name: linkName }

describe('the PUT of a link', () => {
  test.each<[string, Partial<Settings>, RegExp | undefined]>([
    ['both headers', {}, /^status https:\S+\/operationStatuses\//],
    ['Location alone', { asyncHeaders: 'location' }, /^result https:\S+\/operationResults\//],
    ['neither', { asyncHeaders: 'none' }, undefined],
    ['a signed address', { operationAddresses: 'signed' }, /^status \S{3000,}$/],
    ['200 instead of 201', { putAnswer: 200 }, /^status /],
    ['vaults for vault in the reply', { groupIdInReply: 'vaults' }, /^status /],
  ])('is one call on the wire: %s', async (_name, settings, operation) => {
    const world = await startWorld(settings)
    const outcome = await world.azure.perform(put, never)
    expect(outcome.is).toBe('done')
    if (operation) expect(outcome).toHaveProperty('operation', expect.stringMatching(operation))
    else expect(outcome).not.toHaveProperty('operation')
    expect(world.calls()).toHaveLength(1)
    expect(world.calls()[0]).toMatchObject({
      method: 'PUT',
      requestBody: { properties: { groupId: 'vault', privateLinkResourceId: vault, requestMessage } },
    })
    expect(world.sandbox.links()).toHaveLength(1)
  })

  test.each(['before', 'after'] as const)(
    'cut off %s it acted: unknown, and not sent again',
    async (when) => {
      const world = await startWorld()
      world.sandbox.fail({ method: 'PUT', times: 1, how: 'reset', when })
      const outcome = await world.azure.perform(put, never)
      expect(outcome).toMatchObject({ is: 'failed', cause: { cause: 'unavailable', code: 'ECONNRESET' } })
      expect(writesOf(world.sandbox)).toHaveLength(1)
      expect(world.sandbox.links()).toHaveLength(when === 'after' ? 1 : 0)
    },
  )

  test('never answered: the deadline ends it', async () => {
    const world = await startWorld({}, { deadlineMs: 150 })
    world.sandbox.fail({ method: 'PUT', times: 1, how: 'hang' })
    expect(await world.azure.perform(put, never)).toMatchObject({
      is: 'failed',
      cause: { cause: 'unavailable', code: 'Deadline' },
    })
    expect(writesOf(world.sandbox)).toHaveLength(1)
  })

  test("never answered: the caller's signal ends it", async () => {
    const world = await startWorld()
    world.sandbox.fail({ method: 'PUT', times: 1, how: 'hang' })
    const stop = new AbortController()
    world.sandbox.onEvent((event) => event.kind === 'arm' && stop.abort())
    expect(await world.azure.perform(put, stop.signal)).toMatchObject({
      is: 'failed',
      cause: { cause: 'unavailable', code: 'Aborted' },
    })
  })

  test('not begun when the caller has stopped already', async () => {
    const world = await startWorld()
    expect((await world.azure.perform(put, AbortSignal.abort())).is).toBe('failed')
    expect(world.calls()).toHaveLength(0)
  })

  test('a credential that never answers is not waited for', async () => {
    const world = await startWorld({}, { deadlineMs: 150, getToken: () => new Promise(() => undefined) })
    expect(await world.azure.perform(put, never)).toMatchObject({
      is: 'failed',
      cause: { cause: 'unavailable', code: 'Deadline' },
    })
    expect(world.calls()).toHaveLength(0)
  })

  test('without the right: which one, and where', async () => {
    const world = await startWorld({}, { as: people.owner.objectId })
    expect(await world.azure.perform(put, never)).toMatchObject({
      is: 'failed',
      cause: {
        cause: 'botLacksRight',
        action: 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write',
        scope: expect.stringMatching(/\/contoso-signalr\/sharedPrivateLinkResources\/kv-contoso-kv$/i),
      },
    })
  })

  test("while another write runs: a conflict, in Azure's word", async () => {
    const world = await startWorld()
    await world.azure.perform(put, never)
    const second = await world.azure.perform({ ...put, name: 'other' }, never)
    expect(second).toMatchObject({ is: 'failed', cause: { cause: 'conflict', code: 'Conflict' } })
  })

  test('on the free tier: refused, in its words', async () => {
    const world = await startWorld()
    const act = { ...put, signalr: signalr.replace('contoso-signalr', 'contoso-free') }
    const outcome = await world.azure.perform(act, never)
    expect(outcome).toMatchObject({ is: 'failed', cause: { cause: 'refused', code: 'BadRequest' } })
  })

  test('on a SignalR that is gone', async () => {
    const world = await startWorld()
    const act = { ...put, signalr: signalr.replace('contoso-signalr', 'contoso-gone') }
    expect(await world.azure.perform(act, never)).toMatchObject({ cause: { cause: 'signalrGone' } })
  })

  test('with what is no id: refused, nothing sent', async () => {
    const world = await startWorld()
    const outcome = await world.azure.perform({ ...put, signalr: '/nowhere' }, never)
    expect(outcome).toMatchObject({ cause: { cause: 'refused', code: 'InvalidResourceId' } })
    expect(world.calls()).toHaveLength(0)
  })
})

describe('a decision', () => {
  const decide = (
    effect: 'approve' | 'reject',
    connection: Awaited<ReturnType<typeof provisioned>>,
  ): Act => ({ effect, vault, connection, description: `by an owner [vaultlink ${nonce}]` })

  test.each<[string, Partial<Settings>]>([
    ['by a guid', {}],
    ["by the link's name", { connectionName: 'linkName' }],
    ['with a dot', { connectionName: 'dotted' }],
    ['with an etag from the start', { etag: 'always' }],
    ['never with an etag', { etag: 'never' }],
  ])('approves the connection named %s, in one call', async (_name, settings) => {
    const world = await startWorld(settings)
    const connection = await provisioned(world)
    const before = world.calls().length
    expect(await world.azure.perform(decide('approve', connection), never)).toEqual({ is: 'done' })
    const [call, ...more] = world.calls().slice(before)
    expect(more).toEqual([])
    expect(call).toMatchObject({
      method: 'PUT',
      requestBody: {
        ...(settings.etag === 'always' && { etag: connection.etag }),
        properties: {
          privateLinkServiceConnectionState: {
            status: 'Approved',
            description: `by an owner [vaultlink ${nonce}]`,
            actionsRequired: 'None',
          },
        },
      },
    })
    const [stored] = world.sandbox.connections('contoso-kv')
    expect(stored).toMatchObject({ status: 'Approved', privateEndpointId: connection.privateEndpoint })
    // The private endpoint is Azure's to say: an empty one in the body has been reported to do harm elsewhere.
    expect(call).not.toHaveProperty('requestBody.properties.privateEndpoint')
  })

  test('rejects', async () => {
    const world = await startWorld()
    const connection = await provisioned(world)
    expect(await world.azure.perform(decide('reject', connection), never)).toEqual({ is: 'done' })
    expect(world.sandbox.connections('contoso-kv')).toMatchObject([{ status: 'Rejected' }])
  })

  test('on a connection edited since: a conflict, not an overriding', async () => {
    const world = await startWorld({ etag: 'always', decidedConnection: 'recorded' })
    const connection = await provisioned(world)
    world.sandbox.portal.reject('contoso-kv', 'owner')
    world.sandbox.turn(66_000)
    const outcome = await world.azure.perform(decide('approve', connection), never)
    expect(outcome).toMatchObject({ is: 'failed', cause: { cause: 'conflict', code: 'ConflictError' } })
    expect(world.sandbox.connections('contoso-kv')).toMatchObject([{ status: 'Rejected' }])
  })

  test('on a connection decided meanwhile: look again', async () => {
    const world = await startWorld({ decidedConnection: 'pendingOnly', vaultWrites: 'parallel' })
    const connection = await provisioned(world)
    world.sandbox.portal.reject('contoso-kv', 'owner')
    expect(await world.azure.perform(decide('approve', connection), never)).toMatchObject({
      is: 'failed',
      cause: { cause: 'decidedMeanwhile' },
    })
  })

  test('on another vault than the one asked for is not sent', async () => {
    const world = await startWorld()
    const connection = await provisioned(world)
    const before = world.calls().length
    const other = { ...decide('approve', connection), vault: vault.replace('contoso-kv', 'contoso-k') } as Act
    expect(await world.azure.perform(other, never)).toMatchObject({
      is: 'failed',
      cause: { cause: 'connectionChanged' },
    })
    expect(world.calls()).toHaveLength(before)
  })

  test('cut off after it acted is not sent again: a rejection in between stands', async () => {
    const world = await startWorld({ vaultWrites: 'parallel' })
    const connection = await provisioned(world)
    world.sandbox.fail({ method: 'PUT', times: 1, how: 'reset', when: 'after' })
    world.sandbox.onEvent((event) => {
      if (event.kind === 'effect' && event.what === 'connectionApproved')
        queueMicrotask(() => world.sandbox.portal.reject('contoso-kv', 'owner'))
    })
    const outcome = await world.azure.perform(decide('approve', connection), never)
    expect(outcome).toMatchObject({ is: 'failed', cause: { cause: 'unavailable' } })
    expect(world.sandbox.connections('contoso-kv')).toMatchObject([{ status: 'Rejected' }])
  })

  test('without the right: which one, and where', async () => {
    const world = await startWorld()
    const connection = await provisioned(world)
    const scope = '/subscriptions/00000000-0000-0000-0000-000000000000'
    world.sandbox.rights.revoke(bot.objectId, 'vaultApprover', scope)
    const outcome = await world.azure.perform(decide('approve', connection), never)
    expect(outcome).toMatchObject({ is: 'failed', cause: { cause: 'botLacksRight' } })
    expect(outcome).toHaveProperty(
      'cause.action',
      expect.stringMatching(/vaults\/privateEndpointConnections/i),
    )
  })
})

describe('the DELETE of a link', () => {
  test('is one call, and does not wait', async () => {
    const world = await startWorld()
    await provisioned(world)
    const before = world.calls().length
    expect(await world.azure.perform(remove, never)).toEqual({ is: 'done' })
    expect(world.calls().slice(before)).toMatchObject([{ method: 'DELETE', status: 202 }])
    expect((await see(world)).own).toMatchObject({ value: { provisioningState: 'Deleting' } })
    world.sandbox.turn(30_000)
    expect((await see(world)).own).toEqual({ is: 'absent' })
  })

  test('of what is not there is done: 204', async () => {
    const world = await startWorld()
    expect(await world.azure.perform(remove, never)).toEqual({ is: 'done' })
    expect(world.calls()).toMatchObject([{ method: 'DELETE', status: 204 }])
  })

  test('of what is not there is done: 404', async () => {
    const world = await startWorld()
    world.sandbox.fail({ method: 'DELETE', times: 1, status: 404, code: 'ResourceNotFound' })
    expect(await world.azure.perform(remove, never)).toEqual({ is: 'done' })
  })

  test('where ARM sees no such subscription is not done', async () => {
    const world = await startWorld()
    world.sandbox.fail({ method: 'DELETE', times: 1, status: 404, code: 'SubscriptionNotFound' })
    expect((await world.azure.perform(remove, never)).is).toBe('failed')
  })
})

describe("the bot's token", () => {
  test('is not asked for, nor anything sent, before somebody wants something', async () => {
    const world = await startWorld({}, { getToken: () => Promise.reject(new Error('not yet')) })
    await world.warm()
    expect(world.calls()).toHaveLength(0)
  })

  test('is not sent in the clear to another machine', () => {
    expect(() => adapter('http://management.example.org')).toThrow('https')
  })

  test('does not follow a redirect or an operation to another host', async () => {
    const thief = await startPeer((_request, response) => headed(response, 200).end('{}'))
    const stolen = thief.url.replace('http:', 'https:')
    const arm = await startPeer((request, response) => {
      if (request.method === 'PUT') headed(response, 307, { location: `${stolen}/` }).end()
      else headed(response, 404, { 'x-ms-request-id': '1' }).end()
    })
    const { azure } = adapter(arm.url)
    expect((await azure.perform(put, never)).is).toBe('failed')
    for (const address of [`status ${stolen}/op`, `result ${thief.url}/op`])
      await azure.observe([{ id: 'one', signalr, name: linkName, vault, nonce, operation: address }], never)
    expect(thief.requests).toHaveLength(0)
    expect(arm.requests.length).toBeGreaterThan(0)
  })

  test('is asked for by the endpoint, or by the audience given, and stays out of the log', async () => {
    const scopes: unknown[] = []
    const getToken = async (asked: unknown) => {
      scopes.push(asked)
      return { token: 'a.secret.token', expiresOnTimestamp: Date.now() + 3_600_000 }
    }
    const world = await startWorld()
    // @ts-expect-error The test's credential takes no argument in its type; the clients give one.
    const one = adapter(world.sandbox.url, { getToken })
    await one.azure.perform(put, never)
    await one.access.botMay(['a/b'], vault, never)
    expect(scopes.flat()).toEqual([
      `https://127.0.0.1:${world.sandbox.port}/.default`,
      `https://127.0.0.1:${world.sandbox.port}/.default`,
    ])
    expect(JSON.stringify(one.lines)).not.toContain('secret')
  })
})
