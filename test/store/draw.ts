/** Draws of tokens for one channel, all at noon: what each was told. */

import type { Store } from '../../src/engine/ports.ts'
import { createSendLimits } from '../../src/engine/sendLimits.ts'
import type { Millis } from '../../src/link/link.ts'
import { channel, noon } from './samples.ts'

/** 0 for a token, else the moment to come again. */
export async function drawFrom(store: Store, count: number): Promise<readonly Millis[]> {
  const limits = createSendLimits({
    store,
    clock: { now: () => noon },
    log: () => undefined,
    faster: 25,
  })
  const to = { how: 'thread', channel: channel('general').conversation, serviceUrl: '' } as const
  const moments: Millis[] = []
  for (let drawn = 0; drawn < count; drawn++) {
    const link = `${process.pid} ${drawn}`
    moments.push((await limits.take({ link, lane: 'thread', to })) ?? 0)
  }
  return moments
}
