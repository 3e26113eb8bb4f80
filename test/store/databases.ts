/** The databases that the contract is checked on. Each place is new, and gone after its test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Scrubbed } from '../../src/engine/ports.ts'
import { freshDatabase } from '../postgres/database.ts'

export type Place = {
  readonly url: string
  /** Plain SQL, past the store and only while no store has the place open. */
  sql(statement: string): Promise<readonly Record<string, unknown>[]>
  remove(): Promise<void>
}
export type Kind = {
  readonly name: string
  /** Whether what is erased is gone from the disk too. */
  readonly scrubbed: Scrubbed
  readonly place: () => Promise<Place>
}

export const sqliteFile: Kind = {
  name: 'SQLite',
  scrubbed: true,
  async place() {
    const folder = await mkdtemp(join(tmpdir(), 'vaultlink-store-'))
    const url = join(folder, 'links.db')
    return {
      url,
      async sql(statement) {
        const database = new DatabaseSync(url, { enableForeignKeyConstraints: false })
        try {
          return database.prepare(statement).all()
        } finally {
          database.close()
        }
      },
      remove: () => rm(folder, { recursive: true, force: true }),
    }
  },
}

export const postgres: Kind = { name: 'PostgreSQL', scrubbed: 'later', place: freshDatabase }

export const databases: readonly Kind[] = [sqliteFile, postgres]
