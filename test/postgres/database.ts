/** A new, empty database on the server of this test run. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'

export type FreshDatabase = {
  readonly url: string
  sql(statement: string): Promise<readonly Record<string, unknown>[]>
  remove(): Promise<void>
}

export async function freshDatabase(): Promise<FreshDatabase> {
  const keeper = process.env.VAULTLINK_TEST_POSTGRES
  if (keeper === undefined) throw new Error('Nobody keeps a PostgreSQL server: it is run by npm test')
  const answer = await fetch(keeper)
  const server = await answer.text()
  if (!answer.ok) throw new Error(server)
  const name = `test_${randomBytes(6).toString('hex')}`
  await run(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    // Foreign keys are not held: what somebody does to the tables by hand is to be seen.
    sql: (statement) => run(url.href, statement, 'set session_replication_role = replica'),
    remove: async () => void (await run(server, `drop database ${name} with (force)`)),
  }
}

async function run(
  url: string,
  statement: string,
  first?: string,
): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    if (first !== undefined) await client.query(first)
    const { rows } = await client.query<Record<string, unknown>>(statement)
    return rows
  } finally {
    await client.end()
  }
}
