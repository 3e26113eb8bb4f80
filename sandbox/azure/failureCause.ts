import type { Reply } from './reply.ts'
import { member } from './routes.ts'

/** What ARM's gateway refuses before a resource provider is asked; its 429 counts apart. */
const codes: ReadonlySet<unknown> = new Set([
  'AuthenticationFailed',
  'AuthenticationFailedInvalidHeader',
  'AuthorizationFailed',
  'ExpiredAuthenticationToken',
  'InvalidApiVersionParameter',
  'InvalidAuthenticationToken',
  'InvalidAuthenticationTokenAudience',
  'InvalidAuthenticationTokenTenant',
  'InvalidResourceNamespace',
  'InvalidResourceType',
  'InvalidSubscriptionId',
  'MissingApiVersionParameter',
  'MissingSubscriptionRegistration',
  'NoRegisteredProviderFound',
  'ParentResourceNotFound',
  'ResourceGroupNotFound',
  'ResourceNotFound',
  'ScopeLocked',
  'SubscriptionNotFound',
])

export const raisedByGateway = (reply: Reply): boolean =>
  codes.has(member(member(reply.body, 'error'), 'code'))

/** Recorded: such a refusal names its cause, and not what the buckets still hold. */
export const failureCause = { 'x-ms-failure-cause': 'gateway' } as const
