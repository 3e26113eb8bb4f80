/** The databases that the contract is checked on. Each place is new, and gone after its test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export type Place = {
  readonly url: string
  /** Plain SQL, past the store and only while no store has the place open. */
  sql(statement: string): Promise<readonly Record<string, unknown>[]>
  remove(): Promise<void>
}
export type Kind = { readonly name: string; readonly place: () => Promise<Place> }

const sqliteFile: Kind = {
  name: 'SQLite',
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

export const databases: readonly Kind[] = [sqliteFile]
