/**
 * A token is used to its end while no newer one can be had. The clients ask for the next two minutes before that without
 * waiting for it (@azure/core-rest-pipeline 1.25, `tokenCycler`), and what fails there is heard by nobody and would end the
 * process. So they are told an earlier end, and asked before the real one a failure brings the token that still holds.
 */
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/identity'
import { left, type Wait, waitOf } from '../link/wait.ts'

/** The clients give up what they asked for in advance at the end that they know of. */
const aheadMs = 3 * 60_000
/** Near its end every call asks: so long after a failure none of them asks again. */
const againMs = 30_000

type Kept = { readonly token: AccessToken; readonly told: number; readonly pause?: Wait }

/** `now`: the machine's own time, by which tokens end. */
export function keepingTokens(credential: TokenCredential, now: () => number = Date.now): TokenCredential {
  const held = new Map<string, Kept>()
  return {
    async getToken(scopes: string | string[], options?: GetTokenOptions) {
      const key = JSON.stringify([scopes, options?.tenantId])
      const standing = (): Kept | undefined => {
        const kept = held.get(key)
        // One that Azure turned away is not to be shown again.
        return kept && !options?.claims && kept.token.expiresOnTimestamp > now() ? kept : undefined
      }
      const paused = standing()
      if (paused?.pause && left(paused.pause, now()) > 0) return shown(paused)
      try {
        const token = await credential.getToken(scopes, options)
        if (!token) return token
        const told = token.expiresOnTimestamp - Math.min(aheadMs, (token.expiresOnTimestamp - now()) / 2)
        const kept = { token, told }
        held.set(key, kept)
        return shown(kept)
      } catch (error) {
        const kept = standing()
        if (!kept) throw error
        held.set(key, { ...kept, pause: waitOf(againMs, now()) })
        return shown(kept)
      }
    },
  }
}

const shown = ({ token, told }: Kept): AccessToken => ({ token: token.token, expiresOnTimestamp: told })
