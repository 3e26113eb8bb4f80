/** What the bot has written down, read beside it. */
import { DatabaseSync } from 'node:sqlite'
import type { World } from '../../sandbox/world.ts'
import { until } from '../story/stage.ts'

/** More than a few looks take. */
const readsOfLooks = 16

/** Resolves once looks go by that leave everything as it is written down. */
export async function written(world: Pick<World, 'azure' | 'teams'> & { database: string }): Promise<void> {
  while (true) {
    const before = JSON.stringify(rowsOf(world.database))
    const reads = world.azure.events.length
    await until(world, 'Azure is looked at', () => world.azure.events.length >= reads + readsOfLooks)
    if (JSON.stringify(rowsOf(world.database)) === before) return
  }
}

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
