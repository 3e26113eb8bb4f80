/**
 * Event Grid: what is written and deleted through ARM, delivered to web hooks that proved they want it. Each delivery brings
 * a token, is tried again until it is taken, and may come twice or out of order.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseResourceId } from '../../src/link/resourceId.ts'
import type { AzureEvent, Effect } from './state.ts'

export type EventSchema = 'eventGrid' | 'cloudEvents'
export type EventSubscription = {
  /** Where events are delivered. */
  readonly url: string
  readonly schema?: EventSchema
  /** The id or URI of the application that its tokens are for. */
  readonly application: string
  /** How often each event is delivered; at least once. */
  readonly copies?: number
  /** What happened together is delivered in the other order, and in one batch. */
  readonly reversed?: boolean
}
export type Delivery = { readonly subjects: readonly string[]; readonly status: number }
export type Subscribed = {
  /** Every attempt so far. */
  readonly deliveries: readonly Delivery[]
  /** Resolves when nothing is left to deliver. */
  settled(): Promise<void>
  /** Delivers what never happened. */
  send(...events: readonly Happening[]): Promise<void>
  end(): void
}
export type Happening = { readonly subject: string; readonly deleted?: boolean; readonly type?: string }

/** What ARM did for somebody. What providers do among themselves nobody hears of. */
const announced: Partial<Record<Effect, 'written' | 'deleted'>> = {
  instanceCreated: 'written',
  instanceUpdated: 'written',
  instanceDeleted: 'deleted',
  linkCreated: 'written',
  linkUpdated: 'written',
  linkDeleted: 'deleted',
  connectionApproved: 'written',
  connectionRejected: 'written',
  connectionRemoved: 'deleted',
  vaultCreated: 'written',
  vaultUpdated: 'written',
  vaultDeleted: 'deleted',
  vaultRecovered: 'written',
}
const types = {
  written: 'Microsoft.Resources.ResourceWriteSuccess',
  deleted: 'Microsoft.Resources.ResourceDeleteSuccess',
} as const
/** The real one waits 10 s, 30 s, a minute and longer. */
const pausesMs = [50, 100, 200, 400, 800]

export function createEventGrid(options: {
  readonly tokenFor: (application: string) => Promise<string>
  readonly now: () => number
  readonly tenantId: string
  readonly closing: AbortSignal
}) {
  const { tokenFor, now, tenantId, closing } = options
  const listeners = new Set<(happening: Happening) => void>()

  const dataOf = (subject: string, deleted: boolean) => ({
    authorization: {},
    claims: {},
    correlationId: randomUUID(),
    resourceProvider: parseResourceId(subject)?.provider ?? '',
    resourceUri: subject,
    operationName: deleted ? 'delete' : 'write',
    status: 'Succeeded',
    subscriptionId: parseResourceId(subject)?.subscription ?? '',
    tenantId,
  })
  function written({ subject, deleted = false, type }: Happening, schema: EventSchema): object {
    const source = `/subscriptions/${parseResourceId(subject)?.subscription ?? ''}`
    const named = type ?? types[deleted ? 'deleted' : 'written']
    const time = new Date(now()).toISOString()
    const data = dataOf(subject, deleted)
    return schema === 'eventGrid'
      ? {
          id: randomUUID(),
          topic: source,
          subject,
          eventType: named,
          eventTime: time,
          data,
          dataVersion: '2',
          metadataVersion: '1',
        }
      : { specversion: '1.0', id: randomUUID(), source, subject, type: named, time, data }
  }

  async function post(to: EventSubscription, body: object, type: string, kind: string): Promise<Response> {
    return fetch(to.url, {
      method: 'POST',
      signal: closing,
      headers: {
        authorization: `Bearer ${await tokenFor(to.application)}`,
        'content-type': `${type}; charset=utf-8`,
        'aeg-event-type': kind,
      },
      body: JSON.stringify(body),
    })
  }

  /** Throws unless the web hook says that it wants the events. */
  async function shakeHands(to: EventSubscription, schema: EventSchema): Promise<void> {
    if (schema === 'cloudEvents') {
      const origin = 'eventgrid.azure.net'
      const { headers } = await fetch(to.url, {
        method: 'OPTIONS',
        signal: closing,
        headers: { 'webhook-request-origin': origin },
      })
      const allowed = headers.get('webhook-allowed-origin')
      if (allowed !== origin && allowed !== '*') throw new Error('The web hook wants no events')
      return
    }
    const validationCode = randomUUID()
    const event = {
      id: randomUUID(),
      topic: '/subscriptions',
      subject: '',
      eventType: 'Microsoft.EventGrid.SubscriptionValidationEvent',
      eventTime: new Date(now()).toISOString(),
      data: { validationCode, validationUrl: 'https://127.0.0.1/' },
      dataVersion: '2',
      metadataVersion: '1',
    }
    const response = await post(to, [event], 'application/json', 'SubscriptionValidation')
    const answer: unknown = await response.json().catch(() => undefined)
    const echoed = Object(answer).validationResponse
    if (response.status !== 200 || echoed !== validationCode)
      throw new Error(`The web hook wants no events: it answered ${response.status}`)
  }

  return {
    hears(event: AzureEvent): void {
      if (event.kind !== 'effect' || event.by === 'Azure') return
      const how = announced[event.what]
      if (how) for (const listener of listeners) listener({ subject: event.id, deleted: how === 'deleted' })
    },

    async subscribe(to: EventSubscription): Promise<Subscribed> {
      const { schema = 'eventGrid', copies = 1, reversed = false } = to
      await shakeHands(to, schema)
      const deliveries: Delivery[] = []
      let waiting: Happening[] = []
      let last: Promise<void> = Promise.resolve()

      async function deliver(happenings: readonly Happening[]): Promise<void> {
        const events = happenings.map((one) => written(one, schema))
        const alone = schema === 'cloudEvents' && events.length === 1
        const [body, type] = alone
          ? ([events[0] ?? {}, 'application/cloudevents+json'] as const)
          : ([
              events,
              schema === 'eventGrid' ? 'application/json' : 'application/cloudevents-batch+json',
            ] as const)
        const subjects = happenings.map(({ subject }) => subject)
        for (const pause of [...pausesMs, undefined]) {
          const status = await post(to, body, type, 'Notification').then(
            (response) => response.status,
            () => 0,
          )
          if (closing.aborted) return
          deliveries.push({ subjects, status })
          if ((status >= 200 && status <= 204) || pause === undefined) return
          // The sandbox may close meanwhile.
          await sleep(pause, undefined, { signal: closing }).catch(() => undefined)
        }
      }
      async function flush(): Promise<void> {
        const happened = waiting
        waiting = []
        const batches = reversed ? [happened.toReversed()] : happened.map((one) => [one])
        for (const batch of batches) for (let copy = 0; copy < copies; copy++) await deliver(batch)
      }
      const enqueue = (happening: Happening): void => {
        waiting.push(happening)
        // What happens in one breath is delivered together.
        if (waiting.length === 1)
          last = last.then(() => new Promise<void>((resolve) => setImmediate(resolve))).then(flush)
      }
      listeners.add(enqueue)
      return {
        deliveries,
        settled: () => last,
        async send(...happenings) {
          for (const one of happenings) enqueue(one)
          await last
        },
        end: () => void listeners.delete(enqueue),
      }
    },
  }
}
