import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, tenantId } from '../../sandbox/seed.ts'
import { call } from './clients.ts'
import { endAll, startSandbox } from './sandboxProcess.ts'

let folder: string
/** The process group that a test left running. */
let left: number | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-'))
})
afterEach(async () => {
  await endAll()
  if (left !== undefined) process.kill(-left, 'SIGKILL')
  left = undefined
  rmSync(folder, { recursive: true, force: true })
})

describe('an option that will not do', () => {
  let other: Azure
  beforeEach(async () => {
    other = await startAzure()
  })
  afterEach(() => other.close())

  const options = (): [given: string[], said: RegExp][] => {
    const taken = String(other.port)
    const nowhere = join(folder, 'nowhere')
    return [
      [['--prot', '1'], /^Unknown option '--prot'.*\nThe options are --only, --port, .*--save\.\n$/],
      [['4100'], /^Unexpected argument '4100'.*\nThe options are /],
      [['--port', 'x'], /^--port cannot be "x"; write a port, or 0 for any that is free\n$/],
      [['--tls-port', '65536'], /^--tls-port cannot be "65536"/],
      [
        ['--port', taken],
        new RegExp(`^Port ${taken} is in use; name another one, or 0 for any that is free\n$`),
      ],
      [['--tls-port', taken], new RegExp(`^Port ${taken} is in use`)],
      [['--ca-out', join(folder, 'ca.pem')], /^--ca-out is for the authority of TLS: .*--tls-port\n$/],
      [['--tls-port', '0', '--ca-out', join(nowhere, 'ca.pem')], /^ENOENT: .*nowhere.ca\.pem'\n$/],
      [['--openapi', nowhere], /^ENOENT: .*nowhere'\n$/],
    ]
  }

  test('ends the start with what to write instead, and no stack', async () => {
    const ended = await Promise.all(
      options().map(async ([given, said]) => ({ given, said, sandbox: await startSandbox(...given) })),
    )
    for (const { given, said, sandbox } of ended) {
      if (!('said' in sandbox)) throw new Error(`It started with ${given.join(' ')}`)
      expect({ given, ...sandbox }).toEqual({ given, code: 1, said: expect.stringMatching(said) })
    }
  })
})

test('--tls-port answers over TLS, and --ca-out names the authority to trust for it', async () => {
  const file = join(folder, 'ca.pem')
  const sandbox = await startSandbox('--tls-port', '0', '--ca-out', file)
  if ('said' in sandbox) throw new Error(sandbox.said)
  const [, port] = /https:\/\/localhost:(\d+)/.exec(await sandbox.line(/^over TLS/)) ?? []
  const ask = (ca?: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request({ host: 'localhost', port, path: '/metadata/endpoints', ca }, (reply) => {
        reply.resume()
        resolve(reply.statusCode)
      })
      asked.on('error', reject).end()
    })
  await expect(ask()).rejects.toThrow(/certificate/)
  expect(await ask(readFileSync(file, 'utf8'))).toBe(200)
})

test('who can sign in is printed, with what', async () => {
  const sandbox = await startSandbox()
  if ('said' in sandbox) throw new Error(sandbox.said)
  expect(await sandbox.line(/in the tenant/)).toContain(tenantId)
  expect(await sandbox.line(/owner@/)).toContain(' owner@contoso.example sandbox-password ')
  expect(await sandbox.line(/ application /)).toContain(` ${bot.appId} ${bot.secret} `)
})

test('a SIGTERM of npm ends what npm started, which keeps its world first', async () => {
  const file = join(folder, 'kept.json')
  const npm = spawn('npm', ['run', 'sandbox:azure', '--', '--port', '0', '--seed', file, '--save', file], {
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit'],
    // A group of its own, so that nothing is left behind where this fails.
    detached: true,
  })
  // Its output closes when the last process that holds it is gone.
  const gone = once(npm, 'close')
  left = npm.pid
  const url = await new Promise<string>((resolve) =>
    createInterface({ input: npm.stdout }).on('line', (line) => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0]
      if (found !== undefined) resolve(found)
    }),
  )
  const body = { signalr: 'contoso-signalr', vault: 'contoso-kv', link: 'last' }
  const anybody = { url, identity: { tokenFor: async () => '' } }
  const answer = await call(anybody, 'POST', '/_sandbox/portal/createLink', { body })
  expect(answer.body).toEqual({ ok: true })
  npm.kill('SIGTERM')
  await gone
  left = undefined
  expect(readFileSync(file, 'utf8')).toContain('"last"')
})
