/** A proxy between the bot and one peer: passes calls on, keeps what passed, and does to some of them what it is told. */
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, Agent as TlsAgent, request as tlsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ServerCertificate } from '../entra/certificates.ts'
import { type Armed, createFaults, type Fault, lets } from './fault.ts'
import { breakOff, pass, type Wired } from './wire.ts'

/** One call that came by, as it was sent; how it ended is written in once it has. */
export type PassedCall = {
  readonly method: string
  /** Decoded, without the query. */
  readonly path: string
  readonly query: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** By the clock that the proxy was given. */
  readonly at: number
  readonly fault?: Fault
  /** When its answer went out, and what the answer said; without a status there was none. */
  ended?: {
    readonly at: number
    readonly status?: number
    readonly retryAfter?: string
    readonly body?: string
  }
}

export type PeerProxy = {
  readonly url: string
  readonly host: string
  readonly calls: readonly PassedCall[]
  /** Called when a call comes, and again when it has ended. */
  onCall(listener: (call: PassedCall) => void): () => void
  /** Where the calls go on to; `ca`: whom to trust there. */
  leadsTo(url: string, ca?: string): void
  /** Lifted, it also cuts off the calls that hang by it. */
  fail(fault: Fault): Armed
  /** Holds the next such call before it is passed on. */
  holds(method: string, path: RegExp): { readonly arrived: Promise<void>; release(): void }
  /** How many calls have no answer, and will have none. */
  hanging(): number
  /** Forgets what passed and what was to come, and cuts off what hangs. Tokens stay expired. */
  clear(): void
  close(): Promise<void>
}

/** Opens a proxy on 127.0.0.1, over TLS with a certificate; `wording` is how the peer speaks of the error that a fault makes. */
export async function openProxy(options: {
  wording: (fault: Fault) => Wired
  tls?: ServerCertificate
  now?: () => number
}): Promise<PeerProxy> {
  const { wording, tls, now = Date.now } = options
  const faults = createFaults()
  const calls: PassedCall[] = []
  const listeners = new Set<(call: PassedCall) => void>()
  const hanging = new Map<PassedCall, IncomingMessage>()
  const expired = new Set<string>()
  const holding = new Set<{ method: string; path: RegExp; arrive: () => void; released: Promise<void> }>()
  const agent = new Agent({ keepAlive: true })
  let tlsAgent = new TlsAgent({ keepAlive: true })
  let target = ''

  const told = (call: PassedCall): void => {
    for (const listener of listeners) listener(call)
  }
  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming)
    const { method = 'GET', url = '/', headers } = incoming
    const [pathname = '', query = ''] = url.split('?')
    const path = decoded(pathname)
    const bearer = headers.authorization
    const stale: Fault | undefined =
      bearer !== undefined && expired.has(bearer) ? { times: 1, how: 'expire' } : undefined
    const fault = stale ?? faults.take(method, path, decoded(query))
    if (fault?.how === 'expire' && bearer !== undefined) expired.add(bearer)
    const call: PassedCall = {
      method,
      path,
      query,
      headers,
      body: body.toString(),
      at: now(),
      ...(fault && { fault }),
    }
    calls.push(call)
    told(call)
    for (const hold of holding) {
      if (hold.method !== method || !hold.path.test(path)) continue
      holding.delete(hold)
      hold.arrive()
      await hold.released
      break
    }
    const end = (wired?: Wired): void => {
      hanging.delete(call)
      const retryAfter = wired?.headers['retry-after']
      call.ended = {
        at: now(),
        ...(wired && { status: wired.status, body: wired.body.toString() }),
        ...(typeof retryAfter === 'string' && { retryAfter }),
      }
      told(call)
    }
    const acted = !fault || lets(fault) ? await passOn({ method, url, headers, body }) : undefined
    if (!fault) {
      // The peer itself broke off.
      if (!acted) {
        outgoing.destroy()
        return end()
      }
      pass(outgoing, acted)
      return end(acted)
    }
    const refused = wording(fault)
    if (fault.how === 'hang') {
      hanging.set(call, incoming)
      told(call)
      // Over when the caller lets go.
      incoming.socket.once('close', () => end())
    }
    breakOff(incoming, outgoing, fault, { acted, refused })
    if (!fault.how || ['answer', 'page', 'expire'].includes(fault.how)) end(refused)
    else if (fault.how === 'garble' || fault.how === 'empty') end(acted)
    else if (fault.how !== 'hang') end()
  }

  /** Undefined when there was no answer. */
  function passOn(call: {
    method: string
    url: string
    headers: IncomingMessage['headers']
    body: Buffer
  }): Promise<Wired | undefined> {
    const { method, url, headers, body } = call
    const to = new URL(target)
    const send = to.protocol === 'https:' ? tlsRequest : request
    return new Promise((resolve) => {
      const onward = send(
        {
          hostname: to.hostname,
          port: to.port,
          path: url,
          method,
          // Whatever the peer hands out leads back here, since it is named by the host that was called.
          headers: { ...headers, 'content-length': String(body.byteLength) },
          agent: to.protocol === 'https:' ? tlsAgent : agent,
        },
        (answer) => {
          bodyOf(answer).then(
            (whole) => resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: whole }),
            () => resolve(undefined),
          )
        },
      )
      onward.on('error', () => resolve(undefined))
      onward.end(body)
    })
  }

  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    // Whoever called has gone: there is nobody to answer.
    serve(incoming, outgoing).catch(() => outgoing.destroy())
  }
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener)
  // Node's own 5 s end an idle connection just when a client calls again, now and then: a reset that nobody asked for.
  server.keepAliveTimeout = 120_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url: `${tls ? 'https' : 'http'}://${host}`,
    host,
    calls,
    onCall(heard) {
      listeners.add(heard)
      return () => listeners.delete(heard)
    },
    leadsTo(url, ca) {
      target = url
      if (ca !== undefined) tlsAgent = new TlsAgent({ keepAlive: true, ca })
    },
    fail(fault) {
      const { met, lift } = faults.add(fault)
      return {
        met,
        lift() {
          lift()
          for (const [call, { socket }] of hanging) if (call.fault === fault) socket.destroy()
        },
      }
    },
    holds(method, path) {
      const arrived = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      holding.add({ method, path, arrive: () => arrived.resolve(), released: released.promise })
      return { arrived: arrived.promise, release: () => released.resolve() }
    },
    hanging: () => hanging.size,
    clear() {
      faults.clear()
      calls.splice(0)
      for (const { socket } of hanging.values()) socket.destroy()
      hanging.clear()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        agent.destroy()
        tlsAgent.destroy()
      }),
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // What is no valid encoding is matched as it came.
    return path
  }
}
