import { AuthorizationManagementClient } from '@azure/arm-authorization'
import { KeyVaultManagementClient } from '@azure/arm-keyvault'
import { ResourceGraphClient } from '@azure/arm-resourcegraph'
import { SignalRManagementClient } from '@azure/arm-signalr'
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline'
import type { Azure } from '../../sandbox/azure/server.ts'
import { bot, subscriptions } from '../../sandbox/seed.ts'

/** Goes to loopback in the clear, while the pipeline around it keeps to https; see sandbox/azure/README.md. */
const inner = createDefaultHttpClient()
const loopback: HttpClient = {
  async sendRequest(request) {
    request.headers.set('x-forwarded-proto', 'https')
    const clear = { ...request, url: request.url.replace(/^https:/, 'http:'), allowInsecureConnection: true }
    return { ...(await inner.sendRequest(clear)), request }
  },
}

/** Microsoft's own clients against the sandbox, as the bot unless somebody else is named. */
export function clientsFor(
  azure: Azure,
  principal: string = bot.objectId,
  subscription: string = subscriptions.main.id,
) {
  const credential = {
    getToken: async () => ({
      token: await azure.identity.tokenFor(principal),
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  }
  const options = {
    endpoint: azure.url.replace('http:', 'https:'),
    httpClient: loopback,
    retryOptions: { maxRetries: 0 },
  }
  return {
    signalr: new SignalRManagementClient(credential, subscription, { ...options, apiVersion: '2024-03-01' }),
    vault: new KeyVaultManagementClient(credential, subscription, options),
    authorization: new AuthorizationManagementClient(credential, subscription, options),
    graph: new ResourceGraphClient(credential, options),
  }
}

function versionOf(path: string): string {
  if (/Microsoft\.Authorization/i.test(path)) return '2022-04-01'
  if (/Microsoft\.KeyVault/i.test(path)) return '2024-11-01'
  return /Microsoft\.(SignalRService|ResourceGraph)/i.test(path) ? '2024-03-01' : '2022-12-01'
}

/** A bare call, for what the clients would not send or show. */
export async function call(
  azure: Pick<Azure, 'url'> & { readonly identity: Pick<Azure['identity'], 'tokenFor'> },
  method: string,
  path: string,
  options: {
    principal?: string | undefined
    body?: unknown
    version?: string
    query?: string
    headers?: Record<string, string>
  } = {},
): Promise<{ status: number; body: unknown; headers: Headers }> {
  const principal = 'principal' in options ? options.principal : bot.objectId
  const query = `api-version=${options.version ?? versionOf(path)}${options.query ? `&${options.query}` : ''}`
  const response = await fetch(`${azure.url}${path}?${query}`, {
    method,
    headers: {
      ...(principal !== undefined && { authorization: `Bearer ${await azure.identity.tokenFor(principal)}` }),
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
  }
}

export const signalrPath = `/subscriptions/${subscriptions.main.id}/resourceGroups/contoso/providers/Microsoft.SignalRService/signalR/contoso-signalr`
export const linkPath = (name: string, signalr: string = signalrPath): string =>
  `${signalr}/sharedPrivateLinkResources/${name}`
export const vaultPath = (name = 'contoso-kv', group = 'contoso'): string =>
  `/subscriptions/${subscriptions.main.id}/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${name}`
export const wish = (
  message = 'please approve [vaultlink 0123456789abcdef0123456789abcdef]',
  target = vaultPath(),
) => ({
  properties: { groupId: 'vault', privateLinkResourceId: target, requestMessage: message },
})

/** The error code of a reply. */
export function codeOf(reply: { body: unknown }): string | undefined {
  const { body } = reply
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined
  const { error } = body
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}
