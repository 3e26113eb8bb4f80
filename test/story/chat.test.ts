/** `npm run chat` behind a pipe: a line at a time, each after what the last one led to. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'

const { PATH, HOME, SANDBOX_OPENAPI, SANDBOX_CONFORMITY } = process.env
const script = fileURLToPath(new URL('../../sandbox/chat.ts', import.meta.url))

type Run = { readonly code: number | null; readonly output: string; readonly errors: string }
function chat(lines: readonly string[], ...options: string[]): Promise<Run> {
  const child = spawn(process.execPath, [script, ...options], {
    env: { PATH, HOME, SANDBOX_OPENAPI, SANDBOX_CONFORMITY },
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdin.end(`${lines.join('\n')}\n`)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output, errors })))
}

describe('the chat', () => {
  let told: Run
  let events: Run
  beforeAll(async () => {
    ;[told, events] = await Promise.all([
      chat([
        'help',
        'owner> own contoso-kv',
        'requester> link contoso-signalr to contoso-kv because custom domain certificate',
        'in vault-owners',
        'press Approve… / Yes, approve',
        'owner> press Approve… / Yes, approve',
        'requester> in general',
        'reply status',
        'frobnicate the vault',
        'somebody> hello',
        'press No such button',
        'azure> dance contoso-kv',
        'azure> approve no-such-kv',
        'clock> soon',
        'clock> +3d',
        'quit',
        'link contoso-signalr to contoso-certs',
      ]),
      // No "quit": the end of the pipe ends it too.
      chat(
        [
          'owner> own contoso-kv',
          'azure> set propagatesMs 100',
          'requester> link contoso-signalr to contoso-kv',
          'owner> press Reject… / Yes, reject with reason=use contoso-certs',
          'requester> link contoso-signalr to contoso-kv',
          'azure> approve contoso-kv',
          'nobody> hello',
        ],
        '--json',
      ),
    ])
  }, 180_000)

  test('obeys people, the portal and the clock, and says what it does not understand', () => {
    expect({ code: told.code, errors: told.errors }).toEqual({ code: 0, errors: '' })
    const { output } = told
    for (const what of [
      /^ {2}owner> own contoso-kv +become somebody/m,
      /This channel decides for contoso-kv from now on/,
      /^ Riley Park +presses Approve… \/ Yes, approve/m,
      /\(only Riley Park sees\) You asked for this link, so somebody else has to approve it/,
      /@Riley Park contoso-signalr can now reach contoso-kv privately\. Approved by Noor Haddad/,
      /contoso-signalr to contoso-kv \(kv-contoso-kv\): Approved by Noor Haddad/,
      /I didn't get that\. Try: /,
      /^There is no somebody here\. People: requester, owner/m,
      /^No card in general has a button No such button\.$/m,
      /^The portal knows approve, reject/m,
      /^There is no no-such-kv$/m,
      /^Write how much time passes: \+30s/m,
      /^3d later$/m,
    ])
      expect(output).toMatch(what)
    // After "quit" nothing is done.
    expect(output).not.toContain('contoso-certs')
    expect(output).not.toMatch(/undefined|\[object/)
    expect(output).not.toContain('\u001b')
  })

  test('prints events as JSON, one a line', () => {
    expect({ code: events.code, errors: events.errors }).toEqual({ code: 0, errors: '' })
    const lines = events.output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    for (const line of lines)
      expect(line).toEqual(
        expect.objectContaining({
          at: expect.any(Number),
          who: expect.any(String),
          kind: expect.any(String),
        }),
      )
    const effects = lines.flatMap(({ kind, what, by }) =>
      kind === 'effect' ? [`${String(what)} by ${String(by)}`] : [],
    )
    expect(effects.filter((effect) => /bot$|owner$/.test(effect))).toEqual([
      'linkCreated by bot',
      'connectionRejected by bot',
      'linkDeleted by bot',
      'linkCreated by bot',
      'connectionApproved by owner',
    ])
    const replies = lines.flatMap(({ kind, text }) =>
      kind === 'replies' && typeof text === 'string' ? [text] : [],
    )
    expect(replies).toContainEqual(expect.stringContaining('"use contoso-certs"'))
    expect(replies).toContainEqual(expect.stringContaining('Approved in the Azure portal'))
    expect(lines.at(-1)).toMatchObject({
      who: 'chat',
      kind: 'note',
      text: expect.stringMatching(/^There is no nobody/),
    })
  })
})
