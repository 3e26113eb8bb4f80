/** The JavaScript SDKs against the local Azure over TLS, with `@azure/identity`'s own credential and nothing of ours between. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { KeyVaultManagementClient } from '@azure/arm-keyvault'
import { SignalRManagementClient } from '@azure/arm-signalr'
import { ClientSecretCredential } from '@azure/identity'
import { member } from '../../sandbox/azure/routes.ts'
import type { Azure } from '../../sandbox/azure/server.ts'
import { bot, subscriptions, tenantId } from '../../sandbox/seed.ts'
import { vaultPath } from '../sandbox-azure/clients.ts'
import { createRecorder, type Step, until } from './record.ts'

const require = createRequire(import.meta.url)
const versionOf = (name: string): string => {
  const manifest: unknown = require(`${name}/package.json`)
  return `${name} ${member(manifest, 'version')}`
}

const javascriptVersion = `JavaScript SDKs ${versionOf('@azure/arm-signalr')}, ${versionOf('@azure/arm-keyvault')}`

const [group, signalrName, vaultName, link] = ['contoso', 'contoso-signalr', 'contoso-kv', 'by-javascript']

export async function runJavascript(azure: Azure, onStep: (step: Step) => void): Promise<void> {
  if (!azure.tls) throw new Error('The JavaScript SDKs need TLS')
  const { url, ca } = azure.tls
  azure.rights.grant(bot.objectId, 'contributor', vaultPath())
  const tlsOptions = { ca }
  const credential = new ClientSecretCredential(tenantId, bot.appId, bot.secret, {
    authorityHost: url,
    disableInstanceDiscovery: true,
    tlsOptions,
  })
  const common = { endpoint: url, tlsOptions }
  const signalr = new SignalRManagementClient(credential, subscriptions.main.id, {
    ...common,
    apiVersion: '2024-03-01',
  })
  const vaults = new KeyVaultManagementClient(credential, subscriptions.main.id, common)
  const links = signalr.signalRSharedPrivateLinkResources
  const connections = vaults.privateEndpointConnections
  const { step } = createRecorder(azure, javascriptVersion, onStep)
  let name = ''

  await step('signalR.listBySubscription()', async () => {
    const names: unknown[] = []
    for await (const one of signalr.signalR.listBySubscription()) names.push(one.name)
    assert.ok(names.includes(signalrName))
    return `${names.length} found`
  })
  await step('signalRSharedPrivateLinkResources.beginCreateOrUpdateAndWait(…)', async () => {
    const made = await links.beginCreateOrUpdateAndWait(link, group, signalrName, {
      groupId: 'vault',
      privateLinkResourceId: vaultPath(),
      requestMessage: 'by JavaScript',
    })
    assert.deepEqual([made.provisioningState, made.status], ['Succeeded', 'Pending'])
    return 'Succeeded, Pending'
  })
  await step('privateEndpointConnections.listByResource(…)', async () => {
    const one = await until('the connection', async () => {
      for await (const found of connections.listByResource(group, vaultName)) return found
      return undefined
    })
    name = one.name ?? ''
    assert.equal(one.privateLinkServiceConnectionState?.status, 'Pending')
    return 'Pending'
  })
  await step('privateEndpointConnections.put(… Approved)', async () => {
    const made = await connections.put(group, vaultName, name, {
      privateLinkServiceConnectionState: { status: 'Approved', description: 'by JavaScript' },
    })
    assert.equal(made.privateLinkServiceConnectionState?.status, 'Approved')
    return `Approved, ${made.provisioningState}`
  })
  await step('signalRSharedPrivateLinkResources.get(…) until Approved', async () =>
    until('Approved on SignalR', async () => {
      const { provisioningState, status } = await links.get(link, group, signalrName)
      return status === 'Approved' ? `${provisioningState}, ${status}` : undefined
    }),
  )
  await step('vaults.get(…)', async () => {
    const { properties } = await vaults.vaults.get(group, vaultName)
    const [one] = properties.privateEndpointConnections ?? []
    assert.equal(one?.privateLinkServiceConnectionState?.status, 'Approved')
    return 'with its connection: Approved'
  })
  await step('privateEndpointConnections.delete(…)', async () => {
    await connections.delete(group, vaultName, name)
    assert.deepEqual(azure.connections(vaultName), [])
    return 'gone when the poller ends'
  })
  await step('signalRSharedPrivateLinkResources.beginDeleteAndWait(…)', async () => {
    await links.beginDeleteAndWait(link, group, signalrName)
    await assert.rejects(links.get(link, group, signalrName), { statusCode: 404, code: 'ResourceNotFound' })
    return 'gone: ResourceNotFound'
  })
}
