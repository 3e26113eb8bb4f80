import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { makeServerCertificate } from '../entra/certificates.ts'
import type { Directory } from '../entra/directory.ts'
import { createEntra, type Entra, managedIdentityPath } from '../entra/entra.ts'
import { createFaults, type Faults, lets } from '../proxy/fault.ts'
import { breakOff, pass } from '../proxy/wire.ts'
import { eventGrid as eventGridSeed, directory as usualDirectory } from '../seed.ts'
import { administer, isAdmin } from './admin.ts'
import { settle } from './agenda.ts'
import type { Azure } from './azure.ts'
import { cloudMetadata } from './cloud.ts'
import { type Conformity, startConformity } from './conformity.ts'
import { createEventGrid } from './eventGrid.ts'
import { faultReply } from './faults.ts'
import { malformed, respond } from './gateway.ts'
import { createPortal } from './portal.ts'
import { armHeaders } from './providerHeaders.ts'
import { setRegistration } from './registration.ts'
import { type Reply, refusal, wired } from './reply.ts'
import { checkAssignable } from './rights.ts'
import { savedSeed } from './savedSeed.ts'
import { type AzureEvent, createWorld, type Seed, type World } from './state.ts'
import { defaults, type Settings } from './switches.ts'
import { directoryOf } from './tenant.ts'
import { principalOf } from './token.ts'

export type { Azure } from './azure.ts'
export type { Seed } from './state.ts'
export { choices } from './switches.ts'

/** Starts the local Azure on 127.0.0.1; with a `tlsPort` (0: any) on a second port over TLS as well. */
export async function startAzure(
  options: {
    port?: number
    tlsPort?: number
    seed?: Seed
    /** Who can sign in and how, where it is more than the seed says. */
    directory?: Directory
    clock?: () => number
    openapi?: string | undefined
  } & Partial<Settings> = {},
): Promise<Azure> {
  const { port = 0, tlsPort, seed = {}, directory, clock = Date.now, openapi, ...settings } = options
  const events: AzureEvent[] = []
  const listeners = new Set<(event: AzureEvent) => void>()
  const tell = (event: AzureEvent): void => {
    events.push(event)
    eventGrid.hears(event)
    for (const listener of listeners) listener(event)
  }
  const world = createWorld(seed, { ...defaults, ...seed.settings, ...settings }, clock, tell)
  const faults = createFaults()
  const closing = new AbortController()
  const conformity = await startConformity(openapi)
  // Where a seed names nobody it is the usual world, whose directory holds more than a seed can say.
  const isUsual = seed.people === undefined && seed.applications === undefined
  const entra = createEntra(directory ?? (isUsual ? usualDirectory : directoryOf(world)))

  const eventGrid = createEventGrid({
    tokenFor: (application) => entra.applicationToken(eventGridSeed.appId, application, world.now()),
    now: world.now,
    tenantId: world.tenantId,
    closing: closing.signal,
  })

  const served = new Set<() => void>()
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve({ world, azure, entra, faults, conformity, closing: closing.signal }, request, response)
      .catch((error: unknown) => {
        // The caller went away or the sandbox closes; anything else is a fault of the sandbox and must be seen.
        if (closing.signal.aborted || request.socket.destroyed) return
        console.error(error)
        send(response, refusal(500, 'SandboxFault', String(error)), {})
      })
      .finally(() => {
        for (const heard of served) heard()
      })
  }
  const server = createServer(listener)
  const certificate = tlsPort === undefined ? undefined : await makeServerCertificate()
  const tlsServer = certificate && createTlsServer(certificate, listener)
  const servers = [server, ...(tlsServer ? [tlsServer] : [])]
  // Node's own 5 s end an idle connection just when a client calls again, now and then: a reset that nobody injected.
  for (const one of servers) one.keepAliveTimeout = 120_000
  const actual = await listen(server, port)
  const url = `http://127.0.0.1:${actual}`
  // By its name: Python's clients compare a certificate with names more readily than with addresses.
  const tlsUrl = tlsServer && `https://localhost:${await listen(tlsServer, tlsPort ?? 0)}`

  const azure: Azure = {
    url,
    port: actual,
    ...(tlsUrl !== undefined && certificate && { tls: { url: tlsUrl, ca: certificate.ca } }),
    identity: {
      directory: entra.directory,
      tokenFor: entra.tokenFor,
      consent: entra.consent,
      environment: {
        IDENTITY_ENDPOINT: `${url}${managedIdentityPath}`,
        IDENTITY_HEADER: entra.identityHeader,
      },
    },
    events,
    subscribe: eventGrid.subscribe,
    onEvent(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    links() {
      settle(world)
      return [...world.links.values()].map((link) => ({
        id: link.id,
        provisioningState: link.provisioningState,
        status: link.status,
        privateLinkResourceId: link.target,
        requestMessage: link.requestMessage ?? '',
      }))
    },
    connections(vault) {
      settle(world)
      return [...world.connections.values()]
        .filter((one) => {
          const id = world.vaults.get(one.vault)?.id ?? one.vault
          return one.vault === resourceKey(vault) || resourceName(id).toLowerCase() === vault.toLowerCase()
        })
        .map((one) => ({
          id: one.id,
          name: resourceName(one.id),
          status: one.status,
          provisioningState: one.provisioningState,
          privateEndpointId: one.privateEndpointId,
          ...(one.description !== undefined && { description: one.description }),
          ...(one.etag !== undefined && { etag: one.etag }),
        }))
    },
    portal: createPortal(world),
    rights: {
      grant(principalId, role, scope) {
        if (!world.roles.some(({ key }) => key === role)) throw new Error(`There is no role ${role}`)
        checkAssignable(world, principalId, scope)
        world.assignments.push({ guid: randomUUID(), principalId, role, scope })
      },
      revoke(principalId, role, scope) {
        const index = world.assignments.findIndex(
          (one) =>
            one.principalId === principalId &&
            one.role === role &&
            one.scope.toLowerCase() === scope.toLowerCase(),
        )
        if (index < 0) throw new Error(`${principalId} does not hold ${role} on ${scope}`)
        world.assignments.splice(index, 1)
      },
      deny(principalId, action, scope) {
        checkAssignable(world, principalId, scope)
        world.denials.push({
          guid: randomUUID(),
          principals: [principalId],
          excludePrincipals: [],
          permissions: [{ actions: [action], notActions: [] }],
          scope,
          doNotApplyToChildScopes: false,
        })
      },
      redefine(role, permissions) {
        if (!world.roles.some(({ key }) => key === role)) throw new Error(`There is no role ${role}`)
        world.roles = world.roles.map((one) => (one.key === role ? { ...one, permissions } : one))
      },
      replace(graph) {
        Object.assign(world, graph)
      },
    },
    setRegistration(subscription, namespace, registered) {
      setRegistration(world, subscription, namespace, registered)
    },
    configure(changes) {
      settle(world)
      world.settings = { ...world.settings, ...changes }
      // What was held back is told from now on, not in the past.
      const now = world.now()
      for (const [index, { at, step }] of world.agenda.entries())
        if (at < now) world.agenda[index] = { at: now, step }
      settle(world)
    },
    world: () => savedSeed(world),
    onRequest(listener) {
      served.add(listener)
      return () => served.delete(listener)
    },
    turn(ms) {
      world.turn(ms)
      settle(world)
    },
    fail: faults.add,
    conformity: () => conformity?.tally(),
    async close() {
      closing.abort()
      await Promise.all(
        servers.map(
          (one) =>
            new Promise<void>((resolve) => {
              one.close(() => resolve())
              one.closeAllConnections()
            }),
        ),
      )
      conformity?.close()
    },
  }
  return azure
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

type Setting = {
  readonly world: World
  readonly azure: Azure
  readonly entra: Entra
  readonly faults: Faults
  readonly conformity: Conformity | undefined
  readonly closing: AbortSignal
}

async function serve(setting: Setting, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { world, entra, faults, closing } = setting
  const method = request.method ?? 'GET'
  const url = new URL((request.url ?? '/').replace(/^\/{2,}/, '/'), 'http://127.0.0.1')
  const path = decodePath(url.pathname)
  const text = await readBody(request)
  if (text === tooLarge)
    return send(response, refusal(413, 'RequestEntityTooLarge', 'The request is larger than 1 MB.'), {})
  const origin = originOf(request)
  const signIn = await entra.answer({
    method,
    origin,
    path,
    query: url.searchParams,
    header: (name) => headerOf(request, name),
    body: text ?? '',
  })
  const anonymous =
    signIn ?? cloudMetadata({ path, origin, query: url.searchParams }, entra.directory.tenantId)
  if (anonymous) {
    world.tell({ at: world.now(), who: 'Azure', kind: 'anonymous', method, path, status: anonymous.status })
    return send(response, anonymous, { 'cache-control': 'no-store' })
  }
  const body = text === undefined ? undefined : parseJson(text)
  if (isAdmin(path)) return send(response, await administer(setting.azure, method, url, body), {})

  if (world.settings.latencyMs > 0) await sleep(world.settings.latencyMs, undefined, { signal: closing })
  const principal = await principalOf(request.headers.authorization, entra)
  settle(world)
  const correlation = request.headers['x-ms-correlation-request-id']
  const requestId = randomUUID()
  const correlationId = typeof correlation === 'string' ? correlation : randomUUID()
  const fault = faults.take(method, path)
  const early = fault && !lets(fault)
  const answer = early
    ? { reply: faultReply(fault), headers: {}, by: 'gateway' as const }
    : respond(world, { method, path, url, origin, body, headers: headersOf(request), principal })
  const reply = fault && !early ? faultReply(fault) : answer.reply

  const cut = fault !== undefined && fault.how !== undefined && fault.how !== 'answer'
  world.tell({
    at: world.now(),
    who: 'Azure',
    kind: 'arm',
    method,
    path,
    query: url.search.slice(1),
    status: cut ? 0 : reply.status,
    ...(body !== undefined && body !== malformed && { requestBody: body }),
    ...(reply.body !== undefined && !cut && { body: reply.body }),
    ...(typeof principal === 'string' && { principal }),
    write: method !== 'GET' && method !== 'HEAD' && method !== 'POST',
  })
  const clientId = request.headers['x-ms-client-request-id']
  const all = {
    ...answer.headers,
    ...armHeaders,
    date: new Date(world.now()).toUTCString(),
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': correlationId,
    'x-ms-routing-request-id': routing(world.now(), correlationId),
    ...(typeof clientId === 'string' && { 'x-ms-client-request-id': clientId }),
  }
  if (fault) {
    const acted = early ? undefined : wired(answer.reply, all)
    return breakOff(request, response, fault, { acted, refused: wired(faultReply(fault), all) })
  }
  const { status, body: replied } = reply
  const headers = { ...answer.headers, ...reply.headers }
  setting.conformity?.judge({
    method,
    path,
    url,
    requestBody: body,
    status,
    headers,
    body: replied,
    by: answer.by,
  })
  send(response, reply, all)
}

const routing = (now: number, id: string): string =>
  `WESTEUROPE:${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}:${id}`

const headersOf = (request: IncomingMessage): Record<string, string | undefined> =>
  Object.fromEntries(Object.keys(request.headers).map((name) => [name, headerOf(request, name)]))

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Scheme, host and port as the client reached it: every address that it is given is below that. */
function originOf(request: IncomingMessage): string {
  const secure = request.socket instanceof TLSSocket || headerOf(request, 'x-forwarded-proto') === 'https'
  return `${secure ? 'https' : 'http'}://${request.headers.host ?? '127.0.0.1'}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return malformed
  }
}

/** The path as ARM reads it: decoded once, doubled slashes single, no slash at the end. */
function decodePath(pathname: string): string {
  const single = pathname.replaceAll(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
  try {
    return decodeURIComponent(single)
  } catch {
    return single
  }
}

const bodyLimit = 1_048_576
const tooLarge = Symbol('too large')

async function readBody(request: IncomingMessage): Promise<string | typeof tooLarge | undefined> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request) {
    const buffer = Buffer.from(piece)
    size += buffer.length
    // Read to the end all the same, so that the answer finds its way.
    if (size <= bodyLimit) pieces.push(buffer)
  }
  if (size > bodyLimit) return tooLarge
  return size === 0 ? undefined : Buffer.concat(pieces).toString('utf8')
}

function send(response: ServerResponse, reply: Reply, headers: Readonly<Record<string, string>>): void {
  pass(response, wired(reply, headers))
}
