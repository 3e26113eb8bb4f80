/** One JSON object a line on standard output: an event's name and plain fields. */
import type { Log } from './engine/ports.ts'

export function createLog(now: () => number): Log {
  return (level, event, fields = {}) => {
    process.stdout.write(
      `${JSON.stringify({ at: new Date(now()).toISOString(), level, event, ...fields })}\n`,
    )
  }
}
