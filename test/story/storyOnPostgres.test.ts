/** The same as in story.test.ts, on PostgreSQL. */
import { onPostgres } from './stores.ts'

onPostgres()
await import('./story.test.ts')
