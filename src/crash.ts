/** The sandbox's named moments: there the process kills itself, as nothing else would leave so little behind. */
import { writeSync } from 'node:fs'
import type { Fact } from './link/link.ts'

export type Moments = {
  readonly at: (moment: string) => void
  /** Inside a transaction, after its last write, before COMMIT. */
  readonly onCommit: (facts: readonly Fact[]) => void
}

export function crashMoments(armed: readonly string[]): Moments {
  const at = (moment: string): void => {
    if (!armed.includes(moment)) return
    // Past every buffer: the next line is the last.
    writeSync(
      1,
      `${JSON.stringify({ at: new Date().toISOString(), level: 'warn', event: 'crash', moment })}\n`,
    )
    process.kill(process.pid, 'SIGKILL')
    // The signal ends the process between two instructions; nothing more may run before it does.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  }
  return {
    at,
    onCommit(facts) {
      for (const fact of facts) at(`committing ${nameOf(fact)}`)
    },
  }
}

function nameOf(fact: Fact): string {
  switch (fact.fact) {
    case 'intended':
    case 'done':
    case 'failed':
      return `${fact.fact} ${fact.effect}`
    case 'posted':
      return `posted ${fact.post}`
    default:
      return fact.fact
  }
}
