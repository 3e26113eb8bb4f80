/** A database that is reached over TLS, as `sslmode=verify-full` in its URL wants it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import pg from 'pg'
import { makeServerCertificate } from '../../sandbox/entra/certificates.ts'
import { openStore } from '../../src/store/openStore.ts'
import { type FreshDatabase, freshDatabase } from '../postgres/database.ts'
import { type Server, startServer } from '../postgres/server.ts'
import { ask } from './samples.ts'

let server: Server
let plain: FreshDatabase
let folder: string
const authority = async (name: string, ca: string): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, ca)
  return file
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-tls-'))
  plain = await freshDatabase()
  const certificate = await makeServerCertificate()
  await authority('ca.pem', certificate.ca)
  await authority('another.pem', (await makeServerCertificate()).ca)
  server = await startServer({ certificate })
})
afterAll(async () => {
  await server.stop()
  await plain.remove()
  await rm(folder, { recursive: true })
})

const verified = (url: string, ca: string): string =>
  `${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, ca))}`

test('what is written goes over TLS', async () => {
  const url = server.url('postgres')
  const store = await openStore({ url: verified(url, 'ca.pem') })
  try {
    await store.create(ask('one'))
    expect(await store.get('one')).toBeDefined()
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query(
      `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'vaultlink'`,
    )
    await client.end()
    expect(rows).toEqual([{ ssl: true }])
  } finally {
    await store.close()
  }
})

test('a server whose certificate somebody else signed, or that has none, is not spoken to', async () => {
  const refusal = (url: string) => openStore({ url }).catch((error: unknown) => String(error))
  expect(await refusal(verified(server.url('postgres'), 'another.pem'))).toMatch(
    /PostgreSQL cannot be used: .*(signature|certificate)/,
  )
  expect(await refusal(verified(plain.url, 'ca.pem'))).toMatch(/PostgreSQL cannot be used: .*SSL/)
})
