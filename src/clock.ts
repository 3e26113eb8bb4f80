/** The clock of production, the one that a sandbox can turn, and the one that follows a clock elsewhere. */
import type { Clock, Log } from './engine/ports.ts'
import type { Millis } from './link/link.ts'

/** Node's timers cannot wait longer than 2^31 - 1 ms; so far off, a clock that was set is looked at again. */
const longestWaitMs = 60_000
/** What a machine's clock may gain or lose on its steady one between two looks without having been set. */
const slackMs = 1_000

export type TurnableClock = Required<Clock> & {
  /** So much time passes, for everybody. */
  turn(ms: number): void
  /** It is set, as a machine's is by whoever minds it; for others no time has passed. */
  jump(ms: number): void
}

/** A clock that is `offsetMs` ahead of its source, and can be turned further and set. Either wakes whoever waits. */
export function turnableClock(offsetMs: number, source: () => Millis = () => Date.now()): TurnableClock {
  let offset = offsetMs
  const ahead = (): number => source() - performance.now()
  let known = ahead()
  let since: Millis | undefined
  let backMs = 0
  const waiting = new Set<() => void>()

  function wasSet(ms: number): void {
    since = source() + offset
    if (ms < 0) backMs -= ms
  }
  /** Whoever asks for the time finds out whether it was set meanwhile. */
  const now = (): Millis => {
    const by = ahead() - known
    if (Math.abs(by) > slackMs) {
      known += by
      wasSet(by)
    }
    return source() + offset
  }

  function turn(ms: number): void {
    offset += ms
    for (const look of [...waiting]) look()
  }

  return {
    now,
    set() {
      now()
      return { since, backMs }
    },
    turn,
    jump(ms) {
      now()
      offset += ms
      wasSet(ms)
      turn(0)
    },
    until: (at, signal) =>
      new Promise((resolve) => {
        const before = backMs
        let timer: NodeJS.Timeout | undefined
        const end = (): void => {
          clearTimeout(timer)
          waiting.delete(look)
          signal.removeEventListener('abort', end)
          resolve()
        }
        const look = (): void => {
          clearTimeout(timer)
          const left = at - now()
          if (left <= 0 || signal.aborted || backMs > before) end()
          else timer = setTimeout(look, Math.min(left, longestWaitMs))
        }
        waiting.add(look)
        signal.addEventListener('abort', end)
        look()
      }),
  }
}

/** The machine's own time. */
export const systemClock = (): Required<Clock> => turnableClock(0)

/** How often the time elsewhere is read. Between two readings a machine's oscillator is off by a millisecond or so. */
const readingMs = 10_000
/** A reading that took longer says too little. */
const longestReadingMs = 1_000

/**
 * The time elsewhere, as read there, and told between two readings by this machine's monotonic clock: so nobody who sets
 * the machine's own time can make it believe that a lease has ended.
 */
export async function timeElsewhere(
  read: () => Promise<Millis>,
  log: Log,
): Promise<{ now(): Millis; stop(): void }> {
  const measure = async (): Promise<{ time: Millis; at: number; within: number }> => {
    const began = performance.now()
    const time = await read()
    const within = performance.now() - began
    return { time, at: began + within / 2, within }
  }
  let known = await measure()
  const timer = setInterval(() => {
    measure().then(
      (measured) => {
        if (measured.within < longestReadingMs) known = measured
      },
      (error: unknown) => log('warn', 'clock.unread', {}, error),
    )
  }, readingMs)
  timer.unref()
  return {
    now: () => Math.round(known.time + performance.now() - known.at),
    stop: () => clearInterval(timer),
  }
}
