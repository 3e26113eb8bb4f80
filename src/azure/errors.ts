/**
 * ARM's answers that are no success, in the core's words: final or worth another try, not before when. Two texts come of
 * each: the cause, from which a person is told, and a line for the log with code and correlation id.
 */
import type { Cause, Effect } from '../link/link.ts'
import { retryAfter } from '../link/retryAfter.ts'
import { list, record, text } from './parse.ts'
import { invalidResourceId } from './resourceIds.ts'

/** What was being done, and the right it takes: named when ARM's own sentence does not name one. */
export type Call = { readonly does: Effect | 'read'; readonly action: string; readonly scope: string }

export type Failure = {
  readonly cause: Cause
  readonly retryAfterMs?: number
  readonly log: string
  /** ARM says that the very thing is not there. */
  readonly missing: boolean
}

type Answer = {
  readonly status: number
  /** The outermost code first, then those of the details and inner errors. */
  readonly codes: readonly string[]
  readonly message: string
  /** Whether ARM answered, and not something on the way to it. */
  readonly isArm: boolean
  readonly correlationId: string | undefined
  readonly retryAfterMs: number | undefined
}

const longestMessage = 300

/** ARM's words as they may be shown: one line, no control or direction characters, not longer than a card bears. */
export function clean(words: string): string {
  const line = words
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
  const characters = [...line]
  return characters.length <= longestMessage ? line : `${characters.slice(0, longestMessage - 1).join('')}…`
}

function codesOf(error: unknown, depth = 0): readonly string[] {
  const { code, details, innererror } = record(error)
  const own = text(code)
  const inner = depth < 4 ? [...list(details), innererror] : []
  return [...(own === undefined ? [] : [clean(own)]), ...inner.flatMap((one) => codesOf(one, depth + 1))]
}

function parseJson(body: string | undefined): unknown {
  if (body === undefined) return undefined
  try {
    return JSON.parse(body)
  } catch {
    // A proxy's page or half an answer: it carries no code.
    return undefined
  }
}

const isHeaders = (value: unknown): value is { get(name: string): unknown } =>
  typeof record(value).get === 'function'

/** The HTTP answer that an error of the clients (`RestError`) carries, if it carries one. */
function answerIn(error: unknown, now: number): Answer | undefined {
  const { response, statusCode } = record(error)
  const { status = statusCode, bodyAsText, headers } = record(response)
  if (typeof status !== 'number') return undefined
  const header = (name: string): string | undefined =>
    isHeaders(headers) ? text(headers.get(name)) : undefined
  const body = record(parseJson(text(bodyAsText)))
  const told = body.error ?? body
  const codes = codesOf(told)
  const correlationId = header('x-ms-correlation-request-id') ?? header('x-ms-request-id')
  return {
    status,
    codes,
    message: clean(text(record(told).message) ?? ''),
    isArm: codes.length > 0 || correlationId !== undefined,
    correlationId: correlationId === undefined ? undefined : clean(correlationId),
    retryAfterMs: retryAfter(header, now),
  }
}

/** 404s that say nothing of the thing asked for: the bot looks into the wrong place, or at the wrong version. */
const elsewhere = [
  'SubscriptionNotFound',
  'InvalidSubscriptionId',
  'NoRegisteredProviderFound',
  'InvalidResourceNamespace',
  'InvalidResourceType',
  'InvalidApiVersionParameter',
  'MissingApiVersionParameter',
]
const quotas = /quota|limit(exceeded|reached)|toomanyprivateendpoint/i
const unregistered = /provider must be registered|not registered to use namespace/i
const readOnlySubscription = 'ReadOnlyDisabledSubscription'

/** The action and scope that a 403 names: the one on a linked resource first, since its sentence names two. */
function lacking(message: string): { readonly action: string; readonly scope: string } | undefined {
  const match =
    /does not have permission to perform action(?:\(s\))? '([^']+)' on the linked scope(?:\(s\))? '([^']+)'/i.exec(
      message,
    ) ?? /perform action '([^']+)' over scope '([^']+)'/i.exec(message)
  const [, action, scope] = match ?? []
  return action !== undefined && scope !== undefined ? { action, scope } : undefined
}

function notThere({ codes, message }: Answer, { does }: Call): Cause {
  switch (does) {
    case 'put':
    case 'delete':
    case 'read':
      return { cause: /Microsoft\.KeyVault\/vaults/i.test(message) ? 'vaultGone' : 'signalrGone' }
    case 'approve':
    case 'reject':
      return {
        cause:
          /privateEndpointConnections/i.test(message) && !codes.includes('ParentResourceNotFound')
            ? 'connectionGone'
            : 'vaultGone',
      }
  }
}

const isMissing = ({ status, codes, isArm }: Answer): boolean =>
  status === 404 && isArm && !codes.some((code) => elsewhere.includes(code))

function causeOf(answer: Answer, call: Call): Cause {
  const { status, codes, message } = answer
  const [code = String(status)] = codes
  const has = (name: string): boolean => codes.includes(name)
  const refused: Cause = { cause: 'refused', code, message }
  if (has('PrivateEndpointConnectionStatusNotPending')) return { cause: 'decidedMeanwhile' }
  if (status === 429) return { cause: 'throttled' }
  // 401 is ours to mend and says nothing of the wish; 3xx is not followed; a 404 of a proxy is no answer of Azure's.
  if (status < 400 || status >= 500 || status === 408 || status === 401) return { cause: 'unavailable', code }
  if (!answer.isArm) return { cause: 'unavailable', code }
  // Who only reads is in nobody's way, and has set no condition.
  if (call.does === 'read' && (status === 409 || status === 412)) return { cause: 'unavailable', code }
  if (unregistered.test(message) || has('MissingSubscriptionRegistration'))
    return { cause: 'notRegistered', message }
  if (has('ScopeLocked')) return { cause: 'locked', message }
  if (codes.some((one) => quotas.test(one))) return { cause: 'quota', message }
  if (isMissing(answer)) return notThere(answer, call)
  switch (status) {
    case 403: {
      const lacks = lacking(message)
      if (lacks) return { cause: 'botLacksRight', ...lacks }
      // Policies and firewalls say 403 too: only this code means a missing right.
      if (has('AuthorizationFailed') || has('LinkedAuthorizationFailed'))
        return { cause: 'botLacksRight', action: call.action, scope: call.scope }
      return refused
    }
    case 412:
      return { cause: 'decidedMeanwhile' }
    case 409:
      return has(readOnlySubscription) ? refused : { cause: 'conflict', code }
    default:
      return refused
  }
}

/** A code as the log may have it. Azure's are single words; whatever is more than that may quote what people wrote. */
const logged = (code: string): string => (/^[\w.-]{1,80}$/.test(code) ? code : '(not a code)')

/** Why there is no answer at all: a reset, the deadline, a body that is not what was promised. */
function silenceOf(error: unknown): string {
  const { code, name } = record(error)
  const named = error instanceof Error ? error.name : text(name)
  // The clients' own aborts and ours mean the same; node's socket errors bear a code.
  if (named === 'AbortError' || named === 'TimeoutError')
    return named === 'AbortError' ? 'Aborted' : 'Deadline'
  return clean(text(code) ?? named ?? 'Unknown')
}

/** What an error of the clients means. `now` turns a date in Retry-After into a wait. */
export function failureOf(error: unknown, call: Call, now: number): Failure {
  const answer = answerIn(error, now)
  if (!answer || (answer.status >= 200 && answer.status < 300)) {
    const code = silenceOf(error)
    if (code === invalidResourceId) {
      const message = error instanceof Error ? clean(error.message) : ''
      return { cause: { cause: 'refused', code, message }, log: code, missing: false }
    }
    // What the clients say of a body that they cannot read quotes it whole, so the log has no message of theirs.
    return { cause: { cause: 'unavailable', code }, log: logged(code), missing: false }
  }
  const cause = causeOf(answer, call)
  const { status, codes, correlationId, retryAfterMs } = answer
  const log = [
    `${status} ${codes.map(logged).join(' / ') || '(no code)'}`,
    ...(correlationId === undefined ? [] : [`correlation ${logged(correlationId)}`]),
  ].join(', ')
  return {
    cause,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    log,
    missing: isMissing(answer),
  }
}

/** Did nobody answer, or not for now? Then nothing is known; every other cause is an answer. */
export const isSilence = ({ cause }: Cause): boolean => cause === 'unavailable' || cause === 'throttled'
