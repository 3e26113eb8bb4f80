/** Whoever answered with a Retry-After is not called before it has passed: calling early starts the wait anew. */
import type { PipelinePolicy, PipelineRequest } from '@azure/core-rest-pipeline'
import { retryAfter } from '../link/retryAfter.ts'
import { left, type Wait, waitOf } from '../link/wait.ts'

type Pipeline = Pick<typeof import('@azure/core-rest-pipeline'), 'RestError' | 'createHttpHeaders'>

/** For how long who is not called, and what the answer was that asked for it. */
export type Waits = Map<string, Wait & { readonly status: number }>

/**
 * What one answer holds back: Azure counts reads, writes and deletions of a subscription apart, and each principal by
 * itself, so one that is told to wait stops its others of that kind there; elsewhere it stops all of its calls to that
 * host outside of subscriptions. https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
 */
function heldBackBy({ url, method }: PipelineRequest, principal: string): string {
  const { host, pathname } = new URL(url)
  const subscription = /^\/subscriptions\/[^/]+/i.exec(pathname)?.[0]
  if (subscription === undefined) return `${principal} ${host}`
  const kind = method === 'GET' || method === 'HEAD' || method === 'DELETE' ? method : 'write'
  return `${principal} ${kind} ${host} ${subscription}`.toLowerCase()
}

/** Stands last in a pipeline. Clients that share `waits` wait for what one of them was told as the same `principal`. */
export function patience(
  { RestError, createHttpHeaders }: Pipeline,
  {
    waits,
    principal,
    now,
  }: { readonly waits: Waits; readonly principal: string; readonly now: () => number },
): PipelinePolicy {
  return {
    name: 'patience',
    async sendRequest(request, next) {
      const key = heldBackBy(request, principal)
      const wait = waits.get(key)
      const early = wait ? left(wait, now()) : 0
      if (wait && early > 0) {
        const { status } = wait
        const headers = createHttpHeaders({ 'retry-after-ms': String(early) })
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
        for (const [other, one] of waits) if (left(one, now()) === 0) waits.delete(other)
        waits.set(key, { ...waitOf(asked, now()), status })
      }
      return response
    },
  }
}
