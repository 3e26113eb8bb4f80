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

/** The headers of such a refusal, or the given ones: recorded, it names its cause and counts no bucket down. */
export const headersFor = (
  reply: Reply,
  otherwise: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  codes.has(member(member(reply.body, 'error'), 'code')) ? { 'x-ms-failure-cause': 'gateway' } : otherwise
