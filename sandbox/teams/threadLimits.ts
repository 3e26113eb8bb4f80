/**
 * Teams' limits as documented: per bot and thread (a chat, or a channel with all its threads) for sending and for
 * creating conversations, and twice that for reading rosters. Per app and tenant it is 30 to 50 requests a second; a bot
 * has to do with the fewest.
 * learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
 */
type Limit = { count: number; withinMs: number }

const sending: readonly Limit[] = [
  { count: 7, withinMs: 1_000 },
  { count: 8, withinMs: 2_000 },
  { count: 60, withinMs: 30_000 },
  { count: 1_800, withinMs: 3_600_000 },
]
const reading: readonly Limit[] = sending.map((limit) => ({ ...limit, count: limit.count * 2 }))
const tenant: readonly Limit[] = [{ count: 30, withinMs: 1_000 }]

const longest = 3_600_000

export type Limits = {
  /** Admits a request now, or says after how many milliseconds it would be admitted. */
  admit(
    kind: 'send' | 'create' | 'read',
    place: string,
    now: number,
  ): { afterMs: number; whose: 'thread' | 'tenant' } | undefined
  /** How many it did not admit. */
  refused(): number
}

export function createLimits(): Limits {
  const admitted = new Map<string, number[]>()
  let refused = 0

  const past = (key: string, now: number): number[] => {
    const times = (admitted.get(key) ?? []).filter((at) => now - at < longest)
    admitted.set(key, times)
    return times
  }
  const wait = (times: readonly number[], limits: readonly Limit[], now: number): number =>
    Math.max(
      0,
      ...limits.map(({ count, withinMs }) => {
        // The request fits once the count-th most recent one has left the window.
        const oldest = times.at(-count)
        return oldest === undefined ? 0 : oldest + withinMs - now
      }),
    )

  return {
    admit(kind, place, now) {
      const ofThread = past(`${kind} ${place}`, now)
      const ofTenant = past('tenant', now)
      const threadMs = wait(ofThread, kind === 'read' ? reading : sending, now)
      const tenantMs = wait(ofTenant, tenant, now)
      const afterMs = Math.max(threadMs, tenantMs)
      if (afterMs > 0) {
        refused++
        return { afterMs, whose: tenantMs > threadMs ? 'tenant' : 'thread' }
      }
      ofThread.push(now)
      ofTenant.push(now)
      return undefined
    },
    refused: () => refused,
  }
}
