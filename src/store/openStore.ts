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
import { openSqlite, openSqliteToRead } from './sqlite.ts'

export type StoreOptions = {
  /** A path, a `file:` URL, or `:memory:`. */
  readonly url: string
  readonly log?: Log
  /** A crash point: called inside each transaction on a link, after its last write, just before COMMIT. */
  readonly onCommit?: OnCommit
}

/** Opens the store, and creates it where there is none. One process opens one file once. */
export async function openStore({ url, log, onCommit }: StoreOptions): Promise<Store & Audit> {
  const database = openSqlite(path(url), log)
  const { db } = database
  try {
    await migrate(db, log)
    await takeOver(database)
    // Whoever held a lease is dead: nobody need wait for its end.
    if (database.isAlone) await endLeases(database)
    database.letOthersIn()
  } catch (error) {
    await db.destroy()
    throw error
  }
  return {
    ...links(database, log, onCommit),
    ...people(database),
    ...owners(database),
    ...conversations(database),
    ...audit(database),
    facts: (id) => readFacts(database, id),
    async close() {
      // What was asked before is answered first: the connection is lent in the order of asking.
      await db.connection().execute(async () => undefined)
      await db.destroy()
    },
  }
}

/**
 * Opens the audit log of a database that is there, to read it, whoever has it open beside. Undefined when there is no
 * database, or none with a ledger.
 */
export async function openAudit(url: string): Promise<(Audit & { close(): Promise<void> }) | undefined> {
  const database = openSqliteToRead(path(url))
  if (!database) return undefined
  const close = () => database.db.destroy()
  if (await hasLedger(database.db)) return { ...audit(database), close }
  await close()
  return undefined
}

/** The path that a URL names. Never quotes the URL: it may hold a password. */
function path(url: string): string {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme === 'postgres' || scheme === 'postgresql')
    throw new Error('PostgreSQL is not supported yet. Give DATABASE_URL the path of a file for SQLite.')
  if (scheme !== undefined && scheme !== 'file')
    throw new Error(`DATABASE_URL cannot begin with ${scheme}://. Give the path of a file for SQLite.`)
  if (url === '') throw new Error('DATABASE_URL is empty. Give the path of a file for SQLite.')
  if (/^file:\//i.test(url)) return fileURLToPath(url)
  return url.replace(/^file:/i, '')
}
