/** One call to a service, and its whole answer, over connections that stay open. */
import { EnvHttpProxyAgent } from 'undici'

export type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** As `https://<host>`, and the rest of the address, with its query. */
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** It is not waited for longer than this. */
  readonly signal: AbortSignal
}
export type Answer = {
  readonly status: number
  header(name: string): string | undefined
  readonly text: string
}

const connectMs = 10_000
/** More turns than these at once wait for each other, and no longer than for the service. */
const mostConnections = 64
/** A page of a roster, of 500 people, is a tenth of it. */
const longestAnswer = 4_000_000

/** Idle connections do not keep the process. Proxies are taken from where all of Node's clients find them. */
const dispatcher = new EnvHttpProxyAgent({
  connections: mostConnections,
  maxResponseSize: longestAnswer,
  connect: { timeout: connectMs },
})

/** Asks once, and follows nowhere. Rejects when no whole answer comes, and with the signal's own reason when that ends it. */
export async function ask({ signal, ...call }: Ask): Promise<Answer> {
  try {
    const { statusCode, headers, body } = await dispatcher.request({ ...call, signal })
    const text = await body.text()
    return { status: statusCode, text, header: (name) => [headers[name]].flat()[0] }
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  }
}
