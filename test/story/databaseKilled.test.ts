/** The database's own server is killed in the middle of two requests, and recovers: both end as they should. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { World } from '../../sandbox/world.ts'
import { type Server, startServer } from '../postgres/server.ts'
import { approves, pending, says, signalrId, startStage, until, watch, within } from './stage.ts'

let server: Server
let world: World
beforeAll(async () => {
  server = await startServer({ durable: true })
  world = await startStage({
    environment: { DATABASE_URL: server.url('postgres'), VAULTLINK_LEASE_SECONDS: '1' },
  })
})
afterAll(async () => {
  await world.close()
  await server.stop()
})

test('a decision and a new link, each in Azure and not yet written down when it is killed', async () => {
  const decided = await pending(world)
  const since = watch(world)
  const killed = new Promise<void>((resolve) => {
    const stop = world.azure.onEvent((event) => {
      if (event.kind !== 'effect' || event.what !== 'connectionApproved') return
      stop()
      resolve(server.kill())
    })
  })
  const asked = await says(world, `link ${signalrId('contoso-chat', 'chat-blue')} to contoso-kv`)
  await until(world, 'the other link is made', () => since.effects().includes('linkCreated'))
  await approves(world, decided.approval)
  await killed
  const ready = async () => (await fetch(`${world.bot().probes}/readyz`)).status
  // What the killed server had begun for its clients ends a moment after it.
  while ((await ready()) !== 503);

  await server.restart()
  await decided.thread.shows('can now reach', { within })
  await asked.shows("Waiting for the vault's owner", { within })
  expect(await ready()).toBe(200)
  const written = since.effects().filter((what) => what === 'connectionApproved' || what === 'linkCreated')
  expect(written).toEqual(['linkCreated', 'connectionApproved'])
  expect(world.bot().log.filter(({ event }) => event === 'crashed')).toEqual([])
})
