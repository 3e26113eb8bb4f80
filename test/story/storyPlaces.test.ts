/** The story when much happens at once, when Teams delivers again, and when a place is no longer there. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  asks,
  claims,
  closed,
  minutes,
  pending,
  says,
  signalrId,
  startStage,
  told,
  unlinked,
  until,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage({ owned: ['contoso-kv', 'contoso-certs'] })
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

test('four at once on two SignalRs and two vaults: Azure meets no conflict, and all come to work', async () => {
  const since = watch(world)
  const pairs = ['contoso-signalr', signalrId('contoso-chat', 'chat-blue')].flatMap((signalr) => [
    `link ${signalr} to contoso-kv`,
    `link ${signalr} to contoso-certs`,
  ])
  const requests = await Promise.all(pairs.map((pair) => pending(world, pair)))
  await Promise.all(requests.map(({ approval }) => approves(world, approval)))
  await Promise.all(requests.map(({ thread }) => thread.shows('can now reach', { within })))
  await Promise.all(requests.map((request) => unlinked(world, request)))
  const writes = since.writes()
  expect(writes.filter((write) => !/ 20\d$/.test(write))).toEqual([])
  expect(writes).toHaveLength(3 * pairs.length)
})

test('three ask for the same at the same moment: one link, and all hear how it ends', async () => {
  const since = watch(world)
  const ask = 'link contoso-signalr to contoso-kv'
  const threads = await Promise.all([
    says(world, ask),
    says(world, ask, { by: 'lone', in: 'random' }),
    says(world, ask, { by: 'lone', in: 'with:lone' }),
  ])
  await until(world, 'one card stands', () =>
    threads.some((thread) => told(thread).join().includes('[vaultlink ')),
  )
  expect(threads.filter((thread) => told(thread).join().includes('You follow it from here'))).toHaveLength(2)
  await says(world, 'cancel contoso-signalr to contoso-kv', { in: 'general' })
  for (const thread of threads)
    await thread.shows(/Cancelled by .* there is nothing left to decide/, { within })
  expect(since.effects().filter((what) => what === 'linkCreated').length).toBeLessThanOrEqual(1)
})

test('what Teams delivers again is neither asked nor decided twice', async () => {
  const since = watch(world)
  const request = await pending(world)
  await world.teams.redeliver(request.thread.root.id, { sameId: true })
  const pressed = await approves(world, request.approval)
  const again = await world.teams.redeliver(pressed.activityId ?? '', { sameId: true })
  expect(again.text).toMatch(/^Approved already by Noor Haddad/)
  await request.thread.shows('can now reach', { within })
  expect(since.writes()).toHaveLength(2)
  await unlinked(world, request)
})

test('the owners’ channel is gone before they are asked: the requester is told, and another is asked once there is one', async () => {
  world.azure.configure({ provisioningMs: minutes(5) })
  const request = await asks(world)
  await request.thread.shows('Provisioning state: Creating', { within })
  await world.teams.deleteChannel('vault-owners', 'owner')
  await world.passes(minutes(6))
  const gone = await request.thread.shows(
    'Vaultlink can no longer write to the channel that decides for contoso-kv, so nobody there sees the request.',
    { within },
  )
  expect(gone.mentions).toEqual(['requester'])
  expect(gone.text).toContain('say there: own contoso-kv')

  await claims(world, 'contoso-kv', { channel: 'random' })
  await world.passes(minutes(61))
  const approval = await approvalOf(world, request, 'random')
  await approves(world, approval)
  await request.thread.shows('can now reach', { within })
  world.azure.configure({ provisioningMs: 40 })
  await unlinked(world, { ...request, approval })
})

test('the requester’s channel is gone: they hear in a personal chat', async () => {
  const { approval } = await pending(world, 'link contoso-signalr to contoso-kv', {
    in: 'solo-owners',
    owners: 'random',
  })
  await world.teams.deleteChannel('solo-owners', 'owner')
  await approves(world, approval)
  const chat = world.teams.channel('with:requester')
  const good = await chat.shows('can now reach contoso-kv privately', { within })
  expect(good.mentions).toEqual(['requester'])
  await chat.shows(/Link contoso-signalr to contoso-kv\n✓ Approved by Noor Haddad/, { within })
})
