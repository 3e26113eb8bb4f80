/** Every sentence that `npm run audit` says. */
import type { Head } from '../engine/ports.ts'
import type { Link } from '../link/link.ts'
import { resourceName } from '../link/resourceId.ts'
import type { Flaw, Verdict } from '../store/verifyAudit.ts'

export const usage = [
  'npm run audit -- head',
  'npm run audit -- verify [--head <number>:<hash>]',
  'npm run audit -- export --format jsonl|csv [--link <id>] [--since <date>] [--out <file>]',
  'npm run audit -- forget <object id or key of a person>',
].join('\n')

export const headText = ({ n, head }: Head): string => `${n}:${head}`

export const noLog = (url: string): string =>
  `There is no audit log at ${url}. Set DATABASE_URL as it is for the bot, and start this version of it once.`
export const noCommand = (given: string | undefined): string =>
  given === undefined ? 'Say what to do.' : `${given} is not known.`
export const noFormat = 'Write --format jsonl or --format csv.'
export const noDate = (given: string): string =>
  `${given} is no date. Write it as 2026-11-23, or as 2026-11-23T12:00:00Z.`
export const noHead = (given: string): string =>
  `${given} is no head. Write it as it was printed: the entry's number, a colon and 64 hex digits.`
export const noPerson = 'Write the person: their object id in the directory, or their key in the audit log.'
export const written = (file: string, lines: number): string => `${file}: ${count(lines, 'line')}`

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

export function verified({ facts, links, head, proved, takenOver, flaw }: Verdict, anchors: number): string {
  if (flaw)
    return [
      'The audit log is not the one that was written.',
      place(flaw),
      ...(proved === 0 ? [] : [`Up to entry ${proved} a head that was kept elsewhere proves it.`]),
      ...(head.n === proved
        ? []
        : [
            `Up to entry ${head.n} its hashes fit each other; that proves nothing against who reckoned them anew.`,
          ]),
    ].join('\n')
  const told = [
    `The audit log is as it was written: ${count(facts, 'fact')} of ${count(links, 'link')}, in ${head.n === 1 ? '1 entry' : `${head.n} entries`} of the ledger.`,
    anchors === 0
      ? 'Somebody who reckoned every later hash anew, or cut off the end and all that tells of it, shows only by a head that was kept elsewhere: --head <number>:<hash>, from a line audit.head of the bot.'
      : `It holds ${anchors === 1 ? 'the head that was' : 'the heads that were'} kept elsewhere.`,
  ]
  if (takenOver > 0)
    told.push(
      `${count(takenOver, 'fact')} stood there before the ledger spoke of them: written before this version, or by an older one beside it. That nobody else wrote them, it cannot say.`,
    )
  return [...told, `Its head is ${headText(head)}`].join('\n')
}

/** Where it is, first; then what is wrong there. */
function place(flaw: Flaw): string {
  switch (flaw.flaw) {
    case 'entryMissing':
      return `Entry ${flaw.n} is missing.`
    case 'entryEdited':
      return `Entry ${flaw.n} was edited: it does not hash to its own hash.`
    case 'entryMisplaced':
      return `Entry ${flaw.n} was not written there: it was moved, copied or put in.`
    case 'entryUnlinked':
      return flaw.n === 1
        ? 'Entry 1 is not the first that was written: it was edited or put in.'
        : `Entry ${flaw.n} was not written after entry ${flaw.n - 1}: the one or the other was edited or put in.`
    case 'factMissing':
      return `Link ${flaw.link}, fact ${flaw.seq} (entry ${flaw.n}) is missing.`
    case 'factEdited':
      return `Link ${flaw.link}, fact ${flaw.seq} (entry ${flaw.n}) was edited or moved: it does not hash to its own hash after the fact before it.`
    case 'factsRewritten':
      return `Link ${flaw.link}, from fact ${flaw.seq} on, was rewritten: it does not hash to what entry ${flaw.n} says.`
    case 'factUnwitnessed':
      return `Link ${flaw.link}, fact ${flaw.seq} is in no entry: it was put in by hand, or by an older version that still runs; then the next start takes it over.`
    case 'linkUnwitnessed':
      return `Link ${flaw.link} is in no entry: it was put in by hand.`
    case 'linkMissing':
      return `Link ${flaw.link} is missing; entry ${flaw.n} was its newest.`
    case 'rowEdited':
      return `Link ${flaw.link}: its record is not what entry ${flaw.n}, its newest, says; it was edited, or later facts of it were removed.`
    case 'headEdited':
      return `Entry ${flaw.n} is the newest, and the ledger's own note of it says otherwise.`
    case 'rewritten':
      return `Between entry ${flaw.after + 1} and entry ${flaw.until} it was rewritten: the head of entry ${flaw.until} is another than the one that was kept elsewhere.`
    case 'truncated':
      return `Entry ${flaw.n + 1} is missing, and all up to ${flaw.anchored} at least, whose head was kept elsewhere: its end was cut off.`
    case 'anchorNowhere':
      return `No entry has the head ${flaw.head} that was kept elsewhere: its end was cut off, or it was rewritten.`
    default:
      return flaw satisfies never
  }
}

export const forgotten = (texts: number, head: Head): string =>
  `Erased: name, object id, Teams id, and ${count(texts, 'text')} of theirs. What they did stays in the log under a key that leads to nobody; every hash still holds, and that they were forgotten is in it too. Its head is now ${headText(head)}`
export const alreadyForgotten = (at: number): string =>
  `They were forgotten already, on ${new Date(at).toISOString().slice(0, 10)}.`
export const unknown = (who: string): string => `Nobody is known as ${who}: nothing of them is kept.`
export const notScrubbed =
  'Another process was reading the database: what was erased may still stand in the file beside it (-wal). Say it once more in a minute.'
export const scrubbedLater =
  'Until PostgreSQL has tidied up, traces are left in its files: in the tables until VACUUM, in the write-ahead log until it is used anew, and in backups until they expire. What to do at once is in docs/operations.md.'
export const involved = (links: readonly Link[]): string =>
  [
    `Not erased: they have a part in ${count(links.length, 'link')} in which something is still decided or done. Forgotten now they would come back as somebody else, and who asked could approve. Let it end first, or cancel it:`,
    ...links.map(
      ({ id, asked, stage }) =>
        `  ${id}: ${resourceName(asked.signalr)} to ${resourceName(asked.vault)}, ${stage.status}`,
    ),
  ].join('\n')
