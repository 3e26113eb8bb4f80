import { resourceKey } from '../../src/link/resourceId.ts'
import { badRequest, groupNotFound, notAllowed, ok, type Reply, resourceNotFound } from './reply.ts'
import { may, mayAnywhere } from './rights.ts'
import type { ResourceGroup, World } from './state.ts'

/** One call to ARM, parsed: what a provider's handler gets. */
export type Call = {
  readonly world: World
  readonly principal: string
  readonly method: string
  /** As sent, with doubled slashes made single. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: unknown
  readonly apiVersion: string
  /** The absolute address of a path here, as this client reaches it. */
  address(path: string, query?: Readonly<Record<string, string>>): string
}

export type Route = {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE'
  /** `{name}` is one segment; a leading `{+scope}` is everything before the rest. */
  readonly path: string
  readonly versions: readonly string[]
  /** Required on the resource that the path names; a handler that filters checks for itself. */
  readonly action?: string
  handle(call: Call): Reply
}

export type Found = { readonly route: Route; readonly params: Record<string, string> }

/** The routes whose path this is, whatever their method; literal segments match without regard to case. */
export function findRoutes(routes: readonly Route[], path: string): Found[] {
  const given = path.split('/').slice(1)
  return routes.flatMap((route) => {
    const scoped = route.path.startsWith('{+scope}/')
    const wanted = route.path.split('/').slice(1)
    const params: Record<string, string> = {}
    let rest = given
    if (scoped) {
      const at = given.length - wanted.length
      if (at < 0) return []
      params.scope = at === 0 ? '' : `/${given.slice(0, at).join('/')}`
      rest = given.slice(at)
    }
    if (rest.length !== wanted.length) return []
    for (const [index, segment] of wanted.entries()) {
      const actual = rest[index] ?? ''
      const name = /^\{(.+)\}$/.exec(segment)?.[1]
      if (name ? actual === '' : segment.toLowerCase() !== actual.toLowerCase()) return []
      if (name) params[name] = actual
    }
    return [{ route, params }]
  })
}

/** What the role graph is asked about: the resource, or for a list of children their parent. */
export function scopeOf(route: Route, path: string): string {
  const segments = path.split('/').slice(1)
  const below = segments.findLastIndex((segment) => segment.toLowerCase() === 'providers')
  const ofType = (segments.length - below - 2) % 2 !== 0
  return below >= 0 && ofType && route.method === 'GET' ? path.slice(0, path.lastIndexOf('/')) : path
}

/** How a LIST pages: whether `$top` is documented for it, and whether it says that it ends with a page of nothing. */
export type Paging = { readonly top?: boolean; readonly endsEmpty?: boolean }

/** A whole number in the query, or the fallback; undefined when it is something else. */
function numberIn(call: Call, name: string, fallback: number): number | undefined {
  const text = call.query.get(name)
  if (text === null) return fallback
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

/** One page of a LIST, and the address of the next. */
export function page(call: Call, items: readonly unknown[], { top, endsEmpty }: Paging = {}): Reply {
  const { pageSize } = call.world.settings
  const from = numberIn(call, '$skiptoken', 0)
  const wanted = top ? numberIn(call, '$top', pageSize) : pageSize
  if (from === undefined || wanted === undefined || wanted === 0)
    return badRequest('The $top or $skiptoken in the query string is not valid.', 'InvalidQueryParameter')
  const value = items.slice(from, from + Math.min(wanted, Math.max(1, pageSize)))
  const next = from + value.length
  if (endsEmpty ? value.length === 0 : next >= items.length) return ok({ value })
  const query = { ...Object.fromEntries(call.query), $skiptoken: String(next) }
  return ok({ value, nextLink: call.address(call.path, query) })
}

export const groupOf = (world: World, subscription: string, group: string): ResourceGroup | undefined =>
  world.resourceGroups.get(`/subscriptions/${subscription}/resourcegroups/${group}`.toLowerCase())

/** The resources of a subscription or a group that the principal may read; 403 when it may read none there at all. */
export function listReadable<T extends { id: string }>(
  call: Call,
  all: Iterable<T>,
  action: string,
  show: (one: T) => unknown,
  paging: Paging = {},
): Reply {
  const { subscription = '', group } = call.params
  const within = `/subscriptions/${subscription}${group ? `/resourceGroups/${group}` : ''}`
  if (!mayAnywhere(call.world, call.principal, action, within))
    return notAllowed(call.principal, action, within)
  if (group && !groupOf(call.world, subscription, group)) return groupNotFound(group)
  const prefix = `${within}/`.toLowerCase()
  const readable = [...all].filter(
    ({ id }) => id.toLowerCase().startsWith(prefix) && may(call.world, call.principal, action, id),
  )
  return page(call, readable.map(show), paging)
}

/** A top-level resource by the path's parameters, or ARM's 404 for the group or the resource. */
export function findResource<T>(call: Call, all: ReadonlyMap<string, T>, type: string): T | Reply {
  const { subscription = '', group = '', name = '' } = call.params
  const found = all.get(
    resourceKey(`/subscriptions/${subscription}/resourceGroups/${group}/providers/${type}/${name}`),
  )
  if (found) return found
  return groupOf(call.world, subscription, group) ? resourceNotFound(type, name, group) : groupNotFound(group)
}

export const isReply = (value: object): value is Reply =>
  'status' in value && typeof value.status === 'number'

/** A member of something that came from outside. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
