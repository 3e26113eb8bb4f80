import { createHash } from 'node:crypto'
import { resourceKey } from '../../src/link/resourceId.ts'
import { type Reply, refusal } from './reply.ts'
import { type Call, findResource, isReply, type Route } from './routes.ts'
import { type Kind, kinds, showInstance, showLink, typeOf } from './signalrShape.ts'
import type { Operation } from './state.ts'

/** Long-running operations of Microsoft.SignalRService: two addresses to ask, as its recorded replies hand them out. */

const pollAgain = ({ world }: Call): Record<string, string> =>
  world.settings.retryAfterOnPolls ? { 'retry-after': '1' } : {}

const failure = (operation: Operation): { code: string; message: string } =>
  operation.error ??
  (operation.status === 'Canceled'
    ? { code: 'OperationCanceled', message: 'The operation was canceled.' }
    : {
        code: 'InternalServerError',
        message: `The ${operation.link === undefined ? 'resource' : 'private endpoint'} could not be ${operation.kind === 'put' ? 'created' : 'deleted'}. Please try again later.`,
      })

/** What a signed address bears beside its version: as long as Azure's own, and nobody's but this operation's. */
function signatureOf(operation: Operation): Record<string, string> {
  const sign = (what: string): string =>
    createHash('sha512').update(`${what} ${operation.id}`).digest('base64url')
  const certificate = Array.from({ length: 31 }, (_, part) => sign(`certificate ${part}`)).join('')
  return { t: String(operation.startedAt), c: certificate, s: sign('signature'), h: sign('hash') }
}

const isSignedFor = (operation: Operation, query: URLSearchParams): boolean =>
  Object.entries(signatureOf(operation)).every(([name, value]) => query.get(name) === value)

/** The headers that send a client off to poll. */
export function asyncHeaders(call: Call, operation: Operation): Record<string, string> {
  const at = (what: string): string =>
    call.address(`${operation.instance}/${what}/${operation.id}`, {
      'api-version': call.apiVersion,
      ...(call.world.settings.operationAddresses === 'signed' && signatureOf(operation)),
    })
  const location = { location: at('operationResults') }
  switch (call.world.settings.asyncHeaders) {
    case 'both':
      return { 'azure-asyncoperation': at('operationStatuses'), ...location }
    case 'location':
      return location
    case 'none':
      return {}
  }
}

/** The operation that the path names; below an instance it must be one of its own, whether or not that is still there. */
function find(call: Call, kind: Kind): Operation | Reply {
  const { world, params } = call
  const { subscription, group, name } = params
  const found = world.operations.get((params.operation ?? '').toLowerCase())
  const own = `/subscriptions/${subscription}/resourceGroups/${group}/providers/${typeOf(kind)}/${name}`
  if (found && (name === undefined || resourceKey(found.instance) === resourceKey(own)))
    return world.settings.operationAddresses === 'plain' || isSignedFor(found, call.query)
      ? found
      : refusal(403, 'AuthorizationFailed', 'The signature of the address is missing or wrong.')
  const host = name === undefined ? undefined : findResource(call, world.instances, typeOf(kind))
  return host && isReply(host)
    ? host
    : refusal(404, 'NotFound', `The operation '${params.operation}' was not found.`)
}

function status(call: Call, kind: Kind): Reply {
  const operation = find(call, kind)
  if (isReply(operation)) return operation
  const body = {
    id: `${operation.instance}/operationStatuses/${operation.id}`,
    name: operation.id,
    status: operation.status,
    startTime: new Date(operation.startedAt).toISOString(),
    ...(operation.endedAt !== undefined && { endTime: new Date(operation.endedAt).toISOString() }),
    ...((operation.status === 'Failed' || operation.status === 'Canceled') && { error: failure(operation) }),
  }
  return { status: 200, body, headers: operation.status === 'Running' ? pollAgain(call) : {} }
}

function result(call: Call, kind: Kind): Reply {
  const { world } = call
  const operation = find(call, kind)
  if (isReply(operation)) return operation
  switch (operation.status) {
    case 'Running':
      return { status: 202, headers: { ...asyncHeaders(call, operation), ...pollAgain(call) } }
    case 'Failed':
    case 'Canceled': {
      const { code, message } = failure(operation)
      return refusal(operation.status === 'Canceled' ? 409 : 500, code, message)
    }
    case 'Succeeded': {
      if (operation.kind === 'delete') return { status: 204 }
      const link = operation.link === undefined ? undefined : world.links.get(operation.link)
      if (link) return { status: 200, body: showLink(world, link) }
      const instance = world.instances.get(resourceKey(operation.instance))
      return instance && operation.link === undefined
        ? { status: 200, body: showInstance(world, instance, call.apiVersion) }
        : { status: 204 }
    }
  }
}

const provider = 'Microsoft.SignalRService'

const routesOf = (kind: Kind): Route[] => {
  const own = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${provider}/${kind.segment}/{name}`
  const regional = `/subscriptions/{subscription}/providers/${provider}/locations/{location}`
  const child = kind.segment.toLowerCase()
  const statusOf = (call: Call): Reply => status(call, kind)
  const resultOf = (call: Call): Reply => result(call, kind)
  return [
    {
      path: `${own}/operationStatuses/{operation}`,
      action: `${typeOf(kind)}/operationStatuses/read`,
      handle: statusOf,
    },
    {
      path: `${own}/operationResults/{operation}`,
      action: `${typeOf(kind)}/operationResults/read`,
      handle: resultOf,
    },
    {
      path: `${regional}/operationStatuses/${child}/{operation}`,
      action: `${provider}/locations/operationStatuses/${child}/read`,
      handle: statusOf,
    },
    {
      path: `${regional}/operationResults/${child}/{operation}`,
      action: `${provider}/locations/operationresults/${child}/read`,
      handle: resultOf,
    },
  ].map((route) => ({ ...route, method: 'GET', versions: kind.versions }))
}

export const operationRoutes: readonly Route[] = kinds.flatMap(routesOf)
