import { type Reply, refusal } from './reply.ts'
import { type Call, findResource, isReply, type Route } from './routes.ts'
import { showLink, signalrType, signalrVersions } from './signalrShape.ts'
import type { Link, Operation, World } from './state.ts'

/** Long-running operations of Microsoft.SignalRService: two addresses to ask, as its recorded replies hand them out. */

// Official clients poll at their own default, the CLI every 30 s, unless a poll says otherwise.
const pollAgain = { 'retry-after': '1' }

const failure = (operation: Operation): { code: string; message: string } =>
  operation.error ??
  (operation.status === 'Canceled'
    ? { code: 'OperationCanceled', message: 'The operation was canceled.' }
    : {
        code: 'InternalServerError',
        message: 'The private endpoint could not be created. Please try again later.',
      })

/** The headers that send a client off to poll. */
export function asyncHeaders(call: Call, operation: Operation): Record<string, string> {
  const { world } = call
  const host = world.signalrs.get(operation.signalr)?.id ?? operation.signalr
  const at = (kind: string): string =>
    call.address(`${host}/${kind}/${operation.id}`, { 'api-version': call.apiVersion })
  const location = { location: at('operationResults') }
  switch (world.settings.asyncHeaders) {
    case 'both':
      return { 'azure-asyncoperation': at('operationStatuses'), ...location }
    case 'location':
      return location
    case 'none':
      return {}
  }
}

function find(call: Call): { operation: Operation; host: string } | Reply {
  const { world, params } = call
  const found = world.operations.get((params.operation ?? '').toLowerCase())
  const host = params.name === undefined ? undefined : findResource(call, world.signalrs, signalrType)
  if (host && isReply(host)) return host
  const id = found ? (world.signalrs.get(found.signalr)?.id ?? found.signalr) : ''
  if (!found || (host && host.id !== id))
    return refusal(404, 'NotFound', `The operation '${params.operation}' was not found.`)
  return { operation: found, host: id }
}

function status(call: Call): Reply {
  const found = find(call)
  if (isReply(found)) return found
  const { operation, host } = found
  const body = {
    id: `${host}/operationStatuses/${operation.id}`,
    name: operation.id,
    status: operation.status,
    startTime: new Date(operation.startedAt).toISOString(),
    ...(operation.endedAt !== undefined && { endTime: new Date(operation.endedAt).toISOString() }),
    ...((operation.status === 'Failed' || operation.status === 'Canceled') && { error: failure(operation) }),
  }
  return { status: 200, body, headers: operation.status === 'Running' ? pollAgain : {} }
}

function result(call: Call): Reply {
  const found = find(call)
  if (isReply(found)) return found
  const { operation } = found
  switch (operation.status) {
    case 'Running':
      return { status: 202, headers: { ...asyncHeaders(call, operation), ...pollAgain } }
    case 'Failed':
    case 'Canceled': {
      const { code, message } = failure(operation)
      return refusal(operation.status === 'Canceled' ? 409 : 500, code, message)
    }
    case 'Succeeded': {
      const link = operation.kind === 'put' ? linkOf(call.world, operation) : undefined
      return link ? { status: 200, body: showLink(call.world, link) } : { status: 204 }
    }
  }
}

const linkOf = (world: World, operation: Operation): Link | undefined => world.links.get(operation.link)

const own =
  '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.SignalRService/signalR/{name}'
const regional = '/subscriptions/{subscription}/providers/Microsoft.SignalRService/locations/{location}'
const action = (kind: string): string => `Microsoft.SignalRService/${kind}/read`

export const operationRoutes: readonly Route[] = [
  {
    path: `${own}/operationStatuses/{operation}`,
    action: action('SignalR/operationStatuses'),
    handle: status,
  },
  { path: `${own}/operationResults/{operation}`, action: action('SignalR/operationResults'), handle: result },
  {
    path: `${regional}/operationStatuses/signalr/{operation}`,
    action: action('locations/operationStatuses/signalr'),
    handle: status,
  },
  {
    path: `${regional}/operationResults/signalr/{operation}`,
    action: action('locations/operationresults/signalr'),
    handle: result,
  },
].map((route) => ({ ...route, method: 'GET' as const, versions: signalrVersions }))
