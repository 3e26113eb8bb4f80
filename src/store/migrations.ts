/**
 * The schema's history. Migrations only add, since instances of two versions share one database while the newer
 * is rolled out: an old one must find everything that it knows.
 */
import { type Kysely, sql } from 'kysely'
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator } from 'kysely/migration'
import type { Log } from '../engine/ports.ts'
import type { Tables } from './tables.ts'

const migrations: Readonly<Record<string, Migration>> = {
  '0001-links': { up: createLinks },
  '0002-ledger': { up: createLedger },
  '0003-hints': { up: addHints },
  '0004-send-limits': { up: dateGates },
}

async function createLinks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('links')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('schema', 'integer', (column) => column.notNull())
    .addColumn('version', 'integer', (column) => column.notNull())
    .addColumn('head', 'text', (column) => column.notNull())
    .addColumn('record', 'text', (column) => column.notNull())
    .addColumn('signalr_key', 'text', (column) => column.notNull())
    .addColumn('vault_key', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('ended', 'integer', (column) => column.notNull())
    .addColumn('asked_by', 'text', (column) => column.notNull())
    .addColumn('asked_at', 'bigint', (column) => column.notNull())
    .addColumn('due', 'bigint')
    .addColumn('looked_at', 'bigint')
    .addColumn('lease_holder', 'text')
    .addColumn('lease_until', 'bigint')
    .addColumn('claimable_at', 'bigint')
    .execute()
  await db.schema
    .createIndex('links_one_open')
    .unique()
    .on('links')
    .columns(['signalr_key', 'vault_key'])
    .where(sql.ref('ended'), '=', sql.lit(0))
    .execute()
  await db.schema
    .createIndex('links_claimable')
    .on('links')
    .column('claimable_at')
    .where(sql.ref('claimable_at'), 'is not', null)
    .execute()
  await db.schema.createIndex('links_by_asker').on('links').columns(['asked_by', 'asked_at']).execute()
  await db.schema.createIndex('links_by_vault').on('links').columns(['vault_key', 'asked_at']).execute()

  await db.schema
    .createTable('places')
    .addColumn('conversation', 'text', (column) => column.notNull())
    .addColumn('link', 'text', (column) => column.notNull().references('links.id'))
    .addPrimaryKeyConstraint('places_key', ['conversation', 'link'])
    .execute()

  await db.schema
    .createTable('facts')
    .addColumn('link', 'text', (column) => column.notNull().references('links.id'))
    .addColumn('seq', 'integer', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('json', 'text', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('facts_key', ['link', 'seq'])
    .execute()

  await db.schema
    .createTable('gates')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('holder', 'text', (column) => column.notNull())
    .addColumn('until', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('people')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('object_id', 'text', (column) => column.notNull())
    .addColumn('person', 'text', (column) => column.notNull())
    .addUniqueConstraint('people_once', ['tenant', 'object_id'])
    .execute()
  await db.schema
    .createTable('texts')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('words', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('texts_by').on('texts').column('by').execute()
  await db.schema
    .createTable('owners')
    .addColumn('vault_key', 'text', (column) => column.primaryKey())
    .addColumn('team', 'text', (column) => column.notNull())
    .addColumn('owner', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('conversations')
    .addColumn('conversation', 'text', (column) => column.primaryKey())
    .addColumn('service_url', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('team', 'text')
    .addColumn('name', 'text')
    .execute()
  await db.schema
    .createTable('welcomes')
    .addColumn('conversation', 'text', (column) => column.primaryKey())
    .execute()
}

async function createLedger(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('ledger')
    .addColumn('n', 'integer', (column) => column.primaryKey())
    .addColumn('link', 'text')
    .addColumn('seq', 'integer')
    .addColumn('entry', 'text', (column) => column.notNull())
    .addColumn('head', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('ledger_by_link').on('ledger').columns(['link', 'seq']).execute()
  await db.schema
    .createTable('ledger_head')
    .addColumn('only', 'integer', (column) => column.primaryKey())
    .addColumn('n', 'integer', (column) => column.notNull())
    .addColumn('head', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('forgotten')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .execute()
}

async function dateGates(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('gates').addColumn('at', 'bigint').execute()
}

async function addHints(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('links').addColumn('hinted_at', 'bigint').execute()
}

async function applied(db: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return []
  const { rows } = await sql<{
    name: string
  }>`select name from ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db)
  return rows.map(({ name }) => name)
}

/** Whether a version that keeps the ledger has been here. */
export const hasLedger = async (db: Kysely<Tables>): Promise<boolean> =>
  (await applied(db)).includes('0002-ledger')

/** Whether it has all that this version knows, and nothing else. */
export async function isKnown(db: Kysely<Tables>): Promise<boolean> {
  const done = await applied(db)
  const known = Object.keys(migrations)
  return done.length === known.length && known.every((name) => done.includes(name))
}

/** Brings the schema up to date, unless a newer version has been here: then it is left as it is. */
export async function migrate(db: Kysely<Tables>, log: Log | undefined): Promise<void> {
  const known = Object.keys(migrations)
  const done = await applied(db)
  const pending = known.filter((name) => !done.includes(name))
  const newer = done.filter((name) => !known.includes(name))
  if (newer.length > 0) {
    if (pending.length > 0)
      throw new Error(
        `The database has migrations that this version does not know (${newer.join(', ')}) and lacks some that it needs (${pending.join(', ')}). Start a version that knows both.`,
      )
    log?.('warn', 'store.newer', { migrations: newer.join(', ') })
    return
  }
  if (pending.length === 0) return
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
  const { error, results = [] } = await migrator.migrateToLatest()
  if (error !== undefined) throw new Error('The database could not be migrated', { cause: error })
  for (const { migrationName } of results) log?.('info', 'store.migrated', { migration: migrationName })
}
