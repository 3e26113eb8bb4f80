/** Working hours as a setting names them, and when they are: in a zone of the world, whose days may have 23 or 25 hours. */
import type { Millis } from './link/link.ts'
import type { Working } from './link/nudges.ts'

/** A stretch of one day of the week (0: Sunday), in minutes since midnight by the clock on the wall. */
type Stretch = { readonly day: number; readonly from: number; readonly to: number }
export type WorkingHours = readonly Stretch[]

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const always: WorkingHours = days.map((_, day) => ({ day, from: 0, to: 24 * 60 }))

/** Reads `Mon-Thu 09:00-17:00, Fri 09:00-13:00` or `always`; undefined when it is neither. */
export function parseWorkingHours(text: string): WorkingHours | undefined {
  if (text.trim().toLowerCase() === 'always') return always
  const parts = text.split(',').map(stretches)
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined
}

function stretches(part: string): WorkingHours | undefined {
  const [whole, first = '', last = first, from, to] =
    /^([a-z]{3})(?:-([a-z]{3}))? ([012]?\d:[0-5]\d)-([012]?\d:[0-5]\d)$/.exec(
      part
        .trim()
        .toLowerCase()
        .replace(/\s*[-–]\s*/g, '-')
        .replace(/\s+/g, ' '),
    ) ?? []
  if (whole === undefined || from === undefined || to === undefined) return undefined
  const [begin, end] = [days.indexOf(first), days.indexOf(last)]
  const [opens, closes] = [minutesOf(from), minutesOf(to)]
  if (begin < 0 || end < 0 || opens >= closes || closes > 24 * 60) return undefined
  // Fri-Mon goes over the end of the week.
  const many = ((end - begin + 7) % 7) + 1
  return Array.from({ length: many }, (_, n) => ({ day: (begin + n) % 7, from: opens, to: closes }))
}

function minutesOf(time: string): number {
  const [hours, minutes] = time.split(':').map(Number)
  return (hours ?? 0) * 60 + (minutes ?? 0)
}

const minute = 60_000
const day = 24 * 60 * minute
/** A week, and another, in case that a change of the clock leaves out the one stretch there is. */
const mostDays = 15

/** When people work, by the calendar and the clock on the wall of a zone. */
export function workingTime(hours: WorkingHours, timeZone: string): Working {
  const wall = wallClock(timeZone)

  function from(at: Millis): Millis {
    const today = Math.floor(wall.read(at) / day)
    for (let n = 0; n < mostDays; n++) {
      const date = (today + n) * day
      const open = hours
        // The first day of 1970 was a Thursday.
        .filter((stretch) => stretch.day === (today + n + 4) % 7)
        .map(({ from, to }) => ({
          opens: wall.find(date + from * minute),
          closes: wall.find(date + to * minute),
        }))
        .filter(({ closes }) => at < closes)
        .map(({ opens }) => Math.max(at, opens))
      if (open.length > 0) return Math.min(...open)
    }
    return at
  }

  // All links ask of much the same moment, again and again.
  let known: { readonly at: Millis; readonly from: Millis } | undefined
  return {
    from(at) {
      if (known && known.at <= at && at <= known.from) return known.from
      known = { at, from: from(at) }
      return known.from
    },
    nextDay: (at) => wall.find(wall.read(at) + day),
  }
}

/** Converts between moments and what the clock on the wall shows, written as if that were UTC. */
function wallClock(timeZone: string) {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const read = (at: Millis): number => {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day: date = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, date, hour, minute, second) + (at % 1_000)
  }
  return {
    read,
    /** The first moment at which it shows this; what it leaps over, when it is put on, is as much after the leap. */
    find(shown: number): Millis {
      const before = shown - (read(shown - day / 2) - (shown - day / 2))
      const after = shown - (read(shown + day / 2) - (shown + day / 2))
      const [first, last] = [Math.min(before, after), Math.max(before, after)]
      if (read(first) === shown) return first
      return read(last) === shown ? last : before
    },
  }
}
