/** What a platform asks the bot about itself, on a port of its own that Teams never sees. */
import { once } from 'node:events'
import { createServer } from 'node:http'

export type Probes = {
  readonly url: string
  close(): Promise<void>
}

/** Starts the server; resolves when it listens, rejects when it cannot. */
export async function startProbes(options: {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Whether the bot can work: its database answers, its worker runs, and it is not leaving. */
  readonly ready: () => Promise<boolean>
  /** The metrics as text. */
  readonly metrics: () => Promise<string>
}): Promise<Probes> {
  const { host, port, ready, metrics } = options
  type Answer = { readonly status: number; readonly type: string; readonly text: string }
  const json = (status: number, body: object): Answer => ({
    status,
    type: 'application/json',
    text: JSON.stringify(body),
  })
  const answer = async (method: string, path: string): Promise<Answer> => {
    if (method !== 'GET') return json(405, { error: 'GET is needed' })
    switch (path) {
      case '/healthz':
        return json(200, { status: 'alive' })
      case '/readyz':
        return (await ready()) ? json(200, { status: 'ready' }) : json(503, { status: 'not ready' })
      case '/metrics':
        return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: await metrics() }
      default:
        return json(404, { error: 'not found' })
    }
  }
  const server = createServer((request, response) => {
    answer(request.method ?? '', request.url?.split('?')[0] ?? '').then(
      ({ status, type, text }) => {
        response.statusCode = status
        response.setHeader('Content-Type', type)
        response.setHeader('Cache-Control', 'no-store')
        response.setHeader('X-Content-Type-Options', 'nosniff')
        response.end(text)
      },
      () => response.destroy(),
    )
  })
  server.headersTimeout = 5_000
  server.requestTimeout = 5_000
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${at}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
