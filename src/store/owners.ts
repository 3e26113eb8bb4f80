/** Which team decides for which vault: the first that said so, until it says otherwise. */
import type { Owner, Store } from '../engine/ports.ts'
import { resourceKey } from '../link/resourceId.ts'
import { strictJson } from './json.ts'
import { enter } from './ledger.ts'
import { refuseForgotten } from './people.ts'
import type { Database } from './tables.ts'

type Owners = Pick<Store, 'owner' | 'own' | 'disown' | 'ownedVaults'>

export function owners(database: Database): Owners {
  const { db } = database
  return {
    async owner(vault) {
      const row = await db
        .selectFrom('owners')
        .select('owner')
        .where('vault_key', '=', resourceKey(vault))
        .executeTakeFirst()
      return row && parse(row)
    },

    own: (owner) =>
      database.transaction(async (trx) => {
        const { vault, team, by, since: at } = owner
        await refuseForgotten(trx, database, [by])
        const said = strictJson(owner)
        const standing = await trx
          .insertInto('owners')
          .values({ vault_key: resourceKey(vault), team, owner: said })
          // A team may move its vault to another of its channels. Another team's stands: updating nothing makes the one
          // statement answer with it.
          .onConflict((conflict) =>
            conflict.column('vault_key').doUpdateSet((row) => ({
              owner: row
                .case()
                .when('owners.team', '=', team)
                .then(row.ref('excluded.owner'))
                .else(row.ref('owners.owner'))
                .end(),
            })),
          )
          .returning('owner')
          .executeTakeFirstOrThrow()
        if (standing.owner === said) {
          const { conversation } = owner.place
          await enter(trx, database, { event: 'owned', at, vault, team, conversation, by })
        }
        return parse(standing)
      }),

    disown: ({ vault, team, by, conversation, at }) =>
      database.transaction(async (trx) => {
        await refuseForgotten(trx, database, [by])
        const { numDeletedRows } = await trx
          .deleteFrom('owners')
          .where('vault_key', '=', resourceKey(vault))
          .where('team', '=', team)
          .executeTakeFirstOrThrow()
        if (numDeletedRows === 0n) return false
        await enter(trx, database, { event: 'disowned', at, vault, team, conversation, by })
        return true
      }),

    async ownedVaults() {
      const rows = await db.selectFrom('owners').select('owner').orderBy('vault_key').execute()
      return rows.map(parse)
    },
  }
}

const parse = ({ owner }: { readonly owner: string }): Owner => JSON.parse(owner) as Owner
