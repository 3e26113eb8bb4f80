import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The local Azure as `npm run sandbox:azure` runs it, in a process of its own. */
export type SandboxProcess = {
  readonly url: string
  readonly identity: { tokenFor(objectId: string): Promise<string> }
  /** On stderr, so far. */
  complaints(): string
  /** The line on stdout that looks so, once it is there. */
  line(wanted: RegExp): Promise<string>
  /** Ends it; resolves with its exit code, or with nothing where the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

const serve = fileURLToPath(new URL('../../sandbox/serve.ts', import.meta.url))
const running = new Set<SandboxProcess>()

/** For `afterEach`: whatever a test left running. */
export const endAll = async (): Promise<void> => {
  await Promise.all([...running].map((one) => one.end('SIGKILL')))
}

type Ended = { code: number | null; said: string }

/** Starts it on a free port; what it has to say where it ends before it listens. */
export const startSandbox = (...options: string[]): Promise<SandboxProcess | Ended> =>
  startSandboxIn({}, ...options)

export async function startSandboxIn(
  environment: Readonly<Record<string, string>>,
  ...options: string[]
): Promise<SandboxProcess | Ended> {
  const child = spawn(process.execPath, [serve, '--only', 'azure', '--port', '0', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const lines: string[] = []
  const output = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const lineLike = (wanted: RegExp): Promise<string> =>
    new Promise((resolve) => {
      const look = (line: string): void => {
        if (!wanted.test(line)) return
        output.off('line', look)
        resolve(line)
      }
      output.on('line', look)
      for (const line of lines) look(line)
    })
  const address = /http:\/\/127\.0\.0\.1:\d+/
  const listening = lineLike(address).then((line) => address.exec(line)?.[0] ?? line)
  const first = await Promise.race([listening, ended])
  if (typeof first !== 'string') return { code: first, said }
  const sandbox: SandboxProcess = {
    url: first,
    identity: {
      async tokenFor(objectId) {
        const answer = await fetch(`${first}/_sandbox/token?principal=${objectId}`)
        const { access_token } = (await answer.json()) as { access_token: string }
        return access_token
      },
    },
    complaints: () => said,
    line: lineLike,
    async end(signal) {
      running.delete(sandbox)
      child.kill(signal)
      return ended
    },
  }
  running.add(sandbox)
  return sandbox
}

/** Resolves once the condition holds; looked at whenever something in the file's folder changes. */
export function untilFile(path: string, holds: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      watcher.close()
      clearTimeout(cut)
      end()
    }
    const look = (): void => {
      if (holds()) settle(resolve)
    }
    const watcher = watch(dirname(path), look)
    const cut = setTimeout(() => settle(() => reject(new Error(`${path} did not come to this`))), 20_000)
    look()
  })
}
