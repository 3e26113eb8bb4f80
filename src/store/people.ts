/**
 * Who people are and what they wrote, each under a random key. Everything else in the store, the audit log too,
 * knows only the keys, so that a person can be forgotten while the facts stay and still hash. Kept as JSON, since
 * people may write what a column of text would refuse or bend: a NUL, half a surrogate pair.
 */
import { randomUUID } from 'node:crypto'
import type { Person, Store } from '../engine/ports.ts'
import { strictJson } from './json.ts'
import type { Database } from './tables.ts'

type People = Pick<Store, 'remember' | 'people' | 'keep' | 'texts' | 'forget'>

export function people({ db, scrub }: Database): People {
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

    async people(keys) {
      if (keys.length === 0) return new Map()
      const rows = await db.selectFrom('people').select(['key', 'person']).where('key', 'in', keys).execute()
      return new Map(rows.map(({ key, person }) => [key, JSON.parse(person) as Person]))
    },

    async keep(text, by) {
      const key = randomUUID()
      await db
        .insertInto('texts')
        .values({ key, by, words: strictJson(text) })
        .execute()
      return key
    },

    async texts(keys) {
      if (keys.length === 0) return new Map()
      const rows = await db.selectFrom('texts').select(['key', 'words']).where('key', 'in', keys).execute()
      return new Map(rows.map(({ key, words }) => [key, JSON.parse(words) as string]))
    },

    async forget(person) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom('texts').where('by', '=', person).execute()
        await trx.deleteFrom('people').where('key', '=', person).execute()
      })
      await scrub()
    },
  }
}
