import type { Route } from './routes.ts'

/** The resource types that there are, read off the routes that serve them. */

export type ResourceType = {
  readonly namespace: string
  /** `vaults`, or of a child `vaults/privateEndpointConnections`. */
  readonly type: string
  /** Oldest first. */
  readonly versions: readonly string[]
  /** Registered with locations: what lies in a group or is asked of a location, and not of a subscription alone. */
  readonly located: boolean
}

/** What has no provider in its path is ARM's own. */
export const resources = 'Microsoft.Resources'

const isParameter = (segment: string): boolean => segment.startsWith('{')

/** The namespace and type that a route serves: every other segment below the provider. */
function servedBy(route: Route): { namespace: string; type: string } | undefined {
  const match = /^.*\/providers\/([^/{]+)\/(.+)$/.exec(route.path)
  const [, namespace = resources, below = route.path.slice(1)] = match ?? []
  const segments = below.split('/')
  // What is posted below a resource or a type is done to it, and is no type itself.
  const named = route.method === 'POST' && segments.length > 1 ? segments.slice(0, -1) : segments
  const type = named.filter((segment, index) => index % 2 === 0 && !isParameter(segment)).join('/')
  if (type === '') return undefined
  // Paths are documented as signalR where the provider calls its type SignalR: the action's name has the provider's way.
  const spelled = route.action
    ?.slice(namespace.length + 1)
    .split('/')
    .slice(0, -1)
    .join('/')
  return { namespace, type: spelled?.toLowerCase() === type.toLowerCase() ? spelled : type }
}

const keyOf = ({ namespace, type }: { namespace: string; type: string }): string =>
  `${namespace}/${type}`.toLowerCase()

/** A preview comes before the version that it previews. */
function byAge(a: string, b: string): number {
  const age = (version: string): string => `${version.slice(0, 10)} ${version.length > 10 ? 0 : 1}`
  return age(a) < age(b) ? -1 : 1
}

export function typesOf(routes: readonly Route[]): ResourceType[] {
  const found = new Map<string, ResourceType>()
  for (const route of routes) {
    const served = servedBy(route)
    if (!served) continue
    const before = found.get(keyOf(served))
    const versions = [...new Set([...(before?.versions ?? []), ...route.versions])].sort(byAge)
    const located =
      before?.located || /\/resourceGroups\/\{group\}\/providers|\/\{location\}\//.test(route.path)
    found.set(keyOf(served), { ...served, versions, located })
  }
  return [...found.values()]
}

export const typeOf = (types: readonly ResourceType[], route: Route): ResourceType | undefined => {
  const served = servedBy(route)
  return served && types.find((one) => keyOf(one) === keyOf(served))
}
