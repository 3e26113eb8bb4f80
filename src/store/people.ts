/**
 * Who people are and what they wrote, each under a random key. Everything else in the store, the audit log too,
 * knows only the keys, so that a person can be forgotten while the facts stay and still hash. Kept as JSON, since
 * people may write what a column of text would refuse or bend: a NUL, half a surrogate pair.
 */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Person, Store } from '../engine/ports.ts'
import type { LinkId, Millis, PersonKey, TextKey } from '../link/link.ts'
import { strictJson } from './json.ts'
import { enter } from './ledger.ts'
import type { Database, Trx } from './tables.ts'

type People = Pick<Store, 'remember' | 'people' | 'keep' | 'texts' | 'forget'>

/**
 * Rejects when one of them was forgotten since the caller read the key: the person comes back under another, and what
 * was asked under the one could be approved under the other.
 */
export async function refuseForgotten(
  trx: Trx,
  { locksRows }: Pick<Database, 'locksRows'>,
  keys: readonly PersonKey[],
): Promise<void> {
  if (keys.length === 0) return
  // Whoever forgets one of them now waits for the end of this transaction, and then sees what it wrote.
  if (locksRows)
    await trx.selectFrom('people').select('key').where('key', 'in', keys).orderBy('key').forShare().execute()
  const erased = await trx.selectFrom('forgotten').select('key').where('key', 'in', keys).executeTakeFirst()
  if (erased) throw new Error(`Person ${erased.key} was forgotten meanwhile; nothing was written`)
}

export function people(database: Database): People {
  const { db, scrub } = database
  return {
    async remember(person) {
      const tenant = person.tenant.toLowerCase()
      const objectId = person.objectId.toLowerCase()
      const said = strictJson(person)
      // Most turns are by somebody known: a read spares them the wait for the disk.
      const known = await db
        .selectFrom('people')
        .select(['key', 'person'])
        .where('tenant', '=', tenant)
        .where('object_id', '=', objectId)
        .executeTakeFirst()
      if (known?.person === said) return known.key
      const { key } = await db
        .insertInto('people')
        .values({ key: randomUUID(), tenant, object_id: objectId, person: said })
        .onConflict((conflict) =>
          conflict
            .columns(['tenant', 'object_id'])
            .doUpdateSet((row) => ({ person: row.ref('excluded.person') })),
        )
        .returning('key')
        .executeTakeFirstOrThrow()
      return key
    },

    people: (keys) => readPeople(db, keys),

    keep: (text, by) =>
      database.transaction(async (trx) => {
        await refuseForgotten(trx, database, [by])
        const key = randomUUID()
        await trx
          .insertInto('texts')
          .values({ key, by, words: strictJson(text) })
          .execute()
        return key
      }),

    texts: (keys) => readTexts(db, keys),

    async forget(who, at) {
      const erased = await database.transaction((trx) => erase(trx, database, who, at))
      // Also when it was done before: another process may then have read what the files still held.
      return erased.is === 'involved' ? erased : { ...erased, scrubbed: await scrub() }
    },
  }
}

export async function readPeople(
  db: Pick<Trx, 'selectFrom'>,
  keys: readonly PersonKey[],
): Promise<ReadonlyMap<PersonKey, Person>> {
  if (keys.length === 0) return new Map()
  const rows = await db.selectFrom('people').select(['key', 'person']).where('key', 'in', keys).execute()
  return new Map(rows.map(({ key, person }) => [key, JSON.parse(person) as Person]))
}

export async function readTexts(
  db: Pick<Trx, 'selectFrom'>,
  keys: readonly TextKey[],
): Promise<ReadonlyMap<TextKey, string>> {
  if (keys.length === 0) return new Map()
  const rows = await db.selectFrom('texts').select(['key', 'words']).where('key', 'in', keys).execute()
  return new Map(rows.map(({ key, words }) => [key, JSON.parse(words) as string]))
}

type Erased =
  | { readonly is: 'forgotten'; readonly texts: number }
  | { readonly is: 'already'; readonly at: Millis }
  | { readonly is: 'unknown' }
  | { readonly is: 'involved'; readonly links: readonly LinkId[] }

async function erase(trx: Trx, database: Database, who: string, at: Millis): Promise<Erased> {
  const met = await trx
    .selectFrom('people')
    .select('key')
    .where(({ or, eb }) => or([eb('key', '=', who), eb('object_id', '=', who.toLowerCase())]))
    // Whoever just writes something under these keys ends first, and is seen below.
    .$if(database.locksRows, (query) => query.forUpdate())
    .execute()
  const keys = met.map(({ key }) => key)
  if (keys.length === 0) {
    const before = await trx.selectFrom('forgotten').select('at').where('key', '=', who).executeTakeFirst()
    return before ? { is: 'already', at: before.at } : { is: 'unknown' }
  }
  const links = await unsettled(trx, keys)
  if (links.length > 0) return { is: 'involved', links }
  const { numDeletedRows } = await trx.deleteFrom('texts').where('by', 'in', keys).executeTakeFirstOrThrow()
  await trx.deleteFrom('people').where('key', 'in', keys).execute()
  for (const person of keys) {
    await trx.insertInto('forgotten').values({ key: person, at }).execute()
    await enter(trx, database, { event: 'forgotten', at, person })
  }
  return { is: 'forgotten', texts: Number(numDeletedRows) }
}

/**
 * The links in which one of them has a part and something is still decided or done. Forgotten now, they would come back
 * as somebody else: whoever asked could approve, and whoever approved could do so twice.
 */
async function unsettled(trx: Trx, keys: readonly PersonKey[]): Promise<readonly LinkId[]> {
  const rows = await trx
    .selectFrom('links')
    .select('id')
    .where('ended', '=', sql.lit(0))
    .where('status', 'not in', ['Approved', 'Disconnected'])
    // A key is random and long: it stands in a record as that person alone.
    .where(({ or, eb }) => or(keys.map((key) => eb('record', 'like', `%"${key}"%`))))
    .orderBy('asked_at')
    .execute()
  return rows.map(({ id }) => id)
}
