/** `npm run audit`: the audit log for people who look after the bot. It reads beside a bot that runs. */
import { createWriteStream } from 'node:fs'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { ConfigError, readDatabaseUrl } from '../config.ts'
import type { Link } from '../link/link.ts'
import type { Audit } from '../store/audit.ts'
import type { AuditFilter } from '../store/auditLines.ts'
import { openAudit, openStore } from '../store/openStore.ts'
import type { Anchor } from '../store/verifyAudit.ts'
import { csv, type Format, jsonLines } from './format.ts'
import * as words from './words.ts'

/** How it ended, for whoever calls it from a script. */
const ends = { well: 0, not: 1, misused: 2 } as const
type End = (typeof ends)[keyof typeof ends]

/** What was typed is not what can be done; the message says what to write. */
class Misused extends Error {
  override readonly name = 'Misused'
}

const options = {
  head: { type: 'string', multiple: true },
  format: { type: 'string' },
  link: { type: 'string' },
  since: { type: 'string' },
  out: { type: 'string' },
} as const

async function run(argv: readonly string[]): Promise<End> {
  const { values, positionals } = read(argv)
  const [command, ...more] = positionals
  const url = readDatabaseUrl(process.env)
  switch (command) {
    case 'head':
      return reading(url, async (audit) => {
        say(words.headText(await audit.head()))
        return ends.well
      })
    case 'verify': {
      const anchors = (values.head ?? []).map(anchor)
      return reading(url, async (audit) => {
        const verdict = await audit.verify(anchors)
        say(words.verified(verdict, anchors.length))
        return verdict.flaw ? ends.not : ends.well
      })
    }
    case 'export': {
      const format = formatOf(values.format)
      const filter = {
        ...(values.link !== undefined && { link: values.link }),
        ...(values.since !== undefined && { since: date(values.since) }),
      }
      return reading(url, (audit) => exported(audit, format, filter, values.out))
    }
    case 'forget': {
      const [who] = more
      if (who === undefined || who === '') throw new Misused(words.noPerson)
      // Only where there is a log to keep: `openStore` would make one.
      const there = await reading(url, async () => ends.well)
      return there === ends.well ? forget(url, who) : there
    }
    default:
      throw new Misused(`${words.noCommand(command)}\n${words.usage}`)
  }
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true })
  } catch (error) {
    // Node goes on to explain how it could be meant otherwise; here it cannot.
    const [what] = (error instanceof Error ? error.message : String(error)).split('. ')
    throw new Misused(`${what}.\n${words.usage}`)
  }
}

async function reading(url: string, use: (audit: Audit) => Promise<End>): Promise<End> {
  const audit = await openAudit(url)
  if (!audit) {
    complain(words.noLog(url))
    return ends.misused
  }
  try {
    return await use(audit)
  } finally {
    await audit.close()
  }
}

async function exported(
  audit: Audit,
  format: Format,
  filter: AuditFilter,
  out: string | undefined,
): Promise<End> {
  let count = 0
  async function* text(): AsyncGenerator<string> {
    yield format.begin
    for await (const line of audit.lines(filter)) {
      const written = format.line(line)
      if (written !== '') count += 1
      yield written
    }
  }
  // Names stand in it: it is for its owner alone.
  const to: Writable = out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600 })
  await pipeline(Readable.from(text()), to, { end: out !== undefined })
  if (out !== undefined) say(words.written(out, count))
  return ends.well
}

async function forget(url: string, who: string): Promise<End> {
  const store = await openStore({ url })
  try {
    const answer = await store.forget(who, Date.now())
    if ('scrubbed' in answer && !answer.scrubbed) complain(words.notScrubbed)
    if (answer.is === 'forgotten' && answer.scrubbed === 'later') say(words.scrubbedLater)
    switch (answer.is) {
      case 'forgotten':
        say(words.forgotten(answer.texts, await store.head()))
        return answer.scrubbed ? ends.well : ends.not
      case 'already':
        say(words.alreadyForgotten(answer.at))
        return answer.scrubbed ? ends.well : ends.not
      case 'unknown':
        complain(words.unknown(who))
        return ends.not
      case 'involved': {
        const links: Link[] = []
        for (const id of answer.links) {
          const row = await store.get(id)
          if (row) links.push(row.link)
        }
        complain(words.involved(links))
        return ends.not
      }
      default:
        return answer satisfies never
    }
  } finally {
    await store.close()
  }
}

function anchor(text: string): Anchor {
  const [, n, head] = /^(?:(\d{1,15}):)?([0-9a-f]{64})$/.exec(text.trim()) ?? []
  if (head === undefined) throw new Misused(words.noHead(text))
  return n === undefined ? { head } : { n: Number(n), head }
}

function formatOf(text: string | undefined): Format {
  if (text === 'jsonl') return jsonLines
  if (text === 'csv') return csv
  throw new Misused(words.noFormat)
}

function date(text: string): number {
  const at = Date.parse(text)
  if (!/^\d{4}-\d\d-\d\d/.test(text) || Number.isNaN(at)) throw new Misused(words.noDate(text))
  return at
}

const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const complain = (text: string): boolean => process.stderr.write(`${text}\n`)

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (error) {
  // `npm run audit -- export … | head`: whoever read it has enough.
  const isEnough = error instanceof Error && 'code' in error && error.code === 'EPIPE'
  if (!isEnough) {
    const isOurs = error instanceof Misused || error instanceof ConfigError
    complain(isOurs ? error.message : `It failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = isOurs ? ends.misused : ends.not
  }
}
