/** The one door: HTTP in front of the bot, with limits before anything is read. */
import { randomUUID } from 'node:crypto'
import type { InvokeResponse, TurnContext } from 'botbuilder'
import restify from 'restify'
import type { Log } from '../engine/ports.ts'
import type { Incoming } from './activity.ts'
import { troubleOf } from './errors.ts'
import type { Caller, Guard } from './guard.ts'
import { isRefused, type Refused, refused } from './refusal.ts'

/** Answers a turn. Never rejects for what a person did; `correlation` joins the log's lines of one request. */
export type Bot = (context: TurnContext, incoming: Incoming, correlation: string) => Promise<void>

/** Counts what comes in. */
export type Meter = {
  refused(why: Refused['why']): void
  answered(): void
  failed(): void
  /** A turn begins; call what is given when it is over. */
  turn(): () => void
}

/** Another caller than Teams, at a path of its own. Its requests pass the same door; who may call, and what comes of it, it says. */
export type Hook = {
  readonly path: string
  /** Beside `application/json`. */
  readonly contentTypes: readonly string[]
  readonly maxBodyBytes: number
  /** Answers OPTIONS, by which a sender asks first: the headers that let it send. Nobody proves anything by it. */
  welcomes(header: (name: string) => string | undefined): Readonly<Record<string, string>> | Refused
  admitCaller(authorization: string): Promise<{ readonly is: 'held' } | Refused>
  /** Takes in what was sent: what is answered, and what the log may say of it. */
  take(
    body: object,
  ): Promise<{ readonly is: 'taken'; readonly answer?: object; readonly said: Said } | Refused>
}
type Said = Readonly<Record<string, string | number>>

export type ServerOptions = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly adapter: {
    answer(
      incoming: Incoming,
      turn: (context: TurnContext) => Promise<void>,
    ): Promise<InvokeResponse | undefined>
  }
  readonly guard: Guard
  readonly bot: Bot
  readonly hook?: Hook
  readonly meter: Meter
  readonly log: Log
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
  const { host, port, guard, hook, meter, maxBodyBytes = 262_144, drainMs = 10_000 } = options
  const server = restify.createServer({ name: '', log: quiet, noWriteContinue: true })
  const http = server.server
  Object.assign(http, {
    headersTimeout: options.headersTimeoutMs ?? 5_000,
    requestTimeout: options.requestTimeoutMs ?? 10_000,
    keepAliveTimeout: options.idleTimeoutMs ?? 65_000,
    // How often Node looks for what has passed these times: 30 s unless told before it listens.
    connectionsCheckingInterval: Math.min(1_000, (options.headersTimeoutMs ?? 5_000) / 2),
  })
  // restify takes upgraded connections off Node's hands and forgets them, with no deadline and for ever.
  http.removeAllListeners('upgrade')
  let draining = false
  const toTeams: Way<Caller> = {
    tokens: guard.tokens,
    json: /^application\/json$/i,
    maxBodyBytes,
    admitCaller: guard.admitCaller,
    lists: false,
    pass: (request, caller, body) => {
      request[passed] = { caller, body }
    },
  }
  const toHook: Way<{ readonly is: 'held' }> | undefined = hook && {
    tokens: true,
    json: new RegExp(`^(?:${['application/json', ...hook.contentTypes].map(RegExp.escape).join('|')})$`, 'i'),
    maxBodyBytes: hook.maxBodyBytes,
    admitCaller: hook.admitCaller,
    lists: true,
    pass: (request, _caller, body) => {
      request[hooked] = body
    },
  }

  server.pre((request, response, next) => {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    const refuse = (refusal: Refused): void => {
      turnAway(refusal, response, options.log, meter)
      // What the caller still sends is nobody's business.
      next(false)
    }
    if (draining) return refuse(refused(503, 'shutting down'))
    const path = request.url?.split('?')[0]
    if (request.method !== 'POST') return next()
    const admitted =
      path === messages
        ? admit(toTeams, request, response)
        : toHook && path === hook?.path
          ? admit(toHook, request, response)
          : undefined
    if (!admitted) return next()
    admitted.then(
      (refusal) => (refusal ? refuse(refusal) : next()),
      (error: unknown) => {
        // The caller went away most likely, and there is nobody to answer.
        options.log('info', 'http.aborted', {}, error)
        if (!request.destroyed) reply(response, 500, { error: 'failed' })
        next(false)
      },
    )
  })

  /** Answers a request that is past the door, whatever goes wrong with it. */
  async function handle(
    response: restify.Response,
    work: (correlation: string) => Promise<Answered | Refused>,
  ): Promise<void> {
    const correlation = randomUUID()
    const began = performance.now()
    const log: Log = (level, event, fields, error) =>
      options.log(level, event, { ...fields, correlation }, error)
    try {
      const outcome = await work(correlation)
      if (isRefused(outcome)) return turnAway(outcome, response, log, meter)
      const { status, body, said } = outcome
      reply(response, status, body)
      log('info', 'request.answered', { ...said, status, ms: Math.round(performance.now() - began) })
      meter.answered()
    } catch (error) {
      const trouble = troubleOf(error)
      if ((trouble === 'storeAway' || trouble === 'storeInDoubt') && !response.headersSent)
        return turnAway(refused(503, 'database away'), response, log, meter, error)
      log('error', 'request.failed', {}, error)
      meter.failed()
      if (!response.headersSent) reply(response, 500, { error: 'failed', correlation })
    }
  }

  server.post(messages, async (request, response) => {
    const { [passed]: admitted } = request as Passing
    // The router knows more spellings of a path than one, and the door guards one.
    if (!admitted) return reply(response, 404, { error: 'not found' })
    const over = meter.turn()
    await handle(response, async (correlation) => {
      const verdict = guard.admitActivity(admitted.caller, admitted.body)
      if (verdict.is === 'refused') return verdict
      const { incoming } = verdict
      const invoked = await options.adapter.answer(incoming, (context) =>
        options.bot(context, incoming, correlation),
      )
      return {
        is: 'answered',
        status: invoked?.status ?? 200,
        body: invoked?.body,
        said: { what: incoming.what.is },
      }
    }).finally(over)
  })
  if (hook) {
    server.opts(hook.path, (request, response, next) => {
      const welcome = hook.welcomes((name) => [request.headers[name]].flat()[0])
      if (isRefused(welcome)) turnAway(welcome, response, options.log, meter)
      else response.sendRaw(200, '', { Allow: 'POST', ...welcome })
      next()
    })
    server.post(hook.path, async (request, response) => {
      const { [hooked]: body } = request as Passing
      if (!body) return reply(response, 404, { error: 'not found' })
      await handle(response, async () => {
        const taken = await hook.take(body)
        return isRefused(taken)
          ? taken
          : { is: 'answered', status: 200, body: taken.answer, said: taken.said }
      })
    })
  }
  server.on('restifyError', (_request, _response, error: unknown, callback: () => void) => {
    const { statusCode } = error as { statusCode?: unknown }
    options.log('warn', 'http.refused', { status: typeof statusCode === 'number' ? statusCode : undefined })
    callback()
  })

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
  server.on('error', (error: unknown) => options.log('error', 'http.error', {}, error))
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

type Answered = {
  readonly is: 'answered'
  readonly status: number
  readonly body: unknown
  readonly said: Said
}

/** How requests to one path pass the door. */
type Way<C extends { readonly is: string }> = {
  /** Whether tokens are asked for at all. */
  readonly tokens: boolean
  /** The content types that it takes, without their parameters. */
  readonly json: RegExp
  readonly maxBodyBytes: number
  readonly admitCaller: (authorization: string) => Promise<C | Refused>
  /** Whether the body may be a list. */
  readonly lists: boolean
  readonly pass: (request: Passing, caller: C, body: object) => void
}

/** What the door has let through to the turn, and to the hook: kept with the request, since a map of them is work for the garbage collector. */
const passed = Symbol('passed')
const hooked = Symbol('hooked')
type Passing = restify.Request & {
  [passed]?: { readonly caller: Caller; readonly body: object }
  [hooked]?: object
}

/** First the token, then the body: who is nobody sends nothing that is kept. */
async function admit<C extends { readonly is: string }>(
  way: Way<C>,
  request: restify.Request,
  response: restify.Response,
): Promise<Refused | undefined> {
  const { authorization = '' } = request.headers
  if (way.tokens && !/^Bearer \S+$/.test(authorization)) return refused(401, 'no token')
  const unfit = unfitBody(request, way)
  if (unfit) return unfit
  const caller = await way.admitCaller(authorization)
  if (isRefused(caller)) return caller
  if (request.headers.expect !== undefined) response.writeContinue()
  const body = await readBody(request, way.maxBodyBytes)
  if (body === undefined) return refused(413, 'too large')
  const read = readJson(body, way.lists)
  if (typeof read === 'string') return refused(400, read)
  way.pass(request, caller, read)
  return undefined
}

const securityHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
}

/** What can be said of a body before it is read. */
function unfitBody(
  { headers }: restify.Request,
  { json, maxBodyBytes }: Pick<Way<Caller>, 'json' | 'maxBodyBytes'>,
): Refused | undefined {
  const [, type = ''] =
    /^([^\s;]+)\s*(?:;\s*charset="?utf-8"?\s*)?$/i.exec(headers['content-type'] ?? '') ?? []
  const encoding = headers['content-encoding'] ?? 'identity'
  if (!json.test(type)) return refused(415, 'not JSON by its type')
  if (encoding !== 'identity') return refused(415, 'compressed')
  if (Number(headers['content-length'] ?? 0) > maxBodyBytes) return refused(413, 'too large')
  return undefined
}

/** What the door says to whom it turns away; who is past it and refused by the guard hears no more than that. */
const told: Partial<Record<Refused['why'], string>> = {
  'shutting down': 'shutting down',
  'no token': 'a bearer token is needed',
  'not JSON by its type': 'plain application/json is needed',
  compressed: 'plain application/json is needed',
  'too large': 'too large',
  'not UTF-8': 'a JSON object is needed',
  'not a JSON object': 'a JSON object is needed',
}

function turnAway(
  { status, why }: Refused,
  response: restify.Response,
  log: Log,
  meter: Meter,
  error?: unknown,
): void {
  log('warn', 'request.refused', { status, why }, error)
  meter.refused(why)
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer')
  if (status === 503) response.setHeader('Retry-After', '5')
  // Whatever has not come yet is not waited for.
  if (!response.req.complete || why === 'shutting down') response.setHeader('Connection', 'close')
  reply(response, status, { error: told[why] ?? 'refused' })
}

/** Always JSON: restify would let the caller's `Accept` choose, and answer 500 to some choices. */
function reply(response: restify.Response, status: number, body?: unknown): void {
  const text = body === undefined ? '' : JSON.stringify(body)
  response.statusCode = status
  if (text !== '') response.setHeader('Content-Type', 'application/json')
  response.setHeader('Content-Length', Buffer.byteLength(text))
  response.end(text)
}

/** The body; undefined once it grows beyond `most` bytes. Rejects when the caller goes away. */
function readBody(request: restify.Request, most: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const away = (): void => reject(new Error('The caller went away'))
    // Gone while its token was looked at: nothing more will be heard of it.
    if (request.destroyed) return away()
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > most) {
        chunks.length = 0
        resolve(undefined)
      } else chunks.push(chunk)
    })
    request.once('end', () => {
      request.removeListener('close', away)
      resolve(Buffer.concat(chunks))
    })
    request.once('error', reject)
    request.once('close', away)
  })
}

/** Bytes that are no text are not mended, and a byte order mark is no JSON (RFC 8259, 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function readJson(bytes: Buffer, lists: boolean): object | 'not UTF-8' | 'not a JSON object' {
  try {
    const body: unknown = JSON.parse(utf8.decode(bytes))
    const fits = typeof body === 'object' && body !== null && (lists || !Array.isArray(body))
    return fits ? body : 'not a JSON object'
  } catch (error) {
    return error instanceof TypeError ? 'not UTF-8' : 'not a JSON object'
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
