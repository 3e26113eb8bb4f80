/** Questions to a process that was forked, and its answers. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

type Question = { readonly ask: number; readonly what: string; readonly with: unknown }
type Answer = { readonly answers: number; readonly value?: unknown; readonly problem?: string }

export type Asked = {
  readonly pid: number
  ask(what: string, given?: unknown): Promise<unknown>
  end(): Promise<void>
}

export function startAsked(
  file: URL,
  environment: Readonly<Record<string, string | undefined>> = {},
  execArgv: readonly string[] = [],
): Asked {
  const child: ChildProcess = fork(file, {
    env: { ...process.env, ...environment },
    execArgv: [...execArgv],
    serialization: 'advanced',
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  child.on('message', (message) => {
    const answer = message as Answer
    waiting.get(answer.answers)?.(answer)
    waiting.delete(answer.answers)
  })
  let asked = 0
  let over = false
  const ended = once(child, 'exit').then(() => {
    over = true
    for (const [id, tell] of waiting) tell({ answers: id, problem: `${file.pathname} ended` })
  })
  return {
    pid: child.pid ?? 0,
    ask: (what, given) =>
      new Promise((resolve, reject) => {
        if (over) return reject(new Error(`${file.pathname} ended`))
        const id = asked++
        waiting.set(id, ({ problem, value }) =>
          problem === undefined ? resolve(value) : reject(new Error(problem)),
        )
        child.send({ ask: id, what, with: given } satisfies Question)
      }),
    async end() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The other side; to `cpu` it answers how many milliseconds of a processor it had. It ends with the process that forked it. */
export function answerQuestions(answers: Readonly<Record<string, (given: unknown) => unknown>>): void {
  process.on('message', (message) => {
    const { ask, what, with: given } = message as Question
    const tell = (answer: Omit<Answer, 'answers'>): void => {
      process.send?.({ answers: ask, ...answer })
    }
    Promise.resolve()
      .then(() => (what === 'cpu' ? cpuMs() : answers[what]?.(given)))
      .then(
        (value) => tell({ value }),
        (error: unknown) => tell({ problem: error instanceof Error ? (error.stack ?? '') : String(error) }),
      )
  })
  process.on('disconnect', () => process.exit(0))
}
