/**
 * JSON that reads back as what was written: what it would silently turn into something else (NaN to null, a Date
 * to a string, a function to nothing) is refused, since the log would no longer fold to the row.
 */

/** Members in the order in which they are: what is digested over them must not change with a restart. */
export const strictJson = (value: unknown): string => write(value, (members) => members)

/** Members sorted by name: one text for one value, to hash. */
export const canonicalJson = (value: unknown): string =>
  write(value, (members) => members.toSorted(([a], [b]) => (a < b ? -1 : 1)))

type Members = readonly (readonly [string, unknown])[]

function write(value: unknown, order: (members: Members) => Members): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be kept as JSON`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => write(item, order)).join(',')}]`
  if (!isPlain(value)) throw new TypeError(`a ${typeof value} cannot be kept as JSON`)
  const members = order(Object.entries(value).filter(([, member]) => member !== undefined))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member, order)}`).join(',')}}`
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // The root of any realm's objects, not only of ours.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
