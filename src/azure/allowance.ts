/** How much of a subscription Azure still lets the bot read, as its answers say: what can wait yields before a 429 says so. */

import { left, type Wait, waitOf } from '../link/wait.ts'

/** Left for what people wait for: under this many, what can wait does. */
const reserve = 100
/** https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling */
const refilledPerSecond = 25
const shortestHoldMs = 1_000
/** What a look may read, 4 at most, is refilled in that time. */
const msPerLook = (4 / refilledPerSecond) * 1_000

export type Allowance = {
  /** Takes in what an answer says of what is left; nothing, when it says nothing. */
  heard(url: string, remaining: string | undefined): void
  /** How long what can wait should, for that subscription; 0: it need not. */
  holdMs(subscription: string): number
  /** The same for a look at what is in these, which is given a turn of its own: those that yield at once must not all come back at once. */
  turnMs(subscriptions: readonly string[]): number
}

type Held = { readonly hold: Wait; readonly lastTurn: Wait }

export function createAllowance(now: () => number): Allowance {
  const held = new Map<string, Held>()
  const holdMs = (subscription: string): number => {
    const one = held.get(subscription.toLowerCase())
    return one ? left(one.hold, now()) : 0
  }

  function turnIn(subscription: string): number {
    const one = held.get(subscription)
    if (!one || holdMs(subscription) === 0) return 0
    // Whoever yielded before has its turn before.
    const turn = Math.max(holdMs(subscription), left(one.lastTurn, now())) + msPerLook
    held.set(subscription, { ...one, lastTurn: waitOf(turn, now()) })
    return turn
  }
  return {
    heard(url, remaining) {
      const subscription = /\/subscriptions\/([^/?]+)/i.exec(url)?.[1]?.toLowerCase()
      const reads = Number.parseInt(remaining ?? '', 10)
      if (subscription === undefined || Number.isNaN(reads)) return
      if (reads >= reserve) return void held.delete(subscription)
      const refillMs = Math.max(shortestHoldMs, ((reserve - reads) / refilledPerSecond) * 1_000)
      const hold = waitOf(refillMs, now())
      held.set(subscription, { hold, lastTurn: held.get(subscription)?.lastTurn ?? hold })
    },
    holdMs,
    turnMs(subscriptions) {
      const each = new Set(subscriptions.map((subscription) => subscription.toLowerCase()))
      return Math.max(0, ...[...each].map(turnIn))
    },
  }
}
