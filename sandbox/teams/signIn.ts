/**
 * What a client does when a pressed card asks it to sign somebody in: it gets a token for the bot's application from Entra ID
 * and presses again with it; without the person's consent it asks them for that first.
 * https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/universal-actions-for-adaptive-cards/sso-adaptive-cards-universal-action
 */
import { teamsClient } from '../entra/directory.ts'
import { directory, type PersonKey, people } from '../seed.ts'
import { type Json, record, string } from './json.ts'

export type LoginRequest = {
  readonly id: string
  readonly connectionName: string
  /** The application to get a token for; without one a client only shows text and button. */
  readonly uri: string | undefined
  readonly text: string
  readonly page: string | undefined
}

/** The OAuth card in an answer of 401; undefined when it is not as Teams wants it. */
export function loginRequestIn(value: unknown): LoginRequest | undefined {
  const card = record(value)
  const resource = record(card?.tokenExchangeResource)
  const connectionName = string(card?.connectionName)
  const [button] = Array.isArray(card?.buttons) ? card.buttons.map(record) : []
  // Teams may ignore a request without a connection's name, and one without a button.
  if (!connectionName || button?.type !== 'signin') return undefined
  return {
    id: string(resource?.id) ?? '',
    connectionName,
    uri: string(resource?.uri),
    text: string(card?.text) ?? '',
    page: string(button.value),
  }
}

/** A token for the application, as Teams' own client gets it; undefined where Entra ID gives it none. */
export async function singleSignOn(entra: string, who: PersonKey, uri: string): Promise<string | undefined> {
  const person = directory.people.find(({ objectId }) => objectId === people[who].objectId)
  const answer = await fetch(`${entra}/${directory.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      // The person signed in to Teams long before; here the client does it anew each time.
      grant_type: 'password',
      client_id: teamsClient,
      username: person?.userPrincipalName ?? '',
      password: person?.password ?? '',
      scope: `${uri}/access_as_user`,
    }),
  })
  return string(record(await answer.json())?.access_token)
}

/** The person agrees, on Entra ID's page, that the application acts for them. */
export async function consent(entra: string, who: PersonKey, uri: string): Promise<void> {
  const body = { principal: people[who].objectId, application: uri }
  const answer = await fetch(`${entra}/_sandbox/consent`, { method: 'POST', body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`Entra ID did not take the consent: ${await answer.text()}`)
}

/** The press, sent once more with the token. */
export const withToken = (value: Json, { id, connectionName }: LoginRequest, token: string): Json => ({
  ...value,
  authentication: { id, connectionName, token },
})
