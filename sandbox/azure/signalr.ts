import { resourceKey } from '../../src/link/resourceId.ts'
import type { SeedSignalr } from '../seed.ts'
import { asyncHeaders } from './operations.ts'
import { deleteLink, putLink } from './privateLinks.ts'
import { badRequest, ok, parentNotFound, type Reply, refusal } from './reply.ts'
import { type Call, findResource, isReply, listReadable, member, page, type Route } from './routes.ts'
import { showLink, showReplica, showSignalr, signalrType, signalrVersions } from './signalrShape.ts'
import { linksOf } from './state.ts'

/** Microsoft.SignalRService: instances, their replicas, their shared private link resources. */

const top = '/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.SignalRService/signalR'
const one = `${top}/{name}`
const links = `${one}/sharedPrivateLinkResources`
const read = `${signalrType}/read`
const linkAction = (verb: string): string => `${signalrType}/sharedPrivateLinkResources/${verb}`

const find = (call: Call): SeedSignalr | Reply => findResource(call, call.world.signalrs, signalrType)

function parent(call: Call, verb: 'read' | 'write' | 'delete', type: string): SeedSignalr | Reply {
  const found = find(call)
  if (!isReply(found) || member(member(found.body, 'error'), 'code') !== 'ResourceNotFound') return found
  const { subscription, group, name } = call.params
  const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/${signalrType}/${name}`
  return parentNotFound(verb, `signalR/${type}`, id)
}

function list(call: Call): Reply {
  const { world } = call
  return listReadable(call, world.signalrs.values(), read, (signalr) => showSignalr(world, signalr))
}

function get(call: Call): Reply {
  const found = find(call)
  return isReply(found) ? found : ok(showSignalr(call.world, found))
}

function listReplicas(call: Call): Reply {
  const found = parent(call, 'read', 'replicas')
  return isReply(found)
    ? found
    : page(
        call,
        (found.replicas ?? []).map((name) => showReplica(found, name)),
      )
}

function listLinks(call: Call): Reply {
  const { world } = call
  const found = parent(call, 'read', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  return page(
    call,
    linksOf(world, resourceKey(found.id)).map((link) => showLink(world, link)),
  )
}

const linkId = (call: Call, signalr: SeedSignalr): string =>
  `${signalr.id}/sharedPrivateLinkResources/${call.params.link}`

function getLink(call: Call): Reply {
  const found = parent(call, 'read', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  const link = call.world.links.get(resourceKey(linkId(call, found)))
  if (link) return ok(showLink(call.world, link))
  return refusal(404, 'ResourceNotFound', `The resource '${linkId(call, found)}' was not found.`)
}

function put(call: Call): Reply {
  const found = parent(call, 'write', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  const properties = member(call.body, 'properties')
  const groupId = member(properties, 'groupId')
  const target = member(properties, 'privateLinkResourceId')
  const message = member(properties, 'requestMessage')
  if (typeof groupId !== 'string' || typeof target !== 'string')
    return badRequest('properties.groupId and properties.privateLinkResourceId are required.')
  if (message !== undefined && message !== null && typeof message !== 'string')
    return badRequest('properties.requestMessage is not a string.')
  const wish = { groupId, target, requestMessage: message ?? undefined }
  const made = putLink(call.world, linkId(call, found), wish, call.principal)
  if (isReply(made)) return made
  return {
    status: made.created ? call.world.settings.putAnswer : 200,
    body: showLink(call.world, made.link),
    headers: asyncHeaders(call, made.operation),
  }
}

function remove(call: Call): Reply {
  const found = parent(call, 'delete', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  const operation = deleteLink(call.world, linkId(call, found), call.principal)
  if (!operation) return { status: 204 }
  return isReply(operation) ? operation : { status: 202, headers: asyncHeaders(call, operation) }
}

function listPrivateLinkResources(call: Call): Reply {
  const found = parent(call, 'read', 'privateLinkResources')
  if (isReply(found)) return found
  const shareable = {
    name: 'vault',
    properties: {
      description: 'Azure Key Vault can be used for custom certificates',
      groupId: 'vault',
      type: 'Microsoft.KeyVault/vaults',
    },
  }
  const resource = {
    id: `${found.id}/privateLinkResources/signalr`,
    name: 'signalr',
    type: `${signalrType}/privateLinkResources`,
    properties: {
      groupId: 'signalr',
      requiredMembers: ['signalr'],
      requiredZoneNames: ['privatelink.service.signalr.net'],
      shareablePrivateLinkResourceTypes: [shareable],
    },
  }
  return page(call, [resource])
}

const routes: readonly Omit<Route, 'versions'>[] = [
  {
    method: 'GET',
    path: '/subscriptions/{subscription}/providers/Microsoft.SignalRService/signalR',
    handle: list,
  },
  { method: 'GET', path: top, handle: list },
  { method: 'GET', path: one, action: read, handle: get },
  { method: 'GET', path: `${one}/replicas`, action: `${signalrType}/replicas/read`, handle: listReplicas },
  {
    method: 'GET',
    path: `${one}/privateLinkResources`,
    action: `${signalrType}/privateLinkResources/read`,
    handle: listPrivateLinkResources,
  },
  { method: 'GET', path: links, action: linkAction('read'), handle: listLinks },
  { method: 'GET', path: `${links}/{link}`, action: linkAction('read'), handle: getLink },
  { method: 'PUT', path: `${links}/{link}`, action: linkAction('write'), handle: put },
  { method: 'DELETE', path: `${links}/{link}`, action: linkAction('delete'), handle: remove },
]

export const signalrRoutes: readonly Route[] = routes.map((route) => ({
  ...route,
  versions: signalrVersions,
}))
