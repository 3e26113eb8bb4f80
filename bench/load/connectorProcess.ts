/**
 * A process of its own: the identity server over TLS, where Teams' keys are published and bots get their token, and the
 * connector, which takes replies at once and counts them. Only a bot with a token of this identity server is heard.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { makeServerCertificate } from '../../sandbox/entra/certificates.ts'
import { connectorAudience } from '../../sandbox/entra/directory.ts'
import { createEntra } from '../../sandbox/entra/entra.ts'
import { bot, directory, tenantId } from '../../sandbox/seed.ts'
import { createTokens } from '../../sandbox/teams/tokens.ts'
import { loadPeople, owners } from './activities.ts'
import { answerQuestions } from './asking.ts'

export type Ground = {
  readonly serviceUrl: string
  readonly host: string
  readonly identityPort: number
  /** What a client has to trust. */
  readonly ca: string
}
export type Counts = {
  /** Activities that were replied to, each counted once. */
  readonly replies: number
  readonly posts: number
  /** Replies in words alone, without a card, and the last of them. */
  readonly texts: number
  readonly lastText: string
  readonly refused: number
  readonly fetched: { readonly openId: number; readonly keys: number; readonly token: number }
}
/** An approval card that was posted: what its button carries. */
export type Card = { readonly activity: string; readonly conversation: string; readonly link: string }

function none() {
  return { posts: 0, refused: 0, openId: 0, keys: 0, token: 0, texts: 0, lastText: '' }
}
const { ca, cert, key } = await makeServerCertificate()
const entra = createEntra(directory)
let replied = new Set<string>()
let cards: Card[] = []
let counts = none()
let lastId = Date.now()

const reading = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => resolve(Buffer.concat(chunks).toString()))
    request.on('error', reject)
  })
const send = (response: ServerResponse, status: number, body: unknown): void => {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const failing = (response: ServerResponse) => (error: unknown) => {
  console.error(error)
  response.destroy()
}

// ---- identity ----------------------------------------------------------------------------------------

async function identify(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const origin = `https://${request.headers.host}`
  const { pathname: path, searchParams: query } = new URL(request.url ?? '/', origin)
  if (path === '/v1/.well-known/openidconfiguration') {
    counts.openId++
    return send(response, 200, tokens.openId(origin))
  }
  if (path === '/v1/.well-known/keys') {
    counts.keys++
    return send(response, 200, await tokens.keys())
  }
  if (path.endsWith('/token')) counts.token++
  const reply = await entra.answer({
    method: request.method ?? 'GET',
    origin,
    path,
    query,
    header: (name) => [request.headers[name]].flat()[0],
    body: await reading(request),
  })
  send(response, reply?.status ?? 404, reply?.body ?? {})
}

// ---- connector ---------------------------------------------------------------------------------------

const accepted = new Map<string, boolean>()
async function accepts(authorization = ''): Promise<boolean> {
  const known = accepted.get(authorization)
  if (known !== undefined) return known
  const verdict = await entra.verify(authorization.replace('Bearer ', ''))
  const good = verdict.is === 'valid' && verdict.claims.aud === connectorAudience
  accepted.set(authorization, good)
  return good
}

const members = new Map(
  [...loadPeople, ...owners].map(({ id, objectId, name }) => [
    id,
    {
      id,
      objectId,
      name,
      aadObjectId: objectId,
      tenantId,
      userRole: 'user',
      email: `${name}@contoso.example`,
    },
  ]),
)

const approvers = owners.flatMap(({ id }) => members.get(id) ?? [])

async function connect(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, headers, url = '' } = request
  const body = await reading(request)
  const token = headers.authorization ?? ''
  if (!(accepted.get(token) ?? (await accepts(token)))) {
    counts.refused++
    return send(response, 401, {})
  }
  const [, conversation = '', what, id = ''] =
    /\/v3\/conversations\/([^/?]+)\/(\w+)(?:\/([^/?]+))?/.exec(url) ?? []
  if (method === 'GET') {
    if (what === 'pagedmembers') return send(response, 200, { members: approvers })
    const member = members.get(decodeURIComponent(id))
    return send(response, member ? 200 : 404, member ?? {})
  }
  counts.posts++
  const activity = String(++lastId)
  if (method !== 'POST') return send(response, 200, { id: activity })
  const link = /"verb":"approve","data":\{"link":"([^"]+)"/.exec(body)?.[1]
  if (conversation === '') {
    // A thread of its own in a channel, as approval cards have it.
    const channel = /"channel":\{"id":"([^"]+)"/.exec(body)?.[1] ?? ''
    const thread = `${channel};messageid=${activity}`
    if (link !== undefined) cards.push({ activity, conversation: thread, link })
    return send(response, 201, { id: thread, activityId: activity, serviceUrl })
  }
  // Each SDK says in its own way which message it answers; the thread is that of the message for all.
  const repliedTo = decodeURIComponent(conversation).split(';messageid=')[1]
  if (repliedTo !== undefined) replied.add(repliedTo)
  // News of links that work by now comes without a question.
  if (!body.includes('"attachments"') && body.includes('"replyToId"')) {
    counts.texts++
    counts.lastText = body
  }
  send(response, 201, { id: activity })
}

const identity = createTlsServer({ cert, key }, (request, response) => {
  identify(request, response).catch(failing(response))
})
const connector = createServer((request, response) => {
  connect(request, response).catch(failing(response))
})
// Longer than any bot keeps a connection that it does not use.
connector.keepAliveTimeout = 120_000
const identityPort = await listening(identity)
const port = await listening(connector)
const serviceUrl = `http://127.0.0.1:${port}/teams/`
const tokens = createTokens({ audience: bot.appId, serviceUrl: () => serviceUrl, now: Date.now })

answerQuestions({
  ground: (): Ground => ({ serviceUrl, host: `127.0.0.1:${port}`, identityPort, ca }),
  tokens: (count) =>
    Promise.all(Array.from({ length: Number(count) }, (_, jti) => tokens.token({ jti: String(jti) }))),
  counts: (): Counts => ({
    replies: replied.size,
    posts: counts.posts,
    refused: counts.refused,
    texts: counts.texts,
    lastText: counts.lastText,
    fetched: { openId: counts.openId, keys: counts.keys, token: counts.token },
  }),
  forget: () => {
    replied = new Set()
    cards = []
    counts = none()
  },
  cards: () => cards,
})
