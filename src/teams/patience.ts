/** Where Teams answered with a Retry-After it is not called before that has passed, by a turn neither. */
import { fieldsOf } from './activity.ts'
import { retryAfter } from './throttling.ts'

type Request = { readonly url: string }

/** What one answer holds back: Teams counts a channel and its threads together, and what begins a thread by itself. */
function heldBackBy(url: string): string {
  const { host, pathname } = new URL(url)
  const path = /\/v3\/conversations\/[^/]+/.exec(decodeURIComponent(pathname))?.[0] ?? pathname
  return `${host} ${path.split(';messageid=')[0]}`
}

/**
 * A policy in the place of the client's own retries. What it holds back is answered as Teams answered. The worker's
 * messages wait by the gates; this is for what they do not know of: a turn's words, rosters, a 503.
 */
export function patience(now: () => number) {
  const waits = new Map<string, { readonly until: number; readonly answer: unknown }>()
  return {
    name: 'patience',
    async sendRequest<Q extends Request>(
      request: Q,
      next: (request: Q) => Promise<unknown>,
    ): Promise<unknown> {
      const key = heldBackBy(request.url)
      const wait = waits.get(key)
      const left = wait ? wait.until - now() : 0
      if (wait && left > 0) {
        const { set } = fieldsOf(fieldsOf(wait.answer).headers)
        if (typeof set === 'function')
          set.call(fieldsOf(wait.answer).headers, 'retry-after', String(Math.ceil(left / 1000)))
        return { ...fieldsOf(wait.answer), request }
      }
      waits.delete(key)
      const answer = await next(request)
      const { status, headers } = fieldsOf(answer)
      const mayAsk = status === 429 || (typeof status === 'number' && status >= 500)
      const asked = mayAsk ? retryAfter(headers, now()) : undefined
      if (asked) {
        for (const [other, { until }] of waits) if (until <= now()) waits.delete(other)
        waits.set(key, { until: now() + asked, answer })
      }
      return answer
    },
  }
}
