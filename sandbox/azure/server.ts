import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { makeServerCertificate } from '../entra/certificates.ts'
import type { Directory } from '../entra/directory.ts'
import { createEntra, type Entra, managedIdentityPath } from '../entra/entra.ts'
import { directory as seededDirectory } from '../seed.ts'
import { administer, isAdmin } from './admin.ts'
import { authorizationRoutes } from './authorization.ts'
import type { Azure } from './azure.ts'
import { cloudMetadata } from './cloud.ts'
import { type FaultRule, faultReply, takeFault } from './faults.ts'
import { operationRoutes } from './operations.ts'
import { createPortal } from './portal.ts'
import { settle } from './privateLinks.ts'
import { providerRoutes } from './providers.ts'
import { refuseUnregistered, setRegistration } from './registration.ts'
import { badRequest, notAllowed, type Reply, refusal, subscriptionNotFound } from './reply.ts'
import { resourceGraphRoutes } from './resourceGraph.ts'
import { may } from './rights.ts'
import { findRoutes, type Route, scopeOf } from './routes.ts'
import { signalrRoutes } from './signalr.ts'
import { type AzureEvent, createWorld, type Seed, type World } from './state.ts'
import { subscriptionRoutes } from './subscriptions.ts'
import { defaults, type Settings } from './switches.ts'
import { toll } from './throttle.ts'
import { principalOf } from './token.ts'
import { vaultRoutes } from './vaults.ts'

export type { Azure } from './azure.ts'
export type { FaultRule } from './faults.ts'
export type { Seed } from './state.ts'
export { choices } from './switches.ts'

const resourceRoutes: readonly Route[] = [
  ...signalrRoutes,
  ...operationRoutes,
  ...vaultRoutes,
  ...authorizationRoutes,
  ...resourceGraphRoutes,
  ...subscriptionRoutes,
]
const routes: readonly Route[] = [...resourceRoutes, ...providerRoutes(resourceRoutes)]

const providers = new Set(
  resourceRoutes.map((route) => /\/providers\/([^/]+)/i.exec(route.path)?.[1]?.toLowerCase()).filter(Boolean),
)

/** Starts the local Azure on 127.0.0.1; with a `tlsPort` (0: any) on a second port over TLS as well. */
export async function startAzure(
  options: {
    port?: number
    tlsPort?: number
    seed?: Seed
    directory?: Directory
    clock?: () => number
  } & Partial<Settings> = {},
): Promise<Azure> {
  const { port = 0, tlsPort, seed = {}, directory = seededDirectory, clock = Date.now, ...settings } = options
  const events: AzureEvent[] = []
  const listeners = new Set<(event: AzureEvent) => void>()
  const tell = (event: AzureEvent): void => {
    events.push(event)
    for (const listener of listeners) listener(event)
  }
  const world = createWorld(seed, { ...defaults, ...settings }, clock, tell)
  const rules: FaultRule[] = []
  const closing = new AbortController()
  const entra = createEntra(directory)

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve({ world, azure, entra, rules, closing: closing.signal }, request, response).catch(
      (error: unknown) => {
        // The caller went away or the sandbox closes; anything else is a fault of the sandbox and must be seen.
        if (closing.signal.aborted || request.socket.destroyed) return
        console.error(error)
        send(response, refusal(500, 'SandboxFault', String(error)), {})
      },
    )
  }
  const server = createServer(listener)
  const certificate = tlsPort === undefined ? undefined : await makeServerCertificate()
  const tlsServer = certificate && createTlsServer(certificate, listener)
  const servers = [server, ...(tlsServer ? [tlsServer] : [])]
  const actual = await listen(server, port)
  const url = `http://127.0.0.1:${actual}`
  // By its name: Python's clients compare a certificate with names more readily than with addresses.
  const tlsUrl = tlsServer && `https://localhost:${await listen(tlsServer, tlsPort ?? 0)}`

  const azure: Azure = {
    url,
    port: actual,
    ...(tlsUrl !== undefined && certificate && { tls: { url: tlsUrl, ca: certificate.ca } }),
    identity: {
      tokenFor: entra.tokenFor,
      consent: entra.consent,
      environment: {
        IDENTITY_ENDPOINT: `${url}${managedIdentityPath}`,
        IDENTITY_HEADER: entra.identityHeader,
      },
    },
    events,
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
        world.denials.push({ guid: randomUUID(), principalId, actions: [action], scope })
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
    turn(ms) {
      world.turn(ms)
      settle(world)
    },
    fail(rule) {
      rules.push({ ...rule })
    },
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
  readonly rules: FaultRule[]
  readonly closing: AbortSignal
}

async function serve(setting: Setting, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { world, entra, rules, closing } = setting
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
  const fault = takeFault(rules, method, path)
  const early = fault && fault.when !== 'after'
  const answer = early
    ? { reply: faultReply(fault), headers: {} }
    : respond(world, { method, path, url, origin, body, request, principal })
  const reply = fault && !early ? faultReply(fault) : answer.reply

  const cut = fault?.how === 'reset' || fault?.how === 'hang'
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
  if (fault?.how === 'reset') return void request.socket.resetAndDestroy()
  if (fault?.how === 'hang') return
  const clientId = request.headers['x-ms-client-request-id']
  send(response, reply, {
    ...answer.headers,
    date: new Date(world.now()).toUTCString(),
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'x-ms-request-id': requestId,
    'x-ms-correlation-request-id': correlationId,
    'x-ms-routing-request-id': routing(world.now(), correlationId),
    ...(typeof clientId === 'string' && { 'x-ms-client-request-id': clientId }),
  })
}

const routing = (now: number, id: string): string =>
  `WESTEUROPE:${new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '')}:${id}`

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Scheme, host and port as the client reached it: every address that it is given is below that. */
function originOf(request: IncomingMessage): string {
  const secure = request.socket instanceof TLSSocket || headerOf(request, 'x-forwarded-proto') === 'https'
  return `${secure ? 'https' : 'http'}://${request.headers.host ?? '127.0.0.1'}`
}

const malformed = Symbol('not JSON')

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

type Asked = {
  method: string
  path: string
  url: URL
  origin: string
  body: unknown
  request: IncomingMessage
  principal: string | Reply
}

/** ARM's own order: who, which version, does the path exist, what may they; only then the provider. */
function respond(world: World, asked: Asked): { reply: Reply; headers: Readonly<Record<string, string>> } {
  const { method, path, url, principal, request } = asked
  const bare = (reply: Reply): { reply: Reply; headers: Readonly<Record<string, string>> } => ({
    reply,
    headers: {},
  })
  if (typeof principal !== 'string') return bare(principal)
  const paid = toll(world, method, path, principal)
  if (!paid.passes) return bare(paid.reply)
  const counted = (reply: Reply): { reply: Reply; headers: Readonly<Record<string, string>> } => ({
    reply,
    headers: paid.headers,
  })
  const apiVersion = url.searchParams.get('api-version')
  if (!apiVersion)
    return counted(
      badRequest(
        'The api-version query parameter (?api-version=) is required for all requests.',
        'MissingApiVersionParameter',
      ),
    )
  const subscription = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1]
  if (subscription !== undefined && !world.subscriptions.some(({ id }) => id === subscription.toLowerCase()))
    return counted(subscriptionNotFound(subscription))
  const found = findRoutes(routes, path)
  const match = found.find(({ route }) => route.method === method)
  if (!match) return counted(found.length > 0 ? wrongMethod(method) : noRoute(path, apiVersion))
  const { route, params } = match
  if (!route.versions.includes(apiVersion.toLowerCase())) return counted(wrongVersion(route, apiVersion))
  const scope = scopeOf(route, path)
  if (route.action !== undefined && !may(world, principal, route.action, scope))
    return counted(notAllowed(principal, route.action, scope))
  const unregistered = refuseUnregistered(world, route, subscription)
  if (unregistered) return counted(unregistered)
  if (asked.body === malformed || (method === 'PUT' && asked.body === undefined))
    return counted(
      badRequest('The request content was invalid and could not be deserialized.', 'InvalidRequestContent'),
    )
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
  const reply = route.handle({
    world,
    principal,
    method,
    path,
    params,
    query: url.searchParams,
    headers,
    body: asked.body,
    apiVersion,
    address(to, query = {}) {
      const address = new URL(`${asked.origin}${to}`)
      for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
      return address.href
    },
  })
  return counted(reply)
}

const wrongMethod = (method: string): Reply =>
  refusal(405, 'MethodNotAllowed', `The HTTP method '${method}' is not supported here.`)

/** The type that a route serves, as ARM names it in its messages. */
function typeOf(path: string): { namespace: string; type: string } | undefined {
  const match = /.*\/providers\/([^/]+)\/?(.*)$/i.exec(path)
  const [, namespace = '', rest = ''] = match ?? []
  const type = rest.split('/').filter((_, index) => index % 2 === 0)
  return match ? { namespace, type: type.join('/') } : undefined
}

function noRoute(path: string, apiVersion: string): Reply {
  const named = typeOf(path)
  if (!named)
    return refusal(404, 'NotFound', `No HTTP resource was found that matches the request path '${path}'.`)
  if (!providers.has(named.namespace.toLowerCase()))
    return refusal(404, 'InvalidResourceNamespace', `The resource namespace '${named.namespace}' is invalid.`)
  return refusal(
    404,
    'InvalidResourceType',
    `The resource type '${named.type}' could not be found in the namespace '${named.namespace}' for api version '${apiVersion}'.`,
  )
}

function wrongVersion(route: Route, apiVersion: string): Reply {
  const named = typeOf(route.path)
  const supported = route.versions.join(', ')
  return named && !route.path.startsWith('{+scope}')
    ? badRequest(
        `No registered resource provider found for location 'westeurope' and API version '${apiVersion}' for type '${named.type}'. The supported api-versions are '${supported}'.`,
        'NoRegisteredProviderFound',
      )
    : badRequest(
        `The api-version '${apiVersion}' is invalid. The supported versions are '${supported}'.`,
        'InvalidApiVersionParameter',
      )
}

function send(response: ServerResponse, reply: Reply, headers: Readonly<Record<string, string>>): void {
  if (response.destroyed) return
  const text = reply.body === undefined ? undefined : JSON.stringify(reply.body)
  response.writeHead(reply.status, {
    ...headers,
    ...reply.headers,
    ...(text !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
    'content-length': String(text === undefined ? 0 : Buffer.byteLength(text)),
  })
  response.end(text)
}
