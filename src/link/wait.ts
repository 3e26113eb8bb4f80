/** Waiting for a time. It is kept with when it began, so that a clock that is set back makes no wait longer. */
import type { Millis } from './link.ts'

export type Wait = { readonly from: Millis; readonly until: Millis }

/** By how much a clock may step back without having been set: one that is read elsewhere is put right by a little. */
const stepMs = 1_000

export const waitOf = (ms: Millis, now: Millis): Wait => ({ from: now, until: now + ms })

/** How long it still lasts. None does that begins in time to come, by more than the clocks of those who keep it differ. */
export const left = ({ from, until }: Wait, now: Millis, differMs: Millis = stepMs): Millis =>
  from > now + differMs ? 0 : Math.max(0, until - now)
