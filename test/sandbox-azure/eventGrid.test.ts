/** The local Event Grid: it asks before it delivers, brings its token, and delivers at least once. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { eventGrid, events, tenantId } from '../../sandbox/seed.ts'

type Heard = { readonly method: string; readonly headers: IncomingMessage['headers']; readonly body: unknown }
let azure: Azure
let server: Server
let heard: Heard[]
let answer: (heard: Heard, response: ServerResponse) => void
beforeEach(async () => {
  azure = await startAzure()
  heard = []
  answer = willing
  server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const text = Buffer.concat(pieces).toString()
      const { method = '', headers } = request
      const one: Heard = { method, headers, body: text === '' ? undefined : JSON.parse(text) }
      heard.push(one)
      answer(one, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  await azure.close()
  server.closeAllConnections()
  server.close()
})

/** A web hook that wants whatever comes. */
function willing({ method, headers, body }: Heard, response: ServerResponse): void {
  if (method === 'OPTIONS')
    response.setHeader('webhook-allowed-origin', headers['webhook-request-origin'] ?? '')
  const code = Array.isArray(body) ? body[0]?.data?.validationCode : undefined
  response.end(code === undefined ? '' : JSON.stringify({ validationResponse: code }))
}
const url = (): string => {
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/hook`
}
const subscribe = (more: Partial<Parameters<Azure['subscribe']>[0]> = {}) =>
  azure.subscribe({ url: url(), application: events.uri, ...more })
const claimsOf = (one: Heard | undefined): unknown =>
  JSON.parse(Buffer.from(one?.headers.authorization?.split('.')[1] ?? '', 'base64url').toString())
const makes = (name: string): void => azure.portal.createLink('contoso-signalr', 'contoso-kv', name, 'please')

describe('before it delivers', () => {
  test.each(['eventGrid', 'cloudEvents'] as const)('it asks, by the schema of %s', async (schema) => {
    await subscribe({ schema })
    expect(heard).toMatchObject(
      schema === 'eventGrid'
        ? [
            {
              method: 'POST',
              headers: { 'aeg-event-type': 'SubscriptionValidation' },
              body: [{ eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent' }],
            },
          ]
        : [{ method: 'OPTIONS', headers: { 'webhook-request-origin': 'eventgrid.azure.net' } }],
    )
    answer = (_heard, response) => void response.end('{}')
    await expect(subscribe({ schema })).rejects.toThrow('wants no events')
  })

  test('and an application that nobody knows is no audience', async () => {
    await expect(subscribe({ application: 'api://nobody' })).rejects.toThrow('api://nobody')
  })
})

describe('a delivery', () => {
  test('says what was written, and brings a token with the role', async () => {
    const { settled } = await subscribe()
    makes('ours')
    await settled()
    expect(heard[1]?.body).toMatchObject([
      {
        eventType: 'Microsoft.Resources.ResourceWriteSuccess',
        subject: expect.stringMatching(/\/contoso-signalr\/sharedPrivateLinkResources\/ours$/),
        data: { status: 'Succeeded', tenantId },
      },
    ])
    expect(claimsOf(heard[1])).toMatchObject({
      aud: events.uri,
      tid: tenantId,
      appid: eventGrid.appId,
      roles: [eventGrid.role],
    })
  })

  test('is made again until it is taken', async () => {
    const { settled, deliveries } = await subscribe({ schema: 'cloudEvents' })
    let refusals = 2
    answer = (_heard, response) => {
      response.statusCode = refusals-- > 0 ? 503 : 202
      response.end()
    }
    makes('ours')
    await settled()
    expect(deliveries.map(({ status }) => status)).toEqual([503, 503, 202])
    expect(heard.at(-1)).toMatchObject({
      headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      body: { specversion: '1.0', type: 'Microsoft.Resources.ResourceWriteSuccess' },
    })
  })

  test('comes twice and in the other order where that is wanted, and no more once it is over', async () => {
    const { settled, deliveries, end } = await subscribe({ copies: 2, reversed: true })
    makes('one')
    azure.portal.createLink('labs-signalr', 'labs-kv', 'two', 'please')
    await settled()
    const batch = [expect.stringMatching(/two$/), expect.stringMatching(/one$/)]
    expect(deliveries.map(({ subjects }) => subjects)).toEqual([batch, batch])
    end()
    azure.turn(5 * 60_000)
    makes('three')
    await settled()
    expect(deliveries).toHaveLength(2)
  })

  test('is none of what providers do among themselves', async () => {
    const { settled, deliveries } = await subscribe()
    makes('ours')
    azure.turn(10 * 60_000)
    await settled()
    expect(azure.connections('contoso-kv')).toHaveLength(1)
    expect(deliveries).toHaveLength(1)
    azure.portal.deleteLink('contoso-signalr', 'ours')
    azure.turn(10 * 60_000)
    await settled()
    // Its connection went with it.
    expect(azure.connections('contoso-kv')).toEqual([])
    expect(deliveries.slice(1)).toMatchObject([{ subjects: [expect.stringMatching(/\/ours$/)] }])
  })
})

test('another process subscribes by a route', async () => {
  const route = (body: unknown) =>
    fetch(`${azure.url}/_sandbox/eventSubscriptions`, { method: 'POST', body: JSON.stringify(body) })
  expect((await route({ url: url(), application: events.uri, schema: 'cloudEvents' })).status).toBe(200)
  expect(heard).toHaveLength(1)
  expect((await route({ url: url() })).status).toBe(400)
  expect((await route({ url: url(), application: events.uri, schema: 'other' })).status).toBe(400)
})
