/** One read of Azure and what came of it: a sighting, or no answer. */
import type { Log } from '../engine/ports.ts'
import type { Sighting } from '../link/link.ts'
import { within } from './deadline.ts'
import { type Call, type Failure, failureOf, isSilence } from './errors.ts'
import { garbled, record } from './parse.ts'

/** `silent`: nobody answered, or not for now. Nothing is known then. */
export type Look<T> = Sighting<T> | { readonly is: 'silent'; readonly failure: Failure }

export type Reading = {
  readonly deadlineMs: number
  readonly now: () => number
  readonly log: Log
}

/** Reads once. A 404 of ARM's is an absence, every other refusal hides the thing, silence stays silence. */
export async function look<T>(
  { deadlineMs, now, log }: Reading,
  action: string,
  scope: string,
  signal: AbortSignal,
  read: (signal: AbortSignal) => Promise<T | 'absent'>,
): Promise<Look<T>> {
  const call: Call = { does: 'read', action, scope }
  try {
    const value = await within(deadlineMs, signal, read)
    return value === 'absent' ? { is: 'absent' } : { is: 'present', value }
  } catch (error) {
    const failure = failureOf(error, call, now())
    if (failure.missing) return { is: 'absent' }
    if (!signal.aborted)
      log('warn', 'azure.unread', { action, scope, cause: failure.cause.cause, answer: failure.log })
    return isSilence(failure.cause) ? { is: 'silent', failure } : { is: 'hidden', cause: failure.cause }
  }
}

/** All pages of a list. */
export async function all(
  pages: { byPage(): AsyncIterable<readonly unknown[]> },
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const found: unknown[] = []
  for await (const page of pagesOf(pages.byPage(), signal)) found.push(...page)
  return found
}

/** The pages of a list, one by one. Stops with the signal, since a page may lead to itself. */
export async function* pagesOf(
  pages: AsyncIterable<readonly unknown[]>,
  signal: AbortSignal,
): AsyncIterable<readonly unknown[]> {
  for await (const page of pages) {
    signal.throwIfAborted()
    yield page
  }
}

/**
 * Options for the lists of the older clients, which take a body without `value` for an empty list: here it is no answer,
 * or a garbled list of deny assignments would deny nothing.
 */
export const listed = (signal: AbortSignal): ListOptions => ({
  abortSignal: signal,
  onResponse({ parsedBody }, _flat, error) {
    // What failed has its own error, which must come through.
    if (error === undefined && !Array.isArray(record(parsedBody).value)) throw garbled('the value of a list')
  },
})
type ListOptions = {
  readonly abortSignal: AbortSignal
  readonly onResponse: (raw: { readonly parsedBody?: unknown }, flat: unknown, error?: unknown) => void
}
