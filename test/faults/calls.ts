/** Every kind of call that the bot makes, by the name that the table in docs/reliability.md has for it. */
import type { PeerName } from './peers.ts'

type Kind = { readonly peer: PeerName; readonly method: string; readonly path: RegExp }

const signalr = '/signalR/[^/]+'
const vault = '/vaults/[^/]+'
const conversation = '/v3/conversations/[^/]+'
const kind = (peer: PeerName, method: string, end: string): Kind => ({
  peer,
  method,
  path: new RegExp(`${end}$`, 'i'),
})

export const kinds = {
  'find by name': kind('arm', 'POST', '/Microsoft\\.ResourceGraph/resources'),
  'list subscriptions': kind('arm', 'GET', '^/subscriptions'),
  'list SignalRs': kind('arm', 'GET', '^/subscriptions/[^/]+/providers/Microsoft\\.SignalRService/signalR'),
  'list vaults': kind('arm', 'GET', '^/subscriptions/[^/]+/providers/Microsoft\\.KeyVault/vaults'),
  'read the SignalR': kind('arm', 'GET', signalr),
  'list its replicas': kind('arm', 'GET', `${signalr}/replicas`),
  'list its links': kind('arm', 'GET', `${signalr}/sharedPrivateLinkResources`),
  'read the link': kind('arm', 'GET', `${signalr}/sharedPrivateLinkResources/[^/]+`),
  'make the link': kind('arm', 'PUT', `${signalr}/sharedPrivateLinkResources/[^/]+`),
  'remove the link': kind('arm', 'DELETE', `${signalr}/sharedPrivateLinkResources/[^/]+`),
  'follow the operation': kind('arm', 'GET', `${signalr}/operationStatuses/[^/]+`),
  'read the vault': kind('arm', 'GET', vault),
  'list its connections': kind('arm', 'GET', `${vault}/privateEndpointConnections`),
  'read the connection': kind('arm', 'GET', `${vault}/privateEndpointConnections/[^/]+`),
  'approve or reject': kind('arm', 'PUT', `${vault}/privateEndpointConnections/[^/]+`),
  'role assignments': kind('arm', 'GET', '/Microsoft\\.Authorization/roleAssignments'),
  'role definition': kind('arm', 'GET', '/Microsoft\\.Authorization/roleDefinitions/[^/]+'),
  'deny assignments': kind('arm', 'GET', '/Microsoft\\.Authorization/denyAssignments'),
  "the identity's token": kind('identity', 'GET', '/msi/token'),
  "the login's document": kind('login', 'GET', '/\\.well-known/openid-configuration'),
  "the bot's token for Teams": kind('login', 'POST', '/oauth2/v2\\.0/token'),
  "Entra's document": kind('entra', 'GET', '/\\.well-known/openid-configuration'),
  "exchange a person's token": kind('entra', 'POST', '/oauth2/v2\\.0/token'),
  'the OpenID document': kind('teams', 'GET', '/\\.well-known/openidconfiguration'),
  'the signing keys': kind('teams', 'GET', '/\\.well-known/keys'),
  'who somebody is': kind('teams', 'GET', `${conversation}/members/[^/]+`),
  'who is in the channel': kind('teams', 'GET', `${conversation}/pagedmembers`),
  'begin a thread': kind('teams', 'POST', '/v3/conversations'),
  'post a message': kind('teams', 'POST', `${conversation}/activities`),
  'answer a message': kind('teams', 'POST', `${conversation}/activities/[^/]+`),
  'update a message': kind('teams', 'PUT', `${conversation}/activities/[^/]+`),
} as const satisfies Readonly<Record<string, Kind>>
export type CallName = keyof typeof kinds

const named = Object.entries(kinds) as [CallName, Kind][]

/** Undefined when the table has no such call. */
export const nameOf = (peer: PeerName, method: string, path: string): CallName | undefined =>
  named.find(([, one]) => one.peer === peer && one.method === method && one.path.test(path))?.[0]
