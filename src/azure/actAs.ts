/**
 * One call to Azure as a person: the token with which Teams signed them in is exchanged for one that Azure Resource
 * Manager takes, by OAuth's on-behalf-of grant. https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow
 */
import type { AccessToken, TokenCredential } from '@azure/identity'
import { type ActAs, type Log, type Unable, Unanswered } from '../engine/ports.ts'
import { claimsOf } from './claims.ts'
import { createClients, tokenScope } from './clients.ts'
import { tokenOptions } from './credential.ts'
import { within } from './deadline.ts'
import type { Reading } from './looks.ts'
import type { Waits } from './patience.ts'
import { createPerform } from './perform.ts'
import { createSharedPrivateLinks } from './sharedPrivateLinks.ts'
import { createVaultConnections } from './vaultConnections.ts'

/** The application that acts for people, and how it proves itself: by a secret, or by what another identity vouches. */
export type ActingApplication = {
  readonly tenantId: string
  readonly clientId: string
  readonly proof: { readonly clientSecret: string } | { readonly getAssertion: () => Promise<string> }
  /** Entra ID, unless it is the public cloud's. */
  readonly authorityHost?: string
}

const consentMissing = 'AADSTS65001'

export function createActAs(options: {
  readonly application: ActingApplication
  readonly endpoint: string
  readonly reading: Reading
  readonly waits: Waits
}): ActAs {
  const { application, endpoint, reading, waits } = options
  const { deadlineMs, now, log } = reading
  return async (token, person, signal) => {
    const { oid, tid } = claimsOf(token)
    // Believed once Entra has taken the token: it takes none but its own, for this application, and in time.
    if (oid !== person.objectId || tid !== person.tenant) {
      log('warn', 'approver.notTheirs')
      return { is: 'notTheirs' }
    }
    try {
      const credential = await within(deadlineMs, signal, async (both) => {
        const exchange = await credentialFor(token, application, tokenOptions(waits, now))
        return held(await exchange.getToken(tokenScope(endpoint), { abortSignal: both }))
      })
      const clients = createClients({
        endpoint,
        credential,
        principal: person.objectId,
        deadlineMs,
        waits,
        now,
      })
      const links = createSharedPrivateLinks(clients, reading)
      const vaults = createVaultConnections(clients, reading)
      return { is: 'acting', perform: createPerform(links, vaults, reading) }
    } catch (error) {
      return unable(error, log)
    }
  }
}

async function credentialFor(
  userAssertionToken: string,
  { tenantId, clientId, proof, authorityHost }: ActingApplication,
  common: ReturnType<typeof tokenOptions>,
): Promise<TokenCredential> {
  const { OnBehalfOfCredential } = await import('@azure/identity')
  const options = {
    ...common,
    tenantId,
    clientId,
    userAssertionToken,
    // The public cloud's Entra would be asked whether it knows the other one.
    ...(authorityHost !== undefined && { authorityHost, disableInstanceDiscovery: true }),
  }
  return 'clientSecret' in proof
    ? new OnBehalfOfCredential({ ...options, clientSecret: proof.clientSecret })
    : new OnBehalfOfCredential({ ...options, getAssertion: proof.getAssertion })
}

/** For one call the token that there is will do: nothing is asked of Entra in the midst of it. */
function held(token: AccessToken | null): TokenCredential {
  if (!token) throw new Error('The credential gave no token')
  return { getToken: async () => token }
}

/** What Entra says in its codes; its sentences may quote what was sent. https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
function unable(error: unknown, log: Log): Unable {
  const code = error instanceof Error ? /AADSTS\d+/.exec(error.message)?.[0] : undefined
  log('warn', 'approver.unable', {
    code: code ?? (error instanceof Error ? error.name : 'unknown'),
  })
  if (code === undefined) throw new Unanswered('Entra did not answer', { cause: error })
  return code === consentMissing ? { is: 'consentMissing' } : { is: 'tokenRefused', code }
}
