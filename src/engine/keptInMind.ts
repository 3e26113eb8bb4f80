/**
 * What an instance keeps in mind of links, outside their records. Another instance may finish a link, and nobody hears of
 * it here: so what is old is forgotten by itself.
 */
import type { LinkId, Millis } from '../link/link.ts'

/** Longer than anything that fails waits before it is tried again. */
const keptMs = 2 * 60 * 60_000

/** How often something failed in a row, for each link. */
export function createFailures(now: () => Millis) {
  // Oldest first: what fails again is put at the end.
  const failures = new Map<LinkId, { readonly count: number; readonly at: Millis }>()
  return {
    /** One more. */
    count(id: LinkId): number {
      const at = now()
      const count = (failures.get(id)?.count ?? 0) + 1
      failures.delete(id)
      failures.set(id, { count, at })
      for (const [old, failure] of failures) {
        if (Math.abs(at - failure.at) < keptMs) break
        failures.delete(old)
      }
      return count
    },
    clear: (id: LinkId): void => void failures.delete(id),
    size: (): number => failures.size,
  }
}

const fewWaits = 1_000

/** Until when each lane of a link waits with nothing recorded. */
export function createWaits(now: () => Millis) {
  const waits = new Map<LinkId, Map<string, Millis>>()
  let most = fewWaits
  const isOver = (lanes: ReadonlyMap<string, Millis>): boolean =>
    [...lanes.values()].every((at) => at <= now())
  return {
    of(id: LinkId): Map<string, Millis> {
      // All are gone through only when they have doubled.
      if (waits.size >= most) {
        for (const [other, theirs] of waits) if (isOver(theirs)) waits.delete(other)
        most = Math.max(fewWaits, 2 * waits.size)
      }
      const lanes = waits.get(id) ?? new Map<string, Millis>()
      waits.set(id, lanes)
      return lanes
    },
    /** Nobody is at the link any more; these are its lanes by now. */
    leave(id: LinkId, lanes: Map<string, Millis>): void {
      if (isOver(lanes)) waits.delete(id)
      else waits.set(id, lanes)
    },
    /** What waits for a time that the clock had shown already would wait until it shows it again. */
    endAll(): void {
      for (const lanes of waits.values()) lanes.clear()
    },
    size: (): number => waits.size,
  }
}
