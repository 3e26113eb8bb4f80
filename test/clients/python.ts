/** The Python SDKs against the local Azure: the script plays the steps, this side watches which requests each makes. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { member } from '../../sandbox/azure/routes.ts'
import type { Azure } from '../../sandbox/azure/server.ts'
import { bot, people, subscriptions } from '../../sandbox/seed.ts'
import { vaultPath } from '../sandbox-azure/clients.ts'
import { createRecorder, type Step } from './record.ts'

const script = fileURLToPath(new URL('python.py', import.meta.url))
/** Debian's own, which the Azure CLI brings; another python3 may come first on the path. */
const python = '/usr/bin/python3'
const deadlineMs = 120_000

/** The SDKs' versions in words, or undefined where they are not installed. */
export async function pythonVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(python, [script, '--version'], { timeout: deadlineMs })
    return stdout.trim()
  } catch (error) {
    if (error instanceof Error && /ENOENT|ModuleNotFoundError/.test(error.message)) return undefined
    throw error
  }
}

export async function runPython(azure: Azure, version: string, onStep: (step: Step) => void): Promise<void> {
  if (!azure.tls) throw new Error('The Python SDKs need TLS')
  azure.rights.grant(people.owner.objectId, 'contributor', vaultPath())
  azure.rights.grant(bot.objectId, 'contributor', vaultPath())
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-python-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, azure.tls.ca)
  const { step } = createRecorder(azure, version, onStep)
  const child = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: deadlineMs,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      REQUESTS_CA_BUNDLE: caFile,
      ENDPOINT: azure.tls.url,
      CLIENT_ID: bot.appId,
      CLIENT_SECRET: bot.secret,
      SUBSCRIPTION: subscriptions.main.id,
      VAULT_ID: vaultPath(),
    },
  })
  const ended = once(child, 'close')
  try {
    // A line names the step that comes next and waits to be let go; the line after it tells how it went.
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => {
      const { value, done } = await lines.next()
      return done ? undefined : JSON.parse(value)
    }
    for (let named = await next(); named !== undefined; named = await next()) {
      await step(String(member(named, 'step')), async () => {
        child.stdin.write('\n')
        const told = await next()
        const outcome = member(told, 'outcome')
        if (typeof outcome === 'string') return outcome
        throw new Error(String(member(told, 'failed') ?? 'The script ended'))
      })
    }
    const [code] = await ended
    if (code !== 0) throw new Error(`The script ended with ${code}`)
  } finally {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}
