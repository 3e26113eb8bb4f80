/** Everything that the bot has written down, read beside it; not when it last looked, nor who holds a record. */
import { DatabaseSync } from 'node:sqlite'

export function rowsOf(database: string): readonly unknown[] {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    const tables = db.prepare("select name from sqlite_schema where type = 'table' order by name").all()
    return tables.flatMap(({ name }) =>
      db
        .prepare(`select * from "${name}"`)
        .all()
        .map(({ looked_at, hinted_at, due, lease_holder, lease_until, claimable_at, ...row }) => ({
          name,
          ...row,
        })),
    )
  } finally {
    db.close()
  }
}
