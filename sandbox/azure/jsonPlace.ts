/**
 * Reads JSON that people write: each reader takes a place in the document and gives what stands there. What is wrong is
 * added to the problems, with its path and what to write instead, and reading goes on with something of the right type.
 */
export type Place = { readonly value: unknown; readonly path: string; readonly problems: string[] }

export function complain(place: Place, problem: string): void {
  place.problems.push(`${place.path === '' ? 'the file' : place.path}: ${problem}`)
}

const shown = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function expected(place: Place, what: string): void {
  complain(
    place,
    place.value === undefined
      ? `is missing; write ${what}`
      : `${shown(place.value)} will not do; write ${what}`,
  )
}

const step = (path: string, name: string): string => {
  if (!/^[\w$]+$/.test(name)) return `${path}[${JSON.stringify(name)}]`
  return path === '' ? name : `${path}.${name}`
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The members of an object, each by its name; others are problems. */
export function membersOf<Name extends string>(place: Place, names: readonly Name[]): Record<Name, Place> {
  const { value } = place
  const found = isObject(value) ? value : {}
  if (!isObject(value)) expected(place, `an object with ${names.join(', ')}`)
  for (const name of Object.keys(found))
    if (!names.some((one) => one === name))
      complain({ ...place, path: step(place.path, name) }, `is not known; known here are ${names.join(', ')}`)
  // Of something that is no object everything is missing: said once, not for every member.
  const problems = isObject(value) ? place.problems : []
  return Object.fromEntries(
    names.map((name) => [name, { value: found[name], path: step(place.path, name), problems }]),
  ) as Record<Name, Place>
}

/** All members of an object whose names are free. */
export function entriesOf(place: Place): [string, Place][] {
  if (place.value === undefined) return []
  if (!isObject(place.value)) expected(place, 'an object')
  return Object.entries(isObject(place.value) ? place.value : {}).map(([name, value]) => [
    name,
    { value, path: step(place.path, name), problems: place.problems },
  ])
}

/** The elements of a list; no list at all is an empty one. */
export const elementsOf = (place: Place): Place[] => (place.value === undefined ? [] : listAt(place))

/** The elements of a list that must be there. */
export function listAt(place: Place): Place[] {
  if (!Array.isArray(place.value)) expected(place, 'a list, [ … ]')
  const elements: unknown[] = Array.isArray(place.value) ? place.value : []
  return elements.map((value, index) => ({ ...place, value, path: `${place.path}[${index}]` }))
}

export function matching(place: Place, pattern: RegExp, what: string): string {
  if (typeof place.value === 'string' && pattern.test(place.value)) return place.value
  expected(place, what)
  return ''
}

/** A text that may be empty. */
export const textAt = (place: Place): string => matching(place, /^/, 'a text')
export const nameAt = (place: Place): string => matching(place, /./, 'a name')

export const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const guidAt = (place: Place): string =>
  matching(place, guid, 'a GUID such as "11111111-2222-4333-8444-555555555555"').toLowerCase()

export function oneOf<const T extends string>(place: Place, values: readonly T[]): T {
  const found = values.find((one) => one === place.value)
  if (found !== undefined) return found
  expected(place, `one of ${values.join(', ')}`)
  // Never used, since there is a problem now.
  return values[0] as T
}

export function wholeAt(place: Place, least = 0): number {
  const { value } = place
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  expected(place, `a whole number, ${least} or more`)
  return least
}

export function flagAt(place: Place): boolean {
  if (typeof place.value !== 'boolean') expected(place, 'true or false')
  return place.value === true
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

/** A time in ISO 8601, with its zone. */
export function timeAt(place: Place): number {
  const { value } = place
  const time = typeof value === 'string' && timePattern.test(value) ? Date.parse(value) : Number.NaN
  if (!Number.isNaN(time)) return time
  expected(place, 'a time such as "2026-01-31T12:00:00Z"')
  return 0
}

export const tagsAt = (place: Place): Record<string, string> =>
  Object.fromEntries(entriesOf(place).map(([name, value]) => [name, textAt(value)]))

/** What the reader makes of the place, or the fallback where nothing stands. */
export const or = <T>(place: Place, read: (place: Place) => T, fallback: T): T =>
  place.value === undefined ? fallback : read(place)

/** Says so where two of them are the same in what the member stands for. */
export function allDiffer(
  member: string,
  all: readonly { readonly place: Place; readonly key: string }[],
): void {
  const paths = new Map<string, string>()
  for (const { place, key } of all) {
    const path = paths.get(key)
    if (path !== undefined && !/(^|\/)$/.test(key))
      complain(place, `has the ${member} of ${path}; write another`)
    paths.set(key, path ?? place.path)
  }
}
