/** `npm run demo` as whoever clones the repository runs it. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'

type Run = { readonly code: number; readonly output: string; readonly errors: string }

const { PATH, HOME, SANDBOX_OPENAPI, SANDBOX_CONFORMITY } = process.env
const script = fileURLToPath(new URL('../../sandbox/demo.ts', import.meta.url))
const demo = (...options: string[]): Promise<Run> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [script, ...options],
      { maxBuffer: 64 * 1024 * 1024, env: { PATH, HOME, SANDBOX_OPENAPI, SANDBOX_CONFORMITY } },
      (error, output, errors) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, output, errors }),
    )
  })

type Line = { readonly at: number; readonly who: string; readonly kind: string } & Readonly<
  Record<string, unknown>
>
const linesOf = ({ output }: Run): Line[] =>
  output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
const counts = (lines: readonly Line[]): unknown => lines.findLast(({ kind }) => kind === 'counts')?.counts

describe('the demo', () => {
  let runs: { json: Run; stuck: Run; reject: Run; portal: Run; asApprover: Run }
  beforeAll(async () => {
    // Two beside each other: they mostly wait.
    const [[json, reject], [stuck, portal, asApprover]] = await Promise.all([
      demo('--json').then(async (json) => [json, await demo('--reject')] as const),
      demo('--stuck', '--json').then(
        async (stuck) => [stuck, await demo('--portal'), await demo('--as-approver')] as const,
      ),
    ])
    runs = { json, stuck, reject, portal, asApprover }
  }, 120_000)

  test('prints its events as JSON, one a line, and ends well', () => {
    expect(runs.json).toMatchObject({ code: 0, errors: '' })
    const lines = linesOf(runs.json)
    for (const line of lines)
      expect(line).toEqual(
        expect.objectContaining({
          at: expect.any(Number),
          who: expect.any(String),
          kind: expect.any(String),
        }),
      )
    const calls = lines.filter(({ kind }) => kind === 'arm')
    expect(calls.length).toBeGreaterThan(20)
    for (const call of calls) {
      expect(call).toMatchObject({
        method: expect.stringMatching(/^[A-Z]+$/),
        path: expect.stringMatching(/^\/(subscriptions|providers)(\/|$)/),
        status: expect.any(Number),
      })
      // Only what has nothing to say has no body.
      if (call.status !== 202 && call.status !== 204) expect(call.body).toEqual(expect.any(Object))
    }
    expect(new Set(lines.map(({ kind }) => kind))).toEqual(
      new Set([
        'anonymous',
        'arm',
        'anonymous',
        'effect',
        'says',
        'presses',
        'answers',
        'posts',
        'replies',
        'updates',
        'delivery',
        'step',
        'counts',
      ]),
    )
    const steps = lines.filter(({ kind }) => kind === 'step')
    expect(steps.every(({ happened }) => happened)).toBe(true)
    expect(counts(lines)).toMatchObject({
      steps: steps.length,
      of: steps.length,
      linksMade: 1,
      approvalsSent: 1,
      doneTwice: 0,
      seconds: expect.any(Number),
    })
    expect(lines.at(-1)?.kind).toBe('counts')
    // What is counted is what was seen.
    expect(lines.filter(({ kind, what }) => kind === 'effect' && what === 'linkCreated')).toHaveLength(1)
    expect(
      calls.filter(
        ({ method, path }) => method === 'PUT' && /privateEndpointConnections/i.test(String(path)),
      ),
    ).toHaveLength(1)
  })

  test('says which step did not happen when SignalR never says Approved', () => {
    expect(runs.stuck).toMatchObject({ code: 1, errors: '' })
    const lines = linesOf(runs.stuck)
    expect(lines.filter(({ kind, happened }) => kind === 'step' && !happened)).toMatchObject([
      { text: expect.stringMatching(/^SignalR says Approved\./) },
    ])
    expect(lines.map(({ text }) => text)).toContain('both sides are alarmed when SignalR does not follow')
    expect(counts(lines)).toMatchObject({ steps: 7, of: 8, doneTwice: 0 })
  })

  test.each([
    ['reject', '1 rejection sent', /Rejected by Noor Haddad: "Use contoso-certs instead"/],
    ['portal', '0 approvals sent', /Approved in the Azure portal/],
    [
      'asApprover',
      '1 approval sent',
      /^ Azure +PUT +contoso-kv\/privateEndpointConnections\/\S+ +200 .*Approved, as Noor Haddad$/m,
    ],
  ] as const)('tells the story of --%s to a person', (which, sent, told) => {
    const { code, output, errors } = runs[which]
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(output).toMatch(told)
    expect(output).toMatch(new RegExp(`✓ (\\d+) of \\1 steps · 1 link made · ${sent} · nothing done twice`))
    expect(output).toMatch(/^#vault-owners$/m)
    expect(output).toMatch(/^ Riley Park +@Vaultlink link contoso-signalr to contoso-kv/m)
    expect(output).toMatch(/^ Azure +PUT +contoso-signalr\/sharedPrivateLinkResources\/kv-contoso-kv +201/m)
    // Nothing of the machinery shows, and nothing after the end.
    expect(output).not.toMatch(/undefined|\[object|&quot;|\$\{/)
    expect(output).not.toContain('\u001b')
    expect(output).not.toContain('\u0000')
    expect(output.trimEnd().split('\n').at(-2)).toMatch(/^✓/)
  })

  test('says what does not go together', async () => {
    expect(await demo('--as-approver', '--crash')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('not with --crash'),
    })
  })

  test('is killed at every step and does nothing twice', async () => {
    const run = await demo('--crash', '--json')
    const lines = linesOf(run)
    expect(lines.filter(({ kind, happened }) => kind === 'step' && !happened)).toEqual([])
    expect(run).toMatchObject({ code: 0, errors: '' })
    const killed = lines.filter(({ kind }) => kind === 'killed').length
    expect(killed).toBeGreaterThan(10)
    expect(counts(lines)).toMatchObject({ killed, doneTwice: 0, linksMade: 1, approvalsSent: 1 })
  }, 180_000)
})
