/** The audit log to be read by people and by other programs: names and words joined in where they are not erased. */
import { begin, fold } from '../link/fold.ts'
import type { Fact, Link, LinkId, Millis, PersonKey, Status, TextKey } from '../link/link.ts'
import { type Origin, originOf, personIn, wordsIn } from '../link/origin.ts'
import { parseFact } from './auditLog.ts'
import type { Happening } from './ledger.ts'
import { readable } from './links.ts'
import { readPeople, readTexts } from './people.ts'
import { type FactRow, type Reader, trail } from './trail.ts'

/** Whose doing it is; without a name once that is erased. */
export type Who = { readonly key: PersonKey; readonly name?: string; readonly objectId?: string }

export type AuditLine =
  | {
      readonly line: 'fact'
      /** The number of the ledger's entry that witnesses it. */
      readonly entry: number
      readonly link: LinkId
      readonly seq: number
      readonly signalr?: string
      readonly vault?: string
      readonly fact: Fact
      readonly who?: Who
      readonly words?: string
      readonly origin: Origin
      /** What the link has become with it; unknown where a newer version's facts cannot be folded. */
      readonly status?: Status
      /** What is hashed, to the byte, and the hash. */
      readonly json: string
      readonly hash: string
    }
  | {
      readonly line: 'entry'
      readonly n: number
      readonly at: Millis
      readonly event?: Happening
      readonly who?: Who
      readonly text: string
      readonly head: string
    }

export type AuditFilter = { readonly link?: LinkId; readonly since?: Millis }

/** Facts in the order of commits, each commit's entry after its facts. */
export async function* auditLines(
  db: Reader,
  { link: only, since = Number.NEGATIVE_INFINITY }: AuditFilter = {},
): AsyncGenerator<AuditLine> {
  const folded = new Map<LinkId, Link>()
  const newer = await db.selectFrom('links').select('id').where('schema', 'not in', readable).execute()
  const unreadable = new Set(newer.map(({ id }) => id))
  for await (const { row, facts } of trail(db)) {
    if (only !== undefined && row.link !== only) continue
    const entry = JSON.parse(row.entry) as { readonly at: Millis; readonly event?: string }
    const event = entry.event === undefined ? undefined : (entry as Happening)
    const named = await namesIn(db, facts, event)
    for (const written of facts) {
      const fact = parseFact(written.json)
      const before = folded.get(written.link)
      const after = unreadable.has(written.link) ? undefined : take(before, fact)
      if (after) folded.set(written.link, after)
      if (fact.at >= since) yield factLine(row.n, written, fact, before, after, named)
    }
    if (entry.at >= since) {
      const by = event && (event.event === 'forgotten' ? event.person : event.by)
      yield {
        line: 'entry',
        n: row.n,
        at: entry.at,
        ...(event && { event }),
        ...(by !== undefined && { who: named.who(by) }),
        text: row.entry,
        head: row.head,
      }
    }
  }
}

const take = (before: Link | undefined, fact: Fact): Link | undefined =>
  before ? fold(before, fact) : fact.fact === 'asked' ? begin(fact) : undefined

function factLine(
  entry: number,
  { link, seq, json, hash }: FactRow,
  fact: Fact,
  before: Link | undefined,
  after: Link | undefined,
  named: Names,
): AuditLine {
  const by = personIn(fact)
  const text = wordsIn(fact)
  const words = text === undefined ? undefined : named.words(text)
  return {
    line: 'fact',
    entry,
    link,
    seq,
    ...(after && { signalr: after.asked.signalr, vault: after.asked.vault, status: after.stage.status }),
    fact,
    ...(by !== undefined && { who: named.who(by) }),
    ...(words !== undefined && { words }),
    origin: originOf(fact, before, after),
    json,
    hash,
  }
}

type Names = {
  readonly who: (key: PersonKey) => Who
  readonly words: (key: TextKey) => string | undefined
}

async function namesIn(db: Reader, facts: readonly FactRow[], event: Happening | undefined): Promise<Names> {
  const read = facts.map(({ json }) => parseFact(json))
  const keys = read.flatMap((fact) => personIn(fact) ?? [])
  if (event && 'by' in event) keys.push(event.by)
  const people = await readPeople(db, keys)
  const texts = await readTexts(
    db,
    read.flatMap((fact) => wordsIn(fact) ?? []),
  )
  return {
    who(key) {
      const person = people.get(key)
      return person ? { key, name: person.name, objectId: person.objectId } : { key }
    },
    words: (key) => texts.get(key),
  }
}
