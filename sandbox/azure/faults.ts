import { type Reply, refusal } from './reply.ts'

/** A fault to come: which calls it meets, how often, and what it does to them. */
export type FaultRule = {
  method?: string
  /** Met by the path as sent, without the query. */
  path?: RegExp
  times: number
  status?: number
  code?: string
  message?: string
  headers?: Record<string, string>
  /** Before the call acts, or after it acted and before the answer. */
  when?: 'before' | 'after'
  /** Answer with the error, cut the connection, or never answer. */
  how?: 'answer' | 'reset' | 'hang'
}

/** The first rule that this call meets, one use of it spent. */
export function takeFault(rules: FaultRule[], method: string, path: string): FaultRule | undefined {
  const index = rules.findIndex(
    (rule) =>
      (rule.method === undefined || rule.method.toUpperCase() === method) &&
      (rule.path === undefined ||
        new RegExp(rule.path.source, rule.path.flags.replace(/[gy]/g, '')).test(path)),
  )
  const rule = rules[index]
  if (!rule) return undefined
  rule.times -= 1
  if (rule.times <= 0) rules.splice(index, 1)
  return rule
}

export const faultReply = (rule: FaultRule): Reply =>
  refusal(
    rule.status ?? 500,
    rule.code ?? 'InternalServerError',
    rule.message ?? 'The server encountered an internal error. Please retry the request.',
    rule.headers ?? {},
  )
