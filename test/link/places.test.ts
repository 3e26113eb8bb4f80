/** Which message is a card of ours, where its buttons count, and what becomes of a second card. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { decide } from '../../src/link/decide.ts'
import { fold } from '../../src/link/fold.ts'
import type { Fact, Link, Wish } from '../../src/link/link.ts'
import { next } from '../../src/link/next.ts'
import { adopt, type Pressed } from '../../src/link/places.ts'
import { views } from '../../src/link/views.ts'
import {
  approvedBy,
  around,
  at,
  cardThread,
  connection,
  general,
  given,
  limits,
  minute,
  newOwners,
  noon,
  onVault,
  otherThread,
  posted,
  type Step,
  statuses,
  timed,
  vaultOwners,
} from './given.ts'

const held = { is: 'held' } as const
const inOwners = (root: string): string => `${vaultOwners.conversation};messageid=${root}`
/** A second approval card, in the thread that it began. */
const second: Pressed = { conversation: inOwners('20'), activity: '20', on: 'approval' }
const secondStatus: Pressed = { conversation: general.conversation, activity: '21', on: 'status' }
const adopted = (link: Link, pressed: Pressed, by = 'owner'): Fact | undefined =>
  adopt(link, pressed, by, link.moved + 1)
const taken = (link: Link, ...all: readonly Pressed[]): Link =>
  all.reduce((now, pressed) => {
    const fact = adopted(now, pressed)
    return fact ? fold(now, fact) : now
  }, link)

const approve: Wish = {
  wish: 'approve',
  by: 'owner',
  right: held,
  connections: onVault(connection()),
  needs: { is: 'present', value: 1 },
  others: [],
  freshSince: 0,
  conversation: cardThread,
}
const wishes: Readonly<Record<string, readonly [Wish, Pressed['on']]>> = {
  approve: [approve, 'approval'],
  reject: [{ wish: 'reject', by: 'owner', right: held, conversation: cardThread }, 'approval'],
  cancel: [{ wish: 'cancel', by: 'requester', right: held }, 'status'],
  retry: [{ wish: 'retry', by: 'owner', right: held }, 'either'],
  unlink: [{ wish: 'unlink', by: 'requester', right: held }, 'question'],
}
const refusalOf = (link: Link, name: string, pressed: Omit<Pressed, 'on'>): string | undefined => {
  const [wish, on] = wishes[name] ?? [approve, 'approval']
  const moved = 'conversation' in wish ? { ...wish, conversation: pressed.conversation } : wish
  const decided = decide(link, moved, link.moved + 1, { ...pressed, on })
  return decided.is === 'refused' ? decided.refusal.refusal : undefined
}

describe('where a button counts', () => {
  const link = at('Pending')
  const working = at('Approved', { fact: 'questioned', by: 'lone', conversation: otherThread.conversation })

  test.each([
    ['approve', cardThread, 'approval'],
    ['reject', cardThread, 'approval'],
    ['cancel', general.conversation, 'status'],
  ])('%s: on its own card, where it was posted', (name, conversation, activity) => {
    expect(refusalOf(link, name, { conversation, activity })).toBeUndefined()
  })

  test('unlink: where the question was asked', () => {
    expect(
      refusalOf(working, 'unlink', { conversation: otherThread.conversation, activity: '5' }),
    ).toBeUndefined()
  })

  test.each(Object.keys(wishes))('%s: nowhere else, though it be the requester or an owner', (name) => {
    for (const conversation of [newOwners.conversation, 'a:chat', '', `${general.conversation}0`])
      for (const record of [link, working])
        expect(refusalOf(record, name, { conversation, activity: '5' })).toBe('wrongPlace')
  })

  test('the status card of who lost their thread stands in their chat, and counts for them alone', () => {
    const lost = at('Pending', { fact: 'gone', place: 'thread' })
    const pressed: Pressed = { conversation: 'a:chat', activity: '5', on: 'status' }
    expect(decide(lost, { wish: 'cancel', by: 'requester', right: held }, lost.moved, pressed).is).toBe(
      'fact',
    )
    expect(decide(lost, { wish: 'cancel', by: 'lone', right: held }, lost.moved, pressed)).toMatchObject({
      refusal: { refusal: 'wrongPlace' },
    })
    expect(adopted(lost, pressed, 'requester')).toMatchObject({ card: 'status', conversation: 'a:chat' })
  })

  test('on another message of the same link it was put there by somebody', () => {
    const here = given(
      posted('status'),
      ...['status', 'approval'].map(
        (post): Step => ({
          fact: 'posted',
          post: post === 'status' ? 'status' : 'approval',
          conversation: inOwners('2'),
          activity: post,
          digest: '',
          schema: 1,
        }),
      ),
    )
    expect(refusalOf(here, 'approve', { conversation: inOwners('2'), activity: 'status' })).toBe('wrongCard')
    const told = fold(
      at('Pending'),
      timed({ ...posted('status'), post: 'owners/0', conversation: cardThread, activity: '9' } as Step, noon),
    )
    for (const name of ['approve', 'reject', 'retry'])
      expect(refusalOf(told, name, { conversation: cardThread, activity: '9' })).toBe('wrongCard')
  })
})

describe('a card that the record does not know', () => {
  test('is adopted where its kind is posted', () => {
    expect(adopted(at('Pending'), second)).toEqual({
      fact: 'adopted',
      at: at('Pending').moved + 1,
      card: 'approval',
      conversation: second.conversation,
      activity: '20',
    })
    expect(adopted(at('Pending'), secondStatus)).toMatchObject({ card: 'status' })
    const retry = { on: 'either' } as const
    expect(adopted(at('Pending'), { ...second, ...retry })).toMatchObject({ card: 'approval' })
    expect(adopted(at('Pending'), { ...secondStatus, ...retry })).toMatchObject({ card: 'status' })
  })

  test.each<[string, Pressed]>([
    ['elsewhere', { ...second, conversation: otherThread.conversation }],
    ["in the owners' channel, not the root of its thread", { ...second, activity: '22' }],
    ['that is the first', { conversation: cardThread, activity: 'approval', on: 'approval' }],
    ['without a name', { conversation: second.conversation, on: 'approval' }],
    ['the question of unlink', { ...second, on: 'question' }],
  ])('not one %s', (_what, pressed) => {
    expect(adopted(at('Pending'), pressed)).toBeUndefined()
  })

  test('not before the owners can have been asked', () => {
    expect(adopted(at('Provisioning'), second)).toBeUndefined()
  })

  test('once, and no more than kills can have left', () => {
    const link = taken(at('Pending'), second, second)
    expect(Object.keys(link.told).filter((post) => post.includes('+'))).toEqual(['approval+0'])
    const many = Array.from({ length: 9 }, (_none, n): Pressed => ({ ...secondStatus, activity: `s${n}` }))
    expect(Object.keys(taken(link, ...many).told).filter((post) => post.startsWith('status+'))).toHaveLength(
      4,
    )
  })

  test.each(statuses)('%s: it is redrawn at once like the first, and stays like it to the end', (status) => {
    if (status === 'Requested' || status === 'Provisioning' || status === 'Failed') return
    const link = taken(at(status), second, secondStatus)
    const all = views(link, limits)
    const view = (post: string) => all.find((one) => one.post === post)?.view
    expect(view('approval+0')).toEqual(view('approval'))
    expect(view('status+0')).toEqual(view('status'))
    const planned = next(link, around(link.moved, link.moved)).messages
    expect(planned.find(({ post }) => post === 'approval+0')).toMatchObject({
      to: { how: 'update', activity: '20', copy: true },
      lane: 'approval+0',
    })
  })

  test('drawn, it rests; moved on, it is drawn again', () => {
    const drawn = (link: Link): Link =>
      next(link, around(link.moved, link.moved)).messages.reduce((now, { post, to, digest }) => {
        const where = to.how === 'update' ? to : { conversation: cardThread, activity: post }
        const { conversation, activity } = where
        return fold(now, { fact: 'posted', at: now.moved, post, conversation, activity, digest, schema: 1 })
      }, link)
    const link = drawn(taken(at('Pending'), second))
    expect(next(link, around(link.moved, link.moved)).messages).toEqual([])
    const moved = fold(link, timed(approvedBy('owner'), link.moved + minute))
    const posts = next(moved, around(moved.moved, moved.moved)).messages.map(({ post }) => post)
    expect(posts).toEqual(['status', 'approval', 'approval+0'])
  })

  test('that cannot be redrawn holds up nothing else, and is let go of', () => {
    const link = taken(at('Approving'), second)
    const failed = fold(
      link,
      timed({ fact: 'unposted', post: 'approval+0', notBefore: noon + 1000 * minute }, link.moved),
    )
    const posts = next(failed, around(failed.moved, failed.moved)).messages.map(({ post }) => post)
    expect(posts).toEqual(['status', 'approval'])
    const lost = fold(failed, timed({ fact: 'lost', post: 'approval+0' }, failed.moved + 1))
    expect(lost.told).not.toHaveProperty(['approval+0'])
    expect(lost.gone).toEqual([])
  })

  test('goes with its channel', () => {
    const link = taken(at('Pending'), second)
    const moved = fold(
      link,
      timed({ fact: 'rerouted', owners: { place: newOwners, because: { is: 'tagged' } } }, link.moved),
    )
    expect(Object.keys(moved.told)).toEqual(['status'])
    const silent = fold(taken(at('Pending'), secondStatus), timed({ fact: 'gone', place: 'thread' }, noon))
    expect(Object.keys(silent.told)).toEqual(['approval'])
  })
})

describe('whatever is pressed, wherever, however often', () => {
  const somewhere = fc.constantFrom(
    cardThread,
    second.conversation,
    general.conversation,
    otherThread.conversation,
    'a:chat',
  )
  const press = fc.record({
    name: fc.constantFrom(...Object.keys(wishes)),
    by: fc.constantFrom('owner', 'another', 'requester', 'outsider'),
    right: fc.constantFrom(
      held,
      { is: 'missing', actions: ['write'] } as const,
      { is: 'unreadable' } as const,
    ),
    conversation: somewhere,
    activity: fc.option(fc.constantFrom('approval', 'status', '20', '21', '22'), { nil: undefined }),
  })

  test('at most one decision, by somebody who may, in its place; the others hear which', () => {
    fc.assert(
      fc.property(fc.array(press, { maxLength: 12 }), (presses) => {
        let link = at('Pending')
        const granted: string[] = []
        for (const { name, by, right, conversation, activity } of presses) {
          const [base, on] = wishes[name] ?? [approve, 'approval']
          const wish = { ...base, by, right, ...('conversation' in base && { conversation }) } as Wish
          const pressed: Pressed = { conversation, on, ...(activity !== undefined && { activity }) }
          const before = link
          const decided = decide(link, wish, link.moved + 1, pressed)
          const copy = adopt(link, pressed, by, link.moved + 1)
          if (decided.is === 'fact') {
            granted.push(decided.fact.fact)
            link = fold(link, decided.fact)
            if (decided.fact.fact === 'decided')
              expect([right.is, by]).toEqual(['held', expect.not.stringMatching('requester')])
          } else if (before.decision && decided.refusal.refusal === 'alreadyDecided') {
            expect(decided.refusal.decision).toEqual(before.decision)
          }
          if (copy) link = fold(link, copy)
        }
        expect(granted.filter((fact) => fact === 'decided').length).toBeLessThanOrEqual(1)
        expect(granted.filter((fact) => fact === 'cancelled').length).toBeLessThanOrEqual(1)
        expect(Object.keys(link.told).length).toBeLessThanOrEqual(2 + 2 * 4)
      }),
      { numRuns: 2_000 },
    )
  })

  test('of one press, delivered up to four times among others: the first decides, each other hears by whom', () => {
    const clicks = ['approve', 'reject'] as const
    const click = fc.record({
      name: fc.constantFrom(...clicks),
      by: fc.constantFrom('owner', 'another'),
      times: fc.integer({ min: 1, max: 4 }),
    })
    const shuffled = fc.array(click, { minLength: 1, maxLength: 4 }).chain((all) =>
      fc.shuffledSubarray(
        all.flatMap((one) => Array.from({ length: one.times }, () => one)),
        { minLength: 1 },
      ),
    )
    fc.assert(
      fc.property(shuffled, (deliveries) => {
        let link = at('Pending')
        deliveries.forEach(({ name, by }, index) => {
          const [base] = wishes[name] ?? [approve]
          const decided = decide(link, { ...base, by } as Wish, link.moved + 1, {
            conversation: cardThread,
            activity: 'approval',
            on: 'approval',
          })
          if (index === 0) {
            expect(decided).toMatchObject({ is: 'fact', fact: { fact: 'decided', by } })
            if (decided.is === 'fact') link = fold(link, decided.fact)
          } else {
            const [first] = deliveries
            expect(decided).toMatchObject({
              is: 'refused',
              refusal: { refusal: 'alreadyDecided', decision: { by: first?.by, verdict: first?.name } },
            })
          }
        })
      }),
      { numRuns: 500 },
    )
  })
})
