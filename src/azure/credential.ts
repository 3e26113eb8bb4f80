/** As whom the bot acts on Azure and speaks to Teams, and how often it asks for a token. */
import {
  createDefaultHttpClient,
  createHttpHeaders,
  type HttpClient,
  RestError,
} from '@azure/core-rest-pipeline'
import {
  type AccessToken,
  ClientSecretCredential,
  ManagedIdentityCredential,
  type TokenCredential,
} from '@azure/identity'
import { left, type Wait, waitOf } from '../link/wait.ts'
import { patience, type Waits } from './patience.ts'

/** All that need a token wait for the one call that is out: without an end of its own it would hold them up for ever. */
const deadlineMs = 10_000

/**
 * One call for each token that is needed, with a deadline: whoever needs it tries again by itself, after its own time. A
 * managed identity's credential takes no policies, so it is done in what carries its calls.
 */
export function tokenOptions(
  waits: Waits,
  now: () => number,
): { readonly retryOptions: { readonly maxRetries: number }; readonly httpClient: HttpClient } {
  const inner = createDefaultHttpClient()
  // Whoever a token is for, it is the application that asks.
  const patient = patience({ RestError, createHttpHeaders }, { waits, principal: 'application', now })
  return {
    retryOptions: { maxRetries: 0 },
    httpClient: {
      sendRequest(request) {
        if (request.timeout === 0) request.timeout = deadlineMs
        return patient.sendRequest(request, (passed) => inner.sendRequest(passed))
      },
    },
  }
}

/** A managed identity, or without its `clientId` the bot registration itself. */
export function credentialOf(
  bot: { readonly tenantId?: string; readonly appId?: string; readonly password?: string },
  clientId: string | undefined,
  now: () => number,
): TokenCredential {
  const { tenantId, appId, password } = bot
  const options = tokenOptions(new Map(), now)
  if (clientId === undefined && tenantId !== undefined && appId !== undefined && password !== undefined)
    return new ClientSecretCredential(tenantId, appId, password, options)
  return new ManagedIdentityCredential({ ...options, ...(clientId !== undefined && { clientId }) })
}

/** `authority`: `https://<host>/<tenant>` of a cloud that is not the public one. */
type Registration = {
  readonly tenantId: string
  readonly appId: string
  readonly password?: string
  readonly cloud?: { readonly authority: string; readonly scope: string }
}

/**
 * What the bot proves to Teams who it is with: its registration's own token for `scope`, asked for once by all who need
 * it, and renewed when half of its time is over. While that fails, the old one is used to its end.
 */
export function teamsToken(
  { tenantId, appId, password, cloud }: Registration,
  scope: string,
  now: () => number,
): () => string | Promise<string> {
  const options = tokenOptions(new Map(), now)
  const authority = cloud && new URL(cloud.authority)
  const credential =
    password === undefined
      ? new ManagedIdentityCredential({ ...options, clientId: appId })
      : new ClientSecretCredential(authority?.pathname.slice(1) || tenantId, appId, password, {
          ...options,
          // MSAL would ask login.microsoftonline.com first whether it knows that authority.
          ...(authority && { authorityHost: authority.origin, disableInstanceDiscovery: true }),
        })
  return kept(() => credential.getToken(`${scope}/.default`))
}

const pauseMs = 30_000

/** Ends are moments of this machine's own clock, by which the credential reckons them. */
export function kept(
  fetch: () => Promise<AccessToken>,
  now: () => number = Date.now,
): () => string | Promise<string> {
  let held: { readonly token: string; readonly holds: Wait; rests: Wait } | undefined
  let fetching: Promise<string> | undefined
  const holds = (): boolean => held !== undefined && left(held.holds, now()) > 0
  const renew = async (): Promise<string> => {
    try {
      const { token, expiresOnTimestamp } = await fetch()
      const ms = expiresOnTimestamp - now()
      held = { token, holds: waitOf(ms, now()), rests: waitOf(ms / 2, now()) }
      return token
    } catch (error) {
      if (!held || !holds()) throw error
      held.rests = waitOf(pauseMs, now())
      return held.token
    } finally {
      fetching = undefined
    }
  }
  return () => {
    if (held && holds() && left(held.rests, now()) > 0) return held.token
    fetching ??= renew()
    if (!held || !holds()) return fetching
    // While one holds, nobody waits for the next; whoever asks after its end hears what is wrong.
    fetching.catch(() => undefined)
    return held.token
  }
}
