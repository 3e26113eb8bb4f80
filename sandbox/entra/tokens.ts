/** The tenant's signing key, what it signs, and whether something was signed by it. */
import { errors, exportJWK, generateKeyPair, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'

const keyId = 'entra'
const hour = 3_600

// One for the process, made when first asked for: an RSA key costs a tenth of a second, and each test has a tenant.
let made: ReturnType<typeof generateKeyPair> | undefined
function keys(): ReturnType<typeof generateKeyPair> {
  made ??= generateKeyPair('RS256', { extractable: true })
  return made
}

export type Verdict =
  | { readonly is: 'valid'; readonly claims: JWTPayload }
  | { readonly is: 'expired'; readonly at: Date }
  | { readonly is: 'invalid' }

/** Signs claims; `iat`, `nbf` and `exp` (an hour) by the real clock, since that is what clients check them against. */
export async function sign(claims: JWTPayload): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  const { privateKey } = await keys()
  return new SignJWT({ iat: now, nbf: now, exp: now + hour, ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keyId, x5t: keyId })
    .sign(privateKey)
}

export async function verify(token: string): Promise<Verdict> {
  const { publicKey } = await keys()
  try {
    const { payload } = await jwtVerify(token, publicKey, { algorithms: ['RS256'], requiredClaims: ['exp'] })
    return { is: 'valid', claims: payload }
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      return { is: 'expired', at: new Date((error.payload.exp ?? 0) * 1000) }
    // A token that does not verify is an answer here, not a failure; anything else is one.
    if (error instanceof errors.JOSEError) return { is: 'invalid' }
    throw error
  }
}

export const ownKey = async () => (await keys()).publicKey

export async function publishedKeys(): Promise<{ keys: JWK[] }> {
  const { publicKey } = await keys()
  return { keys: [{ ...(await exportJWK(publicKey)), kid: keyId, use: 'sig', alg: 'RS256' }] }
}
