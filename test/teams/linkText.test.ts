import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { distance } from '../../src/link/names.ts'
import { commands, understand } from '../../src/teams/commands/index.ts'
import { parseLink, parsePair } from '../../src/teams/commands/linkText.ts'
import { nearest } from '../../src/teams/commands/nearest.ts'
import { evened, words } from '../../src/teams/typedText.ts'
import { unique } from '../../src/teams/unique.ts'

const signalr = 'contoso-signalr'
const vault = 'contoso-kv'
const id =
  '/subscriptions/0000/resourceGroups/contoso/providers/Microsoft.SignalRService/SignalR/contoso-signalr'

describe('link <signalr> to <vault> [as <name>] [because <reason>]', () => {
  test.each([
    ['contoso-signalr to contoso-kv', { is: 'whole', signalr, vault }],
    ['contoso-signalr TO contoso-kv.', { is: 'whole', signalr, vault }],
    ['  contoso-signalr   to contoso-kv !', { is: 'whole', signalr, vault }],
    ['"contoso-signalr" to “contoso-kv”', { is: 'whole', signalr, vault }],
    ['contoso-signalr → contoso-kv', { is: 'whole', signalr, vault }],
    [`${id} to contoso-kv`, { is: 'whole', signalr: id, vault }],
    [
      `https://portal.azure.com/#@contoso.example/resource${id}/overview to contoso-kv`,
      { is: 'whole', signalr: id, vault },
    ],
    ['contoso-signalr to contoso-kv as mine', { is: 'whole', signalr, vault, as: 'mine' }],
    [
      'contoso-signalr to contoso-kv As mine Because custom domain certificate',
      { is: 'whole', signalr, vault, as: 'mine', reason: 'custom domain certificate' },
    ],
    [
      'contoso-signalr to contoso-kv because we moved it to another vault, as agreed',
      { is: 'whole', signalr, vault, reason: 'we moved it to another vault, as agreed' },
    ],
    [
      'contoso-signalr to contoso-kv because "custom domain"',
      { is: 'whole', signalr, vault, reason: 'custom domain' },
    ],
    ['contoso-signalr to contoso-kv because', { is: 'whole', signalr, vault }],
    ['', { is: 'partial' }],
    ['contoso-signalr', { is: 'partial', signalr }],
    ['contoso-signalr to', { is: 'partial', signalr }],
    ['to contoso-kv', { is: 'partial', vault }],
    ['contoso-signalr contoso-kv', { is: 'partial', signalr, vault }],
    ['contoso-signalr to contoso-kv as', { is: 'partial', signalr, vault }],
    ['because it is needed', { is: 'partial', reason: 'it is needed' }],
    ['contoso-signalr to contoso-kv please', { is: 'tooMany', word: 'please' }],
    ['my signalr to contoso-kv', { is: 'tooMany', word: 'signalr' }],
    ['contoso-signalr to contoso-kv as my link', { is: 'tooMany', word: 'link' }],
  ])('%s', (text, parsed) => {
    expect(parseLink(text)).toEqual(parsed)
  })

  test('a reason of 100 characters fits, one of 101 is refused, never cut', () => {
    const link = 'contoso-signalr to contoso-kv because '
    expect(parseLink(link + 'r'.repeat(100))).toMatchObject({ is: 'whole', reason: 'r'.repeat(100) })
    expect(parseLink(link + 'r'.repeat(101))).toEqual({ is: 'reasonTooLong', length: 101 })
  })

  test('what is called `to` can be said in quotes', () => {
    expect(parsePair('"to" to "as"')).toEqual({ signalr: 'to', vault: 'as' })
  })

  const name = fc
    .stringMatching(/^[a-z][a-z0-9-]{1,20}[a-z0-9]$/)
    .filter((one) => !['to', 'as', 'from'].includes(one))
  const space = fc.constantFrom(' ', '  ', '\u00a0', '\t', ' \n ', '\u2009', '\u200b ')
  const quotes = fc.constantFrom(['', ''], ['"', '"'], ['“', '”'], ["'", "'"], ['`', '`'])
  test('any names, quotes, spaces and casing are read back', () => {
    fc.assert(
      fc.property(
        name,
        name,
        fc.option(name, { nil: undefined }),
        fc.array(space, { minLength: 6, maxLength: 6 }),
        quotes,
        fc.boolean(),
        (from, to, as, [a, b, c, d, e, f], [open, close], upper) => {
          const keyword = (word: string): string => (upper ? word.toUpperCase() : word)
          const text = `${keyword('link')}${a}${open}${from}${close}${b}${keyword('to')}${c}${open}${to}${close}${
            as === undefined ? '' : `${d}${keyword('as')}${e}${as}${f}`
          }`
          const rest = (evened(text) ?? '').slice('link'.length)
          expect(parseLink(rest)).toEqual({
            is: 'whole',
            signalr: from,
            vault: to,
            ...(as !== undefined && { as }),
          })
        },
      ),
    )
  })
})

describe('whatever is typed', () => {
  const typed = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.constantFrom(
          ...[
            'link',
            'status',
            'own',
            'to',
            'as',
            'because',
            '"',
            '“',
            "'",
            '`',
            '<at>',
            '\u0024{x}',
            '{{DATE()}}',
          ],
          ...[
            '/subscriptions/',
            'https://portal.azure.com/#resource/subscriptions/',
            '\u202e',
            '\ud800',
            '👋',
            '|',
          ],
        ),
        { maxLength: 40 },
      )
      .map((parts) => parts.join(' ')),
  )
  test('is read without throwing', () => {
    fc.assert(
      fc.property(typed, (text) => {
        const even = evened(text)
        if (even === undefined) return
        expect(['command', 'unknown']).toContain(understand(even).is)
        for (const command of commands) command.parse(text)
        words(text)
      }),
      { numRuns: 500 },
    )
  })

  test('is read in time that grows with its length alone', () => {
    for (const text of [
      '"'.repeat(2000),
      `link ${'a '.repeat(900)}`,
      '“'.repeat(1999),
      `${'hi '.repeat(600)}x`,
    ])
      expect(['command', 'unknown']).toContain(understand(evened(text) ?? '').is)
  })

  test('is no command when it is longer than 2000 characters', () => {
    expect(evened('x'.repeat(2001))).toBeUndefined()
  })
})

describe('commands', () => {
  test.each(commands.map((command) => [command.name, command] as const))(
    'the example of %s is one',
    (name, command) => {
      expect(command.parse(command.example)).toBeDefined()
      expect(understand(command.example)).toMatchObject({ is: 'command', name })
      expect(understand(`/${command.example.toUpperCase()}`)).toMatchObject({ is: 'command', name })
    },
  )

  test('fit into the manifest: at most 10 in a scope, short titles and descriptions', () => {
    for (const scope of ['personal', 'team', 'groupChat'] as const)
      expect(commands.filter(({ scopes }) => scopes.includes(scope)).length).toBeLessThanOrEqual(10)
    for (const { title, description } of commands) {
      expect(title.length).toBeLessThanOrEqual(32)
      expect(description.length).toBeLessThanOrEqual(128)
    }
  })

  test('of one name refuse to start', () => {
    expect(() => unique('name', [{ name: 'link' }, { name: 'link' }])).toThrow('"link"')
  })

  test.each([
    ['', 'help'],
    ['?', 'help'],
    ['Help!', 'help'],
    ['hi', 'help'],
    ['Good morning 👋', 'help'],
    ['hello Vaultlink!', 'help'],
    ['STATUS', 'status'],
    ['/list', 'list'],
    ['unlink contoso-signalr from contoso-kv', 'unlink'],
  ])('"%s" is %s', (text, name) => {
    expect(understand(text)).toMatchObject({ is: 'command', name })
  })

  test.each([
    ['lnik contoso-signalr to contoso-kv', 'link'],
    ['staus', 'status'],
    ['cancle', 'cancel'],
    ['unlik x', 'unlink'],
    ['disonw contoso-kv', 'disown'],
    ['hlep', 'help'],
    ['please link contoso-signalr to contoso-kv', 'link'],
    ['what is the weather', undefined],
    ['Ελλάδα', undefined],
    ['😀', undefined],
  ])('"%s" probably means %s', (text, near) => {
    expect(understand(text)).toEqual({ is: 'unknown', near })
  })

  test('a swap of neighbours is one edit; the distance is symmetric and at most the longer length', () => {
    expect(distance('lnik', 'link')).toBe(1)
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a))
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance(a, a)).toBe(0)
        expect(nearest(a, [b]) === b || nearest(a, [b]) === undefined).toBe(true)
      }),
    )
  })
})
