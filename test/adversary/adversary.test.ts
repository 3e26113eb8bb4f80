/**
 * Whatever the attacker does between whichever calls: what is not SignalR's is never approved while SignalR's can be
 * seen at the press, and else it is found out by SignalR's silence, told to both sides, and rejected by the button.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  type Act,
  acts,
  type Ground,
  isAttackersEndpoint,
  openGround,
  type Played,
  type Script,
  toldBoth,
} from './attack.ts'

/** `npm run figures` plays every moment of every single act, and more scripts of several. */
const inFigures = process.env.VAULTLINK_FIGURES === '1'
const stride = inFigures ? 1 : 17
const several = inFigures ? 1_200 : 24

let ground: Ground
beforeAll(async () => {
  ground = await openGround()
})
const outcomes = new Map<string, number>()
let played = 0
let acted = 0
let inFull = 0
afterAll(async () => {
  await ground.close()
  if (!inFigures) return
  const rows = [...outcomes].sort(([, a], [, b]) => b - a)
  const lines = rows.map(([outcome, times]) => `${String(times).padStart(6)}  ${outcome}`)
  process.stdout.write(
    `An attacker between the calls to Azure: ${played} interleavings; in ${acted} of them something could be done, in ${inFull} all that was meant to be\n${lines.join('\n')}\n`,
  )
})

/** In what it ends, in a word for the figures. */
function outcomeOf({ link, approvals, refusals, revoked }: Played): string {
  const [approval] = approvals
  if (approval?.attackers) {
    const how = approval.inTheInstant
      ? "the attacker's approved in the one instant that cannot be closed"
      : "the attacker's approved, SignalR's not on the vault at the press"
    if (revoked) return `${how}; both sides told, rejected by the button`
    return link.blocked
      ? `${how}; both sides told, stopped`
      : `${how}; gone before the alarm, both sides told`
  }
  const { status } = link.stage
  if (status === 'Approved')
    return approval ? "SignalR's approved, and works" : "SignalR's approved in the portal, and works"
  if (link.blocked)
    return `stopped: ${link.blocked.cause.cause}${approval ? " (SignalR's was approved)" : ''}`
  if (refusals.length > 0 && status === 'Pending') return 'not approved: each press was refused'
  return `ended: ${status}${'cause' in link.stage && link.stage.cause ? `, ${link.stage.cause.cause}` : ''}`
}

/** Owners press at once, when SignalR's connection has had time to come, or when they have had a coffee. */
const thinking = [0, 45_000, 400_000] as const

async function plays(script: Script, thinksMs?: number, on: Ground = ground): Promise<Played> {
  const run = await on.play(script, thinksMs)
  played += 1
  if (run.done.length > 0) acted += 1
  if (run.done.length === script.length) inFull += 1
  const outcome = outcomeOf(run)
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  return run
}

/** The laws that a run breaks. */
function broken(run: Played): readonly string[] {
  const { approvals, link, revoked, openedByBot } = run
  const attackers = approvals.filter((one) => one.attackers)
  const told = toldBoth(run, 'unfollowed') || toldBoth(run, 'blocked') || toldBoth(run, 'ended')
  const laws = {
    'one approval at most': approvals.length <= 1,
    "never the attacker's while SignalR's is seen at the press": attackers.every(
      ({ genuineAtClick, inTheInstant }) => !genuineAtClick || inTheInstant,
    ),
    'none while the look that it rests on shows another beside it': approvals.every(
      ({ othersInLook }) => !othersInLook,
    ),
    "the attacker's approved is told to both sides": attackers.length === 0 || told,
    'and by the end it is rejected, or gone, or people were asked to clear it up':
      openedByBot === 0 || (toldBoth(run, 'blocked') && link.blocked !== undefined),
    'nothing works that is not SignalR’s':
      link.stage.status !== 'Approved' || !isAttackersEndpoint(link.pinned?.privateEndpoint ?? ''),
    'only after the alarm is anything rejected': !revoked || toldBoth(run, 'unfollowed'),
  }
  return Object.entries(laws).flatMap(([law, holds]) => (holds ? [] : [law]))
}

/** What breaks a law, with what led to it. */
async function breaks(script: Script, thinksMs?: number): Promise<readonly unknown[]> {
  const run = await plays(script, thinksMs)
  const laws = broken(run)
  return laws.length > 0
    ? [{ script, thinksMs, laws, done: run.done, approvals: run.approvals, stage: run.link.stage }]
    : []
}

/** More calls than an undisturbed request takes. */
const lastCall = 130

describe('an attacker', () => {
  test('who does nothing: it works', async () => {
    const run = await plays([])
    expect({ stage: run.link.stage.status, approvals: run.approvals, laws: broken(run) }).toEqual({
      stage: 'Approved',
      approvals: [{ attackers: false, genuineAtClick: true, inTheInstant: false, othersInLook: false }],
      laws: [],
    })
    expect(run.calls).toBeLessThan(lastCall)
  })

  test.each(acts)(
    'who does one thing, at any moment: %s',
    async (act) => {
      const found: unknown[] = []
      // What the attacker owns has to be put there first.
      const before: Script = act.endsWith('Own') ? [{ after: 12, act: 'imitate' }] : []
      const offset = acts.indexOf(act) % stride
      for (let after = 1 + offset; after < lastCall; after += stride)
        found.push(...(await breaks([...before, { after, act }], thinking[after % thinking.length])))
      expect(found).toEqual([])
    },
    inFigures ? 600_000 : 60_000,
  )

  test(
    'who does several things',
    async () => {
      const step = fc.record({
        after: fc.integer({ min: 8, max: 170 }),
        act: fc.constantFrom<Act>('imitate', ...acts),
      })
      const scripts = fc.sample(fc.array(step, { minLength: 2, maxLength: 4 }), {
        numRuns: several,
        seed: 41,
      })
      const found: unknown[] = []
      for (const [index, script] of scripts.entries())
        found.push(...(await breaks(script, thinking[index % thinking.length])))
      expect(found).toEqual([])
    },
    inFigures ? 1_200_000 : 120_000,
  )

  test('whose imitation was approved, and who takes the genuine one away once it was opened in the portal', async () => {
    // SignalR says Approved for a while, of a connection that is no longer there.
    for (const after of [100, 106, 112, 118])
      expect(
        await breaks([
          { after: 8, act: 'imitate' },
          { after: 74, act: 'approveGenuine' },
          { after, act: 'removeGenuine' },
        ]),
      ).toEqual([])
  })

  test.each(['cancel', 'deleteLink'] as const)(
    'whose imitation was approved, and who then hides that SignalR does not follow: %s',
    async (act) => {
      const found: unknown[] = []
      let hidden = 0
      for (let after = 60; after < lastCall; after += 7) {
        const script: Script = [
          { after: 8, act: 'imitate' },
          { after, act },
        ]
        const run = await plays(script)
        if (run.approvals.some(({ attackers }) => attackers) && run.done.includes(act)) hidden += 1
        const laws = broken(run)
        if (laws.length > 0) found.push({ script, laws, stage: run.link.stage })
      }
      expect(found).toEqual([])
      expect(hidden).toBeGreaterThan(2)
    },
    60_000,
  )

  describe('between the press and the approval, while looks say nothing of the link:', () => {
    const unsaid = ['deleteLink', 'hideLink'] as const
    const changes = ['swap', 'imitate'] as const
    let slow: Ground
    beforeAll(async () => {
      // For an hour the link stays Deleting, and its connection on the vault.
      slow = await openGround({ deletingMs: 3_600_000 })
    })
    afterAll(() => slow.close())

    test.each(unsaid.flatMap((hides) => changes.map((change) => [hides, change] as const)))(
      '%s, then %s: what was not asked about is not approved',
      async (hides, change) => {
        const found: unknown[] = []
        let between = 0
        // The press is where the reads of the vault begin; its moment is found by trying.
        for (let after = 68; after < 86; after += inFigures ? 1 : 3) {
          const script: Script = [
            { after: after - 8, act: hides },
            { after, act: change },
          ]
          const run = await plays(script, 0, slow)
          if (run.done.length === 2 && run.link.decision) between += 1
          const laws = broken(run)
          if (laws.length > 0) found.push({ script, laws, approvals: run.approvals, stage: run.link.stage })
        }
        expect(found).toEqual([])
        expect(between).toBeGreaterThan(2)
      },
      120_000,
    )
  })

  describe('in the one instant that cannot be closed, between the last read and the approval', () => {
    test('takes the name of the genuine connection: it is found at once, told to both sides, and rejected', async () => {
      // The moment is where the reads end; it is found by trying.
      let caught: Played | undefined
      for (let after = 60; after < lastCall && !caught; after += 1) {
        const run = await plays([{ after, act: 'swap' }])
        if (run.approvals.some(({ inTheInstant }) => inTheInstant)) caught = run
      }
      expect(caught).toBeDefined()
      if (!caught) return
      expect(broken(caught)).toEqual([])
      expect(caught).toMatchObject({ revoked: true, open: 0, link: { stage: { status: 'Rejected' } } })
      // Not after a quarter of an hour: the next look shows whose it is.
      const alarm = caught.link.news.find(({ news }) => news === 'unfollowed')
      const approved = caught.link.decision?.takesBack?.at ?? 0
      expect((alarm?.at ?? Infinity) - approved).toBeLessThan(60_000)
    }, 120_000)
  })
})
