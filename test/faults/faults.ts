/** What can go wrong with a call, by the name that the table in docs/reliability.md has for it. */
import type { Fault } from '../../sandbox/proxy/fault.ts'
import { type CallName, kinds } from './calls.ts'

type What = Omit<Fault, 'times' | 'path' | 'method'>

const everywhere = {
  '408': { status: 408 },
  '412': { status: 412 },
  '429': { status: 429 },
  '429 with Retry-After': { status: 429, headers: { 'retry-after': '150' } },
  '500': { status: 500 },
  '500 after acting': { status: 500, when: 'after' },
  '502 as a page': { status: 502, how: 'page' },
  '503': { status: 503 },
  '503 with Retry-After': { status: 503, headers: { 'retry-after': '90' } },
  '504': { status: 504 },
  '504 after acting': { status: 504, when: 'after' },
  reset: { how: 'reset' },
  'reset after acting': { how: 'reset', when: 'after' },
  hang: { how: 'hang' },
  'hang after acting': { how: 'hang', when: 'after' },
  truncated: { how: 'truncate' },
  garbled: { how: 'garble' },
  '204 instead of a body': { how: 'empty' },
  'token expired': { how: 'expire' },
} as const satisfies Readonly<Record<string, What>>

/** The kinds of 409 that are documented or reported for what the bot writes. */
const conflicts = {
  '409 Conflict': { status: 409, code: 'Conflict', message: 'The resource is not in succeeded state' },
  '409 ConflictError': {
    status: 409,
    code: 'ConflictError',
    message: 'The operation failed because the Key Vault changed from the point the operation began.',
  },
  '409 NotPending': {
    status: 409,
    code: 'PrivateEndpointConnectionStatusNotPending',
    message: 'The private endpoint connection is not pending.',
  },
  '409 ScopeLocked': {
    status: 409,
    code: 'ScopeLocked',
    message: 'The scope cannot perform write operation because following scope(s) are locked.',
  },
  '409 ReadOnlyDisabledSubscription': {
    status: 409,
    code: 'ReadOnlyDisabledSubscription',
    message: 'The subscription is disabled and therefore marked as read only.',
  },
  '409 MissingSubscriptionRegistration': {
    status: 409,
    code: 'MissingSubscriptionRegistration',
    message: "The subscription is not registered to use namespace 'Microsoft.KeyVault'.",
  },
} as const satisfies Readonly<Record<string, What>>

export const faults: Readonly<Record<FaultName, What>> = { ...everywhere, ...conflicts }
export type FaultName = keyof typeof everywhere | keyof typeof conflicts

const isWrite = (call: CallName): boolean =>
  kinds[call].peer === 'arm' && ['PUT', 'DELETE'].includes(kinds[call].method)
/** Calls that bear no token have none that could expire. */
const isBare = (call: CallName): boolean =>
  kinds[call].peer !== 'arm' &&
  (kinds[call].peer !== 'teams' || kinds[call].path.source.includes('well-known'))

/** The faults that this call can meet. */
export const faultsOf = (call: CallName): readonly FaultName[] =>
  (Object.keys(faults) as FaultName[]).filter(
    (name) => (isWrite(call) || !(name in conflicts)) && !(isBare(call) && name === 'token expired'),
  )
