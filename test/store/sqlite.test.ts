import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import { type Store, StoreAway } from '../../src/engine/ports.ts'
import { openStore } from '../../src/store/openStore.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { translated } from '../../src/store/sqliteErrors.ts'
import { appending, ask, minute, noon, riley, unposted } from './samples.ts'

const appender = fileURLToPath(new URL('./appender.ts', import.meta.url))

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-sqlite-'))
  file = join(folder, 'my data', 'links.db')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test.each([
  ['a path', () => file],
  ['a file URL', () => pathToFileURL(file).href],
])('%s: folder and file are made, for their owner alone', async (_, url) => {
  const store = await openStore({ url: url() })
  const files = await readdir(join(folder, 'my data'))
  expect(files.toSorted()).toEqual(['links.db', 'links.db-shm', 'links.db-wal', 'links.db.open'])
  const modes = await Promise.all(
    files.map(async (name) => (await stat(join(folder, 'my data', name))).mode & 0o777),
  )
  expect(modes).toEqual([0o600, 0o600, 0o600, 0o600])
  await store.close()
  // The last to close empties the log into the file.
  expect(existsSync(`${file}-wal`)).toBe(false)
})

test('a file that others could read is closed to them', async () => {
  file = join(folder, 'links.db')
  await writeFile(file, '', { mode: 0o644 })
  await (await openStore({ url: file })).close()
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('nothing is written for :memory:', async () => {
  const store = await openStore({ url: ':memory:' })
  await store.create(ask('one'))
  expect((await store.get('one'))?.version).toBe(1)
  await store.close()
  expect(existsSync(':memory:')).toBe(false)
})

test.each([
  ['mysql://bot:hunter2@db/vaultlink', 'cannot begin with mysql://'],
  ['', 'is empty'],
])('%s is refused, and its password is not repeated', async (url, message) => {
  const refusal = await openStore({ url }).catch((error: unknown) => String(error))
  expect(refusal).toContain(message)
  expect(refusal).not.toContain('hunter2')
})

test('what is not a database is refused and left as it was', async () => {
  file = join(folder, 'links.db')
  await writeFile(file, 'a letter to my aunt, long enough to be no empty database'.repeat(20))
  await expect(openStore({ url: file })).rejects.toThrow('not a database')
  expect(await readFile(file, 'utf8')).toMatch(/^a letter to my aunt/)
})

test('who is forgotten cannot be found in the files either', async () => {
  const store = await openStore({ url: file })
  const key = await store.remember(riley)
  const reason = await store.keep('because of the custom domain certificate', key)
  await store.create(ask('one', { by: key, reason }))
  const onDisk = async () => {
    const files = await readdir(join(folder, 'my data'))
    return (await Promise.all(files.map((name) => readFile(join(folder, 'my data', name), 'latin1')))).join()
  }
  const words = [riley.name, riley.objectId, riley.teamsId, 'custom domain']
  const before = await onDisk()
  expect(words.filter((word) => before.includes(word))).toEqual(words)
  await store.transact('one', [], ({ link }) => ({
    change: { facts: [], link: { ...link, stage: { status: 'Removed' } }, due: undefined },
    result: undefined,
  }))
  expect(await store.forget(key, noon)).toMatchObject({ is: 'forgotten', scrubbed: true })
  const after = await onDisk()
  expect(words.filter((word) => after.includes(word))).toEqual([])
  await store.close()
})

test('who is next is read from an index, however many links there are', async () => {
  const store = await openStore({ url: file })
  await store.create(ask('one'))
  await store.transact('one', [], appending(unposted(noon)))
  await store.close()
  const database = new DatabaseSync(file)
  const plan = database
    .prepare(
      'explain query plan select id from links where claimable_at <= ? and schema in (1, 2) order by claimable_at limit 9',
    )
    .all(noon)
  database.close()
  expect(plan.map(({ detail }) => detail).join()).toMatch(
    /SEARCH links USING (COVERING )?INDEX links_claimable/,
  )
})

describe('while another process writes', () => {
  let store: Store
  let other: DatabaseSync
  beforeEach(async () => {
    store = await openStore({ url: file })
    other = new DatabaseSync(file)
    other.exec('begin immediate')
  })
  afterEach(async () => {
    other.close()
    await store.close()
  })

  test('it is waited for, and the process goes on with all else meanwhile', async () => {
    const created = store.create(ask('one'))
    await new Promise(setImmediate)
    other.exec('commit')
    expect(await created).toEqual({ is: 'created' })
  })

  test('and does not end, the store is away; then it goes on', async () => {
    const refused = await store.create(ask('one')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(StoreAway)
    expect(refused).toMatchObject({ code: 'SQLITE_BUSY' })
    expect(await store.get('one')).toBeUndefined()
    other.exec('commit')
    expect(await store.create(ask('one'))).toEqual({ is: 'created' })
  })
})

test('while the disk is full the store is away, nothing stays of what did not fit, and then it goes on', async () => {
  await (await openStore({ url: file })).close()
  const { db, transaction, close } = openSqlite(file, undefined)
  const write = (size: number) =>
    transaction(async (trx) => {
      for (const key of ['a', 'b']) {
        const text = { key, by: 'riley', words: 'w'.repeat(size) }
        await trx.insertInto('texts').values(text).execute()
      }
    })
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  await sql.raw(`pragma max_page_count = ${Number(rows[0]?.page_count) + 4}`).execute(db)
  const refused = await write(100_000).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(StoreAway)
  expect(refused).toMatchObject({ code: 'SQLITE_FULL' })
  expect(await db.selectFrom('texts').select('key').execute()).toEqual([])
  await write(1)
  await close()
})

test('what is wrong with us is no matter of the file', async () => {
  const store = await openStore({ url: file })
  await store.create(ask('one'))
  await expect(store.create(ask('one', { vault: 'another' }))).rejects.not.toThrow(StoreAway)
  await store.close()
})

test.each([
  [5, 'SQLITE_BUSY'],
  [5 | (2 << 8), 'SQLITE_BUSY'],
  [8 | (4 << 8), 'SQLITE_READONLY'],
  [10 | (4 << 8), 'SQLITE_IOERR'],
  [13, 'SQLITE_FULL'],
])('result code %i is %s, and the store is away', (errcode, code) => {
  const error = Object.assign(new Error('words of SQLite'), { code: 'ERR_SQLITE_ERROR', errcode })
  expect(translated(error)).toMatchObject({ name: 'StoreAway', code, cause: error })
})

test('a lease ends with its process: at the next opening, unless another process lives', async () => {
  const holder = async () => {
    const store = await openStore({ url: file })
    const row = await store.get('held')
    await store.close()
    return row?.lease?.holder
  }
  const store = await openStore({ url: file })
  await store.create(ask('one', {}, noon + 1))
  await store.create(ask('held'))
  const child = spawn(process.execPath, [appender, file, 'one', '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    // Open it is once it has written.
    await once(child.stdout, 'data')
    child.stdout.resume()
    await store.claim('worker', noon, minute, 2)
    await store.close()
    expect(await holder()).toBe('worker')
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  expect(await holder()).toBeUndefined()
})
