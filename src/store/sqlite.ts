/** Kysely on node:sqlite: one file, one connection per process, every acknowledged commit on the disk. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Log } from '../engine/ports.ts'
import { isBusy, translated } from './sqliteErrors.ts'
import type { Database, Tables } from './tables.ts'

/**
 * How long a statement waits for another process to finish its transaction, and those behind it wait for that; ours take
 * milliseconds.
 */
const busyMs = 2_000
/** How long of that SQLite waits by itself, in which this process does nothing else; then others have as long. */
const blockingMs = 10
/** How long it is waited until nobody reads, when somebody is to be forgotten. */
const scrubMs = 5_000

/** Opens, and if need be creates, the database in `path`, which may be `:memory:`. */
export function openSqlite(path: string, log: Log | undefined): Database {
  const inMemory = path === ':memory:'
  if (!inMemory) makeFile(path, log)
  const presence = inMemory ? unseen : announce(`${path}.open`, log)
  const sqlite = opened(path, inMemory, presence.end)
  const close = () => {
    sqlite.close()
    presence.end()
  }
  const db = new Kysely<Tables>({ dialect: dialect(sqlite, close) })
  return {
    db,
    transaction: (work) => db.transaction().execute(work),
    locksRows: false,
    isAlone: presence.isAlone,
    letOthersIn: presence.letOthersIn,
    scrub: async () => {
      // The pages before a deletion stand in the write-ahead log until it is emptied, which nobody may read meanwhile.
      for (const until = performance.now() + scrubMs; ; await pause(blockingMs)) {
        const result = sqlite.prepare('pragma wal_checkpoint(truncate)').get()
        if (result?.busy === 0 || performance.now() > until) return result?.busy === 0
      }
    },
    async close() {
      // What was asked before is answered first: the connection is lent in the order of asking.
      await db.connection().execute(async () => undefined)
      await db.destroy()
    },
  }
}

/** Opens a database that is there, to read it beside whoever writes it; undefined when there is none. */
export function openSqliteToRead(path: string): Pick<Database, 'db' | 'locksRows'> | undefined {
  if (!existsSync(path)) return undefined
  const sqlite = new DatabaseSync(path, { timeout: busyMs, readOnly: true })
  const db = new Kysely<Tables>({ dialect: dialect(sqlite, () => sqlite.close(), 'begin') })
  return { db, locksRows: false }
}

/** SQLite gives the log beside the file the file's own mode, so nobody else can read that either. */
function makeFile(path: string, log: Log | undefined): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  // Never opened when it is there: closing it again would drop the locks that this process has on it (fcntl).
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  if ((statSync(path).mode & 0o077) === 0 || process.platform === 'win32') return
  try {
    chmodSync(path, 0o600)
  } catch (error) {
    // A mounted volume may belong to somebody else; its own rights then decide.
    log?.('warn', 'store.readableByOthers', {}, error)
  }
}

type Presence = { readonly isAlone: boolean; readonly letOthersIn: () => void; readonly end: () => void }
const unseen: Presence = { isAlone: true, letOthersIn: () => undefined, end: () => undefined }

/**
 * Says that this process has the database open, and finds out whether another has: by a lock on an empty database
 * beside it, which all that are alive share. The system takes it back even from a process that was killed.
 */
function announce(path: string, log: Log | undefined): Presence {
  makeFile(path, log)
  const lock = new DatabaseSync(path, { timeout: 0 })
  // Reading in a transaction keeps the shared lock until the connection is closed.
  const share = () => lock.exec(`pragma busy_timeout = ${busyMs}; begin; select 1 from sqlite_schema`)
  try {
    const isAlone = lockAlone(lock)
    if (!isAlone) {
      share()
      log?.('warn', 'store.shared', { reason: 'another process has the database open' })
    }
    return {
      isAlone,
      letOthersIn: () => {
        if (!isAlone) return
        lock.exec('commit')
        share()
      },
      end: () => lock.close(),
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

function lockAlone(lock: DatabaseSync): boolean {
  try {
    lock.exec('begin exclusive')
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

function opened(path: string, inMemory: boolean, onFailure: () => void): DatabaseSync {
  let sqlite: DatabaseSync | undefined
  try {
    sqlite = new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true })
    configure(sqlite, inMemory)
    return sqlite
  } catch (error) {
    sqlite?.close()
    onFailure()
    throw error
  }
}

function configure(sqlite: DatabaseSync, inMemory: boolean): void {
  // Asked first: the switch wants the file alone for a moment, and once made it stays with the file.
  if (!inMemory && pragma(sqlite, 'journal_mode') !== 'wal') {
    const mode = pragma(sqlite, 'journal_mode = wal')
    if (mode !== 'wal')
      throw new Error(
        `SQLite cannot keep a write-ahead log beside this file (journal mode ${mode}); is it on a network share? Use a local disk, or PostgreSQL.`,
      )
  }
  // WAL's default syncs only at checkpoints and may lose acknowledged commits with the power.
  sqlite.exec('pragma synchronous = full')
  // What `forget` erases must not stay readable in freed pages.
  sqlite.exec('pragma secure_delete = on')
  sqlite.exec(`pragma busy_timeout = ${blockingMs}`)
}

function pragma(sqlite: DatabaseSync, command: string): unknown {
  const row = sqlite.prepare(`pragma ${command}`).get()
  return row === undefined ? undefined : Object.values(row)[0]
}

function dialect(sqlite: DatabaseSync, close: () => void, begin = 'begin immediate'): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new PatientDriver(sqlite, close, begin),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class PatientDriver extends SqliteDriver {
  readonly #sqlite: DatabaseSync
  readonly #begin: string
  /** One for all, as the connection is: Kysely keeps track of each that it is given. */
  #patient: DatabaseConnection | undefined

  constructor(sqlite: DatabaseSync, close: () => void, begin: string) {
    super({ database: asKyselyWants(sqlite, close) })
    this.#sqlite = sqlite
    this.#begin = begin
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection()
    this.#patient ??= {
      executeQuery: (query) => this.#waitedFor(() => connection.executeQuery(query)),
      streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
    }
    return this.#patient
  }

  /**
   * A transaction that begins by reading and then writes fails at once when another process wrote in between
   * (SQLITE_BUSY_SNAPSHOT, which no timeout waits out): take the write lock from the start.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(this.#begin))
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk and its like end the transaction themselves; what SQLite says of a second end would hide why.
    if (this.#sqlite.isTransaction) await super.rollbackTransaction(connection)
  }

  async #waitedFor<T>(ask: () => Promise<T>): Promise<T> {
    for (const until = performance.now() + busyMs; ; await pause(blockingMs)) {
      try {
        return await ask()
      } catch (error) {
        const mayPass = isBusy(error) && !this.#sqlite.isTransaction
        if (!mayPass || performance.now() > until) throw translated(error)
      }
    }
  }
}

/** Kysely leaves SQLite's DDL outside transactions, so a kill would leave half a migration: SQLite can do better. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** Kysely's own dialect speaks better-sqlite3, which takes parameters as an array and tells readers apart. */
function asKyselyWants(sqlite: DatabaseSync, close: () => void): SqliteDatabase {
  const kept = new Map<string, Prepared>()
  return {
    close,
    prepare(sql) {
      const known = kept.get(sql)
      if (known) return known
      const prepared = prepare(sqlite, sql)
      kept.set(sql, prepared)
      const [oldest] = kept.keys()
      if (kept.size > mostStatements && oldest !== undefined) kept.delete(oldest)
      return prepared
    },
  }
}

type Prepared = ReturnType<SqliteDatabase['prepare']>

/** More than the store has queries; lists of different lengths make several of one. */
const mostStatements = 300

function prepare(sqlite: DatabaseSync, sql: string): Prepared {
  const statement = sqlite.prepare(sql)
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bindable(parameters)),
    run: (parameters) => statement.run(...bindable(parameters)),
    // An iteration may stay open while the same is asked again, so it has a statement of its own.
    iterate: (parameters) => sqlite.prepare(sql).iterate(...bindable(parameters)),
  }
}

/** node:sqlite itself refuses, by name of the type, what it cannot bind. */
const bindable = (parameters: readonly unknown[]): SQLInputValue[] => parameters as SQLInputValue[]
