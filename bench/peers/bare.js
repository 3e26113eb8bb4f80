/**
 * The limit: what cannot be left out of a turn, on node:http and nothing else. It verifies the token as Teams asks for
 * it, parses the activity, and posts the reply over kept connections with a token of its own.
 */
import { createPublicKey, verify } from 'node:crypto'
import { Agent, createServer, request } from 'node:http'
import { request as requestOverTls } from 'node:https'

const { PORT, APP_ID, APP_SECRET, OPENID_URL, AUTHORITY } = process.env
const agent = new Agent({ keepAlive: true })

const read = (stream) =>
  new Promise((resolve, reject) => {
    const chunks = []
    stream.on('data', (chunk) => chunks.push(chunk))
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('error', reject)
  })
const overTls = (url, options = {}, body = undefined) =>
  new Promise((resolve, reject) => {
    requestOverTls(url, options, (response) =>
      read(response).then((text) => resolve(JSON.parse(text.toString())), reject),
    )
      .on('error', reject)
      .end(body)
  })

/** What is fetched once, and waited for by all. */
const once = (fetching) => {
  let flight
  return () => {
    flight ??= fetching().catch((error) => {
      flight = undefined
      throw error
    })
    return flight
  }
}
const keys = once(async () => {
  const { jwks_uri } = await overTls(OPENID_URL)
  const { keys } = await overTls(jwks_uri)
  return new Map(
    keys
      .filter(({ endorsements }) => endorsements.includes('msteams'))
      .map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: 'jwk' })]),
  )
})
const token = once(async () => {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: APP_ID,
    client_secret: APP_SECRET,
    scope: 'https://api.botframework.com/.default',
  })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { access_token } = await overTls(
    `${AUTHORITY}/oauth2/v2.0/token`,
    { method: 'POST', headers },
    String(form),
  )
  return access_token
})

const json = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())

async function claimsOf(authorization) {
  const [header, payload, signature] = authorization.slice('Bearer '.length).split('.')
  const key = (await keys()).get(json(header).kid)
  const content = Buffer.from(`${header}.${payload}`)
  if (!key || !verify('sha256', content, key, Buffer.from(signature, 'base64url'))) return undefined
  const claims = json(payload)
  const now = Date.now() / 1000
  const holds =
    claims.iss === 'https://api.botframework.com' &&
    claims.aud === APP_ID &&
    claims.exp > now &&
    claims.nbf < now
  return holds ? claims : undefined
}

async function reply(activity) {
  const { serviceUrl, conversation, id, recipient, from } = activity
  const body = JSON.stringify({
    type: 'message',
    text: `You said: ${activity.text}`,
    from: recipient,
    recipient: from,
    conversation,
    replyToId: id,
  })
  const authorization = `Bearer ${await token()}`
  const url = `${serviceUrl}v3/conversations/${encodeURIComponent(conversation.id)}/activities/${encodeURIComponent(id)}`
  return new Promise((resolve, reject) => {
    const headers = {
      authorization,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }
    request(url, { agent, method: 'POST', headers }, (response) =>
      read(response).then(() => resolve(response.statusCode), reject),
    )
      .on('error', reject)
      .end(body)
  })
}

async function answer(incoming, response) {
  const body = await read(incoming)
  const claims = await claimsOf(incoming.headers.authorization ?? '')
  const activity = JSON.parse(body.toString())
  if (claims?.serviceurl !== activity.serviceUrl) return response.writeHead(401).end()
  const status = await reply(activity)
  response.writeHead(status < 300 ? 200 : 502).end()
}

createServer((incoming, response) => {
  answer(incoming, response).catch((error) => {
    console.error(error)
    response.writeHead(500).end()
  })
}).listen(Number(PORT), '127.0.0.1')
