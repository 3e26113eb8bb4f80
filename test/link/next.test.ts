import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fold } from '../../src/link/fold.ts'
import type { Link, Millis } from '../../src/link/link.ts'
import { isOurs } from '../../src/link/match.ts'
import { next, type Plan, type Surroundings } from '../../src/link/next.ts'
import { isCopy } from '../../src/link/places.ts'
import { restInterval, stirredAt } from '../../src/link/rest.ts'
import { isEnded, viewSchema, views } from '../../src/link/views.ts'
import { anyFacts, everyLook, everyOther } from './facts.ts'
import {
  absent,
  around,
  asked,
  at,
  cardThread,
  connection,
  day,
  done,
  ended,
  given,
  hidden,
  hour,
  imitation,
  intended,
  limits,
  looked,
  minute,
  newOwners,
  nonce,
  noon,
  onVault,
  otherThread,
  otherVault,
  own,
  pinned,
  posted,
  rejectedBy,
  type Step,
  second,
  statuses,
  timed,
  vault,
} from './given.ts'

/** The plan at a moment, counted from the newest fact; the last look is the one in the record. */
const planOf = (link: Link, after: Millis = 0): Plan => next(link, around(link.moved + after, link.seen?.at))
const stepOf = (link: Link, after: Millis = 0) => planOf(link, after).azure?.step

/** All that stands to be told is posted as it should be now. */
function told(link: Link): Link {
  let current = link
  for (let round = 0; round < 20; round++) {
    const { messages } = planOf(current)
    if (messages.length === 0) return current
    for (const { post, digest } of messages) {
      const conversation = post === 'approval' ? cardThread : 'somewhere'
      current = fold(
        current,
        timed(
          { fact: 'posted', post, conversation, activity: post, digest, schema: viewSchema },
          current.moved,
        ),
      )
    }
  }
  throw new Error('There is always something to tell')
}

/** Looked at once more, a minute later, with nothing new. */
const lookedAgain = (link: Link): Link => {
  const { seen } = link
  if (!seen) return fold(link, timed(looked({}), link.moved + minute))
  return fold(link, timed({ fact: 'observed', seen }, link.moved + minute))
}

const pendingOnVault = looked({ own: own(), connections: onVault(connection()) })
const lost = (effect: 'put' | 'approve' | 'reject' | 'delete', notBefore: Millis): Step => ({
  fact: 'failed',
  effect,
  cause: { cause: 'unavailable', code: 'Deadline' },
  notBefore,
})

/** Said once more in its own words, from the look alone. */
function isAsAskedAbout({ seen, pinned }: Link): boolean {
  const own = seen?.own.is === 'present' ? seen.own.value : undefined
  const all = seen?.connections.is === 'present' ? seen.connections.value : []
  const [marked, ...others] = all.filter(({ description }) => description.includes(nonce))
  return (
    own?.target === vault &&
    own.requestMessage.includes(nonce) &&
    own.provisioningState !== 'Deleting' &&
    others.length === 0 &&
    marked?.status === 'Pending' &&
    marked.id === pinned?.connection &&
    marked.privateEndpoint === pinned.privateEndpoint
  )
}

describe('whatever the record', () => {
  /** What must hold of any plan; the names of those laws that it breaks. */
  function broken(link: Link, now: Millis, lookedAt: Millis | undefined): string[] {
    const plan = next(link, around(now, lookedAt))
    const lanes = plan.messages.map(({ lane }) => lane)
    const decidesOn =
      plan.azure?.step === 'approve' || plan.azure?.step === 'reject' ? plan.azure.connection : undefined
    const takesBack = plan.azure?.step === 'reject' && link.decision?.takesBack !== undefined
    // Opened by the card's approval, never functional, and SignalR has no link of ours that it could belong to.
    const own = link.seen?.own
    const leftBehind =
      link.stage.status === 'Removing' &&
      link.functionalAt === undefined &&
      link.decision?.where === 'card' &&
      own !== undefined &&
      (own.is === 'absent' || (own.is === 'present' && !isOurs(link, own.value)))
    const effect = plan.azure && ['put', 'approve', 'reject', 'delete'].includes(plan.azure.step)
    const { attempt } = link
    const laws = {
      'one message a lane': new Set(lanes).size === lanes.length,
      'a lane is a place, or a second card alone': plan.messages.every(({ post, place, lane }) =>
        isCopy(post) ? lane === post : lane === (place === 'requester' ? 'thread' : place),
      ),
      'a second card is redrawn and never posted': plan.messages.every(
        ({ post, to }) => isCopy(post) === (to.how === 'update' && to.copy === true),
      ),
      'no place that is gone': plan.messages.every(({ place }) => !link.gone.includes(place)),
      'the wake is yet to come, in whole milliseconds':
        plan.wake === undefined || (plan.wake > now && Number.isInteger(plan.wake)),
      'no silence for ever':
        isEnded(link.stage.status) ||
        plan.azure !== undefined ||
        plan.passed !== undefined ||
        plan.messages.length > 0 ||
        plan.wake !== undefined,
      'after the end Azure is left alone': !isEnded(link.stage.status) || (!plan.azure && !plan.passed),
      'no effect without a fresh look':
        !effect || (link.looked && lookedAt !== undefined && now - lookedAt <= limits.freshLookMs),
      'no effect before its time':
        !effect ||
        attempt?.effect !== plan.azure?.step ||
        attempt?.outcome.is !== 'failed' ||
        attempt.outcome.notBefore <= now,
      'nothing is done while blocked': !link.blocked || !effect,
      'only the pinned connection is decided on':
        !decidesOn ||
        (decidesOn.id === link.pinned?.connection &&
          (decidesOn.status === 'Pending' ||
            (decidesOn.status === 'Approved' &&
              (takesBack || (plan.azure?.step === 'reject' && leftBehind))))),
      'an approval goes to what stands as it was asked about: our link, and the pinned connection alone and unchanged':
        plan.azure?.step !== 'approve' || isAsAskedAbout(link),
      'what is rejected before it was approved is what was asked about':
        plan.azure?.step !== 'reject' ||
        plan.azure.connection.status !== 'Pending' ||
        plan.azure.connection.privateEndpoint === link.pinned?.privateEndpoint,
      'an approval has a decision': plan.azure?.step !== 'approve' || link.decision?.verdict === 'approve',
      'a failing post waits': plan.messages.every(({ post }) => {
        const was = link.told[post]
        return was?.is !== 'failed' || was.notBefore <= now
      }),
      'replies are posted once': plan.messages.every(
        ({ post, to }) => link.told[post]?.is !== 'posted' || to.how === 'update',
      ),
    }
    return Object.entries(laws).flatMap(([law, holds]) =>
      holds ? [] : [`${law}: ${link.stage.status} ${JSON.stringify(plan.azure)}`],
    )
  }
  const moments = [0, second, 10 * second, minute, 20 * minute, hour, 6 * day, 8 * day]

  test.each(statuses)('%s after any single fact keeps the laws at any moment', (status) => {
    const link = at(status)
    const found = [...everyOther, ...everyLook.filter((_look, index) => index % 5 === 0)].flatMap((step) => {
      const now = fold(link, timed(step, link.moved + minute))
      return moments.flatMap((later) => [
        ...broken(now, now.moved + later, now.seen?.at),
        ...broken(now, now.moved + later, now.moved + later - second),
      ])
    })
    expect(found).toEqual([])
  })

  test('any facts in any order keep them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...statuses),
        anyFacts,
        fc.nat({ max: 10 * day }),
        fc.option(fc.nat({ max: hour }), { nil: undefined }),
        (status, drawn, later, age) => {
          const link = drawn.reduce(fold, at(status))
          const now = link.moved + later
          expect(broken(link, now, age === undefined ? undefined : now - age)).toEqual([])
          expect(broken(link, now, link.seen?.at)).toEqual([])
        },
      ),
      { numRuns: 300 },
    )
  })

  test('whatever looks show between the decision and what is sent', () => {
    const anyLook = fc.constantFrom(...everyLook.filter(({ fact }) => fact === 'observed'))
    fc.assert(
      fc.property(
        fc.constantFrom('approve', 'reject'),
        fc.array(anyLook, { minLength: 1, maxLength: 4 }),
        (verdict, looks) => {
          const decided = at('Pending', { fact: 'decided', verdict, by: 'owner' } as const)
          looks.reduce((link, look) => {
            const shown = fold(link, timed(look, link.moved + minute))
            expect(broken(shown, shown.moved + second, shown.seen?.at)).toEqual([])
            return shown
          }, decided)
        },
      ),
      { numRuns: 3_000 },
    )
  })

  test('the same record and moment give the same plan', () => {
    for (const status of statuses) expect(planOf(at(status), day)).toEqual(planOf(at(status), day))
  })
})

describe('the step on Azure', () => {
  test('a new request is looked at first, and made when a look shows that it may be', () => {
    expect(stepOf(given())).toBe('look')
    expect(stepOf(given(looked({})))).toBe('put')
  })

  test('a look that has grown old is taken again before anything is done', () => {
    expect(stepOf(given(looked({})), limits.freshLookMs)).toBe('put')
    expect(stepOf(given(looked({})), limits.freshLookMs + 1)).toBe('look')
    expect(stepOf(at('Approving', pendingOnVault), limits.freshLookMs + 1)).toBe('look')
  })

  test('a look that took long is good for twice as long', () => {
    const link = given(looked({}))
    const step = (after: Millis, lookTookMs: Millis) =>
      next(link, { ...around(link.moved + after, link.moved), lookTookMs }).azure?.step
    expect(step(12 * second, 6 * second)).toBe('put')
    expect(step(12 * second + 1, 6 * second)).toBe('look')
    expect(step(limits.freshLookMs, second)).toBe('put')
  })

  test.each([
    ['the vault may not be read', looked({ connections: hidden })],
    ['the link may not be read', looked({ own: hidden })],
  ])('nothing is put while %s', (_what, look) => {
    for (const later of [0, second, hour]) expect(stepOf(given(look), later)).not.toBe('put')
  })

  test('an approval is sent after a look that shows the pinned connection Pending, for that connection', () => {
    expect(stepOf(at('Approving'))).toBe('look')
    const plan = planOf(at('Approving', pendingOnVault))
    expect(plan.azure).toMatchObject({ step: 'approve', connection: { id: connection().id } })
  })

  test.each(['Timeout', 'Unknown'] as const)('from %s nothing is approved', (status) => {
    const link = at('Approving', looked({ own: own(), connections: onVault(connection(status)) }))
    for (const later of [0, second, hour]) expect(stepOf(link, later)).not.toBe('approve')
  })

  test('an imitation that turns up after the click stops the approval, and people are told', () => {
    const link = at('Approving', looked({ own: own(), connections: onVault(imitation(), connection()) }))
    expect(link).toMatchObject({ blocked: { cause: { cause: 'ambiguous', count: 2 } } })
    for (const later of [0, second, hour]) expect(stepOf(link, later)).not.toBe('approve')
    expect(stepOf(fold(link, timed(pendingOnVault, link.moved + 1)))).toBe('approve')
  })

  test.each([
    ['failed', lost('approve', 0)],
    ['done', done('approve')],
  ])(
    '%s and yet Pending: sent again only when its answer can no longer come, after a look later than that',
    (_what, outcome) => {
      const sent = at('Approving', pendingOnVault, intended('approve'), outcome)
      expect(stepOf(sent)).toBe('look')
      const lookAfter = (later: Millis) => fold(sent, timed(pendingOnVault, sent.moved + later))
      expect(stepOf(lookAfter(second))).toBeUndefined()
      expect(stepOf(lookAfter(limits.settleMs - 1), 1)).toBe('look')
      expect(stepOf(lookAfter(limits.settleMs))).toBe('approve')
    },
  )

  test('cut off by a kill: the same', () => {
    const sent = at('Approving', pendingOnVault, intended('approve'))
    expect(stepOf(sent)).toBe('look')
    const lookAfter = (later: Millis) => fold(sent, timed(pendingOnVault, sent.moved + later))
    expect(stepOf(lookAfter(second))).toBeUndefined()
    expect(stepOf(lookAfter(limits.settleMs))).toBe('approve')
  })

  test('taken and not carried out again and again: sent less and less often, hourly at last', () => {
    const stands = looked({ own: own(), connections: onVault(connection('Pending')) })
    let link = at('Removing', stands)
    const waits: number[] = []
    for (let n = 0; n < 10; n++) {
      const sent = [intended('delete'), done('delete')].reduce(
        (folded, step) => fold(folded, timed(step, folded.moved + 1)),
        link,
      )
      const lookAfter = (later: Millis) => fold(sent, timed(stands, sent.moved + later))
      const wait = [...Array.from({ length: 12 }, (_none, k) => limits.settleMs * 2 ** k), hour]
        .sort((a, b) => a - b)
        .find((later) => stepOf(lookAfter(later)) === 'delete')
      if (wait === undefined) throw new Error('It is never sent again')
      expect(stepOf(lookAfter(wait - 1), 1)).not.toBe('delete')
      waits.push(wait)
      link = lookAfter(wait)
    }
    const doubled = waits.map((_wait, n) => Math.min(hour, limits.settleMs * 2 ** n))
    expect(waits).toEqual(doubled)
    expect(waits.at(-1)).toBe(hour)
  })

  test('what Azure asked to wait for is waited for, the look included', () => {
    const link = at('Approving', pendingOnVault, intended('approve'), {
      fact: 'failed',
      effect: 'approve',
      cause: { cause: 'throttled' },
      notBefore: noon + day,
    })
    expect(planOf(link).azure).toBeUndefined()
    expect(next(link, around(noon + day - 1, link.seen?.at)).azure).toBeUndefined()
    expect(next(link, around(noon + day, link.seen?.at)).azure?.step).toBe('look')
  })

  test('a clock behind that of the attempt waits for its moment', () => {
    const link = at('Approving', pendingOnVault, intended('approve'))
    const began = link.attempt?.at ?? 0
    const plan = next(told(link), around(began - hour, link.seen?.at))
    expect(plan.azure).toBeUndefined()
    expect(plan.wake).toBe(began)
    expect(next(link, around(began, link.seen?.at)).azure?.step).toBe('look')
  })

  test('after a success the same is not done again until Azure had time to show it', () => {
    const sent = at('Requested', looked({}), intended('put'), done('put'), looked({}))
    expect(sent.stage.status).toBe('Provisioning')
    expect(stepOf(sent)).not.toBe('put')
  })

  test('a decision grown old has its right read again, and only then is applied', () => {
    const old = at('Approving', pendingOnVault)
    const later = fold(old, timed(pendingOnVault, old.moved + limits.freshDecisionMs + minute))
    const link = fold(
      fold(later, timed({ fact: 'retried', by: 'x' }, later.moved)),
      timed(
        looked({ own: own(), connections: onVault(connection('Pending', { etag: '2' })) }),
        later.moved + limits.freshDecisionMs,
      ),
    )
    expect(planOf(link).azure).toEqual({ step: 'recheck', by: 'owner' })
    const held = fold(link, timed({ fact: 'rechecked', right: 'held' }, link.moved + 1))
    expect(stepOf(held)).toBe('approve')
    const gone = fold(link, timed({ fact: 'rechecked', right: 'missing' }, link.moved + 1))
    expect(stepOf(gone)).not.toBe('approve')
  })

  test('rejected on the card: the connection is rejected, then the link is deleted, when a look shows each', () => {
    const link = at('Pending', rejectedBy('owner'))
    expect(stepOf(link)).toBe('look')
    const seen = fold(link, timed(pendingOnVault, link.moved + 1))
    expect(stepOf(seen)).toBe('reject')
    const rejected = looked({ own: own(), connections: onVault(connection('Rejected')) })
    expect(stepOf(fold(seen, timed(rejected, seen.moved + 1)))).toBe('delete')
  })

  test('rejected in the portal: nothing is rejected again', () => {
    const link = at('Pending', looked({ own: own(), connections: onVault(connection('Rejected')) }))
    expect(stepOf(link)).toBe('delete')
    expect(stepOf(fold(link, timed(pendingOnVault, link.moved + 1)))).toBe('delete')
  })

  test.each(['Creating', 'Updating', 'Running', 'Deleting', 'Moving', 'Unknown'] as const)(
    'a link that is %s is not deleted yet',
    (provisioningState) => {
      const link = at('Removing', looked({ own: own({ provisioningState }) }))
      for (const later of [0, second, hour]) expect(stepOf(link, later)).not.toBe('delete')
      expect(planOf(told(link)).wake ?? planOf(told(link)).azure).toBeDefined()
    },
  )

  test.each(['Succeeded', 'Failed', 'Canceled'] as const)(
    'a link that %s is deleted',
    (provisioningState) => {
      expect(stepOf(at('Removing', looked({ own: own({ provisioningState }) })))).toBe('delete')
    },
  )

  test('theirs is never deleted: not with another target, not without our nonce, not when hidden', () => {
    for (const sighting of [own({ target: otherVault }), own({ requestMessage: 'theirs' }), hidden, absent])
      for (const status of ['Removing', 'Requested', 'Pending', 'Approved'] as const)
        for (const later of [0, second, minute, hour])
          expect(
            stepOf(at(status, looked({ own: sighting, connections: onVault(connection()) })), later),
          ).not.toBe('delete')
  })

  test('what stands is left alone', () => {
    for (const status of ['Provisioning', 'Pending', 'Propagating', 'Approved', 'Disconnected'] as const)
      for (const later of [0, second, minute, hour, day])
        expect(['look', undefined]).toContain(stepOf(lookedAgain(at(status)), later))
  })

  test('blocked, it is looked at and nothing else, until Retry', () => {
    const blocked = at('Approving', pendingOnVault, intended('approve'), {
      fact: 'failed',
      effect: 'approve',
      cause: { cause: 'botLacksRight', action: 'approve', scope: 'vault' },
      notBefore: noon + day,
    })
    const seen = fold(blocked, timed(pendingOnVault, blocked.moved + minute))
    expect(seen.blocked).toBeDefined()
    for (const later of [0, minute, hour, day]) expect(['look', undefined]).toContain(stepOf(seen, later))
    const again = fold(seen, timed({ fact: 'retried', by: 'x' }, seen.moved + minute))
    expect(stepOf(again)).toBe('look')
    expect(stepOf(fold(again, timed(pendingOnVault, again.moved + minute)))).toBe('approve')
  })
})

describe('the owners are gone', () => {
  const gone = at('Pending', { fact: 'gone', place: 'owners' })

  test('somebody else is found to ask', () => {
    expect(next(gone, around(gone.moved, gone.moved)).azure?.step).toBe('reroute')
  })

  test('meanwhile Azure is looked at, and the time runs out', () => {
    expect(stepOf(gone, 2 * limits.longestLookMs)).toBe('look')
    const { expiresAt } = asked
    expect(next(gone, around(expiresAt, gone.seen?.at)).azure?.step).toBe('look')
    expect(next(gone, around(expiresAt, expiresAt)).passed).toBe('expiry')
  })

  test('decided already, nobody needs to be asked', () => {
    expect(stepOf(lookedAgain(at('Approving', { fact: 'gone', place: 'owners' })))).not.toBe('reroute')
  })

  test('a new channel gets the card, in a thread of its own', () => {
    const routed = fold(
      gone,
      timed({ fact: 'rerouted', owners: { place: newOwners, because: { is: 'tagged' } } }, gone.moved + 1),
    )
    expect(planOf(routed).messages.find(({ post }) => post === 'approval')?.to).toEqual({
      how: 'thread',
      channel: newOwners.conversation,
      serviceUrl: newOwners.serviceUrl,
    })
  })
})

describe('times', () => {
  const { expiresAt } = asked

  test.each(['Requested', 'Provisioning', 'Pending'] as const)(
    '%s: at its end it is looked at once more before it runs out, however short ago the last look was',
    (status) => {
      const link = fold(told(at(status)), timed({ fact: 'passed', what: 'usualTime' }, expiresAt - hour))
      const still =
        status === 'Requested' ? fold(link, timed(looked({ own: hidden }), expiresAt - minute)) : link
      for (const ago of [1, second, minute]) {
        const plan = next(still, around(expiresAt, expiresAt - ago))
        expect(plan).toMatchObject({ azure: { step: 'look' } })
        expect(plan.passed).toBeUndefined()
      }
    },
  )

  test('with that look it runs out; and an approval that the look shows comes first', () => {
    const link = at('Pending')
    expect(next(link, around(expiresAt + second, expiresAt)).passed).toBe('expiry')
    const approved = fold(
      link,
      timed(
        looked({ own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) }),
        expiresAt,
      ),
    )
    expect(next(approved, around(expiresAt + second, expiresAt)).passed).toBeUndefined()
    expect(approved.stage.status).toBe('Approved')
  })

  test('once decided it does not run out', () => {
    for (const status of ['Approving', 'Propagating', 'Approved', 'Disconnected', 'Removing'] as const)
      expect(next(at(status), around(expiresAt + day, expiresAt + day)).passed).not.toBe('expiry')
  })

  test('its end wakes it, however long the looks are apart', () => {
    const link = told(at('Pending'))
    const now = expiresAt - second
    expect(next(link, around(now, now)).wake).toBe(expiresAt)
  })

  test.each([
    ['Requested', asked.at + limits.usualProvisioningMs],
    ['Provisioning', asked.at + limits.usualProvisioningMs],
  ] as const)('%s is late after the usual time since it was asked', (status, due) => {
    const link = lookedAgain(at(status))
    expect(next(link, around(due - 1, due - 1)).passed).toBeUndefined()
    expect(next(link, around(due, due)).passed).toBe('usualTime')
    const said = fold(link, timed({ fact: 'passed', what: 'usualTime' }, due))
    expect(next(said, around(due, due)).passed).toBeUndefined()
  })

  test.each(['Approving', 'Propagating', 'Removing'] as const)(
    '%s is late after the usual time since it began',
    (status) => {
      const usual = status === 'Removing' ? limits.usualProvisioningMs : limits.usualPropagatingMs
      const link = at(status, { fact: 'passed', what: 'alarmTime' })
      expect(next(link, around(link.since + usual - 1, link.since)).passed).toBeUndefined()
      expect(next(link, around(link.since + usual, link.since)).passed).toBe('usualTime')
    },
  )

  test('SignalR does not follow: the alarm is raised, then nothing more', () => {
    const link = at('Propagating')
    const due = link.since + limits.alarmMs
    expect(next(link, around(due - 1, link.since)).passed).toBeUndefined()
    expect(next(link, around(due, link.since)).passed).toBe('alarmTime')
    const raised = fold(link, timed({ fact: 'passed', what: 'alarmTime' }, due))
    expect(next(raised, around(due, due)).passed).toBeUndefined()
  })

  describe('the one connection that may be ours', () => {
    const sighted = at('Provisioning', pendingOnVault)
    const since = sighted.moved
    const passed = (link: Link, lookedAt: Millis) => next(link, around(lookedAt, lookedAt)).passed

    test('is pinned once a look as far apart has shown it, and is looked for until then', () => {
      expect(passed(sighted, since + limits.pinMs - 1)).toBeUndefined()
      expect(passed(sighted, since + limits.pinMs)).toBe('pinTime')
      // Time alone is no look.
      const plan = next(sighted, around(since + limits.pinMs, since))
      expect(plan).toMatchObject({ azure: { step: 'look' } })
      expect(plan.passed).toBeUndefined()
    })

    test('a look that does not count pins nothing, nor does one that shows another', () => {
      const lookedAt = since + limits.pinMs
      expect(passed({ ...sighted, looked: false }, lookedAt)).toBeUndefined()
      const both = looked({ own: own(), connections: onVault(connection(), imitation()) })
      expect(passed(fold(sighted, timed(both, lookedAt)), lookedAt)).toBeUndefined()
    })

    test('once, and only while the link is being made', () => {
      expect(passed(fold(sighted, timed(pinned, since + limits.pinMs)), since + hour)).toBeUndefined()
      const cancelled = fold(sighted, timed({ fact: 'cancelled', by: 'requester' }, since + 1))
      expect(passed(cancelled, since + limits.pinMs)).toBeUndefined()
    })
  })

  test('what SignalR says is approved raises no alarm', () => {
    const twins = onVault(connection('Approved'), imitation({ status: 'Approved' }))
    const link = at('Propagating', looked({ own: own({ status: 'Approved' }), connections: twins }))
    const due = link.since + limits.alarmMs
    expect(next(link, around(due, due)).passed).not.toBe('alarmTime')
  })

  test('what waits for a person is not late', () => {
    const blocked = at('Approving', {
      fact: 'failed',
      effect: 'approve',
      cause: { cause: 'locked', message: 'm' },
      notBefore: 0,
    })
    expect(blocked.blocked).toBeDefined()
    expect(next(blocked, around(blocked.since + day, blocked.since)).passed).toBeUndefined()
  })
})

describe('intervals', () => {
  /** How long it rests after a look now. */
  const rests = (link: Link, still: Millis): Millis => {
    const now = stirredAt(link) + still
    return (next(link, around(now, now)).wake ?? Number.POSITIVE_INFINITY) - now
  }
  const quiet = told(at('Pending'))

  test('soon while something has just moved, seldom when nothing has moved for long', () => {
    expect(rests(quiet, 0)).toBe(limits.firstLookMs)
    expect(rests(quiet, 10 * minute)).toBe(2 * minute)
  })

  test('what waits undisturbed is left to the lists, and looked at by itself now and then', () => {
    const still = 5 * limits.longestLookMs
    expect(rests(quiet, still - 1)).toBe(limits.longestLookMs)
    expect(rests(quiet, still)).toBe(restInterval(quiet, limits))
    expect(rests({ ...quiet, partedAt: quiet.since }, still)).toBe(limits.longestLookMs)
  })

  test('they grow, and shrink when something happens', () => {
    fc.assert(
      fc.property(fc.nat({ max: day }), fc.nat({ max: day }), (a, b) => {
        expect(rests(quiet, Math.min(a, b))).toBeLessThanOrEqual(rests(quiet, Math.max(a, b)))
      }),
    )
    const later = quiet.moved + day
    const edited = onVault(connection('Pending', { provisioningState: 'Updating' }))
    const stirred = fold(quiet, timed(looked({ own: own(), connections: edited }), later))
    expect(stirredAt(stirred)).toBe(later)
    expect(rests(stirred, 0)).toBe(limits.firstLookMs)
    // What is only said, as a reminder is, makes nobody look.
    for (const said of [{ fact: 'followed', by: 'x', thread: otherThread } as const, posted('status')])
      expect(stirredAt(fold(quiet, timed(said, later)))).toBe(stirredAt(quiet))
  })

  test('shorter after a hint, and never shorter than looks after hints may be apart', () => {
    for (const link of [quiet, told(at('Approved')), told(at('Disconnected'))]) {
      const hinted = (ago: Millis): Surroundings => ({
        ...around(link.moved + day, link.moved + day - ago),
        hintedAt: link.moved + day - 1,
      })
      expect(next(link, hinted(limits.hintMs)).azure).toEqual({ step: 'look' })
      const soon = next(link, hinted(limits.hintMs - second))
      expect(soon.azure).toBeUndefined()
      expect(soon.wake).toBe(link.moved + day + second)
    }
    const stirred = stirredAt(quiet)
    const busy = next(quiet, { ...around(stirred, stirred), hintedAt: stirred })
    expect(busy.wake).toBe(stirred + limits.firstLookMs)
  })

  test.each(['Approved', 'Disconnected'] as const)('%s rests long', (status) => {
    expect(rests(told(at(status)), 0)).toBe(restInterval(at(status), limits))
  })

  test.each([
    [
      'the link is being deleted',
      'Approved',
      { own: own({ status: 'Approved', provisioningState: 'Deleting' }) },
    ],
    ['SignalR has not followed yet', 'Disconnected', { own: own({ status: 'Rejected' }) }],
    [
      'the vault is not settled',
      'Disconnected',
      { connections: onVault(connection('Rejected', { provisioningState: 'Updating' })) },
    ],
  ] as const)('but not while something moves: %s', (_what, status, seen) => {
    const approved = { own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) }
    const link = told(at(status, looked({ ...approved, ...seen })))
    expect(link.stage.status).toBe(status)
    expect(rests(link, 0)).toBe(limits.firstLookMs)
    expect(rests(link, limits.usualPropagatingMs)).toBe(restInterval(link, limits))
  })
})

describe('messages', () => {
  const posts = (link: Link, later: Millis = 0) => planOf(link, later).messages.map(({ post }) => post)

  test('the status card first, then the approval card in its own thread', () => {
    expect(posts(given())).toEqual(['status'])
    const pending = at('Provisioning', pendingOnVault, pinned)
    expect(planOf(pending).messages).toMatchObject([
      { post: 'status', to: { how: 'update', activity: 'status' } },
      { post: 'approval', to: { how: 'thread', channel: asked.owners.place.conversation } },
    ])
  })

  test('owners in a group chat are written to there', () => {
    const group = { ...asked.owners.place, kind: 'group' } as const
    const link = fold(
      at('Provisioning', pendingOnVault, pinned),
      timed({ fact: 'rerouted', owners: { place: group, because: { is: 'default' } } }, noon + hour),
    )
    expect(planOf(link).messages.find(({ post }) => post === 'approval')?.to).toMatchObject({
      how: 'post',
      conversation: group.conversation,
    })
  })

  test('one place hears one thing at a time, in order, and news wait for the card', () => {
    const link = at(
      'Propagating',
      looked({ own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) }),
    )
    expect(posts(link)).toEqual(['status', 'approval'])
    const drawn = (['status', 'approval'] as const).reduce((current, post) => {
      const message = planOf(current).messages.find((one) => one.post === post)
      return fold(
        current,
        timed(
          {
            fact: 'posted',
            post,
            conversation: cardThread,
            activity: post,
            digest: message?.digest ?? '',
            schema: viewSchema,
          },
          current.moved,
        ),
      )
    }, link)
    expect(posts(drawn)).toEqual(['thread/0', 'owners/0'])
    expect(planOf(drawn).messages.map(({ to }) => to)).toMatchObject([
      { how: 'post', conversation: asked.thread.conversation },
      { how: 'post', conversation: cardThread },
    ])
  })

  test('a failing post holds up its own place and nothing else, and is tried again in time', () => {
    const link = at('Provisioning', pendingOnVault, pinned, {
      fact: 'unposted',
      post: 'status',
      notBefore: noon + day,
    })
    expect(posts(link)).toEqual(['approval'])
    expect(next(link, around(noon + day, noon + day)).messages.map(({ post }) => post)).toContain('status')
    const quiet = at('Cancelled', { fact: 'unposted', post: 'status', notBefore: noon + day })
    const rest = planOf(quiet).messages.reduce(
      (current, { post, digest }) =>
        fold(
          current,
          timed(
            { fact: 'posted', post, conversation: cardThread, activity: post, digest, schema: viewSchema },
            current.moved,
          ),
        ),
      quiet,
    )
    expect(next(rest, around(noon + hour, noon)).wake).toBe(noon + day)
  })

  test('telling holds up no step on Azure, nor the other way', () => {
    expect(planOf(given(looked({})))).toMatchObject({
      azure: { step: 'put' },
      messages: [{ post: 'status' }],
    })
  })

  test('the thread is gone: the requester is told in a personal chat; that gone too, nobody is', () => {
    const link = told(at('Approved', { fact: 'gone', place: 'thread' }))
    expect(planOf(at('Approved', { fact: 'gone', place: 'thread' })).messages[0]).toMatchObject({
      post: 'status',
      place: 'requester',
      to: { how: 'personal', person: 'requester' },
    })
    const unreachable = fold(link, timed(looked({}), link.moved + day))
    const silent = fold(unreachable, timed({ fact: 'gone', place: 'requester' }, unreachable.moved + 1))
    expect(posts(silent).filter((post) => post !== 'approval' && !post.startsWith('owners'))).toEqual([])
  })

  test('those who follow hear the news where they asked', () => {
    const link = told(at('Propagating', { fact: 'followed', by: 'colleague', thread: otherThread }))
    const approved = fold(
      link,
      timed(
        looked({ own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) }),
        link.moved + minute,
      ),
    )
    expect(planOf(approved).messages.find(({ post }) => post === 'follower-0/0')).toMatchObject({
      place: 'follower-0',
      to: { how: 'post', conversation: otherThread.conversation },
      view: { to: 'follower', mentions: 'colleague' },
    })
    const gone = fold(approved, timed({ fact: 'gone', place: 'follower-0' }, approved.moved))
    expect(posts(gone)).not.toContain('follower-0/0')
  })

  test('the approval card is not redrawn while it is open, whatever happens beside it but an approval', () => {
    const open = told(at('Pending'))
    const redrawn = [...everyOther, ...everyLook].flatMap((step) => {
      const link = fold(open, timed(step, open.moved + minute))
      const touched = ['posted', 'unposted', 'rerouted', 'endorsed'].includes(step.fact)
      if (link.stage.status !== 'Pending' || touched) return []
      return planOf(link).messages.some(({ post }) => post === 'approval') ? [JSON.stringify(step)] : []
    })
    expect(redrawn).toEqual([])
  })

  test.each(ended)('%s and told: nothing more, for ever', (status) => {
    const link = told(at(status))
    for (const later of [0, day, 1000 * day]) {
      const plan = planOf(link, later)
      expect(plan).toEqual({ messages: [] })
    }
  })

  test('an ended link is not redrawn for a new version, one that stands is', () => {
    for (const status of ['Cancelled', 'Approved'] as const) {
      const link = told(at(status))
      const older = fold(
        link,
        timed({ ...posted('status', 'of old'), schema: viewSchema - 1 } as Step, link.moved),
      )
      expect(posts(older).includes('status')).toBe(status === 'Approved')
    }
  })

  test('an approval card is begun only for a decision that is open', () => {
    const portal = at(
      'Provisioning',
      looked({ own: own(), connections: onVault(connection('Approved')) }),
      pinned,
    )
    expect(portal.stage.status).toBe('Propagating')
    expect(views(portal, limits).some(({ post }) => post === 'approval')).toBe(false)
    const asksAgain = at('Approving', { fact: 'rechecked', right: 'missing' })
    expect(posts(asksAgain)).toContain('approval')
  })
})
