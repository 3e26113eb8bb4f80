import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { unzipSync } from 'fflate'
import { readArguments } from '../../scripts/package.ts'

const script = fileURLToPath(new URL('../../scripts/package.ts', import.meta.url))
const appId = '8f3b1c52-0d6e-4a97-9c41-2e7d5a60b913'
const source = (name: string) => readFile(new URL(`../../appPackage/${name}`, import.meta.url))
const read = (...argv: string[]) => readArguments(argv, '0.1.0')

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-package-'))
})
afterAll(() => rm(folder, { recursive: true }))

const run = (...argv: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(process.execPath, [script, ...argv], { cwd: folder }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err })
    })
  })

describe('the zip', () => {
  test('holds the manifest and both icons at its root and nothing else; made again it is the same', async () => {
    const argv = ['--app-id', appId.toUpperCase(), '--domain', 'Bot.Contoso.com', '--version', '2.3.4']
    const first = await run(...argv, '--out', 'new/one.zip')
    expect(first).toEqual({ code: 0, out: expect.stringContaining('new/one.zip: Vaultlink 2.3.4'), err: '' })
    await run(...argv)
    const bytes = await readFile(join(folder, 'new/one.zip'))
    expect(await readFile(join(folder, 'dist/vaultlink-2.3.4.zip'))).toEqual(bytes)
    // The first file's time in DOS form: 1 January 1980, 0 h, so that two runs cannot differ by the clock.
    expect(bytes.readUInt32LE(10)).toBe(0x00210000)

    const files = unzipSync(bytes)
    expect(Object.keys(files).sort()).toEqual(['color.png', 'manifest.json', 'outline.png'])
    for (const name of ['color.png', 'outline.png']) {
      expect(Buffer.from(files[name] ?? []).equals(await source(name))).toBe(true)
    }
    const text = Buffer.from(files['manifest.json'] ?? []).toString('utf8')
    expect(text).not.toMatch(/\{\{|\}\}/)
    const template = (await source('manifest.json')).toString('utf8')
    expect(JSON.parse(text)).toEqual(
      JSON.parse(
        template
          .replaceAll('{{APP_ID}}', appId)
          .replaceAll('{{DOMAIN}}', 'bot.contoso.com')
          .replaceAll('{{VERSION}}', '2.3.4')
          .replaceAll('{{WEBSITE_URL}}', 'https://bot.contoso.com/')
          .replaceAll('{{PRIVACY_URL}}', 'https://bot.contoso.com/privacy')
          .replaceAll('{{TERMS_URL}}', 'https://bot.contoso.com/terms'),
      ),
    )
  })

  test('a bad argument writes nothing, says what to write and leaves with 2', async () => {
    const before = await readdir(folder)
    const { code, out, err } = await run(
      '--app-id',
      appId,
      '--domain',
      'https://bot.contoso.com/api/messages',
    )
    expect([code, out]).toEqual([2, ''])
    expect(err).toBe(
      '--domain "https://bot.contoso.com/api/messages" is no public host name. ' +
        'Write the host alone, no https://, port or path: --domain bot.contoso.com\n',
    )
    expect(await readdir(folder)).toEqual(before)
  })

  test('a place where nothing can be written is one sentence and leaves with 1', async () => {
    const { code, err } = await run(
      '--app-id',
      appId,
      '--domain',
      'bot.contoso.com',
      '--out',
      join(script, 'x.zip'),
    )
    expect(code).toBe(1)
    expect(err).toMatch(/^No package was written: .*\n$/)
  })
})

describe('the command line', () => {
  const good = ['--app-id', appId, '--domain', 'bot.contoso.com']

  test('needs an app id and a domain; the rest has defaults', () => {
    expect(read(...good)).toEqual({
      is: 'wanted',
      out: 'dist/vaultlink-0.1.0.zip',
      wanted: {
        appId,
        domain: 'bot.contoso.com',
        version: '0.1.0',
        website: 'https://bot.contoso.com/',
        privacy: 'https://bot.contoso.com/privacy',
        terms: 'https://bot.contoso.com/terms',
      },
    })
    expect(read(...good, '--privacy=https://contoso.com/p?a=1')).toMatchObject({
      wanted: { privacy: 'https://contoso.com/p?a=1' },
    })
    expect(read('--help')).toEqual({ is: 'help' })
  })

  test('takes the application that owners are signed in to', () => {
    const id = '8f3b1c52-0d6e-4a97-9c41-2e7d5a60b914'
    expect(read(...good, '--approver-app-id', id.toUpperCase())).toMatchObject({
      wanted: { approver: { id, resource: `api://botid-${appId}` } },
    })
    const resource = `api://bot.contoso.com/${id}`
    expect(read(...good, '--approver-app-id', id, '--approver-app-uri', resource)).toMatchObject({
      wanted: { approver: { id, resource } },
    })
  })

  test.each<[string, string[], string[]]>([
    ['nothing', [], ['--app-id is missing.', '--domain is missing.']],
    ['no GUID', ['--app-id', 'vaultlink', '--domain', 'b.de'], ['--app-id "vaultlink" is no GUID.']],
    [
      'an address',
      [...good.slice(0, 3), 'https://b.de:8443/x'],
      ['--domain "https://b.de:8443/x" is no public'],
    ],
    ['a port', [...good.slice(0, 3), 'b.de:443'], ['--domain "b.de:443" is no public']],
    ['this machine', [...good.slice(0, 3), 'localhost'], ['--domain "localhost" is no public']],
    ['a number', [...good.slice(0, 3), '10.0.0.1'], ['--domain "10.0.0.1" is no public']],
    ['all hosts', [...good.slice(0, 3), '*.contoso.com'], ['--domain "*.contoso.com" is no public']],
    ['a pre-release', [...good, '--version', '1.0.0-rc.1'], ['--version "1.0.0-rc.1" is not x.y.z.']],
    ['http', [...good, '--terms', 'http://b.de/t'], ['--terms "http://b.de/t" is no https address.']],
    ['a folder', [...good, '--out', 'here'], ['--out "here" is no zip file. Write --out here/vaultlink.zip']],
    [
      'an application that is none',
      [...good, '--approver-app-id', 'approvals', '--approver-app-uri', 'approvals'],
      ['--approver-app-id "approvals" is no GUID.', '--approver-app-uri "approvals" is no Application'],
    ],
    [
      'a URI without its application',
      [...good, '--approver-app-uri', 'api://approvals'],
      ['--approver-app-uri stands without --approver-app-id.'],
    ],
    ['an unknown name', [...good, '--force'], ['--force is not known.']],
    ['no value', ['--app-id', '--domain', 'b.de'], ['--app-id has no value.']],
    ['twice', [...good, '--domain', 'c.de'], ['--domain is there twice.']],
    ['a stray word', [...good, 'x.zip'], ['"x.zip" stands alone.']],
  ])('%s gets a sentence for each thing that is wrong', (_what, argv, starts) => {
    const answer = read(...argv)
    if (answer.is !== 'problems') throw new Error(`taken: ${JSON.stringify(answer)}`)
    expect(answer.sentences).toEqual(
      starts.map((start) => expect.stringMatching(new RegExp(`^${escaped(start)}`))),
    )
  })

  test('whatever is written, it answers; what it takes is safe to put in a manifest', () => {
    const word = fc.oneof(
      fc.constantFrom('--app-id', '--domain', '--out', '--version', '--privacy', '--', '-h', '=', ...good),
      fc.string({ unit: 'binary' }),
      fc.domain(),
      fc.webUrl(),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
        const answer = read(...argv)
        if (answer.is === 'problems') expect(answer.sentences.length).toBeGreaterThan(0)
        if (answer.is !== 'wanted') return
        expect(answer.wanted.domain).toMatch(/^[a-z0-9.-]+$/)
        expect(answer.wanted.privacy).toMatch(/^https:\/\//)
      }),
      { numRuns: 300 },
    )
  })
})

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
