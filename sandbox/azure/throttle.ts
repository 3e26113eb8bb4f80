import { randomUUID } from 'node:crypto'
import { type Reply, refusal } from './reply.ts'
import { resourceGraphPath } from './resourceGraph.ts'
import type { World } from './state.ts'

/**
 * ARM's token buckets: one for each subscription, principal and kind of call, and one fifteen times as large for all
 * principals of a subscription. Resource Graph counts in windows of its own.
 */
type Bucket = { readonly size: number; readonly perSecond: number }
type Kind = 'reads' | 'writes' | 'deletes'

const buckets: Readonly<Record<Kind, Bucket>> = {
  reads: { size: 250, perSecond: 25 },
  writes: { size: 200, perSecond: 10 },
  deletes: { size: 200, perSecond: 10 },
}
const ofAll = ({ size, perSecond }: Bucket): Bucket => ({ size: size * 15, perSecond: perSecond * 15 })
const graph: Bucket = { size: 15, perSecond: 3 }

export type Toll =
  | { readonly passes: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly passes: false; readonly reply: Reply }

const kindOf = (method: string): Kind =>
  method === 'DELETE' ? 'deletes' : method === 'GET' || method === 'HEAD' ? 'reads' : 'writes'

const filled = (world: World, key: string, { size, perSecond }: Bucket): number => {
  const { tokens, at } = world.buckets.get(key) ?? { tokens: size, at: world.now() }
  return Math.min(size, tokens + ((world.now() - at) / 1000) * perSecond)
}

/** Takes a token of each bucket; or none, when one of them is empty, and how many seconds until it is not. */
function take(world: World, from: readonly (readonly [key: string, bucket: Bucket])[]): number | undefined {
  const levels = from.map(([key, bucket]) => ({ key, bucket, tokens: filled(world, key, bucket) }))
  const waits = levels
    .filter(({ tokens }) => tokens < 1)
    .map(({ bucket, tokens }) => Math.ceil((1 - tokens) / bucket.perSecond))
  if (waits.length > 0) return Math.max(1, ...waits)
  for (const { key, tokens } of levels) world.buckets.set(key, { tokens: tokens - 1, at: world.now() })
  return undefined
}

/** Takes a token for the call, or answers the 429 that says when there will be one. */
export function toll(world: World, method: string, path: string, principal: string): Toll {
  if (!world.settings.throttle) return { passes: true, headers: {} }
  return path.toLowerCase() === resourceGraphPath.toLowerCase()
    ? graphToll(world, principal)
    : subscriptionToll(world, method, path, principal)
}

function subscriptionToll(world: World, method: string, path: string, principal: string): Toll {
  const subscription = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1]?.toLowerCase()
  const kind = kindOf(method)
  const own = `${subscription ?? 'tenant'} ${kind} ${principal}`
  const all = `${subscription ?? 'tenant'} ${kind}`
  const wait = take(world, [
    [own, buckets[kind]],
    ...(subscription === undefined ? [] : ([[all, ofAll(buckets[kind])]] as const)),
  ])
  const left = (key: string, bucket: Bucket): string => String(Math.floor(filled(world, key, bucket)))
  const prefix = 'x-ms-ratelimit-remaining'
  const headers =
    subscription === undefined
      ? { [`${prefix}-tenant-${kind}`]: left(own, buckets[kind]) }
      : {
          [`${prefix}-subscription-${kind}`]: left(own, buckets[kind]),
          [`${prefix}-subscription-global-${kind}`]: left(all, ofAll(buckets[kind])),
        }
  if (wait === undefined) return { passes: true, headers }
  const message = `Number of requests for subscription '${subscription ?? ''}' and operation '${operationOf(method, path)}' exceeded the backend storage limit. Please try again after '${wait}' seconds.`
  const reply = refusal(429, 'SubscriptionRequestsThrottled', message, {
    ...headers,
    'retry-after': String(wait),
  })
  return { passes: false, reply }
}

/** `GET/SUBSCRIPTIONS/RESOURCEGROUPS/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS`: the path without its names. */
function operationOf(method: string, path: string): string {
  const segments = path.split('/').slice(1)
  const kept = segments.filter(
    (_, index) => index % 2 === 0 || segments[index - 1]?.toLowerCase() === 'providers',
  )
  return [method, ...kept].join('/').toUpperCase()
}

function graphToll(world: World, principal: string): Toll {
  const key = `graph ${principal}`
  const wait = take(world, [[key, graph]])
  const headers = {
    'x-ms-user-quota-remaining': String(Math.floor(filled(world, key, graph))),
    'x-ms-user-quota-resets-after': '00:00:05',
  }
  if (wait === undefined) return { passes: true, headers }
  const code = 'RateLimiting'
  const timestamp = new Date(world.now()).toISOString()
  const body = {
    error: {
      code,
      message: `Please provide below info when asking for support: timestamp = ${timestamp}, correlationId = ${randomUUID()}.`,
      details: [
        {
          code,
          message:
            'Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help.',
        },
      ],
    },
  }
  return { passes: false, reply: { status: 429, body, headers: { ...headers, 'retry-after': '5' } } }
}
