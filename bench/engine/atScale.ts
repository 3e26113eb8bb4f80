/** What many waiting links cost: a look at all of them, and how fast they can be claimed, on SQLite and on PostgreSQL. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Size } from '../../test/engine/restingLinks.ts'
import { startServer } from '../../test/postgres/server.ts'
import { asStarted } from '../bots.ts'
import { median } from '../figures.ts'
import { type Asked, startAsked } from '../load/asking.ts'
import type { Looked } from './engineProcess.ts'

export const databases = ['SQLite', 'PostgreSQL'] as const
export type Database = (typeof databases)[number]
export const workers = [1, 2, 4] as const
export type AtScale = {
  readonly database: Database
  readonly links: number
  readonly look: {
    readonly ms: number
    readonly queries: number
    readonly armReadsPerSecond: number
    readonly loopDelayP99Ms: number
    readonly rssMb: number
  }
  /** By how many workers there are. */
  readonly claimsPerSecond: ReadonlyMap<number, number>
}

const sizes: readonly Size[] = [
  { each: 100, linksOfEach: 10 },
  { each: 200, linksOfEach: 50 },
]
/** Of the engine's time, after it has learned of all links. */
const minutes = 20
const claimMs = 1_000

type Ground = Pick<AtScale, 'database' | 'links'> & { readonly url: string; readonly size: Size }

/** `rounds`: how often claims are measured, one size, database and number of workers after the other. */
export async function measureAtScale(
  rounds: number,
  say: (line: string) => void,
): Promise<readonly AtScale[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-bench-'))
  // What is committed is on the disk, as with SQLite.
  const server = await startServer({ durable: true })
  try {
    const looked: (Ground & Pick<AtScale, 'look'>)[] = []
    for (const size of sizes) {
      const links = size.each * size.linksOfEach
      for (const database of databases) {
        const name = `resting_${links}`
        const url = database === 'SQLite' ? join(folder, `${name}.db`) : await create(server.url, name)
        const ground = { database, links, url, size }
        looked.push({ ...ground, look: await lookAt(ground) })
        say(`${links} links at rest on ${database}`)
      }
    }
    const claims = looked.map((one) => ({ one, rates: new Map<number, number[]>() }))
    for (let round = 0; round < rounds; round++) {
      for (const { one, rates } of claims)
        for (const count of workers) rates.set(count, [...(rates.get(count) ?? []), await claim(one, count)])
      say(`claims, round ${round + 1} of ${rounds}`)
    }
    return claims.map(({ one: { database, links, look }, rates }) => ({
      database,
      links,
      look,
      claimsPerSecond: new Map([...rates].map(([count, all]) => [count, median(all)])),
    }))
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function create(url: (database: string) => string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url('postgres') })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  return url(name)
}

/** With as much memory as `npm start` lets the bot take. */
const engine = (): Asked => startAsked(new URL('engineProcess.ts', import.meta.url), {}, asStarted)

async function lookAt({ url: database, size }: Ground): Promise<AtScale['look']> {
  const seeding = engine()
  await seeding.ask('seed', { database, size }).finally(seeding.end)
  const one = engine()
  const azure = startAsked(new URL('restingAzureProcess.ts', import.meta.url))
  try {
    const url = await azure.ask('start', size)
    const before = (await azure.ask('reads')) as number
    const { looks, ...rest } = (await one.ask('look', { database, azure: url, minutes })) as Looked
    const reads = ((await azure.ask('reads')) as number) - before
    return {
      ms: median(looks.map(({ ms }) => ms)),
      queries: median(looks.map(({ queries }) => queries)),
      armReadsPerSecond: reads / (minutes * 60),
      ...rest,
    }
  } finally {
    await Promise.all([one.end(), azure.end()])
  }
}

async function claim({ url: database }: Ground, count: number): Promise<number> {
  const claiming = Array.from({ length: count }, engine)
  try {
    const rates = await Promise.all(
      claiming.map(async (worker, n) => {
        const rate = await worker.ask('claim', { database, holder: `holder-${n}`, runMs: claimMs })
        return rate as number
      }),
    )
    return rates.reduce((sum, rate) => sum + rate, 0)
  } finally {
    await Promise.all(claiming.map((worker) => worker.end()))
  }
}
