/**
 * What somebody who can write the database may do to the audit log, in one named respect each; and how far they then go
 * to hide it: not at all, hashing the link's own log anew, or hashing everything anew.
 */
import type { Head } from '../../src/engine/ports.ts'
import { foldAll } from '../../src/link/fold.ts'
import type { Fact } from '../../src/link/link.ts'
import { factHash, genesis } from '../../src/store/auditLog.ts'
import { canonicalJson, strictJson } from '../../src/store/json.ts'
import { beginning, sha256 } from '../../src/store/ledger.ts'
import type { Tables } from '../../src/store/tables.ts'

type EntryRow = Tables['ledger']
type FactRow = Tables['facts']
type LinkRow = Tables['links']
/** The tables; rows are never changed but replaced, so that what is the same row was not touched. */
export type Model = {
  readonly ledger: readonly EntryRow[]
  readonly facts: readonly FactRow[]
  readonly links: readonly LinkRow[]
  readonly end: Head
}

export const hidings = ['nothing', 'link', 'everything'] as const
export type Hiding = (typeof hidings)[number]

/** Takes from a stream of whole numbers: each draw below `below`. */
export type Draw = (below: number) => number

const pick = <T>(draw: Draw, all: readonly T[]): T => {
  const one = all[draw(all.length)]
  if (one === undefined) throw new Error('Nothing to pick from')
  return one
}
const two = <T>(draw: Draw, all: readonly T[]): readonly [T, T] => {
  const first = pick(draw, all)
  return [
    first,
    pick(
      draw,
      all.filter((one) => one !== first),
    ),
  ]
}
const replace = <T>(all: readonly T[], changes: ReadonlyMap<T, T>): readonly T[] =>
  all.map((row) => changes.get(row) ?? row)
const logOf = ({ facts }: Model, link: string): readonly FactRow[] =>
  facts.filter((fact) => fact.link === link).toSorted((a, b) => a.seq - b.seq)
const withoutLog = ({ facts }: Model, link: string) => facts.filter((fact) => fact.link !== link)

/** Other text for any text, another number for any number. */
function otherwise(value: unknown, draw: Draw): unknown {
  if (typeof value === 'number') return value + 1 + draw(1000)
  if (typeof value === 'boolean') return !value
  if (value === null) return draw(1000)
  if (typeof value !== 'string') return value
  const at = draw(value.length + 1)
  return `${value.slice(0, at)}${draw(36).toString(36)}${value.slice(at + 1)}~`
}

/** One leaf of some JSON, changed. */
function elsewhere(json: string, draw: Draw): string {
  const value: unknown = JSON.parse(json)
  const leaves: { holder: Record<string, unknown>; name: string }[] = []
  const visit = (holder: Record<string, unknown>): void => {
    for (const [name, member] of Object.entries(holder)) {
      if (typeof member === 'object' && member !== null) visit(member as Record<string, unknown>)
      else leaves.push({ holder, name })
    }
  }
  visit(value as Record<string, unknown>)
  const { holder, name } = pick(draw, leaves)
  holder[name] = otherwise(holder[name], draw)
  return canonicalJson(value)
}

const factOf = (row: FactRow, json: string, change: Partial<FactRow> = {}): FactRow => {
  const { at, fact } = JSON.parse(json) as Fact
  return { ...row, json, at, name: fact, ...change }
}
const numbered = (rows: readonly FactRow[], link: string): readonly FactRow[] =>
  rows.map((row, index) => ({ ...row, link, seq: index + 1 }))

/** The classes; each changes the tables in its own respect. */
export const classes: Readonly<Record<string, (model: Model, draw: Draw) => Model>> = {
  'a field of a fact edited': (model, draw) => {
    const row = pick(draw, model.facts)
    return {
      ...model,
      facts: replace(model.facts, new Map([[row, factOf(row, elsewhere(row.json, draw))]])),
    }
  },

  'a column of a fact edited': (model, draw) => {
    const row = pick(draw, model.facts)
    const column = pick(draw, ['at', 'name', 'hash', 'json'] as const)
    const changed = { ...row, [column]: otherwise(row[column], draw) }
    return { ...model, facts: replace(model.facts, new Map([[row, changed]])) }
  },

  'a fact deleted': (model, draw) => {
    const row = pick(draw, model.facts)
    const rest = logOf(model, row.link).filter((fact) => fact !== row)
    const closed = draw(2) === 0 ? rest : numbered(rest, row.link)
    return { ...model, facts: [...withoutLog(model, row.link), ...closed] }
  },

  'a fact inserted': (model, draw) => {
    const row = pick(draw, model.facts)
    const log = logOf(model, row.link)
    const made = factOf(row, elsewhere(pick(draw, model.facts).json, draw))
    const at = draw(log.length + 1)
    return {
      ...model,
      facts: [...withoutLog(model, row.link), ...numbered(log.toSpliced(at, 0, made), row.link)],
    }
  },

  'two facts swapped': (model, draw) => {
    const [a, b] = two(draw, model.facts)
    const withHash = draw(2) === 0
    const put = (into: FactRow, from: FactRow) => factOf(into, from.json, withHash ? { hash: from.hash } : {})
    return {
      ...model,
      facts: replace(
        model.facts,
        new Map([
          [a, put(a, b)],
          [b, put(b, a)],
        ]),
      ),
    }
  },

  'facts renumbered': (model, draw) => {
    const { link } = pick(draw, model.facts)
    const log = logOf(model, link)
    const from = draw(log.length)
    const by = 1 + draw(9)
    const moved = log.map((fact, index) => (index < from ? fact : { ...fact, seq: fact.seq + by }))
    return { ...model, facts: [...withoutLog(model, link), ...moved] }
  },

  'facts replayed': (model, draw) => {
    const { link } = pick(draw, model.facts)
    const log = logOf(model, link)
    const from = draw(log.length)
    const again = log.slice(from, from + 1 + draw(3))
    return { ...model, facts: [...withoutLog(model, link), ...numbered([...log, ...again], link)] }
  },

  'an entry edited': (model, draw) => {
    const row = pick(draw, model.ledger)
    const entry = elsewhere(row.entry, draw)
    const changed = pick(draw, [
      { ...row, head: String(otherwise(row.head, draw)) },
      { ...row, entry },
      { ...row, entry, head: sha256(entry) },
    ])
    return { ...model, ledger: replace(model.ledger, new Map([[row, changed]])) }
  },

  'an entry deleted': (model, draw) => {
    const row = pick(draw, model.ledger.slice(0, -1))
    const rest = model.ledger.filter((entry) => entry !== row)
    return {
      ...model,
      ledger: draw(2) === 0 ? rest : rest.map((entry, index) => ({ ...entry, n: index + 1 })),
    }
  },

  'an entry inserted': (model, draw) => {
    const row = pick(draw, model.ledger)
    const made = { ...row, entry: elsewhere(row.entry, draw) }
    const all = model.ledger.toSpliced(draw(model.ledger.length + 1), 0, made)
    return { ...model, ledger: all.map((entry, index) => ({ ...entry, n: index + 1 })) }
  },

  'two entries swapped': (model, draw) => {
    const [a, b] = two(draw, model.ledger)
    const whole = new Map([
      [a, { ...b, n: a.n }],
      [b, { ...a, n: b.n }],
    ])
    return { ...model, ledger: replace(model.ledger, whole) }
  },

  'an entry replayed': (model, draw) => {
    const row = pick(draw, model.ledger)
    const { n } = model.end
    const made = {
      ...row,
      n: n + 1,
      ...(draw(2) === 0 && { entry: row.entry.replace(/"n":\d+/, `"n":${n + 1}`) }),
    }
    return { ...model, ledger: [...model.ledger, made], end: { n: n + 1, head: made.head } }
  },

  // As if later commits had never been: every row as it was then, or as much of it as somebody thought of.
  'the end cut off': (model, draw) => {
    const until = draw(model.ledger.length)
    const care = draw(4)
    const kept = model.ledger.filter(({ n }) => n <= until)
    const reached = new Map(
      kept.flatMap(({ link, seq }) => (link === null ? [] : [[link, seq ?? 0] as const])),
    )
    const end = { n: until, head: kept.at(-1)?.head ?? beginning.head }
    const facts = model.facts.filter(({ link, seq }) => seq <= (reached.get(link) ?? 0))
    const cut = { ...model, ledger: kept, ...(care > 0 && { end }), ...(care > 1 && { facts }) }
    return care > 2 ? { ...cut, links: asTheyWere(cut) } : cut
  },

  "one link's log over another's": (model, draw) => {
    const [over, from] = two(
      draw,
      model.links.filter(({ version }) => version > 0),
    )
    const much = 1 + draw(from.version)
    const copied = numbered(logOf(model, from.id).slice(0, much), over.id)
    const rest = draw(2) === 0 ? logOf(model, over.id).slice(much) : []
    const facts = [...withoutLog(model, over.id), ...copied, ...rest]
    const head = copied.at(-1)?.hash ?? over.head
    const taken = {
      ...over,
      head,
      version: copied.length + rest.length,
      ...(draw(2) === 0 && { record: from.record }),
    }
    return { ...model, facts, links: replace(model.links, new Map([[over, taken]])) }
  },

  'a whole link removed': (model, draw) => {
    const link = pick(draw, model.links)
    const much = draw(3)
    const ledger = model.ledger.filter((entry) => entry.link !== link.id)
    const cut = {
      ...model,
      facts: withoutLog(model, link.id),
      links: model.links.filter((row) => row !== link),
    }
    if (much === 0) return cut
    return {
      ...cut,
      ledger: much === 1 ? ledger : ledger.map((entry, index) => ({ ...entry, n: index + 1 })),
    }
  },

  'a row edited': (model, draw) => {
    const row = pick(draw, model.links)
    const column = pick(draw, ['version', 'head', 'record'] as const)
    const value = column === 'record' ? elsewhere(row.record, draw) : otherwise(row[column], draw)
    return { ...model, links: replace(model.links, new Map([[row, { ...row, [column]: value }]])) }
  },
}

/** Each link's row as the facts that are left make it. */
function asTheyWere(model: Model): readonly LinkRow[] {
  return model.links.flatMap((row) => {
    const log = logOf(model, row.id)
    const link = foldAll(log.map(({ json }) => JSON.parse(json) as Fact))
    const head = log.at(-1)?.hash
    return link && head !== undefined ? [{ ...row, version: log.length, head, record: strictJson(link) }] : []
  })
}

/** Hashes the logs anew of those links whose rows are not as they were. */
function rehashLogs(model: Model, before: Model): Model {
  const untouched = new Set(before.facts)
  const kept = new Set(model.facts)
  const touched = new Set(
    [
      ...model.facts.filter((row) => !untouched.has(row)),
      ...before.facts.filter((row) => !kept.has(row)),
    ].map(({ link }) => link),
  )
  let { facts, links } = model
  for (const link of touched) {
    let hash = genesis(link)
    const log = logOf(model, link).map((row) => {
      hash = factHash(hash, row.json)
      return { ...row, hash }
    })
    facts = [...facts.filter((row) => row.link !== link), ...log]
    links = links.map((row) =>
      row.id === link ? { ...row, version: log.at(-1)?.seq ?? 0, head: hash } : row,
    )
  }
  return { ...model, facts, links }
}

/** Hashes the whole ledger anew, so that every entry says what now stands there. */
function rehashLedger(model: Model): Model {
  const hashes = new Map(model.facts.map(({ link, seq, hash }) => [`${link} ${seq}`, hash]))
  const records = new Map(model.links.map(({ id, version, record }) => [`${id} ${version}`, sha256(record)]))
  let head = beginning
  const ledger = model.ledger
    .toSorted((a, b) => a.n - b.n)
    .map((row) => {
      const said = JSON.parse(row.entry) as Record<string, unknown>
      const at = `${said.link} ${said.seq}`
      const witnessed =
        said.link === undefined
          ? {}
          : { hash: hashes.get(at) ?? said.hash, record: records.get(at) ?? said.record }
      const entry = canonicalJson({ ...said, ...witnessed, n: head.n + 1, previous: head.head })
      head = { n: head.n + 1, head: sha256(entry) }
      return { ...row, ...head, entry }
    })
  return { ...model, ledger, end: head }
}

export function mutate(model: Model, name: string, hiding: Hiding, draw: Draw): Model {
  const changed = classes[name]?.(model, draw)
  if (!changed) throw new Error(`There is no mutation ${name}`)
  if (hiding === 'nothing') return changed
  const hashed = rehashLogs(changed, model)
  return hiding === 'link' ? hashed : rehashLedger(hashed)
}

const key = {
  ledger: ({ n }: EntryRow): string => `${n}`,
  facts: ({ link, seq }: FactRow): string => `${link} ${seq}`,
  links: ({ id }: LinkRow): string => id,
}

/** What differs, row by row, as plain values. */
export function difference(before: Model, after: Model) {
  const differing = <T>(of: (row: T) => string, a: readonly T[], b: readonly T[]) => {
    const [old, now] = [new Map(a.map((row) => [of(row), row])), new Map(b.map((row) => [of(row), row]))]
    const same = (row: T | undefined, other: T | undefined): boolean =>
      row === other || JSON.stringify(row) === JSON.stringify(other)
    return {
      gone: [...old].filter(([id, row]) => !same(row, now.get(id))).map(([, row]) => row),
      came: [...now].filter(([id, row]) => !same(row, old.get(id))).map(([, row]) => row),
    }
  }
  return {
    ledger: differing(key.ledger, before.ledger, after.ledger),
    facts: differing(key.facts, before.facts, after.facts),
    links: differing(key.links, before.links, after.links),
    end: JSON.stringify(before.end) === JSON.stringify(after.end) ? undefined : after.end,
  }
}
export type Difference = ReturnType<typeof difference>

/** The number of the first entry that is not as it was, or whose facts are not; undefined when all of them are. */
export function firstTouched(before: Model, { ledger, facts }: Difference): number | undefined {
  const touched = new Set(facts.gone.map(key.facts))
  for (const row of facts.came) touched.add(key.facts(row))
  const entries = new Set(ledger.gone.map(({ n }) => n))
  const reached = new Map<string, number>()
  for (const { n, link, seq } of before.ledger) {
    if (entries.has(n)) return n
    if (link === null || seq === null) continue
    for (let number = (reached.get(link) ?? 0) + 1; number <= seq; number++)
      if (touched.has(`${link} ${number}`)) return n
    reached.set(link, seq)
  }
  return undefined
}
