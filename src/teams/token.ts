/** The token of a call to the bot: whether it is the Bot Connector's, for this bot, of now. */
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { NoKeys, type SigningKeys } from './keys.ts'
import { type Reason, type Refused, refused } from './refusal.ts'

/** What of a token's claims the activity is compared with. */
export type Claims = { readonly is: 'held'; readonly serviceUrl: string }
export type TokenCheck = (authorization: string) => Promise<Claims | Refused>

/** Teams' own name in the endorsements of keys, and the channel id of its activities. */
export const teamsChannel = 'msteams'
/** The tokens live an hour; what claims to live longer than a day is not one of them. */
const longestLifeS = 86_400
/** The page in keys.ts allows five minutes. */
const clockSkewS = 300

export function createTokenCheck(options: {
  readonly keys: SigningKeys
  readonly issuer: string
  readonly appId: string
  readonly now: () => number
}): TokenCheck {
  const { keys, issuer, appId, now } = options
  const keyFor: JWTVerifyGetKey = async ({ kid, crit }) => {
    // jose would honour the extensions that it knows; the Bot Connector uses none.
    if (crit !== undefined) throw new Unacceptable('critical header')
    const known = typeof kid === 'string' ? await keys.find(kid) : undefined
    if (!known) throw new Unacceptable('unknown key')
    if (!known.endorsements.includes(teamsChannel)) throw new Unacceptable('key not endorsed for Teams')
    return known.key
  }
  return async (authorization) => {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(authorization)?.[1]
    if (token === undefined) return refused(401, 'no token')
    try {
      const { payload } = await jwtVerify(token, keyFor, {
        algorithms: ['RS256'],
        issuer,
        audience: appId,
        clockTolerance: clockSkewS,
        currentDate: new Date(now()),
      })
      const { aud, exp, serviceurl } = payload
      if (typeof aud !== 'string') return refused(401, 'audience')
      if (exp === undefined) return refused(401, 'no expiry')
      if (exp > now() / 1000 + longestLifeS) return refused(401, 'lives too long')
      if (typeof serviceurl !== 'string' || serviceurl === '') return refused(401, 'no service URL claim')
      return { is: 'held', serviceUrl: serviceurl }
    } catch (error) {
      if (error instanceof NoKeys) return refused(503, 'no keys')
      return refused(401, reasonOf(error))
    }
  }
}

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
