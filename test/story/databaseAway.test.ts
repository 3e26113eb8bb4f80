/** The database goes away and comes back: people hear what is true, the probe is red meanwhile, and then it all goes on. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { events } from '../../sandbox/seed.ts'
import type { World } from '../../sandbox/world.ts'
import { type FreshDatabase, freshDatabase } from '../postgres/database.ts'
import { type Line, lineTo } from '../postgres/line.ts'
import {
  approves,
  pending,
  says,
  signalrId,
  startStage,
  told,
  until,
  vaultId,
  watch,
  within,
} from './stage.ts'

let database: FreshDatabase
let line: Line
let world: World
beforeAll(async () => {
  database = await freshDatabase()
  line = await lineTo(database.url)
  world = await startStage({
    hearsEvents: true,
    environment: { DATABASE_URL: line.url, VAULTLINK_LEASE_SECONDS: '1' },
  })
})
afterAll(async () => {
  await world.close()
  await line.close()
  await database.remove()
})

const nothingDone = "I can't write this down right now; nothing was done. Please try again in a minute."
const ready = async (): Promise<number> => (await fetch(`${world.bot().probes}/readyz`)).status

test('a request and a decision hear that nothing was done, and nothing was; later both are taken', async () => {
  const first = await pending(world)
  const since = watch(world)
  line.become('refused')
  expect(await ready()).toBe(503)
  expect((await fetch(`${world.bot().probes}/healthz`)).status).toBe(200)
  expect((await fetch(`${world.bot().probes}/metrics`)).status).toBe(200)
  expect((await approves(world, first.approval)).text).toBe(nothingDone)
  const unheard = await says(world, 'link contoso-signalr to contoso-kv')
  expect(told(unheard)).toEqual([nothingDone])
  expect(since.writes()).toEqual([])

  line.become('open')
  expect(await ready()).toBe(200)
  await approves(world, first.approval)
  await first.thread.shows('can now reach', { within })
  expect(since.effects().filter((what) => what === 'connectionApproved')).toHaveLength(1)
})

test('what was under way when it went is neither lost nor done twice', async () => {
  const { azure, teams } = world
  const since = watch(world)
  // Azure has the link, Teams the card, and neither can be written down.
  const stop = azure.onEvent((event) => {
    if (event.kind === 'effect' && event.what === 'linkCreated') line.become('refused')
  })
  const thread = await says(world, `link ${signalrId('contoso-chat', 'chat-blue')} to contoso-kv`)
  await until(world, 'the link is made', () => since.effects().includes('linkCreated'))
  stop()
  expect(await ready()).toBe(503)
  line.become('open')
  await thread.shows("Waiting for the vault's owner", { within })
  await teams.channel('vault-owners').shows('asks to connect contoso-chat', { within })
  expect(since.writes()).toEqual(['PUT kv-contoso-kv 201'])
  expect(thread.messages().filter(({ card }) => card !== undefined)).toHaveLength(1)
})

test('Event Grid hears that it has to send again, and what it then sends is taken', async () => {
  const url = `${world.bot().url}/api/azure-events`
  const { send, deliveries, end, settled } = await world.azure.subscribe({ url, application: events.uri })
  line.become('refused')
  const sent = send({ subject: vaultId('contoso-kv') })
  while (deliveries.length === 0) await new Promise(setImmediate)
  line.become('open')
  await sent
  end()
  await settled()
  const answers = deliveries.map(({ status }) => status)
  expect([answers.at(-1), ...new Set(answers.slice(0, -1))]).toEqual([200, 503])
  const refused = world.bot().log.find(({ event }) => event === 'request.refused')
  expect(refused).toMatchObject({ level: 'warn', why: 'database away', error: 'StoreAway' })
  expect(world.bot().log.some(({ event }) => event === 'request.failed')).toBe(false)
})

test('a decision whose commit was lost with the database is not said to be undone', async () => {
  const request = await pending(world, `link ${signalrId('contoso-chat', 'chat-green')} to contoso-kv`)
  const broken = line.breakAtCommit('after', 'refused', '"fact":"decided"')
  const answer = await approves(world, request.approval)
  await broken
  expect(answer.text).toMatch(/can't tell yet whether it was|longer than it should/)
  line.become('open')
  await request.thread.shows('can now reach', { within })
})
