/** Calls to the Bot Connector outside a turn: one client per service, one try per call, a deadline for each. */
import type { ConfigurationBotFrameworkAuthentication } from 'botbuilder'
import { fieldsOf, textOf } from './activity.ts'
import type { BotAdapter } from './adapter.ts'
import { isThrottled, retryAfter, throttledScope } from './throttling.ts'

type ConnectorFactory = ReturnType<ConfigurationBotFrameworkAuthentication['createConnectorFactory']>
type Connector = Awaited<ReturnType<ConnectorFactory['create']>>
export type Conversations = Connector['conversations']

export type Connectors = {
  /**
   * One call at a service; `signal` is the caller's and the deadline together. Rejects when either ends it, and with
   * what the service answers.
   */
  call<T>(
    serviceUrl: string,
    signal: AbortSignal,
    work: (conversations: Conversations, signal: AbortSignal) => Promise<T>,
  ): Promise<T>
}

/** An organisation meets a handful of services; a client more than these is made anew. */
const mostClients = 16

/**
 * A client made anew costs a token client and a pipeline each (an eighth of a turn's CPU), so each is kept. The
 * adapter's factory has already taken the SDK's own retries out.
 */
export function createConnectors(options: {
  readonly adapter: BotAdapter
  readonly appId: string
  readonly deadlineMs: number
}): Connectors {
  const { adapter, appId, deadlineMs } = options
  const clients = new Map<string, Promise<Conversations>>()

  const make = async (serviceUrl: string): Promise<Conversations> => {
    let made: Connector | undefined
    await adapter.continueConversationAsync(
      appId,
      {
        channelId: 'msteams',
        serviceUrl,
        conversation: { id: '', isGroup: true, conversationType: '', name: '' },
      },
      async (context) => {
        made = context.turnState.get<Connector>(adapter.ConnectorClientKey)
      },
    )
    if (!made) throw new Error('The adapter gave no connector client')
    return made.conversations
  }
  const clientFor = (serviceUrl: string): Promise<Conversations> => {
    const kept = clients.get(serviceUrl)
    if (kept) return kept
    const client = make(serviceUrl)
    clients.set(serviceUrl, client)
    const [oldest] = clients.keys()
    if (clients.size > mostClients && oldest !== undefined) clients.delete(oldest)
    client.catch(() => clients.delete(serviceUrl))
    return client
  }

  return {
    async call(serviceUrl, signal, work) {
      const ends = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)])
      // The bot's own token is fetched without a signal, so the whole is raced and not only the request.
      let stop = (): void => undefined
      const ended = new Promise<never>((_, reject) => {
        stop = () => reject(ends.reason)
        ends.addEventListener('abort', stop, { once: true })
      })
      try {
        ends.throwIfAborted()
        const called = clientFor(serviceUrl).then((conversations) => work(conversations, ends))
        return await Promise.race([called, ended])
      } finally {
        ends.removeEventListener('abort', stop)
      }
    },
  }
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

const foreseen: readonly string[] = ['RestError', 'AbortError', 'TimeoutError']

export function refusedBy(error: unknown, now: number = Date.now()): Refused {
  const { statusCode, code, response, name } = fieldsOf(error)
  const status = typeof statusCode === 'number' ? statusCode : undefined
  const said = textOf(code)
  const { headers, bodyAsText } = fieldsOf(response)
  const retryAfterMs = retryAfter(headers, now)
  return {
    ...(status !== undefined && { status }),
    ...(said && { code: said }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(isThrottled(status, retryAfterMs) && { throttled: throttledScope(bodyAsText) }),
    unforeseen: !foreseen.includes(textOf(name) ?? ''),
    log: [status, said, status === undefined ? textOf(name) : undefined]
      .filter((part) => part !== undefined)
      // Codes are single words; whatever is more than that may quote a message.
      .map((part) => (/^[\w.-]{1,80}$/.test(String(part)) ? part : '(not a code)'))
      .join(' '),
  }
}
