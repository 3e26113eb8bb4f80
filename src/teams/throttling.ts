/** How Teams says that it hears too much of the bot. */
import { retryAfter as retryAfterIn } from '../link/retryAfter.ts'
import { textOf } from './activity.ts'

/** What its `Retry-After` asks for, in milliseconds from `now`. */
export const retryAfter = (header: unknown, now: number): number | undefined =>
  retryAfterIn((name) => (name === 'retry-after' ? textOf(header) : undefined), now)

/** A 503 that says when it is over is meant for the next message too. */
export const isThrottled = (status: unknown, retryAfterMs: number | undefined): boolean =>
  status === 429 || (status === 503 && retryAfterMs !== undefined)

/** How a 429 names the limit is not documented: what speaks of the tenant means it, all else the conversation. */
export const throttledScope = (body: unknown): 'here' | 'tenant' =>
  /tenant/i.test(textOf(body) ?? '') ? 'tenant' : 'here'
