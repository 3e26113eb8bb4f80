/**
 * In front of the local Azure: what it once answered to a read is answered again at once, so that the bot is measured
 * and not the sandbox. Reads of what changes by itself, and all writes, go through.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pass } from 'node:timers/promises'

type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Buffer
}
export type Replay = {
  readonly url: string
  /** How long each answer takes. */
  latencyMs: number
  /** How many calls there were, by what they were for. */
  readonly calls: Map<string, number>
}

const movesByItself = /sharedPrivateLinkResources|privateEndpointConnections|operation/i

export async function startReplay(azure: string): Promise<Replay> {
  const agent = new Agent({ keepAlive: true })
  const known = new Map<string, Promise<Answer>>()
  const { hostname, port } = new URL(azure)

  const ask = (from: IncomingMessage, body: Buffer): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { method, url: path, headers } = from
      request({ hostname, port, method, path, headers, agent }, (response) => {
        read(response).then((text) => {
          const kept = Object.entries(response.headers).filter(([name]) => !isOfConnection(name))
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])),
            body: text,
          })
        }, reject)
      })
        .on('error', reject)
        .end(body)
    })

  async function answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const body = await read(from)
    const path = from.url ?? ''
    const what = `${from.method} ${kindOf(path)}`
    replay.calls.set(what, (replay.calls.get(what) ?? 0) + 1)
    const isRead = from.method === 'GET' || path.includes('Microsoft.ResourceGraph')
    const key = `${from.method} ${path} ${body}`
    const found = isRead && !movesByItself.test(path) ? known.get(key) : undefined
    const asked = found ?? ask(from, body)
    if (isRead && !found && !movesByItself.test(path)) known.set(key, asked)
    const { status, headers, body: answered } = await asked
    if (status >= 400) known.delete(key)
    if (replay.latencyMs > 0) await pass(replay.latencyMs)
    to.writeHead(status, { ...headers, 'content-length': answered.length }).end(answered)
  }

  const server = createServer((from, to) => {
    answer(from, to).catch((error: unknown) => {
      console.error(error)
      to.destroy()
    })
  })
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const replay: Replay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    latencyMs: 0,
    calls: new Map(),
  }
  return replay
}

const isOfConnection = (name: string): boolean =>
  ['connection', 'keep-alive', 'transfer-encoding', 'content-length'].includes(name)

/** The types in a path, without names. */
const kindOf = (path: string): string =>
  path
    .split('?')[0]
    ?.split('/providers/')
    .slice(1)
    .map((part) =>
      part
        .split('/')
        .filter((_, index) => index === 0 || index % 2 === 1)
        .join('/'),
    )
    .join(' + ') ||
  path.split('?')[0] ||
  ''

function read(stream: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('error', reject)
  })
}
