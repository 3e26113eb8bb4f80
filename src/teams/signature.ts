/** Whether a bearer token was signed by whom it has to be, for us, and is of now. What else it has to claim, others ask. */
import { hash, type KeyObject } from 'node:crypto'
import { errors, type JWTHeaderParameters, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { NoKeys, type SigningKey, type SigningKeys } from './keys.ts'
import { type Reason, type Refused, refused } from './refusal.ts'

export type Verified = { readonly is: 'verified'; readonly payload: JWTPayload & { readonly exp: number } }

/** Both pages that tell of these tokens allow five minutes. */
const clockSkewS = 300
/** Teams signs many calls with one token, for an hour. */
const mostRemembered = 1_000

export function createVerifier(options: {
  readonly keys: SigningKeys
  /** Why a key that is published will not do. */
  readonly wrongWith?: (key: SigningKey) => Reason | undefined
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly now: () => number
}): (authorization: string) => Promise<Verified | Refused> {
  const { keys, wrongWith, issuers, audiences, now } = options
  const keyFor = async ({ kid, crit }: JWTHeaderParameters): Promise<Signer> => {
    // jose would honour the extensions that it knows; neither the Bot Connector nor Entra uses one.
    if (crit !== undefined) throw new Unacceptable('critical header')
    const known = typeof kid === 'string' ? await keys.find(kid) : undefined
    if (kid === undefined || !known) throw new Unacceptable('unknown key')
    const wrong = wrongWith?.(known)
    if (wrong) throw new Unacceptable(wrong)
    return { kid, key: known.key }
  }
  /**
   * Signatures that were found genuine, by the hash of their token: they do not change. What may change is asked each
   * time: whether that key is published and will do, and the time.
   */
  const genuine = new Map<string, Signer & { readonly payload: Verified['payload'] }>()
  const remembered = async (digest: string): Promise<Verified | undefined> => {
    const known = genuine.get(digest)
    if (!known) return undefined
    const { kid, key, payload } = known
    const { nbf = 0, exp } = payload
    const second = now() / 1_000
    const holds = nbf <= second + clockSkewS && second < exp + clockSkewS
    const published = await keys.find(kid)
    if (holds && published?.key === key && !wrongWith?.(published)) return { is: 'verified', payload }
    genuine.delete(digest)
    return undefined
  }

  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization)?.[1]
    if (token === undefined) return refused(401, 'no token')
    try {
      const digest = hash('sha256', token, 'base64')
      const known = await remembered(digest)
      if (known) return known
      let signer: Signer | undefined
      const keyOf: JWTVerifyGetKey = async (header) => {
        signer = await keyFor(header)
        return signer.key
      }
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms: ['RS256'],
        issuer: [...issuers],
        audience: [...audiences],
        clockTolerance: clockSkewS,
        currentDate: new Date(now()),
      })
      const { aud, exp } = payload
      if (typeof aud !== 'string') return refused(401, 'audience')
      if (exp === undefined) return refused(401, 'no expiry')
      const verified = { ...payload, exp }
      if (signer) genuine.set(digest, { ...signer, payload: verified })
      const [oldest] = genuine.keys()
      if (genuine.size > mostRemembered && oldest !== undefined) genuine.delete(oldest)
      return { is: 'verified', payload: verified }
    } catch (error) {
      if (error instanceof NoKeys) return refused(503, 'no keys')
      return refused(401, reasonOf(error))
    }
  }
}

type Signer = { readonly kid: string; readonly key: KeyObject }

class Unacceptable extends Error {
  readonly why: Reason
  constructor(why: Reason) {
    super(why)
    this.why = why
  }
}

const reasons: Readonly<Record<string, Reason>> = {
  iss: 'issuer',
  aud: 'audience',
  nbf: 'not valid yet',
}

function reasonOf(error: unknown): Reason {
  if (error instanceof Unacceptable) return error.why
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed) return reasons[error.claim] ?? 'malformed token'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'algorithm'
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature'
  if (error instanceof errors.JOSENotSupported) return 'critical header'
  return 'malformed token'
}
