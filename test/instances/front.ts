/** What stands before several instances: each request goes to the next that lives. */
import { once } from 'node:events'
import { createServer } from 'node:http'

export type Front = {
  readonly url: string
  /** From now on these are behind it. */
  leadsTo(urls: readonly string[]): void
  close(): Promise<void>
}

export async function openFront(): Promise<Front> {
  let behind: readonly string[] = []
  let turn = 0
  const server = createServer(async (request, response) => {
    const body: Buffer[] = []
    for await (const chunk of request) body.push(chunk as Buffer)
    turn += 1
    const to = behind[turn % behind.length]
    try {
      const answer = await fetch(`${to}${request.url}`, {
        method: request.method ?? 'POST',
        headers: { 'content-type': 'application/json', authorization: request.headers.authorization ?? '' },
        body: Buffer.concat(body),
      })
      const answered = Buffer.from(await answer.arrayBuffer())
      // Apart from `end`: restify, where a test has loaded it, makes every writeHead return nothing.
      response.writeHead(answer.status, {
        'content-type': answer.headers.get('content-type') ?? 'text/plain',
      })
      response.end(answered)
    } catch {
      // It was killed in the midst of the turn: what a load balancer says then.
      response.writeHead(502)
      response.end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    leadsTo(urls) {
      behind = urls
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
