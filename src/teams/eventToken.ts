/**
 * The token of a call with Azure's events: whether it is Event Grid's, from our tenant's Entra ID, for the application
 * that stands for this door, as learn.microsoft.com/azure/event-grid/secure-webhook-delivery sets it up.
 */
import type { SigningKeys } from './keys.ts'
import { type Refused, refused } from './refusal.ts'
import { createVerifier } from './signature.ts'

/** Event Grid's own application, the same in every tenant; that page names it, and the role. */
const eventGrid = '4962773b-9cdb-44cf-a8bf-237846a00ab7'
const subscriberRole = 'AzureEventGridSecureWebhookSubscriber'

export type EventTokenCheck = (authorization: string) => Promise<{ readonly is: 'held' } | Refused>

export function createEventTokenCheck(options: {
  readonly keys: SigningKeys
  readonly tenantId: string
  /** Where the tenant's tokens come from: `https://login.microsoftonline.com`. */
  readonly authorityHost: string
  /** The application's id, and its Application ID URI: tokens of version 1 may name either. */
  readonly audiences: readonly string[]
  readonly now: () => number
}): EventTokenCheck {
  const { keys, tenantId, authorityHost, audiences, now } = options
  const verify = createVerifier({
    keys,
    issuers: [
      // Version 1 of the tokens is the same authority's in all clouds but China's; version 2 is named by its host.
      `https://sts.windows.net/${tenantId}/`,
      `${authorityHost}/${tenantId}/v2.0`,
    ],
    audiences,
    now,
  })
  return async (authorization) => {
    const verified = await verify(authorization)
    if (verified.is === 'refused') return verified
    const { tid, appid, azp, roles } = verified.payload
    if (tid !== tenantId) return refused(401, 'another tenant')
    // Named in version 1 and in version 2.
    if ((azp ?? appid) !== eventGrid) return refused(403, 'another application')
    if (!Array.isArray(roles) || !roles.includes(subscriberRole)) return refused(403, 'role missing')
    return { is: 'held' }
  }
}
