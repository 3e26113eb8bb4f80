/** The token of a call to the bot: whether it is the Bot Connector's, for this bot, of now. */
import type { SigningKeys } from './keys.ts'
import { type Refused, refused } from './refusal.ts'
import { createVerifier } from './signature.ts'

/** What of a token's claims the activity is compared with. */
export type Claims = { readonly is: 'held'; readonly serviceUrl: string }
export type TokenCheck = (authorization: string) => Promise<Claims | Refused>

/** Teams' own name in the endorsements of keys, and the channel id of its activities. */
export const teamsChannel = 'msteams'
/** The tokens live an hour; what claims to live longer than a day is not one of them. */
const longestLifeS = 86_400

export function createTokenCheck(options: {
  readonly keys: SigningKeys
  readonly issuer: string
  readonly appId: string
  readonly now: () => number
}): TokenCheck {
  const { keys, issuer, appId, now } = options
  const verify = createVerifier({
    keys,
    wrongWith: ({ endorsements }) =>
      endorsements.includes(teamsChannel) ? undefined : 'key not endorsed for Teams',
    issuers: [issuer],
    audiences: [appId],
    now,
  })
  return async (authorization) => {
    const verified = await verify(authorization)
    if (verified.is === 'refused') return verified
    const { exp, serviceurl } = verified.payload
    if (exp > now() / 1000 + longestLifeS) return refused(401, 'lives too long')
    if (typeof serviceurl !== 'string' || serviceurl === '') return refused(401, 'no service URL claim')
    return { is: 'held', serviceUrl: serviceurl }
  }
}
