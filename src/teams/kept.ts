/** What was learned and is believed for a while. */
import { left, type Wait, waitOf } from '../link/wait.ts'

export type Kept<T> = {
  get(key: string): T | undefined
  set(key: string, value: T): void
}

/** Each is believed for so many milliseconds; of more than `most`, the oldest is forgotten. */
export function createKept<T>(
  now: () => number,
  { keptMs, most }: { keptMs: number; most: number },
): Kept<T> {
  const kept = new Map<string, Wait & { readonly value: T }>()
  return {
    get(key) {
      const known = kept.get(key)
      return known && left(known, now()) > 0 ? known.value : undefined
    },
    set(key, value) {
      kept.delete(key)
      kept.set(key, { ...waitOf(keptMs, now()), value })
      const [oldest] = kept.keys()
      if (kept.size > most && oldest !== undefined) kept.delete(oldest)
    },
  }
}
