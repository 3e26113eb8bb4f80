/** One call over kept connections: what of it is sent, and what is heard of it, when nobody waits for it any more. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { ask } from '../../src/teams/ask.ts'

let origin: string
let came: string[]
let answers: ((response: ServerResponse) => void) | undefined
let held: ServerResponse[]
const server = createServer((request, response) => {
  came.push(request.url ?? '')
  if (answers) answers(response)
  else held.push(response)
})
beforeEach(async () => {
  came = []
  held = []
  answers = undefined
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

const post = (path: string, { signal } = new AbortController()) =>
  ask({ method: 'POST', origin, path, headers: {}, body: '{}', signal })
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(setImmediate)
}

test('a call that is given up while it waits for a connection is never sent', async () => {
  const connections = Array.from({ length: 64 }, (_, n) => post(`/${n}`))
  await until(() => came.length === 64)
  const impatient = new AbortController()
  const waiting = post('/late', impatient)
  impatient.abort(new Error('too late'))
  await expect(waiting).rejects.toThrow('too late')
  answers = (response) => response.end('{}')
  for (const response of held) response.end('{}')
  await Promise.all(connections)
  // All who wait are served by now.
  await post('/last')
  expect(came).not.toContain('/late')
})

test('a call that is given up on its way is cut off', async () => {
  const impatient = new AbortController()
  const asked = post('/', impatient)
  await until(() => held.length === 1)
  const cut = once(held[0] ?? server, 'close')
  impatient.abort(new Error('too late'))
  await expect(asked).rejects.toThrow('too late')
  await cut
})

test('an answer in pieces is read whole, though a letter is torn apart', async () => {
  const text = Buffer.from('{"said":"Zoë"}')
  const torn = text.indexOf('ë') + 1
  answers = (response) => {
    response.write(text.subarray(0, torn))
    setImmediate(() => response.end(text.subarray(torn)))
  }
  expect((await post('/')).text).toBe('{"said":"Zoë"}')
})

test('half an answer is none', async () => {
  answers = (response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{}', () => response.destroy())
  }
  await expect(post('/')).rejects.toThrow()
})
