/** Random mutations of a log that the store wrote; `npm run figures` makes ten thousand. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sql } from 'kysely'
import type { Head } from '../../src/engine/ports.ts'
import { openStore } from '../../src/store/openStore.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import type { Database, Trx } from '../../src/store/tables.ts'
import { type Flaw, verifyAudit } from '../../src/store/verifyAudit.ts'
import { writeLog } from './log.ts'
import {
  classes,
  type Difference,
  type Draw,
  difference,
  firstTouched,
  hidings,
  type Model,
  mutate,
} from './mutations.ts'

const count = process.env.VAULTLINK_FIGURES === '1' ? 10_000 : 400

let folder: string
let database: Database
let model: Model
/** Heads as the bot's own log would hold them: one now and then, and the newest. */
let anchors: readonly Head[]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-mutations-'))
  const url = join(folder, 'links.db')
  const store = await openStore({ url })
  await writeLog(store, 12)
  await store.close()
  database = openSqlite(url, undefined)
  const { db } = database
  // Whoever tampers does not mind them.
  await sql`pragma foreign_keys = off`.execute(db)
  await sql`pragma synchronous = off`.execute(db)
  const end = await db.selectFrom('ledger_head').select(['n', 'head']).executeTakeFirstOrThrow()
  model = {
    ledger: await db.selectFrom('ledger').selectAll().orderBy('n').execute(),
    facts: await db.selectFrom('facts').selectAll().orderBy('link').orderBy('seq').execute(),
    links: await db.selectFrom('links').selectAll().orderBy('id').execute(),
    end,
  }
  anchors = model.ledger.filter(({ n }) => n % 40 === 0 || n === end.n).map(({ n, head }) => ({ n, head }))
})
afterAll(async () => {
  await database.db.destroy()
  await rm(folder, { recursive: true, force: true })
})

/** Makes the tables what the mutation made of them. */
async function write(trx: Trx, { ledger, facts, links, end }: Difference): Promise<void> {
  for (const { n } of ledger.gone) await trx.deleteFrom('ledger').where('n', '=', n).execute()
  for (const { link, seq } of facts.gone)
    await trx.deleteFrom('facts').where('link', '=', link).where('seq', '=', seq).execute()
  for (const { id } of links.gone) await trx.deleteFrom('links').where('id', '=', id).execute()
  for (const row of ledger.came) await trx.insertInto('ledger').values(row).execute()
  for (const row of facts.came) await trx.insertInto('facts').values(row).execute()
  for (const row of links.came) await trx.insertInto('links').values(row).execute()
  if (end) await trx.updateTable('ledger_head').set(end).execute()
}

/** The entry at which a flaw is said to be. */
function named(flaw: Flaw): number | undefined {
  switch (flaw.flaw) {
    case 'rewritten':
      return flaw.until
    case 'truncated':
      return flaw.n + 1
    case 'factUnwitnessed':
    case 'linkUnwitnessed':
    case 'anchorNowhere':
      return undefined
    default:
      return flaw.n
  }
}

/** The same numbers each time: mulberry32. */
function drawing(seed: number): Draw {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

describe('a log', () => {
  const unmutated = () => verifyAudit(database.db, anchors)

  test(`shows each of ${count} random mutations, and where the first is`, async () => {
    const twin = { links: 12, facts: model.facts.length, head: model.end, proved: model.end.n, takenOver: 0 }
    expect(await unmutated()).toEqual(twin)

    const names = Object.keys(classes)
    const cases = new Set<string>()
    const perClass = new Map<string, number>()
    const missed: string[] = []
    const misplaced: string[] = []
    for (let seed = 0; cases.size < count; seed++) {
      const name = names[seed % names.length] ?? ''
      const hiding = hidings[Math.floor(seed / names.length) % hidings.length] ?? 'nothing'
      const mutated = difference(model, mutate(model, name, hiding, drawing(seed)))
      const text = JSON.stringify(mutated)
      // What hides a change may undo it: then it is the log that was written.
      if (text === unchanged) continue
      const digest = createHash('sha256').update(text).digest('base64')
      if (cases.has(digest)) continue
      cases.add(digest)
      perClass.set(name, (perClass.get(name) ?? 0) + 1)

      const trx = await database.db.startTransaction().execute()
      await write(trx, mutated)
      const { flaw, proved } = await verifyAudit(trx, anchors)
      await trx.rollback().execute()

      const told = `${seed}: ${name}, hiding ${hiding}`
      if (!flaw) missed.push(told)
      const first = firstTouched(model, mutated)
      const place = flaw && named(flaw)
      // Where everything was hashed anew, only the heads that were kept elsewhere tell where.
      const apart = flaw?.flaw === 'entryUnlinked' && flaw.n - 1 > proved ? flaw.n - 1 : place
      const from = hiding === 'everything' ? proved + 1 : apart
      if (place !== undefined && from !== undefined && first !== undefined && (first < from || first > place))
        misplaced.push(`${told}: first at ${first}, found ${JSON.stringify(flaw)}`)
    }
    expect({ missed, misplaced }).toEqual({ missed: [], misplaced: [] })
    expect(await unmutated()).toEqual(twin)
    expect([...perClass.keys()].toSorted()).toEqual(names.toSorted())
    expect(Math.max(...perClass.values())).toBeLessThanOrEqual(count / 10)
    if (count >= 10_000) {
      const lines = [...perClass].map(([name, many]) => `  ${String(many).padStart(5)} ${name}`)
      console.log(
        [
          `${cases.size} distinct mutations of a log of ${model.facts.length} facts, all found:`,
          ...lines,
        ].join('\n'),
      )
    }
  })

  const unchanged = JSON.stringify({
    ledger: { gone: [], came: [] },
    facts: { gone: [], came: [] },
    links: { gone: [], came: [] },
  })
})
