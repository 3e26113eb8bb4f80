import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { startAzure } from '../../sandbox/azure/server.ts'
import { call, linkPath, signalrPath, wish } from './clients.ts'

type Exchange = {
  request: { method: string; body?: Record<string, unknown> }
  response: {
    status: number
    date?: string
    dates?: string
    headers?: Record<string, string>
    body?: Record<string, unknown>
    body_summary?: string
    kv_operation_decoded?: { code: string; etag: string }
  }
}

const recordings = new URL('../../../shared/azure/recordings/', import.meta.url)
const there = existsSync(recordings)
const recorded = there ? test : test.skip
const because = there ? '' : ' [needs the recordings in ../shared/azure/recordings]'

const read = (name: string): { interactions: Exchange[] } =>
  JSON.parse(readFileSync(new URL(name, recordings), 'utf8'))

/** The keys of a body, however deep, without their values. */
function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, inner]) => [name, shape(inner)]),
  )
}

const atPath = (value: unknown, ...path: string[]): unknown =>
  path.reduce<unknown>(
    (inner, name) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, name) : undefined),
    value,
  )

recorded(
  `the recorded rejection and approval of a connection run here as they ran in Azure${because}`,
  async () => {
    const { interactions } = read('keyvault_pec_reject_then_approve.json')
    const day = 'Thu, 12 May 2022'
    const timeOf = (text: string): number => {
      const time = /\d\d:\d\d:\d\d/.exec(text)?.[0]
      return Date.parse(`${day} ${time} GMT`)
    }
    let now = timeOf('12:00:00')
    const azure = await startAzure({ clock: () => now, autoApprove: true })
    try {
      azure.portal.createLink('contoso-signalr', 'contoso-kv', 'recorded', 'please approve')
      azure.turn(0)
      now += 65_000
      const path = azure.connections('contoso-kv')[0]?.id ?? ''
      // Etags are random in both worlds: the same one there must be the same one here.
      const etags = new Map<string, string>()
      const sameEtag = (theirs: unknown, ours: unknown): void => {
        const known = typeof theirs === 'string' ? etags.get(theirs) : undefined
        if (typeof theirs !== 'string') expect(ours).toBeUndefined()
        else if (known === undefined) {
          expect([...etags.values()]).not.toContain(ours)
          etags.set(theirs, String(ours))
        } else expect(ours).toBe(known)
      }
      let last: unknown
      for (const { request, response } of interactions) {
        now = timeOf(response.date ?? response.dates ?? '')
        const times = Number(/x(\d+)/.exec(request.method)?.[1] ?? 1)
        for (let turn = 0; turn < times; turn += 1) {
          const etag = request.body?.etag
          const body = request.body && {
            ...request.body,
            ...(typeof etag === 'string' && { etag: etags.get(etag) }),
          }
          const method = request.method.slice(0, 3)
          const answer = await call(azure, method, path, { body, version: '2021-04-01-preview' })
          expect(answer.status).toBe(response.status)
          if (response.body) {
            expect(shape(answer.body)).toEqual(shape(response.body))
            for (const key of ['provisioningState', 'privateLinkServiceConnectionState'])
              expect(atPath(answer.body, 'properties', key)).toEqual(atPath(response.body, 'properties', key))
            sameEtag(response.body.etag, atPath(answer.body, 'etag'))
          } else {
            const summary = response.body_summary ?? ''
            expect(atPath(answer.body, 'properties', 'provisioningState')).toBe(
              /\b(Updating|Succeeded)\b/.exec(summary)?.[1],
            )
            if (/NEW etag/.test(summary))
              sameEtag(/NEW etag (\w+)/.exec(summary)?.[1], atPath(answer.body, 'etag'))
            else expect(atPath(answer.body, 'etag')).toBe(last)
          }
          last = atPath(answer.body, 'etag')
          if (response.kv_operation_decoded) {
            const follow = new URL(answer.headers.get('azure-asyncoperation') ?? '')
            expect(follow.pathname).toBe(path)
            const decoded: unknown = JSON.parse(
              Buffer.from(follow.searchParams.get('kv-operation') ?? '', 'base64url').toString(),
            )
            expect(decoded).toEqual({
              code: response.kv_operation_decoded.code,
              st: new Date(now).toISOString(),
              etag: last,
            })
          }
          now += times > 1 ? 1_400 : 0
        }
      }
    } finally {
      await azure.close()
    }
  },
)

recorded(`operations of the SignalR provider look as recorded${because}`, async () => {
  const [made, polled, list] = read('signalrservice_rp_lro.json').interactions
  const azure = await startAzure({ throttle: true })
  try {
    const empty = await call(azure, 'GET', `${signalrPath}/sharedPrivateLinkResources`)
    expect(empty.body).toEqual(list?.response.body)
    const put = await call(azure, 'PUT', linkPath('recorded'), { body: wish() })
    const theirs = made?.response.headers ?? {}
    for (const name of ['Azure-AsyncOperation', 'Location']) {
      const generic = (url: string): string[] =>
        new URL(url).pathname
          .replace(/.*(?=\/operation)/, '')
          .replace(/[0-9a-f-]{36}$/, 'guid')
          .split('/')
      expect(generic(put.headers.get(name) ?? '')).toEqual(generic(theirs[name] ?? ''))
    }
    for (const name of Object.keys(theirs).filter((one) =>
      /^(cache-control|date|x-ms-|content-type)/i.test(one),
    ))
      expect([name, put.headers.get(name)]).toEqual([name, expect.any(String)])
    const follow = new URL(put.headers.get('azure-asyncoperation') ?? '')
    const running = await call(azure, 'GET', follow.pathname)
    expect(running.status).toBe(polled?.response.status)
    expect(shape(running.body)).toEqual(shape(polled?.response.body))
    expect(atPath(running.body, 'status')).toBe('Running')
    expect(running.headers.get('retry-after')).toBe('1')
  } finally {
    await azure.close()
  }
})
