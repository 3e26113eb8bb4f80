/** A door in front of the local Azure: a call can be held there, so that something happens while it is under way. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

export type Door = {
  readonly url: string
  /** Where the calls go on to; set once it is known. */
  leadsTo(url: string): void
  /** Holds the next such call before it reaches Azure. */
  holds(method: string, path: RegExp): { readonly arrived: Promise<void>; release(): void }
  /** Answers no such call from now on, and cuts them off when that is lifted. `met`: how many there were. */
  hangs(path: RegExp, query?: RegExp): { met(): number; lift(): void }
  close(): Promise<void>
}

export async function openDoor(): Promise<Door> {
  let target = ''
  const holding = new Set<{ method: string; path: RegExp; arrive: () => void; released: Promise<void> }>()

  const hanging = new Set<{ path: RegExp; query: RegExp; meet: () => void; lifted: Promise<void> }>()

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
    const { method = '', url = '/', headers } = incoming
    for (const hold of holding) {
      if (hold.method !== method || !hold.path.test(url)) continue
      holding.delete(hold)
      hold.arrive()
      await hold.released
      break
    }
    const [called = '', asked = ''] = decodeURIComponent(url).split('?')
    for (const { path, query, meet, lifted } of hanging) {
      if (!path.test(called) || !query.test(asked)) continue
      meet()
      await lifted
      outgoing.destroy()
      return
    }
    const onward = request(new URL(url, target), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', (error) => outgoing.destroy(error))
    onward.end(Buffer.concat(chunks))
  }

  const server = createServer((incoming, outgoing) => {
    pass(incoming, outgoing).catch((error: unknown) =>
      outgoing.destroy(error instanceof Error ? error : new Error(String(error))),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    leadsTo(url) {
      target = url
    },
    holds(method, path) {
      const arrived = Promise.withResolvers<void>()
      const released = Promise.withResolvers<void>()
      holding.add({ method, path, arrive: () => arrived.resolve(), released: released.promise })
      return { arrived: arrived.promise, release: () => released.resolve() }
    },
    hangs(path, query = /(?:)/) {
      const lifted = Promise.withResolvers<void>()
      let met = 0
      const meet = (): void => {
        met += 1
      }
      const hang = { path, query, meet, lifted: lifted.promise }
      hanging.add(hang)
      return {
        met: () => met,
        lift() {
          hanging.delete(hang)
          lifted.resolve()
        },
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
