/**
 * Every call that the bot makes, with everything that can go wrong with it, one at a time; then two and three at once. The
 * calls are those of recorded stories in which nothing goes wrong, so that a new call is met by itself.
 */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type CallName, kinds, nameOf } from './calls.ts'
import { type FaultName, faults, faultsOf } from './faults.ts'
import {
  type Ground,
  type Meddling,
  openGround,
  type Phase,
  type Played,
  type Story,
  stories,
  type Trouble,
} from './ground.ts'
import { broken } from './laws.ts'

/** `npm run figures` plays every cell of the table, or one of `--share`, and `--runs` pairs and triples; else a sample of each. */
const inFigures = process.env.VAULTLINK_FIGURES === '1'
const runs = Number(process.env.VAULTLINK_FAULT_RUNS ?? (inFigures ? 1_000 : 8))
const share = Number(process.env.VAULTLINK_FAULT_SHARE ?? 1)
/** Another each time in the figures; the sample is the same each time. */
const seed = Number(process.env.VAULTLINK_FAULT_SEED ?? (inFigures ? Math.floor(Math.random() * 2 ** 31) : 7))

const callNames = Object.keys(kinds) as CallName[]
type Cell = { readonly story: Story; readonly phase: Phase; readonly call: CallName }
/** What a story has that the first has not: the rest of it would be the same again. */
const isOwn = (story: Story, phase: Phase, call: CallName): boolean =>
  story === 'approved' ||
  (story === 'withoutGraph' ? call.startsWith('list ') && phase !== 'decide' : phase === 'decide')

let ground: Ground
const cells: Cell[] = []
const plain = new Map<Story, Played>()
beforeAll(async () => {
  ground = await openGround()
  for (const story of stories) {
    const played = await ground.play(story, [])
    plain.set(story, played)
    for (const { peer, phase, call } of played.calls) {
      const name = nameOf(peer, call.method, call.path)
      const known = cells.some((one) => one.story === story && one.phase === phase && one.call === name)
      if (name && !known && isOwn(story, phase, name)) cells.push({ story, phase, call: name })
    }
  }
}, 120_000)

const outcomes = [
  'went on by itself',
  'somebody tried again, as told',
  'stopped until Retry, told why',
  'ended, told why, and was asked for anew',
  'stuck',
] as const
type Outcome = (typeof outcomes)[number]
const played = { single: 0, several: 0, met: 0 }
const ended = new Map<string, Map<Outcome, number>>()
const count = (what: string, outcome: Outcome): void => {
  const row = ended.get(what) ?? new Map<Outcome, number>()
  ended.set(what, row.set(outcome, (row.get(outcome) ?? 0) + 1))
}
const row = (what: string): string =>
  `| ${what} | ${outcomes.map((outcome) => ended.get(what)?.get(outcome) ?? 0).join(' | ')} |`
afterAll(async () => {
  await ground.close()
  if (!inFigures) return
  const rows = ['one fault', 'two or three', ...Object.keys(faults)].map(row)
  process.stdout.write(
    `figure: ${callNames.length} kinds of call in ${cells.length} places of ${stories.length} stories, ${Object.keys(faults).length} faults: ${played.single} runs with one, ${played.several} with two or three (seed ${seed}), ${played.met} faults met\n| | ${outcomes.join(' | ')} |\n${rows.join('\n')}\n`,
  )
})

const troubleOf = ({ phase, call }: Cell, fault: FaultName, skip = 0): Trouble => {
  const { peer, method, path } = kinds[call]
  return { phase, peer, fault: { ...faults[fault], method, path, skip, times: 1 } }
}

/** How it went, in a word for the figures. */
function outcomeOf({ links, inVain, stuck }: Played): Outcome {
  if (stuck !== undefined) return 'stuck'
  if (links.length > 1) return 'ended, told why, and was asked for anew'
  if (links.some(({ facts }) => facts.some(({ fact }) => fact === 'retried')))
    return 'stopped until Retry, told why'
  return inVain.length > 0 ? 'somebody tried again, as told' : 'went on by itself'
}

/** The laws that it broke, and what led to it. */
async function breaks(
  story: Story,
  troubles: readonly Trouble[],
  what: string,
  counted: readonly string[],
): Promise<readonly object[]> {
  const run = await ground.play(story, troubles)
  played.met += run.calls.filter(({ call }) => call.fault).length
  for (const one of counted) count(one, outcomeOf(run))
  const laws = broken(run, story)
  // Said at once: the whole table takes long.
  if (laws.length > 0) process.stdout.write(`broken: ${story}, ${what}: ${laws.join('; ')}\n`)
  return laws.length > 0 ? [{ story, what, laws }] : []
}

describe('no fault', () => {
  test.each(stories)('%s: every law holds', (story) => {
    const run = plain.get(story)
    expect(run && broken(run, story)).toEqual([])
  })

  test('every call of the stories is in the table, and every one of the table is in a story', () => {
    const made = [...plain.values()].flatMap(({ calls }) =>
      calls.map(
        ({ peer, call }) => nameOf(peer, call.method, call.path) ?? `${peer} ${call.method} ${call.path}`,
      ),
    )
    expect([...new Set(made)].sort()).toEqual([...callNames].sort())
  })

  test('docs/reliability.md has a row for each call and each fault', async () => {
    const document = await readFile(new URL('../../docs/reliability.md', import.meta.url), 'utf8')
    const rows = document.split('\n').flatMap((line) => /^\| ([^|]+?) \|/.exec(line)?.[1] ?? [])
    expect(rows).toEqual(expect.arrayContaining([...callNames, ...Object.keys(faults)]))
  })
})

describe('one fault', () => {
  test.each(callNames)(
    'on: %s',
    async (call) => {
      const found: object[] = []
      const all = cells
        .filter((cell) => cell.call === call)
        .flatMap((cell) => faultsOf(call).map((fault) => ({ cell, fault })))
      // A sample goes through the faults as it goes through the calls.
      const first = callNames.indexOf(call) * 7
      const chosen = inFigures
        ? all.filter((_one, n) => n % share === first % share)
        : all.slice(first % all.length).slice(0, 1)
      for (const { cell, fault } of chosen) {
        played.single += 1
        found.push(
          ...(await breaks(cell.story, [troubleOf(cell, fault)], `${cell.phase}, ${call}: ${fault}`, [
            'one fault',
            call,
            fault,
          ])),
        )
      }
      if (inFigures) process.stdout.write(`${row(call)}\n`)
      expect(found).toEqual([])
      expect(chosen.length).toBeGreaterThan(0)
    },
    inFigures ? 3_600_000 : 60_000,
  )
})

describe('an operation', () => {
  test.each(['Failed', 'Canceled'] as const)(
    'that makes the link ends as %s: told why, and made when asked again',
    async (outcome) => {
      const once: Meddling = ({ call }, azure) => {
        if (call.ended?.body?.includes(`"${outcome}"`)) azure.configure({ operationOutcome: 'Succeeded' })
      }
      const run = await ground.play(
        'approved',
        [{ phase: 'ask', azure: { operationOutcome: outcome } }],
        once,
      )
      expect(broken(run, 'approved')).toEqual([])
      expect(run.links.map(({ link }) => link.stage.status)).toEqual(['Failed', 'Removed'])
      expect(run.told.join('\n')).toMatch(/failed\..*ask again/s)
    },
  )

  test.each([
    ['that makes the link', 'ask', { provisioningMs: 3 * 3_600_000 }],
    ['that removes it', 'remove', { deletingMs: 3 * 3_600_000 }],
    ['by which SignalR follows', 'decide', { propagatesMs: 3 * 3_600_000 }],
  ] as const)(
    '%s does not end for hours: told what to do meanwhile, and nothing is sent again',
    async (_what, phase, azure) => {
      const run = await ground.play('approved', [{ phase, azure }])
      expect(broken(run, 'approved')).toEqual([])
      expect(run.told.join('\n')).toMatch(/longer than usual.*look at|does not follow/s)
      expect(
        run.calls.filter(({ call }) => call.method === 'PUT' && call.path.includes('sharedPrivateLink')),
      ).toHaveLength(1)
      expect(run.calls.filter(({ call }) => call.method === 'DELETE')).toHaveLength(1)
    },
  )

  test.each(['Failed', 'Canceled'] as const)(
    'that removes the link ends as %s each time: asked less and less often, told, and removed in the end',
    async (outcome) => {
      const deletes: number[] = []
      const relent: Meddling = ({ call }, azure) => {
        if (call.method !== 'DELETE') return
        deletes.push(call.at)
        if (deletes.length === 7) azure.configure({ deletionOutcome: 'Succeeded' })
      }
      const run = await ground.play(
        'approved',
        [{ phase: 'remove', azure: { deletionOutcome: outcome } }],
        relent,
      )
      expect(broken(run, 'approved')).toEqual([])
      const gaps = deletes.slice(1).map((at, n) => at - (deletes[n] ?? 0))
      expect(gaps).toHaveLength(6)
      expect(gaps.slice(1).map((gap, n) => gap > 1.5 * (gaps[n] ?? 0))).toEqual([
        true,
        true,
        true,
        true,
        true,
      ])
      expect(run.told.join('\n')).toMatch(/longer than usual.*look at/s)
    },
  )
})

describe('a rejection in the portal', () => {
  test.each(
    faultsOf('approve or reject').filter(
      (_fault, n, all) => inFigures || n % Math.ceil(all.length / 3) === seed % Math.ceil(all.length / 3),
    ),
  )('after the approval met: %s', async (fault) => {
    let hasFailed = false
    let isDone = false
    const reject: Meddling = ({ peer, call }, azure, { vault }) => {
      hasFailed ||= peer === 'arm' && call.method === 'PUT' && call.fault !== undefined
      // What was approved after all is rejected once the vault is done with that.
      const [connection] = azure.connections(vault)
      if (isDone || !hasFailed || connection?.provisioningState !== 'Succeeded') return
      azure.portal.reject(vault, 'second')
      isDone = true
    }
    const trouble = troubleOf({ story: 'approved', phase: 'decide', call: 'approve or reject' }, fault)
    const run = await ground.play('rejectedInPortal', [trouble], reject)
    expect({ laws: broken(run, 'rejectedInPortal'), isDone }).toEqual({ laws: [], isDone: true })
  })
})

describe('two and three faults', () => {
  test(
    'at random',
    async () => {
      process.stdout.write(`two and three faults: seed ${seed}, ${runs} runs\n`)
      const trouble = fc.record({
        cell: fc.nat({ max: 10_000 }),
        fault: fc.nat({ max: 10_000 }),
        skip: fc.integer({ min: 0, max: 3 }),
      })
      const scripts = fc.sample(
        fc.record({
          story: fc.constantFrom<Story>('approved', 'approved', 'approved', ...stories),
          troubles: fc.array(trouble, { minLength: 2, maxLength: 3 }),
        }),
        { numRuns: runs, seed },
      )
      const found: object[] = []
      for (const { story, troubles } of scripts) {
        const there = cells.filter((cell) => cell.story === story)
        const chosen = troubles.map(({ cell, fault, skip }) => {
          const where = there[cell % there.length]
          if (!where) throw new Error(`Nothing is called in ${story}`)
          const named = faultsOf(where.call)
          return { where, fault: named[fault % named.length] ?? '500', skip }
        })
        played.several += 1
        found.push(
          ...(await breaks(
            story,
            chosen.map(({ where, fault, skip }) => troubleOf(where, fault, skip)),
            chosen
              .map(({ where, fault, skip }) => `${where.phase}, ${where.call} (${skip}): ${fault}`)
              .join(' + '),
            ['two or three'],
          )),
        )
      }
      expect(found).toEqual([])
    },
    inFigures ? 7_200_000 : 120_000,
  )
})
