/**
 * What ARM answers, as the clients hand it on, into the core's closed types. The clients' own types promise more than
 * they check: statuses are plain strings, fields may be missing. What lacks what we live by throws `Garbled`.
 */
import type { Connection, ConnectionState, ProvisioningState, SharedPrivateLink } from '../link/link.ts'
import { resourceName } from '../link/resourceId.ts'

/** A success whose body is not what the API promises: no answer at all, as far as we may rely on it. */
export const garbled = (what: string): Error =>
  Object.assign(new Error(`Azure's answer lacks ${what}`), { name: 'Garbled' })

/** Its fields, not copied: the clients' errors keep theirs out of sight of a spread. */
export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export function required(value: unknown, what: string): string {
  const found = text(value)
  if (found === undefined) throw garbled(what)
  return found
}

/** A word of ours, found without regard to case; Unknown is every other. */
const word =
  <T extends string>(words: readonly T[]) =>
  (value: unknown): T | 'Unknown' => {
    const lower = text(value)?.toLowerCase()
    return words.find((one) => one.toLowerCase() === lower) ?? 'Unknown'
  }

export const provisioningState: (value: unknown) => ProvisioningState = word([
  'Succeeded',
  'Failed',
  'Canceled',
  'Running',
  'Creating',
  'Updating',
  'Deleting',
  'Moving',
  'Disconnected',
])
const connectionState: (value: unknown) => ConnectionState = word([
  'Pending',
  'Approved',
  'Rejected',
  'Disconnected',
  'Timeout',
])
export const operationStatus = word(['Succeeded', 'Failed', 'Canceled'])

/** A shared private link resource. Its `type` is not looked at: the specification's own examples show a wrong one. */
export function sharedPrivateLink(value: unknown): SharedPrivateLink {
  const fields = record(value)
  const id = required(fields.id, 'the id of a shared private link resource')
  return {
    id,
    name: resourceName(id),
    target: required(fields.privateLinkResourceId, 'privateLinkResourceId'),
    requestMessage: text(fields.requestMessage) ?? '',
    provisioningState: provisioningState(fields.provisioningState),
    status: connectionState(fields.status),
  }
}

/** A private endpoint connection; one never edited has no etag, one approved from the start no description. */
export function connection(value: unknown): Connection {
  const fields = record(value)
  const state = record(fields.privateLinkServiceConnectionState)
  const etag = text(fields.etag)
  return {
    id: required(fields.id, 'the id of a private endpoint connection'),
    privateEndpoint: text(record(fields.privateEndpoint).id) ?? '',
    description: text(state.description) ?? '',
    status: connectionState(state.status),
    provisioningState: provisioningState(fields.provisioningState),
    ...(etag !== undefined && { etag }),
  }
}
