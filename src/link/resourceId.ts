/**
 * Azure resource ids, compared by parsed segments without regard to case: clients and providers spell
 * `Microsoft.Keyvault` and `resourcegroups` in more than one way.
 */
export type ResourceId = {
  readonly subscription: string
  readonly resourceGroup: string
  readonly provider: string
  /** Alternating type and name segments below the provider, as written. */
  readonly path: readonly string[]
}

const pattern = /^\/+subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/([^/]+)\/(.+?)\/*$/i

/** Parses an id of a resource in a resource group; undefined when it is not one. */
export function parseResourceId(id: string): ResourceId | undefined {
  const match = pattern.exec(id)
  if (!match) return undefined
  const [, subscription = '', resourceGroup = '', provider = '', rest = ''] = match
  const path = rest.split('/')
  if (path.length % 2 !== 0 || path.some((segment) => segment === '')) return undefined
  // In an address these would lead to another resource.
  if ([subscription, resourceGroup, ...path].some((segment) => /^\.\.?$/.test(segment))) return undefined
  return { subscription, resourceGroup, provider, path }
}

/** The id as one lower-cased string: equal keys mean the same resource. What does not parse is its own key. */
export function resourceKey(id: string): string {
  const parsed = parseResourceId(id)
  if (!parsed) return id.toLowerCase()
  const { subscription, resourceGroup, provider, path } = parsed
  return `/subscriptions/${subscription}/resourcegroups/${resourceGroup}/providers/${provider}/${path.join('/')}`.toLowerCase()
}

export const sameResource = (a: string, b: string): boolean => resourceKey(a) === resourceKey(b)

/** In small letters, as all of one subscription's ids then have it; undefined when there is none. */
export const subscriptionOf = (id: string): string | undefined =>
  parseResourceId(id)?.subscription.toLowerCase()

/** The resource's own name: the last segment. */
export function resourceName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1)
}

/** The SignalR or vault that a child of it hangs on, where rights are granted; any other id as it is. */
export function topResource(id: string): string {
  const parsed = parseResourceId(id)
  if (!parsed || parsed.path.length <= 2) return id
  const { subscription, resourceGroup, provider, path } = parsed
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/${provider}/${path.slice(0, 2).join('/')}`
}

/** The id of `parent` or of one of its ancestors? Scopes: a resource, its group, its subscription. */
export function isWithin(scope: string, id: string): boolean {
  const outer = scope.toLowerCase().replace(/\/+$/, '').replace(/^\/+/, '/')
  const inner = id.toLowerCase().replace(/^\/+/, '/')
  return outer === '' || inner === outer || inner.startsWith(`${outer}/`)
}

const SIGNALR = { provider: 'Microsoft.SignalRService', type: 'signalR' } as const
const VAULT = { provider: 'Microsoft.KeyVault', type: 'vaults' } as const

const isTop = (id: string, of: { provider: string; type: string }): boolean => {
  const parsed = parseResourceId(id)
  return (
    parsed !== undefined &&
    parsed.path.length === 2 &&
    parsed.provider.toLowerCase() === of.provider.toLowerCase() &&
    parsed.path[0]?.toLowerCase() === of.type.toLowerCase()
  )
}

export const isSignalrId = (id: string): boolean => isTop(id, SIGNALR)
export const isVaultId = (id: string): boolean => isTop(id, VAULT)
