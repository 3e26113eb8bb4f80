/** Azure tells by an event what was written or deleted: the bot looks at once, and believes nothing but what it sees. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import type { EventSubscription, Subscribed } from '../../sandbox/azure/eventGrid.ts'
import { events } from '../../sandbox/seed.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  closed,
  days,
  linked,
  looksAfter,
  objectId,
  pending,
  type Request,
  signalrId,
  startStage,
  unlinked,
  until,
  vaultId,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage({
    owned: ['contoso-kv', 'contoso-certs'],
    hearsEvents: true,
    // While an owner is waited for, polling alone would find nothing within any test.
    environment: { VAULTLINK_LONGEST_LOOK_SECONDS: '3600', VAULTLINK_EVENT_LOOK_SECONDS: '0.05' },
  })
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

let subscribed: Subscribed | undefined
afterEach(async () => {
  subscribed?.end()
  await subscribed?.settled()
})
async function subscribes(how: Partial<EventSubscription> = {}): Promise<Subscribed> {
  const url = `${world.bot().url}/api/azure-events`
  subscribed = await world.azure.subscribe({ url, application: events.uri, ...how })
  return subscribed
}

const vault = 'contoso-kv'
const portal = (): World['azure']['portal'] => world.azure.portal
const owners = ({ approval }: Request & { approval: Request['card'] }) => world.teams.thread(approval)

/** Nothing is fresh any more: the bot would look next in ten minutes at the earliest. */
async function waits(): Promise<Request & { approval: Request['card'] }> {
  const request = await pending(world)
  await looksAfter(world, 3_600_000)
  return request
}
/** A month later nothing is fresh either. */
async function works(): Promise<Request & { approval: Request['card'] }> {
  const request = await linked(world)
  await looksAfter(world, days(30))
  return request
}

describe.each(['eventGrid', 'cloudEvents'] as const)('by the schema of %s', (schema) => {
  test('approved in the portal: seen at once, with no clock turned', async () => {
    const request = await waits()
    const { deliveries, settled } = await subscribes({ schema })
    portal().approve(vault, 'owner')
    await request.thread.shows('can now reach contoso-kv privately. Approved in the Azure portal', { within })
    await settled()
    expect(deliveries).toEqual([
      { subjects: [expect.stringContaining('/privateEndpointConnections/')], status: 200 },
    ])
    await unlinked(world, request)
  })

  test('rejected later, and approved again: both sides are told at once, each once', async () => {
    const request = await works()
    await subscribes({ schema })
    const since = watch(world)
    portal().reject(vault, 'owner')
    for (const thread of [request.thread, owners(request)])
      await thread.shows('privately: its connection on contoso-kv is Rejected.', { within })
    portal().approve(vault, 'owner', 'vaultlink')
    await request.thread.shows('reaches contoso-kv privately again.', { within })
    await owners(request).shows('Working again since', { within })
    expect(since.told()).toHaveLength(4)
    await unlinked(world, request)
  })
})

test('the connection removed later: both sides are told at once', async () => {
  const request = await works()
  await subscribes()
  portal().removeConnection(vault)
  for (const thread of [request.thread, owners(request)])
    await thread.shows('privately: its connection is no longer on contoso-kv.', { within })
  await unlinked(world, { thread: request.thread })
})

test('the link deleted later: both sides are told at once', async () => {
  const request = await works()
  await subscribes()
  portal().deleteLink('contoso-signalr', 'kv-contoso-kv')
  // Azure works off what it has to do when it is asked, or when its clock is turned.
  world.azure.turn(60_000)
  for (const thread of [request.thread, owners(request)])
    await thread.shows('Somebody removed the link kv-contoso-kv in Azure.', { within })
})

test('the vault deleted later: both sides are told at once', async () => {
  const request = await linked(world, 'link contoso-signalr to contoso-certs')
  await looksAfter(world, days(30))
  await subscribes()
  const id = vaultId('contoso-certs')
  world.azure.rights.grant(objectId('second'), 'contributor', id)
  const authorization = `Bearer ${await world.azure.identity.tokenFor(objectId('second'))}`
  const address = `${world.azure.url}${id}?api-version=2024-11-01`
  expect((await fetch(address, { method: 'DELETE', headers: { authorization } })).status).toBe(200)
  for (const thread of [request.thread, owners(request)])
    await thread.shows('contoso-certs is no longer there, deleted or moved.', { within })
  await unlinked(world, request)
})

test('twice, in the other order and all at once: each side hears once what stands at the end', async () => {
  const request = await works()
  const { deliveries, settled } = await subscribes({ copies: 3, reversed: true })
  const since = watch(world)
  portal().reject(vault, 'owner')
  portal().createLink('labs-signalr', 'labs-kv', 'theirs', 'please')
  await request.thread.shows('privately: its connection on contoso-kv is Rejected.', { within })
  await owners(request).shows('privately: its connection on contoso-kv is Rejected.', { within })
  await settled()
  const batch = [expect.stringMatching(/theirs$/), expect.stringContaining('/privateEndpointConnections/')]
  expect(deliveries).toEqual([1, 2, 3].map(() => ({ subjects: batch, status: 200 })))
  await world.passes(1_000)
  expect(since.told()).toHaveLength(2)
  expect(since.writes()).toEqual([])
  await unlinked(world, request)
})

test('what never happened, or happened elsewhere, does nothing but cost a look', async () => {
  const request = await works()
  const { send } = await subscribes()
  const since = watch(world)
  const elsewhere = [vaultId('solo-kv'), signalrId('contoso-free'), `${vaultId(vault)}/secrets/x`, 'nonsense']
  await send(...elsewhere.map((subject) => ({ subject })))
  await world.passes(1_000)
  expect(since.looks()).toBe(0)
  await send({ subject: vaultId(vault), deleted: true })
  await until(world, 'a look', () => since.looks() > 0)
  await world.passes(1_000)
  expect({ looks: since.looks(), told: since.told(), writes: since.writes() }).toEqual({
    looks: 1,
    told: [],
    writes: [],
  })
  await unlinked(world, request)
})

test('a look that fails is made again, and nothing is missed', async () => {
  const request = await works()
  await subscribes()
  world.azure.fail({ path: /privateEndpointConnections$/, status: 500, times: 2 })
  portal().reject(vault, 'owner')
  await request.thread.shows('privately: its connection on contoso-kv is Rejected.', { within })
  await unlinked(world, request)
})
