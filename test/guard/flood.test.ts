/** Floods: of refused tokens, and of bodies that are too large, compressed or in parts. Nothing grows, and no file is written. */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { bot as identity } from '../../sandbox/seed.ts'
import type { Activity } from '../../sandbox/teams/face.ts'
import {
  figure,
  large,
  type Memory,
  memoryOf,
  type Production,
  processorMsOf,
  startProduction,
} from './production.ts'
import { atOnce, post } from './requests.ts'

let world: Production
let body: string
beforeAll(async () => {
  world = await startProduction()
  await world.teams.install('contoso', 'owner')
  const [said] = await world.overhears(() => world.teams.person('requester').says('list').in('general'))
  body = JSON.stringify(said satisfies Activity | undefined)
})
afterAll(() => world.close())

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

describe('bodies that nobody should read', () => {
  const megabyte = 1_048_576
  const plain = Buffer.alloc(megabyte, ' ')
  const zeros = Buffer.alloc(64 * megabyte)
  type Pour = {
    readonly headers: readonly string[]
    readonly first?: string | Buffer
    readonly megabytes?: number
  }
  const json = 'Content-Type: application/json'
  const packed = (encoding: string, bomb: Buffer): Pour => ({
    headers: [json, `Content-Encoding: ${encoding}`, `Content-Length: ${bomb.length}`],
    first: bomb,
  })
  const pours: Readonly<Record<string, () => Pour>> = {
    '50 MB of JSON, its length told': () => ({
      headers: [json, `Content-Length: ${50 * megabyte}`],
      megabytes: 50,
    }),
    '50 MB of JSON, in chunks': () => ({ headers: [json, 'Transfer-Encoding: chunked'], megabytes: 50 }),
    'a length told too short': () => ({ headers: [json, 'Content-Length: 10'], megabytes: 50 }),
    'a gzip of 64 MB': () => packed('gzip', gzipSync(zeros)),
    'a gzip of a gzip': () => packed('gzip, gzip', gzipSync(gzipSync(zeros))),
    'a deflate of 64 MB': () => packed('deflate', deflateSync(zeros)),
    'a brotli of 64 MB': () => packed('br', brotliCompressSync(zeros)),
    'a form in parts with a file of 50 MB': () => ({
      headers: ['Content-Type: multipart/form-data; boundary=x', `Content-Length: ${50 * megabyte}`],
      first: '--x\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n',
      megabytes: 50,
    }),
    'other parts': () => ({
      headers: ['Content-Type: multipart/mixed; boundary=x', 'Transfer-Encoding: chunked'],
      megabytes: 50,
    }),
    'a form': () => ({
      headers: ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${50 * megabyte}`],
      megabytes: 50,
    }),
    'JSON and a form at once': () => ({
      headers: [json, 'Content-Type: multipart/form-data; boundary=x', `Content-Length: ${50 * megabyte}`],
      megabytes: 50,
    }),
  }

  /** Sends until all is sent or nobody listens; what was answered first. */
  async function pour(
    { headers, first = '', megabytes = 0 }: Pour,
    token: string | undefined,
  ): Promise<number> {
    const url = new URL(world.bot().url)
    const socket = connect(Number(url.port), url.hostname)
    let heard = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk
    })
    // Whoever hangs up on a sender resets the connection.
    socket.on('error', () => socket.destroy())
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await once(socket, 'connect')
    const authorization = token === undefined ? [] : [`Authorization: Bearer ${token}`]
    const head = ['POST /api/messages HTTP/1.1', 'Host: x', 'Connection: close', ...authorization, ...headers]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    if (first !== '') socket.write(first)
    const chunked = headers.includes('Transfer-Encoding: chunked')
    for (let sent = 0; sent < megabytes && socket.writable; sent++) {
      if (chunked) socket.write(`${megabyte.toString(16)}\r\n`)
      const more = socket.write(plain)
      if (chunked) socket.write('\r\n')
      if (!more) await Promise.race([once(socket, 'drain').catch(() => undefined), closed])
    }
    await closed
    return Number(heard.split(' ')[1])
  }

  test('are refused, the bot holds no more than before, and writes no file', async () => {
    const bot = world.bot()
    // Told to forget the most that it ever held (proc(5)): what follows counts alone.
    await writeFile(`/proc/${bot.pid}/clear_refs`, '5').catch(() => undefined)
    const [before, files] = [await memoryOf(bot.pid), await world.files()]
    const token = await world.teams.token()
    const all = Object.entries(pours).flatMap(([name, make]) => [
      { name, pouring: make(), token, who: 'Teams' },
      { name, pouring: make(), token: undefined, who: 'nobody' },
    ])
    const answers = await atOnce(4, all, async ({ name, who, pouring, token }) => ({
      name,
      who,
      status: await pour(pouring, token),
    }))
    const answered = answers.filter(({ status }) => [400, 401, 413, 415].includes(status))
    // Who goes on sending when it is hung up on may lose the answer: no answer is a refusal too.
    const hungUp = answers.filter(({ status }) => Number.isNaN(status))
    expect(answers.filter((one) => !answered.includes(one) && !hungUp.includes(one))).toEqual([])
    // What fits into one packet hears it.
    expect(hungUp.filter(({ name }) => / of (64 MB|a gzip)$/.test(name))).toEqual([])
    expect(await world.files()).toEqual(files)
    const after = await memoryOf(bot.pid)
    if (before && after) expect(after.most - before.now).toBeLessThan(50)
    figure(
      `${answers.length} bodies of up to 64 MB, compressed or in parts: ${answered.length} refused by a 4xx, ${hungUp.length} hung up on while they were sent; memory ${before?.now.toFixed(0)} MB before, ${after?.most.toFixed(0)} MB at the most; no file`,
    )
    expect((await post(bot.url, { headers: { authorization: `Bearer ${token}` }, body })).status).toBe(200)
  })
})

test(`${large ? '100,000' : '3,000'} refused tokens, no two alike: memory stays, and so does the time of each`, async () => {
  const { teams } = world
  const bot = world.bot()
  const [header, payload, signature] = (await teams.token()).split('.')
  const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
  /** What costs nothing to make up, in the ways that made the SDK remember something or look something up. */
  const makeUp: readonly (() => string)[] = [
    () => `${header}.${base64({ ...claims, jti: randomUUID() })}.${signature}`,
    () => `${header}.${payload}.${randomBytes(256).toString('base64url')}`,
    () => `${base64({ alg: 'RS256', kid: randomUUID() })}.${payload}.${signature}`,
    () =>
      `${header}.${base64({ iss: `https://sts.windows.net/${randomUUID()}/`, tid: randomUUID(), appid: identity.appId, ver: '1.0' })}.${signature}`,
    () => `${base64({ alg: 'none' })}.${base64({ ...claims, jti: randomUUID() })}.`,
    () => randomBytes(200).toString('base64url'),
  ]
  const rounds = 20
  const each = large ? 5_000 : 150
  const calls = Array.from({ length: each }, (_, nth) => nth)
  const asked = teams.keys.asked()
  const began = performance.now()
  /** For each round: how long a call took, and how much of a processor the bot spent on it. */
  const took: number[] = []
  const spent: number[] = []
  let halfway: Memory | undefined
  let refused = 0
  for (let round = 0; round < rounds; round++) {
    const before = await processorMsOf(bot.pid)
    const answers = await atOnce(16, calls, (nth) =>
      post(bot.url, { headers: { authorization: `Bearer ${makeUp[nth % makeUp.length]?.()}` }, body }),
    )
    refused += answers.filter(({ status }) => status === 401).length
    took.push(median(answers.map(({ ms }) => ms)))
    spent.push(((await processorMsOf(bot.pid)) - before) / each)
    // By then the runtime has taken the room that it works in.
    if (round === rounds / 2 - 1) halfway = await memoryOf(bot.pid)
  }
  const after = await memoryOf(bot.pid)
  const first = (values: readonly number[]): number => mean(values.slice(0, rounds / 4))
  const last = (values: readonly number[]): number => mean(values.slice(-rounds / 4))
  figure(
    `${refused} refused tokens: of a processor ${first(spent).toFixed(2)} ms a call in the first quarter, ${last(spent).toFixed(2)} ms in the last; 16 at once took ${first(took).toFixed(1)} ms each, then ${last(took).toFixed(1)} ms; memory ${halfway?.now.toFixed(0)} MB halfway, ${after?.now.toFixed(0)} MB at the end; the keys were asked for ${teams.keys.asked() - asked} times`,
  )
  expect(refused).toBe(rounds * each)
  const looks = Math.floor((performance.now() - began) / 20_000) + 1
  expect(teams.keys.asked() - asked).toBeLessThanOrEqual(2 * looks)
  // The kernel counts in hundredths of a second: a few calls are too few to compare.
  if (large && spent.every((ms) => !Number.isNaN(ms))) expect(last(spent) / first(spent)).toBeLessThan(1.5)
  if (halfway && after) expect(after.now - halfway.now).toBeLessThan(30)
})
