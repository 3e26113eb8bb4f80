import { afterEach, describe, expect, test } from '@jest/globals'
import { bot, people, signalrs, subscriptions, vaults } from '../../sandbox/seed.ts'
import { Unanswered } from '../../src/engine/ports.ts'
import {
  adapter,
  closeAll,
  headed,
  never,
  nonce,
  provisioned,
  signalr,
  startPeer,
  startWorld,
  vault,
} from './world.ts'

afterEach(closeAll)

const graph = /Microsoft\.ResourceGraph/
const main = `/subscriptions/${subscriptions.main.id}`
const named = (all: readonly { id: string }[], name: string) =>
  all.map(({ id }) => id).filter((id) => id.endsWith(`/${name}`))

describe('finding by name', () => {
  test.each([
    ['by Resource Graph', undefined],
    ['by the lists of each subscription, where that is closed', 403],
    ['by the lists of each subscription, where that is not there', 404],
  ])('%s', async (_name, status) => {
    const world = await startWorld({ pageSize: 2 })
    if (status) world.sandbox.fail({ path: graph, times: 100, status, code: 'NoRegisteredProviderFound' })
    const { directory } = world
    expect(await directory.signalrsNamed('Contoso-SIGNALR', never)).toEqual([signalr])
    expect(await directory.signalrsNamed('contoso-chat', never)).toEqual(named(signalrs, 'contoso-chat'))
    expect(await directory.signalrsNamed('labs-signalr', never)).toEqual(named(signalrs, 'labs-signalr'))
    expect(await directory.signalrsNamed('contoso', never)).toEqual([])
    expect(await directory.vaultsNamed('contoso-kv', never)).toEqual([vault])
    expect(await directory.vaultsNamed('contoso-signalr', never)).toEqual([])
    expect(new Set(await directory.signalrs(never))).toEqual(new Set(signalrs.map(({ id }) => id)))
    expect(new Set(await directory.vaults(never))).toEqual(new Set(vaults.map(({ id }) => id)))
  })

  test.each(["a' or 1 == 1", 'ab', 'a'.repeat(64), 'kv\nkv', 'kv|take 1', 'kv_1', ''])(
    'a name that cannot be one (%j) is not asked for',
    async (name) => {
      const world = await startWorld()
      expect(await world.directory.signalrsNamed(name, never)).toEqual([])
      expect(await world.directory.vaultsNamed(name, never)).toEqual([])
      expect(world.calls()).toHaveLength(0)
    },
  )

  test('shows what the bot may read, and nothing else', async () => {
    const world = await startWorld()
    world.sandbox.rights.revoke(bot.objectId, 'vaultApprover', main)
    expect(await world.directory.vaultsNamed('contoso-kv', never)).toEqual([])
    world.sandbox.fail({ path: graph, times: 1, status: 403, code: 'AuthorizationFailed' })
    expect(await world.directory.vaultsNamed('contoso-kv', never)).toEqual([])
    expect(await world.directory.vaultsNamed('labs-kv', never)).toEqual(named(vaults, 'labs-kv'))
  })

  test('what is found but is no such resource is left out', async () => {
    const ids = [`${vault}/secrets/contoso-kv`, '/nonsense/contoso-kv', signalr, vault, vault.toUpperCase()]
    const { url } = await startPeer((_request, response) =>
      headed(response, 200, { 'content-type': 'application/json' }).end(
        JSON.stringify({ totalRecords: 5, data: ids.map((id) => ({ id })) }),
      ),
    )
    expect(await adapter(url).directory.vaultsNamed('contoso-kv', never)).toEqual([vault.toUpperCase()])
  })

  test('at most 200', async () => {
    const many = Array.from({ length: 250 }, (_, n) => ({
      id: `${main}/resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/kv-${n}`,
      location: 'x',
      publicNetworkAccess: 'Enabled' as const,
    }))
    const world = await startWorld({ seed: { vaults: many } })
    expect(await world.directory.vaults(never)).toHaveLength(200)
    world.sandbox.fail({ path: graph, times: 1, status: 403 })
    expect(await world.directory.vaults(never)).toHaveLength(200)
  })
})

describe('a SignalR', () => {
  test('with its tier and links', async () => {
    const world = await startWorld()
    await provisioned(world)
    expect(await world.directory.signalr(signalr.toLowerCase(), never)).toMatchObject({
      is: 'present',
      value: {
        id: signalr,
        sku: 'Standard_S1',
        provisioningState: 'Succeeded',
        replicas: 0,
        links: [{ name: 'kv-contoso-kv', target: vault }],
      },
    })
    const free = signalr.replace('contoso-signalr', 'contoso-free')
    expect(await world.directory.signalr(free, never)).toMatchObject({ value: { sku: 'Free_F1' } })
    const asked = world.calls().filter(({ path }) => /SignalRService/i.test(path))
    expect(new Set(asked.map(({ query }) => query))).toEqual(new Set(['api-version=2024-03-01']))
  })

  test('with its replicas', async () => {
    const world = await startWorld()
    const replicated = signalr.replace('contoso-signalr', 'contoso-global')
    expect(await world.directory.signalr(replicated, never)).toMatchObject({ value: { replicas: 1 } })
    world.sandbox.fail({ path: /replicas$/, times: 1, status: 403, code: 'AuthorizationFailed' })
    expect(await world.directory.signalr(replicated, never)).toMatchObject({
      value: { replicas: 'unreadable' },
    })
    world.sandbox.fail({ path: /replicas$/, times: 1, status: 404, code: 'ResourceNotFound' })
    expect(await world.directory.signalr(replicated, never)).toMatchObject({ value: { replicas: 0 } })
  })

  test('that is not there, or not to be seen', async () => {
    const world = await startWorld()
    expect(await world.directory.signalr(`${signalr}x`, never)).toEqual({ is: 'absent' })
    world.sandbox.rights.revoke(bot.objectId, 'linkMaker', main)
    expect(await world.directory.signalr(signalr, never)).toMatchObject({
      is: 'hidden',
      cause: { cause: 'botLacksRight', action: expect.stringMatching(/SignalR\/read$/i) },
    })
  })
})

describe('a vault', () => {
  test('with its openness, tags and connections', async () => {
    const seed = {
      vaults: [
        { id: vault, location: 'x', publicNetworkAccess: 'Disabled' as const, tags: { team: 'blue' } },
      ],
    }
    const world = await startWorld({ seed })
    await provisioned(world)
    expect(await world.directory.vault(vault, never)).toEqual({
      is: 'present',
      value: { id: vault, isPublic: false, connectionCount: 1, tags: { team: 'blue' } },
    })
    expect(await world.directory.vault(`${vault}x`, never)).toEqual({ is: 'absent' })
    const closed = adapter(world.sandbox.url, { as: people.guest.objectId })
    expect(await closed.directory.vault(vault, never)).toMatchObject({
      is: 'hidden',
      cause: { cause: 'botLacksRight', action: 'Microsoft.KeyVault/vaults/read' },
    })
  })

  test.each([
    [{ publicNetworkAccess: 'Enabled' }, true],
    [{}, true],
    [{ publicNetworkAccess: 'disabled' }, false],
    [{ publicNetworkAccess: 'SecuredByPerimeter' }, false],
    [{ networkAcls: { defaultAction: 'Deny' } }, false],
    [{ networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '203.0.113.7' }] } }, true],
    [{ networkAcls: { defaultAction: 'Allow' } }, true],
  ])('%j is public: %s', async (properties, expected) => {
    const { url } = await startPeer((_request, response) =>
      headed(response, 200, { 'content-type': 'application/json' }).end(
        JSON.stringify({ id: vault, properties: { sku: {}, ...properties } }),
      ),
    )
    expect(await adapter(url).directory.vault(vault, never)).toMatchObject({ value: { isPublic: expected } })
  })

  test('its connections, read now: ours and the pinned one', async () => {
    const world = await startWorld({ extraConnections: 2 })
    const connection = await provisioned(world)
    const pinned = { connection: connection.id, privateEndpoint: connection.privateEndpoint }
    expect(await world.directory.connections(vault, nonce, pinned, never)).toEqual({
      is: 'present',
      value: [connection],
    })
    world.sandbox.portal.removeConnection('contoso-kv', connection.id)
    expect(await world.directory.connections(vault, nonce, pinned, never)).toEqual({
      is: 'present',
      value: [],
    })
    expect(await world.directory.connections(`${vault}x`, nonce, pinned, never)).toEqual({ is: 'absent' })
  })
})

describe('no answer', () => {
  const reads = (world: ReturnType<typeof adapter>, signal = never) => ({
    signalrsNamed: () => world.directory.signalrsNamed('contoso-signalr', signal),
    vaults: () => world.directory.vaults(signal),
    signalr: () => world.directory.signalr(signalr, signal),
    vault: () => world.directory.vault(vault, signal),
    connections: () => world.directory.connections(vault, nonce, undefined, signal),
  })

  test.each([
    ['500', { status: 500 }],
    ['429', { status: 429 }],
    ['a reset', { how: 'reset' as const }],
    ['nothing', { how: 'hang' as const }],
  ])('is said so: %s', async (_name, rule) => {
    const world = await startWorld({}, { deadlineMs: 150 })
    world.sandbox.fail({ times: 100, ...rule })
    for (const read of Object.values(reads(world))) await expect(read()).rejects.toBeInstanceOf(Unanswered)
  })

  test("when the caller's time is up", async () => {
    const world = await startWorld()
    for (const read of Object.values(reads(world, AbortSignal.abort())))
      await expect(read()).rejects.toBeInstanceOf(Unanswered)
  })

  test('when any part of the whole is missing', async () => {
    for (const path of [/contoso-signalr$/, /sharedPrivateLinkResources$/, /replicas$/]) {
      const world = await startWorld()
      world.sandbox.fail({ path, times: 1, status: 500 })
      await expect(world.directory.signalr(signalr, never)).rejects.toBeInstanceOf(Unanswered)
    }
  })

  test('when a subscription cannot be searched, a name is not taken for free', async () => {
    const world = await startWorld()
    world.sandbox.fail({ path: graph, times: 1, status: 403 })
    world.sandbox.fail({ path: /22222222.*vaults$/, times: 1, status: 500 })
    await expect(world.directory.vaultsNamed('labs-kv', never)).rejects.toBeInstanceOf(Unanswered)
  })
})
