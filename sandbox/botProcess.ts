/** The real bot as a process of its own, started against the local Azure and Teams, killed and started again. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type LogLine = { at: string; level: string; event: string } & Record<string, unknown>
export type BotProcess = {
  /** Where it listens. */
  readonly url: string
  /** Where it answers a platform's probes. */
  readonly probes: string
  readonly pid: number
  /** The lines of its log so far. */
  readonly log: readonly LogLine[]
  /** All that it wrote so far, on both of its streams, as it wrote it. */
  output(): string
  /** Resolves when it has ended, by whatever. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Moves its clock on, as time does. */
  turn(ms: number): Promise<void>
  /** Sets its clock, forth or back. */
  jump(ms: number): Promise<void>
  /** Ends it as a platform would: SIGTERM, and SIGKILL when it does not go. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** From source; or, where that is asked for, what `npm run build` made of it. */
const main = fileURLToPath(
  new URL(process.env.VAULTLINK_BUILT === '1' ? '../dist/start.js' : '../src/start.js', import.meta.url),
)

/** Starts the bot; resolves when it listens, rejects with its last words when it ends before. */
export async function startBot(
  environment: Readonly<Record<string, string>>,
  onLine?: (line: LogLine) => void,
): Promise<BotProcess> {
  const { PATH = '', HOME = '' } = process.env
  const child = fork(main, [], {
    env: { PATH, HOME, PROBE_PORT: '0', ...environment },
    // As npm start does: less is held.
    execArgv: ['--expose-gc', '--max-semi-space-size=8', '--max-old-space-size=512'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const log: LogLine[] = []
  const complaints: string[] = []
  const written: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => written.push(chunk.toString()))
  // Its end and the last line of its log: a process may be gone before what it wrote is read.
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  const listening = new Promise<LogLine>((resolve) => {
    if (!child.stdout) throw new Error('The bot has no standard output')
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = parse(text)
      if (!line) return void complaints.push(text)
      log.push(line)
      onLine?.(line)
      if (line.event === 'listening') resolve(line)
    })
  })
  child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk.toString()))
  const first = await Promise.race([listening, ended])
  if (!('event' in first)) throw new Error(`The bot ended before it listened:\n${complaints.join('')}`)
  return {
    url: String(first.url),
    probes: String(first.probes),
    pid: child.pid ?? 0,
    log,
    output: () => written.join(''),
    ended,
    turn: (ms) => tell(child, { turn: ms }, ended),
    jump: (ms) => tell(child, { jump: ms }, ended),
    async stop() {
      child.kill('SIGTERM')
      const cut = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(cut)
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function tell(child: ChildProcess, what: object, ended: Promise<unknown>): Promise<void> {
  if (!child.connected) return
  const turned = once(child, 'message')
  child.send(what)
  await Promise.race([turned, ended])
}

function parse(text: string): LogLine | undefined {
  try {
    const line: unknown = JSON.parse(text)
    return typeof line === 'object' && line !== null && 'event' in line ? (line as LogLine) : undefined
  } catch {
    return undefined
  }
}
