/** The store on which the stories of one test file are played: SQLite, unless the file says otherwise first. */
import { type Place, postgres, sqliteFile } from '../store/databases.ts'

let kind = sqliteFile

/** Called before a file of stories is imported, to play the same ones on PostgreSQL. */
export function onPostgres(): void {
  kind = postgres
}

/** A new store, and the settings with which a bot opens it. */
export async function newStore(): Promise<Place & { readonly environment: Record<string, string> }> {
  const place = await kind.place()
  // Where others may live, what a bot held that was killed is waited for.
  const lease = kind === postgres ? { VAULTLINK_LEASE_SECONDS: '1' } : {}
  return { ...place, environment: { DATABASE_URL: place.url, ...lease } }
}
