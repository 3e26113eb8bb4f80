import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { fold } from '../../src/link/fold.ts'
import type { Link, News, Status } from '../../src/link/link.ts'
import {
  type ApprovalView,
  canCancel,
  isEnded,
  type NewsView,
  type StatusView,
  statusView,
  steps,
  views,
} from '../../src/link/views.ts'
import { causes, everyLook, everyOther } from './facts.ts'
import {
  asked,
  at,
  connection,
  connectionId,
  ended,
  given,
  hidden,
  lacksRead,
  limits,
  looked,
  minute,
  nonce,
  onVault,
  otherThread,
  own,
  pinned,
  rejectedBy,
  type Step,
  statuses,
  timed,
} from './given.ts'

const status = (link: Link): StatusView => statusView(link, limits)
const approval = (link: Link): ApprovalView | undefined =>
  views(link, limits)
    .map(({ view }) => view)
    .find((view) => view.view === 'approval')
const replies = (link: Link, to: NewsView['to']): News['news'][] =>
  views(link, limits).flatMap(({ view }) => (view.view === 'news' && view.to === to ? [view.news.news] : []))

/** The five steps as five letters: done, now, next, failed, skipped. */
const letters = { done: 'd', now: '●', next: '○', failed: '✗', skipped: '-' } as const
const signs = (link: Link): string =>
  steps(link)
    .map(({ sign }) => letters[sign])
    .join('')

describe('the status card', () => {
  const expected: Readonly<Record<Status, { steps: string; waits?: string; actions: string[] }>> = {
    Requested: { steps: 'd●○○○', waits: 'creation', actions: ['cancel'] },
    Provisioning: { steps: 'd●○○○', waits: 'creation', actions: ['cancel'] },
    Pending: { steps: 'dd●○○', waits: 'owner', actions: ['cancel'] },
    Approving: { steps: 'ddd●○', waits: 'approvalOnVault', actions: ['cancel'] },
    Propagating: { steps: 'dddd●', waits: 'signalr', actions: ['cancel'] },
    Approved: { steps: 'ddddd', actions: [] },
    Disconnected: { steps: 'dddd✗', actions: [] },
    Removing: { steps: 'dd✗--', waits: 'removal', actions: [] },
    Rejected: { steps: 'dd✗--', actions: [] },
    Cancelled: { steps: 'dd✗--', actions: [] },
    Expired: { steps: 'dd✗--', actions: [] },
    Failed: { steps: 'd✗---', actions: [] },
    Removed: { steps: 'ddddd', actions: [] },
  }

  test.each(statuses)('%s', (name) => {
    const view = status(at(name))
    expect({ steps: signs(at(name)), waits: view.waits?.for, actions: view.actions }).toEqual({
      waits: undefined,
      ...expected[name],
    })
    expect(view).toMatchObject({ status: name, by: 'requester', reason: 'why', nonce, name: asked.name })
  })

  test.each(statuses)(
    '%s: five steps in order, at most one of them now, none done after one that is not',
    (name) => {
      const before = at(name)
      const odd = [...everyOther, ...everyLook].flatMap((step) => {
        const shown = signs(fold(before, timed(step, before.moved + minute)))
        return shown.length === 5 && /^d+(●○*|✗-*|✗○*)?$/.test(shown)
          ? []
          : [`${shown}: ${JSON.stringify(step)}`]
      })
      expect(odd).toEqual([])
    },
  )

  test('no word for undefined: what is not known is left out', () => {
    for (const name of statuses) {
      for (const { view } of views(at(name), limits))
        for (const value of Object.values(view)) expect(value).toBeDefined()
    }
  })

  test('until when it usually takes, and that it takes longer', () => {
    expect(status(at('Provisioning')).waits).toEqual({
      for: 'creation',
      until: asked.at + limits.usualProvisioningMs,
      late: false,
    })
    expect(status(at('Provisioning', { fact: 'passed', what: 'usualTime' })).waits).toMatchObject({
      late: true,
    })
    expect(status(at('Pending')).waits).toEqual({ for: 'owner', until: asked.expiresAt })
    const propagating = at('Propagating')
    expect(status(propagating).waits).toEqual({
      for: 'signalr',
      until: propagating.since + limits.usualPropagatingMs,
      late: false,
    })
  })

  test('blocked: why, that it waits for a person, and Retry', () => {
    for (const name of ['Provisioning', 'Pending', 'Approving', 'Propagating'] as const) {
      const view = status(at(name, looked({ own: hidden })))
      expect(view).toMatchObject({
        cause: lacksRead,
        waits: { for: 'retry', cause: lacksRead },
        actions: ['retry', 'cancel'],
      })
    }
  })

  test.each(causes)('a cause is said: $cause', (cause) => {
    const link = at(
      'Requested',
      { fact: 'intended', effect: 'put' },
      { fact: 'failed', effect: 'put', cause, notBefore: 0 },
    )
    const passing = ['conflict', 'throttled', 'unavailable', 'decidedMeanwhile'].includes(cause.cause)
    expect(status(link).cause).toEqual(passing ? undefined : cause)
  })

  test('what SignalR says of it', () => {
    expect(status(at('Approved'))).toMatchObject({
      provisioningState: 'Succeeded',
      connectionState: 'Approved',
    })
    expect(status(given())).not.toHaveProperty('connectionState')
  })

  test('who ended it, who decided', () => {
    expect(status(at('Cancelled')).endedBy).toBe('requester')
    expect(status(at('Rejected')).decision).toMatchObject({ by: 'owner', reason: 'no' })
    expect(status(at('Expired'))).not.toHaveProperty('endedBy')
  })
})

describe('the approval card', () => {
  const expected: Readonly<Record<Status, string | undefined>> = {
    Requested: undefined,
    Provisioning: undefined,
    Pending: 'open',
    Approving: 'approving',
    Propagating: 'propagating',
    Approved: 'works',
    Disconnected: 'disconnected',
    Removing: 'ending',
    Rejected: 'ended',
    Cancelled: 'ended',
    Expired: 'ended',
    Failed: undefined,
    Removed: 'ended',
  }

  test.each(statuses)('%s', (name) => {
    expect(approval(at(name))?.phase.is).toBe(expected[name])
  })

  test('it names the pinned connection, the request, who asked, why here, until when', () => {
    expect(approval(at('Pending'))).toEqual({
      view: 'approval',
      link: 'link-1',
      signalr: asked.signalr,
      vault: asked.vault,
      name: asked.name,
      phase: { is: 'open', answerBy: asked.expiresAt },
      by: 'requester',
      askedAt: asked.at,
      reason: 'why',
      nonce,
      connection: connectionId('ours'),
      because: { is: 'default' },
    })
  })

  test('approved but blocked: what to grant', () => {
    const cause = { cause: 'botLacksRight', action: 'approve', scope: 'vault' } as const
    const link = at('Approving', { fact: 'failed', effect: 'approve', cause, notBefore: 0 })
    expect(approval(link)?.phase).toEqual({ is: 'approving', retry: cause })
  })

  test('asked again, it is open again, without the decision', () => {
    const view = approval(at('Approving', { fact: 'rechecked', right: 'missing' }))
    expect(view?.phase.is).toBe('open')
    expect(view).not.toHaveProperty('decision')
  })

  test('while it is open the same data whatever is seen', () => {
    const open = at('Pending')
    const changed = everyLook.filter((step) => {
      const link = fold(open, timed(step, open.moved + minute))
      return link.stage.status === 'Pending' && !isDeepStrictEqual(approval(link), approval(open))
    })
    expect(changed).toEqual([])
  })
})

describe('replies', () => {
  const told = (name: Status, ...then: Step[]) => at(name, ...then)

  test('Approved: the requester, the owners, those who follow', () => {
    const link = told(
      'Propagating',
      { fact: 'followed', by: 'colleague', thread: otherThread },
      looked({
        own: own({ status: 'Approved' }),
        connections: onVault(connection('Approved')),
        vaultIsPublic: true,
      }),
    )
    for (const to of ['requester', 'owners', 'follower'] as const)
      expect(replies(link, to)).toEqual(['approved'])
    const [reply] = views(link, limits).filter(({ post }) => post === 'thread/0')
    expect(reply?.view).toMatchObject({
      mentions: 'requester',
      decision: { by: 'owner' },
      vaultIsPublic: true,
    })
    expect(reply?.view).toHaveProperty('functionalAt', link.functionalAt)
  })

  test.each(ended)('%s: told once to each', (name) => {
    expect(replies(at(name), 'requester').filter((news) => news === 'ended')).toEqual(['ended'])
  })

  test('owners who were never asked hear nothing', () => {
    for (const name of ['Failed', 'Requested', 'Provisioning'] as const)
      expect(replies(at(name), 'owners')).toEqual([])
    const portal = at('Provisioning', looked({ own: own({ status: 'Approved' }) }))
    expect(replies(portal, 'owners')).toEqual([])
    expect(replies(portal, 'requester')).toEqual(['approved'])
  })

  test('each piece of news goes to whom it concerns', () => {
    const late = at('Approving', { fact: 'passed', what: 'usualTime' })
    expect([replies(late, 'requester'), replies(late, 'owners')]).toEqual([['late'], []])
    const alarm = at('Propagating', { fact: 'passed', what: 'alarmTime' })
    expect([replies(alarm, 'requester'), replies(alarm, 'owners')]).toEqual([['unfollowed'], ['unfollowed']])
    const blocked = at('Pending', looked({ own: hidden }))
    expect([replies(blocked, 'requester'), replies(blocked, 'owners')]).toEqual([['blocked'], ['blocked']])
    const again = at('Approving', { fact: 'rechecked', right: 'missing' })
    expect([replies(again, 'requester'), replies(again, 'owners')]).toEqual([[], ['askAgain']])
    const gone = at('Pending', { fact: 'gone', place: 'owners' })
    expect([replies(gone, 'requester'), replies(gone, 'owners')]).toEqual([['ownersGone'], []])
  })

  test('asked again: the one who decided is mentioned', () => {
    const link = at('Approving', { fact: 'rechecked', right: 'unreadable' })
    expect(views(link, limits).find(({ post }) => post === 'owners/0')?.view).toMatchObject({
      mentions: 'owner',
    })
  })

  test('rejected: the requester is told by whom', () => {
    const link = at('Rejected')
    const reply = views(link, limits).find(({ post }) => post === 'thread/0')
    expect(reply?.view).toMatchObject({
      news: { outcome: 'Rejected', by: 'owner' },
      decision: { reason: 'no' },
    })
  })

  test('a place for each: the cards first, the replies in their order', () => {
    const keys = views(at('Disconnected'), limits).map(({ post }) => post)
    expect(keys).toEqual(['status', 'approval', 'thread/0', 'owners/0', 'thread/1', 'owners/1'])
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('a card that failed to be redrawn still stands', () => {
    const link = at('Approved', { fact: 'unposted', post: 'approval', notBefore: 0 })
    expect(approval(link)?.phase.is).toBe('works')
    const never = at(
      'Provisioning',
      looked({ own: own(), connections: onVault(connection()) }),
      pinned,
      { fact: 'unposted', post: 'approval', notBefore: 0 },
      rejectedBy('owner'),
    )
    expect(approval(never)).toBeUndefined()
  })
})

test('ended and cancellable are no two things at once', () => {
  expect(statuses.filter((name) => isEnded(name))).toEqual([...ended])
  expect(statuses.filter((name) => canCancel(name))).toEqual([
    'Requested',
    'Provisioning',
    'Pending',
    'Approving',
    'Propagating',
  ])
})
