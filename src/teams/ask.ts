/** One call to a service, and its whole answer, over connections that stay open. */
import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, EnvHttpProxyAgent } from 'undici'

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

/** What Teams writes is UTF-8, with or without a mark that says so. */
const utf8 = new TextDecoder()

/**
 * Asks once, and follows nowhere. Rejects when no whole answer comes, and with the signal's own reason when that ends it.
 * undici's `request` would make a stream of each answer, and with those the garbage of one turn holds on to the next's.
 */
export function ask({ signal, ...call }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    let controller: Dispatcher.DispatchController | undefined
    const end = (): void => {
      reject(signal.reason)
      controller?.abort(signal.reason)
    }
    signal.addEventListener('abort', end, { once: true })
    const chunks: Buffer[] = []
    let status = 0
    let headers: IncomingHttpHeaders = {}
    dispatcher.dispatch(call, {
      onRequestStart(started) {
        controller = started
        // It waited for a connection longer than anybody waits for it: nothing of it is sent.
        if (signal.aborted) started.abort(signal.reason)
      },
      onResponseStart(_, statusCode, its) {
        status = statusCode
        headers = its
      },
      onResponseData(_, chunk) {
        chunks.push(chunk)
      },
      onResponseEnd() {
        signal.removeEventListener('abort', end)
        const text = utf8.decode(Buffer.concat(chunks))
        resolve({ status, text, header: (name) => [headers[name]].flat()[0] })
      },
      onResponseError(_, error) {
        signal.removeEventListener('abort', end)
        reject(error)
      },
    })
  })
}
