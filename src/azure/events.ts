/**
 * What Event Grid says was written or deleted, in its own schema (learn.microsoft.com/azure/event-grid/event-schema-subscriptions)
 * or as CloudEvents 1.0. Read for one thing alone: which SignalRs and vaults are worth a look.
 */
import { isSignalrId, isVaultId, parseResourceId, topResource } from '../link/resourceId.ts'
import { record, text } from './parse.ts'

export type Announced =
  | {
      readonly is: 'changes'
      /** Ids of the SignalRs and vaults, each once; of the rest nothing. */
      readonly resources: readonly string[]
      readonly events: number
    }
  /** Event Grid asks whether its events are wanted here; the code goes back. */
  | { readonly is: 'handshake'; readonly code: string }
  | { readonly is: 'nonsense' }

const validation = 'Microsoft.EventGrid.SubscriptionValidationEvent'
const changes = ['Microsoft.Resources.ResourceWriteSuccess', 'Microsoft.Resources.ResourceDeleteSuccess']
/** Below a SignalR or a vault these alone are looked at. */
const children = ['sharedprivatelinkresources', 'privateendpointconnections']
const longestCode = 200

/** Reads a delivery: a list of events, or one CloudEvent. */
export function readEvents(body: unknown): Announced {
  const events = (Array.isArray(body) ? body : [body]).map(record)
  const isEvent = (one: Readonly<Record<string, unknown>>): boolean =>
    typeof (one.eventType ?? one.type) === 'string'
  if (events.length === 0 || !events.every(isEvent)) return { is: 'nonsense' }
  const [first] = events
  if (first?.eventType === validation) {
    const code = text(record(first.data).validationCode)
    return code !== undefined && code !== '' && code.length <= longestCode && events.length === 1
      ? { is: 'handshake', code }
      : { is: 'nonsense' }
  }
  const resources = events.flatMap((one) => {
    const type = one.eventType ?? one.type
    if (!changes.some((change) => change === type)) return []
    return resourceIn(text(one.subject) ?? '') ?? resourceIn(text(record(one.data).resourceUri) ?? '') ?? []
  })
  return { is: 'changes', resources: [...new Set(resources)], events: events.length }
}

/** The SignalR or vault that an event is about, if its own links or connections may be. */
function resourceIn(id: string): string | undefined {
  const top = topResource(id)
  if (!isSignalrId(top) && !isVaultId(top)) return undefined
  const path = parseResourceId(id)?.path ?? []
  const child = path[2]?.toLowerCase()
  return child === undefined || (path.length === 4 && children.includes(child)) ? top : undefined
}

/**
 * Whether a sender that asks first (CloudEvents' web hooks, 4: abuse protection) is Event Grid of some cloud or region. It
 * is no proof: what is sent afterwards has to bring a token.
 */
export const isEventGrid = (origin: string): boolean =>
  /^(?:[a-z0-9-]+\.)*eventgrid\.azure\.(?:net|us|cn)$/i.test(origin)
