/** What SQLite's result codes mean for whoever wanted something of it: the file cannot be used now, or we are wrong. */
import { isNativeError } from 'node:util/types'
import { StoreAway } from '../engine/ports.ts'

/** sqlite.org/rescode.html: what lies with the machine, and may pass. */
const away: ReadonlyMap<number, string> = new Map([
  [5, 'SQLITE_BUSY'],
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [13, 'SQLITE_FULL'],
])

/** Node's error carries the extended code; its lowest byte is the code. */
const codeOf = (error: unknown): string | undefined =>
  isNativeError(error) && 'errcode' in error && typeof error.errcode === 'number'
    ? away.get(error.errcode & 0xff)
    : undefined

/** Another process is writing. */
export const isBusy = (error: unknown): boolean => codeOf(error) === 'SQLITE_BUSY'

/** The error as the engine knows it: `StoreAway` unless the fault is ours. */
export function translated(error: unknown): unknown {
  const code = codeOf(error)
  if (code === undefined) return error
  // SQLite's own words, which say nothing of what was to be written: who cannot start is told no more.
  const reason = isNativeError(error) ? error.message : code
  return new StoreAway(`SQLite cannot use its file now: ${reason}`, { cause: error, code })
}
