/** The store's face: opens the database that a URL names, brings its schema up to date, hands out the port. */
import { fileURLToPath } from 'node:url'
import type { Log, Store } from '../engine/ports.ts'
import { type Audit, audit } from './audit.ts'
import { readFacts } from './auditLog.ts'
import { conversations } from './conversations.ts'
import { takeOver } from './ledger.ts'
import { endLeases, links, type OnCommit } from './links.ts'
import { hasLedger, migrate } from './migrations.ts'
import { owners } from './owners.ts'
import { people } from './people.ts'
import { hasty, openPostgres, patient } from './postgres.ts'
import { openSqlite, openSqliteToRead } from './sqlite.ts'
import type { Database } from './tables.ts'

export type StoreOptions = {
  /** A path, a `file:` URL, `:memory:`, or a `postgres:` URL. */
  readonly url: string
  readonly log?: Log
  /** A crash point: called inside each transaction on a link, after its last write, just before COMMIT. */
  readonly onCommit?: OnCommit
}

/** Opens the store, and creates it where there is none. One process opens one file once. */
export async function openStore({ url, log, onCommit }: StoreOptions): Promise<Store & Audit> {
  const database = isPostgres(url) ? await openShared(url, log) : await openAlone(url, log)
  const { db, now } = database
  return {
    ...links(database, log, onCommit),
    ...people(database),
    ...owners(database),
    ...conversations(database),
    ...audit(database),
    facts: (id) => readFacts(database, id),
    async answers() {
      await db.selectNoFrom(({ lit }) => lit(1).as('one')).execute()
    },
    ...(now && { now }),
    close: database.close,
  }
}

async function openAlone(url: string, log: Log | undefined): Promise<Database> {
  const database = openSqlite(path(url), log)
  try {
    await migrate(database.db, log)
    await takeOver(database)
    // Whoever held a lease is dead: nobody need wait for its end.
    if (database.isAlone) await endLeases(database)
    database.letOthersIn()
    return database
  } catch (error) {
    await database.db.destroy()
    throw error
  }
}

/** The leases of others stand: they may live. */
async function openShared(url: string, log: Log | undefined): Promise<Database> {
  const first = await openPostgres(url, log, patient)
  try {
    await migrate(first.db, log)
    await takeOver(first)
  } finally {
    await first.close()
  }
  return openPostgres(url, log, hasty)
}

/**
 * Opens the audit log of a database that is there, to read it, whoever has it open beside. Undefined when there is no
 * database, or none with a ledger.
 */
export async function openAudit(url: string): Promise<(Audit & { close(): Promise<void> }) | undefined> {
  const database = isPostgres(url) ? await openPostgres(url, undefined, patient) : openSqliteToRead(path(url))
  if (!database) return undefined
  const close = () => database.db.destroy()
  if (await hasLedger(database.db)) return { ...audit(database), close }
  await close()
  return undefined
}

const isPostgres = (url: string): boolean => /^postgres(ql)?:\/\//i.test(url)

/** The path that a URL names. Never quotes the URL: it may hold a password. */
function path(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'file')
    throw new Error(
      `DATABASE_URL cannot begin with ${scheme}://. Give the path of a file for SQLite, or a postgres:// URL.`,
    )
  if (url === '')
    throw new Error('DATABASE_URL is empty. Give the path of a file for SQLite, or a postgres:// URL.')
  if (/^file:\//i.test(url)) return fileURLToPath(url)
  return url.replace(/^file:/i, '')
}
