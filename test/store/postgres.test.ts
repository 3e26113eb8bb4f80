/** What PostgreSQL alone can do to a store: be lost, at whatever moment, and ask for a transaction once more. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { type Store, StoreAway, StoreInDoubt } from '../../src/engine/ports.ts'
import { resourceKey } from '../../src/link/resourceId.ts'
import type { Audit } from '../../src/store/audit.ts'
import { openStore } from '../../src/store/openStore.ts'
import { type FreshDatabase, freshDatabase } from '../postgres/database.ts'
import { type Line, lineTo } from '../postgres/line.ts'
import { appending, ask, change, minute, noon, signalrId, unposted } from './samples.ts'

let database: FreshDatabase
let line: Line
let store: Store & Audit
beforeEach(async () => {
  database = await freshDatabase()
  line = await lineTo(database.url)
  store = await openStore({ url: line.url })
  await store.create(ask('one'))
})
afterEach(async () => {
  line.become('open')
  await store.close()
  await line.close()
  await database.remove()
})

const append = () => store.transact('one', [], appending(unposted(noon)))
/** How many facts the link has, and whether the log is whole: asked past the line. */
const standing = async () => {
  const beside = await openStore({ url: database.url })
  try {
    return { version: (await beside.get('one'))?.version, flaw: (await beside.verify()).flaw }
  } finally {
    await beside.close()
  }
}

/** Resolves when the store has so many connections on which it waits for somebody's lock. */
const waitsForLocks = async (connections: number): Promise<void> => {
  const waiting = `select 1 from pg_stat_activity
    where wait_event_type = 'Lock' and application_name = 'vaultlink' and datname = current_database()`
  while ((await database.sql(waiting)).length < connections);
}

test('who is not let in hears why, and the password is not repeated', async () => {
  const url = new URL(database.url)
  url.password = 'hunter2'
  const refusal = await openStore({ url: url.href }).catch((error: unknown) => String(error))
  expect(refusal).toBe(
    'Error: PostgreSQL cannot be used: password authentication failed for user "vaultlink"',
  )
})

describe('when the line to it breaks', () => {
  test('between two calls, nobody notices', async () => {
    line.cut()
    expect(await append()).toBe(1)
    await database.sql(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'vaultlink'`,
    )
    expect(await append()).toBe(2)
    expect(await standing()).toEqual({ version: 3, flaw: undefined })
  })

  test('and it is away, that is said and nothing is written; then it goes on', async () => {
    line.become('refused')
    await expect(append()).rejects.toThrow(StoreAway)
    await expect(store.get('one')).rejects.toThrow(StoreAway)
    await expect(store.answers()).rejects.toThrow(StoreAway)
    expect(await standing()).toEqual({ version: 1, flaw: undefined })
    line.become('open')
    await store.answers()
    expect(await append()).toBe(1)
  })

  test('without a word, the call has a deadline all the same, and the connection is given up', async () => {
    line.become('silent')
    await expect(append()).rejects.toThrow(StoreAway)
    line.become('open')
    expect(await append()).toBe(1)
  })

  test('before a COMMIT arrives, the work is done again', async () => {
    const broken = line.breakAtCommit('before')
    let runs = 0
    await store.transact('one', [], ({ link }) => {
      runs += 1
      return { change: change(link, [unposted(noon)]), result: undefined }
    })
    await broken
    expect(runs).toBe(2)
    expect(await standing()).toEqual({ version: 2, flaw: undefined })
  })

  test('after a COMMIT, it is found out that it was one, and nothing is done twice', async () => {
    const broken = line.breakAtCommit('after')
    let runs = 0
    await store.transact('one', [], ({ link }) => {
      runs += 1
      return { change: change(link, [unposted(noon)]), result: undefined }
    })
    await broken
    expect(runs).toBe(1)
    expect(await standing()).toEqual({ version: 2, flaw: undefined })
  })

  test('while the server still works on the very first COMMIT, that is waited for', async () => {
    await database.sql(`delete from ledger; delete from ledger_head;
      create function held() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock(1); return null; end $$;
      create constraint trigger held after insert on ledger
        deferrable initially deferred for each row execute function held()`)
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    await other.query('select pg_advisory_lock(1)')
    let runs = 0
    const written = store.transact('one', [], ({ link }) => {
      runs += 1
      return { change: change(link, [unposted(noon)]), result: undefined }
    })
    await waitsForLocks(1)
    line.cut()
    await waitsForLocks(2)
    await other.end()
    await written
    expect(runs).toBe(1)
    expect((await store.get('one'))?.version).toBe(2)
  })

  test.each([
    ['before', 1],
    ['after', 2],
  ] as const)(
    '%s a COMMIT, and it stays away, nobody claims to know what became of it',
    async (when, version) => {
      const broken = line.breakAtCommit(when, 'refused')
      await expect(append()).rejects.toThrow(StoreInDoubt)
      await broken
      expect(await standing()).toEqual({ version, flaw: undefined })
    },
  )
})

test('a transaction that PostgreSQL ends for another is run again', async () => {
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  // It is the store's that is to be chosen.
  await other.query(`set deadlock_timeout = '1min'`)
  await other.query('begin')
  await other.query('select * from ledger_head for update')
  let runs = 0
  const appended = store.transact('one', [], ({ link }) => {
    runs += 1
    return { change: change(link, [unposted(noon)]), result: undefined }
  })
  await waitsForLocks(1)
  await other.query(`update links set due = due where id = 'one'`)
  await other.query('commit')
  await other.end()
  await appended
  expect(runs).toBe(2)
  expect(await standing()).toEqual({ version: 2, flaw: undefined })
})

test.each([
  ['renewed', () => store.renew(['one', 'alpha'], 'worker', noon + minute)],
  ['hinted at', () => store.hint(['contoso-signalr', 'zeta'].map(signalrId).map(resourceKey), noon)],
  ['hastened', () => store.hasten(minute)],
])('links that are %s together are locked in the order of their ids', async (_what, write) => {
  // Neither the table nor the index on SignalR and vault has them in that order.
  await store.create(ask('alpha', { signalr: signalrId('zeta') }))
  await database.sql(`update links set lease_holder = 'worker', lease_until = ${noon}`)
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query('begin')
  await other.query(`select id from links where id = 'alpha' for update`)
  const written = write()
  await waitsForLocks(1)
  const later = await other.query(`select id from links where id = 'one' for update skip locked`)
  await other.end()
  await written
  expect(later.rows).toEqual([{ id: 'one' }])
})

test('a sweep passes by the gates that somebody is writing', async () => {
  const gate = (key: string) => ({ key, holder: '', until: noon, at: noon }) as const
  await store.gates(['written', 'passed'], () => ({
    take: ['written', 'passed'].map(gate),
    result: undefined,
  }))
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query('begin')
  await other.query(`select key from gates where key = 'written' for update`)
  await store.sweepGates(noon + 1)
  await other.end()
  expect(await database.sql('select key from gates')).toEqual([{ key: 'written' }])
})

test('it says what time it is', async () => {
  const [row] = await database.sql(
    'select (extract(epoch from clock_timestamp()) * 1000)::double precision as now',
  )
  const now = await store.now?.()
  expect(now).toBeGreaterThanOrEqual(Math.floor(Number(row?.now)))
  expect(now).toBeLessThan(Number(row?.now) + 60_000)
})
