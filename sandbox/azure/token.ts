import { armAudiences, isArm } from '../entra/directory.ts'
import type { Entra } from '../entra/entra.ts'
import { type Reply, refusal } from './reply.ts'

const refuse = (code: string, message: string, tenantId: string): Reply =>
  refusal(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="https://login.windows.net/${tenantId}", error="invalid_token", error_description="${message}"`,
  })

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
  const verdict = token === undefined ? undefined : await entra.verify(token)
  // By the real clock: a client renews its token by that, not by the sandbox's.
  if (verdict?.is === 'expired')
    return refuse(
      'ExpiredAuthenticationToken',
      `The access token expiry UTC time '${verdict.at.toISOString()}' is earlier than current UTC time '${new Date().toISOString()}'.`,
      tenantId,
    )
  if (verdict?.is !== 'valid' || typeof verdict.claims.oid !== 'string')
    return refuse('InvalidAuthenticationToken', 'The access token is invalid.', tenantId)
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
      `The access token is from the wrong issuer '${iss}'. It must match the tenant 'https://sts.windows.net/${tenantId}/' associated with this subscription.`,
      tenantId,
    )
  return oid
}
