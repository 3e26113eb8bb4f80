/** Where owners send their decision to Azure themselves: what is written, what the worker leaves alone, who has decided. */
import { describe, expect, test } from '@jest/globals'
import { type Decided, decide } from '../../src/link/decide.ts'
import type { Cause, Link, Millis, Right, Weighing, Wish } from '../../src/link/link.ts'
import { next } from '../../src/link/next.ts'
import { type ApprovalView, views } from '../../src/link/views.ts'
import {
  around,
  asked,
  at,
  cardThread,
  connection,
  day,
  done,
  endpoint,
  hidden,
  imitation,
  intended,
  limits,
  looked,
  minute,
  noon,
  onVault,
  own,
  type Step,
  second,
} from './given.ts'

type Verdict = 'approve' | 'reject'
type Sends = Pick<Wish & { wish: 'send' }, 'by' | 'connections' | 'conversation'> & {
  readonly verdict: Verdict
  readonly reason: string
  readonly right: Right
} & Weighing
const send = ({
  verdict = 'approve',
  by = 'owner',
  connections = onVault(connection()),
  conversation = cardThread,
  reason,
  right,
  needs = { is: 'present', value: 1 },
  others = [],
  freshSince = 0,
}: Partial<Sends> = {}): Wish => {
  const sent = { wish: 'send', by, connections, conversation } as const
  return verdict === 'approve'
    ? { ...sent, verdict, needs, others, freshSince, ...(right && { right }) }
    : { ...sent, verdict, ...(reason && { reason }) }
}
const answered = (link: Link, wish: Wish, now: Millis = link.moved + 1): Decided => decide(link, wish, now)
const refusal = (link: Link, wish: Wish, now?: Millis) => {
  const decided = answered(link, wish, now)
  return decided.is === 'refused' ? decided.refusal.refusal : decided.fact.fact
}

const sends = (effect: Verdict, reason?: string): Step => ({
  fact: 'intended',
  effect,
  by: 'owner',
  ...(reason && { reason }),
})
const failed = (effect: Verdict, cause: Cause): Step => ({ fact: 'failed', effect, cause, notBefore: noon })
const lost = (effect: Verdict): Step => failed(effect, { cause: 'unavailable', code: 'Deadline' })
const lacking: Cause = { cause: 'deciderLacksRight', action: 'write', scope: asked.vault }
const vaultSays = (status: 'Pending' | 'Approved' | 'Rejected'): Step =>
  looked({ own: own(), connections: onVault(connection(status)) })
const approvalCard = (link: Link): ApprovalView | undefined =>
  views(link, limits).flatMap(({ view }) => (view.view === 'approval' ? [view] : []))[0]
/** The plan of a bot that sends no decision, so long after the newest fact, just looked at. */
const plan = (link: Link, after: Millis, lookedAt = link.moved + after) =>
  next(link, around(link.moved + after, lookedAt, 'approver'))

describe('who may send, is decided as where the bot sends, but for the right', () => {
  test('what is granted is an intent that names them, and no decision yet', () => {
    expect(answered(at('Pending'), send())).toEqual({
      is: 'fact',
      fact: { fact: 'intended', effect: 'approve', by: 'owner', at: at('Pending').moved + 1 },
    })
    expect(answered(at('Pending'), send({ verdict: 'reject', reason: 'why not' }))).toMatchObject({
      fact: { effect: 'reject', reason: 'why not' },
    })
  })

  test.each<{ expected: string; wish: Wish; now?: Millis }>([
    { expected: 'wrongPlace', wish: send({ conversation: '19:random@thread.tacv2' }) },
    { expected: 'ownRequest', wish: send({ by: 'requester' }) },
    { expected: 'expired', wish: send(), now: asked.expiresAt },
    { expected: 'connection', wish: send({ connections: onVault() }) },
    { expected: 'connection', wish: send({ connections: onVault(connection('Approved')) }) },
    { expected: 'connection', wish: send({ connections: onVault(connection(), imitation()) }) },
    {
      expected: 'connection',
      wish: send({ connections: onVault(connection('Pending', { privateEndpoint: endpoint('swapped') })) }),
    },
  ])('refused: $expected', ({ expected, wish, now }) => {
    expect(refusal(at('Pending'), wish, now)).toBe(expected)
  })

  test('too early, and too late', () => {
    expect(refusal(at('Provisioning'), send())).toBe('tooEarly')
    expect(refusal(at('Approved'), send())).toBe('alreadyDecided')
    expect(refusal(at('Cancelled'), send())).toBe('alreadyEnded')
  })

  test('look-alikes keep nobody from rejecting the pinned one; without it there is nothing to reject', () => {
    const reject = (change: Partial<Wish & { wish: 'send' }>): Wish => send({ verdict: 'reject', ...change })
    expect(refusal(at('Pending'), reject({ connections: onVault(connection(), imitation()) }))).toBe(
      'intended',
    )
    expect(refusal(at('Pending'), reject({ connections: onVault(imitation()) }))).toBe('connection')
    expect(refusal(at('Pending'), reject({ connections: onVault(connection('Approved')) }))).toBe(
      'connection',
    )
  })

  test.each<[string, readonly Step[], string]>([
    ['it is under way', [sends('approve')], 'beingSent'],
    ['its answer was lost', [sends('approve'), lost('approve')], 'beingSent'],
    ['Azure turned it away', [sends('approve'), failed('approve', lacking)], 'intended'],
    [
      'Azure shows that it never arrived',
      [sends('approve'), vaultSays('Pending'), { fact: 'passed', what: 'settleTime' }],
      'intended',
    ],
  ])('a second one after the first, when %s', (_when, steps, expected) => {
    expect(refusal(at('Pending', ...steps), send({ by: 'second' }))).toBe(expected)
  })
})

describe('what is sent becomes a decision when Azure has taken it', () => {
  test('an approval', () => {
    const link = at('Pending', sends('approve'))
    expect(link).toMatchObject({ stage: { status: 'Pending' }, attempt: { by: 'owner' }, looked: false })
    expect(link.decision).toBeUndefined()
    expect(approvalCard(link)?.phase).toEqual({ is: 'open', answerBy: asked.expiresAt })
    expect(at('Pending', sends('approve'), done('approve'))).toMatchObject({
      stage: { status: 'Approving' },
      decision: { verdict: 'approve', by: 'owner', where: 'card' },
    })
  })

  test('a rejection, whose link the bot then removes by itself', () => {
    const link = at('Pending', sends('reject', 'why not'), done('reject'), vaultSays('Rejected'))
    expect(link).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected', by: 'owner' },
      decision: { verdict: 'reject', by: 'owner', reason: 'why not' },
    })
    expect(plan(link, second).azure).toEqual({ step: 'delete' })
  })

  test('what Azure turned away leaves all as it was, and waits for nobody', () => {
    const before = at('Pending')
    const link = at('Pending', sends('approve'), failed('approve', lacking))
    expect(link).toMatchObject({ stage: { status: 'Pending' }, news: before.news })
    expect(link.blocked).toBeUndefined()
    expect(approvalCard(link)).toEqual(approvalCard(before))
  })

  test('taken back while it was on its way, it keeps nothing from being removed, and whose it was is known', () => {
    const link = at('Pending', sends('approve'), { fact: 'cancelled', by: 'requester' }, done('approve'))
    expect(link).toMatchObject({
      stage: { status: 'Removing', outcome: 'Cancelled' },
      decision: { verdict: 'approve', by: 'owner' },
    })
  })

  test('and what Azure turned away then keeps nothing from being removed', () => {
    const cancelled: Step = { fact: 'cancelled', by: 'requester' }
    const locked = failed('reject', { cause: 'locked', message: 'no' })
    const removing = at('Pending', sends('reject'), cancelled, locked)
    expect(removing.blocked).toBeUndefined()
    const hiddenOnce = at('Pending', sends('reject'), cancelled, locked, looked({ own: hidden }))
    expect(hiddenOnce.blocked).toBeDefined()
    expect(
      at('Pending', sends('reject'), cancelled, locked, looked({ own: hidden }), vaultSays('Pending'))
        .blocked,
    ).toBeUndefined()
  })
})

describe('killed in between, Azure tells what became of it', () => {
  test.each<[string, readonly Step[]]>([
    ['never heard of again', []],
    ['its answer lost', [lost('approve')]],
  ])('%s: what Azure shows approved was approved by whoever sent it', (_how, steps) => {
    const link = at('Pending', sends('approve'), ...steps, vaultSays('Approved'))
    expect(link).toMatchObject({
      stage: { status: 'Propagating' },
      decision: { verdict: 'approve', by: 'owner', where: 'card' },
    })
    const works = looked({ own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) })
    expect(at('Pending', sends('approve'), ...steps, works)).toMatchObject({
      stage: { status: 'Approved' },
      decision: { by: 'owner', where: 'card' },
    })
  })

  test('and what it shows rejected, by whoever rejected it', () => {
    expect(at('Pending', sends('reject', 'why not'), vaultSays('Rejected'))).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected', by: 'owner' },
      decision: { by: 'owner', where: 'card', reason: 'why not' },
    })
  })

  test('but not where Azure shows the opposite, or had turned it away before', () => {
    for (const steps of [
      [sends('reject'), vaultSays('Approved')],
      [sends('approve'), failed('approve', lacking), vaultSays('Approved')],
      [sends('approve'), vaultSays('Rejected')],
    ] as const)
      expect(at('Pending', ...steps).decision).toMatchObject({ where: 'portal' })
  })

  test('while Azure may still be about to show it, the worker only looks; then it says what was not applied', () => {
    const sent = at('Pending', sends('approve'))
    const settled = limits.settleMs
    expect(plan(sent, second).azure).toEqual({ step: 'look' })
    const seen = at('Pending', sends('approve'), { ...vaultSays('Pending'), began: sent.moved + second })
    const from = (after: Millis, lookedAt: Millis) =>
      next(seen, around(sent.moved + after, sent.moved + lookedAt, 'approver'))
    expect(from(settled - 1, settled - 1)).toMatchObject({ wake: sent.moved + settled })
    expect(from(settled - 1, settled - 1).azure).toBeUndefined()
    // The look that counts is one that began after the time to show it.
    expect(from(settled, settled - 1)).toMatchObject({ azure: { step: 'look' } })
    expect(from(settled, settled - 1).passed).toBeUndefined()
    expect(from(settled, settled).passed).toBe('settleTime')
  })

  test('then it is open again: the owners hear it, the card says it, and it waits no longer', () => {
    const link = at('Pending', sends('approve'), vaultSays('Pending'), {
      fact: 'passed',
      what: 'settleTime',
    })
    expect(link).toMatchObject({ stage: { status: 'Pending' }, attempt: { outcome: { is: 'notApplied' } } })
    expect(link.news.at(-1)).toMatchObject({ news: 'notApplied', by: 'owner', verdict: 'approve' })
    expect(approvalCard(link)?.phase).toMatchObject({ is: 'open', again: true })
    const told = views(link, limits).filter(({ view }) => view.view === 'news')
    expect(told.map(({ place, view }) => [place, view.view === 'news' && view.mentions])).toEqual([
      ['owners', 'owner'],
    ])
    expect(plan(link, day).passed).not.toBe('settleTime')
    // Pressed again, it is as the first time.
    expect(at('Pending', sends('approve'), lost('approve'), sends('approve'), done('approve'))).toMatchObject(
      { stage: { status: 'Approving' } },
    )
  })

  test('a request does not run out while somebody answers it', () => {
    const late = at('Pending', sends('approve'), vaultSays('Pending'))
    const around7 = (approveAs: 'approver', by: Millis) =>
      next(late, around(asked.expiresAt + by, asked.expiresAt + by, approveAs))
    expect(around7('approver', second).passed).toBe('settleTime')
    const open = at('Pending', vaultSays('Pending'))
    expect(next(open, around(asked.expiresAt + second, asked.expiresAt + second, 'approver')).passed).toBe(
      'expiry',
    )
  })
})

describe('the bot sends no decision', () => {
  test.each([
    ['one that was taken, which Azure shows no more', [sends('approve'), done('approve')]],
    ['one from when the bot still sent them', [{ fact: 'decided', verdict: 'approve', by: 'owner' }]],
    [
      'one of those that it had begun to send',
      [{ fact: 'decided', verdict: 'approve', by: 'owner' }, intended('approve')],
    ],
  ] satisfies [string, Step[]][])('%s: the owners are asked again', (_which, steps) => {
    const link = at('Pending', ...steps, vaultSays('Pending'))
    expect(link.stage.status).toBe('Approving')
    expect(plan(link, limits.settleMs - 2 * minute).azure?.step).not.toBe('approve')
    expect(plan(link, limits.settleMs).passed).toBe('settleTime')
    const open = at('Pending', ...steps, vaultSays('Pending'), { fact: 'passed', what: 'settleTime' })
    expect(open.stage.status).toBe('Pending')
    expect(open.decision).toBeUndefined()
    expect(open.news.at(-1)).toMatchObject({ news: 'notApplied', by: 'owner' })
  })

  test('a rejection from when it did: the link is removed, and with it the connection', () => {
    const link = at('Pending', { fact: 'decided', verdict: 'reject', by: 'owner' }, vaultSays('Pending'))
    expect(plan(link, second).azure).toEqual({ step: 'delete' })
    const bot = next(link, around(link.moved + second, link.moved + second))
    expect(bot.azure).toMatchObject({ step: 'reject' })
  })

  test('and where it does, nobody is asked again: it sends them until they arrive', () => {
    const taken = at('Pending', { fact: 'decided', verdict: 'approve', by: 'owner' }, vaultSays('Pending'))
    const later = taken.moved + limits.settleMs
    expect(next(taken, around(later, later))).toMatchObject({ azure: { step: 'approve' } })
    expect(next(taken, around(later, later)).passed).toBeUndefined()
  })

  test('to an approval made in the portal there is nothing to add', () => {
    expect(plan(at('Pending', vaultSays('Approved')), second).azure?.step).not.toBe('approve')
  })
})

describe('where several have to approve, only the last sends', () => {
  const needs = { is: 'present', value: 2 } as const
  const held = { is: 'held' } as const
  const first: Step = { fact: 'endorsed', by: 'another', needs: 2 }

  test('the first only counts, and shows the right here, since Azure is asked nothing', () => {
    expect(answered(at('Pending'), send({ needs, right: held }))).toMatchObject({
      fact: { fact: 'endorsed', by: 'owner', needs: 2 },
    })
    expect(refusal(at('Pending'), send({ needs, right: { is: 'missing', actions: ['write'] } }))).toBe(
      'lacksRight',
    )
    expect(refusal(at('Pending'), send({ needs, right: { is: 'unreadable' } }))).toBe('rightUnreadable')
    expect(refusal(at('Pending'), send({ needs }))).toBe('rightUnreadable')
  })

  test('nobody is both, a tag taken away lowers nothing, and the rest of it is as for the bot', () => {
    const link = at('Pending', first)
    expect(refusal(link, send({ needs, by: 'another', right: held }))).toBe('alreadyEndorsed')
    expect(refusal(link, send({ by: 'another' }))).toBe('alreadyEndorsed')
    expect(refusal(link, send({ needs, by: 'requester', right: held }))).toBe('ownRequest')
    expect(refusal(link, send({ needs: hidden }))).toBe('connection')
    const late = { needs, freshSince: link.moved + 1 }
    expect(refusal(link, send(late))).toBe('otherUnreadable')
    expect(refusal(link, send({ ...late, right: held, others: [{ by: 'another', right: held }] }))).toBe(
      'intended',
    )
    const gone = [{ by: 'another', right: { is: 'missing', actions: ['write'] } as const }]
    expect(refusal(link, send({ ...late, right: held, others: gone }))).toBe('endorsed')
  })

  test.each<[string, Step[]]>([
    ['Azure took it', [done('approve')]],
    ['its answer was lost, and Azure shows it', [lost('approve'), vaultSays('Approved')]],
  ])('%s: both have decided it', (_which, steps) => {
    expect(at('Pending', first, sends('approve'), ...steps).decision).toMatchObject({
      by: 'owner',
      with: [{ by: 'another' }],
    })
  })

  test.each<[string, Step[]]>([
    ['Azure turned it away', [failed('approve', lacking)]],
    ['it never arrived', [lost('approve'), vaultSays('Pending'), { fact: 'passed', what: 'settleTime' }]],
    [
      'it was taken, and Azure shows it no more',
      [done('approve'), vaultSays('Pending'), { fact: 'passed', what: 'settleTime' }],
    ],
  ])('%s: the first still counts, once', (_which, steps) => {
    const link = at('Pending', first, sends('approve'), ...steps)
    expect(link.stage.status).toBe('Pending')
    expect(link.decision).toBeUndefined()
    expect(link.endorsements).toMatchObject([{ by: 'another' }])
    expect(refusal(link, send({ needs, by: 'another', right: held }))).toBe('alreadyEndorsed')
    expect(refusal(link, send({ needs }))).toBe('intended')
  })

  test('whose right was gone when the last sent it, counts no more', () => {
    const reread = [{ by: 'another', right: 'missing' }] as const
    const third: Step = { fact: 'endorsed', by: 'colleague', needs: 2 }
    const sent: Step = { fact: 'intended', effect: 'approve', by: 'owner', reread }
    expect(at('Pending', first, third, sent, done('approve')).decision?.with).toMatchObject([
      { by: 'colleague' },
    ])
  })

  test('what was to be rejected by the bot, it leaves to people, and says nothing is over', () => {
    const link = at(
      'Pending',
      sends('approve'),
      done('approve'),
      vaultSays('Approved'),
      { fact: 'passed', what: 'alarmTime' },
      { fact: 'revoked', by: 'owner' },
      vaultSays('Approved'),
    )
    expect(link.stage).toMatchObject({ status: 'Removing', outcome: 'Rejected' })
    expect(['look', undefined]).toContain(plan(link, second).azure?.step)
    expect(next(link, around(link.moved + second, link.moved + second)).azure?.step).toBe('reject')
  })
})
