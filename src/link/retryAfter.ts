import type { Millis } from './link.ts'

/**
 * No window in which Azure or Teams counts calls is longer than an hour. Whoever asks for more is called after that, once,
 * and asks again; taken as it comes, a year that was mistyped would stop the bot until somebody starts it anew.
 */
const longestMs = 60 * 60_000

/**
 * How long an answer asks to wait: by `Retry-After` as RFC 9110 has it (seconds or a date), or in the milliseconds that
 * Azure's services use too. Whole milliseconds, as a database keeps times, and never too few.
 */
export function retryAfter(header: (name: string) => string | undefined, now: Millis): Millis | undefined {
  const milliseconds = number(header('retry-after-ms') ?? header('x-ms-retry-after-ms'))
  if (milliseconds >= 0) return kept(milliseconds)
  const value = header('retry-after')
  const seconds = number(value)
  const wait = Number.isNaN(seconds) ? Date.parse(value ?? '') - now : seconds * 1_000
  return Number.isNaN(wait) ? undefined : kept(wait)
}

const number = (text: string | undefined): number => (text?.trim() ? Number(text) : Number.NaN)

const kept = (ms: number): Millis => Math.min(Math.max(Math.ceil(ms), 0), longestMs)
