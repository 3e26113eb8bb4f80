/** What the bot itself writes into its audit log, read with `npm run audit` while it runs. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { World } from '../../sandbox/world.ts'
import { json, program, ran } from '../audit/run.ts'
import { asks, claims, linked, objectId, pending, says, seen, startStage, vaultId, within } from './stage.ts'
import { newStore } from './stores.ts'

let store: Awaited<ReturnType<typeof newStore>>
let world: World
const audit = (...args: string[]) => ran(program, args, { DATABASE_URL: store.url })
const heads = () =>
  world
    .bot()
    .log.flatMap(({ event, head }) => (event === 'audit.head' && typeof head === 'string' ? [head] : []))

beforeAll(async () => {
  store = await newStore()
  world = await startStage({
    owned: ['contoso-kv', 'contoso-certs'],
    environment: store.environment,
  })
})
afterAll(async () => {
  await world.close()
  await store.remove()
})

test('says who approved, when, and in which conversation, and is proved by the heads in the log', async () => {
  const { approval } = await linked(world)
  await says(world, 'disown contoso-certs', { by: 'owner', in: 'vault-owners' })
  const lines = json((await audit('export', '--format', 'jsonl')).out)
  const of = (fact: string) => lines.filter((line) => line.fact === fact)
  expect(of('asked')).toEqual([
    expect.objectContaining({
      who: expect.objectContaining({ name: 'Riley Park', objectId: objectId('requester') }),
      words: 'custom domain certificate',
      status: 'Requested',
    }),
  ])
  expect(of('decided')).toEqual([
    expect.objectContaining({
      who: expect.objectContaining({ objectId: objectId('owner') }),
      from: { is: 'person', conversation: approval.conversationId },
      status: 'Approving',
      vault: vaultId('contoso-kv'),
    }),
  ])
  expect(of('observed').map(({ from }) => from)).not.toContainEqual({ is: 'portal' })
  const events = lines.flatMap(({ text }) => (text === undefined ? [] : [JSON.parse(String(text))]))
  expect(events.filter(({ event }) => event)).toMatchObject([
    { event: 'owned', vault: vaultId('contoso-kv') },
    { event: 'owned', vault: vaultId('contoso-certs') },
    { event: 'disowned', vault: vaultId('contoso-certs'), conversation: expect.stringMatching(/^19:/) },
  ])
  // One at the start, one after the decision.
  expect(heads().length).toBeGreaterThanOrEqual(2)
  const proved = await audit('verify', ...heads().flatMap((head) => ['--head', head]))
  expect([proved.code, proved.told]).toEqual([0, ''])
})

test('tells apart what was decided in the portal, and forgets who asked for it once that is settled', async () => {
  const forget = () => audit('forget', objectId('lone'))
  await claims(world, 'contoso-certs')
  const { thread } = await pending(world, 'link contoso-signalr to contoso-certs because of me', {
    by: 'lone',
  })
  const early = await forget()
  expect([early.code, early.told]).toEqual([
    1,
    expect.stringContaining('contoso-signalr to contoso-certs, Pending'),
  ])
  world.azure.portal.approve('contoso-certs', 'second')
  await thread.shows('can now reach', { within })

  const before = (await audit('export', '--format', 'jsonl')).out
  const decided = json(before).filter(({ from }) => (from as { is?: string } | undefined)?.is === 'portal')
  expect(decided).toMatchObject([{ fact: 'observed', vault: vaultId('contoso-certs') }])
  expect(decided[0]).not.toHaveProperty('who')
  expect(before).toContain('Lena Ortiz')

  expect(await forget()).toMatchObject({ code: 0, told: '' })
  const after = (await audit('export', '--format', 'jsonl')).out
  for (const trace of ['Lena Ortiz', objectId('lone'), 'of me']) expect(after).not.toContain(trace)
  // The bot goes on; whoever was forgotten is somebody new, with no requests of their own.
  const said = await says(world, 'list', { by: 'lone', in: 'random' })
  expect(seen(await said.shows(/\S/, { within }))).not.toContain('contoso-certs')
  await claims(world, 'solo-kv', { by: 'lone', channel: 'solo-owners' })
  await asks(world, 'link contoso-signalr to solo-kv')
  const { code } = await audit('verify', ...heads().flatMap((head) => ['--head', head]))
  expect(code).toBe(0)
  expect(world.bot().log.filter(({ level }) => level === 'error')).toEqual([])
})
