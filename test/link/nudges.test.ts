/** What people are told because time passes: when, how often at most, and when not any more. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { fold } from '../../src/link/fold.ts'
import type { Link, Millis } from '../../src/link/link.ts'
import { next } from '../../src/link/next.ts'
import { endsSoonAt } from '../../src/link/nudges.ts'
import type { NudgeView } from '../../src/link/views.ts'
import { views } from '../../src/link/views.ts'
import { parseWorkingHours, workingTime } from '../../src/workingHours.ts'
import { usually, worked } from './anyLife.ts'
import type { Delays } from './azureModel.ts'
import {
  approvedBy,
  asked,
  at,
  cardThread,
  day,
  hidden,
  hour,
  limits,
  looked,
  minute,
  newOwners,
  otherThread,
  own,
  posted,
  type Reminding,
  second,
  timed,
} from './given.ts'
import { createLife, type Life, type Move, type Read, type Waiting, type wishes } from './lives.ts'

const office = (zone = 'UTC'): Reminding => ({
  reminders: { afterMs: 4 * hour, escalateAfter: 2 },
  working: workingTime(parseWorkingHours('Mon-Fri 09:00-17:00') ?? [], zone),
})
const everyDay = parseWorkingHours('Mon-Sun 09:00-17:00') ?? []
const leads = { ...newOwners, conversation: '19:leads@thread.tacv2' }
const waiting = (more: Partial<Waiting> = {}): Waiting => ({ ...office(), lastsMs: 7 * day, ...more })
const quick: Delays = { shown: 0, made: minute, connected: 0, follows: minute, deleted: 0 }

/** As people in that zone read it: by another path than the code under test. */
const wall = (when: Millis, timeZone = 'UTC') => {
  const read = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  const [date = '', time = ''] = read.format(when).split(' ')
  return { date, time, weekday: new Intl.DateTimeFormat('en', { timeZone, weekday: 'short' }).format(when) }
}
const said = (when: Millis, zone?: string): string => {
  const { date, time, weekday } = wall(when, zone)
  return `${weekday} ${date.slice(5)} ${time}`
}
type Told = Read & { readonly view: NudgeView }
const nudges = ({ read }: Life, ...kinds: readonly NudgeView['nudge'][]): readonly Told[] =>
  read.filter((one): one is Told => one.view.view === 'nudge' && kinds.includes(one.view.nudge))

/** Time passes in steps, and what is due in each is done. */
function passes(life: Life, ms: Millis, step = hour): void {
  const end = life.now() + ms
  while (life.now() < end) {
    for (let round = 0; round < 12; round++)
      life.play({ move: 'work', fault: 'none', delivery: 'posted', right: 'held' })
    life.play({ move: 'wait', ms: Math.min(step, Math.max(second, end - life.now())) })
  }
}
const begun = (more?: Partial<Waiting>, approvers = 1): Life => {
  const life = createLife(quick, 'bot', approvers, waiting(more))
  for (const move of worked(40)) life.play(move)
  return life
}

describe('a week in which nobody answers, asked on a Monday at noon', () => {
  test('reminded after four hours, then daily, told a day ahead, and it is over', () => {
    const life = begun()
    passes(life, 7.1 * day, 10 * minute)
    expect(nudges(life, 'reminder').map((one) => said(one.at).slice(0, -3))).toEqual([
      'Mon 11-23 16',
      'Tue 11-24 16',
      'Wed 11-25 16',
      'Thu 11-26 16',
      'Fri 11-27 16',
    ])
    expect(nudges(life, 'ending').map((one) => [one.view.to, said(one.at).slice(0, -3)])).toEqual([
      ['requester', 'Sun 11-29 12'],
      ['owners', 'Sun 11-29 12'],
    ])
    expect(life.link().stage.status).toBe('Expired')
    expect(life.broken).toEqual([])
  })

  test('the second channel hears of it once, when two reminders are unanswered, and how it ended', () => {
    const life = begun({ escalation: leads })
    passes(life, 7.1 * day, 10 * minute)
    const [escalation, ...more] = nudges(life, 'escalation')
    expect(more).toEqual([])
    expect(said(escalation?.at ?? 0)).toMatch(/^Wed 11-25 16:/)
    expect(escalation?.view).toMatchObject({ reminders: 2, to: 'escalation' })
    expect(nudges(life, 'reminder').map(({ view }) => view.isEscalated)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
    expect(Object.keys(life.link().told).filter((post) => post.startsWith('escalation/'))).toHaveLength(2)
  })

  test('where time is short one reminder is enough: the second channel hears of it when the end is near', () => {
    const life = begun({ lastsMs: 2 * day, escalation: leads })
    passes(life, 2.1 * day, 10 * minute)
    expect(nudges(life, 'reminder').map((one) => said(one.at).slice(0, -3))).toEqual(['Mon 11-23 16'])
    expect(nudges(life, 'ending').map((one) => said(one.at).slice(0, -3))).toEqual(
      Array(2).fill('Tue 11-24 12'),
    )
    expect(nudges(life, 'escalation').map((one) => said(one.at).slice(0, -3))).toEqual(['Tue 11-24 12'])
  })

  test('a month of it, told of each working day once at most', () => {
    const life = begun({ lastsMs: 30 * day, escalation: leads })
    passes(life, 30.1 * day)
    const days = nudges(life, 'reminder').map((one) => wall(one.at).date)
    // Four weeks and two days, the last of which brings the warning.
    expect(days.length).toBeGreaterThanOrEqual(21)
    expect(new Set(days).size).toBe(days.length)
    expect(nudges(life, 'ending')).toHaveLength(2)
    expect(life.link().stage.status).toBe('Expired')
  })

  test.each([
    [
      'put back',
      Date.UTC(2026, 9, 23, 7),
      ['Fri 10-23 13:00', 'Sat 10-24 13:00', 'Sun 10-25 13:00', 'Mon 10-26 13:00'],
    ],
    [
      'put on',
      Date.UTC(2027, 2, 26, 8),
      ['Fri 03-26 13:00', 'Sat 03-27 13:00', 'Sun 03-28 13:00', 'Mon 03-29 13:00'],
    ],
  ])('while the clock is %s, reminders keep their time on the wall', (_what, begins, expected) => {
    const reminding = { ...office(), working: workingTime(everyDay, 'Europe/Berlin') }
    let link = pendingSince(begins)
    const times: string[] = []
    for (let now = begins; now < begins + 3.5 * day; now += 5 * minute) {
      link = goesOn(link, now, reminding, () => times.push(said(now, 'Europe/Berlin')))
    }
    expect(times).toEqual(expected)
  })
})

/** The owners were asked at that moment, and nothing has been said since. */
function pendingSince(when: Millis, change: Partial<Link> = {}): Link {
  const link = at('Pending')
  return {
    ...link,
    asked: { ...link.asked, at: when, expiresAt: when + 7 * day },
    since: when,
    moved: when,
    unlookedAt: when,
    ownersAskedAt: when,
    ...change,
  }
}
const planAt = (link: Link, now: Millis, reminding: Reminding) =>
  next(link, {
    now,
    lookedAt: now,
    limits: { ...limits, reminders: reminding.reminders },
    working: reminding.working,
    approveAs: 'bot',
    digest: () => 'drawn',
  })
/** What is due then is written, and what is to be said is posted. */
function goesOn(link: Link, now: Millis, reminding: Reminding, onReminder: () => void): Link {
  const { passed } = planAt(link, now, reminding)
  let current = passed ? fold(link, { fact: 'passed', what: passed, at: now }) : link
  for (const { post, view, digest } of planAt(current, now, reminding).messages) {
    if (view.view === 'nudge' && view.nudge === 'reminder') onReminder()
    const told = { conversation: cardThread, activity: post, digest, schema: 1 }
    current = fold(current, { fact: 'posted', post, ...told, at: now })
  }
  return current
}
const tuesday = Date.UTC(2026, 10, 24, 9)
const passedAt = (link: Link, now: Millis, reminding = office()) => planAt(link, now, reminding).passed

describe('when', () => {
  test.each([
    ['7 days', 7 * day, day],
    ['2 days', 2 * day, day],
    ['a day', day, day / 2],
    ['an hour', hour, hour / 2],
  ])('of %s it is said how much ahead that it ends', (_what, lasts, ahead) => {
    expect(endsSoonAt({ ...asked, expiresAt: asked.at + lasts })).toBe(asked.at + lasts - ahead)
  })

  test('not before the hours have passed, and not outside working hours', () => {
    const link = pendingSince(tuesday)
    expect(passedAt(link, tuesday + 4 * hour - 1)).toBeUndefined()
    expect(passedAt(link, tuesday + 4 * hour)).toBe('reminderTime')
    const late = pendingSince(tuesday + 7 * hour)
    expect(passedAt(late, tuesday + 11 * hour)).toBeUndefined()
    expect(planAt(late, tuesday + 11 * hour, office()).wake).toBeLessThanOrEqual(tuesday + day)
    expect(passedAt(late, tuesday + day)).toBe('reminderTime')
  })

  test('never where it is switched off; that it ends is said all the same', () => {
    const { reminders: _off, ...without } = office()
    const plan = (now: Millis) =>
      next(pendingSince(tuesday), {
        ...without,
        now,
        lookedAt: now,
        limits,
        approveAs: 'bot',
        digest: () => 'drawn',
      }).passed
    expect(plan(tuesday + 4 * hour)).toBeUndefined()
    expect(plan(tuesday + 6 * day)).toBe('endingTime')
  })

  test('not before the owners have the card, and its time counts from there', () => {
    const { ownersAskedAt: _never, ...unasked } = pendingSince(tuesday, { told: {} })
    expect(passedAt(unasked, tuesday + 5 * hour)).toBeUndefined()
    const shown = fold(unasked, timed(posted('approval'), tuesday + 5 * hour))
    expect(passedAt(shown, tuesday + 6 * hour)).toBeUndefined()
    expect(shown.ownersAskedAt).toBe(tuesday + 5 * hour)
  })

  test('a record from before there were reminders counts from when it began to wait', () => {
    const { ownersAskedAt: _unknown, ...old } = pendingSince(tuesday)
    expect(passedAt(old, tuesday + 3 * hour)).toBeUndefined()
    expect(passedAt(old, tuesday + 4 * hour)).toBe('reminderTime')
  })

  test('after a sleep of days one comes, not one for each', () => {
    let link = pendingSince(tuesday)
    let count = 0
    for (let now = tuesday + 3 * day; now < tuesday + 3 * day + 3 * hour; now += minute)
      link = goesOn(link, now, office(), () => count++)
    expect(count).toBe(1)
  })

  test('asleep past its end: nothing is said of a time that has passed', () => {
    const link = pendingSince(tuesday)
    const { passed, messages } = planAt(link, tuesday + 7 * day, office())
    expect(passed).toBe('expiry')
    const warned = fold(link, { fact: 'passed', what: 'endingTime', at: tuesday + 6.5 * day })
    expect(planAt(warned, tuesday + 6.5 * day, office()).messages.map(({ post }) => post)).toContain(
      'thread/nudge-0',
    )
    expect(planAt(warned, tuesday + 30 * day, office()).messages.map(({ post }) => post)).not.toContain(
      'thread/nudge-0',
    )
    expect(messages.filter(({ view }) => view.view === 'nudge')).toEqual([])
  })
})

describe('what is no longer true is not said', () => {
  const due = (link: Link = pendingSince(tuesday)): Link =>
    fold(link, { fact: 'passed', what: 'reminderTime', at: tuesday + 4 * hour })
  const says = (link: Link, now = tuesday + 4 * hour): readonly string[] =>
    planAt(link, now, office()).messages.flatMap(({ post, view }) => (view.view === 'nudge' ? [post] : []))

  test('as long as it is true it is', () => {
    expect(says(due())).toEqual(['owners/nudge-0'])
    expect(says(due(), tuesday + 9 * hour)).toEqual([])
    expect(says(due(), tuesday + day)).toEqual(['owners/nudge-0'])
  })

  test.each([
    ['decided', approvedBy('owner')],
    ['cancelled', { fact: 'cancelled', by: 'requester' } as const],
    ['one of several approved', { fact: 'endorsed', by: 'owner', needs: 2 } as const],
    ['stopped', looked({ own: own(), connections: hidden })],
    ['on its way as whoever decides', { fact: 'intended', effect: 'approve', by: 'owner' } as const],
    ['the channel is gone', { fact: 'gone', place: 'owners' } as const],
  ])('%s meanwhile', (_what, step) => {
    expect(says(fold(due(), timed(step, tuesday + 4 * hour + 1)))).toEqual([])
  })

  test('nor comes another while the last one waits for Teams', () => {
    expect(passedAt(due(), tuesday + 2 * day)).toBeUndefined()
  })

  test('after one of several approved the time begins anew, and what is missing is named', () => {
    const endorsed = fold(
      pendingSince(tuesday),
      timed({ fact: 'endorsed', by: 'owner', needs: 2 }, tuesday + 3 * hour),
    )
    expect(passedAt(endorsed, tuesday + 4 * hour)).toBeUndefined()
    expect(passedAt(endorsed, tuesday + 7 * hour)).toBe('reminderTime')
    const reminded = fold(endorsed, { fact: 'passed', what: 'reminderTime', at: tuesday + 7 * hour })
    expect(views(reminded, limits).find(({ post }) => post === 'owners/nudge-0')?.view).toMatchObject({
      approvals: { by: ['owner'], missing: 1 },
      reminders: 1,
    })
  })

  test('in another channel it begins anew', () => {
    const moved = fold(
      due(),
      timed(
        { fact: 'rerouted', owners: { place: otherThread, because: { is: 'tagged' } } },
        tuesday + 5 * hour,
      ),
    )
    const shown = fold(moved, timed(posted('approval'), tuesday + 5 * hour))
    expect(says(shown, tuesday + 5 * hour)).toEqual([])
    expect(passedAt(shown, tuesday + 8 * hour)).toBeUndefined()
    expect(passedAt(shown, tuesday + day)).toBe('reminderTime')
  })
})

test('a second channel that is gone holds up nothing', () => {
  const begins = pendingSince(tuesday)
  let link: Link = fold(
    { ...begins, asked: { ...begins.asked, escalation: leads } },
    timed({ fact: 'gone', place: 'escalation' }, tuesday),
  )
  let count = 0
  for (let now = tuesday; now < tuesday + 4 * day; now += 20 * minute)
    link = goesOn(link, now, office(), () => count++)
  // From Tuesday to Friday.
  expect(count).toBe(4)
})

describe('whatever happens', () => {
  const move: fc.Arbitrary<Move> = fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        move: fc.constant('work'),
        fault: fc.constant('none' as const),
        delivery: fc.oneof(
          { weight: 24, arbitrary: fc.constant('posted' as const) },
          { weight: 4, arbitrary: fc.constant('failed' as const) },
          { weight: 1, arbitrary: fc.constant('gone' as const) },
        ),
        right: fc.constant('held' as const),
      }),
    },
    {
      weight: 12,
      arbitrary: fc.record({
        move: fc.constant('wait'),
        ms: fc.oneof(fc.constantFrom(minute, hour, 4 * hour, day), fc.nat({ max: 30 * hour })),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        move: fc.constant('wish'),
        wish: usually<(typeof wishes)[number]>(
          'follow',
          'approve',
          'approveToo',
          'reject',
          'cancel',
          'retry',
        ),
        right: fc.constant('held' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ move: fc.constant('again'), index: fc.nat({ max: 200 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ move: fc.constant('hide'), link: fc.boolean(), vault: fc.boolean() }),
    },
  )
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland']

  test('at most one reminder on a working day, none outside of working hours, one warning, one escalation', () => {
    let reminders = 0
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(move, { maxLength: 150, size: 'max' }),
        fc.constantFrom(2, 7, 30),
        fc.constantFrom(1, 2),
        (zone, script, lasts, approvers) => {
          const life = createLife(quick, 'bot', approvers, {
            ...office(zone),
            lastsMs: lasts * day,
            escalation: leads,
          })
          for (const one of [...worked(40), ...script]) life.play(one)
          const times = nudges(life, 'reminder').map((one) => wall(one.at, zone))
          reminders += times.length
          expect(life.broken).toEqual([])
          for (const { weekday, time } of [
            ...times,
            ...nudges(life, 'escalation').map((one) => wall(one.at, zone)),
          ]) {
            expect(['Sat', 'Sun']).not.toContain(weekday)
            expect(time >= '09:00' && time < '17:00').toBe(true)
          }
          const dates = times.map(({ date }) => date)
          expect(new Set(dates).size).toBe(dates.length)
          expect(nudges(life, 'escalation').length).toBeLessThanOrEqual(1)
          expect(nudges(life, 'ending').length).toBeLessThanOrEqual(2)
        },
      ),
      { numRuns: 300 },
    )
    // Something was tried.
    expect(reminders).toBeGreaterThan(50)
  })
})
