import { armAudiences, isArm } from '../entra/directory.ts'
import type { Entra } from '../entra/entra.ts'
import { type Reply, refusal } from './reply.ts'

const refuse = (code: string, message: string, tenantId: string): Reply =>
  refusal(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="https://login.windows.net/${tenantId}", error="invalid_token", error_description="${message}"`,
  })

/** `6/15/2026 8:22:51 AM`, as ARM writes it here. */
const readable = (at: Date): string =>
  at.toLocaleString('en-US', { timeZone: 'UTC' }).replace(',', '').replaceAll('\u202f', ' ')

/** The principal whose token the Authorization header holds, or the 401 that ARM answers. */
export async function principalOf(header: string | undefined, entra: Entra): Promise<string | Reply> {
  const { tenantId } = entra.directory
  if (!header)
    return refuse(
      'AuthenticationFailed',
      "Authentication failed. The 'Authorization' header is missing.",
      tenantId,
    )
  const token = /^Bearer (\S+)$/i.exec(header)?.[1]
  if (token === undefined)
    return refuse(
      'AuthenticationFailedInvalidHeader',
      "Authentication failed. The 'Authorization' header is provided in an invalid format.",
      tenantId,
    )
  const verdict = await entra.verify(token)
  // By the real clock: a client renews its token by that, not by the sandbox's.
  if (verdict?.is === 'expired')
    return refuse(
      'ExpiredAuthenticationToken',
      `The access token expiry UTC time '${readable(verdict.at)}' is earlier than current UTC time '${readable(new Date())}'.`,
      tenantId,
    )
  if (verdict?.is !== 'valid')
    return refuse('InvalidAuthenticationToken', 'The access token is invalid.', tenantId)
  if (typeof verdict.claims.oid !== 'string')
    return refuse(
      'InvalidAuthenticationToken',
      "The received access token is not valid: at least one of the claims 'puid' or 'altsecid' or 'oid' should be present. If you are accessing as application please make sure service principal is properly created in the tenant.",
      tenantId,
    )
  const { aud, tid, iss, oid } = verdict.claims
  if (!isArm(String(aud)))
    return refuse(
      'InvalidAuthenticationTokenAudience',
      `The access token has been obtained for wrong audience or resource '${aud}'. It should exactly match with one of the allowed audiences ${armAudiences.map((one) => `'${one}'`).join(',')}.`,
      tenantId,
    )
  if (tid !== tenantId)
    return refuse(
      'InvalidAuthenticationTokenTenant',
      `The access token is from the wrong issuer '${iss}'. It must match the tenant 'https://sts.windows.net/${tenantId}/' associated with this subscription. Please use the authority (URL) 'https://login.windows.net/${tenantId}' to get the token. Note, if the subscription is transferred to another tenant there is no impact to the services, but information about new tenant could take time to propagate (up to an hour). If you just transferred your subscription and see this error message, please try back later.`,
      tenantId,
    )
  return oid
}
