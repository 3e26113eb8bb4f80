/** `npm run audit`, each command in a process of its own, beside another that writes the same database all the while. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { openStore } from '../../src/store/openStore.ts'
import { ask, noon } from '../store/samples.ts'
import { owner, reason, requester, writeLog } from './log.ts'
import { json, program, ran } from './run.ts'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const appender = path('../store/appender.ts')

let originals: string
let folder: string
let file: string
let writer: ChildProcess | undefined

beforeAll(async () => {
  originals = await mkdtemp(join(tmpdir(), 'vaultlink-audit-'))
  const open = await openStore({ url: join(originals, 'open') })
  await writeLog(open, 8)
  await open.close()
  await copyFile(join(originals, 'open'), join(originals, 'settled'))
  const settled = await openStore({ url: join(originals, 'settled') })
  for (const { id } of await settled.list({ ended: false }, 99))
    await settled.transact(id, [], ({ link }) => ({
      change: { facts: [], link: { ...link, stage: { status: 'Removed' } }, due: undefined },
      result: undefined,
    }))
  await settled.create(ask('one', { by: 'somebody' }))
  await settled.close()
})
afterAll(() => rm(originals, { recursive: true, force: true }))
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-audit-'))
  file = join(folder, 'links.db')
})
afterEach(async () => {
  if (writer?.exitCode === null && writer.signalCode === null) {
    writer.kill('SIGKILL')
    await once(writer, 'exit')
  }
  writer = undefined
  await rm(folder, { recursive: true, force: true })
})

const audit = (...args: string[]) => ran(program, args, { DATABASE_URL: file })

/** A log of many links: `settled`, they have all ended but the one that another process goes on writing facts of. */
const written = (which: 'settled' | 'open' = 'settled'): Promise<void> =>
  copyFile(join(originals, which), file)

/** Another process that has the database open and writes; resolves to what counts what it has written. */
async function writing(): Promise<() => Promise<number>> {
  const child = spawn(process.execPath, [appender, file, 'one', '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  writer = child
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => Number((await lines.next()).value)
  await next()
  return next
}

/** Plain SQL by whoever can write the file. */
function tamper(...statements: string[]): void {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
  for (const statement of statements) database.exec(statement)
  database.close()
}

/** The cells of a CSV by RFC 4180. */
function cells(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]]
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    if (end === '\r\n') rows.push([])
  }
  return rows.filter(({ length }) => length > 1)
}

describe('head and verify', () => {
  test('beside a bot that writes: the log is well, and holds the head of a moment ago', async () => {
    await written()
    const more = await writing()
    const head = (await audit('head')).out.trim()
    expect(head).toMatch(/^\d+:[0-9a-f]{64}$/)
    const before = await more()
    const verified = await audit('verify', '--head', head, '--head', head.replace(/^\d+:/, ''))
    expect(verified).toMatchObject({ code: 0, told: '' })
    expect(verified.out).toMatch(/^The audit log is as it was written: \d+ facts of 9 links/)
    expect(verified.out).toContain('It holds the heads that were kept elsewhere.')
    // It was not kept waiting.
    expect(await more()).toBeGreaterThan(before)
  })

  test('without a head kept elsewhere: what that cannot find is said', async () => {
    await written()
    const { code, out } = await audit('verify')
    expect(code).toBe(0)
    expect(out).toContain('only by a head that was kept elsewhere')
  })

  test('the first place that is not as it was written is named, and the exit code tells', async () => {
    await written()
    const head = (await audit('head')).out.trim()
    tamper(`update facts set at = at + 1 where link = 'life-3' and seq = 2`)
    const { code, out } = await audit('verify', '--head', head)
    expect(code).toBe(1)
    expect(out).toContain('Link life-3, fact 2 ')
    expect(out).toMatch(/Up to entry \d+ its hashes fit each other/)
  })

  test('an end that was cut off with care shows by the head', async () => {
    await written()
    const head = (await audit('head')).out.trim()
    tamper(
      `delete from ledger where link = 'one'`,
      `update ledger_head set (n, head) = (select n, head from ledger order by n desc limit 1)`,
      `delete from facts where link = 'one'`,
      `delete from places where link = 'one'`,
      `delete from links where id = 'one'`,
    )
    expect((await audit('verify')).code).toBe(0)
    const { code, out } = await audit('verify', '--head', head)
    expect(code).toBe(1)
    expect(out).toMatch(/Entry \d+ is missing, and all up to \d+ at least.*cut off/)
  })

  test('facts from before the ledger are counted', async () => {
    await written()
    tamper(
      'drop table ledger',
      'drop table ledger_head',
      'drop table forgotten',
      'alter table gates drop column at',
      'alter table links drop column hinted_at',
      `delete from kysely_migration where name <> '0001-links'`,
    )
    expect(await audit('head')).toMatchObject({ code: 2, out: '' })
    await (await openStore({ url: file })).close()
    const { code, out } = await audit('verify')
    expect(code).toBe(0)
    expect(out).toMatch(/\d+ facts stood there before the ledger spoke of them/)
  })

  test('reading makes no database and changes none', async () => {
    expect(await audit('verify')).toMatchObject({ code: 2, out: '' })
    expect((await audit('forget', requester.objectId)).told).toContain(`There is no audit log at ${file}`)
    expect(existsSync(file)).toBe(false)
    await written()
    const before = await readFile(file)
    for (const args of [['head'], ['verify'], ['export', '--format', 'csv']]) await audit(...args)
    expect(await readFile(file)).toEqual(before)
  })
})

describe('export', () => {
  test('as JSON lines: each fact with who, when and from where', async () => {
    await written()
    const { code, out } = await audit('export', '--format', 'jsonl')
    expect(code).toBe(0)
    const lines = json(out)
    const asked = lines.filter(({ fact }) => fact === 'asked')
    expect(asked[0]).toMatchObject({
      link: 'life-0',
      seq: 1,
      at: new Date(noon).toISOString(),
      who: { name: requester.name, objectId: requester.objectId },
      from: { is: 'person', conversation: expect.stringContaining('19:') },
      status: 'Requested',
      words: reason,
    })
    const facts = lines.filter(({ line }) => line === 'fact')
    expect(lines.filter(({ fact }) => fact === 'decided').length).toBeGreaterThan(0)
    for (const fact of facts) {
      expect(fact).toMatchObject({ at: expect.stringMatching(/Z$/), from: { is: expect.any(String) } })
      const isPerson = (fact.from as { is: string }).is === 'person'
      expect('who' in fact).toBe(isPerson)
      if (isPerson) expect(fact.from).toHaveProperty('conversation')
    }
    // What a person did in the portal is told apart from what Azure did.
    expect(new Set(facts.map(({ from }) => (from as { is: string }).is))).toEqual(
      new Set(['person', 'portal', 'azure', 'teams', 'vaultlink', 'clock']),
    )
    expect(lines[0]).toMatchObject({ line: 'entry', entry: 1, who: { name: owner.name } })
    expect(lines.at(-1)).toMatchObject({
      line: 'entry',
      entry: lines.filter(({ line }) => line === 'entry').length,
    })
  })

  test('can be proved by the program in docs/audit.md alone, and tampered with it cannot', async () => {
    await written()
    const document = await readFile(path('../../docs/audit.md'), 'utf8')
    const proof = join(folder, 'verify.mjs')
    await writeFile(proof, /```js\n([^`]*(?:`[^`]*)*?)```/.exec(document)?.[1] ?? '')
    const exported = join(folder, 'audit.jsonl')
    const head = (await audit('head')).out
    expect(await audit('export', '--format', 'jsonl', '--out', exported)).toMatchObject({ code: 0 })
    expect(await ran(proof, [exported], {})).toEqual({ code: 0, out: head, told: '' })

    const good = (await readFile(exported, 'utf8')).trimEnd().split('\n')
    const at = good.findIndex((line) => line.includes('"link":"life-3","seq":2,'))
    const swapped = good.with(at, good[at + 2] ?? '').with(at + 2, good[at] ?? '')
    const bad: Record<string, readonly string[]> = {
      edited: good.with(at, (good[at] ?? '').replace(/\\"at\\":\d/, '\\"at\\":9')),
      dropped: good.toSpliced(at, 1),
      repeated: good.toSpliced(at, 0, good[at] ?? ''),
      'dropped with its entry': good.toSpliced(at, 2),
      swapped,
    }
    for (const [what, lines] of Object.entries(bad)) {
      await writeFile(exported, `${lines.join('\n')}\n`)
      const { code, out } = await ran(proof, [exported], {})
      expect([what, code, out]).toEqual([what, 1, expect.stringMatching(/^not as it was written: /)])
    }
    // What it holds reads the head as anybody would: one entry less, one number less.
    await writeFile(exported, `${good.slice(0, -2).join('\n')}\n`)
    expect((await ran(proof, [exported], {})).out).not.toBe(head)
  })

  test('as CSV: no cell is a formula, none breaks its row', async () => {
    await written()
    const { out } = await audit('export', '--format', 'csv')
    expect(out.startsWith('\uFEFF"entry",')).toBe(true)
    const [header = [], ...rows] = cells(out.slice(1))
    expect(rows.length).toBeGreaterThan(100)
    for (const row of rows) {
      expect(row).toHaveLength(header.length)
      for (const cell of row) expect(cell).not.toMatch(/^[\s\p{Cc}]*[=+\-@＝＋－＠]/u)
    }
    const column = (name: string) => rows.map((row) => row[header.indexOf(name)])
    expect(new Set(column('name'))).toEqual(new Set([`'${requester.name}`, owner.name, '']))
    expect(column('words')).toContain(`'${reason.replace('\r\n', ' ')}`)
    expect(column('fact')).toEqual(
      expect.arrayContaining(['owned', 'asked', 'decided', 'observed', 'passed']),
    )
    expect(column('what')).toEqual(expect.arrayContaining(['approve', 'put', 'Succeeded, Pending']))
  })

  test('of one link, since a date, into a file for its owner alone', async () => {
    await written()
    const one = json((await audit('export', '--format', 'jsonl', '--link', 'life-2')).out)
    expect(new Set(one.flatMap(({ link }) => link ?? []))).toEqual(new Set(['life-2']))
    expect(one.filter(({ line }) => line === 'fact')).toHaveLength(one.length / 2)
    const since = new Date(noon + 60_000).toISOString()
    const later = json((await audit('export', '--format', 'jsonl', '--since', since)).out)
    const all = json((await audit('export', '--format', 'jsonl')).out)
    expect(later).toEqual(all.filter(({ at }) => String(at) >= since))
    expect(later.length).toBeLessThan(all.length)
    const out = join(folder, 'out.csv')
    expect((await audit('export', '--format', 'csv', '--out', out)).out).toMatch(/out\.csv: \d+ lines\n$/)
    expect((await stat(out)).mode & 0o777).toBe(0o600)
  })

  test('ends quietly when its reader has enough', async () => {
    await written()
    const child = spawn(process.execPath, [program, 'export', '--format', 'jsonl'], {
      env: { ...process.env, DATABASE_URL: file },
    })
    let told = ''
    child.stderr.on('data', (text: Buffer) => {
      told += text.toString()
    })
    child.stdout.once('data', () => child.stdout.destroy())
    const [code] = await once(child, 'close')
    expect([code, told]).toEqual([0, ''])
  })
})

describe('forget', () => {
  const onDisk = async () => {
    const files = (await readdir(folder)).filter((name) => name.startsWith('links.db'))
    return (await Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')))).join()
  }
  const traces = ['evil.example', requester.objectId, requester.teamsId, 'and thanks']

  test('beside a bot that writes: erases, keeps every hash, and is itself in the log', async () => {
    await written()
    const more = await writing()
    const head = (await audit('head')).out.trim()
    const before = await onDisk()
    expect(traces.filter((text) => before.includes(text))).toEqual(traces)

    const forgotten = await audit('forget', requester.objectId.toUpperCase())
    expect(forgotten).toMatchObject({ told: '', code: 0 })
    expect(forgotten.out).toMatch(/^Erased: name, object id, Teams id, and 1 text of theirs\./)
    expect(await more()).toBeGreaterThan(0)
    // Now at rest, so that what the writer itself holds is on the disk as well.
    writer?.kill('SIGKILL')
    await once(writer as ChildProcess, 'exit')
    const after = await onDisk()
    expect(traces.filter((text) => after.includes(text))).toEqual([])

    const verified = await audit(
      'verify',
      '--head',
      head,
      '--head',
      /\d+:[0-9a-f]{64}/.exec(forgotten.out)?.[0] ?? '',
    )
    expect(verified).toMatchObject({ code: 0 })
    const lines = json((await audit('export', '--format', 'jsonl')).out)
    const [key] = lines.flatMap(
      ({ text }) => /"event":"forgotten".*"person":"([^"]+)"/.exec(String(text))?.[1] ?? [],
    )
    expect(lines.find(({ fact }) => fact === 'asked')?.who).toEqual({ key })
    const texts = JSON.stringify(lines)
    expect(traces.filter((text) => texts.includes(text))).toEqual([])
    expect(texts).toContain(owner.name)

    expect((await audit('forget', requester.objectId)).code).toBe(1)
    expect((await audit('forget', String(key))).out).toMatch(/^They were forgotten already, on \d{4}-/)
  })

  test('not while they have a part in an open link: it says why, which, and what to do', async () => {
    await written('open')
    const { code, out, told } = await audit('forget', requester.objectId)
    expect([code, out]).toEqual([1, ''])
    expect(told).toMatch(/^Not erased: they have a part in \d+ links .*who asked could approve.*cancel it:/)
    expect(told).toMatch(/^ {2}life-\d+: contoso-signalr to contoso-kv-\d+, Approving$/m)
    expect((await audit('export', '--format', 'csv')).out).toContain(requester.objectId)
  })

  test('nobody who is not known', async () => {
    await written()
    expect(await audit('forget', 'nobody')).toMatchObject({
      code: 1,
      told: 'Nobody is known as nobody: nothing of them is kept.\n',
    })
  })
})

test.each([
  [[], 'Say what to do.'],
  [['prove'], 'prove is not known.'],
  [['verify', '--heads', 'x'], "Unknown option '--heads'."],
  [['verify', '--head', '17'], '17 is no head.'],
  [['export'], 'Write --format jsonl or --format csv.'],
  [['export', '--format', 'xml'], 'Write --format jsonl or --format csv.'],
  [['export', '--format', 'csv', '--since', 'yesterday'], 'yesterday is no date.'],
  [['forget'], 'Write the person'],
])('%j is answered with what to write', async (args, words) => {
  const { code, out, told } = await audit(...args)
  expect([code, out]).toEqual([2, ''])
  expect(told.startsWith(words)).toBe(true)
})

test('a database that it cannot read is refused, and its password is not repeated', async () => {
  const url = 'mysql://bot:hunter2@db/vaultlink'
  const { code, told } = await ran(program, ['head'], { DATABASE_URL: url })
  expect([code, told]).toEqual([
    2,
    'DATABASE_URL: write a path for SQLite, or postgres://<user>:<password>@<host>/<database>, with %25 for each % in the password\n',
  ])
})

test('it is what npm run audit runs, and needs no development dependency', async () => {
  const project = JSON.parse(await readFile(path('../../package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  expect(project.scripts.audit).toBe('node src/audit/start.js')
})
