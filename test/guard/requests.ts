/** Requests as they are written, to a bot that listens. */
import { Agent, request } from 'node:http'

export type Answered = { readonly status: number; readonly text: string; readonly ms: number }

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** One request to the bot; rejects when no answer comes. */
export function post(
  url: string,
  sent: { readonly headers: Readonly<Record<string, string>>; readonly body: string | Buffer },
  path = '/api/messages',
): Promise<Answered> {
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      {
        method: 'POST',
        agent,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(sent.body),
          ...sent.headers,
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, ms: performance.now() - began }),
        )
      },
    )
    outgoing.on('error', reject)
    outgoing.end(sent.body)
  })
}

/** Does all of them, so many at a time, in their order. */
export async function atOnce<T, R>(
  width: number,
  all: readonly T[],
  act: (one: T, index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Array<R>(all.length)
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) {
      const one = all[index]
      if (one !== undefined) results[index] = await act(one, index)
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
  return results
}
