/** Faults that a test arms: what to answer instead, how often, and whether the effect stands. */
import { failure, type Reply } from './connector.ts'
import type { Fault } from './face.ts'

export type Faults = {
  add(rule: Fault): void
  /** The first armed rule for this call, counted down. */
  take(method: string, path: string): Fault | undefined
}

export function createFaults(): Faults {
  const armed: Fault[] = []
  return {
    add(rule) {
      armed.push({ ...rule })
    },
    take(method, path) {
      const rule = armed.find(
        (candidate) =>
          candidate.times > 0 &&
          (candidate.method === undefined || candidate.method === method) &&
          (candidate.path === undefined || new RegExp(candidate.path, 'i').test(path)),
      )
      if (rule) rule.times -= 1
      return rule
    },
  }
}

const usualCodes: Readonly<Record<number, string>> = {
  400: 'BadArgument',
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

export function faultReply(rule: Fault): Reply {
  const status = rule.status ?? 500
  return {
    ...failure(status, rule.code ?? usualCodes[status] ?? 'ServiceError', rule.message ?? 'As arranged.'),
    ...(rule.headers && { headers: rule.headers }),
  }
}
