/** When people work, by the clock on their wall: on days of 23, 24 and 25 hours. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseWorkingHours, workingTime } from '../src/workingHours.ts'

const hour = 3_600_000
const in_ = (hours: string, zone: string) => {
  const parsed = parseWorkingHours(hours)
  if (!parsed) throw new Error(`no working hours: ${hours}`)
  const { from, nextDay } = workingTime(parsed, zone)
  const iso = (at: number): string => new Date(at).toISOString().replace(':00.000Z', 'Z')
  return {
    from: (at: string): string => iso(from(Date.parse(at))),
    nextDay: (at: string): string => iso(nextDay(Date.parse(at))),
  }
}
/** As a person in that zone reads it off the wall: by another path than the code under test. */
const wall = (at: number, timeZone: string) => {
  const read = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const [date = '', time = ''] = read.format(at).split(' ')
  return { date, time, weekday: new Intl.DateTimeFormat('en', { timeZone, weekday: 'short' }).format(at) }
}

describe('what a setting says', () => {
  test.each([
    ['Mon-Fri 09:00-17:00', [1, 2, 3, 4, 5]],
    ['mon - fri  9:00 – 17:00', [1, 2, 3, 4, 5]],
    ['Sat-Mon 09:00-17:00', [6, 0, 1]],
    ['Wed 09:00-17:00', [3]],
  ])('%s', (text, days) => {
    expect(parseWorkingHours(text)).toEqual(days.map((day) => ({ day, from: 9 * 60, to: 17 * 60 })))
  })

  test('a day may be cut in two, and go on until midnight', () => {
    expect(parseWorkingHours('Tue 08:30-12:00, Tue 13:00-24:00')).toEqual([
      { day: 2, from: 510, to: 720 },
      { day: 2, from: 780, to: 1_440 },
    ])
  })
})

describe('from a moment on', () => {
  const office = in_('Mon-Thu 09:00-17:00, Fri 09:00-13:00', 'Europe/Berlin')
  test.each([
    ['in the midst of a day', '2026-11-24T12:34Z', '2026-11-24T12:34Z'],
    ['before it', '2026-11-24T06:00Z', '2026-11-24T08:00Z'],
    ['at its end', '2026-11-24T16:00Z', '2026-11-25T08:00Z'],
    ['on a Friday afternoon', '2026-11-27T12:00Z', '2026-11-30T08:00Z'],
    ['before the clock is put back', '2026-10-24T12:00Z', '2026-10-26T08:00Z'],
    ['before it is put on', '2027-03-27T12:00Z', '2027-03-29T07:00Z'],
  ])('%s', (_what, at, expected) => {
    expect(office.from(at)).toBe(expected)
    // Asked again, from what is remembered.
    expect(office.from(expected)).toBe(expected)
  })

  test('on the very days on which the clock is changed', () => {
    const early = in_('Sun 01:00-04:00', 'Europe/Berlin')
    expect(early.from('2026-10-25T00:00Z')).toBe('2026-10-25T00:00Z')
    // 03:59 by winter time, an hour more than on other Sundays.
    expect(early.from('2026-10-25T02:59Z')).toBe('2026-10-25T02:59Z')
    expect(early.from('2026-10-25T03:00Z')).toBe('2026-11-01T00:00Z')
    expect(early.from('2027-03-28T01:59Z')).toBe('2027-03-28T01:59Z')
    expect(early.from('2027-03-28T02:00Z')).toBe('2027-04-03T23:00Z')
    // What begins in the hour that is left out begins after it.
    expect(in_('Sun 02:30-05:00', 'Europe/Berlin').from('2027-03-27T12:00Z')).toBe('2027-03-28T01:30Z')
  })

  test('hours that are never reached come all the same', () => {
    expect(in_('Sun 02:10-02:20', 'Europe/Berlin').from('2027-03-25T00:00Z')).toMatch(/^2027-0[34]/)
  })
})

test('the same time tomorrow is that on the wall, be the day long or short', () => {
  const { nextDay } = in_('always', 'Europe/Berlin')
  expect(nextDay('2026-10-24T08:00Z')).toBe('2026-10-25T09:00Z')
  expect(nextDay('2027-03-27T09:00Z')).toBe('2027-03-28T08:00Z')
  expect(nextDay('2026-10-24T00:30Z')).toBe('2026-10-25T00:30Z')
  expect(nextDay('2027-03-27T01:30Z')).toBe('2027-03-28T01:30Z')
  expect(nextDay('2026-12-31T12:00Z')).toBe('2027-01-01T12:00Z')
})

test('at any moment, in any zone: never before it, never outside, and tomorrow is another date', () => {
  const zones = [
    'UTC',
    'Europe/Berlin',
    'America/St_Johns',
    'Asia/Kathmandu',
    'Pacific/Auckland',
    'Africa/Cairo',
  ]
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2028, 0) }),
      fc.array(fc.integer({ min: 0, max: 40 * hour }), { maxLength: 20 }),
      (zone, begin, pauses) => {
        const { from, nextDay } = workingTime(parseWorkingHours('Mon-Fri 09:00-17:00') ?? [], zone)
        let at = begin
        for (const pause of pauses) {
          at += pause
          const found = from(at)
          const { weekday, time } = wall(found, zone)
          expect(found).toBeGreaterThanOrEqual(at)
          expect(found - at).toBeLessThanOrEqual(65 * hour)
          expect(['Sat', 'Sun']).not.toContain(weekday)
          expect(time >= '09:00:00' && time < '17:00:00').toBe(true)
          const tomorrow = wall(nextDay(found), zone)
          expect(tomorrow.date > wall(found, zone).date && tomorrow.time === time).toBe(true)
        }
      },
    ),
  )
})
