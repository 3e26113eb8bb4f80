/** Which team decides for which vault: the first that said so, until it says otherwise. */
import type { Owner, Store } from '../engine/ports.ts'
import { resourceKey } from '../link/resourceId.ts'
import { strictJson } from './json.ts'
import type { Database } from './tables.ts'

type Owners = Pick<Store, 'owner' | 'own' | 'disown' | 'ownedVaults'>

export function owners({ db }: Database): Owners {
  return {
    async owner(vault) {
      const row = await db
        .selectFrom('owners')
        .select('owner')
        .where('vault_key', '=', resourceKey(vault))
        .executeTakeFirst()
      return row && parse(row)
    },

    async own(owner) {
      const standing = await db
        .insertInto('owners')
        .values({ vault_key: resourceKey(owner.vault), team: owner.team, owner: strictJson(owner) })
        // A team may move its vault to another of its channels. Another team's stands: updating nothing makes the one
        // statement answer with it.
        .onConflict((conflict) =>
          conflict.column('vault_key').doUpdateSet((row) => ({
            owner: row
              .case()
              .when('owners.team', '=', owner.team)
              .then(row.ref('excluded.owner'))
              .else(row.ref('owners.owner'))
              .end(),
          })),
        )
        .returning('owner')
        .executeTakeFirstOrThrow()
      return parse(standing)
    },

    async disown(vault) {
      const { numDeletedRows } = await db
        .deleteFrom('owners')
        .where('vault_key', '=', resourceKey(vault))
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },

    async ownedVaults() {
      const rows = await db.selectFrom('owners').select('owner').orderBy('vault_key').execute()
      return rows.map(parse)
    },
  }
}

const parse = ({ owner }: { readonly owner: string }): Owner => JSON.parse(owner) as Owner
