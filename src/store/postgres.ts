/**
 * Kysely on PostgreSQL. Every call has a deadline, at the server and here, and a server that goes away takes nothing with
 * it: what waits hears `StoreAway`, and the next call connects anew.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  Kysely,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
  sql,
} from 'kysely'
import pg from 'pg'
import type { Log } from '../engine/ports.ts'
import { type Head, StoreAway, StoreInDoubt } from '../engine/ports.ts'
import { entered, lockHead } from './ledger.ts'
import { asksToRepeat, isAwaitable, isBroken, isRefused, reasonOf, translated } from './postgresErrors.ts'
import type { Database, Tables, Trx } from './tables.ts'

export type Deadlines = {
  /** To be connected, or lent a connection. */
  readonly connectMs: number
  /** For one statement, locks and all, by the server's reckoning. 0: none. */
  readonly statementMs: number
  /** For one statement when the server is silent. */
  readonly silenceMs: number
  /** How long a transaction may hold its locks and do nothing, as that of a process that lost its network. 0: for ever. */
  readonly idleMs: number
}
/** For the bot: shorter than people wait for a turn, as far as connecting goes. */
export const hasty: Deadlines = { connectMs: 3_000, statementMs: 8_000, silenceMs: 10_000, idleMs: 10_000 }
/** For migrations and for reading the whole log. */
export const patient: Deadlines = { connectMs: 10_000, statementMs: 0, silenceMs: 30 * 60_000, idleMs: 0 }

/** Of one instance. A server takes 100 unless told otherwise, so that eight instances find room. */
const mostConnections = 10
const mostAttempts = 6
/** How long a lost commit is asked after. */
const doubtMs = 3_000
/** How long a server that is only just starting is waited for. */
const startMs = 30_000

// A count is a bigint, which pg leaves as text; ours are far from 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** Connects to the database that the URL names; waits a while for a server that is only just starting. */
export async function openPostgres(
  url: string,
  log: Log | undefined,
  deadlines: Deadlines,
): Promise<Database> {
  const { pool, idle } = lendingPool(url, log, deadlines)
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const close = async (): Promise<void> => {
    await idle()
    await db.destroy()
  }
  try {
    await awaited(db, log)
  } catch (error) {
    await close()
    throw error
  }
  return {
    db,
    transaction: (work) => committed(db, work),
    locksRows: true,
    isAlone: false,
    letOthersIn: () => undefined,
    scrub: async () => 'later',
    async now() {
      const { rows } = await sql<{
        now: number
      }>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`.execute(db)
      const [row] = rows
      if (!row) throw new StoreAway('PostgreSQL did not say what time it is')
      return row.now
    },
    close,
  }
}

async function awaited(db: Kysely<Tables>, log: Log | undefined): Promise<void> {
  for (const until = performance.now() + startMs; ; await pause(1_000)) {
    try {
      await sql`select 1`.execute(db)
      return
    } catch (error) {
      if (!(error instanceof StoreAway) || !isAwaitable(error) || performance.now() > until)
        throw new Error(`PostgreSQL cannot be used: ${reasonOf(error)}`, { cause: error })
      log?.('warn', 'store.awaited', {}, error)
    }
  }
}

// ---- connections -------------------------------------------------------------------------------------

/** A pool as Kysely wants it, whose errors are the engine's; `idle` resolves when nothing is lent or waited for. */
function lendingPool(
  url: string,
  log: Log | undefined,
  { connectMs, statementMs, silenceMs, idleMs }: Deadlines,
): { readonly pool: PostgresPool; readonly idle: () => Promise<void> } {
  const lender = new pg.Pool({
    connectionString: url,
    application_name: 'vaultlink',
    max: mostConnections,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: silenceMs,
    idle_in_transaction_session_timeout: idleMs,
    // What a load balancer forgets is not found out by asking.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  })
  // A connection that breaks while nobody uses it says so here; unheard, that would end the process.
  lender.on('connect', (client) => {
    client.on('error', (error) => log?.('warn', 'store.connectionLost', {}, error))
  })
  // The same once more, for the pool; heard above.
  lender.on('error', () => undefined)

  const underWay = new Set<symbol>()
  let whenIdle: (() => void) | undefined
  const ended = (one: symbol): void => {
    underWay.delete(one)
    if (underWay.size === 0) whenIdle?.()
  }
  return {
    pool: {
      options: lender.options,
      async connect() {
        const one = Symbol()
        underWay.add(one)
        const client = await lender.connect().catch((error: unknown) => {
          ended(one)
          throw translated(error)
        })
        return lent(client, () => ended(one))
      },
      end: () => lender.end(),
    },
    idle: () =>
      underWay.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenIdle = resolve
          }),
  }
}

/** A connection whose errors are the engine's, and that is given up once the server has been silent on it. */
function lent(client: pg.PoolClient, onRelease: () => void): PostgresPoolClient {
  let lost: StoreAway | undefined
  async function ask<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    // Each further statement would wait behind the one that has no answer.
    if (lost) throw lost
    try {
      const { command, rowCount, rows } = await client.query(text, [...values])
      return { command: command as PostgresQueryResult<R>['command'], rowCount: rowCount ?? 0, rows }
    } catch (error) {
      const known = translated(error)
      if (known instanceof StoreAway) lost = known
      throw known
    }
  }
  function query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>
  function query<R>(
    what: string | PostgresCursor<R>,
    values: readonly unknown[] = [],
  ): Promise<PostgresQueryResult<R>> | PostgresCursor<R> {
    if (typeof what !== 'string') throw new TypeError('Nothing is read by a cursor')
    return ask<R>(what, values)
  }
  return {
    query,
    release(destroy = false) {
      client.release(destroy || lost !== undefined)
      onRelease()
    },
  }
}

// ---- transactions ------------------------------------------------------------------------------------

/** Runs `work` until it is committed, or until it is certain that it cannot be now. */
async function committed<T>(db: Kysely<Tables>, work: (trx: Trx) => Promise<T>): Promise<T> {
  let broken = 0
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(db, work)
    } catch (error) {
      if (isBroken(error)) broken += 1
      const again = asksToRepeat(error) || (isBroken(error) && broken === 1)
      if (!again || attempt === mostAttempts) throw error
      // Two that met are not to meet again.
      await pause(Math.random() * 20 * attempt)
    }
  }
}

async function once<T>(db: Kysely<Tables>, work: (trx: Trx) => Promise<T>): Promise<T> {
  let worked: { readonly result: T; readonly entry: Head | undefined } | undefined
  try {
    return await db.transaction().execute(async (trx) => {
      const result = await work(trx)
      worked = { result, entry: entered(trx) }
      return result
    })
  } catch (error) {
    if (!worked?.entry || isRefused(error)) throw error
    if (await isCommitted(db, worked.entry)) return worked.result
    throw error
  }
}

/**
 * The answer to a COMMIT was lost: looks whether the ledger has what it wrote. What wrote no entry moved only due times
 * or words that nothing names; that may be taken for lost, whether it was or not.
 */
async function isCommitted(db: Kysely<Tables>, entry: Head): Promise<boolean> {
  for (const until = performance.now() + doubtMs; ; await pause(100)) {
    try {
      return await stands(db, entry)
    } catch (error) {
      if (performance.now() > until)
        throw new StoreInDoubt('PostgreSQL was lost in the middle of a commit', { cause: error })
    }
  }
}

function stands(db: Kysely<Tables>, { n, head }: Head): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    // Held by the lost transaction to its end: whoever gets it here sees what became of that.
    await lockHead(trx)
    const row = await trx
      .selectFrom('ledger')
      .select('n')
      .where('n', '=', n)
      .where('head', '=', head)
      .executeTakeFirst()
    return row !== undefined
  })
}
