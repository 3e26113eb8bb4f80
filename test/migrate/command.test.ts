/** `npm run migrate-store`: all of a SQLite file arrives in PostgreSQL, or nothing does. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openStore } from '../../src/store/openStore.ts'
import { ran } from '../audit/run.ts'
import { type FreshDatabase, freshDatabase } from '../postgres/database.ts'
import { appending, ask, channel, noon, unposted, vaultId } from '../store/samples.ts'
import { fill } from './many.ts'

const program = fileURLToPath(new URL('../../src/migrate/start.js', import.meta.url))
const count = 400

let folder: string
let file: string
let database: FreshDatabase
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-migrate-'))
  file = join(folder, 'links.db')
  database = await freshDatabase()
})
afterEach(async () => {
  await database.remove()
  await rm(folder, { recursive: true, force: true })
})

const migrate = (from = file) => ran(program, ['--from', from, '--to', database.url], {})
const filled = async (links: number) => {
  const store = await openStore({ url: file })
  await fill(store, links)
  return store
}
/** What a bot would find. */
async function known(url: string) {
  const store = await openStore({ url })
  try {
    const links = await store.list({}, count + 1)
    const [newest] = links
    if (!newest) throw new Error('Nothing is there')
    return {
      links,
      row: await store.get(newest.id),
      facts: await store.facts(newest.id),
      gate: await store.transact(newest.id, [`signalr ${count}`], (_, gates) => ({ result: gates })),
      there: (await store.list({ conversation: newest.asked.thread.conversation }, 10)).map(({ id }) => id),
      owner: await store.owner(vaultId('link-1')),
      place: await store.conversation(channel('blue').conversation),
      welcome: await store.welcome(channel('blue').conversation),
      people: await store.people([newest.asked.by]),
      words: await store.texts([newest.asked.reason ?? '']),
      due: await store.nextDue(),
      verdict: await store.verify(),
    }
  } finally {
    await store.close()
  }
}

test('everything is there afterwards, and a bot goes on with it', async () => {
  const store = await filled(count)
  await store.claim('somebody', noon, 60_000, 1)
  await store.close()
  const { code, out, told } = await migrate()
  expect([code, told]).toEqual([0, ''])
  expect(out).toMatch(
    /^400 links with 2,400 facts, 2 people and 1 owned vault are in PostgreSQL\. The audit log is whole/,
  )
  // Before SQLite is opened again: its leases would end by that alone.
  const there = await known(database.url)
  expect(there).toEqual(await known(file))
  expect(there.verdict.flaw).toBeUndefined()
  const target = await openStore({ url: database.url })
  expect(await target.claim('bot', noon, 60_000, 1_000)).toHaveLength(count)
  await target.transact('link-1', [], appending(unposted(noon)))
  expect((await target.verify()).flaw).toBeUndefined()
  await target.close()

  // Once more there is something in the way.
  const again = await migrate()
  expect([again.code, again.told]).toEqual([
    1,
    'The database is not empty: there is something in links. Make a new one. Nothing was copied.\n',
  ])
})

test('a file that a bot has open is left to it', async () => {
  const store = await filled(1)
  const { code, told } = await migrate()
  expect([code, told]).toEqual([1, `A bot has ${file} open. Stop it first. Nothing was copied.\n`])
  await store.create(ask('two'))
  await store.close()
  expect(await database.sql(`select tablename from pg_tables where tablename = 'links'`)).toEqual([])
})

test('a log that is not whole is not brought along', async () => {
  await (await filled(5)).close()
  const sqlite = new DatabaseSync(file)
  sqlite.exec(`update facts set json = replace(json, 'approve', 'reject') where link = 'link-3'`)
  sqlite.close()
  const { code, told } = await migrate()
  expect([code, told]).toEqual([
    1,
    'The audit log in the file is not whole. See what npm run audit -- verify says of it. Nothing was copied.\n',
  ])
  expect(await database.sql('select * from links')).toEqual([])
})

test('what was not typed right is explained, and no file is made', async () => {
  const nowhere = join(folder, 'nowhere.db')
  expect(await migrate(nowhere)).toMatchObject({
    code: 1,
    told: `There is no file ${nowhere}. Nothing was copied.\n`,
  })
  expect(existsSync(nowhere)).toBe(false)
  for (const args of [['--from', file], ['--to', database.url], ['--from', file, '--to', file], ['--all']]) {
    const { code, told } = await ran(program, args, { DATABASE_URL: '' })
    expect([args, code, told]).toEqual([args, 2, expect.stringMatching(/^npm run migrate-store -- --from/)])
  }
})
