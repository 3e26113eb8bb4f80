import { describe, expect, test } from '@jest/globals'
import { decide, hasHeardOfEnd, isAskedLately } from '../../src/link/decide.ts'
import { fold } from '../../src/link/fold.ts'
import type { Connection, Link, Right, Sighting, Status, Wish } from '../../src/link/link.ts'
import { isOwnersPlace } from '../../src/link/places.ts'
import { connectionStates } from './facts.ts'
import {
  absent,
  asked,
  at,
  cardThread,
  connection,
  day,
  endpoint,
  general,
  given,
  hidden,
  home,
  hour,
  imitation,
  lacksRead,
  looked,
  minute,
  newOwners,
  noon,
  onVault,
  otherThread,
  own,
  type Step,
  second,
  statuses,
  timed,
  vaultOwners,
} from './given.ts'

const held: Right = { is: 'held' }
const missing: Right = { is: 'missing', actions: ['write'] }
const unreadable: Right = { is: 'unreadable' }
const rights = { held, missing, unreadable }

type Change = {
  by?: string
  right?: Right
  conversation?: string
  connections?: Sighting<readonly Connection[]>
}
const approve = (change: Change = {}): Wish => ({
  wish: 'approve',
  by: 'owner',
  right: held,
  connections: onVault(connection()),
  needs: { is: 'present', value: 1 },
  others: [],
  freshSince: 0,
  conversation: cardThread,
  ...change,
})
const reject = ({ connections: _none, ...change }: Change = {}): Wish => ({
  wish: 'reject',
  by: 'owner',
  right: held,
  reason: 'no',
  conversation: cardThread,
  ...change,
})
const cancel = (by: string, right: Right): Wish => ({ wish: 'cancel', by, right })
const unlink = (by: string, right: Right): Wish => ({ wish: 'unlink', by, right })

const now = (link: Link) => link.moved + 1
/** What the answer is called: the fact, or the refusal. */
function answer(link: Link, wish: Wish, time = now(link)): string {
  const decided = decide(link, wish, time)
  return decided.is === 'fact' ? `✓ ${decided.fact.fact}` : decided.refusal.refusal
}

describe('approve and reject', () => {
  const expected: Readonly<Record<Status, string>> = {
    Requested: 'tooEarly',
    Provisioning: 'tooEarly',
    Pending: '✓ decided',
    Approving: 'alreadyDecided',
    Propagating: 'alreadyDecided',
    Approved: 'alreadyDecided',
    Disconnected: 'alreadyDecided',
    Removing: 'alreadyEnded',
    Rejected: 'alreadyDecided',
    Cancelled: 'alreadyEnded',
    Expired: 'alreadyEnded',
    Failed: 'alreadyEnded',
    Removed: 'alreadyDecided',
  }

  test.each(statuses)('%s, by an owner with the right', (status) => {
    expect(answer(at(status), approve())).toBe(expected[status])
    expect(answer(at(status), reject())).toBe(expected[status])
  })

  test.each(statuses)('%s, by anybody without: never', (status) => {
    for (const wish of [approve, reject]) {
      for (const change of [
        { by: 'requester' },
        { right: missing },
        { right: unreadable },
        { conversation: general.conversation },
        { conversation: '' },
      ]) {
        expect(answer(at(status), wish(change))).not.toMatch('✓')
      }
    }
  })

  test('Pending: each lack is said by its name', () => {
    const link = at('Pending')
    for (const wish of [approve, reject]) {
      expect(answer(link, wish({ by: 'requester' }))).toBe('ownRequest')
      expect(answer(link, wish({ by: 'requester', right: missing }))).toBe('ownRequest')
      expect(decide(link, wish({ right: missing }), now(link))).toEqual({
        is: 'refused',
        refusal: { refusal: 'lacksRight', actions: ['write'] },
      })
      expect(answer(link, wish({ right: unreadable }))).toBe('rightUnreadable')
      expect(answer(link, wish({ conversation: otherThread.conversation }))).toBe('wrongPlace')
      expect(answer(link, wish(), asked.expiresAt - 1)).toBe('✓ decided')
      expect(answer(link, wish(), asked.expiresAt)).toBe('expired')
    }
  })

  test('who decided, why and when stands in the fact, and folding it is what was granted', () => {
    const link = at('Pending')
    expect(decide(link, reject(), now(link))).toEqual({
      is: 'fact',
      fact: { fact: 'decided', at: now(link), verdict: 'reject', by: 'owner', reason: 'no' },
    })
    const decided = decide(link, approve(), now(link))
    expect(decided.is === 'fact' && fold(link, decided.fact).stage.status).toBe('Approving')
  })

  test('a second click of anybody meets the first decision', () => {
    const link = at('Approving')
    expect(decide(link, approve({ by: 'another' }), now(link))).toMatchObject({
      refusal: {
        refusal: 'alreadyDecided',
        decision: { by: 'owner', verdict: 'approve' },
        status: 'Approving',
      },
    })
  })

  test('decided in the portal before', () => {
    const link = at('Pending', looked({ own: own(), connections: onVault(connection('Approved')) }))
    expect(decide(link, approve(), now(link))).toMatchObject({
      refusal: { refusal: 'alreadyDecided', decision: { where: 'portal' } },
    })
  })
})

describe('the look at the moment of the click', () => {
  const lookAlikes: readonly (readonly [string, Sighting<readonly Connection[]>, object])[] = [
    ['nothing to be seen', hidden, lacksRead],
    ['no vault', absent, { cause: 'vaultGone' }],
    ['no connection', onVault(), { cause: 'connectionGone' }],
    ['only an imitation', onVault(imitation()), { cause: 'connectionGone' }],
    ['an imitation beside it', onVault(connection(), imitation()), { cause: 'ambiguous', count: 2 }],
    ['an imitation before it', onVault(imitation(), connection()), { cause: 'ambiguous', count: 2 }],
    ...connectionStates.map(
      (status) =>
        [
          `an imitation that is ${status}`,
          onVault(connection(), imitation({ status })),
          { cause: 'ambiguous', count: 2 },
        ] as const,
    ),
    [
      'the mark on an imitation instead',
      onVault(connection('Pending', { description: 'please approve' }), imitation()),
      { cause: 'connectionChanged' },
    ],
    ['the mark gone', onVault(connection('Pending', { description: 'x' })), { cause: 'connectionChanged' }],
    [
      'another endpoint behind it',
      onVault(connection('Pending', { privateEndpoint: endpoint('swapped') })),
      { cause: 'connectionChanged' },
    ],
    [
      'an endpoint of our own behind it',
      onVault(connection('Pending', { privateEndpoint: endpoint('managed', home) })),
      { cause: 'connectionChanged' },
    ],
    [
      'its endpoint where the bot sees by now',
      onVault(connection('Pending', { endpointIsOurs: true })),
      { cause: 'strangeEndpoint' },
    ],
    [
      'no endpoint behind it',
      onVault(connection('Pending', { privateEndpoint: '' })),
      { cause: 'connectionChanged' },
    ],
    ...connectionStates
      .filter((status) => status !== 'Pending')
      .map(
        (status) => [`it is ${status}`, onVault(connection(status)), { cause: 'decidedMeanwhile' }] as const,
      ),
  ]

  test.each(lookAlikes)('%s: nothing is approved', (_what, connections, cause) => {
    const link = at('Pending')
    expect(decide(link, approve({ connections }), now(link))).toEqual({
      is: 'refused',
      refusal: { refusal: 'connection', cause },
    })
  })

  test('the same connection in other letters, beside those of others, is approved', () => {
    const ours = connection('Pending', {
      id: connection().id.toUpperCase(),
      privateEndpoint: connection().privateEndpoint.toUpperCase(),
      description: connection().description.toUpperCase(),
    })
    const theirs = imitation({ description: 'please approve' })
    expect(answer(at('Pending'), approve({ connections: onVault(theirs, ours) }))).toBe('✓ decided')
  })
})

describe('cancel', () => {
  const expected: Readonly<Record<Status, string>> = {
    Requested: '✓ cancelled',
    Provisioning: '✓ cancelled',
    Pending: '✓ cancelled',
    Approving: '✓ cancelled',
    Propagating: '✓ cancelled',
    Approved: 'alreadyApproved',
    Disconnected: 'alreadyApproved',
    Removing: 'alreadyEnded',
    Rejected: 'alreadyEnded',
    Cancelled: 'alreadyEnded',
    Expired: 'alreadyEnded',
    Failed: 'alreadyEnded',
    Removed: 'alreadyEnded',
  }

  test.each(statuses)('%s, by who asked whatever their right, or by who may write that SignalR', (status) => {
    for (const right of Object.values(rights))
      expect(answer(at(status), cancel('requester', right))).toBe(expected[status])
    expect(answer(at(status), cancel('colleague', held))).toBe(expected[status])
  })

  test.each(statuses)('%s, by somebody else: never', (status) => {
    const open = expected[status].startsWith('✓')
    expect(answer(at(status), cancel('colleague', missing))).toBe(open ? 'notYourRequest' : expected[status])
    expect(answer(at(status), cancel('colleague', unreadable))).toBe(
      open ? 'rightUnreadable' : expected[status],
    )
  })
})

describe('unlink', () => {
  const expected: Readonly<Record<Status, string>> = {
    Requested: 'notApprovedYet',
    Provisioning: 'notApprovedYet',
    Pending: 'notApprovedYet',
    Approving: 'notApprovedYet',
    Propagating: 'notApprovedYet',
    Approved: '✓ unlinked',
    Disconnected: '✓ unlinked',
    Removing: 'alreadyEnded',
    Rejected: 'alreadyEnded',
    Cancelled: 'alreadyEnded',
    Expired: 'alreadyEnded',
    Failed: 'alreadyEnded',
    Removed: 'alreadyEnded',
  }

  test.each(statuses)(
    '%s, by who may write that SignalR, and by nobody else, who asked included',
    (status) => {
      for (const by of ['requester', 'colleague']) {
        expect(answer(at(status), unlink(by, held))).toBe(expected[status])
        const ended = expected[status] === 'alreadyEnded'
        expect(answer(at(status), unlink(by, missing))).toBe(ended ? 'alreadyEnded' : 'lacksRight')
        expect(answer(at(status), unlink(by, unreadable))).toBe(ended ? 'alreadyEnded' : 'rightUnreadable')
      }
    },
  )
})

describe('retry and follow', () => {
  test.each(statuses)('%s: Retry is for what is blocked', (status) => {
    expect(answer(at(status), { wish: 'retry', by: 'anybody', right: held })).toBe('nothingBlocked')
  })

  test('blocked: Retry is granted to whoever has a part in it, and to nobody else', () => {
    const link = at('Pending', looked({ own: hidden }))
    const retry = (right: Right): Wish => ({ wish: 'retry', by: 'anybody', right })
    expect(answer(link, retry(held))).toBe('✓ retried')
    expect(answer(link, retry(missing))).toBe('lacksRight')
    expect(answer(link, retry(unreadable))).toBe('rightUnreadable')
  })

  test('one thread follows once, and not the one that asked', () => {
    const follow = (thread: typeof otherThread | typeof general): Wish => ({
      wish: 'follow',
      by: 'colleague',
      thread,
    })
    expect(answer(at('Pending'), follow(otherThread))).toBe('✓ followed')
    expect(answer(at('Pending'), follow(general))).toBe('✓ heard')
    const following = at('Pending', { fact: 'followed', by: 'colleague', thread: otherThread })
    expect(answer(following, follow(otherThread))).toBe('heardAlready')
  })

  test('who asks again hears how it stands; what Teams delivers again is no new question', () => {
    const asks = (by: string, thread: typeof otherThread | typeof general): Wish => ({
      wish: 'follow',
      by,
      thread,
    })
    const link = given()
    const later = (ms: number) => link.moved + ms
    expect(answer(link, asks('requester', general), later(30 * second))).toBe('heardAlready')
    expect(answer(link, asks('requester', general), later(2 * minute))).toBe('✓ heard')
    expect(answer(link, asks('requester', otherThread), later(second))).toBe('✓ followed')
    expect(answer(link, asks('colleague', general), later(second))).toBe('✓ heard')

    const heard = fold(
      link,
      timed({ fact: 'heard', by: 'colleague', conversation: general.conversation }, later(hour)),
    )
    const afterwards = (ms: number) => later(hour) + ms
    expect(answer(heard, asks('colleague', general), afterwards(minute))).toBe('heardAlready')
    expect(answer(heard, asks('another', general), afterwards(minute))).toBe('✓ heard')
    expect(answer(heard, asks('colleague', general), afterwards(3 * minute))).toBe('✓ heard')
  })

  test('what was asked for in the same thread a moment ago may be the same message, when it has ended too', () => {
    const link = at('Cancelled')
    const asked = (by: string, { conversation }: typeof general | typeof otherThread, ms: number) =>
      isAskedLately(link, by, conversation, link.asked.at + ms)
    expect(asked('requester', general, 2 * minute - 1)).toBe(true)
    expect(asked('requester', general, 2 * minute)).toBe(false)
    expect(asked('requester', otherThread, second)).toBe(false)
    expect(asked('colleague', general, second)).toBe(false)
    const { conversation } = general
    const hears = timed({ fact: 'heard', by: 'requester', conversation }, link.since)
    expect(hasHeardOfEnd(link, 'requester', conversation)).toBe(false)
    expect(hasHeardOfEnd(fold(link, hears), 'requester', conversation)).toBe(true)
    // How it stood before is not how it ended.
    expect(hasHeardOfEnd(fold(link, { ...hears, at: link.since - 1 }), 'requester', conversation)).toBe(false)
  })

  test('who heard what is kept for the newest alone', () => {
    const many = Array.from(
      { length: 60 },
      (_none, n): Step => ({
        fact: 'heard',
        by: `somebody ${n % 45}`,
        conversation: general.conversation,
      }),
    )
    const { heard = [] } = at('Pending', ...many)
    expect(heard).toHaveLength(20)
    expect(new Set(heard.map(({ by }) => by)).size).toBe(20)
    expect(heard.at(-1)?.by).toBe('somebody 14')
  })
})

describe('the owners place', () => {
  test("the card's thread, the channel it stands in, another thread there; nowhere else", () => {
    const link = at('Pending')
    expect(isOwnersPlace(link, cardThread)).toBe(true)
    expect(isOwnersPlace(link, vaultOwners.conversation)).toBe(true)
    expect(isOwnersPlace(link, `${vaultOwners.conversation};messageid=77`)).toBe(true)
    for (const elsewhere of [
      general.conversation,
      newOwners.conversation,
      `${vaultOwners.conversation}x`,
      '',
    ])
      expect(isOwnersPlace(link, elsewhere)).toBe(false)
  })

  test('a card under an unknown id is still in its channel, before the bot knows that it posted one', () => {
    const unknown = at('Provisioning', looked({ own: own(), connections: onVault(connection()) }))
    expect(unknown.told.approval).toBeUndefined()
    expect(isOwnersPlace(unknown, cardThread)).toBe(true)
  })

  test('after the channel was lost the old one no longer decides', () => {
    const moved: Step[] = [
      { fact: 'gone', place: 'owners' },
      { fact: 'rerouted', owners: { place: newOwners, because: { is: 'tagged' } } },
    ]
    const link = at('Pending', ...moved)
    expect(isOwnersPlace(link, cardThread)).toBe(false)
    expect(isOwnersPlace(link, newOwners.conversation)).toBe(true)
    expect(answer(link, approve())).toBe('wrongPlace')
  })
})

test('nothing granted depends on anything but the record, the wish and the moment', () => {
  const link = at('Pending')
  const wish = approve()
  expect(decide(link, wish, noon + day)).toEqual(decide(link, wish, noon + day))
  expect(fold(link, timed({ fact: 'retried', by: 'x' }, noon + day))).toBe(link)
})
