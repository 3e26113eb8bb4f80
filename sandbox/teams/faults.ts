/** How the Bot Connector words an error that a fault makes. */
import type { Fault } from '../proxy/fault.ts'
import type { Wired } from '../proxy/wire.ts'
import { failure, type Reply } from './connector.ts'
import { wired } from './http.ts'

const usualCodes: Readonly<Record<number, string>> = {
  400: 'BadArgument',
  401: 'Unauthorized',
  403: 'BotNotInConversationRoster',
  404: 'ConversationNotFound',
  412: 'PreconditionFailed',
  413: 'MessageSizeTooBig',
  429: 'Throttled',
  500: 'ServiceError',
  502: 'ServiceError',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
}

export function faultReply(fault: Fault): Reply {
  const status = fault.status ?? (fault.how === 'expire' ? 401 : 500)
  return {
    ...failure(status, fault.code ?? usualCodes[status] ?? 'ServiceError', fault.message ?? 'As arranged.'),
    ...(fault.headers && { headers: fault.headers }),
  }
}

/** The same, for a proxy in front of it. */
export const connectorWording = (fault: Fault): Wired => wired(faultReply(fault))
