/** What a client did, step by step: the command, the requests that the local Azure met meanwhile, and what came of it. */
import type { Azure } from '../../sandbox/azure/server.ts'

export type Step = {
  readonly client: string
  readonly command: string
  readonly requests: readonly string[]
  readonly outcome: string
  readonly passed: boolean
}
export type Recorder = {
  readonly steps: readonly Step[]
  /** Runs a step; what it returns is its outcome in words, what it throws its failure. Resolves to whether it passed. */
  step(command: string, run: () => Promise<string>): Promise<boolean>
}

/** The last two parts of a path say which resource it is; the rest would be the same in every line. */
const short = (path: string): string => path.split('/').slice(-2).join('/')

/** Requests in their order, those that repeat each other in one entry. */
function condensed(requests: readonly string[]): string[] {
  const counts: { text: string; times: number }[] = []
  for (const text of requests) {
    const last = counts.at(-1)
    if (last?.text === text) last.times += 1
    else counts.push({ text, times: 1 })
  }
  return counts.map(({ text, times }) => (times === 1 ? text : `${text} ×${times}`))
}

export function createRecorder(
  azure: Azure,
  client: string,
  onStep: (step: Step) => void = () => undefined,
): Recorder {
  const steps: Step[] = []
  return {
    steps,
    async step(command, run) {
      const from = azure.events.length
      let outcome: string
      let passed = true
      try {
        outcome = await run()
      } catch (error) {
        outcome = error instanceof Error ? error.message : String(error)
        passed = false
      }
      const requests = azure.events
        .slice(from)
        .flatMap((event) =>
          event.kind === 'effect' ? [] : [`${event.method} ${short(event.path)} ${event.status}`],
        )
      const step: Step = { client, command, requests: condensed(requests), outcome, passed }
      steps.push(step)
      onStep(step)
      return passed
    },
  }
}

/** Waits until `look` finds something; fails with `what` after `tries` looks. */
export async function until<T>(what: string, look: () => Promise<T | undefined>, tries = 40): Promise<T> {
  for (let left = tries; left > 0; left -= 1) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`${what} did not happen`)
}
