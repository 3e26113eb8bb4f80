import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { bot, people } from '../../sandbox/seed.ts'
import { clientsFor, linkPath, vaultPath, wish } from './clients.ts'
import { because, conform } from './specification.ts'

const collect = async <T>(all: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = []
  for await (const one of all) found.push(one)
  return found
}

describe("Microsoft's own clients", () => {
  let azure: Azure
  beforeAll(async () => {
    azure = await startAzure()
  })
  afterAll(() => azure.close())

  test('arm-signalr makes a link, follows its operation to the end and deletes it', async () => {
    const { signalr } = clientsFor(azure)
    const links = signalr.signalRSharedPrivateLinkResources
    const { groupId, privateLinkResourceId, requestMessage } = wish().properties
    const poller = await links.beginCreateOrUpdate(
      'kv-contoso-kv',
      'contoso',
      'contoso-signalr',
      { groupId, privateLinkResourceId, requestMessage },
      { updateIntervalInMs: 1 },
    )
    expect((await links.get('kv-contoso-kv', 'contoso', 'contoso-signalr')).provisioningState).toBe(
      'Creating',
    )
    azure.turn(60_000)
    const made = await poller.pollUntilDone()
    expect(made).toMatchObject({ name: 'kv-contoso-kv', provisioningState: 'Succeeded', status: 'Pending' })
    azure.turn(5_000)
    expect(azure.connections('contoso-kv')).toHaveLength(1)

    const resumed = await links.beginCreateOrUpdate(
      'kv-contoso-kv',
      'contoso',
      'contoso-signalr',
      { groupId, privateLinkResourceId },
      { resumeFrom: poller.toString(), updateIntervalInMs: 1 },
    )
    await resumed.pollUntilDone()
    const puts = azure.events.filter((event) => event.kind === 'arm' && event.method === 'PUT')
    expect(puts).toHaveLength(1)

    expect((await collect(links.list('contoso', 'contoso-signalr'))).map((one) => one.name)).toEqual([
      'kv-contoso-kv',
    ])
    const instances = await collect(signalr.signalR.listBySubscription())
    const host = instances.find((one) => one.name === 'contoso-signalr')
    expect(host?.sharedPrivateLinkResources?.map((one) => one.status)).toEqual(['Pending'])

    const removal = await links.beginDelete('kv-contoso-kv', 'contoso', 'contoso-signalr', {
      updateIntervalInMs: 1,
    })
    azure.turn(30_000)
    await removal.pollUntilDone()
    await expect(links.get('kv-contoso-kv', 'contoso', 'contoso-signalr')).rejects.toMatchObject({
      statusCode: 404,
      code: 'ResourceNotFound',
    })
    expect(azure.connections('contoso-kv')).toEqual([])
  })

  test('arm-keyvault reads vaults and approves the connection, and SignalR hears of it', async () => {
    const { signalr, vault } = clientsFor(azure)
    azure.portal.createLink('contoso-signalr', 'contoso-kv', 'kv-contoso-kv', 'please approve')
    azure.turn(65_000)
    const [connection] = await collect(
      vault.privateEndpointConnections.listByResource('contoso', 'contoso-kv'),
    )
    expect(connection?.privateLinkServiceConnectionState).toMatchObject({
      status: 'Pending',
      description: 'please approve',
    })
    expect(connection?.etag).toBeUndefined()
    const name = connection?.name ?? ''
    const approved = await vault.privateEndpointConnections.put('contoso', 'contoso-kv', name, {
      privateEndpoint: {},
      privateLinkServiceConnectionState: { status: 'Approved', description: 'please approve, done' },
    })
    expect(approved).toMatchObject({
      provisioningState: 'Updating',
      privateEndpoint: { id: connection?.privateEndpoint?.id },
      privateLinkServiceConnectionState: { status: 'Approved', description: 'please approve, done' },
    })
    azure.turn(180_000)
    const settled = await vault.privateEndpointConnections.get('contoso', 'contoso-kv', name)
    expect(settled.provisioningState).toBe('Succeeded')
    expect(settled.etag).not.toBe(approved.etag)
    const link = await signalr.signalRSharedPrivateLinkResources.get(
      'kv-contoso-kv',
      'contoso',
      'contoso-signalr',
    )
    expect(link.status).toBe('Approved')

    const one = await vault.vaults.get('contoso', 'contoso-kv')
    expect(one.properties.publicNetworkAccess).toBe('Enabled')
    expect(one.properties.privateEndpointConnections?.[0]).toMatchObject({
      id: connection?.id,
      privateLinkServiceConnectionState: { status: 'Approved' },
    })
    const embedded = await collect(vault.vaults.listBySubscription())
    expect(embedded.map((found) => found.name)).toEqual([
      'contoso-kv',
      'contoso-certs',
      'solo-kv',
      'orphan-kv',
    ])
    expect((await collect(vault.vaults.listByResourceGroup('solo'))).map((found) => found.name)).toEqual([
      'solo-kv',
    ])
    expect((await collect(vault.vaults.list())).length).toBe(4)
    const removal = vault.privateEndpointConnections.delete('contoso', 'contoso-kv', name, {
      updateIntervalInMs: 1,
    })
    await expect(removal).rejects.toMatchObject({ statusCode: 403, code: 'AuthorizationFailed' })
    azure.portal.removeConnection('contoso-kv')
    azure.turn(180_000)
    expect(azure.links()[0]?.status).toBe('Disconnected')
  })

  test('arm-keyvault deletes a connection with its poller', async () => {
    azure.portal.addConnection('contoso-certs', 'a stranger')
    azure.rights.grant(people.owner.objectId, 'contributor', vaultPath('contoso-certs'))
    const { vault } = clientsFor(azure, people.owner.objectId)
    const name = azure.connections('contoso-certs')[0]?.name ?? ''
    const poller = vault.privateEndpointConnections.delete('contoso', 'contoso-certs', name, {
      updateIntervalInMs: 1,
    })
    await poller.submitted()
    expect(azure.connections('contoso-certs')[0]?.provisioningState).toBe('Deleting')
    azure.turn(30_000)
    await poller
    expect(azure.connections('contoso-certs')).toEqual([])
  })

  test('arm-authorization follows groups and ancestors, and finds the definitions', async () => {
    const { authorization } = clientsFor(azure)
    const scope = vaultPath()
    const of = async (filter: string) =>
      (await collect(authorization.roleAssignments.listForScope(scope, { filter }))).map((one) => ({
        principalId: one.principalId,
        scope: one.scope,
        definition: one.roleDefinitionId ?? '',
      }))
    const second = await of(`assignedTo('${people.second.objectId}')`)
    expect(second).toMatchObject([{ scope: expect.stringMatching(/\/resourceGroups\/contoso$/) }])
    expect(await of(`principalId eq '${people.second.objectId}'`)).toEqual([])
    expect(await of(`assignedTo('${people.owner.objectId}')`)).toHaveLength(1)
    expect((await of('atScope()')).length).toBeGreaterThan(3)
    expect(await of(`assignedTo('${people.outsider.objectId}')`)).toHaveLength(1)
    const definition = await authorization.roleDefinitions.getById(second[0]?.definition ?? '')
    expect(definition.permissions?.[0]?.actions).toContain(
      'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action',
    )
    expect(await collect(authorization.denyAssignments.listForScope(scope))).toEqual([])
    azure.rights.deny(people.owner.objectId, 'Microsoft.KeyVault/*', scope)
    const denials = await collect(authorization.denyAssignments.listForScope(scope))
    expect(denials[0]?.permissions?.[0]?.actions).toEqual(['Microsoft.KeyVault/*'])
    await expect(of("typo eq 'x'")).rejects.toMatchObject({ statusCode: 400 })
  })

  test('arm-resourcegraph finds by name what the caller may read, in every subscription', async () => {
    const columns = 'id, name, type, location, resourceGroup, subscriptionId, tags, sku, properties'
    const ask = async (query: string, principal: string = bot.objectId) => {
      const { graph } = clientsFor(azure, principal)
      const answer = await graph.resources({ query, options: { resultFormat: 'objectArray' } })
      const rows: unknown = answer.data
      return Array.isArray(rows) ? rows : []
    }
    const named = await ask(
      `resources | where type =~ 'Microsoft.SignalRService/SignalR' and name =~ 'CONTOSO-chat' | project ${columns} | limit 10`,
    )
    expect(named.map((row) => row.resourceGroup).sort()).toEqual(['chat-blue', 'chat-green'])
    expect(named[0]).toMatchObject({ type: 'microsoft.signalrservice/signalr', sku: { name: 'Standard_S1' } })
    const labs = await ask("resources | where type == 'microsoft.keyvault/vaults' | where name == 'labs-kv'")
    expect(labs).toMatchObject([{ properties: { publicNetworkAccess: 'Enabled' } }])
    expect(await ask("resources | where name =~ 'contoso-kv'", people.requester.objectId)).toEqual([])
    const requesters = await ask('resources | project name', people.requester.objectId)
    expect(requesters.map((row) => row.name)).not.toContain('labs-signalr')
    await expect(ask('resources | summarize count() by type')).rejects.toMatchObject({ statusCode: 400 })
    await expect(ask("resources | where name == 'it's'")).rejects.toMatchObject({ statusCode: 400 })
  })

  test('a client sees a failed operation fail, and a full page of many', async () => {
    const { signalr, vault } = clientsFor(azure)
    azure.configure({ operationOutcome: 'Failed', pageSize: 1 })
    const { groupId, privateLinkResourceId } = wish().properties
    const poller = await signalr.signalRSharedPrivateLinkResources.beginCreateOrUpdate(
      'doomed',
      'chat-blue',
      'contoso-chat',
      { groupId, privateLinkResourceId },
      { updateIntervalInMs: 1 },
    )
    azure.turn(60_000)
    await expect(poller.pollUntilDone()).rejects.toThrow(/could not be created/)
    const failed = await signalr.signalRSharedPrivateLinkResources.get('doomed', 'chat-blue', 'contoso-chat')
    expect(failed.provisioningState).toBe('Failed')
    expect(await collect(vault.vaults.listBySubscription())).toHaveLength(4)
    expect(await collect(signalr.signalR.listByResourceGroup('contoso'))).toHaveLength(3)
    expect(azure.links().some((link) => link.id.endsWith(linkPath('doomed').split('/').at(-1) ?? ''))).toBe(
      true,
    )
  })

  conform(`what they sent fits the OpenAPI files${because}`, () => {
    expect(azure.conformity()).toMatchObject({
      requests: {
        PrivateEndpointConnections_Put: expect.any(Number),
        SignalRSharedPrivateLinkResources_CreateOrUpdate: expect.any(Number),
      },
      misfits: {},
    })
  })
})
