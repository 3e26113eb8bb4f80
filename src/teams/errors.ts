/** An error's two texts: what the log needs, and (in `words`) what the person needs. */
import { StoreAway, StoreInDoubt, Unanswered } from '../engine/ports.ts'

/** The turn's own deadline: unlike `Unanswered`, what was begun may still be recorded. */
export class TurnTooLong extends Error {
  override readonly name = 'TurnTooLong'
}

/** Teams does not say who somebody is: nothing was asked of anybody yet. */
export class TeamsSilent extends Error {
  override readonly name = 'TeamsSilent'
}

type Trouble = 'unanswered' | 'teamsSilent' | 'tooLong' | 'storeAway' | 'storeInDoubt' | 'broken'
export const troubleOf = (error: unknown): Trouble => {
  if (error instanceof StoreAway) return 'storeAway'
  if (error instanceof StoreInDoubt) return 'storeInDoubt'
  if (error instanceof Unanswered) return 'unanswered'
  if (error instanceof TeamsSilent) return 'teamsSilent'
  if (error instanceof TurnTooLong) return 'tooLong'
  return 'broken'
}

/** The work's result, or a rejection once `ms` have passed; the work itself goes on. */
export async function within<T>(ms: number, work: Promise<T>, tooLate: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooLate()), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
