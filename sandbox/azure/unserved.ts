import { resourceKey, topResource } from '../../src/link/resourceId.ts'
import { locations, plainLocation } from './locations.ts'
import { badRequest, type Reply, refusal } from './reply.ts'
import { type ResourceType, resources, typeOf } from './resourceTypes.ts'
import type { Route } from './routes.ts'
import type { World } from './state.ts'

/** What ARM answers to a path, a method or a version that is not served. */

export const wrongMethod = (method: string): Reply =>
  refusal(405, 'MethodNotAllowed', `The HTTP method '${method}' is not supported here.`)

export function noRoute(types: readonly ResourceType[], path: string, apiVersion: string): Reply {
  const [, namespace, rest = ''] = /.*\/providers\/([^/]+)\/?(.*)$/i.exec(path) ?? []
  if (namespace === undefined)
    return refusal(404, 'NotFound', `No HTTP resource was found that matches the request path '${path}'.`)
  if (!types.some((one) => one.namespace.toLowerCase() === namespace.toLowerCase()))
    return refusal(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`)
  const type = rest.split('/').filter((_, index) => index % 2 === 0)
  return refusal(404, 'InvalidResourceType', unknownType(type.join('/'), namespace, apiVersion))
}

const unknownType = (type: string, namespace: string, apiVersion: string): string =>
  `The resource type '${type}' could not be found in the namespace '${namespace}' for api version '${apiVersion}'.`

/** Three refusals, by the kind of route: ARM's own, a type with locations, a type without. */
export function wrongVersion(
  world: World,
  types: readonly ResourceType[],
  asked: { readonly route: Route; readonly path: string; readonly apiVersion: string },
): Reply {
  const { route, path, apiVersion } = asked
  const served = typeOf(types, route)
  if (!served || served.namespace === resources)
    return badRequest(
      `The api-version '${apiVersion}' is invalid. The supported versions are '${route.versions.join(',')}'.`,
      'InvalidApiVersionParameter',
    )
  const { namespace, type, versions, located } = served
  if (located)
    return badRequest(
      `No registered resource provider found for location '${locationOf(world, path)}' and API version '${apiVersion}' for type '${type}'. The supported api-versions are '${versions.join(', ')}'. The supported locations are '${locations.map(plainLocation).join(', ')}'.`,
      'NoRegisteredProviderFound',
    )
  return refusal(
    404,
    'InvalidResourceType',
    `${unknownType(type, namespace, apiVersion)} The supported api-versions are '${versions.join(',')}'.`,
  )
}

/** Where the path leads: the location that it names, or that of the resource or of its group. */
function locationOf(world: World, path: string): string {
  const named = /\/locations\/([^/]+)/i.exec(path)?.[1]
  const key = resourceKey(topResource(path))
  const group = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+/i.exec(path)?.[0].toLowerCase() ?? ''
  const found = world.instances.get(key) ?? world.vaults.get(key) ?? world.resourceGroups.get(group)
  return plainLocation(named ?? found?.location ?? 'westeurope')
}
