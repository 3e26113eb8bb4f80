import type { Cause, Effect, Millis } from './link.ts'

/**
 * What helps: nothing (`end` the request), a `person` who grants or unlocks something, or another try `later`,
 * which begins with a look.
 */
export type Remedy = 'end' | 'person' | 'later'

export function remedy(effect: Effect, cause: Cause): Remedy {
  switch (cause.cause) {
    case 'botLacksRight':
    case 'deciderLacksRight':
    case 'locked':
      return 'person'
    case 'conflict':
    case 'throttled':
    case 'unavailable':
    case 'decidedMeanwhile':
      return 'later'
    case 'connectionGone':
    case 'connectionChanged':
    case 'signalrGone':
    case 'vaultGone':
      // A look says what has become of it, and ends what has to end.
      return effect === 'put' ? 'end' : 'later'
    case 'nameTaken':
    case 'madeByOthers':
    case 'ambiguous':
    case 'strangeEndpoint':
    case 'cannotReject':
    case 'deletedElsewhere':
    case 'refused':
    case 'provisioningFailed':
    case 'notRegistered':
    case 'quota':
      // Before there is a link, a final no ends the request. Later, a decision or a removal stays until a person acts.
      return effect === 'put' ? 'end' : 'person'
  }
}

/** Azure's sentences may say who was refused ("The client 'noor@contoso.com' with object id '…'"). Facts name nobody. */
export const nameless = (message: string): string =>
  message
    .replace(/[^\s'"<>(),;]+@[^\s'"<>(),;]*[^\s'"<>(),;.]/g, '…')
    .replace(/\b(object id|client id|principal id|user)(s?:? +['"]?)[0-9a-f]{8}-[0-9a-f-]{27}/gi, '$1$2…')

export const namelessCause = (cause: Cause): Cause =>
  'message' in cause ? { ...cause, message: nameless(cause.message) } : cause

const firstBackoffMs = 2_000
const longestBackoffMs = 5 * 60_000

/** When to try again after the `count`-th failure: doubling, but never before Azure's own Retry-After. */
export function retryAt(
  now: Millis,
  count: number,
  retryAfterMs: number | undefined,
  firstMs = firstBackoffMs,
): Millis {
  const backoff = Math.min(longestBackoffMs, firstMs * 2 ** Math.min(count - 1, 20))
  return now + Math.max(backoff, retryAfterMs ?? 0)
}

const longestSettleMs = 60 * 60_000

/**
 * How long Azure has to show what it took, from the `count`-th time that it took the same. It may take a removal and not
 * carry it out, again and again: then it is asked less and less often.
 */
export const settlesWithin = (settleMs: number, count: number): number =>
  Math.min(Math.max(settleMs, longestSettleMs), settleMs * 2 ** Math.min(count - 1, 20))
