import {
  getInstance,
  listInstances,
  listReplicas,
  patchInstance,
  putInstance,
  removeInstance,
} from './instanceRequests.ts'
import { getLink, listLinks, listPrivateLinkResources, putLink, removeLink } from './linkRequests.ts'
import type { Reply } from './reply.ts'
import type { Call, Route } from './routes.ts'
import { type Kind, kinds, typeOf } from './signalrShape.ts'

/** The routes of Microsoft.SignalRService, the same for SignalR and Web PubSub. */

type Handle = (call: Call, kind: Kind) => Reply
type KindRoute = readonly [method: Route['method'], path: string, action: string | undefined, handle: Handle]

/** The first version with that type, by the OpenAPI files. */
function since(path: string): string {
  if (path.includes('/replicas')) return '2023-03-01-preview'
  return path.includes('/sharedPrivateLinkResources') ? '2021-04-01-preview' : ''
}

function routesOf(kind: Kind): Route[] {
  const provider = `providers/Microsoft.SignalRService/${kind.segment}`
  const top = `/subscriptions/{subscription}/resourceGroups/{group}/${provider}`
  const one = `${top}/{name}`
  const links = `${one}/sharedPrivateLinkResources`
  const link = `${links}/{link}`
  const routes: readonly KindRoute[] = [
    // A list shows what may be read, so no right is asked for beforehand.
    ['GET', `/subscriptions/{subscription}/${provider}`, undefined, listInstances],
    ['GET', top, undefined, listInstances],
    ['GET', one, 'read', getInstance],
    ['PUT', one, 'write', putInstance],
    ['PATCH', one, 'write', patchInstance],
    ['DELETE', one, 'delete', removeInstance],
    ['GET', `${one}/replicas`, 'replicas/read', listReplicas],
    ['GET', `${one}/privateLinkResources`, 'privateLinkResources/read', listPrivateLinkResources],
    ['GET', links, 'sharedPrivateLinkResources/read', listLinks],
    ['GET', link, 'sharedPrivateLinkResources/read', getLink],
    ['PUT', link, 'sharedPrivateLinkResources/write', putLink],
    ['DELETE', link, 'sharedPrivateLinkResources/delete', removeLink],
  ]
  return routes.map(([method, path, action, handle]) => ({
    method,
    path,
    versions: kind.versions.filter((version) => version >= since(path)),
    ...(action !== undefined && { action: `${typeOf(kind)}/${action}` }),
    handle: (call) => handle(call, kind),
  }))
}

export const signalrRoutes: readonly Route[] = kinds.flatMap(routesOf)
