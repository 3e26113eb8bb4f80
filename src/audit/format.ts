/** The lines of an export: JSON for programs, which can reckon every hash anew from it, CSV for spreadsheets. */
import type { Fact } from '../link/link.ts'
import type { AuditLine } from '../store/auditLines.ts'

type FactLine = AuditLine & { readonly line: 'fact' }
type EntryLine = AuditLine & { readonly line: 'entry' }

export type Format = { readonly begin: string; readonly line: (line: AuditLine) => string }

export const jsonLines: Format = {
  begin: '',
  line(line) {
    if (line.line === 'entry') {
      const { n, at, who, text, head } = line
      return json({ line: 'entry', entry: n, at: time(at), who, text, head })
    }
    const { entry, link, seq, fact, who, origin, status, signalr, vault, words, hash } = line
    const read = { at: time(fact.at), fact: fact.fact, who, from: origin, status, signalr, vault, words }
    return json({ line: 'fact', entry, link, seq, ...read, json: line.json, hash })
  },
}

/** Some readers end a line at these two as well. */
const json = (line: object): string =>
  `${JSON.stringify(line).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}\n`

/**
 * A spreadsheet takes what begins so for a formula, quoted or not, and some the full-width forms too; an apostrophe
 * before it makes it text (https://owasp.org/www-community/attacks/CSV_Injection).
 */
const formula = /^[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u

const columns = [
  'entry',
  'time',
  'link',
  'number',
  'fact',
  'what',
  'person',
  'name',
  'object id',
  'from',
  'conversation',
  'link became',
  'SignalR',
  'vault',
  'words',
  'hash',
] as const
type Cells = Partial<Record<(typeof columns)[number], string | number | undefined>>

export const csv: Format = {
  // Spreadsheets take a file for UTF-8 only when it says so.
  begin: `\uFEFF${rowOf(columns)}`,
  line: (line) => (line.line === 'fact' ? row(factCells(line)) : line.event ? row(eventCells(line)) : ''),
}

function factCells({
  entry,
  link,
  seq,
  fact,
  who,
  origin,
  status,
  signalr,
  vault,
  words,
  hash,
}: FactLine): Cells {
  return {
    entry,
    time: time(fact.at),
    link,
    number: seq,
    fact: fact.fact,
    what: gist(fact),
    person: who?.key,
    name: who?.name,
    'object id': who?.objectId,
    from: origin.is,
    conversation: 'conversation' in origin ? origin.conversation : undefined,
    'link became': status,
    SignalR: signalr,
    vault,
    words,
    hash,
  }
}

function eventCells({ n, at, event, who, head }: EntryLine): Cells {
  const owners = event && 'vault' in event ? event : undefined
  return {
    entry: n,
    time: time(at),
    fact: event?.event,
    person: who?.key,
    name: who?.name,
    'object id': who?.objectId,
    from: owners ? 'person' : 'command line',
    conversation: owners?.conversation,
    vault: owners?.vault,
    hash: head,
  }
}

/** What of a fact tells most, in a word or two; the whole of it stands in the JSON. */
function gist(fact: Fact): string {
  switch (fact.fact) {
    case 'asked':
      return fact.asked.name
    case 'decided':
      return fact.verdict
    case 'intended':
    case 'done':
      return fact.effect
    case 'failed':
      return `${fact.effect}: ${fact.cause.cause}`
    case 'observed': {
      const { own } = fact.seen
      return own.is === 'present' ? `${own.value.provisioningState}, ${own.value.status}` : own.is
    }
    case 'rechecked':
      return `right ${fact.right}`
    case 'posted':
    case 'unposted':
      return fact.post
    case 'gone':
      return fact.place
    case 'rerouted':
      return fact.owners.place.conversation
    case 'passed':
      return fact.what
    case 'endorsed':
      return `approve, one of ${fact.needs}`
    case 'adopted':
      return fact.card
    case 'lost':
      return fact.post
    case 'followed':
    case 'heard':
    case 'revoked':
    case 'questioned':
    case 'cancelled':
    case 'unlinked':
    case 'retried':
      return ''
    default:
      return fact satisfies never
  }
}

const time = (at: number): string => new Date(at).toISOString()

const row = (cells: Cells): string => rowOf(columns.map((column) => cells[column] ?? ''))

function rowOf(cells: readonly (string | number)[]): string {
  return `${cells.map(cell).join(',')}\r\n`
}

function cell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  // Nothing in a cell may end its row or be no character.
  const text = value.toWellFormed().replace(/\p{Cc}+/gu, ' ')
  return `"${(formula.test(value) ? `'${text}` : text).replaceAll('"', '""')}"`
}
