/** What the bot has written down, read beside it. */
import { DatabaseSync } from 'node:sqlite'

/** How many links a hint stands on that no look has answered. */
export function hintsIn(database: string): number {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    return Number(db.prepare('select count(hinted_at) as hints from links').get()?.hints)
  } finally {
    db.close()
  }
}

/** Everything that the bot has written down, read beside it; not when it last looked or will, nor who holds a record. */
export function rowsOf(database: string): readonly unknown[] {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    const tables = db.prepare("select name from sqlite_schema where type = 'table' order by name").all()
    return tables.flatMap(({ name }) =>
      db
        .prepare(`select * from "${name}"`)
        .all()
        .filter(({ key }) => !(name === 'gates' && String(key).startsWith('survey ')))
        .map(({ looked_at, hinted_at, due, lease_holder, lease_until, claimable_at, ...row }) => ({
          name,
          ...row,
        })),
    )
  } finally {
    db.close()
  }
}
