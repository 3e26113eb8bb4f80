/**
 * The audit log of a link: its facts in order, each hashed with the hash before it. The row keeps the newest
 * hash, so that a changed, dropped, added or swapped fact shows. Facts carry only keys of people and texts.
 */
import type { Fact, LinkId } from '../link/link.ts'
import { canonicalJson } from './json.ts'
import { sha256 } from './ledger.ts'
import type { Database, Tables, Trx } from './tables.ts'

type FactRow = Tables['facts']

/** The hash that the first fact is chained to: the link's id, so that a log cannot pass for another link's. */
export const genesis = (link: LinkId): string => factHash('link', link)

export const factHash = (previous: string, json: string): string => sha256(`${previous}\n${json}`)

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
    newest = factHash(newest, json)
    const seq = version + rows.length + 1
    rows.push({ link, seq, at: fact.at, name: fact.fact, json, hash: newest })
  }
  return { rows, version: version + rows.length, head: newest }
}

export async function append(trx: Trx, rows: readonly FactRow[]): Promise<void> {
  if (rows.length > 0) await trx.insertInto('facts').values(rows).execute()
}

// Our own writing, whose shape the record's schema number vouches for; `verifyAudit` shows tampering.
export const parseFact = (json: string): Fact => JSON.parse(json) as Fact

export async function readFacts({ db }: Database, link: LinkId): Promise<readonly Fact[]> {
  const rows = await db.selectFrom('facts').select('json').where('link', '=', link).orderBy('seq').execute()
  return rows.map(({ json }) => parseFact(json))
}
