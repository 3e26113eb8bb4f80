/** As whom the bot acts on Azure, and how often it asks for a token. */
import {
  createDefaultHttpClient,
  createHttpHeaders,
  type HttpClient,
  RestError,
} from '@azure/core-rest-pipeline'
import { ClientSecretCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity'
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
