/**
 * A token is used to its end while no newer one can be had. The clients ask for the next two minutes before that without
 * waiting for it (@azure/core-rest-pipeline 1.25, `tokenCycler`), and what fails there is heard by nobody and would end the
 * process. So they are told an earlier end, and asked before the real one a failure brings the token that still holds.
 */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/identity'

/** The clients give up what they asked for in advance at the end that they know of. */
const aheadMs = 3 * 60_000

export function keepingTokens(credential: TokenCredential): TokenCredential {
  const held = new Map<string, { readonly token: AccessToken; readonly told: number }>()
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions) {
      const key = JSON.stringify([scopes, options?.tenantId])
      try {
        const token = await credential.getToken(scopes, options)
        if (!token) return token
        const now = Date.now()
        const told = token.expiresOnTimestamp - Math.min(aheadMs, (token.expiresOnTimestamp - now) / 2)
        held.set(key, { token, told })
        return { token: token.token, expiresOnTimestamp: told }
      } catch (error) {
        const kept = held.get(key)
        // One that Azure turned away is not to be shown again.
        if (!kept || options?.claims || kept.token.expiresOnTimestamp <= Date.now()) throw error
        return { token: kept.token.token, expiresOnTimestamp: kept.told }
      }
    },
  }
}
