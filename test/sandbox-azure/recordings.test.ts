import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { expect, test } from '@jest/globals'
import { parseSeed } from '../../sandbox/azure/seedFile.ts'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'

/**
 * The recorded requests, sent as they were recorded to a world seeded with the recorded ids, by a clock that stands where
 * the recording's stood; each answer must be the recorded one. What cannot be the same is compared by its form:
 * - etags, operation ids and request ids are random in both worlds: what was the same there must be the same here, and a
 *   request that repeats one of theirs repeats ours;
 * - `createdAt`, `startTime` and `st` are in Azure a little before the `Date` of the answer; here they are the clock's;
 * - how many requests the rate limit still allows, the region in the routing id, and the id of the provider's build.
 */

type Json = { readonly [name: string]: unknown }
type Exchange = {
  readonly request: {
    readonly method: string
    readonly uri?: string
    readonly query?: string
    readonly body?: Json
  }
  readonly response: {
    readonly status: number
    readonly date?: string
    readonly dates?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: Json | null
    readonly body_summary?: string
    readonly kv_operation_decoded?: Readonly<Record<'code' | 'st' | 'etag', string>>
    readonly note?: string
  }
}
type Answer = { readonly status: number; readonly headers: Readonly<Json>; readonly body: unknown }

const recordings = new URL('../../../shared/azure/recordings/', import.meta.url)
const there = existsSync(recordings)
const recorded = there ? test : test.skip
const because = there ? '' : ' [needs the recordings in ../shared/azure/recordings]'
const recording = (name: string) => JSON.parse(readFileSync(new URL(name, recordings), 'utf8'))

/** Starts a world from a seed file, by a clock that the test sets. */
async function replaying(file: unknown, replay: (azure: Azure, clock: { now: number }) => Promise<void>) {
  const clock = { now: 0 }
  const read = parseSeed(JSON.stringify(file), clock.now)
  if ('problems' in read) throw new Error(read.problems.join('\n'))
  const azure = await startAzure({ seed: read.seed, clock: () => clock.now })
  try {
    await replay(azure, clock)
  } finally {
    await azure.close()
  }
}

/** Sends to the sandbox what was meant for management.azure.com, which is what it then calls itself. */
async function send(azure: Azure, as: string, method: string, uri: string, body?: unknown): Promise<Answer> {
  const { host, pathname, search } = new URL(uri)
  const headers = {
    host,
    'x-forwarded-proto': 'https',
    authorization: `Bearer ${await azure.identity.tokenFor(as)}`,
    'content-type': 'application/json',
  }
  return new Promise((resolve, reject) => {
    const sent = request({ port: azure.port, method, path: pathname + search, headers }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      reply.on('end', () =>
        resolve({
          status: reply.statusCode ?? 0,
          headers: reply.headers,
          body: text === '' ? null : JSON.parse(text),
        }),
      )
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** The headers whose values differ, by their forms; addresses are compared by the tests themselves. */
const forms: readonly (readonly [RegExp, RegExp])[] = [
  [/^x-ms-ratelimit-remaining-/, /^\d+$/],
  [/^x-ms-(correlation-)?request-id$|^x-rp-server-mvid$/, guid],
  [/^x-ms-routing-request-id$/, /^[A-Z]+:\d{8}T\d{6}Z:[0-9a-f-]{36}$/],
]
const addresses = ['azure-asyncoperation', 'location']

/** Every recorded header is there, with the recorded value or form. */
function sameHeaders(theirs: Readonly<Record<string, string>> = {}, ours: Json): void {
  for (const [written, value] of Object.entries(theirs)) {
    const name = written.toLowerCase()
    const form = forms.find(([names]) => names.test(name))?.[1]
    if (form) {
      expect(value).toMatch(form)
      expect([name, ours[name]]).toEqual([name, expect.stringMatching(form)])
    } else if (!addresses.includes(name)) expect([name, ours[name]]).toEqual([name, value])
  }
}

recorded(`Key Vault: a connection is rejected, then approved, as it was in Azure${because}`, async () => {
  const {
    path,
    interactions,
    vault_get_privateEndpointConnections_item: embedded,
  } = recording('keyvault_pec_reject_then_approve.json') as {
    path: string
    interactions: readonly Exchange[]
    vault_get_privateEndpointConnections_item: { item: unknown }
  }
  const fresh = interactions[0]?.response.body as {
    name: string
    location: string
    properties: { privateEndpoint: { id: string }; privateLinkServiceConnectionState: { status: string } }
  }
  const vault = path.replace(/\/privateEndpointConnections\/.*/, '')
  const az = 'aaaaaaaa-2222-4333-8444-555555555555'
  const seed = {
    subscriptions: [{ id: path.split('/')[2] }],
    people: [{ name: 'az', objectId: az }],
    vaults: [
      {
        id: vault,
        location: fresh.location,
        privateEndpointConnections: [
          {
            name: fresh.name,
            status: fresh.properties.privateLinkServiceConnectionState.status,
            privateEndpoint: fresh.properties.privateEndpoint.id,
          },
        ],
      },
    ],
  }
  const dated = interactions.map(({ response }) => response.date ?? response.dates ?? '')
  const day = dated[0]?.slice(0, 'Thu, 12 May 2022'.length)
  const timeOf = (text: string): number => Date.parse(`${day} ${/\d\d:\d\d:\d\d/.exec(text)?.[0]} GMT`)
  const query = interactions[0]?.request.query

  await replaying(seed, async (azure, clock) => {
    clock.now = timeOf(dated[0] ?? '')
    const ask = (method: string, to: string, body?: unknown) =>
      send(azure, az, method, `https://management.azure.com${to}?${query}`, body)
    expect((await ask('GET', vault)).body).toMatchObject({
      properties: { privateEndpointConnections: [embedded.item] },
    })

    // Theirs by ours; and what stood in the last answer, for what a summary does not repeat.
    const etags = new Map<string, string>()
    let last: Json = {}
    for (const { request, response } of interactions) {
      clock.now = timeOf(response.date ?? response.dates ?? '')
      const times = Number(/x(\d+)/.exec(request.method)?.[1] ?? 1)
      for (let turn = 0; turn < times; turn += 1) {
        const { etag, ...rest } = request.body ?? {}
        const body = typeof etag === 'string' ? { ...rest, etag: etags.get(etag) } : request.body
        const answer = await ask(request.method.slice(0, 3).trim(), path, body)
        const ours = answer.body as Json
        expect(answer.status).toBe(response.status)
        sameHeaders(response.headers, answer.headers)
        expect(answer.headers.date).toBe(new Date(clock.now).toUTCString())
        if (response.body) expect(ours).toEqual(expectedBody(response.body, ours.etag))
        else expect(ours).toEqual(summarised(response.body_summary ?? '', ours.etag))
        if (response.kv_operation_decoded) sameOperation(response, answer.headers, ours.etag)
        last = ours
        // "about 1.4 s apart"
        clock.now += times > 1 ? 1_400 : 0
      }
    }
    expect(etags.size).toBe(3)

    /** The etag here of theirs; one that they show for the first time is one that was never seen here. */
    function ourEtag(theirs: string, ours: unknown): unknown {
      const known = etags.get(theirs)
      if (known !== undefined) return known
      expect(ours).toMatch(/^[0-9a-f]{32}$/)
      expect([...etags.values()]).not.toContain(ours)
      etags.set(theirs, String(ours))
      return ours
    }

    function expectedBody(theirs: Json, ours: unknown): Json {
      const id = String(theirs.id).replace(/^\.\.\./, vault)
      return { ...theirs, id, ...(typeof theirs.etag === 'string' && { etag: ourEtag(theirs.etag, ours) }) }
    }

    /** `provisioningState Updating, status Rejected, etag 6d6ee60d...`: all else is as it was. */
    function summarised(summary: string, ours: unknown): Json {
      const state = /\b(Updating|Succeeded)\b/.exec(summary)?.[1]
      const renewed = /NEW etag (\w+)/.exec(summary)?.[1]
      const begins = /(?<!NEW )etag ([0-9a-f]+)\.\.\./.exec(summary)?.[1]
      const shown = [...etags].find(([theirs]) => begins !== undefined && theirs.startsWith(begins))?.[1]
      const properties = last.properties as Json
      const status = /status (\w+)/.exec(summary)?.[1]
      const connection = properties.privateLinkServiceConnectionState as Json
      expect(state).toBeDefined()
      if (status !== undefined) expect(connection.status).toBe(status)
      if (begins !== undefined) expect(last.etag).toBe(shown)
      return {
        ...last,
        etag: renewed === undefined ? last.etag : ourEtag(renewed, ours),
        properties: { ...properties, provisioningState: state },
      }
    }

    /** The address to follow is the recorded one but for what the operation in it says. */
    function sameOperation(theirs: Exchange['response'], headers: Json, etag: unknown): void {
      const recordedAddress = new URL(theirs.headers?.['azure-asyncoperation'] ?? '')
      const address = new URL(String(headers['azure-asyncoperation']))
      const decoded = JSON.parse(
        Buffer.from(address.searchParams.get('kv-operation') ?? '', 'base64url').toString('utf8'),
      )
      const { code, st } = theirs.kv_operation_decoded ?? {}
      const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/
      expect(st).toMatch(isoTime)
      expect(decoded).toEqual({ code, st: new Date(clock.now).toISOString(), etag })
      for (const one of [recordedAddress, address]) one.searchParams.set('kv-operation', '')
      expect(address.href).toBe(recordedAddress.href)
    }
  })
})

recorded(
  `Microsoft.SignalRService: a Web PubSub is made, asked for its links and deleted, as it was in Azure${because}`,
  async () => {
    const { interactions } = recording('signalrservice_rp_lro.json') as {
      interactions: readonly [Exchange, Exchange, ...Exchange[]]
    }
    const [made, polled] = interactions
    const { systemData, location, tags, sku } = made.response.body as {
      systemData: Json & { createdBy: string }
      location: string
      tags: unknown
      sku: { name: string }
    }
    const uri = made.request.uri ?? ''
    const [, group = ''] = /^https:\/\/[^/]+(.*?)\/providers\//.exec(uri) ?? []
    const seed = {
      subscriptions: [{ id: group.split('/')[2] }],
      applications: [{ name: 'recorder', objectId: systemData.createdBy }],
      resourceGroups: [{ id: group, location }],
      settings: { retryAfterOnPolls: false },
    }
    const [, recordedOperation = ''] = /operationStatuses\/([^?]+)/.exec(polled.request.uri ?? '') ?? []
    /** `.../a/b` is the address of the PUT up to `/a`, and then so on. */
    const whole = (short: string): string => {
      const [, first = ''] = /^\.\.\.\/([^/?]+)/.exec(short) ?? []
      const before = new RegExp(`^.*?(?=/${first}[/?])`, 'i').exec(uri)?.[0] ?? ''
      return short.replace(/^\.\.\./, before)
    }

    await replaying(seed, async (azure, clock) => {
      const started = Date.parse(made.response.headers?.Date ?? '')
      const day = (made.response.headers?.Date ?? '').slice(0, 'Tue, 12 Jul 2022'.length)
      clock.now = started
      let operation = ''
      let build: unknown
      for (const { request, response } of interactions) {
        // The PUT is recorded without its body: what its answer repeats of one.
        const body = request.method === 'PUT' ? { location, tags, sku: { name: sku.name } } : undefined
        // "polled many times 07:54:18 .. about 07:55:28"
        const [first, end] = (response.note?.match(/\d\d:\d\d:\d\d/g) ?? []).map((time) =>
          Date.parse(`${day} ${time} GMT`),
        )
        clock.now = first ?? clock.now
        const address = whole(request.uri ?? '').replace(recordedOperation, operation)
        const ask = () => send(azure, systemData.createdBy, request.method, address, body)
        const answer = await ask()
        expect(answer.status).toBe(response.status)
        sameHeaders(response.headers, answer.headers)
        expect(answer.headers.date).toBe(new Date(clock.now).toUTCString())
        build ??= answer.headers['x-rp-server-mvid']
        expect(answer.headers['x-rp-server-mvid']).toBe(build)
        if (/no Retry-After/.test(response.note ?? ''))
          expect(answer.headers).not.toHaveProperty('retry-after')
        if (/no LRO headers/.test(response.note ?? ''))
          for (const name of addresses) expect(answer.headers).not.toHaveProperty(name)
        for (const name of addresses) {
          const [, theirs] =
            Object.entries(response.headers ?? {}).find(([one]) => one.toLowerCase() === name) ?? []
          if (theirs === undefined) continue
          operation ||= /operationStatuses\/([^?]+)/.exec(String(answer.headers[name]))?.[1] ?? ''
          expect(operation).toMatch(guid)
          expect(answer.headers[name]).toBe(theirs.replace(recordedOperation, operation))
        }
        expect(answer.body).toEqual(expectedBody(response.body ?? null))
        if (first === undefined || end === undefined) continue
        // Whoever recorded polled to the end: Running, and nothing but Running, before it is Succeeded.
        const seen: unknown[] = []
        for (; clock.now <= end; clock.now += 2_000) seen.push(((await ask()).body as Json).status)
        clock.now = end
        seen.push(((await ask()).body as Json).status)
        expect(seen.join(' ')).toMatch(/^(Running )+(Succeeded ?)+$/)
      }

      function expectedBody(theirs: Json | null): unknown {
        if (theirs === null) return null
        const at = new Date(started).toISOString()
        const text = JSON.stringify(theirs).replaceAll(recordedOperation, operation)
        return {
          ...JSON.parse(text),
          ...('systemData' in theirs && {
            systemData: { ...systemData, createdAt: at, lastModifiedAt: at },
          }),
          ...('startTime' in theirs && { startTime: at }),
        }
      }
    })
  },
)
