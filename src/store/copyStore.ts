/** Brings everything from a SQLite file into an empty PostgreSQL database: all of it, checked, or nothing. */
import { existsSync } from 'node:fs'
import { type Kysely, sql } from 'kysely'
import type { Head } from '../engine/ports.ts'
import { readHead, takeOver } from './ledger.ts'
import { endLeases } from './links.ts'
import { isKnown, migrate } from './migrations.ts'
import { openPostgres, patient } from './postgres.ts'
import { openSqlite } from './sqlite.ts'
import type { Database, Tables, Trx } from './tables.ts'
import { type Verdict, verifyAudit } from './verifyAudit.ts'

export type Copied =
  | { readonly is: 'copied'; readonly rows: Counts; readonly verdict: Verdict }
  /** Where the file should be there is none. */
  | { readonly is: 'missing' }
  | { readonly is: 'inUse' }
  /** A newer version has written one of the two. */
  | { readonly is: 'newer' }
  | { readonly is: 'notEmpty'; readonly table: Table }
  | { readonly is: 'miscounted'; readonly table: Table; readonly there: number; readonly here: number }
  /** The audit log is not whole; it is as it was in the file. */
  | { readonly is: 'flawed'; readonly verdict: Verdict }
  | { readonly is: 'otherHead'; readonly there: Head; readonly here: Head }
type Table = keyof Tables
type Counts = Readonly<Record<Table, number>>

/** Each before those that name its rows. */
const tables: readonly Table[] = [
  'links',
  'places',
  'facts',
  'ledger',
  'ledger_head',
  'gates',
  'people',
  'texts',
  'forgotten',
  'owners',
  'conversations',
  'welcomes',
]
const rowsTogether = 1_000

/** Undoes the transaction in which it is thrown, and says why. */
class Undone extends Error {
  override readonly name = 'Undone'
  readonly because: Copied
  constructor(because: Copied) {
    super(because.is)
    this.because = because
  }
}

/** `from`: a path; `to`: a URL. While it runs no bot can open the file, nor write into the database. */
export async function copyStore(from: string, to: string): Promise<Copied> {
  if (!existsSync(from)) return { is: 'missing' }
  const source = openSqlite(from, undefined)
  try {
    if (!source.isAlone) return { is: 'inUse' }
    await bringUpToDate(source)
    await endLeases(source)
    const target = await openPostgres(to, undefined, patient)
    try {
      await bringUpToDate(target)
      if (!(await isKnown(source.db)) || !(await isKnown(target.db))) return { is: 'newer' }
      return await target.db.transaction().execute((trx) => copy(source.db, trx))
    } finally {
      await target.close()
    }
  } catch (error) {
    if (error instanceof Undone) return error.because
    throw error
  } finally {
    await source.close()
  }
}

async function bringUpToDate(database: Database): Promise<void> {
  await migrate(database.db, undefined)
  await takeOver(database)
}

async function copy(source: Kysely<Tables>, target: Trx): Promise<Copied> {
  // Whoever starts a bot on it meanwhile waits.
  await sql`lock table ${sql.join(tables.map((table) => sql.table(table)))} in share row exclusive mode`.execute(
    target,
  )
  for (const table of tables)
    if ((await count(target, table)) > 0) throw new Undone({ is: 'notEmpty', table })
  const rows = {} as Record<Table, number>
  for (const table of tables) {
    await copyTable(source, target, table)
    const [there, here] = [await count(source, table), await count(target, table)]
    if (there !== here) throw new Undone({ is: 'miscounted', table, there, here })
    rows[table] = here
  }
  // Nothing is known yet of how much of what is where, and reading it all goes by that.
  await sql`analyze`.execute(target)
  const [there, here] = [await readHead(source), await readHead(target)]
  if (there.n !== here.n || there.head !== here.head) throw new Undone({ is: 'otherHead', there, here })
  const verdict = await verifyAudit(target)
  if (verdict.flaw) throw new Undone({ is: 'flawed', verdict })
  return { is: 'copied', rows, verdict }
}

async function count(db: Pick<Kysely<Tables>, 'selectFrom'>, table: Table): Promise<number> {
  const { rows } = await db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow()
  return Number(rows)
}

async function copyTable(source: Kysely<Tables>, target: Trx, table: Table): Promise<void> {
  let some: unknown[] = []
  const write = async (): Promise<void> => {
    // One parameter, however many rows and columns: PostgreSQL takes 65,535.
    await sql`insert into ${sql.table(table)} select * from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(some)}::json)`.execute(
      target,
    )
    some = []
  }
  for await (const row of source.selectFrom(table).selectAll().stream(rowsTogether)) {
    some.push(row)
    if (some.length === rowsTogether) await write()
  }
  if (some.length > 0) await write()
}
