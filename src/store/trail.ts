/** The audit log in the order of commits: each entry of the ledger with the facts that it witnesses. */
import type { LinkId } from '../link/link.ts'
import type { Tables, Trx } from './tables.ts'

export type EntryRow = Tables['ledger']
export type FactRow = Tables['facts']
export type Reader = Pick<Trx, 'selectFrom'>

const entriesTogether = 200

/** Reads by the columns alone, and believes none of them: whoever verifies finds what is there, in the order of the numbers. */
export async function* trail(
  db: Reader,
): AsyncGenerator<{ readonly row: EntryRow; readonly facts: readonly FactRow[] }> {
  const reached = new Map<LinkId, number>()
  for (let last: number | undefined; ; ) {
    let query = db.selectFrom('ledger').selectAll()
    if (last !== undefined) query = query.where('n', '>', last)
    const rows = await query.orderBy('n').limit(entriesTogether).execute()
    last = rows.at(-1)?.n
    const facts = await factsOf(db, rows, reached)
    for (const row of rows) {
      const { link, seq } = row
      if (link === null || seq === null) {
        yield { row, facts: [] }
        continue
      }
      const after = reached.get(link) ?? 0
      yield { row, facts: (facts.get(link) ?? []).filter((fact) => fact.seq > after && fact.seq <= seq) }
      reached.set(link, Math.max(after, seq))
    }
    if (rows.length < entriesTogether) return
  }
}

async function factsOf(
  db: Reader,
  rows: readonly EntryRow[],
  reached: ReadonlyMap<LinkId, number>,
): Promise<ReadonlyMap<LinkId, readonly FactRow[]>> {
  const until = new Map<LinkId, number>()
  for (const { link, seq } of rows)
    if (link !== null && seq !== null) until.set(link, Math.max(seq, until.get(link) ?? 0))
  const found = new Map<LinkId, FactRow[]>()
  if (until.size === 0) return found
  const all = await db
    .selectFrom('facts')
    .selectAll()
    .where(({ or, and, eb }) =>
      or(
        [...until].map(([link, seq]) =>
          and([eb('link', '=', link), eb('seq', '>', reached.get(link) ?? 0), eb('seq', '<=', seq)]),
        ),
      ),
    )
    .orderBy('link')
    .orderBy('seq')
    .execute()
  for (const fact of all) {
    const facts = found.get(fact.link)
    if (facts) facts.push(fact)
    else found.set(fact.link, [fact])
  }
  return found
}
