/**
 * Hints that something was written to a SignalR or a vault. Nothing of them is believed: the records there are made due,
 * and a look follows. What comes while one write is under way goes into the next, however much it is.
 */
import { resourceKey } from '../link/resourceId.ts'
import type { Clock, Store } from './ports.ts'

/** Resolves once it is written which records are due. */
export type Hints = (resources: readonly string[]) => Promise<void>

/** As many as one statement may name. */
const mostAtOnce = 500

export function createHints(ports: {
  store: Pick<Store, 'hint'>
  clock: Pick<Clock, 'now'>
  wake: () => void
  /** How many links were made due. */
  onHinted?: (links: number) => void
}): Hints {
  const { store, clock, wake, onHinted } = ports
  type Batch = { readonly keys: Set<string>; readonly written: Promise<void> }
  let gathering: Batch | undefined
  let last: Promise<unknown> = Promise.resolve()

  function begin(): Batch {
    const keys = new Set<string>()
    const written = last.then(async () => {
      gathering = undefined
      const all = [...keys]
      let links = 0
      for (let first = 0; first < all.length; first += mostAtOnce)
        links += await store.hint(all.slice(first, first + mostAtOnce), clock.now())
      onHinted?.(links)
      if (links > 0) wake()
    })
    // Whoever waits for it hears of its failure; the next does not.
    last = written.catch(() => undefined)
    return { keys, written }
  }

  return async (resources) => {
    if (resources.length === 0) return
    gathering ??= begin()
    for (const resource of resources) gathering.keys.add(resourceKey(resource))
    await gathering.written
  }
}
