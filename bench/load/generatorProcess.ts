/** A process of its own: so many connections, each of which sends its next turn when its last was answered. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { activity, type Told } from './activities.ts'
import { answerQuestions } from './asking.ts'

export type Load = {
  readonly port: number
  /** The bot whose processor time is read. */
  readonly pid: number
  readonly serviceUrl: string
  readonly tokens: readonly string[]
  /** A name for the run: it begins the ids of all its activities. */
  readonly run: string
  readonly connections: number
  /** What is said: one after the other, from this one on, and from the beginning again when `again`. */
  readonly said: readonly Told[]
  readonly from: number
  readonly again: boolean
  /** What each answer has to hold. */
  readonly holds: string
  /** How long before what counts, and how long that is. Over sooner when nothing is left to say. */
  readonly warmMs: number
  readonly runMs: number
  readonly mostTurns?: number
}
export type Outcome = {
  /** Of what counts: turns answered with 2xx and what they have to hold; and the others, from first to last. */
  readonly turns: number
  readonly failed: number
  /** The first odd answer. */
  readonly oddly?: string
  /** Turns answered with 2xx from first to last, warming up included: as many replies have to have come. */
  readonly answered: number
  /** The first that was not said. */
  readonly next: number
  readonly ms: number
  readonly cpuMs: number
  readonly ownCpuMs: number
  readonly rssMb: number
  readonly timesMs: readonly number[]
}

/** proc(5): fields 14 and 15, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}
const rssMbOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const longestAnswerMs = 20_000

type Reply = { readonly status: number; readonly text: string }

/** One request after the other over one socket, by as much of HTTP as a server's answer to a POST needs. */
function createClient(socket: Socket): (head: string, body: string) => Promise<Reply> {
  let waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined
  let held = ''
  socket.setNoDelay(true)
  socket.setEncoding('latin1')
  socket.setTimeout(longestAnswerMs, () => socket.destroy(new Error('No answer came')))
  socket.on('data', (chunk: string) => {
    held += chunk
    const end = held.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = held.slice(0, end).toLowerCase()
    const body = held.slice(end + 4)
    const status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
    const isWhole =
      status === 204 ||
      (length === undefined ? /(^|\r\n)0\r\n\r\n$/.test(body) : body.length >= Number(length))
    if (!isWhole) return
    held = ''
    waiting?.resolve({ status, text: body })
    waiting = undefined
  })
  const gone = (error?: Error): void => {
    waiting?.reject(error ?? new Error('The bot closed the connection'))
    waiting = undefined
  }
  socket.on('error', gone)
  socket.on('close', () => gone())
  return (head, body) =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject }
      socket.write(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`)
    })
}

const opened = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
    socket.once('error', reject)
  })

const headOf = (port: number, token: string): string =>
  `POST /api/messages HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json; charset=utf-8\r\nauthorization: Bearer ${token}\r\ncontent-length: `

async function load(given: Load): Promise<Outcome> {
  const { port, pid, serviceUrl, tokens, run, connections, said, again, holds, warmMs, runMs } = given
  const most = Math.min(
    given.from + (given.mostTurns ?? Number.POSITIVE_INFINITY),
    again ? Number.POSITIVE_INFINITY : said.length,
  )
  const heads = tokens.map((token) => headOf(port, token))
  const sockets = await Promise.all(Array.from({ length: connections }, () => opened(port)))
  const times: number[] = []
  let [next, turns, failed, answered] = [given.from, 0, 0, 0]
  let oddly: string | undefined
  let counting = false
  const start = performance.now()
  let begin = { at: start, cpuMs: 0, own: process.cpuUsage() }
  let end: { at: number; cpuMs: number; own: NodeJS.CpuUsage; rssMb: number } | undefined
  const beginCounting = (): void => {
    counting = true
    begin = { at: performance.now(), cpuMs: cpuMsOf(pid), own: process.cpuUsage() }
  }
  const endCounting = (): void => {
    if (end) return
    counting = false
    end = {
      at: performance.now(),
      cpuMs: cpuMsOf(pid) - begin.cpuMs,
      own: process.cpuUsage(begin.own),
      rssMb: rssMbOf(pid),
    }
  }
  const one = async (socket: Socket): Promise<void> => {
    const post = createClient(socket)
    while (!end && next < most) {
      const n = next++
      const told = said[n % said.length]
      if (!told) return
      const head = heads[n % heads.length] ?? ''
      const { body } = activity(serviceUrl, run, n, told)
      const began = performance.now()
      const { status, text } = await post(head, body)
      const now = performance.now()
      const isGood = status >= 200 && status < 300 && text.includes(holds)
      if (isGood) answered++
      else {
        failed++
        oddly ??= `${status} ${text.slice(0, 300)}`
      }
      if (counting) {
        times.push(now - began)
        if (isGood) turns++
      }
      if (!counting && !end && now - start >= warmMs) beginCounting()
      else if (counting && now - begin.at >= runMs) endCounting()
    }
  }
  if (warmMs === 0) beginCounting()
  try {
    await Promise.all(sockets.map(one))
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  endCounting()
  if (!end) throw new Error('Nothing was measured')
  return {
    turns,
    failed,
    ...(oddly !== undefined && { oddly }),
    answered,
    next,
    ms: end.at - begin.at,
    cpuMs: end.cpuMs,
    ownCpuMs: (end.own.user + end.own.system) / 1000,
    rssMb: end.rssMb,
    timesMs: times,
  }
}

/** Tries until the bot listens. */
async function listening(port: number): Promise<Socket> {
  const until = performance.now() + longestAnswerMs
  for (;;) {
    try {
      return await opened(port)
    } catch (error) {
      const { code } = error as { code?: unknown }
      if (code !== 'ECONNREFUSED' || performance.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

/** Says one thing as soon as the bot listens, and resolves when it was answered. */
async function first(given: Pick<Load, 'port' | 'serviceUrl' | 'tokens' | 'run' | 'said'>): Promise<Reply> {
  const [told] = given.said
  if (!told) throw new Error('There is nothing to say')
  const { body } = activity(given.serviceUrl, given.run, 0, told)
  const socket = await listening(given.port)
  const reply = await createClient(socket)(headOf(given.port, given.tokens[0] ?? ''), body)
  socket.destroy()
  return reply
}

answerQuestions({
  load: (given) => load(given as Load),
  first: (given) => first(given as Load),
  listening: async (port) => {
    ;(await listening(Number(port))).destroy()
  },
})
