/** What waiting costs, and that nothing is missed: the real surveyor against the local Azure over HTTP, hours in seconds. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { bot } from '../../sandbox/seed.ts'
import { resourceName } from '../../src/link/resourceId.ts'
import { closeAll } from '../azure/world.ts'
import { hour, minute, second } from '../link/given.ts'
import { limits, type Size, subscriptionsOf } from './restingLinks.ts'
import { type RestingWorld, startResting } from './restingWorld.ts'

const figures = process.env.VAULTLINK_FIGURES === '1'

let world: RestingWorld | undefined
afterEach(async () => {
  await world?.close()
  world = undefined
  await closeAll()
})
const resting = async (...how: Parameters<typeof startResting>): Promise<RestingWorld> => {
  await world?.close()
  world = await startResting(...how)
  return world
}

const small: Size = { each: 10, linksOfEach: 6 }
/** Reads that show one link or connection, or the links of one resource. */
const exact = ({ reads }: RestingWorld) =>
  reads.filter(({ path }) => /(sharedPrivateLinkResources|privateEndpointConnections)/i.test(path))
const statusOf = async (world: RestingWorld, n: number): Promise<string> => (await world.get(n)).stage.status
const placeOf = (world: RestingWorld, n: number) => {
  const place = world.all[n]
  if (!place) throw new Error(`There is no link ${n}`)
  return place
}
const others = async (world: RestingWorld, ...not: number[]): Promise<string[]> => {
  const statuses = world.all.map((_, n) => (not.includes(n) ? 'Pending' : statusOf(world, n)))
  return [...new Set(await Promise.all(statuses))]
}

describe('waiting', () => {
  test('costs reads by the subscription, not by the link, and writes nothing', async () => {
    const cost: number[] = []
    for (const size of [
      { each: 10, linksOfEach: 10 },
      { each: 20, linksOfEach: 15 },
    ]) {
      const world = await resting(size)
      await world.passes(hour)
      expect(exact(world)).toEqual([])
      expect(world.written()).toBe(0)
      cost.push(world.reads.length)
    }
    const [few = 0, many] = cost
    expect(few).toBeGreaterThan(0)
    expect(many).toBe(few)
    expect(few / 3_600).toBeLessThan(0.5)
  })

  test('of several instances costs no more', async () => {
    const one = await resting(small)
    await one.passes(20 * minute)
    const alone = one.reads.length
    const two = await resting(small, { instances: 3 })
    await two.passes(20 * minute)
    expect(two.reads.length).toBeLessThanOrEqual(alone * 1.1)
  })

  test('for an instance that is no more ends, though the clock was set back since it took its turn', async () => {
    const world = await resting(small)
    await world.passes(2 * minute)
    const [subscription = ''] = subscriptionsOf(small)
    const at = world.now() + 24 * hour
    await world.store.gates([], () => ({
      take: [{ key: `survey ${subscription}`, holder: 'gone', until: at + minute, at }],
      result: undefined,
    }))
    world.reads.length = 0
    await world.passes(3 * minute)
    expect(world.reads.some(({ path }) => path.includes(subscription))).toBe(true)
  })

  test('takes longer rounds where lists have many pages, and sees the same', async () => {
    const world = await resting({ each: 40, linksOfEach: 2 })
    world.sandbox.configure({ pageSize: 2 })
    await world.passes(30 * minute)
    expect(exact(world)).toEqual([])
    expect(world.reads.length / 1_800).toBeLessThan(0.6)
    const { vault, nonce } = placeOf(world, 79)
    world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
    await world.passes(3 * minute)
    expect((await world.get(79)).decision).toMatchObject({ verdict: 'reject' })
  })

  const sizes = [{ each: 10, linksOfEach: 10 }, ...(figures ? [{ each: 200, linksOfEach: 50 }] : [])]
  test.each(sizes)(
    'for a day: %j',
    async (size) => {
      const links = size.each * size.linksOfEach
      const world = await resting(size)
      await world.passes(24 * hour)
      const perSecond = world.reads.length / (24 * 3_600)
      const own = exact(world).length
      expect(perSecond).toBeLessThan(1)
      expect(await others(world)).toEqual(['Pending'])
      // All have had their own look of the day; now one of them is approved.
      await world.passes(2 * minute)
      const { vault, nonce } = placeOf(world, 7)
      const began = world.written()
      world.reads.length = 0
      world.sandbox.portal.approve(resourceName(vault), 'owner', nonce)
      await world.passes(10 * minute)
      expect(await statusOf(world, 7)).toBe('Approved')
      const close = world.reads.filter(({ path }) => path.endsWith(placeOf(world, 7).name)).length
      console.log(
        `figure: ${links} links waiting for a day: ${perSecond.toFixed(2)} reads a second, the links' own looks ${own} of ` +
          `${Math.round(perSecond * 24 * 3_600)}; then one approved in the portal: ${close} looks at it, ${world.written() - began} commits, until it works`,
      )
    },
    3_600_000,
  )
})

describe('what changes', () => {
  test('in the portal is seen within the interval, and followed closely from then on', async () => {
    const world = await resting(small)
    await world.passes(10 * minute)
    const { vault, nonce } = placeOf(world, 7)
    world.sandbox.portal.approve(resourceName(vault), 'owner', nonce)
    world.reads.length = 0
    await world.passes(limits.longestLookMs + second)
    expect(await world.get(7)).toMatchObject({
      stage: { status: 'Propagating' },
      decision: { verdict: 'approve', where: 'portal' },
    })
    await world.passes(5 * minute)
    expect(await statusOf(world, 7)).toBe('Approved')
    expect(await others(world, 7)).toEqual(['Pending'])
    // Nobody else was looked at.
    const own = world.reads.filter(({ path }) => /sharedPrivateLinkResources\//.test(path))
    expect([...new Set(own.map(({ path }) => path))]).toHaveLength(1)
    // And once it works it rests like the others.
    world.reads.length = 0
    await world.passes(limits.usualPropagatingMs + hour)
    expect(exact(world).length).toBeLessThan(40)
  })

  test('while a link works, too', async () => {
    const world = await resting(small)
    const { vault, nonce } = placeOf(world, 7)
    world.sandbox.portal.approve(resourceName(vault), 'owner', nonce)
    await world.passes(2 * hour)
    expect(await statusOf(world, 7)).toBe('Approved')
    world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
    await world.passes(5 * minute)
    expect(await statusOf(world, 7)).toBe('Disconnected')
  })

  test('on the vault of another subscription, whose list is another, too', async () => {
    const world = await resting(small)
    const crossing = world.all.findIndex(
      ({ signalr, vault }) => signalr.split('/')[2] !== vault.split('/')[2],
    )
    const { vault, nonce } = placeOf(world, crossing)
    world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
    await world.passes(limits.longestLookMs + second)
    expect((await world.get(crossing)).decision).toMatchObject({ verdict: 'reject', where: 'portal' })
  })

  test('and an imitation of the mark, too', async () => {
    const world = await resting(small)
    const { vault, nonce } = placeOf(world, 3)
    world.sandbox.portal.addConnection(resourceName(vault), `hello [vaultlink ${nonce}]`)
    await world.passes(limits.longestLookMs + second)
    const { seen } = await world.get(3)
    expect(seen?.connections).toHaveProperty('value.length', 2)
  })

  test.each(['link', 'connection'] as const)(
    'a %s that is deleted is gone once a GET says so',
    async (which) => {
      const world = await resting(small)
      await world.passes(2 * minute)
      const { signalr, vault, name, nonce, connection } = placeOf(world, 7)
      world.sandbox.configure({ deletingMs: 0 })
      if (which === 'link') world.sandbox.portal.deleteLink(resourceName(signalr), name)
      else world.sandbox.portal.removeConnection(resourceName(vault), nonce)
      world.reads.length = 0
      await world.passes(limits.longestLookMs + 10 * second)
      const gone = which === 'link' ? `${signalr}/sharedPrivateLinkResources/${name}` : connection
      expect(world.reads).toContainEqual({
        path: expect.stringMatching(new RegExp(`^${gone}$`, 'i')),
        status: 404,
      })
      const { stage } = await world.get(7)
      const cause = which === 'link' ? 'deletedElsewhere' : 'connectionGone'
      expect(stage).toMatchObject({ cause: { cause } })
      expect(await others(world, 7)).toEqual(['Pending'])
    },
  )
})

describe('a list', () => {
  test('that leaves out what is there changes nothing, and is not asked about again and again', async () => {
    const world = await resting(small, {
      onTheWay(path, { value }) {
        if (/signalR$/.test(path))
          for (const { properties } of value) properties.sharedPrivateLinkResources = []
        if (/vaults$/.test(path))
          for (const { properties } of value) properties.privateEndpointConnections = []
      },
    })
    await world.passes(hour)
    expect(await others(world)).toEqual(['Pending'])
    expect(world.reads.some(({ path }) => /privateEndpointConnections/.test(path))).toBe(true)
    expect(world.reads.length / 3_600).toBeLessThan(0.6)
    // What the list cannot show is still seen, by the links' own looks.
    const { vault, nonce } = placeOf(world, 7)
    world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
    await world.passes(hour)
    expect((await world.get(7)).decision).toMatchObject({ verdict: 'reject' })
  })

  test.each(['that embeds nothing', 'that leaves out resources', 'whose entries are garbled'])(
    '%s is done without: each resource is read by itself, for all its links',
    async (how) => {
      const world = await resting(small, {
        onTheWay(path, body) {
          if (!/(signalR|vaults)$/.test(path)) return
          if (how === 'that leaves out resources') body.value.length = 0
          for (const { properties } of body.value)
            for (const member of ['sharedPrivateLinkResources', 'privateEndpointConnections'])
              if (how === 'that embeds nothing') delete properties[member]
              else properties[member] = [{ id: 7 }]
        },
      })
      const { vault, nonce } = placeOf(world, 7)
      await world.passes(10 * minute)
      expect(world.reads.some(({ path }) => /privateEndpointConnections$/.test(path))).toBe(true)
      expect(world.reads.some(({ path }) => /(Connections|Resources)\/./.test(path))).toBe(false)
      expect(world.reads.length / (10 * 60)).toBeLessThan(0.6)
      world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
      await world.passes(3 * minute)
      expect((await world.get(7)).decision).toMatchObject({ verdict: 'reject' })
    },
  )

  test('that the bot may not read, its rights being on single resources, is done without too', async () => {
    const world = await resting(small)
    const { rights } = world.sandbox
    for (const subscription of subscriptionsOf(small))
      for (const role of ['linkMaker', 'vaultApprover'])
        rights.revoke(bot.objectId, role, `/subscriptions/${subscription}`)
    for (const id of new Set(world.all.map(({ signalr }) => signalr)))
      rights.grant(bot.objectId, 'linkMaker', id)
    const [seen, ...unseen] = [...new Set(world.all.map(({ vault }) => vault))]
    for (const id of unseen) rights.grant(bot.objectId, 'vaultApprover', id)
    await world.passes(hour)
    expect(world.reads.length / 3_600).toBeLessThan(0.8)
    const visible = world.all.findIndex(({ vault }) => vault === unseen[2])
    const { vault, nonce } = placeOf(world, visible)
    world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
    await world.passes(5 * minute)
    expect((await world.get(visible)).decision).toMatchObject({ verdict: 'reject' })
    // Of what may not be read at all the link says so, and nothing is concluded.
    const hidden = world.all.findIndex(({ vault }) => vault === seen)
    expect(await world.get(hidden)).toMatchObject({
      stage: { status: 'Pending' },
      blocked: { cause: { cause: 'botLacksRight' } },
    })
  })

  test('of a throttled subscription is left alone for as long as Azure says; the others are read on', async () => {
    const world = await resting(small)
    await world.passes(2 * minute)
    const [throttled = '', other = ''] = subscriptionsOf(small)
    world.sandbox.fail({
      path: new RegExp(`${throttled}/providers`),
      times: 1,
      status: 429,
      headers: { 'retry-after': '1800' },
    })
    world.reads.length = 0
    await world.passes(29 * minute)
    const of = (subscription: string) => world.reads.filter(({ path }) => path.includes(subscription))
    expect(of(throttled)).toEqual([expect.objectContaining({ status: 429 })])
    expect(of(other).length).toBeGreaterThan(20)
    expect(await others(world)).toEqual(['Pending'])
    await world.passes(5 * minute)
    expect(of(throttled).length).toBeGreaterThan(1)
  })

  test.each([
    ['500', { status: 500 }],
    ['a reset', { how: 'reset' as const }],
  ])('that fails says nothing: %s', async (_name, rule) => {
    const world = await resting(small)
    world.sandbox.fail({ path: /providers\/Microsoft\.\w+\/\w+$/, times: 12, ...rule })
    await world.passes(2 * minute)
    expect(exact(world)).toEqual([])
    const { vault, nonce } = placeOf(world, 7)
    world.sandbox.portal.reject(resourceName(vault), 'owner', nonce)
    await world.passes(3 * minute)
    expect((await world.get(7)).decision).toMatchObject({ verdict: 'reject' })
  })
})
