/** How Teams says that it hears too much of the bot, and a turn's own calls, which are counted and not held up. */
import type { Traffic } from '../engine/ports.ts'
import { fieldsOf, textOf } from './activity.ts'

/** `Retry-After` in seconds or as a date. */
export function retryAfter(headers: unknown, now: number): number | undefined {
  const { get } = fieldsOf(headers)
  const value = typeof get === 'function' ? textOf(get.call(headers, 'retry-after')) : undefined
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined
}

/** A 503 that says when it is over is meant for the next message too. */
export const isThrottled = (status: unknown, retryAfterMs: number | undefined): boolean =>
  status === 429 || (status === 503 && retryAfterMs !== undefined)

/** How a 429 names the limit is not documented: what speaks of the tenant means it, all else the conversation. */
export const throttledScope = (body: unknown): 'here' | 'tenant' =>
  /tenant/i.test(textOf(body) ?? '') ? 'tenant' : 'here'

type Call = { readonly url: string; readonly method: string }

/** A policy for the pipeline of the client that a turn calls Teams with. */
export const counting = ({ called, refused }: Traffic) => ({
  name: 'counting',
  async sendRequest<Request extends Call>(request: Request, next: (request: Request) => Promise<unknown>) {
    const conversation = conversationIn(request)
    // The answer goes out meanwhile.
    const counted = called(request.method === 'GET' ? undefined : conversation)
    const response = await next(request)
    await counted
    const { status, headers, bodyAsText } = fieldsOf(response)
    const retryAfterMs = retryAfter(headers, Date.now())
    if (isThrottled(status, retryAfterMs)) {
      const scope = throttledScope(bodyAsText)
      await refused(scope === 'tenant' ? undefined : conversation, retryAfterMs)
    }
    return response
  },
})

function conversationIn({ url }: Call): string | undefined {
  const [, id] = /\/v3\/conversations\/([^/?]+)\//.exec(url) ?? []
  return id && decodeURIComponent(id)
}
