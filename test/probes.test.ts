/** The probes and metrics of the real bot, on a port of their own. */
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { World } from '../sandbox/world.ts'
import { startProbes } from '../src/probes.ts'
import { createCounter, expose } from '../src/prometheus.ts'
import { sentence, startStage, within } from './story/stage.ts'

describe('of the bot', () => {
  let world: World
  beforeAll(async () => {
    world = await startStage()
  })
  afterAll(() => world.close())

  const ask = (path: string, method = 'GET'): Promise<Response> =>
    fetch(`${world.bot().probes}${path}`, { method })
  /** A sample's value, by its name and labels as they are written. */
  const measured = async (sample: string): Promise<number> => {
    const text = await (await ask('/metrics')).text()
    const line = text.split('\n').find((one) => one.startsWith(`${sample} `))
    return Number(line?.split(' ').at(-1) ?? Number.NaN)
  }

  test('it is alive, and ready, and says so elsewhere than where Teams speaks to it', async () => {
    expect((await ask('/healthz')).status).toBe(200)
    expect(await (await ask('/readyz')).json()).toEqual({ status: 'ready' })
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await fetch(`${world.bot().url}${path}`)).status).toBe(404)
    expect((await ask('/api/messages', 'POST')).status).toBe(405)
    expect((await ask('/other')).status).toBe(404)
  })

  test('this machine alone is answered', async () => {
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((one) => one && !one.internal && one.family === 'IPv4')
    const elsewhere = world.bot().probes.replace('127.0.0.1', outside?.address ?? '127.0.0.2')
    await expect(fetch(`${elsewhere}/healthz`)).rejects.toThrow()
  })

  test('every line of the metrics is one that Prometheus reads', async () => {
    const response = await ask('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    for (const line of (await response.text()).trimEnd().split('\n'))
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_]+ \S.*|[a-z_]+(\{[a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*\})? [-+.\de]+)$/,
      )
  })

  test('what is turned away is counted by its reason, what is answered too, and links by their status', async () => {
    const answered = await measured('vaultlink_requests_total{outcome="answered"}')
    await world.teams.person('requester').says(sentence).in('general')
    await world.teams.channel('vault-owners').shows('Approve a private connection', { within })
    expect(await measured('vaultlink_requests_total{outcome="answered"}')).toBe(answered + 1)
    expect(await measured('vaultlink_open_links{status="Pending"}')).toBe(1)
    const owner = world.teams.person('owner')
    await owner.sendsInvoke({}, { channelId: 'webchat' })
    await owner.sendsInvoke({}, { serviceUrl: 'https://elsewhere.example/' })
    expect(await measured('vaultlink_requests_total{outcome="refused"}')).toBe(2)
    expect(await measured('vaultlink_refusals_total{reason="not from Teams"}')).toBe(1)
    expect(await measured('vaultlink_refusals_total{reason="service host is not listed"}')).toBe(1)
    expect(await measured('vaultlink_service_misses_total')).toBe(1)
    expect(await measured('vaultlink_turns_under_way')).toBe(0)
    expect(await measured('process_resident_memory_bytes')).toBeGreaterThan(1e7)
  })
})

test('while it cannot work it is alive and not ready', async () => {
  const probes = await startProbes({
    host: '127.0.0.1',
    port: 0,
    ready: async () => false,
    metrics: async () => '',
  })
  expect((await fetch(`${probes.url}/readyz`)).status).toBe(503)
  expect((await fetch(`${probes.url}/healthz`)).status).toBe(200)
  await expect(
    startProbes({
      host: '127.0.0.1',
      port: Number(new URL(probes.url).port),
      ready: async () => true,
      metrics: async () => '',
    }),
  ).rejects.toThrow('EADDRINUSE')
  await probes.close()
})

test('labels are escaped, and one metric that cannot be read leaves the others', async () => {
  const counter = createCounter('odd_total', 'Odd')
  counter.add({ what: 'a "b" \\ c\nd' })
  counter.add({ what: 'a "b" \\ c\nd' })
  const broken = {
    name: 'broken',
    help: 'x',
    type: 'gauge',
    samples: () => Promise.reject(new Error()),
  } as const
  expect(await expose([broken, counter])).toBe(
    '# HELP odd_total Odd\n# TYPE odd_total counter\nodd_total{what="a \\"b\\" \\\\ c\\nd"} 2\n',
  )
})
