/** The log as another process reads it: lines on standard output. */
import { spawnSync } from 'node:child_process'
import { expect, test } from '@jest/globals'
import { errorFields } from '../src/log.ts'

/** What a process writes that makes a log, does what is written here, and ends. */
function lines(program: string): { readonly out: readonly Record<string, unknown>[]; readonly all: string } {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `import { createLog } from './src/log.ts'\n${program}`],
    { encoding: 'utf8' },
  )
  expect(stderr).toBe('')
  return {
    out: stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    all: stdout,
  }
}

test('a line has its time by the clock that is given, its level as a word, its event, and its fields', () => {
  const { out } = lines(`
    const log = createLog(() => Date.UTC(2026, 10, 26))
    log('info', 'listening', { url: 'http://127.0.0.1:1', nothing: undefined, count: 2, is: true })
    log('error', 'broken', { link: 'x' }, Object.assign(new TypeError('words'), { code: 'E_CODE', statusCode: 401 }))
    process.kill(process.pid, 'SIGKILL')`)
  expect(out).toEqual([
    {
      at: '2026-11-26T00:00:00.000Z',
      level: 'info',
      event: 'listening',
      url: 'http://127.0.0.1:1',
      count: 2,
      is: true,
    },
    {
      at: '2026-11-26T00:00:00.000Z',
      level: 'error',
      event: 'broken',
      link: 'x',
      error: 'TypeError',
      code: 'E_CODE',
      status: 401,
      thrown: expect.stringMatching(/^at /),
    },
  ])
})

test('what looks like a secret is taken out, wherever it stands, and the line is still JSON', () => {
  const secret = 'a"secret\\\\with\\u00e4 all&sorts'
  const { out, all } = lines(`
    const secret = ${JSON.stringify(secret)}
    const log = createLog(Date.now, [secret, ''])
    log('info', 'x', { answer: 'for ' + secret + ' and ' + encodeURIComponent(secret) })
    log('info', secret, { 'eyJhbGciOiJSUzI1NiJ9': 'Bearer abc.def-ghi' })
    log('info', 'x', { answer: 'eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl', by: 'riley.park+x@contoso.example' })
    log('info', 'x', { answer: 'because x [vaultlink 4f7c9e21d0b84c6fa35e7d1890ab2c3d]' })
    log('info', 'x', { token: 'one', authorization: 'two', body: 'three', text: 'four' })
    log('info', 'x', {}, Object.assign(new Error('words'), { name: secret, code: 'of many words' }))
    log('info', 'kept', { conversation: '19:vault-owners@thread.tacv2', link: '4f7c1a90b2d34e5f8a6b7c8d9e0f1a2b' })`)
  for (const leak of [
    secret,
    'sorts',
    'eyJ',
    'abc.def',
    'c2lnbmF0dXJl',
    'riley',
    '4f7c9e21',
    '"one"',
    '"two"',
    '"three"',
    '"four"',
    'words',
  ])
    expect(all).not.toContain(leak)
  expect(out.at(-1)).toMatchObject({
    conversation: '19:vault-owners@thread.tacv2',
    link: '4f7c1a90b2d34e5f8a6b7c8d9e0f1a2b',
  })
})

test('of what is thrown and is no error, only that', () => {
  expect(errorFields('a sentence')).toEqual({ error: 'string' })
  expect(errorFields(undefined)).toEqual({ error: 'undefined' })
})
