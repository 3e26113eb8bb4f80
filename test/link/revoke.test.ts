/** SignalR does not follow an approval: the alarm, the button that rejects what was approved, and what comes of it. */
import { describe, expect, test } from '@jest/globals'
import { decide } from '../../src/link/decide.ts'
import { fold } from '../../src/link/fold.ts'
import type { Connection, Link, Right, Sighting, Wish } from '../../src/link/link.ts'
import { next } from '../../src/link/next.ts'
import { views } from '../../src/link/views.ts'
import {
  absent,
  around,
  at,
  cardThread,
  connection,
  done,
  endpoint,
  general,
  given,
  hidden,
  histories,
  imitation,
  intended,
  lacksRead,
  limits,
  looked,
  minute,
  noon,
  onVault,
  own,
  pinned,
  posted,
  type Step,
  statuses,
  timed,
} from './given.ts'

const held: Right = { is: 'held' }
const approved = connection('Approved')
const alarm: Step = { fact: 'passed', what: 'alarmTime' }
const revoked: Step = { fact: 'revoked', by: 'another', reason: 'why' }
/** What a look shows of both sides. */
const shows = (vault: Sighting<readonly Connection[]>, signalr = own()): Step =>
  looked({ own: signalr, connections: vault })
const open = shows(onVault(approved))
const followed = shows(onVault(approved), own({ status: 'Approved' }))

const alarmed = at('Propagating', alarm)
const stepOf = (link: Link) => next(link, around(link.moved, link.seen?.at)).azure

const revoke = (change: Partial<Wish & { wish: 'revoke' }> = {}): Wish => ({
  wish: 'revoke',
  by: 'another',
  right: held,
  connections: onVault(approved),
  conversation: cardThread,
  ...change,
})
function answer(link: Link, wish: Wish): string {
  const decided = decide(link, wish, link.moved + 1)
  return decided.is === 'fact' ? `✓ ${decided.fact.fact}` : decided.refusal.refusal
}

describe('who may reject what was approved, and when', () => {
  test.each(statuses)('%s, no alarm: nobody', (status) => {
    expect(answer(at(status), revoke())).not.toMatch('✓')
    expect(fold(at(status), timed(revoked, noon + 100 * minute))).toEqual(at(status))
  })

  test('after the alarm whoever holds the right, who approved and who asked included', () => {
    for (const by of ['owner', 'another', 'requester'])
      expect(answer(alarmed, revoke({ by }))).toBe('✓ revoked')
  })

  test.each<[string, Partial<Wish & { wish: 'revoke' }>, string]>([
    ['without the right', { right: { is: 'missing', actions: ['write'] } }, 'lacksRight'],
    ['whose right cannot be read', { right: { is: 'unreadable' } }, 'rightUnreadable'],
    ['in another place', { conversation: general.conversation }, 'wrongPlace'],
    ['while the vault is hidden', { connections: hidden }, 'connection'],
    ['when the vault is gone', { connections: absent }, 'connection'],
    [
      'when the connection is gone',
      { connections: onVault(imitation({ status: 'Approved' })) },
      'connection',
    ],
    ['when it is rejected already', { connections: onVault(connection('Rejected')) }, 'connection'],
  ])('not %s', (_what, change, refusal) => {
    expect(answer(alarmed, revoke(change))).toBe(refusal)
  })

  test('not once SignalR has followed', () => {
    const twins = onVault(approved, imitation({ status: 'Approved' }))
    const unclear = at('Propagating', alarm, shows(twins, own({ status: 'Approved' })))
    expect(unclear.stage.status).toBe('Propagating')
    expect(answer(unclear, revoke())).toBe('noAlarm')
    expect(answer(at('Propagating', alarm, followed), revoke())).toBe('noAlarm')
  })

  test('another endpoint that took its name is open under it, and may be rejected', () => {
    const swapped = connection('Approved', { privateEndpoint: endpoint('swapped') })
    const link = at('Approving', intended('approve'), shows(onVault(swapped)))
    expect(answer(link, revoke({ connections: onVault(swapped) }))).toBe('✓ revoked')
  })

  test('once: the second press hears whose the first was', () => {
    const link = at('Propagating', alarm, revoked)
    expect(decide(link, revoke({ by: 'owner' }), link.moved + 1)).toMatchObject({
      refusal: { refusal: 'alreadyDecided', decision: { verdict: 'reject', by: 'another' } },
    })
  })
})

describe('what comes of it', () => {
  const toClose = at('Propagating', alarm, revoked)

  test('the record says who, why, and what is taken back; nothing is done before a look', () => {
    expect(toClose).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected', by: 'another' },
      decision: {
        verdict: 'reject',
        by: 'another',
        reason: 'why',
        takesBack: { verdict: 'approve', by: 'owner' },
      },
    })
    expect(stepOf(toClose)).toEqual({ step: 'look' })
  })

  test('the connection is rejected first, then our own link is removed', () => {
    const seen = fold(toClose, timed(open, toClose.moved + minute))
    expect(stepOf(seen)).toMatchObject({ step: 'reject', connection: { id: approved.id } })
    const rejected = given(
      ...histories.Propagating,
      alarm,
      revoked,
      open,
      intended('reject'),
      done('reject'),
      shows(onVault(connection('Rejected'))),
    )
    expect(stepOf(rejected)).toMatchObject({ step: 'delete' })
    const ended = fold(rejected, timed(looked({}), rejected.moved + minute))
    expect(ended.stage).toMatchObject({ status: 'Rejected', by: 'another' })
  })

  test.each<[string, Sighting<never> | ReturnType<typeof own>]>([
    ['is gone', absent],
    ["is somebody else's", own({ requestMessage: 'theirs' })],
  ])('our own link %s: what is open is closed all the same, and only then it ends', (_what, signalr) => {
    const link = at('Propagating', alarm, revoked, shows(onVault(approved), signalr))
    expect(link.stage.status).toBe('Removing')
    expect(stepOf(link)).toMatchObject({ step: 'reject' })
    for (const closed of [onVault(connection('Rejected')), onVault(), absent])
      expect(at('Propagating', alarm, revoked, shows(closed, signalr)).stage.status).toBe('Rejected')
  })

  test('while the vault may not be seen nothing ends, and people hear what is missing', () => {
    const link = at('Propagating', alarm, revoked, shows(hidden, absent))
    expect(link).toMatchObject({ stage: { status: 'Removing' }, blocked: { cause: lacksRead } })
  })

  test('SignalR follows before anything was rejected: the approval stands, and whose it was', () => {
    const link = at('Propagating', alarm, revoked, followed)
    expect(link).toMatchObject({
      stage: { status: 'Approved' },
      decision: { verdict: 'approve', by: 'owner' },
    })
    expect(link.decision?.takesBack).toBeUndefined()
    const late = at('Propagating', alarm, revoked, open, intended('reject'), followed)
    expect(late.stage.status).toBe('Removing')
  })

  test('Azure that rejects only what is Pending: people are told, and nothing is sent again by itself', () => {
    const refused: Step = {
      fact: 'failed',
      effect: 'reject',
      cause: { cause: 'decidedMeanwhile' },
      notBefore: noon,
    }
    const link = at('Propagating', alarm, revoked, open, intended('reject'), refused, open)
    expect(link).toMatchObject({
      stage: { status: 'Removing' },
      blocked: { cause: { cause: 'cannotReject' } },
    })
    expect(stepOf(link)?.step).not.toBe('reject')
    expect(stepOf(fold(link, timed({ fact: 'retried', by: 'owner' }, link.moved + minute)))).toEqual({
      step: 'look',
    })
  })

  test('a rejection of what is open says nothing of one that is Pending', () => {
    const cause = { cause: 'decidedMeanwhile' } as const
    const link = at(
      'Pending',
      { fact: 'decided', verdict: 'reject', by: 'owner' },
      shows(onVault(connection())),
      intended('reject'),
      {
        fact: 'failed',
        effect: 'reject',
        cause,
        notBefore: noon,
      },
    )
    expect(link.blocked).toBeUndefined()
  })
})

describe('what the card approved is open still when our own link is gone, and SignalR never followed', () => {
  const cancelled: Step = { fact: 'cancelled', by: 'requester' }
  const left = shows(onVault(approved), absent)
  const deleted = at('Propagating', cancelled, open, intended('delete'), done('delete'))
  const byCard = fold(deleted, timed(left, deleted.moved + 1))
  const byHand = at('Propagating', left)
  const stepLater = (link: Link, later: number, approveAs: 'bot' | 'approver' = 'bot') => {
    const looked = fold(link, timed(left, link.moved + later))
    return next(looked, around(link.moved + later, looked.seen?.at, approveAs)).azure
  }
  const closed = [intended('reject'), done('reject'), shows(onVault(connection('Rejected')), absent)]

  test.each<[string, Link]>([
    ['the requester cancelled', byCard],
    ['somebody deleted it on SignalR', byHand],
  ])('%s: it is no end, and after Azure had its time it is rejected', (_what, link) => {
    expect(link.stage.status).toBe('Removing')
    expect(stepLater(link, limits.settleMs - 2)?.step).not.toBe('reject')
    expect(stepLater(link, limits.settleMs)).toMatchObject({
      step: 'reject',
      connection: { id: approved.id, status: 'Approved' },
    })
  })

  test('it ends when it is closed, and everybody is told', () => {
    const ended = at('Propagating', cancelled, open, intended('delete'), done('delete'), left, ...closed)
    expect(ended.stage.status).toBe('Cancelled')
    expect(ended.news.at(-1)).toMatchObject({ news: 'ended', outcome: 'Cancelled', closed: true })
  })

  test("it goes with the link, as what is SignalR's does: nothing is rejected, nobody is alarmed", () => {
    const gone = at(
      'Propagating',
      cancelled,
      open,
      intended('delete'),
      done('delete'),
      shows(onVault(), absent),
    )
    expect(gone.stage.status).toBe('Cancelled')
    expect(gone.news.at(-1)).not.toHaveProperty('closed')
  })

  test('while the vault may not be seen it is no end, and people hear what is missing', () => {
    const link = at('Propagating', cancelled, open, intended('delete'), done('delete'), shows(hidden, absent))
    expect(link).toMatchObject({ stage: { status: 'Removing' }, blocked: { cause: lacksRead } })
  })

  test('where only owners decide, they are alarmed, and it ends when they have closed it', () => {
    for (const later of [0, limits.settleMs, limits.alarmMs, 10 * limits.alarmMs])
      expect(stepLater(byCard, later, 'approver')?.step).not.toBe('reject')
    const late = fold(byCard, timed({ fact: 'passed', what: 'usualTime' }, byCard.moved))
    const plan = (later: number) => next(late, around(late.since + later, late.seen?.at, 'approver'))
    expect(plan(limits.alarmMs - 1).passed).toBeUndefined()
    expect(plan(limits.alarmMs).passed).toBe('alarmTime')
    const raised = fold(byCard, timed(alarm, byCard.moved + limits.alarmMs))
    expect(raised.news.at(-1)).toMatchObject({ news: 'unfollowed' })
    const shut = fold(raised, timed(shows(onVault(connection('Rejected')), absent), raised.moved + minute))
    expect(shut.stage.status).toBe('Cancelled')
  })

  describe('an approval that an owner was just sending, when the request was ended,', () => {
    const sends = { fact: 'intended', effect: 'approve', by: 'owner' } as const
    const lost: Step = {
      fact: 'failed',
      effect: 'approve',
      cause: { cause: 'unavailable', code: 'Deadline' },
      notBefore: noon,
    }
    const removed = [intended('delete'), done('delete')]
    const waiting = shows(onVault(connection()), absent)

    test.each<[string, readonly Step[]]>([
      ['taken by Azure after the cancellation', [sends, cancelled, done('approve'), open, ...removed, left]],
      ['its answer lost before the cancellation', [sends, lost, cancelled, open, ...removed, left]],
      ['its answer lost after the cancellation', [sends, cancelled, lost, open, ...removed, left]],
      ['killed, so that nobody knows', [sends, cancelled, open, ...removed, left]],
      ['the link deleted instead', [sends, left, done('approve'), left]],
      ['arriving when the link is gone', [sends, lost, cancelled, ...removed, waiting, left]],
    ])('%s: what it opened is no end, and the owners are alarmed', (_what, steps) => {
      // A second apart, as a slow answer and a quick hand are.
      const link = steps.reduce(
        (before, step) => fold(before, timed(step, before.moved + 1_000)),
        at('Pending'),
      )
      expect(link).toMatchObject({
        stage: { status: 'Removing' },
        decision: { verdict: 'approve', by: 'owner' },
      })
      const late = { ...link, late: true }
      expect(next(late, around(link.since + limits.alarmMs, link.seen?.at, 'approver')).passed).toBe(
        'alarmTime',
      )
    })

    test('and that Azure refused: nobody decided, and nothing waits for it', () => {
      const refused: Step = { ...lost, cause: { cause: 'decidedMeanwhile' } }
      const link = at('Pending', sends, cancelled, refused)
      expect(link).not.toHaveProperty('decision')
      const ended = at('Pending', sends, cancelled, refused, open, ...removed, waiting)
      expect(ended.stage.status).toBe('Cancelled')
    })

    test('and that never arrives: it ends, a minute later', () => {
      const link = at('Pending', sends, lost, cancelled, ...removed, waiting, waiting)
      expect(link.stage.status).toBe('Cancelled')
    })
  })

  test('Azure that rejects only what is Pending: people are told', () => {
    const refused: Step = {
      fact: 'failed',
      effect: 'reject',
      cause: { cause: 'decidedMeanwhile' },
      notBefore: noon,
    }
    expect(at('Propagating', left, intended('reject'), refused, left)).toMatchObject({
      stage: { status: 'Removing' },
      blocked: { cause: { cause: 'cannotReject' } },
    })
  })

  test('what was functional once, or was approved in the portal, is left to its owners', () => {
    const worked = at('Approved', { fact: 'unlinked', by: 'requester' }, shows(onVault(approved), absent))
    expect(stepLater(worked, limits.settleMs)?.step).not.toBe('reject')
  })
})

describe('what is shown', () => {
  const approvalOf = (link: Link) => views(link, limits).find(({ post }) => post === 'approval')?.view
  const statusOf = (link: Link) => views(link, limits).find(({ post }) => post === 'status')?.view

  test('the owners get the button with the alarm, and lose it when SignalR follows', () => {
    expect(approvalOf(at('Propagating'))).toMatchObject({ phase: { is: 'propagating' } })
    expect(approvalOf(at('Propagating'))).not.toHaveProperty('phase.alarmed')
    expect(approvalOf(alarmed)).toMatchObject({ phase: { is: 'propagating', alarmed: true } })
    expect(statusOf(alarmed)).toMatchObject({ waits: { for: 'signalr', alarmed: true } })
    expect(approvalOf(at('Propagating', alarm, followed))).toMatchObject({ phase: { is: 'works' } })
    expect(approvalOf(at('Propagating', alarm, revoked))).toMatchObject({ phase: { is: 'ending' } })
  })

  test('owners who were never asked are told now: the card is posted, then the alarm', () => {
    const portal = at('Provisioning', open, pinned)
    expect(approvalOf(portal)).toBeUndefined()
    const raised = at('Provisioning', open, pinned, alarm)
    expect(approvalOf(raised)).toMatchObject({ phase: { alarmed: true } })
    const told = at('Provisioning', open, pinned, alarm, posted('approval'))
    expect(views(told, limits).map(({ post }) => post)).toContain('owners/0')
  })
})
