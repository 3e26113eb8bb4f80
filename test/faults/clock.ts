/**
 * A clock for everything that runs in this process: the bot's timers and deadlines, its clients', and those of the peers.
 * It moves only when it is turned.
 */
import { performance as realPerformance } from 'node:perf_hooks'
import { jest } from '@jest/globals'

export type TurnedClock = {
  /** When the next timer is due; `deadlines`: or the deadline of a call, which is of interest only while one is out. */
  next(deadlines: boolean): number | undefined
  /** Turns it on, and lets come what falls due, in order. */
  to(at: number): void
  /** What has to be done by the real time, as certificates that Node itself looks at. */
  byRealTime<T>(work: () => Promise<T>): Promise<T>
  release(): void
}

type Due = { at: number; run: () => void }

/** Takes `Date`, `performance`, `setTimeout` and `AbortSignal.timeout`; what Node does inside goes on by the real time. */
export function takeClock(): TurnedClock {
  const begun = { at: Date.now(), by: realPerformance.now() }
  let now = begun.at
  jest.useFakeTimers({
    now,
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  })
  const timers = new Set<Due>()
  const deadlines = new Set<Due>()
  const real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    timeout: AbortSignal.timeout,
    performance: globalThis.performance,
  }

  class Timer {
    readonly #due: Due
    readonly #ms: number
    constructor(run: () => void, ms: number) {
      this.#ms = ms
      this.#due = { at: 0, run }
      this.refresh()
    }
    refresh(): this {
      this.#due.at = now + this.#ms
      timers.add(this.#due)
      return this
    }
    close(): this {
      timers.delete(this.#due)
      return this
    }
    ref(): this {
      return this
    }
    unref(): this {
      return this
    }
    hasRef(): boolean {
      return timers.has(this.#due)
    }
  }
  const setTurned = (run: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): Timer =>
    new Timer(() => run(...given), Math.max(1, Number(ms) || 1))
  const clearTurned = (timer: unknown): void => {
    if (timer instanceof Timer) timer.close()
    else real.clearTimeout(timer as NodeJS.Timeout)
  }
  // Both clocks go together: a machine's own that was set against its steady one is another story.
  const turnedPerformance = Object.create(realPerformance, { now: { value: () => now - begun.at } })
  Object.assign(globalThis, { setTimeout: setTurned, clearTimeout: clearTurned })
  Object.defineProperty(globalThis, 'performance', {
    value: turnedPerformance,
    configurable: true,
    writable: true,
  })
  AbortSignal.timeout = (ms) => {
    const controller = new AbortController()
    const due: Due = {
      at: now + ms,
      run: () =>
        controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
    }
    deadlines.add(due)
    return controller.signal
  }

  const first = (all: Iterable<Due>, until = Infinity): Due | undefined => {
    let found: Due | undefined
    for (const one of all) if (one.at <= until && (!found || one.at < found.at)) found = one
    return found
  }
  return {
    next: (withDeadlines) => {
      const times = [first(timers)?.at, withDeadlines ? first(deadlines)?.at : undefined].filter(
        (at) => at !== undefined,
      )
      return times.length > 0 ? Math.min(...times) : undefined
    },
    to(at) {
      for (;;) {
        const due = first([...timers, ...deadlines], at)
        if (!due) break
        timers.delete(due)
        deadlines.delete(due)
        now = Math.max(now, due.at)
        jest.setSystemTime(now)
        due.run()
      }
      now = Math.max(now, at)
      jest.setSystemTime(now)
    },
    async byRealTime(work) {
      jest.setSystemTime(begun.at + realPerformance.now() - begun.by)
      try {
        return await work()
      } finally {
        jest.setSystemTime(now)
      }
    },
    release() {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout })
      Object.defineProperty(globalThis, 'performance', {
        value: real.performance,
        configurable: true,
        writable: true,
      })
      AbortSignal.timeout = real.timeout
      jest.useRealTimers()
    },
  }
}
