/** A fault to come: which calls it meets, how often, and what becomes of them. One form for every server here. */
export type Fault = {
  method?: string
  /** Met by the decoded path, without the query and without regard to case. */
  path?: RegExp
  /** Met by the decoded query, where a server can tell. */
  query?: RegExp
  /** So many such calls pass unharmed first. */
  skip?: number
  times: number
  /** Before the call acts, or after it acted and before its answer. */
  when?: 'before' | 'after'
  how?: How
  status?: number
  code?: string
  message?: string
  headers?: Record<string, string>
}

/**
 * `answer`: with an error, in the peer's own words. `page`: the same status, as a page of something on the way. `reset`: the connection breaks. `hang`: no answer ever comes. What follows acts, and spoils the
 * answer: `truncate` breaks off in its midst, `garble` sends half of it as if it were all, `empty` says 204 instead.
 * `expire`: the caller's token is no longer good, for this call and for all that bear it from then on.
 */
export type How = (typeof hows)[number]
const hows = ['answer', 'page', 'reset', 'hang', 'truncate', 'garble', 'empty', 'expire'] as const

/** A word from outside; throws when it is none of them. */
export function howOf(word: string): How {
  const how = hows.find((one) => one === word)
  if (how === undefined) throw new Error(`how is one of ${hows.join(', ')}`)
  return how
}

export type Armed = {
  /** How many calls it has met. */
  met(): number
  /** It meets no more. */
  lift(): void
}
export type Faults = {
  add(fault: Fault): Armed
  /** The first that this call meets, one use of it spent. */
  take(method: string, path: string, query?: string): Fault | undefined
  clear(): void
}

export function createFaults(): Faults {
  const armed = new Set<{ readonly fault: Fault; passed: number; met: number }>()
  return {
    add(fault) {
      const one = { fault, passed: 0, met: 0 }
      armed.add(one)
      return { met: () => one.met, lift: () => void armed.delete(one) }
    },
    take(method, path, query = '') {
      for (const one of armed) {
        const { fault } = one
        const isMeant =
          (fault.method === undefined || fault.method.toUpperCase() === method) &&
          (!fault.path || new RegExp(fault.path.source, 'i').test(path)) &&
          (!fault.query || new RegExp(fault.query.source, 'i').test(query))
        if (!isMeant) continue
        if (one.passed < (fault.skip ?? 0)) {
          one.passed += 1
          continue
        }
        one.met += 1
        if (one.met >= fault.times) armed.delete(one)
        return fault
      }
      return undefined
    },
    clear: () => armed.clear(),
  }
}

/** Whether the call acts although it meets the fault. */
export const lets = ({ when = 'before', how = 'answer' }: Fault): boolean =>
  when === 'after' || how === 'truncate' || how === 'garble' || how === 'empty'
