/**
 * Writes the audit log's head into the bot's own log: at the start, after each decision, at an interval, and at the
 * end. Where those lines are collected is out of reach of whoever can write the database, and vouches for it.
 */
import type { Millis } from '../link/link.ts'
import type { Clock, Log, Store } from './ports.ts'

export type Anchor = {
  /** Says the head now. */
  say(): void
  stop(): Promise<void>
}

export function startAnchor(ports: {
  store: Pick<Store, 'head'>
  clock: Clock
  everyMs: Millis
  log: Log
}): Anchor {
  const { store, clock, everyMs, log } = ports
  let stopping = false
  let alarm = new AbortController()

  async function tell(): Promise<void> {
    try {
      const { n, head } = await store.head()
      log('info', 'audit.head', { head: `${n}:${head}` })
    } catch (error) {
      log('error', 'audit.headUnread', {}, error)
    }
  }
  async function run(): Promise<void> {
    while (!stopping) {
      alarm = new AbortController()
      await tell()
      await clock.until(clock.now() + everyMs, alarm.signal)
    }
    await tell()
  }

  const running = run()
  return {
    say: () => alarm.abort(),
    async stop() {
      stopping = true
      alarm.abort()
      await running
    },
  }
}
