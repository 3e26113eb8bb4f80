import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fold, foldAll } from '../../src/link/fold.ts'
import type { Connection, Link, Status } from '../../src/link/link.ts'
import { isEnded } from '../../src/link/views.ts'
import { anyFacts, causes, connectionStates, everyLook, everyOther } from './facts.ts'
import {
  absent,
  approvedBy,
  at,
  byFirewall,
  connection,
  day,
  done,
  ended,
  endpoint,
  facts,
  given,
  hidden,
  histories,
  home,
  hour,
  imitation,
  intended,
  lacksRead,
  looked,
  minute,
  newOwners,
  noon,
  onVault,
  otherThread,
  otherVault,
  own,
  pinned,
  posted,
  rejectedBy,
  request,
  type Step,
  second,
  statuses,
  timed,
} from './given.ts'

/** What a single fact may do to the stage; a look goes through several stages at once. */
const roads: Readonly<Record<Status, readonly Status[]>> = {
  Requested: ['Provisioning', 'Pending', 'Propagating', 'Approved', 'Removing', ...ended],
  Provisioning: ['Pending', 'Propagating', 'Approved', 'Removing', ...ended],
  Pending: ['Approving', 'Propagating', 'Approved', 'Removing', ...ended],
  Approving: ['Pending', 'Propagating', 'Approved', 'Removing', ...ended],
  Propagating: ['Approved', 'Removing', ...ended],
  Approved: ['Disconnected', 'Removing', ...ended],
  Disconnected: ['Approved', 'Removing', ...ended],
  Removing: ['Approved', ...ended],
  Rejected: [],
  Cancelled: [],
  Expired: [],
  Failed: [],
  Removed: [],
}

/** What must hold of any fact on any record; the names of those laws that it breaks. */
function broken(before: Link, step: Step, time: number): string[] {
  const fact = timed(step, time)
  const after = fold(before, fact)
  const { status: from } = before.stage
  const { status: to } = after.stage
  const seen = fact.fact === 'observed' ? fact.seen : undefined
  const shown = seen?.own.is === 'present' ? seen.own.value : undefined
  const laws = {
    'what changes nothing returns the same record': after === before || !isDeepStrictEqual(before, after),
    'ended is the end': !isEnded(from) || JSON.stringify(after.stage) === JSON.stringify(before.stage),
    'stages follow the roads': from === to || roads[from].includes(to),
    'Approved is what SignalR says':
      to !== 'Approved' ||
      from === 'Approved' ||
      (shown?.provisioningState === 'Succeeded' && shown.status === 'Approved'),
    // By deciding; or by sending it themselves, once Azure has taken that.
    'only a person begins an approval':
      to !== 'Approving' ||
      from === to ||
      fact.fact === 'decided' ||
      (fact.fact === 'done' && fact.effect === 'approve' && before.attempt?.by !== undefined),
    'only a look says that Azure was looked at': !after.looked || before.looked || seen !== undefined,
    'what was told is never untold':
      JSON.stringify(after.news.slice(0, before.news.length)) === JSON.stringify(before.news),
    'pinned once, pinned for good':
      !before.pinned || JSON.stringify(before.pinned) === JSON.stringify(after.pinned),
    'time runs back only where the clock was set back, and as far':
      after.moved >= before.moved ||
      (fact.fact === 'passed' && fact.what === 'setBack' && after.moved === fact.at),
    'a stage begins when it changes': from === to || after.since === fact.at,
    'the request stands as it was made':
      fact.fact === 'rerouted' || JSON.stringify(after.asked) === JSON.stringify(before.asked),
  }
  return Object.entries(laws).flatMap(([law, holds]) =>
    holds ? [] : [`${law}: ${from}, ${JSON.stringify(step)}`],
  )
}

describe('every stage and every fact', () => {
  test.each(statuses)('%s is reached by a history of real facts', (status) => {
    expect(at(status).stage.status).toBe(status)
  })

  test.each(statuses)('%s takes in whatever happens, and keeps the laws', (status) => {
    const before = at(status)
    const after = before.moved + minute
    expect([...everyOther, ...everyLook].flatMap((step) => broken(before, step, after))).toEqual([])
  })

  test.each(statuses)('%s, blocked by what may not be read, keeps them too', (status) => {
    const before = at(status, looked({ own: hidden }), { fact: 'gone', place: 'owners' })
    const after = before.moved + minute
    expect([...everyOther, ...everyLook].flatMap((step) => broken(before, step, after))).toEqual([])
  })

  test('the same fact a second time begins no other stage', () => {
    const again = statuses.flatMap((status) => {
      const link = at(status)
      return [...everyOther, ...everyLook].flatMap((step) => {
        const once = fold(link, timed(step, link.moved + minute))
        const twice = fold(once, timed(step, once.moved + second))
        return isDeepStrictEqual(once.stage, twice.stage) ? [] : [`${status}: ${JSON.stringify(step)}`]
      })
    })
    expect(again).toEqual([])
  })

  test('any order of any facts keeps the laws, and the folded log gives the record', () => {
    fc.assert(
      fc.property(fc.constantFrom(...statuses), anyFacts, (status, drawn) => {
        const log = [...facts(...histories[status]), ...drawn]
        let link = at(status)
        for (const fact of drawn) {
          const { at: time, ...step } = fact
          const began = fact.fact === 'observed' ? { began: fact.seen.at } : {}
          expect(broken(link, { ...step, ...began } as Step, time)).toEqual([])
          link = fold(link, fact)
        }
        expect(foldAll(JSON.parse(JSON.stringify(log)))).toEqual(link)
      }),
      { numRuns: 300 },
    )
  })

  test('a log that does not begin with the request gives nothing', () => {
    expect(foldAll([])).toBeUndefined()
    expect(foldAll(facts(...histories.Approved).slice(1))).toBeUndefined()
  })
})

describe('before the link is made', () => {
  test('Azure shows nothing of it and a vault that can be read: it may be made', () => {
    const link = given(looked({}))
    expect(link).toMatchObject({ stage: { status: 'Requested' }, looked: true })
    expect(link.blocked).toBeUndefined()
  })

  test('made by others, a link from this SignalR to this vault ends the request and removes nothing', () => {
    const [rival] = [{ name: 'theirs', status: 'Approved' }] as const
    const theirs = own({ ...rival, requestMessage: 'theirs' })
    const rivals = theirs.is === 'present' ? [theirs.value] : []
    expect(given(looked({ rivals })).stage).toEqual({
      status: 'Failed',
      cause: { cause: 'madeByOthers', name: 'theirs', status: 'Approved' },
    })
  })

  test.each([
    ['another target', own({ target: otherVault })],
    ['another message', own({ requestMessage: 'please approve' })],
    ['another nonce', own({ requestMessage: `please approve [vaultlink ${'0'.repeat(32)}]` })],
  ])('the name is taken by a link with %s: the request ends, theirs stays', (_what, sighting) => {
    const link = given(looked({ own: sighting }))
    expect(link.stage).toEqual({ status: 'Failed', cause: { cause: 'nameTaken' } })
  })

  test('a link of ours that is there already, since the answer to the PUT was lost, goes on from there', () => {
    const link = given(intended('put'), looked({ own: own({ provisioningState: 'Creating' }) }))
    expect(link.stage.status).toBe('Provisioning')
  })

  test('the vault is gone', () => {
    expect(given(looked({ connections: absent })).stage).toMatchObject({
      status: 'Failed',
      cause: { cause: 'vaultGone' },
    })
  })

  test.each(causes.filter(({ cause }) => ['refused', 'quota', 'notRegistered'].includes(cause)))(
    'a PUT refused for good ($cause) ends the request, once a look shows that nothing is there',
    (cause) => {
      const refused = given(intended('put'), { fact: 'failed', effect: 'put', cause, notBefore: noon })
      expect(refused.stage).toEqual({ status: 'Removing', outcome: 'Failed', cause })
      expect(fold(refused, timed(looked({}), noon + hour)).stage).toEqual({ status: 'Failed', cause })
    },
  )

  test.each(
    causes.filter(({ cause }) =>
      ['conflict', 'throttled', 'unavailable', 'decidedMeanwhile'].includes(cause),
    ),
  )('a PUT that met a passing trouble ($cause) leaves the request as it is', (cause) => {
    const link = given(intended('put'), { fact: 'failed', effect: 'put', cause, notBefore: noon + hour })
    expect(link).toMatchObject({ stage: { status: 'Requested' }, looked: false })
    expect(link.blocked).toBeUndefined()
  })

  test('a missing right of the bot blocks it, Retry lets it go on', () => {
    const lacks = { cause: 'botLacksRight', action: 'write', scope: 'there' } as const
    const blocked = given(intended('put'), { fact: 'failed', effect: 'put', cause: lacks, notBefore: noon })
    expect(blocked).toMatchObject({ stage: { status: 'Requested' }, blocked: { cause: lacks } })
    expect(blocked.news.map(({ news }) => news)).toEqual(['blocked'])
    const again = fold(blocked, timed({ fact: 'retried', by: 'owner' }, noon + day))
    expect(again.blocked).toBeUndefined()
    expect(again.attempt?.outcome).toMatchObject({ notBefore: noon + day })
  })
})

describe('while the link is being made', () => {
  const making = (...then: readonly Step[]) => at('Provisioning', ...then)

  test.each(['Creating', 'Updating', 'Running', 'Moving', 'Unknown'] as const)('%s waits', (state) => {
    const link = making(
      looked({ own: own({ provisioningState: state }), connections: onVault(connection()) }),
    )
    expect(link.stage.status).toBe('Provisioning')
  })

  test('an operation still Running waits, even if the link says Succeeded', () => {
    const link = making(
      looked({ own: own(), connections: onVault(connection()), operation: { status: 'Running' } }),
    )
    expect(link.stage.status).toBe('Provisioning')
  })

  test.each([
    [
      'the operation Failed',
      looked({ own: own(), operation: { status: 'Failed', code: 'Quota', message: 'm' } }),
    ],
    ['the operation Canceled', looked({ own: own(), operation: { status: 'Canceled' } })],
    ['the operation Failed and no link', looked({ operation: { status: 'Failed' } })],
    ['the link Failed', looked({ own: own({ provisioningState: 'Failed' }) })],
    ['the link Canceled', looked({ own: own({ provisioningState: 'Canceled' }) })],
  ])('%s: it ends as Failed, and what stands of it is removed', (_what, look) => {
    expect(making(look).stage).toMatchObject({ cause: { cause: 'provisioningFailed' } })
    const { stage } = making(look)
    expect(stage.status === 'Failed' || (stage.status === 'Removing' && stage.outcome === 'Failed')).toBe(
      true,
    )
  })

  test('not shown yet right after the PUT: it waits', () => {
    expect(making(looked({})).stage.status).toBe('Provisioning')
  })

  test('shown and then gone: somebody deleted it by hand', () => {
    const link = making(looked({ own: own({ provisioningState: 'Creating' }) }), looked({}))
    expect(link.stage).toEqual({ status: 'Removed', cause: { cause: 'deletedElsewhere' } })
  })

  test('no connection on the vault yet: it waits', () => {
    expect(making(looked({ own: own() })).stage.status).toBe('Provisioning')
  })

  describe('one connection bears the nonce', () => {
    const c1 = connection('Pending', { id: '/C1', privateEndpoint: '/E1' })
    const shows = (...connections: Connection[]): Step =>
      looked({ own: own(), connections: onVault(...connections) })
    const alone = shows(c1)

    test('it is not believed before looks apart have shown it and no other; then its ids are pinned', () => {
      const link = making(alone)
      expect(link).toMatchObject({ stage: { status: 'Provisioning' }, sighted: { since: link.moved } })
      expect(link.pinned).toBeUndefined()
      const believed = making(alone, pinned)
      expect(believed).toMatchObject({
        stage: { status: 'Pending' },
        pinned: { connection: '/C1', privateEndpoint: '/E1' },
      })
      expect(believed.sighted).toBeUndefined()
    })

    test('each look that shows the same keeps the first time, whatever else it shows', () => {
      const link = making(alone, looked({ own: own(), connections: onVault(c1), vaultIsPublic: true }))
      expect(link.sighted?.since).toBe(making(alone).moved)
    })

    test.each([
      ['another beside it', shows(c1, imitation())],
      ['another instead of it', shows(imitation())],
      ['another endpoint behind it', shows({ ...c1, privateEndpoint: '/E2' })],
      ['nothing', shows()],
      ['the vault hidden', looked({ own: own(), connections: hidden })],
      ['the link hidden', looked({ own: hidden, connections: onVault(c1) })],
      ['the link in the making again', looked({ own: own({ provisioningState: 'Updating' }) })],
    ])('%s, and it begins anew', (_what, look) => {
      const link = making(alone, look, alone)
      expect(link.sighted?.since).toBe(link.moved)
      expect(making(alone, look, pinned).pinned).not.toEqual({ connection: '/C1', privateEndpoint: '/E1' })
    })

    test('once it is believed, or the request ends, the time means nothing', () => {
      for (const link of [making(alone, pinned), making(alone, { fact: 'cancelled', by: 'requester' })])
        expect(fold(link, timed(pinned, link.moved + minute))).toBe(link)
    })
  })

  test('several bear it: blocked, nothing is pinned, told once however often it is seen', () => {
    const two = looked({ own: own(), connections: onVault(connection(), imitation()) })
    const link = making(two, looked({ own: hidden }), two, two)
    expect(link).toMatchObject({
      stage: { status: 'Provisioning' },
      blocked: { cause: { cause: 'ambiguous', count: 2 } },
    })
    expect(link.pinned).toBeUndefined()
    expect(making(two, two, two).news).toHaveLength(1)
  })

  test('several, and then one: it goes on by itself', () => {
    const link = making(
      looked({ own: own(), connections: onVault(connection(), imitation()) }),
      looked({ own: own(), connections: onVault(connection()) }),
    )
    expect(link).toMatchObject({ stage: { status: 'Provisioning' }, sighted: {} })
    expect(link.blocked).toBeUndefined()
  })

  test.each([
    ['of our own', { privateEndpoint: endpoint('e', home) }],
    ['that the bot sees', { endpointIsOurs: true as const }],
  ])('an endpoint in a subscription %s is an imitation', (_whose, change) => {
    const strange = connection('Pending', change)
    expect(making(looked({ own: own(), connections: onVault(strange) }))).toMatchObject({
      stage: { status: 'Provisioning' },
      blocked: { cause: { cause: 'strangeEndpoint' } },
    })
  })

  test('approved in the portal before the match', () => {
    const onVaultOnly = making(looked({ own: own(), connections: onVault(connection('Approved')) }), pinned)
    expect(onVaultOnly).toMatchObject({
      stage: { status: 'Propagating' },
      decision: { verdict: 'approve', where: 'portal' },
    })
    expect(onVaultOnly.decision?.by).toBeUndefined()
  })

  test('approved in the portal before the match, the mark overwritten: SignalR says so', () => {
    const link = making(looked({ own: own({ status: 'Approved' }) }))
    expect(link).toMatchObject({ stage: { status: 'Approved' }, decision: { where: 'portal' } })
  })

  test('rejected in the portal before the match', () => {
    const link = making(looked({ own: own(), connections: onVault(connection('Rejected')) }), pinned)
    expect(link).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected' },
      decision: { verdict: 'reject', where: 'portal' },
    })
  })

  test('rejected in the portal before the match, the mark overwritten: SignalR says so', () => {
    const link = making(looked({ own: own({ status: 'Rejected' }) }))
    expect(link).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected' },
      decision: { verdict: 'reject', where: 'portal' },
    })
  })

  test('what may be read again is no longer in the way, whatever else it shows', () => {
    const blocked = making(looked({ own: hidden }))
    expect(blocked.blocked?.cause).toEqual(lacksRead)
    const link = fold(
      blocked,
      timed(looked({ own: own({ provisioningState: 'Creating' }) }), blocked.moved + minute),
    )
    expect(link.blocked).toBeUndefined()
  })
})

describe('while the owners decide', () => {
  const deciding = ['Pending', 'Approving', 'Propagating'] as const

  test.each(deciding)('%s: approved on the vault, it waits for SignalR', (status) => {
    const link = at(status, looked({ own: own(), connections: onVault(connection('Approved')) }))
    expect(link.stage.status).toBe('Propagating')
    expect(link.decision).toMatchObject({
      verdict: 'approve',
      where: status === 'Pending' ? 'portal' : 'card',
    })
  })

  test.each(deciding)('%s: rejected on the vault, the link is removed', (status) => {
    const link = at(status, looked({ own: own(), connections: onVault(connection('Rejected')) }))
    expect(link.stage).toEqual({ status: 'Removing', outcome: 'Rejected' })
    expect(link.decision).toMatchObject({ verdict: 'reject', where: 'portal' })
  })

  test.each(deciding)('%s: Pending, Timeout and a state without a name wait', (status) => {
    for (const state of ['Pending', 'Timeout', 'Unknown'] as const) {
      const link = at(status, looked({ own: own(), connections: onVault(connection(state)) }))
      expect(link.stage.status).toBe(status)
    }
  })

  test.each(deciding)('%s: the connection is gone, or disconnected', (status) => {
    for (const sighting of [onVault(), onVault(imitation()), onVault(connection('Disconnected'))]) {
      const link = at(status, looked({ own: own(), connections: sighting }))
      expect(link.stage).toMatchObject({
        status: 'Removing',
        outcome: 'Failed',
        cause: { cause: 'connectionGone' },
      })
    }
  })

  test.each(deciding)('%s: another endpoint stands behind the pinned connection', (status) => {
    const swapped = connection('Pending', { privateEndpoint: endpoint('swapped') })
    expect(at(status, looked({ own: own(), connections: onVault(swapped) })).stage).toMatchObject({
      status: 'Removing',
      cause: { cause: 'connectionChanged' },
    })
  })

  describe('another endpoint under the pinned name, and approved', () => {
    const other = onVault(connection('Approved', { privateEndpoint: endpoint('swapped') }))
    const swapped = looked({ own: own(), connections: other })

    test('by us, in the instant before our approval: the alarm is raised at once, and nothing is removed', () => {
      for (const link of [
        at('Approving', intended('approve'), swapped),
        at('Approving', intended('approve'), done('approve'), swapped),
        at('Propagating', swapped),
      ]) {
        expect(link).toMatchObject({ stage: { status: 'Propagating' }, alarmed: true })
        expect(link.news.filter(({ news }) => news === 'unfollowed')).toHaveLength(1)
        expect(fold(link, timed(swapped, link.moved + minute)).news).toEqual(link.news)
      }
    })

    test('by somebody else: the request ends', () => {
      for (const status of ['Pending', 'Approving'] as const)
        expect(at(status, swapped).stage).toMatchObject({
          status: 'Removing',
          cause: { cause: 'connectionChanged' },
        })
    })

    test('it is not what SignalR means, whatever SignalR says', () => {
      const followed = looked({ own: own({ status: 'Approved' }), connections: other })
      expect(at('Propagating', followed).stage.status).toBe('Propagating')
      expect(at('Approved', followed).stage.status).toBe('Disconnected')
    })
  })

  test.each(['Pending', 'Approving', 'Propagating', 'Provisioning'] as const)(
    '%s: two approved connections bear the mark: nobody says that it works, until one is gone',
    (status) => {
      const approved = (...connections: Connection[]): Step =>
        looked({ own: own({ status: 'Approved' }), connections: onVault(...connections) })
      const twins = approved(connection('Approved'), imitation({ status: 'Approved' }))
      const link = at(status, twins)
      expect(link).toMatchObject({ stage: { status }, blocked: { cause: { cause: 'ambiguous', count: 2 } } })
      const alone = at(status, twins, approved(connection('Approved')))
      const later = timed(approved(connection('Approved')), alone.moved + 15 * minute)
      expect(fold(alone, later).stage.status).toBe('Approved')
      // One that is not open does no harm.
      const beside = approved(connection('Approved'), imitation())
      expect(at(status, beside).stage.status).toBe('Approved')
    },
  )

  describe('of two that bear the mark one is gone, and SignalR says Approved', () => {
    const shown = (status: 'Pending' | 'Approved', ...connections: Connection[]): Step =>
      looked({ own: own({ status }), connections: onVault(...connections) })
    const ours = connection('Approved')
    const both = shown('Pending', ours, imitation())
    const one = shown('Approved', ours)
    const later = (link: Link, step: Step, ms: number): Link => fold(link, timed(step, link.moved + ms))

    test('it may still speak of the one that is gone: nobody says that it works before that has passed', () => {
      const link = at('Propagating', both, one)
      expect(link.stage.status).toBe('Propagating')
      expect(later(link, one, 14 * minute)).toBe(link)
      expect(later(link, one, 15 * minute).stage.status).toBe('Approved')
      const silent = later(link, shown('Pending', ours), 15 * minute)
      expect(silent.stage.status).toBe('Propagating')
      expect(later(silent, shown('Pending', ours), minute)).toBe(silent)
      // Decided in the portal, with no press that saw one alone.
      expect(at('Pending', shown('Pending', connection(), imitation()), one).stage.status).toBe('Propagating')
    })

    test('one that is still there, and not open, is not what SignalR means', () => {
      expect(at('Propagating', both, shown('Approved', ours, imitation())).stage.status).toBe('Approved')
    })

    test('what was gone before an owner pressed does not matter: the press saw one alone', () => {
      const pressed = at(
        'Pending',
        shown('Pending', connection(), imitation()),
        shown('Pending', connection()),
        approvedBy('owner'),
      )
      expect(later(pressed, one, minute).stage.status).toBe('Approved')
      const unseen = at('Pending', shown('Pending', connection(), imitation()), approvedBy('owner'))
      expect(later(unseen, one, minute).stage.status).toBe('Approved')
    })
  })

  test.each(deciding)('%s: the vault is gone', (status) => {
    expect(at(status, looked({ own: own(), connections: absent })).stage).toMatchObject({
      status: 'Removing',
      cause: { cause: 'vaultGone' },
    })
  })

  test.each(deciding)('%s: the link was deleted by hand', (status) => {
    expect(at(status, looked({})).stage).toEqual({
      status: 'Removed',
      cause: { cause: 'deletedElsewhere' },
    })
  })

  test.each([...deciding, 'Approved', 'Disconnected'] as const)(
    '%s: deleted by hand while nobody could look is noticed all the same',
    (status) => {
      expect(at(status, looked({ own: hidden }), looked({})).stage.status).toBe('Removed')
    },
  )

  test.each(deciding)('%s: what may not be read is never gone, and is said once', (status) => {
    const link = at(status, looked({ own: hidden }), looked({ own: own(), connections: hidden }))
    expect(link).toMatchObject({ stage: { status }, blocked: { cause: lacksRead } })
    expect(link.news.filter(({ news }) => news === 'blocked')).toHaveLength(1)
    const visible = fold(
      link,
      timed(looked({ own: own(), connections: onVault(connection()) }), link.moved + minute),
    )
    expect(visible.blocked).toBeUndefined()
  })

  test.each(deciding)('%s: hidden by a policy, it waits', (status) => {
    const link = at(status, looked({ own: byFirewall }))
    expect(link.stage.status).toBe(status)
    expect(link.blocked).toBeUndefined()
  })

  test('approved before, Pending again on an old look: it does not go back', () => {
    const link = at('Propagating', looked({ own: own(), connections: onVault(connection()) }))
    expect(link.stage.status).toBe('Propagating')
  })

  test('a click on what is decided changes nothing', () => {
    for (const status of statuses.filter((one) => one !== 'Pending')) {
      const link = at(status)
      expect(fold(link, timed(approvedBy('owner'), link.moved + 1))).toBe(link)
      expect(fold(link, timed(rejectedBy('owner'), link.moved + 1))).toBe(link)
    }
  })

  test('rejected on the card: to be removed, with who and why', () => {
    expect(at('Pending', rejectedBy('owner'))).toMatchObject({
      stage: { status: 'Removing', outcome: 'Rejected', by: 'owner' },
      decision: { verdict: 'reject', by: 'owner', reason: 'no', where: 'card' },
      looked: false,
    })
  })

  test('a decision grown old and its right still held is applied; lost or unreadable, it is asked again', () => {
    const held = at('Approving', { fact: 'rechecked', right: 'held' })
    expect(held.stage.status).toBe('Approving')
    expect(held.decision?.checkedAt).toBe(held.moved)
    for (const right of ['missing', 'unreadable'] as const) {
      const again = at('Approving', { fact: 'rechecked', right })
      expect(again.stage.status).toBe('Pending')
      expect(again.decision).toBeUndefined()
      expect(again.news.at(-1)).toMatchObject({ news: 'askAgain', by: 'owner' })
    }
  })

  test('an approval that the bot may not send stays decided, blocked, and goes on after Retry', () => {
    const lacks = { cause: 'botLacksRight', action: 'approve', scope: 'vault' } as const
    const blocked = at('Approving', intended('approve'), {
      fact: 'failed',
      effect: 'approve',
      cause: lacks,
      notBefore: noon,
    })
    expect(blocked).toMatchObject({
      stage: { status: 'Approving' },
      blocked: { cause: lacks },
      decision: { by: 'owner' },
    })
    const seen = fold(
      blocked,
      timed(looked({ own: own(), connections: onVault(connection()) }), blocked.moved + minute),
    )
    // That the vault can be read says nothing of the right to write there.
    expect(seen.blocked?.cause).toEqual(lacks)
    expect(fold(seen, timed({ fact: 'retried', by: 'owner' }, seen.moved + minute)).blocked).toBeUndefined()
  })
})

describe('Approved', () => {
  const succeededApproved = own({ status: 'Approved' })
  const approvedThere = onVault(connection('Approved'))
  const replaced = connection('Approved', { privateEndpoint: endpoint('another') })

  test.each(['Pending', 'Approving', 'Propagating'] as const)(
    '%s: only with Succeeded and Approved on SignalR, and the pinned connection Approved',
    (status) => {
      const stageAfter = (step: Step): Status => at(status, step).stage.status
      const approved = onVault(connection('Approved'))
      expect(stageAfter(looked({ own: succeededApproved, connections: approved }))).toBe('Approved')
      expect(
        stageAfter(
          looked({ own: own({ status: 'Approved', provisioningState: 'Updating' }), connections: approved }),
        ),
      ).toBe('Propagating')
      for (const state of connectionStates.filter((one) => one !== 'Approved')) {
        expect(stageAfter(looked({ own: own({ status: state }), connections: approved }))).toBe('Propagating')
        expect(
          stageAfter(looked({ own: succeededApproved, connections: onVault(connection(state)) })),
        ).not.toBe('Approved')
      }
      expect(stageAfter(looked({ own: succeededApproved, connections: onVault() }))).not.toBe('Approved')
      expect(
        stageAfter(
          looked({ own: succeededApproved, connections: onVault(imitation({ status: 'Approved' })) }),
        ),
      ).not.toBe('Approved')
      expect(stageAfter(looked({ own: succeededApproved, connections: hidden }))).toBe(status)
    },
  )

  test('it is told once, with when', () => {
    const link = at(
      'Propagating',
      looked({ own: succeededApproved, connections: onVault(connection('Approved')) }),
    )
    expect(link.functionalAt).toBe(link.moved)
    expect(link.news.filter(({ news }) => news === 'approved')).toHaveLength(1)
  })

  test.each([
    ['SignalR says Rejected', own({ status: 'Rejected' }), approvedThere, 'onSignalr', 'Rejected'],
    [
      'SignalR says Disconnected',
      own({ status: 'Disconnected' }),
      approvedThere,
      'onSignalr',
      'Disconnected',
    ],
    ['SignalR says Timeout', own({ status: 'Timeout' }), approvedThere, 'onSignalr', 'Timeout'],
    [
      'the link failed',
      own({ status: 'Approved', provisioningState: 'Failed' }),
      approvedThere,
      'linkFailed',
      'Approved',
    ],
    ['the vault says Rejected', succeededApproved, onVault(connection('Rejected')), 'onVault', 'Rejected'],
    ['both say so', own({ status: 'Rejected' }), onVault(connection('Rejected')), 'onVault', 'Rejected'],
    ['the connection is gone', succeededApproved, onVault(), 'connectionGone', 'Disconnected'],
    ['another has its name', succeededApproved, onVault(replaced), 'connectionReplaced', 'Approved'],
    ['the vault is gone', own({ status: 'Disconnected' }), absent, 'vaultGone', 'Disconnected'],
  ] as const)(
    'undone later, %s: told, and nothing is removed',
    (_what, sighting, connections, because, status) => {
      const link = at('Approved', looked({ own: sighting, connections }))
      expect(link.stage).toEqual({ status: 'Disconnected' })
      expect(link.news.at(-1)).toMatchObject({ news: 'disconnected', status, because })
      const again = timed(looked({ own: sighting, connections }), link.moved + day)
      expect(fold(link, again).news).toEqual(link.news)
    },
  )

  test.each([
    ['SignalR', { own: absent, signalrIsGone: true as const }, 'signalrGone'],
    ['the link', { own: absent }, 'deletedElsewhere'],
  ] as const)('%s deleted later: it is over, and told which', (_what, seen, cause) => {
    for (const status of ['Approved', 'Disconnected'] as const) {
      const link = at(status, looked(seen))
      expect(link.stage).toEqual({ status: 'Removed', cause: { cause } })
      expect(link.news.at(-1)).toMatchObject({ news: 'ended', outcome: 'Removed', cause: { cause } })
    }
  })

  test('undone, and approved again', () => {
    const link = at(
      'Disconnected',
      looked({ own: succeededApproved, connections: onVault(connection('Approved')) }),
    )
    expect(link.stage.status).toBe('Approved')
    expect(link.news).toMatchObject([
      { news: 'approved' },
      { news: 'disconnected' },
      { news: 'approved', again: true },
    ])
    expect(link.news[0]).not.toHaveProperty('again')
  })

  test('a state without a name, or one that may not be read, is no news', () => {
    const quiet = [
      looked({ own: own({ status: 'Unknown' }), connections: onVault(connection('Approved')) }),
      looked({ own: succeededApproved, connections: onVault(connection('Unknown')) }),
      looked({ own: byFirewall }),
    ]
    for (const step of quiet) expect(at('Approved', step).stage.status).toBe('Approved')
  })

  test('deleted by hand', () => {
    expect(at('Approved', looked({})).stage).toEqual({
      status: 'Removed',
      cause: { cause: 'deletedElsewhere' },
    })
  })

  test('deleted by hand and the name used for something else: removed, and theirs stays', () => {
    expect(at('Approved', looked({ own: own({ target: otherVault }) })).stage).toEqual({
      status: 'Removed',
      cause: { cause: 'deletedElsewhere' },
    })
  })
})

describe('taken back, run out, removed', () => {
  const functional = looked({
    own: own({ status: 'Approved' }),
    connections: onVault(connection('Approved')),
  })
  const expired: Step = { fact: 'passed', what: 'expiry' }
  const cancelled: Step = { fact: 'cancelled', by: 'requester' }

  test.each(statuses)('%s: cancel', (status) => {
    const open = ['Requested', 'Provisioning', 'Pending', 'Approving', 'Propagating'].includes(status)
    expect(at(status, cancelled).stage).toEqual(
      open ? { status: 'Removing', outcome: 'Cancelled', by: 'requester' } : at(status).stage,
    )
  })

  test.each(statuses)('%s: its time runs out only while nobody has decided', (status) => {
    const undecided = ['Requested', 'Provisioning', 'Pending'].includes(status)
    expect(at(status, expired).stage).toEqual(
      undecided ? { status: 'Removing', outcome: 'Expired' } : at(status).stage,
    )
  })

  test.each(statuses)('%s: unlink', (status) => {
    const stands = ['Approved', 'Disconnected'].includes(status)
    expect(at(status, { fact: 'unlinked', by: 'requester' }).stage).toEqual(
      stands ? { status: 'Removing', outcome: 'Removed', by: 'requester' } : at(status).stage,
    )
  })

  test.each([
    ['cancelled', cancelled],
    ['run out', expired],
  ])('%s, it yields to an approval that came first', (_what, ending) => {
    expect(at('Pending', ending, functional)).toMatchObject({
      stage: { status: 'Approved' },
      decision: { where: 'portal' },
    })
  })

  test('once its removal has begun it no longer yields', () => {
    const link = at(
      'Pending',
      cancelled,
      looked({ own: own(), connections: onVault(connection()) }),
      intended('delete'),
      functional,
    )
    expect(link.stage.status).toBe('Removing')
  })

  test('rejected, failed or unlinked, it does not yield', () => {
    expect(at('Pending', rejectedBy('owner'), functional).stage.status).toBe('Removing')
    expect(at('Approved', { fact: 'unlinked', by: 'requester' }, functional).stage.status).toBe('Removing')
  })

  test('it has ended only when a GET says so', () => {
    const deleting = at('Removing', intended('delete'), done('delete'))
    const stageAfter = (step: Step) => fold(deleting, timed(step, deleting.moved + minute)).stage.status
    expect(stageAfter(looked({ own: own({ provisioningState: 'Deleting' }) }))).toBe('Removing')
    expect(stageAfter(looked({ own: hidden }))).toBe('Removing')
    expect(stageAfter(looked({ own: own() }))).toBe('Removing')
    expect(stageAfter(looked({}))).toBe('Cancelled')
    expect(stageAfter(looked({ own: own({ target: otherVault }) }))).toBe('Cancelled')
  })

  test('a link just put may be shown late: its absence right then does not end a removal', () => {
    const put = at('Requested', looked({}), intended('put'), done('put'), cancelled)
    const answered = put.attempt?.outcome.is === 'done' ? put.attempt.outcome.at : 0
    const early = fold(put, timed(looked({}, answered + 1000), put.moved + 1000))
    expect(early.stage.status).toBe('Removing')
    expect(fold(put, timed(looked({}), put.moved + hour)).stage.status).toBe('Cancelled')
  })

  test('a PUT that Azure refused for good leaves nothing to wait for', () => {
    const refused = at('Requested', looked({}), intended('put'), {
      fact: 'failed',
      effect: 'put',
      cause: { cause: 'quota', message: 'no' },
      notBefore: noon,
    })
    expect(fold(refused, timed(looked({}), refused.moved + 1)).stage.status).toBe('Failed')
  })

  test('an absence seen twice ends it, the second time late enough', () => {
    const killed = at('Requested', looked({}), intended('put'), cancelled)
    const began = (killed.attempt?.at ?? 0) + 1000
    const first = fold(killed, timed(looked({}, began), killed.moved + 1000))
    expect(first.stage.status).toBe('Removing')
    expect(fold(first, timed(looked({}), killed.moved + hour)).stage.status).toBe('Cancelled')
  })

  test('what an approval met before it was taken back does not stand in the way of the removal', () => {
    const lacks = { cause: 'botLacksRight', action: 'approve', scope: 'vault' } as const
    const link = at('Approving', intended('approve'), cancelled, {
      fact: 'failed',
      effect: 'approve',
      cause: lacks,
      notBefore: noon,
    })
    expect(link.blocked).toBeUndefined()
    expect(link.news).toEqual([])
  })

  test.each([
    ['approve', 'connectionGone'],
    ['approve', 'vaultGone'],
    ['delete', 'signalrGone'],
  ] as const)('%s met %s: what has become of it, a look says', (effect, cause) => {
    const link = at(effect === 'approve' ? 'Approving' : 'Removing', intended(effect), {
      fact: 'failed',
      effect,
      cause: { cause },
      notBefore: noon,
    })
    expect(link.blocked).toBeUndefined()
    expect(link.news).toEqual([])
  })

  test('a removal that is locked is blocked and told, and goes on after Retry', () => {
    const link = at('Removing', intended('delete'), {
      fact: 'failed',
      effect: 'delete',
      cause: { cause: 'locked', message: 'a lock' },
      notBefore: noon,
    })
    expect(link.blocked?.cause).toEqual({ cause: 'locked', message: 'a lock' })
    expect(fold(link, timed({ fact: 'retried', by: 'x' }, link.moved + 1)).blocked).toBeUndefined()
  })
})

describe('looks and attempts', () => {
  test('an intent, an outcome, a decision, a cancellation each ask for a new look', () => {
    const pending = at('Pending')
    expect(pending.looked).toBe(true)
    const steps: Step[] = [
      approvedBy('owner'),
      rejectedBy('owner'),
      { fact: 'cancelled', by: 'requester' },
      { fact: 'passed', what: 'expiry' },
      intended('approve'),
      done('approve'),
      { fact: 'failed', effect: 'approve', cause: { cause: 'throttled' }, notBefore: noon },
    ]
    for (const step of steps) {
      expect({ step, looked: fold(pending, timed(step, pending.moved + 1)).looked }).toEqual({
        step,
        looked: false,
      })
    }
  })

  test('a look that began before the last attempt or its outcome does not count as one after it', () => {
    const made = { own: own(), connections: onVault(connection()) }
    const sent = at('Approving', looked(made), intended('approve'))
    const attempted = sent.attempt?.at ?? 0
    expect(fold(sent, timed(looked(made, attempted - 1), sent.moved + 1000)).looked).toBe(false)
    const lost = fold(
      sent,
      timed(
        {
          fact: 'failed',
          effect: 'approve',
          cause: { cause: 'unavailable', code: 'Deadline' },
          notBefore: 0,
        },
        attempted + 20_000,
      ),
    )
    expect(fold(lost, timed(looked(made, attempted + 1), attempted + 21_000)).looked).toBe(false)
    expect(fold(lost, timed(looked(made, attempted + 20_001), attempted + 21_000)).looked).toBe(true)
  })

  test('attempts at the same are counted, attempts at something else begin anew', () => {
    const link = at('Approving', intended('approve'), intended('approve'), intended('approve'))
    expect(link.attempt?.count).toBe(3)
    expect(fold(link, timed(intended('delete'), link.moved + 1)).attempt?.count).toBe(1)
  })

  test('the same look again is no fact', () => {
    for (const status of statuses) {
      const steps = histories[status]
      const look = steps.findLast(({ fact }) => fact === 'observed')
      if (!look) continue
      const once = at(status, look)
      expect(fold(once, timed(look, once.moved + minute))).toBe(once)
    }
  })
})

describe('what Teams was told, and time', () => {
  test('the thread is gone: the status card begins anew elsewhere, and no news are lost', () => {
    const link = at('Approved', { fact: 'gone', place: 'thread' })
    expect(link.gone).toEqual(['thread'])
    expect(link.told.status).toBeUndefined()
    expect(link.news.map(({ news }) => news)).toEqual(['approved'])
  })

  test('the owners are gone: the requester hears of it, once; a new channel gets a card of its own', () => {
    const gone = at('Pending', { fact: 'gone', place: 'owners' }, { fact: 'gone', place: 'owners' })
    expect(gone.news.map(({ news }) => news)).toEqual(['ownersGone'])
    const routed = fold(
      gone,
      timed({ fact: 'rerouted', owners: { place: newOwners, because: { is: 'tagged' } } }, gone.moved + 1),
    )
    expect(routed.gone).toEqual([])
    expect(routed.told.approval).toBeUndefined()
    expect(routed.asked.owners.place).toEqual(newOwners)
    expect(routed.stage.status).toBe('Pending')
  })

  test('after the end a lost channel is no news', () => {
    for (const status of ended)
      expect(at(status, { fact: 'gone', place: 'owners' }).news).toEqual(at(status).news)
  })

  test('a failed update keeps the card that stands, and counts', () => {
    const failed = (notBefore: number): Step => ({ fact: 'unposted', post: 'status', notBefore })
    expect(given(failed(1), failed(2)).told.status).toEqual({ is: 'failed', count: 2, notBefore: 2 })
    const link = given(posted('status'), failed(1), failed(2))
    expect(link.told.status).toMatchObject({ count: 2, standing: { activity: 'status', digest: 'drawn' } })
    expect(fold(link, timed(posted('status'), link.moved + 1)).told.status).toMatchObject({ is: 'posted' })
  })

  test('somebody who follows twice follows once', () => {
    const follow: Step = { fact: 'followed', by: 'colleague', thread: otherThread }
    expect(given(follow, follow).followers).toHaveLength(1)
  })

  test.each(['Requested', 'Provisioning', 'Approving', 'Propagating', 'Removing'] as const)(
    '%s: longer than usual is told once',
    (status) => {
      const late: Step = { fact: 'passed', what: 'usualTime' }
      const link = at(status, late, late)
      expect(link.late).toBe(true)
      expect(link.news.filter(({ news }) => news === 'late')).toHaveLength(1)
    },
  )

  test.each(['Approved', 'Disconnected', ...ended] as const)('%s: nothing is late', (status) => {
    const link = at(status)
    expect(fold(link, timed({ fact: 'passed', what: 'usualTime' }, link.moved + 1))).toBe(link)
  })

  test('late while asked is not late once more while made', () => {
    const link = given({ fact: 'passed', what: 'usualTime' }, looked({}), intended('put'), done('put'))
    expect(link).toMatchObject({ stage: { status: 'Provisioning' }, late: true })
  })

  test.each(statuses)('%s: the alarm is raised once, and only while SignalR does not follow', (status) => {
    const alarm: Step = { fact: 'passed', what: 'alarmTime' }
    const raised = at(status, alarm, alarm).news.filter(({ news }) => news === 'unfollowed')
    expect(raised).toHaveLength(status === 'Propagating' ? 1 : 0)
  })

  test('each stage begins with no time passed', () => {
    const link = at(
      'Propagating',
      { fact: 'passed', what: 'usualTime' },
      { fact: 'passed', what: 'alarmTime' },
      { fact: 'cancelled', by: 'requester' },
    )
    expect(link).toMatchObject({ late: false, alarmed: false })
  })

  test('a history of one fact is the request', () => {
    expect(foldAll([request])?.stage).toEqual({ status: 'Requested' })
  })
})
