/** How much of a subscription Azure still lets the bot read, as its answers say: what can wait yields before a 429 says so. */

import { left, type Wait, waitOf } from '../link/wait.ts'

/** Left for what people wait for: under this many, what can wait does. */
const reserve = 100
/** https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling */
const refilledPerSecond = 25
const shortestHoldMs = 1_000
/** What a look may read. */
const readsPerLook = 4

export type Allowance = {
  /** Takes in what an answer says of what is left; nothing, when it says nothing. */
  heard(url: string, remaining: string | undefined): void
  /** How long what can wait should, for that subscription; 0: it need not. */
  holdMs(subscription: string): number
  /** The same for a look, which is given a turn of its own: those that yield at once must not all come back at once. */
  turnMs(subscription: string): number
}

export function createAllowance(now: () => number): Allowance {
  const held = new Map<string, { readonly hold: Wait; turns: number }>()
  const holdMs = (subscription: string): number => {
    const queue = held.get(subscription.toLowerCase())
    return queue ? left(queue.hold, now()) : 0
  }
  return {
    heard(url, remaining) {
      const subscription = /\/subscriptions\/([^/?]+)/i.exec(url)?.[1]?.toLowerCase()
      const reads = Number.parseInt(remaining ?? '', 10)
      if (subscription === undefined || Number.isNaN(reads)) return
      if (reads >= reserve) return void held.delete(subscription)
      const refillMs = Math.max(shortestHoldMs, ((reserve - reads) / refilledPerSecond) * 1_000)
      held.set(subscription, { hold: waitOf(refillMs, now()), turns: held.get(subscription)?.turns ?? 0 })
    },
    holdMs,
    turnMs(subscription) {
      const hold = holdMs(subscription)
      const queue = held.get(subscription.toLowerCase())
      if (hold === 0 || !queue) return 0
      queue.turns += 1
      return hold + (queue.turns * readsPerLook * 1_000) / refilledPerSecond
    },
  }
}
