/** What a link that works hangs on is deleted in Azure: the daily look finds it, and both sides hear of it once. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  closed,
  days,
  linked,
  objectId,
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
  world = await startStage({ owned: ['contoso-kv', 'contoso-certs'] })
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

/** Somebody who may deletes it in Azure. */
async function deletes(id: string, version: string): Promise<void> {
  world.azure.rights.grant(objectId('second'), 'contributor', id)
  const { status } = await fetch(`${world.azure.url}${id}?api-version=${version}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${await world.azure.identity.tokenFor(objectId('second'))}` },
  })
  expect(status).toBeLessThan(300)
}

/** A month later, and a day after it was deleted; what was posted since. */
async function deletedLater(id: string, version: string): Promise<ReturnType<typeof watch>> {
  await world.passes(days(30))
  const since = watch(world)
  await deletes(id, version)
  await world.passes(days(1.05))
  return since
}

test('the vault: both sides are told once, and the link can be taken away', async () => {
  const request = await linked(world, 'link contoso-signalr to contoso-certs')
  const since = await deletedLater(vaultId('contoso-certs'), '2024-11-01')
  const gone = 'contoso-signalr no longer reaches contoso-certs privately: contoso-certs is no longer there'
  await request.thread.shows(
    new RegExp(`^@Riley Park ${gone}.* say unlink contoso-signalr from contoso-certs`),
    {
      within,
    },
  )
  await world.teams.thread(request.approval).shows(new RegExp(`^${gone}.* recover it`), { within })
  for (const day of [2, 3]) {
    const looks = since.looks()
    await world.passes(days(1.05))
    await until(world, `the look of day ${day}`, () => since.looks() > looks)
  }
  expect(since.told().filter(({ text }) => text.includes('no longer reaches'))).toHaveLength(2)
  expect(since.writes()).toEqual([expect.stringMatching(/^DELETE contoso-certs /)])
  await unlinked(world, request)
})

test('the SignalR: both sides are told once, and it is over', async () => {
  const request = await linked(world)
  const since = await deletedLater(signalrId('contoso-signalr'), '2024-03-01')
  const gone = 'contoso-signalr is no longer there, deleted or moved, and the link kv-contoso-kv'
  await request.thread.shows(new RegExp(`^@Riley Park ${gone} .*ask again: link`), { within })
  await world.teams.thread(request.approval).shows(new RegExp(`^${gone}`), { within })
  await request.thread.shows('– Removed · contoso-signalr no longer reaches contoso-kv privately', { within })
  expect(since.told()).toHaveLength(2)
  expect(world.azure.connections('contoso-kv')).toEqual([])
})
