import { type Reply, refusal } from './reply.ts'
import { resourceGraphPath } from './resourceGraph.ts'
import type { World } from './state.ts'

/** ARM's token buckets, per subscription, principal and kind of call; Resource Graph counts in windows of its own. */
const buckets = {
  reads: { size: 250, perSecond: 25 },
  writes: { size: 200, perSecond: 10 },
  deletes: { size: 200, perSecond: 10 },
} as const

const graph = { size: 15, perSecond: 3 }

export type Toll =
  | { readonly passes: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly passes: false; readonly reply: Reply }

const kindOf = (method: string): keyof typeof buckets =>
  method === 'DELETE' ? 'deletes' : method === 'GET' || method === 'HEAD' ? 'reads' : 'writes'

/** Takes a token for the call, or answers the 429 that says when there will be one. */
export function toll(world: World, method: string, path: string, principal: string): Toll {
  if (!world.settings.throttle) return { passes: true, headers: {} }
  const isGraph = path.toLowerCase() === resourceGraphPath.toLowerCase()
  const kind = kindOf(method)
  const bucket = isGraph ? graph : buckets[kind]
  const subscription = /^\/subscriptions\/([^/]+)/i.exec(path)?.[1]?.toLowerCase() ?? 'tenant'
  const key = `${isGraph ? 'graph' : `${subscription} ${kind}`} ${principal}`
  const now = world.now()
  const before = world.buckets.get(key) ?? { tokens: bucket.size, at: now }
  const filled = Math.min(bucket.size, before.tokens + ((now - before.at) / 1000) * bucket.perSecond)
  if (filled < 1) {
    world.buckets.set(key, { tokens: filled, at: now })
    const seconds = isGraph ? 5 : Math.ceil((1 - filled) / bucket.perSecond)
    const headers = { 'retry-after': String(Math.max(1, seconds)) }
    const reply = isGraph
      ? refusal(429, 'RateLimiting', 'Please provide below info when asking for support.', headers)
      : refusal(
          429,
          'SubscriptionRequestsThrottled',
          `Number of ${kind} requests for subscription '${subscription}' exceeded the limit. Please try again after '${seconds}' seconds.`,
          headers,
        )
    return { passes: false, reply }
  }
  world.buckets.set(key, { tokens: filled - 1, at: now })
  const left = String(Math.floor(filled - 1))
  return {
    passes: true,
    headers: isGraph
      ? { 'x-ms-user-quota-remaining': left, 'x-ms-user-quota-resets-after': '00:00:05' }
      : {
          [`x-ms-ratelimit-remaining-${subscription === 'tenant' ? 'tenant' : 'subscription'}-${kind}`]: left,
        },
  }
}
