/** How Teams says that it hears too much of the bot. */
import { textOf } from './activity.ts'

/** `Retry-After` in seconds or as a date, in milliseconds from `now`. */
export function retryAfter(header: unknown, now: number): number | undefined {
  const value = textOf(header)
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
