/** The same as in auditLog.test.ts, on PostgreSQL. */
import { onPostgres } from './stores.ts'

onPostgres()
await import('./auditLog.test.ts')
