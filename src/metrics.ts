/** What is counted of the bot, and what is read when somebody asks. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getActiveResourcesInfo, memoryUsage } from 'node:process'
import { createCounter, expose, type Metric } from './prometheus.ts'
import type { Meter } from './teams/server.ts'

export type Metrics = {
  readonly meter: Meter
  /** A service was named that is not listed. */
  serviceMissed(): void
  /** So many events of Azure came. */
  announced(events: number): void
  /** Links were made due by them. */
  hinted(links: number): void
  text(): Promise<string>
}

export function createMetrics(read: {
  readonly openByStatus: () => Promise<readonly { readonly status: string; readonly links: number }[]>
  readonly keysAgeMs: () => number | undefined
}): Metrics {
  const requests = createCounter('vaultlink_requests_total', 'Requests to the bot, by what became of them')
  const refusals = createCounter('vaultlink_refusals_total', 'Requests that were turned away, by reason')
  const misses = createCounter(
    'vaultlink_service_misses_total',
    'Services that were named and are not listed',
  )
  const announced = createCounter('vaultlink_azure_events_total', 'Events that Event Grid delivered')
  const hinted = createCounter('vaultlink_hinted_links_total', 'Links that events made due')
  let turnsUnderWay = 0
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  const gauge = (name: string, help: string, samples: Metric['samples']): Metric => ({
    name,
    help,
    type: 'gauge',
    samples,
  })
  const metrics = [
    requests,
    refusals,
    misses,
    announced,
    hinted,
    gauge('vaultlink_turns_under_way', 'Turns that are being answered now', () => [{ value: turnsUnderWay }]),
    gauge('vaultlink_open_links', 'Links that are not ended, by status', async () =>
      (await read.openByStatus()).map(({ status, links }) => ({ labels: { status }, value: links })),
    ),
    gauge('vaultlink_signing_keys_age_seconds', 'Since the keys of Teams were last fetched', () => {
      const ms = read.keysAgeMs()
      return ms === undefined ? [] : [{ value: ms / 1_000 }]
    }),
    gauge(
      'vaultlink_event_loop_delay_seconds',
      'Delay of the event loop that 99 of 100 stay below, since it was last read',
      () => {
        const value = delay.percentile(99) / 1e9
        delay.reset()
        return [{ value }]
      },
    ),
    gauge(
      'vaultlink_active_resources',
      'What keeps the process running: connections, timers, requests',
      () => [{ value: getActiveResourcesInfo().length }],
    ),
    gauge('process_resident_memory_bytes', 'Resident memory', () => [{ value: memoryUsage.rss() }]),
  ]
  return {
    meter: {
      answered: () => requests.add({ outcome: 'answered' }),
      failed: () => requests.add({ outcome: 'failed' }),
      refused(reason) {
        requests.add({ outcome: 'refused' })
        refusals.add({ reason })
      },
      turn() {
        turnsUnderWay++
        return () => {
          turnsUnderWay--
        }
      },
    },
    serviceMissed: () => misses.add(),
    announced: (events) => announced.add({}, events),
    hinted: (links) => hinted.add({}, links),
    text: () => expose(metrics),
  }
}
