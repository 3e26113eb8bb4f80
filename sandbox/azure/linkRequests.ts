import { resourceKey } from '../../src/link/resourceId.ts'
import { parent } from './instanceRequests.ts'
import { asyncHeaders } from './operations.ts'
import { putLink as createLink, deleteLink } from './privateLinks.ts'
import { badRequest, ok, type Reply, refusal } from './reply.ts'
import { type Call, isReply, member, page } from './routes.ts'
import { type Kind, showLink, typeOf } from './signalrShape.ts'
import { type Instance, linksOf } from './state.ts'

/** What is asked of shared private link resources, below SignalR and Web PubSub alike. */

export function listLinks(call: Call, kind: Kind): Reply {
  const { world } = call
  const found = parent(call, kind, 'read', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  return page(
    call,
    linksOf(world, resourceKey(found.id)).map((link) => showLink(world, link)),
  )
}

const linkId = (call: Call, instance: Instance): string =>
  `${instance.id}/sharedPrivateLinkResources/${call.params.link}`

export function getLink(call: Call, kind: Kind): Reply {
  const found = parent(call, kind, 'read', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  const link = call.world.links.get(resourceKey(linkId(call, found)))
  if (link) return ok(showLink(call.world, link))
  return refusal(404, 'ResourceNotFound', `The resource '${linkId(call, found)}' was not found.`)
}

export function putLink(call: Call, kind: Kind): Reply {
  const found = parent(call, kind, 'write', 'sharedPrivateLinkResources')
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
  const made = createLink(call.world, linkId(call, found), wish, call.principal)
  if (isReply(made)) return made
  return {
    status: made.created ? call.world.settings.putAnswer : 200,
    body: showLink(call.world, made.link),
    headers: asyncHeaders(call, made.operation),
  }
}

export function removeLink(call: Call, kind: Kind): Reply {
  const found = parent(call, kind, 'delete', 'sharedPrivateLinkResources')
  if (isReply(found)) return found
  const operation = deleteLink(call.world, linkId(call, found), call.principal)
  if (!operation) return { status: 204 }
  return isReply(operation) ? operation : { status: 202, headers: asyncHeaders(call, operation) }
}

export function listPrivateLinkResources(call: Call, kind: Kind): Reply {
  const found = parent(call, kind, 'read', 'privateLinkResources')
  if (isReply(found)) return found
  const shareable = {
    name: 'vault',
    properties: {
      description: 'Azure Key Vault can be used for custom certificates',
      groupId: 'vault',
      type: 'Microsoft.KeyVault/vaults',
    },
  }
  const groupId = kind.type.toLowerCase()
  const resource = {
    id: `${found.id}/privateLinkResources/${groupId}`,
    name: groupId,
    type: `${typeOf(kind)}/privateLinkResources`,
    properties: {
      groupId,
      requiredMembers: [groupId],
      requiredZoneNames: [kind.privateLinkZone],
      shareablePrivateLinkResourceTypes: [shareable],
    },
  }
  return page(call, [resource])
}
