/** The clock of production, and the one that a sandbox can turn. */
import type { Clock } from './engine/ports.ts'
import type { Millis } from './link/link.ts'

/** Node's timers cannot wait longer than 2^31 - 1 ms; so far off, a clock that was set is looked at again. */
const longestWaitMs = 60_000

export type TurnableClock = Clock & { turn(ms: number): void }

/** A clock that is `offsetMs` ahead, and can be turned further. Turning wakes whoever waits. */
export function turnableClock(offsetMs: number): TurnableClock {
  let offset = offsetMs
  const waiting = new Set<() => void>()
  const now = (): Millis => Date.now() + offset
  return {
    now,
    turn(ms) {
      offset += ms
      for (const look of [...waiting]) look()
    },
    until: (at, signal) =>
      new Promise((resolve) => {
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
          if (left <= 0 || signal.aborted) end()
          else timer = setTimeout(look, Math.min(left, longestWaitMs))
        }
        waiting.add(look)
        signal.addEventListener('abort', end)
        look()
      }),
  }
}

/** The machine's own time. */
export function systemClock(): Clock {
  const { now, until } = turnableClock(0)
  return { now, until }
}
