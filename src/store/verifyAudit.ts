/**
 * Whether the audit log is the one that was written, and if not, the first place, in the order of commits, where it is
 * not. Without a head that was kept elsewhere it finds what was changed by whoever did not reckon all later hashes anew.
 */
import type { Head } from '../engine/ports.ts'
import type { LinkId } from '../link/link.ts'
import { factHash, genesis } from './auditLog.ts'
import { beginning, type Commit, readHead, sha256 } from './ledger.ts'
import { type EntryRow, type FactRow, type Reader, trail } from './trail.ts'

/** A head as it was kept elsewhere, with the number of its entry or without. */
export type Anchor = { readonly n?: number; readonly head: string }

export type Flaw =
  /** The entry is not there, and later ones are, or the newest is said to be a later one. */
  | { readonly flaw: 'entryMissing'; readonly n: number }
  /** Its text is not what was hashed, or its columns do not say what the text says. */
  | { readonly flaw: 'entryEdited'; readonly n: number }
  /** It was written as another number, or its facts were told before. */
  | { readonly flaw: 'entryMisplaced'; readonly n: number }
  /** It was written after another entry than the one that now stands before it: one of the two is not what was written. */
  | { readonly flaw: 'entryUnlinked'; readonly n: number }
  | {
      readonly flaw: 'factMissing' | 'factEdited'
      readonly link: LinkId
      readonly seq: number
      readonly n: number
    }
  /** The facts hash among themselves, from `seq` on, and not to what entry `n` says. */
  | { readonly flaw: 'factsRewritten'; readonly link: LinkId; readonly seq: number; readonly n: number }
  /** No entry speaks of it: an older version wrote it, or somebody by hand. */
  | { readonly flaw: 'factUnwitnessed'; readonly link: LinkId; readonly seq: number }
  | { readonly flaw: 'linkUnwitnessed'; readonly link: LinkId }
  | { readonly flaw: 'linkMissing'; readonly link: LinkId; readonly n: number }
  /** The link's row is not what its newest entry, `n`, says that it became. */
  | { readonly flaw: 'rowEdited'; readonly link: LinkId; readonly n: number }
  /** The ledger's own note of its newest entry says otherwise. */
  | { readonly flaw: 'headEdited'; readonly n: number }
  /** All hashes fit, but not to the anchored head of `until`; up to `after` they fit an anchored head. */
  | { readonly flaw: 'rewritten'; readonly after: number; readonly until: number }
  | { readonly flaw: 'truncated'; readonly n: number; readonly anchored: number }
  | { readonly flaw: 'anchorNowhere'; readonly head: string }

export type Verdict = {
  readonly links: number
  readonly facts: number
  /** The newest entry up to which all hashes fit each other. */
  readonly head: Head
  /** The number of the newest entry up to which they fit a head that was kept elsewhere, too. */
  readonly proved: number
  /** Facts that were there before an entry spoke of them. */
  readonly takenOver: number
  readonly flaw?: Flaw
}

type Newest = { readonly n: number; readonly seq: number; readonly hash: string; readonly record: string }

export async function verifyAudit(db: Reader, anchors: readonly Anchor[] = []): Promise<Verdict> {
  const newest = new Map<LinkId, Newest>()
  const kept = new Set<Anchor>()
  let proved = 0
  let head = beginning
  let facts = 0
  let takenOver = 0
  const verdict = (flaw?: Flaw): Verdict => ({
    links: newest.size,
    facts,
    head,
    proved,
    takenOver,
    ...(flaw && { flaw }),
  })
  for await (const { row, facts: rows } of trail(db)) {
    const entry = readEntry(row, head)
    if ('flaw' in entry) return verdict(entry)
    if (entry.commit) {
      const { commit } = entry
      const before = newest.get(commit.link) ?? { seq: 0, hash: genesis(commit.link) }
      const flaw = readFacts(rows, commit, before, row.n)
      if (flaw) return verdict(flaw)
      const { link, seq, hash, record } = commit
      newest.set(link, { n: row.n, seq, hash, record })
      facts += seq - before.seq
      takenOver += seq - before.seq - commit.facts
    }
    const anchored = anchors.filter(({ n, head: hash }) =>
      n === undefined ? hash === row.head : n === row.n,
    )
    if (anchored.some((anchor) => anchor.head !== row.head))
      return verdict({ flaw: 'rewritten', after: proved, until: row.n })
    head = { n: row.n, head: row.head }
    for (const anchor of anchored) {
      kept.add(anchor)
      proved = row.n
    }
  }
  return verdict(
    (await readEnd(db, head)) ??
      missedAnchor(anchors, kept, head) ??
      (await strayFact(db, newest)) ??
      (await strayRow(db, newest)),
  )
}

// ---- entries -----------------------------------------------------------------------------------------

function readEntry(row: EntryRow, before: Head): { readonly commit: Commit | undefined } | Flaw {
  const n = before.n + 1
  if (row.n !== n) return row.n > n ? { flaw: 'entryMissing', n } : { flaw: 'entryMisplaced', n }
  if (sha256(row.entry) !== row.head) return { flaw: 'entryEdited', n }
  const entry = parsed(row.entry)
  if (entry.n !== n) return { flaw: 'entryMisplaced', n }
  if (entry.previous !== before.head) return { flaw: 'entryUnlinked', n }
  const commit = 'link' in entry ? commitIn(entry) : undefined
  if ('link' in entry && !commit) return { flaw: 'entryEdited', n }
  return row.link === (commit?.link ?? null) && row.seq === (commit?.seq ?? null)
    ? { commit }
    : { flaw: 'entryEdited', n }
}

function commitIn(entry: Readonly<Record<string, unknown>>): Commit | undefined {
  const { at, link, facts, seq, hash, record } = entry
  return typeof at === 'number' &&
    typeof link === 'string' &&
    typeof facts === 'number' &&
    typeof seq === 'number' &&
    typeof hash === 'string' &&
    typeof record === 'string'
    ? { at, link, facts, seq, hash, record }
    : undefined
}

/** What somebody else may have written: anything. What is no object has no members. */
function parsed(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}

// ---- facts -------------------------------------------------------------------------------------------

function readFacts(
  rows: readonly FactRow[],
  { link, seq, hash, facts }: Commit,
  before: Pick<Newest, 'seq' | 'hash'>,
  n: number,
): Flaw | undefined {
  // It names less than what stands before it already has: it was copied here.
  if (seq - before.seq < facts) return { flaw: 'entryMisplaced', n }
  let chained = before.hash
  for (const [index, row] of rows.entries()) {
    const expected = before.seq + index + 1
    if (row.seq !== expected)
      return { flaw: row.seq > expected ? 'factMissing' : 'factEdited', link, seq: expected, n }
    chained = factHash(chained, row.json)
    const fact = parsed(row.json)
    // The columns repeat what the text says; they must still say the same.
    if (row.hash !== chained || row.at !== fact.at || row.name !== fact.fact)
      return { flaw: 'factEdited', link, seq: expected, n }
  }
  const read = before.seq + rows.length
  if (read < seq) return { flaw: 'factMissing', link, seq: read + 1, n }
  return chained === hash ? undefined : { flaw: 'factsRewritten', link, seq: before.seq + 1, n }
}

/** A fact beyond those that the entries witness. */
async function strayFact(db: Reader, newest: ReadonlyMap<LinkId, Newest>): Promise<Flaw | undefined> {
  const logs = await db
    .selectFrom('facts')
    .select(({ fn }) => ['link', fn.countAll().as('count'), fn.max('seq').as('last')])
    .groupBy('link')
    .orderBy('link')
    .execute()
  for (const { link, count, last } of logs) {
    const seq = newest.get(link)?.seq ?? 0
    if (Number(count) === seq && last === seq) continue
    const stray = await db
      .selectFrom('facts')
      .select('seq')
      .where('link', '=', link)
      .where(({ or, eb }) => or([eb('seq', '>', seq), eb('seq', '<', 1)]))
      .orderBy('seq')
      .executeTakeFirst()
    return { flaw: 'factUnwitnessed', link, seq: stray?.seq ?? seq }
  }
  return undefined
}

// ---- the rows, and the end ---------------------------------------------------------------------------

async function strayRow(db: Reader, newest: ReadonlyMap<LinkId, Newest>): Promise<Flaw | undefined> {
  const missing = new Map(newest)
  const together = 500
  for (let last = ''; ; ) {
    const rows = await db
      .selectFrom('links')
      .select(['id', 'version', 'head', 'record'])
      .where('id', '>', last)
      .orderBy('id')
      .limit(together)
      .execute()
    for (const { id: link, version, head, record } of rows) {
      const entry = newest.get(link)
      missing.delete(link)
      if (!entry) return { flaw: 'linkUnwitnessed', link }
      if (version !== entry.seq || head !== entry.hash || sha256(record) !== entry.record)
        return { flaw: 'rowEdited', link, n: entry.n }
      last = link
    }
    if (rows.length < together) break
  }
  const [gone] = missing
  return gone && { flaw: 'linkMissing', link: gone[0], n: gone[1].n }
}

async function readEnd(db: Reader, { n, head }: Head): Promise<Flaw | undefined> {
  const said = await readHead(db)
  if (said.n > n) return { flaw: 'entryMissing', n: n + 1 }
  return said.n === n && said.head === head ? undefined : { flaw: 'headEdited', n }
}

function missedAnchor(
  anchors: readonly Anchor[],
  kept: ReadonlySet<Anchor>,
  { n: last }: Head,
): Flaw | undefined {
  for (const anchor of anchors) {
    const { n, head } = anchor
    if (n === 0 && head === beginning.head) continue
    if (n !== undefined && n > last) return { flaw: 'truncated', n: last, anchored: n }
    if (!kept.has(anchor)) return { flaw: 'anchorNowhere', head }
  }
  return undefined
}
