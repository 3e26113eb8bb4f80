/** What PostgreSQL's errors mean for whoever wanted something of it: try again, it is away, or we are wrong. */
import pg from 'pg'
import { StoreAway } from '../engine/ports.ts'

/** postgresql.org/docs/current/errcodes-appendix.html. A class, or one of its states. */
const awayStates = [
  '08', // connection exceptions
  '25006', // read-only: a standby that is no primary yet, or no longer
  '25P03', // idle in transaction for too long
  '28', // not let in: a password that is being changed
  '53', // out of memory, disk or connections
  '55P03', // a lock that is not to be had
  '57014', // a statement that took too long
  '57P', // shutting down, starting up
  '58', // the server's own disk
] as const

const stateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined

/** The state, or what the network calls it. */
const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined

/** Two transactions stood in each other's way: PostgreSQL asks to run one of them again. */
export const asksToRepeat = (error: unknown): boolean => ['40001', '40P01'].includes(stateOf(error) ?? '')

/** The server said no, so nothing was committed; what is no such answer says nothing about a commit. */
export const isRefused = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && !awayStates.some((state) => error.code?.startsWith(state))

/** The error as the engine knows it: `StoreAway` unless the fault is ours. */
export function translated(error: unknown): unknown {
  // Our own mistakes: a parameter that cannot be sent.
  const isOurs = error instanceof TypeError || error instanceof RangeError
  if (isOurs || isRefused(error) || error instanceof StoreAway) return error
  return new StoreAway('PostgreSQL is away', { cause: error, code: codeOf(error) })
}

/** Another than it should be by its certificate (nodejs.org/api/tls.html#x509-certificate-error-codes), or without one. */
const isUntrusted = (error: unknown): boolean =>
  /^(?:ERR_TLS_CERT_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(?:GET|VERIFY)_)/.test(codeOf(error) ?? '') ||
  (error instanceof Error && error.message === 'The server does not support SSL connections')

/** Whether a server that is not to be had now may be by itself: not one that we do not trust, or that does not trust us. */
export const isAwaitable = ({ cause }: StoreAway): boolean =>
  stateOf(cause)?.startsWith('28') !== true && !isUntrusted(cause)

/** In the words of whoever refused, which never hold a password. */
export function reasonOf(error: unknown): string {
  const { cause = error } = error instanceof StoreAway ? error : {}
  // Of a host with several addresses each has its own error, and none of them is the message.
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause
  return first instanceof Error ? first.message : String(first)
}

/** The connection broke, as after a failover: another one may work at once. What ran out of time would only do so again. */
export function isBroken(error: unknown): boolean {
  if (!(error instanceof StoreAway)) return false
  const { cause } = error
  const isDeadline = cause instanceof Error && /timeout/i.test(cause.message)
  return !isDeadline && (!(cause instanceof pg.DatabaseError) || cause.code?.startsWith('57P') === true)
}
