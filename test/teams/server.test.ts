import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { bot, tenantId } from '../../sandbox/seed.ts'
import { refused } from '../../src/teams/refusal.ts'
import { type Identity, type Stage, startStage } from './stage.ts'

let stage: Stage | undefined
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await stage?.close()
  stage = undefined
})
async function start(options: Parameters<typeof startStage>[0] = {}): Promise<Stage> {
  stage = await startStage(options)
  return stage
}

/** A raw connection: what is sent is sent as it is, and all that comes back is kept. */
async function dial(port: number) {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  let heard = ''
  let wake = (): void => undefined
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk
    wake()
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  // A reset after the answer is how a server that stops reading looks like.
  socket.on('error', () => wake())
  return {
    send: (text: string) => socket.write(text),
    leave: () => socket.destroy(),
    hears: (what: RegExp) =>
      new Promise<string>((resolve, reject) => {
        wake = () => {
          if (what.test(heard)) resolve(heard)
        }
        closed.then(() => (what.test(heard) ? resolve(heard) : reject(new Error(`Only heard: ${heard}`))))
        wake()
      }),
    closed: async () => {
      await closed
      return heard
    },
  }
}
const post = (headers: string, body = '') =>
  `POST /api/messages HTTP/1.1\r\nHost: x\r\n${headers}${headers.includes('Transfer-Encoding') ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`}\r\n${body}`
const json = 'Content-Type: application/json\r\n'
const oneMegabyte = 'x'.repeat(1_048_576)

/** With an app id the bot asks for tokens; these tests send none that would need a key. */
const withTokens = (): Identity => ({
  appId: bot.appId,
  tenantId,
  password: 'x',
  cloud: {
    openIdMetadataUrl: 'http://127.0.0.1:1/',
    issuer: 'x',
    authority: 'https://127.0.0.1:1',
    scope: 'x',
  },
})
async function answerTo(text: string, options: Parameters<typeof startStage>[0] = {}): Promise<string> {
  const { server } = stage ?? (await start(options))
  const line = await dial(server.port)
  line.send(text)
  // What is refused is hung up on.
  return line.closed()
}

describe('before a request is read', () => {
  test.each([
    ['no token', json, 401],
    ['an empty token', `${json}Authorization: Bearer \r\n`, 401],
    ['another scheme', `${json}Authorization: Basic eDp5\r\n`, 401],
  ])('%s is refused', async (_, headers, status) => {
    const heard = await answerTo(post(headers, '{}'), { identity: withTokens })
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(heard).toContain('WWW-Authenticate: Bearer')
  })

  test.each([
    ['no content type', '', 415],
    ['a form', 'Content-Type: multipart/form-data; boundary=x\r\n', 415],
    ['text', 'Content-Type: text/plain\r\n', 415],
    ['JSON in another charset', 'Content-Type: application/json; charset=utf-16\r\n', 415],
    ['a JSON patch', 'Content-Type: application/json-patch+json\r\n', 415],
    ['gzip', `${json}Content-Encoding: gzip\r\n`, 415],
    ['deflate', `${json}Content-Encoding: deflate\r\n`, 415],
  ])('%s is refused', async (_, headers, status) => {
    const heard = await answerTo(post(headers, '{}'))
    expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(heard).toContain('X-Content-Type-Options: nosniff')
    expect(stage?.log).toMatchObject([
      { event: 'request.refused', fields: { status, why: expect.any(String) } },
    ])
    expect(heard).not.toMatch(/^Server:/im)
  })

  test.each([
    ['half an object', '{"type":'],
    ['nothing', ''],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['control characters', '\u0000\u0001'],
  ])('a body of %s: 400', async (_, body) => {
    const { server } = await start()
    const line = await dial(server.port)
    line.send(post(json, body))
    // What came whole need not be hung up on.
    expect(await line.hears(/^HTTP\/1.1 400 [\s\S]*needed/)).not.toMatch(/^Connection: close/im)
    line.send(post(json, body))
    await line.hears(/400 [\s\S]*400 /)
  })

  test('256 KB fit, a byte more does not: told beforehand, or counted while it comes', async () => {
    const { server } = await start()
    const fits = JSON.stringify({ type: 'x'.repeat(262_144 - 11) })
    expect(Buffer.byteLength(fits)).toBe(262_144)
    const line = await dial(server.port)
    line.send(post(json, fits))
    // Read whole, and refused for what it says.
    await line.hears(/^HTTP\/1.1 400 [\s\S]*refused/)
    expect(await answerTo(post(json, `${fits} `))).toMatch(/^HTTP\/1.1 413 /)
    const chunked = `${json}Transfer-Encoding: chunked\r\n`
    const piece = `${(65_536).toString(16)}\r\n${'x'.repeat(65_536)}\r\n`
    // The end of it never comes, and nobody waits for it.
    expect(await answerTo(post(chunked) + piece.repeat(5))).toMatch(/^HTTP\/1.1 413 /)
    expect(await answerTo(`${post(json).replace('Content-Length: 0', 'Content-Length: 99999999')}`)).toMatch(
      /^HTTP\/1.1 413 /,
    )
  })

  test('headers that come too slowly, or are too many: hung up on', async () => {
    const { server } = await start({ server: { headersTimeoutMs: 200, requestTimeoutMs: 400 } })
    const slow = await dial(server.port)
    slow.send('POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-')
    expect(await slow.closed()).toMatch(/^HTTP\/1.1 408 /)
    const fat = await dial(server.port)
    fat.send(`POST /api/messages HTTP/1.1\r\nX: ${oneMegabyte}`)
    expect(await fat.closed()).toMatch(/^HTTP\/1.1 431 /)
  })

  test('a body that comes too slowly: hung up on', async () => {
    const { server } = await start({ server: { headersTimeoutMs: 200, requestTimeoutMs: 400 } })
    const slow = await dial(server.port)
    slow.send(`POST /api/messages HTTP/1.1\r\nHost: x\r\n${json}Content-Length: 100\r\n\r\n{`)
    await slow.closed()
    await stage?.logged('http.aborted')
  })

  test('a caller that goes away while its token is looked at is let go of', async () => {
    const looking = Promise.withResolvers<void>()
    const looked = Promise.withResolvers<{ readonly is: 'unasked' }>()
    const { server, logged } = await start({
      server: {
        guard: {
          tokens: false,
          admitCaller: () => {
            looking.resolve()
            return looked.promise
          },
          admitActivity: () => refused(403, 'no tenant'),
        },
      },
    })
    const line = await dial(server.port)
    line.send(post(`${json}Content-Length: 100\r\n`).replace('Content-Length: 0\r\n', ''))
    await looking.promise
    line.leave()
    // It closes once nobody is left, and a few turns of the loop later the request has heard of it too.
    await server.close()
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
    looked.resolve({ is: 'unasked' })
    await logged('http.aborted')
  })

  test('nobody is told to go on with a body before the door has looked', async () => {
    const asked = `${json}Expect: 100-continue\r\n`
    const refused = await answerTo(post(asked, '{}').replace(/\{\}$/, ''), { identity: withTokens })
    expect(refused).toMatch(/^HTTP\/1.1 401 /)
    await stage?.close()
    stage = undefined
    const { server } = await start()
    const line = await dial(server.port)
    line.send(post(asked, '{}').replace(/\{\}$/, ''))
    await line.hears(/^HTTP\/1.1 100 Continue/)
    line.send('{}')
    await line.hears(/HTTP\/1.1 400 [\s\S]*refused/)
  })

  test('what would be another protocol is a request like all others', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    const { server } = await start({ identity: withTokens })
    const line = await dial(server.port)
    line.send(post(`${json}${upgrade}`, '{}'))
    expect(await line.closed()).toMatch(/^HTTP\/1.1 401 /)
    const tunnel = await dial(server.port)
    tunnel.send('CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await tunnel.closed()).toBe('')
  })

  test('no spelling of the path goes round the door', async () => {
    const { server } = await start({ identity: withTokens })
    for (const path of [
      '/api/%6dessages',
      '/api/messages/',
      '/api//messages',
      '//api/messages',
      '/API/messages',
      '/api/messages;x',
      '/api/./messages',
      '/x/../api/messages',
      'http://x/api/messages',
      '/api/messages#x',
      '/api/messages%00',
      '/api/messages%',
      '*',
    ]) {
      const line = await dial(server.port)
      line.send(post(`${json}Connection: close\r\n`, '{}').replace('/api/messages', path))
      // Nowhere, or no address, or turned away like everybody.
      expect(await line.closed()).toMatch(/^HTTP\/1.1 (400|401|404) /)
    }
  })

  test('whatever answer somebody would like, it is JSON, with the same headers', async () => {
    const { server } = await start()
    for (const accept of ['text/html', 'image/png', 'application/xml;q=1', '*/*;q=0', ',', 'x'])
      for (const path of ['/', '/api/messages']) {
        const response = await fetch(server.url + path, {
          method: 'POST',
          body: '{}',
          headers: { accept, 'accept-version': '9', 'content-type': 'application/json' },
        })
        expect([400, 404]).toContain(response.status)
        expect(await response.json()).toBeDefined()
        expect(response.headers.get('strict-transport-security')).toContain('max-age')
        expect(response.headers.get('cache-control')).toBe('no-store')
      }
  })

  test('what is no HTTP, and what is nowhere', async () => {
    expect(await answerTo('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /)
    const { server } = stage ?? (await start())
    for (const [method, path, status] of [
      ['GET', '/', 404],
      ['GET', '/api/messages', 405],
      ['POST', '/api/message', 404],
      ['POST', '/api/messages/../messages2', 404],
      // It is there only for who sets it up.
      ['POST', '/api/azure-events', 404],
      ['OPTIONS', '/api/azure-events', 404],
    ] as const)
      expect((await fetch(server.url + path, { method })).status).toBe(status)
  })
})

describe('leaving', () => {
  test('a port that is taken rejects', async () => {
    const { server } = await start()
    await expect(startStage({ server: { port: server.port } })).rejects.toThrow('EADDRINUSE')
  })

  test('leaving: what is under way is answered, what comes then hears 503 and is hung up on', async () => {
    const { server, teams, answers, calls } = await start({ teams: { throttle: false } })
    await teams.install('contoso', 'owner')
    const found = Promise.withResolvers<readonly []>()
    const asked = Promise.withResolvers<void>()
    answers({
      find: () => {
        asked.resolve()
        return found.promise
      },
    })
    const turn = teams.person('requester').says('list').in('general')
    const half = await dial(server.port)
    half.send('GET / HTTP/1.1\r\n')
    await asked.promise
    const closed = server.close()
    half.send('Host: x\r\n\r\n')
    expect(await half.closed()).toMatch(/^HTTP\/1.1 503 [\s\S]*Connection: close/i)
    await expect(fetch(server.url)).rejects.toThrow()
    found.resolve([])
    expect((await turn).delivered).toBe(200)
    await closed
    expect(calls).toHaveLength(1)
  })

  test('leaving does not wait for ever: what hangs is cut', async () => {
    const { server } = await start({ server: { drainMs: 100 } })
    const half = await dial(server.port)
    half.send('GET / HTTP/1.1\r\n')
    const heard = half.closed()
    await server.close()
    await heard
  })
})
