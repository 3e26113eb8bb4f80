/** What `npm run build` makes, where nothing of the project is but that. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
let place: string
const environment = (): NodeJS.ProcessEnv => ({
  PORT: '0',
  PROBE_PORT: '0',
  DATABASE_URL: join(place, 'vaultlink.db'),
  MicrosoftAppId: '00000000-0000-4000-8000-000000000001',
  MicrosoftAppTenantId: '00000000-0000-4000-8000-000000000002',
})

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'vaultlink-built-'))
  await run(process.execPath, [here('../scripts/build.ts')], { cwd: here('..') })
  await cp(here('../dist'), join(place, 'dist'), { recursive: true })
})
afterAll(() => rm(place, { recursive: true, force: true }))

test('starts, asks for a token, and leaves', async () => {
  const bot = spawn(process.execPath, [join(place, 'dist/start.js')], { env: environment(), stdio: 'pipe' })
  const left = once(bot, 'exit')
  try {
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: bot.stdout }).on('line', (line) => {
        const { event, url } = JSON.parse(line)
        if (event === 'listening') resolve(url)
      })
      left.then(() => reject(new Error('It ended before it listened')), reject)
    })
    const headers = { 'content-type': 'application/json' }
    expect((await fetch(`${url}/api/messages`, { method: 'POST', headers, body: '{}' })).status).toBe(401)
  } finally {
    bot.kill('SIGTERM')
  }
  expect(await left).toEqual([0, null])
})

test('and its audit log can be read', async () => {
  const { stdout } = await run(process.execPath, [join(place, 'dist/audit.js'), 'verify'], {
    env: environment(),
  })
  expect(stdout).toContain('is as it was written')
})
