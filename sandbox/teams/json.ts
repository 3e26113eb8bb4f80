/** Narrowing of what came over the wire. */
export type Json = Record<string, unknown>

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const record = (value: unknown): Json | undefined => (isJson(value) ? value : undefined)

export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** The objects in a list; anything else in it is left out. */
export const records = (value: unknown): Json[] => list(value).filter(isJson)

export const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
