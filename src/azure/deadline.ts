/**
 * A deadline of its own for each call, beside the caller's signal. The clients have no overall timeout, some of their
 * pages forget the signal, and a credential may ignore it: so the wait itself is cut short, not only the request.
 *
 * The timer ends with the call: one of `AbortSignal.timeout` stays until its time has come, and a turn makes many calls.
 */
export async function within<T>(
  deadlineMs: number,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const ends = new AbortController()
  return await new Promise<T>((resolve, reject) => {
    const end = (reason: unknown): void => {
      ends.abort(reason)
      reject(reason)
    }
    const stop = (): void => end(signal.reason)
    const timer = setTimeout(() => end(new DOMException('Azure was silent', 'TimeoutError')), deadlineMs)
    signal.addEventListener('abort', stop, { once: true })
    run(ends.signal)
      .finally(() => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
      })
      .then(resolve, reject)
  })
}

/** Lets at most `most` run at once; the rest wait their turn. */
export function inTurn(most: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await task()
    } finally {
      // The place is handed on, not given back: nobody can slip in between.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
