/** The line to the database, which a test can cut, block and hold up: a TCP proxy in front of the server. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type Line = {
  readonly url: string
  /** Breaks all connections that stand; new ones are let through. */
  cut(): void
  /** `open`, `refused`: nobody listens any more, `silent`: what is sent is swallowed, and nobody answers. */
  become(state: 'open' | 'refused' | 'silent'): void
  /**
   * Breaks the line at the next COMMIT of a transaction that wrote these words, before the server has it or when it has
   * answered, and from then on is `then`. Resolves when that has happened.
   */
  breakAtCommit(when: 'before' | 'after', then?: 'open' | 'refused', words?: string): Promise<void>
  close(): Promise<void>
}

const commit = Buffer.from('commit\0')

export async function lineTo(database: string): Promise<Line> {
  const server = new URL(database)
  const sockets = new Set<Socket>()
  let state: 'open' | 'refused' | 'silent' = 'open'
  let trap: { when: 'before' | 'after'; words: string; spring(): void } | undefined
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const door = createServer((near) => {
    if (state === 'refused') return near.resetAndDestroy()
    const far = connect(Number(server.port), server.hostname)
    let trapped: typeof trap
    let isMeant = false
    for (const socket of [near, far]) {
      sockets.add(socket)
      // What breaks one side breaks the other; nothing else is to be done about it.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (chunk) => {
      if (state === 'silent') return
      isMeant ||= trap !== undefined && chunk.includes(trap.words)
      if (trap && isMeant && chunk.includes(commit)) {
        trapped = trap
        trap = undefined
        if (trapped.when === 'before') return trapped.spring()
      }
      far.write(chunk)
    })
    far.on('data', (chunk) => {
      if (trapped) return trapped.spring()
      if (state !== 'silent') near.write(chunk)
    })
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  const address = door.address()
  const url = new URL(database)
  url.port = String(typeof address === 'object' ? address?.port : '')
  return {
    url: url.href,
    cut,
    become(next) {
      state = next
      if (next === 'refused') cut()
    },
    breakAtCommit: (when, then = 'open', words = '') =>
      new Promise((resolve) => {
        trap = {
          when,
          words,
          spring() {
            state = then
            cut()
            resolve()
          },
        }
      }),
    async close() {
      cut()
      door.close()
      await once(door, 'close')
    },
  }
}
