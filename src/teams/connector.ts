/**
 * The calls of the Bot Connector that this bot makes: one try each, a deadline for each.
 * The SDK's client would build its pipeline anew for each turn, repeat each POST though Teams has no idempotency key, and
 * follow wherever an answer points.
 */
import type { Activity as BotActivity } from 'botbuilder'
import type { Traffic } from '../engine/ports.ts'
import { fieldsOf, textOf } from './activity.ts'
import { type Answer, type Ask, ask } from './ask.ts'
import type { IsListed } from './services.ts'
import { isThrottled, retryAfter, throttledScope } from './throttling.ts'

export type Activity = Partial<BotActivity>
/** learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference */
export type Conversations = {
  replyToActivity(conversation: string, activity: string, reply: Activity): Promise<Posted>
  sendToConversation(conversation: string, activity: Activity): Promise<Posted>
  updateActivity(conversation: string, id: string, activity: Activity): Promise<Posted>
  createConversation(asked: object): Promise<Posted & { readonly activityId?: string }>
  getConversationMember(conversation: string, member: string): Promise<unknown>
  getConversationPagedMembers(
    conversation: string,
    page: { readonly pageSize: number; readonly continuationToken?: string },
  ): Promise<{ readonly members: readonly unknown[]; readonly continuationToken?: string }>
}
type Posted = { readonly id?: string }

export type Connector = {
  /**
   * The conversations of one service. Each call ends at its deadline, or when `signal` does. They reject with
   * `ConnectorError` when the service refuses or is not reached, with `NoToken`, and with what the signal says. `traffic`
   * hears of each call. Throws `ServiceNotListed`.
   */
  at(
    serviceUrl: string,
    options?: { readonly signal?: AbortSignal; readonly traffic?: Traffic },
  ): Conversations
}

/** A service that is not on the list was to be called: a stored reference of another time, or of somebody's making. */
class ServiceNotListed extends Error {
  override readonly name = 'ServiceNotListed'
}

/** Teams refused a call. Or, without a `statusCode`, no whole answer came, and whether it took effect is unknown. */
class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  readonly statusCode: number | undefined
  readonly code: string | undefined
  readonly retryAfterMs: number | undefined
  readonly throttled: 'here' | 'tenant' | undefined
  constructor(
    why: {
      readonly statusCode?: number
      readonly code?: string | undefined
      readonly retryAfterMs?: number | undefined
      readonly throttled?: 'here' | 'tenant' | undefined
    },
    options?: ErrorOptions,
  ) {
    super('Teams did not do what it was asked', options)
    this.statusCode = why.statusCode
    this.code = why.code
    this.retryAfterMs = why.retryAfterMs
    this.throttled = why.throttled
  }
}

/** The bot has no token to call Teams with: Teams has heard nothing. What the log keeps of the reason is its code. */
class NoToken extends Error {
  override readonly name = 'NoToken'
  readonly code: string | undefined
  constructor(cause: unknown) {
    super('There is no token for Teams', { cause })
    this.code = codeOf(cause)
  }
}

type Service = { readonly origin: string; readonly base: string }
type Call = {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  /** What it is counted for; a read counts for the tenant alone. */
  readonly conversation?: string
  readonly body?: object
}

/**
 * `token`: what the bot proves to Teams who it is with; absent in the sandbox alone. `now`: by which dates are read.
 * `deadlineMs`: how long Teams has to answer one call.
 */
export function createConnector(options: {
  readonly isListed: IsListed
  readonly token?: () => string | Promise<string>
  readonly now?: () => number
  readonly deadlineMs?: number
}): Connector {
  const { isListed, token, now = Date.now, deadlineMs = 10_000 } = options

  async function call(
    { origin, base }: Service,
    { method, path, conversation, body }: Call,
    { signal: ends, traffic }: { readonly signal: AbortSignal; readonly traffic?: Traffic },
  ): Promise<unknown> {
    // The answer goes out meanwhile.
    const counted = traffic?.called(conversation)
    const authorization = token && `Bearer ${await tokenOf(token, ends)}`
    const answer = await answerOf({
      method,
      origin,
      path: `${base}/v3/conversations${path}`,
      signal: ends,
      headers: {
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
        ...(body && { 'content-type': 'application/json; charset=utf-8' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    await counted
    if (answer.status >= 200 && answer.status < 300) {
      // Of a member it would say that nobody is known by that id, and of a roster that nobody is in it.
      if (method === 'GET' && answer.text === '') throw new ConnectorError({ code: 'NoBody' })
      return answer.body
    }
    const retryAfterMs = retryAfter(answer.header('retry-after'), now())
    const throttled = isThrottled(answer.status, retryAfterMs) ? throttledScope(answer.text) : undefined
    if (throttled) await traffic?.refused(throttled === 'tenant' ? undefined : conversation, retryAfterMs)
    const code = textOf(fieldsOf(fieldsOf(answer.body).error).code)
    throw new ConnectorError({ statusCode: answer.status, code, retryAfterMs, throttled })
  }

  return {
    at(serviceUrl, { signal, traffic } = {}) {
      if (!isListed(serviceUrl)) throw new ServiceNotListed()
      const { origin, pathname } = new URL(serviceUrl)
      const service = { origin, base: pathname.replace(/\/$/, '') }
      const its = traffic && { traffic }
      const ask = (asked: Call): Promise<unknown> =>
        beforeDeadline(deadlineMs, signal, (ends) => call(service, asked, { signal: ends, ...its }))
      const read = async (path: string) => fieldsOf(await ask({ method: 'GET', path }))
      const write = async (asked: Call): Promise<Posted & { readonly activityId?: string }> => {
        const { id, activityId } = fieldsOf(await ask(asked))
        return {
          ...(textOf(id) && { id: String(id) }),
          ...(textOf(activityId) && { activityId: String(activityId) }),
        }
      }
      return {
        replyToActivity: (conversation, activity, reply) =>
          write({
            method: 'POST',
            path: pathTo(conversation, 'activities', activity),
            conversation,
            body: reply,
          }),
        sendToConversation: (conversation, activity) =>
          write({ method: 'POST', path: pathTo(conversation, 'activities'), conversation, body: activity }),
        updateActivity: (conversation, id, activity) =>
          write({
            method: 'PUT',
            path: pathTo(conversation, 'activities', id),
            conversation,
            body: activity,
          }),
        createConversation: (asked) => write({ method: 'POST', path: '', body: asked }),
        getConversationMember: (conversation, member) => read(pathTo(conversation, 'members', member)),
        async getConversationPagedMembers(conversation, { pageSize, continuationToken }) {
          const query = new URLSearchParams({
            pageSize: String(pageSize),
            ...(continuationToken !== undefined && { continuationToken }),
          })
          const page = await read(`${pathTo(conversation, 'pagedmembers')}?${query}`)
          const more = textOf(page.continuationToken)
          return {
            members: Array.isArray(page.members) ? page.members : [],
            ...(more !== undefined && { continuationToken: more }),
          }
        },
      }
    },
  }
}

/**
 * With a signal that ends at the deadline, or with `patience`. One of `AbortSignal.timeout` would stay until then, long
 * after its call, and thousands of them make the garbage collector stop for all of them again and again; and one of
 * `AbortSignal.any` that is given to another never goes, since Node 24 keeps it.
 */
async function beforeDeadline<T>(
  deadlineMs: number,
  patience: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController()
  const late = (): void => deadline.abort(new DOMException('Teams was silent', 'TimeoutError'))
  const over = (): void => deadline.abort(patience?.reason)
  patience?.throwIfAborted()
  patience?.addEventListener('abort', over, { once: true })
  const timer = setTimeout(late, deadlineMs)
  try {
    return await work(deadline.signal)
  } finally {
    clearTimeout(timer)
    patience?.removeEventListener('abort', over)
  }
}

const pathTo = (...parts: readonly string[]): string =>
  parts.map((part) => `/${encodeURIComponent(part)}`).join('')

/** A token that is there is not waited for. */
async function tokenOf(token: () => string | Promise<string>, signal: AbortSignal): Promise<string> {
  try {
    const given = token()
    return typeof given === 'string' ? given : await until(signal, given)
  } catch (error) {
    throw signal.aborted ? signal.reason : new NoToken(error)
  }
}

/** The work's result, or a rejection as soon as the signal ends; the work itself goes on. */
async function until<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let end = (): void => undefined
  const ended = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason)
    signal.addEventListener('abort', end, { once: true })
  })
  try {
    return await Promise.race([work, ended])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

async function answerOf(asked: Ask): Promise<Answer & { readonly body: unknown }> {
  try {
    const answer = await ask(asked)
    return { ...answer, body: parsed(answer.text, answer.status) }
  } catch (error) {
    // The signal's own reason says whose deadline it was.
    if (asked.signal.aborted || error instanceof ConnectorError) throw error
    throw new ConnectorError({ code: codeOf(error) }, { cause: error })
  }
}

/** What a success says is needed whole; of what refuses, all may be missing. */
function parsed(text: string, status: number): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    if (status < 300) throw new ConnectorError({ code: 'NotJson' }, { cause: error })
    return {}
  }
}

/** The first code along what an error was caused by: MSAL names its `errorCode`. */
function codeOf(error: unknown): string | undefined {
  const { code, errorCode, cause } = fieldsOf(error)
  return textOf(code) ?? textOf(errorCode) ?? (cause === undefined ? undefined : codeOf(cause))
}

/** What is known of a call that failed. No `status`: no answer came, and whether it took effect is unknown. */
export type Refused = {
  readonly status?: number
  readonly code?: string
  readonly retryAfterMs?: number
  readonly throttled?: 'here' | 'tenant'
  /** Neither an answer, nor a lost connection, nor a deadline: a mistake of ours, or no token for the bot. */
  readonly unforeseen: boolean
  /** For the log: status and code, no text of a message. */
  readonly log: string
}

const foreseen: readonly string[] = ['ConnectorError', 'AbortError', 'TimeoutError']

export function refusedBy(error: unknown): Refused {
  const name = textOf(fieldsOf(error).name)
  const {
    statusCode: status,
    code,
    retryAfterMs,
    throttled,
  }: Partial<ConnectorError> = error instanceof ConnectorError ? error : { code: codeOf(error) }
  return {
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(throttled && { throttled }),
    unforeseen: name === undefined || !foreseen.includes(name),
    log: [status, code, status === undefined ? name : undefined]
      .filter((part) => part !== undefined)
      // Codes are single words; whatever is more than that may quote a message.
      .map((part) => (/^[\w.-]{1,80}$/.test(String(part)) ? part : '(not a code)'))
      .join(' '),
  }
}
