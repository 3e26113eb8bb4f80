/** The audit log's face: its head, whether it is the one that was written, and its lines. */
import type { Head } from '../engine/ports.ts'
import { type AuditFilter, type AuditLine, auditLines } from './auditLines.ts'
import { readHead } from './ledger.ts'
import type { Database } from './tables.ts'
import { type Anchor, type Verdict, verifyAudit } from './verifyAudit.ts'

export type Audit = {
  head(): Promise<Head>
  /** Each sees the log as it stood at one moment, however long it reads. */
  verify(anchors?: readonly Anchor[]): Promise<Verdict>
  lines(filter?: AuditFilter): AsyncIterable<AuditLine>
}

export function audit({ db, locksRows }: Pick<Database, 'db' | 'locksRows'>): Audit {
  // SQLite's transactions see one moment by themselves, PostgreSQL's only when told to.
  const oneMoment = () =>
    (locksRows ? db.startTransaction().setIsolationLevel('repeatable read') : db.startTransaction()).execute()

  async function* lines(filter: AuditFilter | undefined): AsyncGenerator<AuditLine> {
    const trx = await oneMoment()
    try {
      yield* auditLines(trx, filter)
    } finally {
      await trx.rollback().execute()
    }
  }

  return {
    head: () => readHead(db),
    async verify(anchors) {
      const trx = await oneMoment()
      try {
        return await verifyAudit(trx, anchors)
      } finally {
        await trx.rollback().execute()
      }
    },
    lines,
  }
}
