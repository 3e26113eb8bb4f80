import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { nameless, namelessCause } from '../../src/link/causes.ts'
import type { Fact } from '../../src/link/link.ts'
import {
  bears,
  decisionMessage,
  isOurs,
  matchConnection,
  pinnedAmong,
  requestMessage,
  withoutWords,
} from '../../src/link/match.ts'
import { parseResourceId } from '../../src/link/resourceId.ts'
import {
  asked,
  at,
  connection,
  connectionId,
  endpoint,
  given,
  home,
  imitation,
  looked,
  nonce,
  noon,
  onVault,
  otherNonce,
  otherVault,
  own,
  timed,
  vault,
} from './given.ts'

describe('the request message', () => {
  test("words do not bear another request's mark, in no spelling that becomes it in lower case", () => {
    for (const k of ['k', 'K', '\u212A']) {
      const message = requestMessage(`see [vaultlin${k} ${otherNonce}]`, nonce)
      expect(bears(otherNonce, message)).toBe(false)
      expect(bears(nonce, message)).toBe(true)
    }
  })

  test('words of any kind and length: at most 140 UTF-16 units, the mark whole, no half pair', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 })),
        (words) => {
          const message = requestMessage(words, nonce)
          expect(message.length).toBeLessThanOrEqual(140)
          expect(message.endsWith(` [vaultlink ${nonce}]`)).toBe(true)
          expect(bears(nonce, message)).toBe(true)
          expect(message.isWellFormed() || !words.isWellFormed()).toBe(true)
        },
      ),
    )
  })

  test.each([
    ['pairs', '🔑'.repeat(200)],
    ['pairs after an odd letter', `a${'🔑'.repeat(200)}`],
    ['spaces', ' '.repeat(200)],
    ['a long word', 'x'.repeat(500)],
  ])('%s', (_what, words) => {
    const message = requestMessage(words, nonce)
    expect(message.length).toBeLessThanOrEqual(140)
    expect(message.isWellFormed()).toBe(true)
  })

  test('no words, or only spaces: what the documentation says', () => {
    for (const words of [undefined, '', '  \n'])
      expect(requestMessage(words, nonce)).toBe(`please approve [vaultlink ${nonce}]`)
  })

  test('short words stand as they are', () => {
    expect(requestMessage(' custom domain ', nonce)).toBe(`custom domain [vaultlink ${nonce}]`)
  })

  test('words that look like a mark are not taken for ours', () => {
    expect(bears(nonce, requestMessage(`[vaultlink ${nonce}]`.slice(0, -2), otherNonce))).toBe(false)
  })

  test("words cannot carry somebody else's mark", () => {
    expect(bears(nonce, requestMessage(`x [vaultlink ${nonce}]`, otherNonce))).toBe(false)
    expect(bears(nonce, requestMessage(`x [VAULTLINK ${nonce}]`, otherNonce))).toBe(false)
  })

  test('a decision repeats the mark', () => {
    for (const verdict of ['approve', 'reject'] as const) {
      const message = decisionMessage(verdict, nonce)
      expect(bears(nonce, message)).toBe(true)
      expect(message.length).toBeLessThanOrEqual(140)
    }
  })
})

describe('the mark', () => {
  test.each([
    [`please approve [vaultlink ${nonce}]`, true],
    [`PLEASE APPROVE [VAULTLINK ${nonce.toUpperCase()}]`, true],
    [`[vaultlink ${nonce}] and more`, true],
    [`[vaultlink ${otherNonce}]`, false],
    [`[vaultlink ${nonce.slice(0, -1)}]`, false],
    [`[vaultlink ${nonce}0]`, false],
    [nonce, false],
    ['please approve', false],
    ['', false],
  ])('%s', (text, expected) => {
    expect(bears(nonce, text)).toBe(expected)
  })
})

describe('what a look showed', () => {
  const person = "The client 'noor.haddad@contoso.com' with object id 'a0000000-0000-4000-8000-00000000000b'"

  test("is kept without people's words and names", () => {
    const refused = { cause: 'refused', code: 'Denied', message: `${person} was denied.` } as const
    const theirs = own({ requestMessage: 'because of Noor' })
    if (theirs.is !== 'present') throw new Error('It is there')
    const words = looked({
      own: own({ requestMessage: `because of Noor [vaultlink ${nonce}]` }),
      rivals: [theirs.value],
      connections: onVault(connection('Pending', { description: `Noor says [vaultlink ${nonce}]` })),
      operation: { status: 'Failed', code: 'Denied', message: `${person} was denied.` },
    })
    const hiddenBy = looked({
      own: { is: 'hidden', cause: refused },
      connections: { is: 'hidden', cause: refused },
    })
    for (const step of [words, hiddenBy]) {
      const { seen } = timed(step, noon) as Fact & { fact: 'observed' }
      const kept = withoutWords(nonce, seen)
      expect(JSON.stringify(kept)).not.toMatch(/noor|a0000000/i)
      // What the record follows is all still there.
      const strip = (text: string) => text.replaceAll(/"(requestMessage|description|message)":"[^"]*"/g, '')
      expect(strip(JSON.stringify(kept))).toBe(strip(JSON.stringify(seen)))
      expect(withoutWords(nonce, kept)).toEqual(kept)
    }
    const { seen } = timed(words, noon) as Fact & { fact: 'observed' }
    const kept = withoutWords(nonce, seen)
    expect(kept.own).toMatchObject({ value: { requestMessage: `[vaultlink ${nonce}]` } })
    expect(kept.connections).toMatchObject({ value: [{ description: `[vaultlink ${nonce}]` }] })
  })

  test.each([
    [`${person} was denied.`, "The client '…' with object id '…' was denied."],
    ['Ask noor@contoso.com, or sam@contoso.com.', 'Ask …, or ….'],
    ['live.com#sam@outlook.com has no access', '… has no access'],
    ["The user '(object id: a0000000-0000-4000-8000-00000000000b)'", "The user '(object id: …)'"],
    [
      "Resource '/subscriptions/00000000-0000-0000-0000-000000000000' was disallowed by policy.",
      "Resource '/subscriptions/00000000-0000-0000-0000-000000000000' was disallowed by policy.",
    ],
    ['The quota of 5 is used up @ westeurope', 'The quota of 5 is used up @ westeurope'],
  ])('%s', (message, expected) => {
    expect(nameless(message)).toBe(expected)
    expect(namelessCause({ cause: 'refused', code: 'x', message })).toEqual({
      cause: 'refused',
      code: 'x',
      message: expected,
    })
  })
})

describe('the link of ours', () => {
  const found = (change: object) => {
    const sighting = own(change)
    return sighting.is === 'present' && isOurs(given(), sighting.value)
  }
  test.each([
    ['our target and our mark', {}, true],
    ['the target in other letters', { target: vault.toUpperCase() }, true],
    ['another target', { target: otherVault }, false],
    ['another mark', { requestMessage: `[vaultlink ${otherNonce}]` }, false],
    ['no message', { requestMessage: '' }, false],
    ['no target', { target: '' }, false],
  ])('%s', (_what, change, expected) => {
    expect(found(change)).toBe(expected)
  })
})

describe('the connection of ours', () => {
  const link = at('Provisioning')
  test.each([
    ['none', [], { is: 'none' }],
    ['only those of others', [connection('Pending', { description: 'please approve' })], { is: 'none' }],
    [
      'only those of another link',
      [connection('Pending', { description: `[vaultlink ${otherNonce}]` })],
      { is: 'none' },
    ],
    ['ours', [connection()], { is: 'one', connection: connection() }],
    [
      'ours among others',
      [imitation({ description: 'x' }), connection()],
      { is: 'one', connection: connection() },
    ],
    ['two', [connection(), imitation()], { is: 'several', count: 2 }],
    ['two, one decided', [connection('Rejected'), imitation()], { is: 'several', count: 2 }],
    [
      'an endpoint in our subscription',
      [connection('Pending', { privateEndpoint: endpoint('e', home) })],
      { is: 'strange' },
    ],
    [
      'an endpoint in our subscription, in other letters',
      [connection('Pending', { privateEndpoint: endpoint('e', home).toUpperCase() })],
      { is: 'strange' },
    ],
  ])('%s', (_what, connections, expected) => {
    expect(matchConnection(link, connections)).toEqual(expected)
  })

  test("the vault's subscription is ours too", () => {
    const elsewhere = vault.replace(home, '22222222-0000-4000-8000-000000000002')
    const other = { ...link, asked: { ...asked, vault: elsewhere } }
    const strange = connection('Pending', {
      privateEndpoint: endpoint('e', parseResourceId(elsewhere)?.subscription),
    })
    expect(matchConnection(other, [strange])).toEqual({ is: 'strange' })
  })

  test('the pinned one is found by its id, in whatever letters, and nothing is before the match', () => {
    const ours = { ...connection(), id: connectionId('ours').toUpperCase() }
    expect(pinnedAmong(at('Pending'), [imitation(), ours])).toBe(ours)
    expect(pinnedAmong(at('Pending'), [imitation()])).toBeUndefined()
    expect(pinnedAmong(link, [connection()])).toBeUndefined()
  })
})
