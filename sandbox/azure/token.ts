import { type Reply, refusal } from './reply.ts'

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A bearer token for a principal: an unsigned JWT, good for an hour. */
export function tokenFor(objectId: string, claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    aud: 'https://management.azure.com/',
    iat: now,
    exp: now + 3600,
    oid: objectId,
    ...claims,
  }
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.`
}

const challenge = {
  'www-authenticate': 'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token"',
}

/** The principal that the Authorization header names, or the 401 that ARM answers. */
export function principalOf(header: string | undefined): string | Reply {
  if (!header)
    return refusal(
      401,
      'AuthenticationFailed',
      "Authentication failed. The 'Authorization' header is missing.",
      challenge,
    )
  const claims = claimsOf(header)
  if (typeof claims?.oid !== 'string')
    return refusal(401, 'InvalidAuthenticationToken', 'The access token is invalid.', challenge)
  // Real time: a client renews its token by its own clock, not by the sandbox's.
  if (typeof claims.exp === 'number' && claims.exp * 1000 < Date.now())
    return refusal(401, 'ExpiredAuthenticationToken', 'The access token has expired.', challenge)
  return claims.oid
}

function claimsOf(header: string): Record<string, unknown> | undefined {
  const payload = /^Bearer [^.\s]+\.([^.\s]+)\.[^.\s]*$/i.exec(header)?.[1]
  if (!payload) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? { ...claims } : undefined
  } catch {
    // Not JSON: not a token.
    return undefined
  }
}
