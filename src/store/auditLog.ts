/**
 * The audit log of a link: its facts in order, each hashed with the hash before it. The row keeps the newest
 * hash, so that a changed, dropped, added or swapped fact shows. Facts carry only keys of people and texts.
 */
import { createHash } from 'node:crypto'
import type { Fact, LinkId } from '../link/link.ts'
import { canonicalJson } from './json.ts'
import type { Database, Tables, Trx } from './tables.ts'

type FactRow = Tables['facts']

/** The hash that the first fact is chained to: the link's id, so that a log cannot pass for another link's. */
export const genesis = (link: LinkId): string => hash('link', link)

const hash = (previous: string, json: string): string =>
  createHash('sha256').update(`${previous}\n${json}`).digest('hex')

/** The rows that append `facts` after number `version`, whose hash is `head`. */
export function chain(
  link: LinkId,
  version: number,
  head: string,
  facts: readonly Fact[],
): { readonly rows: readonly FactRow[]; readonly version: number; readonly head: string } {
  const rows: FactRow[] = []
  let newest = head
  for (const fact of facts) {
    const json = canonicalJson(fact)
    newest = hash(newest, json)
    const seq = version + rows.length + 1
    rows.push({ link, seq, at: fact.at, name: fact.fact, json, hash: newest })
  }
  return { rows, version: version + rows.length, head: newest }
}

export async function append(trx: Trx, rows: readonly FactRow[]): Promise<void> {
  if (rows.length > 0) await trx.insertInto('facts').values(rows).execute()
}

// Our own writing, whose shape the record's schema number vouches for; `verify` shows tampering.
const parseFact = (json: string): Fact => JSON.parse(json) as Fact

export async function readFacts({ db }: Database, link: LinkId): Promise<readonly Fact[]> {
  const rows = await db.selectFrom('facts').select('json').where('link', '=', link).orderBy('seq').execute()
  return rows.map(({ json }) => parseFact(json))
}

/** Whether the log is the one that was written. One statement, so that no append falls between. */
export async function verifyLog({ db }: Database, link: LinkId): Promise<boolean> {
  const rows = await db
    .selectFrom('links')
    .leftJoin('facts', 'facts.link', 'links.id')
    .select(['links.version', 'links.head'])
    .select(['facts.seq', 'facts.at', 'facts.name', 'facts.json', 'facts.hash'])
    .where('links.id', '=', link)
    .orderBy('facts.seq')
    .execute()
  const end = rows[0]
  if (!end) return false
  let head = genesis(link)
  let seq = 0
  for (const row of rows) {
    // A link without facts: the join's one row has none.
    if (row.json === null) break
    head = hash(head, row.json)
    seq += 1
    if (row.seq !== seq || row.hash !== head) return false
    // The columns repeat what the text says; they must still say the same.
    const fact = parseFact(row.json)
    if (row.at !== fact.at || row.name !== fact.fact) return false
  }
  return seq === end.version && head === end.head
}
