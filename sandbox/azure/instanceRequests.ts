import { createInstance, deleteInstance, type InstanceWish, updateInstance } from './instances.ts'
import { asyncHeaders } from './operations.ts'
import { badRequest, groupNotFound, ok, parentNotFound, type Reply } from './reply.ts'
import { type Call, findResource, groupOf, isReply, listReadable, member, page } from './routes.ts'
import {
  type Kind,
  kindOf,
  readOnlyProperties,
  showInstance,
  showReplica,
  sizes,
  typeOf,
} from './signalrShape.ts'
import type { Instance } from './state.ts'

/** What is asked of instances of SignalR and Web PubSub, and of their replicas. */

const find = (call: Call, kind: Kind): Instance | Reply =>
  findResource(call, call.world.instances, typeOf(kind))

export function parent(
  call: Call,
  kind: Kind,
  verb: 'read' | 'write' | 'delete',
  type: string,
): Instance | Reply {
  const found = find(call, kind)
  if (!isReply(found) || member(member(found.body, 'error'), 'code') !== 'ResourceNotFound') return found
  const { subscription, group, name } = call.params
  const id = `/subscriptions/${subscription}/resourceGroups/${group}/providers/${typeOf(kind)}/${name}`
  return parentNotFound(verb, `${kind.segment}/${type}`, id)
}

export function listInstances(call: Call, kind: Kind): Reply {
  const { world, apiVersion } = call
  const all = [...world.instances.values()].filter(({ id }) => kindOf(id) === kind)
  return listReadable(call, all, `${typeOf(kind)}/read`, (one) => showInstance(world, one, apiVersion))
}

export function getInstance(call: Call, kind: Kind): Reply {
  const found = find(call, kind)
  return isReply(found) ? found : ok(showInstance(call.world, found, call.apiVersion))
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the body names; a refusal where it makes no sense. */
function parseWish(body: unknown, kind: Kind): Partial<InstanceWish> | Reply {
  const written = member(body, 'location')
  const location = typeof written === 'string' ? written.toLowerCase().replaceAll(' ', '') : undefined
  const sku = member(body, 'sku')
  const tags = member(body, 'tags') ?? undefined
  const properties = member(body, 'properties') ?? undefined
  const skuName = member(sku, 'name')
  const known = Object.keys(sizes) as Instance['sku'][]
  const name = known.find((one) => one === skuName)
  const capacity = member(sku, 'capacity') ?? 1
  if (written !== undefined && !/^[a-z0-9]+$/.test(location ?? ''))
    return badRequest(
      `The provided location '${written}' is not available for resource type '${typeOf(kind)}'.`,
      'LocationNotAvailableForResourceType',
    )
  if (isRecord(sku) && !name)
    return badRequest(`The sku '${skuName}' is not supported. Supported are ${known.join(', ')}.`)
  if (typeof capacity !== 'number' || !Number.isInteger(capacity) || capacity < 1)
    return badRequest('sku.capacity is not a number of units.')
  if (tags !== undefined && !isRecord(tags)) return badRequest('tags is not an object.')
  if (properties !== undefined && !isRecord(properties)) return badRequest('properties is not an object.')
  return {
    ...(location !== undefined && { location }),
    ...(name && { sku: name, capacity }),
    ...(tags && {
      tags: Object.fromEntries(Object.entries(tags).map(([tag, value]) => [tag, String(value)])),
    }),
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).filter(([property]) => !readOnlyProperties.includes(property)),
      ),
    }),
  }
}

export function putInstance(call: Call, kind: Kind): Reply {
  const { world, params, principal } = call
  const group = groupOf(world, params.subscription ?? '', params.group ?? '')
  if (!group) return groupNotFound(params.group ?? '')
  const wish = parseWish(call.body, kind)
  if (isReply(wish)) return wish
  const { location } = wish
  if (location === undefined)
    return badRequest('The location property is required for this definition.', 'LocationRequired')
  const found = find(call, kind)
  const blank = { tags: {}, properties: {} }
  if (!isReply(found)) return updating(call, updateInstance(world, found, { ...blank, ...wish }, principal))
  const id = `${group.id}/providers/${typeOf(kind)}/${params.name}`
  const plain = { ...blank, sku: 'Standard_S1', capacity: 1 } as const
  const made = createInstance(world, id, { ...plain, ...wish, location }, principal)
  if (isReply(made)) return made
  return {
    status: 201,
    body: showInstance(world, made.instance, call.apiVersion),
    headers: asyncHeaders(call, made.operation),
  }
}

export function patchInstance(call: Call, kind: Kind): Reply {
  const found = find(call, kind)
  if (isReply(found)) return found
  const wish = parseWish(call.body, kind)
  if (isReply(wish)) return wish
  const properties = { ...found.properties, ...wish.properties }
  return updating(call, updateInstance(call.world, found, { ...wish, properties }, call.principal))
}

// Recorded so for PATCH (azure-cli-extensions, test_webpubsub), specified for PUT.
const updating = (call: Call, started: ReturnType<typeof updateInstance>): Reply =>
  isReply(started) ? started : { status: 202, headers: asyncHeaders(call, started) }

export function removeInstance(call: Call, kind: Kind): Reply {
  const { world, params, principal } = call
  if (!groupOf(world, params.subscription ?? '', params.group ?? '')) return groupNotFound(params.group ?? '')
  const found = find(call, kind)
  const operation = isReply(found) ? undefined : deleteInstance(world, found, principal)
  if (!operation) return { status: 204 }
  return isReply(operation) ? operation : { status: 202, headers: asyncHeaders(call, operation) }
}

export function listReplicas(call: Call, kind: Kind): Reply {
  const found = parent(call, kind, 'read', 'replicas')
  return isReply(found)
    ? found
    : page(
        call,
        found.replicas.map((name) => showReplica(found, name)),
      )
}
