/** How ARM words an error that a fault makes. */
import type { Fault } from '../proxy/fault.ts'
import type { Wired } from '../proxy/wire.ts'
import { type Reply, refusal, wired } from './reply.ts'

const usual: Readonly<Record<number, readonly [code: string, message: string]>> = {
  401: ['ExpiredAuthenticationToken', 'The access token expiry UTC time is earlier than current UTC time.'],
  408: ['RequestTimeout', 'The request timed out.'],
  412: ['PreconditionFailed', 'The condition specified in the request is not met.'],
  429: ['TooManyRequests', 'The request is being throttled.'],
  502: ['BadGateway', 'The server received an invalid response from an upstream server.'],
  503: ['ServiceUnavailable', 'The service is unavailable. Please retry later.'],
  504: ['GatewayTimeout', 'The gateway did not receive a response in time.'],
}
const other = [
  'InternalServerError',
  'The server encountered an internal error. Please retry the request.',
] as const

export function faultReply({ status, how, code, message, headers }: Fault): Reply {
  const said = status ?? (how === 'expire' ? 401 : 500)
  const [usualCode, usualMessage] = usual[said] ?? other
  return refusal(said, code ?? usualCode, message ?? usualMessage, headers ?? {})
}

/** The same, for a proxy in front of it. */
export const armWording = (fault: Fault): Wired => wired(faultReply(fault))
