/** The one door: HTTP in front of the bot, with limits before anything is read. */
import { randomUUID } from 'node:crypto'
import type { Activity, InvokeResponse, TurnContext } from 'botbuilder'
import restify from 'restify'
import type { Log } from '../engine/ports.ts'
import type { Incoming } from './activity.ts'
import type { Authenticated } from './adapter.ts'
import type { Guard } from './guard.ts'

/** Answers a turn. Never rejects for what a person did; `correlation` joins the log's lines of one request. */
export type Bot = (context: TurnContext, incoming: Incoming, correlation: string) => Promise<void>

export type ServerOptions = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly adapter: {
    answer(
      authenticated: Authenticated,
      activity: Activity,
      turn: (context: TurnContext) => Promise<void>,
    ): Promise<InvokeResponse | undefined>
  }
  readonly guard: Guard
  readonly bot: Bot
  /** Whether a request without a bearer token is turned away unread. */
  readonly tokens: boolean
  readonly log: Log
  /** Whether the bot can work: its store is open, its worker runs. */
  readonly ready: () => boolean
  readonly maxBodyBytes?: number
  readonly headersTimeoutMs?: number
  readonly requestTimeoutMs?: number
  readonly idleTimeoutMs?: number
  /** How long `close` waits for turns under way before it cuts their connections. */
  readonly drainMs?: number
}
export type Server = {
  readonly url: string
  readonly port: number
  /** Takes no more, lets what is under way finish, and closes. */
  close(): Promise<void>
}

const messages = '/api/messages'

/** Starts the server; resolves when it listens, rejects when it cannot. */
export async function createServer(options: ServerOptions): Promise<Server> {
  const { host, port, log, maxBodyBytes = 262_144, drainMs = 10_000 } = options
  const server = restify.createServer({ name: '', log: quiet })
  const http = server.server
  Object.assign(http, {
    headersTimeout: options.headersTimeoutMs ?? 5_000,
    requestTimeout: options.requestTimeoutMs ?? 10_000,
    keepAliveTimeout: options.idleTimeoutMs ?? 65_000,
    // How often Node looks for what has passed these times: 30 s unless told before it listens.
    connectionsCheckingInterval: Math.min(1_000, (options.headersTimeoutMs ?? 5_000) / 2),
  })
  let draining = false

  server.pre((request, response, next) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    if (draining) return refuse(response, next, 503, 'shutting down')
    if (request.path() !== messages || request.method !== 'POST') return next()
    if (options.tokens && !/^Bearer \S+$/.test(request.headers.authorization ?? '')) {
      response.setHeader('WWW-Authenticate', 'Bearer')
      return refuse(response, next, 401, 'a bearer token is needed')
    }
    const {
      'content-type': type = '',
      'content-encoding': encoding,
      'content-length': length,
    } = request.headers
    if (
      !/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type) ||
      (encoding && encoding !== 'identity')
    )
      return refuse(response, next, 415, 'plain application/json is needed')
    if (Number(length ?? 0) > maxBodyBytes) return refuse(response, next, 413, 'too large')
    readBody(request, maxBodyBytes).then(
      (text) => {
        const body = text === undefined ? undefined : parsed(text)
        if (text === undefined) refuse(response, next, 413, 'too large')
        else if (!body) refuse(response, next, 400, 'a JSON object is needed')
        else {
          request.body = body
          next()
        }
      },
      // The caller went away; there is nobody to answer.
      (error: unknown) => {
        log('info', 'http.aborted', {}, error)
        next(false)
      },
    )
  })

  server.get('/healthz', (_request, response, next) => {
    response.send(200, { status: 'alive' })
    next()
  })
  server.get('/readyz', (_request, response, next) => {
    const ready = options.ready()
    response.send(ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' })
    next()
  })
  server.post(messages, async (request, response) => {
    const correlation = randomUUID()
    const began = performance.now()
    const log: Log = (level, event, fields, error) =>
      options.log(level, event, { ...fields, correlation }, error)
    try {
      const verdict = await options.guard(request.headers.authorization ?? '', request.body)
      if (verdict.is === 'refused') {
        log('warn', 'request.refused', { status: verdict.status, why: verdict.why })
        response.send(verdict.status, { error: 'refused' })
        return
      }
      const { authenticated, activity, incoming } = verdict
      const invoked = await options.adapter.answer(authenticated, activity, (context) =>
        options.bot(context, incoming, correlation),
      )
      const status = invoked?.status ?? 200
      if (invoked?.body === undefined) response.send(status)
      else response.send(status, invoked.body)
      const { is } = incoming.what
      log('info', 'request.answered', { what: is, status, ms: Math.round(performance.now() - began) })
    } catch (error) {
      log('error', 'request.failed', {}, error)
      if (!response.headersSent) response.send(500, { error: 'failed', correlation })
    }
  })
  server.on('restifyError', (_request, _response, error: unknown, callback: () => void) => {
    const { statusCode } = error as { statusCode?: unknown }
    log('warn', 'http.refused', { status: typeof statusCode === 'number' ? statusCode : undefined })
    callback()
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  server.on('error', (error: unknown) => log('error', 'http.error', {}, error))
  const address = server.address()
  return {
    url: `http://${host}:${address.port}`,
    port: address.port,
    async close() {
      if (draining) return
      draining = true
      const cut = setTimeout(() => http.closeAllConnections(), drainMs)
      await new Promise<void>((resolve) => server.close(resolve))
      clearTimeout(cut)
    },
  }
}

const securityHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
}

/** Answers unread and hangs up: what the caller still sends is nobody's business. */
function refuse(response: restify.Response, next: restify.Next, status: number, error: string): void {
  response.setHeader('Connection', 'close')
  response.send(status, { error })
  next(false)
}

/** The body as text; undefined once it grows beyond `most` bytes. Rejects when the caller goes away. */
function readBody(request: restify.Request, most: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) {
        chunks.length = 0
        resolve(undefined)
      } else chunks.push(chunk)
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('error', reject)
    request.once('close', () => reject(new Error('The caller went away')))
  })
}

function parsed(text: string): object | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? body : undefined
  } catch {
    return undefined
  }
}

/** restify wants a pino; ours is the only log. */
const nothing = (): void => undefined
const quiet = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  child: () => quiet,
} as unknown as NonNullable<restify.ServerOptions['log']>
