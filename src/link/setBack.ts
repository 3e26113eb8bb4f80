/**
 * A clock that was set back leaves times in the record that lie ahead of it: what waits for them would wait for as long
 * as the clock was set back by.
 */
import type { Attempt, Link, Millis } from './link.ts'

/** Two instances' clocks may differ by so much. */
export const skewMs = 5 * 60_000

export const isAhead = ({ moved }: Link, now: Millis): boolean => moved - now > skewMs

/** Moves what lies ahead to where it would lie if the clock had been right before. What was decided keeps its time. */
export function setBack(link: Link, at: Millis): Link {
  const by = link.moved - at
  if (by <= 0) return link
  const back = (time: Millis): Millis => Math.min(time, Math.max(at, time - by))
  const { attempt, sighted, partedAt, ownersAskedAt, nudges, heard } = link
  return {
    ...link,
    moved: at,
    since: back(link.since),
    // What was seen is looked at again, by the clock as it goes now.
    looked: false,
    unlookedAt: back(link.unlookedAt),
    ...(attempt && { attempt: attemptBack(attempt, back) }),
    ...(sighted && { sighted: { ...sighted, since: back(sighted.since) } }),
    ...(partedAt !== undefined && { partedAt: back(partedAt) }),
    ...(ownersAskedAt !== undefined && { ownersAskedAt: back(ownersAskedAt) }),
    ...(nudges && {
      nudges: nudges.map((one) => ({
        ...one,
        at: back(one.at),
        ...(one.postedAt !== undefined && { postedAt: back(one.postedAt) }),
      })),
    }),
    ...(heard && { heard: heard.map((one) => ({ ...one, at: back(one.at) })) }),
    told: toldBack(link.told, back),
  }
}

function toldBack(told: Link['told'], back: (time: Millis) => Millis): Link['told'] {
  const moved = { ...told }
  for (const post of Object.keys(told) as (keyof typeof told)[]) {
    const one = told[post]
    if (one?.is === 'failed') moved[post] = { ...one, notBefore: back(one.notBefore) }
  }
  return moved
}

function attemptBack(attempt: Attempt, back: (time: Millis) => Millis): Attempt {
  const { outcome } = attempt
  const at = back(attempt.at)
  switch (outcome.is) {
    case 'underWay':
      return { ...attempt, at }
    case 'failed':
      return {
        ...attempt,
        at,
        outcome: { ...outcome, at: back(outcome.at), notBefore: back(outcome.notBefore) },
      }
    case 'done':
    case 'notApplied':
      return { ...attempt, at, outcome: { ...outcome, at: back(outcome.at) } }
  }
}
