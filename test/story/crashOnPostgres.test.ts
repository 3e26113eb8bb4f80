/** The same as in crash.test.ts, on PostgreSQL. */
import { onPostgres } from './stores.ts'

onPostgres()
await import('./crash.test.ts')
