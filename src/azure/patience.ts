/** Whoever answered with a Retry-After is not called before it has passed: calling early starts the wait anew. */
import type { PipelinePolicy, PipelineRequest } from '@azure/core-rest-pipeline'
import { retryAfter } from '../link/retryAfter.ts'

type Pipeline = Pick<typeof import('@azure/core-rest-pipeline'), 'RestError' | 'createHttpHeaders'>

/** Until when who is not called, and what the answer was that asked for it. */
export type Waits = Map<string, { readonly until: number; readonly status: number }>

/**
 * What one answer holds back: Azure counts reads, writes and deletions of a subscription apart, so one that is told to
 * wait stops the others of its kind there; elsewhere it stops all that goes to that host outside of subscriptions.
 */
function heldBackBy({ url, method }: PipelineRequest): string {
  const { host, pathname } = new URL(url)
  const subscription = /^\/subscriptions\/[^/]+/i.exec(pathname)?.[0]
  if (subscription === undefined) return host
  const kind = method === 'GET' || method === 'HEAD' || method === 'DELETE' ? method : 'write'
  return `${kind} ${host} ${subscription}`.toLowerCase()
}

/** Stands last in a pipeline. Clients that share `waits` wait for what one of them was told. */
export function patience(
  { RestError, createHttpHeaders }: Pipeline,
  waits: Waits,
  now: () => number,
): PipelinePolicy {
  return {
    name: 'patience',
    async sendRequest(request, next) {
      const key = heldBackBy(request)
      const wait = waits.get(key)
      const left = wait ? wait.until - now() : 0
      if (wait && left > 0) {
        const { status } = wait
        const headers = createHttpHeaders({ 'retry-after-ms': String(left) })
        throw new RestError('Not called, since it asked to wait', {
          statusCode: status,
          request,
          response: { request, status, headers },
        })
      }
      waits.delete(key)
      const response = await next(request)
      const { status, headers } = response
      const asked =
        status === 429 || status >= 500 ? retryAfter((name) => headers.get(name), now()) : undefined
      if (asked) {
        for (const [other, { until }] of waits) if (until <= now()) waits.delete(other)
        waits.set(key, { until: now() + asked, status })
      }
      return response
    },
  }
}
