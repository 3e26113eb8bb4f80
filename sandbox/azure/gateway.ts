import { authorizationRoutes } from './authorization.ts'
import { deletedVaultRoutes } from './deletedVaults.ts'
import { failureCause, raisedByGateway } from './failureCause.ts'
import { recased } from './idCase.ts'
import { lockRoutes, refuseLocked } from './locks.ts'
import { moveRoutes } from './moveRequests.ts'
import { operationRoutes } from './operations.ts'
import { providerHeaders } from './providerHeaders.ts'
import { providerRoutes } from './providers.ts'
import { refuseUnregistered } from './registration.ts'
import { badRequest, notAllowed, type Reply, subscriptionNotFound } from './reply.ts'
import { resourceGraphRoutes } from './resourceGraph.ts'
import { typesOf } from './resourceTypes.ts'
import { may } from './rights.ts'
import { findRoutes, type Route, scopeOf } from './routes.ts'
import { signalrRoutes } from './signalr.ts'
import type { World } from './state.ts'
import { subscriptionRoutes } from './subscriptions.ts'
import { toll } from './throttle.ts'
import { noRoute, wrongMethod, wrongVersion } from './unserved.ts'
import { vaultRoutes } from './vaults.ts'
import { vaultWriteRoutes } from './vaultWrites.ts'

/** Azure Resource Manager in front of its providers: one order of checks for every call, whatever it is about. */

const resourceRoutes: readonly Route[] = [
  ...signalrRoutes,
  ...operationRoutes,
  ...vaultRoutes,
  ...vaultWriteRoutes,
  ...deletedVaultRoutes,
  ...authorizationRoutes,
  ...lockRoutes,
  ...resourceGraphRoutes,
  ...subscriptionRoutes,
  ...moveRoutes,
]
/** All that is served, in the order in which paths are matched. */
export const routes: readonly Route[] = [...resourceRoutes, ...providerRoutes(resourceRoutes)]

const types = typesOf(routes)

/** A body that is not JSON. */
export const malformed = Symbol('not JSON')

export type Asked = {
  readonly method: string
  /** Decoded, with doubled slashes made single. */
  readonly path: string
  readonly url: URL
  readonly origin: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Who the token names, or what ARM answers to it. */
  readonly principal: string | Reply
}
export type Answer = {
  readonly reply: Reply
  readonly headers: Readonly<Record<string, string>>
  /** Who answered: ARM refuses by itself what a provider never sees. */
  readonly by: 'gateway' | 'provider'
}

/** ARM's own order: who, which version, does the path exist, what may they; only then the provider. */
export function respond(world: World, asked: Asked): Answer {
  const { method, path, url, principal } = asked
  const refused = (reply: Reply, headers: Answer['headers'] = {}): Answer => ({
    reply,
    headers: raisedByGateway(reply) ? failureCause : headers,
    by: 'gateway',
  })
  if (typeof principal !== 'string') return refused(principal)
  const paid = toll(world, method, path, principal)
  if (!paid.passes) return refused(paid.reply)
  const counted = (reply: Reply): Answer => refused(reply, paid.headers)
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
  if (!match) return counted(found.length > 0 ? wrongMethod(method) : noRoute(types, path, apiVersion))
  const { route, params } = match
  if (!route.versions.includes(apiVersion.toLowerCase()))
    return counted(wrongVersion(world, types, { route, path, apiVersion }))
  const scope = scopeOf(route, path)
  if (route.action !== undefined && !may(world, principal, route.action, scope))
    return counted(notAllowed(principal, route.action, scope))
  const forbidden = refuseUnregistered(world, route, subscription) ?? refuseLocked(world, method, path)
  if (forbidden) return counted(forbidden)
  if (asked.body === malformed || ((method === 'PUT' || method === 'PATCH') && asked.body === undefined))
    return counted(
      badRequest('The request content was invalid and could not be deserialized.', 'InvalidRequestContent'),
    )
  const reply = route.handle({
    world,
    principal,
    method,
    path,
    params,
    query: url.searchParams,
    headers: asked.headers,
    body: asked.body,
    apiVersion,
    address(to, query = {}) {
      const address = new URL(`${asked.origin}${to}`)
      for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value)
      return address.href
    },
  })
  if (raisedByGateway(reply)) return refused(reply)
  return {
    reply: {
      ...reply,
      body: recased(reply.body, world.settings.idCase),
      headers: { ...providerHeaders(path), ...reply.headers },
    },
    headers: paid.headers,
    by: 'provider',
  }
}
