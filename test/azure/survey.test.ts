/** What a survey shows, and who yields when Azure lets little more be read. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { assignments, subscriptions } from '../../sandbox/seed.ts'
import { resourceKey } from '../../src/link/resourceId.ts'
import { pairs } from '../pairs.ts'
import {
  closeAll,
  linkName,
  never,
  provisioned,
  requestMessage,
  signalr,
  startWorld,
  vault,
  watch,
} from './world.ts'

afterEach(closeAll)

const main = subscriptions.main.id
const other = signalr.replace('contoso-signalr', 'contoso-global')
const certs = vault.replace('contoso-kv', 'contoso-certs')
const both = { subscription: main, signalrs: [signalr, other], vaults: [vault, certs] }

test('shows what the lists embed, and reads by itself what they embed nothing of', async () => {
  const world = await startWorld()
  await provisioned(world)
  const before = world.calls().length
  const { signalrs, vaults, reads, retryAfterMs } = await world.survey(both, never)
  const links = {
    is: 'present',
    value: [expect.objectContaining({ name: linkName, target: vault, requestMessage })],
  }
  expect(signalrs.get(resourceKey(signalr))).toEqual(links)
  expect(signalrs.get(resourceKey(other))).toEqual({ is: 'present', value: [] })
  const connections = [expect.objectContaining({ status: 'Pending', description: requestMessage })]
  expect(vaults.get(resourceKey(vault))).toEqual({ is: 'present', value: { connections, isPublic: true } })
  // The list says nothing of the connections of a vault that has none.
  expect(vaults.get(resourceKey(certs))).toEqual({ is: 'present', value: { connections: [] } })
  expect(world.calls().length - before).toBe(reads)
  expect(retryAfterMs).toBeUndefined()
})

test('a resource that ARM says is not there is absent; one that may not be read is hidden, not gone', async () => {
  const world = await startWorld()
  const wanted = { ...both, vaults: [vault, certs, `${vault}x`] }
  world.sandbox.fail({ path: /contoso-certs\/private/, times: 1, status: 403, code: 'AuthorizationFailed' })
  const { vaults } = await world.survey(wanted, never)
  expect(vaults.get(resourceKey(`${vault}x`))).toEqual({ is: 'absent' })
  expect(vaults.get(resourceKey(certs))).toEqual({ is: 'hidden' })
})

test('a list that keeps failing is done without from the third time on', async () => {
  const world = await startWorld()
  world.sandbox.fail({ path: /providers\/Microsoft.KeyVault\/vaults$/, times: 3, status: 503 })
  const shown = async () => (await world.survey(both, never)).vaults.size
  expect([await shown(), await shown(), await shown()]).toEqual([0, 0, 2])
})

test('what the list leaves out is read the longest unread first, and what is no longer asked for is forgotten', async () => {
  const { vaults } = pairs(100)
  const ids = vaults.map(({ id }) => id)
  const world = await startWorld({ seed: { signalrs: [], vaults, assignments }, throttle: false })
  const read = async (asked: readonly string[]): Promise<readonly string[]> => {
    const shown = await world.survey({ subscription: main, signalrs: [], vaults: asked }, never)
    return ids.filter((id) => shown.vaults.has(resourceKey(id)))
  }
  const first = await read(ids)
  expect(first.length).toBeLessThan(ids.length)
  expect(await read(ids)).toEqual(expect.arrayContaining(ids.filter((id) => !first.includes(id))))
  // Nothing is remembered of what was not asked for meanwhile.
  await read(first)
  await read([])
  expect(await read(ids)).toEqual(first)
})

test('one resource is read by itself', async () => {
  const world = await startWorld()
  await world.survey({ subscription: main, signalrs: [signalr], vaults: [vault] }, never)
  expect(world.calls().map(({ path }) => path.split('/').at(-1))).toEqual([
    'sharedPrivateLinkResources',
    'privateEndpointConnections',
  ])
})

describe('when few reads are left', () => {
  let world: Awaited<ReturnType<typeof startWorld>>
  let ahead = 0
  beforeEach(async () => {
    ahead = 0
    world = await startWorld({}, { now: () => Date.now() + ahead })
  })
  const passes = (ms: number): void => {
    ahead += ms
    world.sandbox.turn(ms)
  }
  /** Of the 250 that a subscription has, some are read at once; it gets 25 more each second. */
  const spend = async (reads: number): Promise<void> => {
    await Promise.all(Array.from({ length: reads }, () => world.directory.vault(vault, never)))
  }
  const patient = watch({ id: 'patient', canWait: true })

  test('looks that can wait do, each until a turn of its own, and read nothing; others go on', async () => {
    await spend(240)
    const before = world.calls().length
    const waiting = [patient, { ...patient, id: 'next' }]
    const yielded = await world.azure.observe(waiting, never)
    expect(world.calls()).toHaveLength(before)
    const waits = waiting.map(({ id }) => yielded.get(id))
    for (const one of waits)
      expect(one).toEqual({ failed: { cause: 'throttled' }, retryAfterMs: expect.any(Number) })
    const [first = 0, second = 0] = waits.map((one) => (one && 'failed' in one ? (one.retryAfterMs ?? 0) : 0))
    expect(first).toBeGreaterThan(1_000)
    expect(second).toBeGreaterThan(first)
    expect((await world.azure.observe([watch()], never)).get('one')).toHaveProperty('own')
    passes(second + 5_000)
    expect((await world.azure.observe([patient], never)).get('patient')).toHaveProperty('own')
    expect(world.calls().some(({ status }) => status === 429)).toBe(false)
  })

  test('a clock that is set back makes nobody wait longer', async () => {
    await spend(240)
    expect((await world.azure.observe([patient], never)).get('patient')).toHaveProperty('failed')
    ahead -= 24 * 3_600_000
    expect((await world.azure.observe([patient], never)).get('patient')).toHaveProperty('own')
  })

  test('surveys wait too, of that subscription alone', async () => {
    await spend(240)
    const before = world.calls().length
    const held = await world.survey(both, never)
    expect(held).toMatchObject({ reads: 0, retryAfterMs: expect.any(Number) })
    expect(held.signalrs.size + held.vaults.size).toBe(0)
    expect(world.calls()).toHaveLength(before)
    const elsewhere = (id: string) => id.replace(main, subscriptions.other.id).replace('/contoso/', '/labs/')
    const labs = elsewhere(vault).replace('contoso-kv', 'labs-kv')
    const free = await world.survey(
      { subscription: subscriptions.other.id, signalrs: [], vaults: [labs] },
      never,
    )
    expect(free.vaults.size).toBe(1)
    passes((held.retryAfterMs ?? 0) + 5_000)
    expect((await world.survey(both, never)).vaults.size).toBe(2)
  })

  test('nobody waits while enough are', async () => {
    await spend(60)
    expect((await world.azure.observe([patient], never)).get('patient')).toHaveProperty('own')
  })
})
