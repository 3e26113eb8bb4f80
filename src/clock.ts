/** The clock of production, and the one that a sandbox can turn. */
import type { Clock } from './engine/ports.ts'
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

/** A clock that is `offsetMs` ahead, and can be turned further and set. Either wakes whoever waits. */
export function turnableClock(offsetMs: number): TurnableClock {
  let offset = offsetMs
  const ahead = (): number => Date.now() - performance.now()
  let known = ahead()
  let since: Millis | undefined
  let backMs = 0
  const waiting = new Set<() => void>()

  function wasSet(ms: number): void {
    since = Date.now() + offset
    if (ms < 0) backMs -= ms
  }
  /** Whoever asks for the time finds out whether it was set meanwhile. */
  const now = (): Millis => {
    const by = ahead() - known
    if (Math.abs(by) > slackMs) {
      known += by
      wasSet(by)
    }
    return Date.now() + offset
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
