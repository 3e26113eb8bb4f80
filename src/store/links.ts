/** The records of links with their leases, gates and places. Every change is one transaction. */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely'
import type { Change, Gate, Log, Row, Store } from '../engine/ports.ts'
import type { Fact, Link, LinkId, Millis } from '../link/link.ts'
import { personIn } from '../link/origin.ts'
import { channelOf, postedAs, standingOf } from '../link/places.ts'
import { resourceKey } from '../link/resourceId.ts'
import { isEnded } from '../link/views.ts'
import { append, chain, genesis } from './auditLog.ts'
import { strictJson } from './json.ts'
import { enter, sha256 } from './ledger.ts'
import { refuseForgotten } from './people.ts'
import type { Database, Tables, Trx } from './tables.ts'

/** The records' schema numbers that this version can read. */
export const readable: readonly number[] = [1, 2]

/** Called in a transaction after its last write, just before COMMIT: what throws or dies here leaves nothing behind. */
export type OnCommit = (facts: readonly Fact[]) => void

type Links = Pick<
  Store,
  | 'create'
  | 'transact'
  | 'gates'
  | 'sweepGates'
  | 'claim'
  | 'renew'
  | 'release'
  | 'hasten'
  | 'hint'
  | 'nextDue'
  | 'get'
  | 'rows'
  | 'openVersions'
  | 'open'
  | 'list'
  | 'openByStatus'
  | 'posted'
>

/** Gives every record back, whoever holds it. */
export async function endLeases({ db }: Database): Promise<void> {
  await db
    .updateTable('links')
    .set((row) => ({ lease_holder: null, lease_until: null, claimable_at: row.ref('due') }))
    .where('lease_holder', 'is not', null)
    .execute()
}

export function links(database: Database, log: Log | undefined, onCommit: OnCommit | undefined): Links {
  const { db, locksRows } = database

  /** The last that a transaction writes: all others that write facts may have to wait for it. */
  async function witness(
    trx: Trx,
    { facts, link }: Change,
    { version, head, record }: Pick<Tables['links'], 'version' | 'head' | 'record'>,
  ): Promise<void> {
    await refuseForgotten(
      trx,
      database,
      facts.flatMap((fact) => personIn(fact) ?? []),
    )
    const newest = { at: link.moved, link: link.id, seq: version, hash: head }
    await enter(trx, database, { ...newest, facts: facts.length, record: sha256(record) })
  }

  /** Two that write many rows, each in an order of its own, would wait for each other. */
  async function lockInOrder(
    trx: Trx,
    which: (row: Condition) => ExpressionWrapper<Tables, 'links', SqlBool>,
  ): Promise<void> {
    if (locksRows) await trx.selectFrom('links').select('id').where(which).orderBy('id').forUpdate().execute()
  }

  return {
    create: (change) =>
      database.transaction(async (trx) => {
        const { link, facts } = change
        const { rows, ...end } = chain(link.id, 0, genesis(link.id), facts)
        const row = { ...written(change, undefined), ...end }
        const standing = await trx
          .insertInto('links')
          .values({
            id: link.id,
            signalr_key: resourceKey(link.asked.signalr),
            vault_key: resourceKey(link.asked.vault),
            asked_by: link.asked.by,
            asked_at: link.asked.at,
            ...row,
          })
          // Updating nothing makes the statement answer with the row that was there first, and holds it.
          .onConflict((conflict) =>
            conflict
              .columns(['signalr_key', 'vault_key'])
              .where('ended', '=', sql.lit(0))
              .doUpdateSet((row) => ({ ended: row.ref('links.ended') })),
          )
          .returning(['id', 'schema', 'record'])
          .executeTakeFirstOrThrow()
        if (standing.id !== link.id) return { is: 'open', link: parseLink(standing) }
        await append(trx, rows)
        await writePlaces(trx, undefined, link)
        await writeGates(trx, change)
        await witness(trx, change, row)
        onCommit?.(facts)
        return { is: 'created' }
      }),

    transact: (id, gates, work) =>
      database.transaction(async (trx) => {
        const before = await trx
          .selectFrom('links')
          .select([...rowColumns, 'head'])
          .where('id', '=', id)
          .$if(locksRows, (query) => query.forUpdate())
          .executeTakeFirst()
        if (!before) throw new Error(`There is no link ${id}`)
        const row = parseRow(before)
        const { change, result } = work(row, await readGates(trx, gates, locksRows))
        if (!change) return result
        if (change.link.id !== id) throw new Error(`A change of link ${change.link.id} was offered for ${id}`)
        const { rows, ...end } = chain(id, before.version, before.head, change.facts)
        const { hold } = change
        const after = {
          ...written(change, hold?.until ?? before.lease_until),
          ...(hold && { lease_holder: hold.holder, lease_until: hold.until }),
          ...(change.heeded !== undefined && change.heeded === before.hinted_at && { hinted_at: null }),
          ...end,
        }
        await trx.updateTable('links').set(after).where('id', '=', id).execute()
        await append(trx, rows)
        await writePlaces(trx, row.link, change.link)
        await writeGates(trx, change)
        if (rows.length > 0 || after.record !== before.record) await witness(trx, change, after)
        onCommit?.(change.facts)
        return result
      }),

    gates: (keys, work) =>
      database.transaction(async (trx) => {
        const { take = [], release = [], result } = work(await readGates(trx, keys, locksRows))
        if (release.length > 0) await trx.deleteFrom('gates').where('key', 'in', release).execute()
        await takeGates(trx, take)
        return result
      }),

    async sweepGates(openedBefore) {
      // One that somebody is writing is passed by: waited for, and locked in another order, it could end their transaction.
      await db
        .with('stale', (stale) =>
          stale
            .selectFrom('gates')
            .select('key')
            .where('at', 'is not', null)
            .where('until', '<', openedBefore)
            .$if(locksRows, (query) => query.forUpdate().skipLocked()),
        )
        .deleteFrom('gates')
        .where('key', 'in', (gate) => gate.selectFrom('stale').select('stale.key'))
        .execute()
    },

    async claim(holder, now, leaseMs, most) {
      const until = now + leaseMs
      const claimed = await db
        // Named first, since PostgreSQL may run a subquery once for each row, and lock more each time.
        .with('next', (next) =>
          next
            .selectFrom('links')
            .select('id')
            .where('claimable_at', '<=', now)
            .where('schema', 'in', readable)
            .orderBy('claimable_at')
            .limit(most)
            .$if(locksRows, (query) => query.forUpdate().skipLocked()),
        )
        .updateTable('links')
        .set({ lease_holder: holder, lease_until: until, claimable_at: until })
        .where('id', 'in', (claimed) => claimed.selectFrom('next').select('next.id'))
        .returning(rowColumns)
        .execute()
      return claimed.map(parseRow).sort((a, b) => (a.due ?? 0) - (b.due ?? 0))
    },

    async renew(ids, holder, until) {
      if (ids.length === 0) return []
      return database.transaction(async (trx) => {
        const ours = (row: Condition) => row.and([row('id', 'in', ids), row('lease_holder', '=', holder)])
        await lockInOrder(trx, ours)
        const held = await trx
          .updateTable('links')
          .set((row) => ({
            lease_until: until,
            claimable_at: row
              .case()
              .when('due', 'is', null)
              .then(null)
              .when('due', '>', until)
              .then(row.ref('due'))
              .else(until)
              .end(),
          }))
          .where(ours)
          .returning('id')
          .execute()
        return held.map(({ id }) => id)
      })
    },

    async release(id, holder) {
      await db
        .updateTable('links')
        .set((row) => ({ lease_holder: null, lease_until: null, claimable_at: row.ref('due') }))
        .where('id', '=', id)
        .where('lease_holder', '=', holder)
        .execute()
    },

    hasten: (ms) =>
      database.transaction(async (trx) => {
        const waiting = (row: Condition) => row('due', 'is not', null)
        await lockInOrder(trx, waiting)
        await trx
          .updateTable('links')
          .set((row) => ({
            due: row('due', '-', ms),
            // What somebody holds is reckoned anew when they give it back.
            claimable_at: row
              .case()
              .when('lease_holder', 'is', null)
              .then(row('due', '-', ms))
              .else(row.ref('claimable_at'))
              .end(),
          }))
          .where(waiting)
          .execute()
      }),

    hint: (resources, now) =>
      database.transaction(async (trx) => {
        const concerned = (row: Condition) =>
          row.and([
            row('ended', '=', sql.lit(0)),
            row.or([row('signalr_key', 'in', resources), row('vault_key', 'in', resources)]),
          ])
        await lockInOrder(trx, concerned)
        // One that is waited for already keeps its due time; that it is newer tells a look that is under way.
        const known = await trx
          .updateTable('links')
          .where(concerned)
          .where('hinted_at', 'is not', null)
          .set((row) => ({
            hinted_at: row
              .case()
              .when('hinted_at', '>=', now)
              .then(row('hinted_at', '+', 1))
              .else(now)
              .end(),
          }))
          .executeTakeFirstOrThrow()
        const fresh = await trx
          .updateTable('links')
          .where(concerned)
          .where('hinted_at', 'is', null)
          .set((row) => ({
            hinted_at: now,
            due: now,
            claimable_at: row
              .case()
              .when('lease_until', '>', now)
              .then(row.ref('lease_until'))
              .else(now)
              .end(),
          }))
          .executeTakeFirstOrThrow()
        return Number(known.numUpdatedRows + fresh.numUpdatedRows)
      }),

    async nextDue() {
      const next = await db
        .selectFrom('links')
        .select('claimable_at')
        .where('claimable_at', 'is not', null)
        .where('schema', 'in', readable)
        .orderBy('claimable_at')
        .limit(1)
        .executeTakeFirst()
      return next?.claimable_at ?? undefined
    },

    async get(id) {
      const row = await db.selectFrom('links').select(rowColumns).where('id', '=', id).executeTakeFirst()
      return row && parseRow(row)
    },

    async rows(ids) {
      if (ids.length === 0) return []
      const rows = await db.selectFrom('links').select(rowColumns).where('id', 'in', ids).execute()
      return rows.filter(canRead).map(parseRow)
    },

    openVersions: () =>
      db
        .selectFrom('links')
        .select(['id', 'version'])
        // Written as the index has it, so that the ended ones are not read.
        .where('ended', '=', sql.lit(0))
        .execute(),

    async open(signalr, vault) {
      const row = await db
        .selectFrom('links')
        .select(['id', 'schema', 'record'])
        .where('signalr_key', '=', resourceKey(signalr))
        .where('vault_key', '=', resourceKey(vault))
        .where('ended', '=', sql.lit(0))
        .executeTakeFirst()
      return row && parseLink(row)
    },

    async posted(conversation, activity) {
      const named = `"activity":${JSON.stringify(activity)}`
      const rows = await db
        .selectFrom('links')
        .select(['id', 'schema', 'record'])
        .where('id', 'in', (places) =>
          places.selectFrom('places').select('places.link').where('conversation', '=', conversation),
        )
        .where(sql<boolean>`record like ${`%${named.replace(/[\\%_]/g, '\\$&')}%`} escape '\\'`)
        .execute()
      // The text is only where to look: what it says counts.
      return rows
        .filter(canRead)
        .map(parseLink)
        .find((link) => postedAs(link, conversation, activity))
    },

    async list({ by, conversation, vault, ended }, most) {
      let query = db.selectFrom('links').select(['id', 'schema', 'record'])
      if (by !== undefined) query = query.where('asked_by', '=', by)
      if (vault !== undefined) query = query.where('vault_key', '=', resourceKey(vault))
      if (ended !== undefined) query = query.where('ended', '=', ended ? 1 : 0)
      if (conversation !== undefined)
        query = query.where('id', 'in', (places) =>
          places.selectFrom('places').select('places.link').where('conversation', '=', conversation),
        )
      const rows = await query.orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(most).execute()
      const [known, newer] = [rows.filter(canRead), rows.filter((row) => !canRead(row))]
      // One link of a newer version must not hide all the others.
      for (const { id, schema } of newer) log?.('warn', 'store.unreadable', { link: id, schema })
      return known.map(parseLink)
    },

    async openByStatus() {
      const rows = await db
        .selectFrom('links')
        .select(({ fn }) => ['status', fn.countAll<number>().as('links')])
        // Written as the index has it, so that the ended ones are not read.
        .where('ended', '=', sql.lit(0))
        .groupBy('status')
        .execute()
      return rows.map(({ status, links }) => ({ status, links: Number(links) }))
    },
  }
}

type Condition = ExpressionBuilder<Tables, 'links'>

const rowColumns = [
  'id',
  'schema',
  'record',
  'version',
  'due',
  'looked_at',
  'hinted_at',
  'lease_holder',
  'lease_until',
] as const
type StoredRow = Pick<Tables['links'], (typeof rowColumns)[number]>
type StoredLink = Pick<StoredRow, 'id' | 'schema' | 'record'>

const canRead = ({ schema }: { readonly schema: number }): boolean => readable.includes(schema)

function parseLink(row: StoredLink): Link {
  if (!canRead(row))
    throw new Error(
      `Link ${row.id} was written by a newer version (schema ${row.schema}); this one cannot read it`,
    )
  // Our own writing, whose shape the schema number vouches for.
  return JSON.parse(row.record) as Link
}

function parseRow(row: StoredRow): Row {
  const { lease_holder: holder, lease_until: until } = row
  return {
    link: parseLink(row),
    version: row.version,
    due: row.due ?? undefined,
    lookedAt: row.looked_at ?? undefined,
    hintedAt: row.hinted_at ?? undefined,
    lease: holder === null || until === null ? undefined : { holder, until },
  }
}

/** What of a row follows from a change, besides its place in the log. */
function written({ link, due, lookedAt }: Change, leaseUntil: Millis | null | undefined) {
  return {
    schema: link.schema,
    record: strictJson(link),
    status: link.stage.status,
    ended: isEnded(link.stage.status) ? (1 as const) : (0 as const),
    due: due ?? null,
    claimable_at: due === undefined ? null : Math.max(due, leaseUntil ?? due),
    ...(lookedAt === undefined ? {} : { looked_at: lookedAt }),
  }
}

// ---- places ----------------------------------------------------------------------------------------

/** The conversations in which people mean this link when they say "status". */
function placesOf(link: Link): readonly string[] {
  const { asked, followers, told } = link
  const conversations = [
    asked.thread.conversation,
    asked.owners.place.conversation,
    ...followers.map(({ thread }) => thread.conversation),
    ...Object.values(told).flatMap((one) => standingOf(one)?.conversation ?? []),
  ]
  return [...new Set(conversations.flatMap((conversation) => [conversation, channelOf(conversation)]))]
}

async function writePlaces(trx: Trx, before: Link | undefined, after: Link): Promise<void> {
  const old = before ? placesOf(before) : []
  const now = placesOf(after)
  const left = old.filter((conversation) => !now.includes(conversation))
  const entered = now.filter((conversation) => !old.includes(conversation))
  if (left.length > 0)
    await trx.deleteFrom('places').where('link', '=', after.id).where('conversation', 'in', left).execute()
  if (entered.length > 0)
    await trx
      .insertInto('places')
      .values(entered.map((conversation) => ({ conversation, link: after.id })))
      .onConflict((conflict) => conflict.doNothing())
      .execute()
}

// ---- gates -----------------------------------------------------------------------------------------

async function readGates(trx: Trx, keys: readonly string[], locksRows: boolean): Promise<readonly Gate[]> {
  if (keys.length === 0) return []
  // A gate that is open has no row, and two must not find it open at once: what is locked is its name. Always in one
  // order, so that two transactions cannot wait for each other.
  if (locksRows)
    for (const key of keys.toSorted())
      await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(trx)
  const gates = await trx.selectFrom('gates').selectAll().where('key', 'in', keys).orderBy('key').execute()
  return gates.map(({ at, ...gate }) => ({ ...gate, ...(at !== null && { at }) }))
}

async function writeGates(trx: Trx, { link, take = [], release = [] }: Change): Promise<void> {
  if (release.length > 0) await dropGates(trx, link.id, release)
  await takeGates(trx, take)
}

async function takeGates(trx: Trx, gates: readonly Gate[]): Promise<void> {
  if (gates.length === 0) return
  await trx
    .insertInto('gates')
    .values(gates.map((gate) => ({ ...gate, at: gate.at ?? null })))
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((gate) => ({
        holder: gate.ref('excluded.holder'),
        until: gate.ref('excluded.until'),
        at: gate.ref('excluded.at'),
      })),
    )
    .execute()
}

async function dropGates(trx: Trx, holder: LinkId, keys: readonly string[]): Promise<void> {
  await trx.deleteFrom('gates').where('key', 'in', keys).where('holder', '=', holder).execute()
}
