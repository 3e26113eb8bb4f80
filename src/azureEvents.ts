/** The door that Event Grid knocks at: what the rooms know of it, joined. */
import { isEventGrid, readEvents } from './azure/events.ts'
import type { Hints } from './engine/hints.ts'
import type { EventTokenCheck } from './teams/eventToken.ts'
import { refused } from './teams/refusal.ts'
import type { Hook } from './teams/server.ts'

export function azureEventsHook(parts: {
  readonly tokenCheck: EventTokenCheck
  readonly hints: Hints
  /** So many events came. */
  readonly onAnnounced: (events: number) => void
}): Hook {
  return {
    path: '/api/azure-events',
    contentTypes: ['application/cloudevents+json', 'application/cloudevents-batch+json'],
    // Event Grid's largest event, and the largest batch that it can be told to send.
    maxBodyBytes: 1_048_576,
    admitCaller: parts.tokenCheck,
    welcomes(header) {
      const origin = header('webhook-request-origin') ?? ''
      // However many come, links are looked at no more often for it.
      return isEventGrid(origin)
        ? { 'WebHook-Allowed-Origin': origin, 'WebHook-Allowed-Rate': '*' }
        : refused(403, 'not from Event Grid')
    },
    async take(body) {
      const announced = readEvents(body)
      switch (announced.is) {
        case 'nonsense':
          return refused(400, 'no events')
        case 'handshake':
          return { is: 'taken', answer: { validationResponse: announced.code }, said: { what: 'handshake' } }
        case 'changes': {
          const { events, resources } = announced
          parts.onAnnounced(events)
          // Answered once it is written: what is not is sent again.
          await parts.hints(resources)
          return { is: 'taken', said: { what: 'events', events, resources: resources.length } }
        }
      }
    },
  }
}
