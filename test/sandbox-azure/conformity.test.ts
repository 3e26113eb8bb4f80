import { expect, test } from '@jest/globals'
import { startAzure } from '../../sandbox/azure/server.ts'
import { bot, people } from '../../sandbox/seed.ts'
import { call, linkPath, signalrPath, vaultPath, wish } from './clients.ts'
import { openapiIsThere, openapiJudge } from './openapi.ts'

const conform = openapiIsThere ? test : test.skip
const because = openapiIsThere ? '' : ' [needs the OpenAPI files in ../shared/azure/openapi]'

conform(`every reply about links and connections fits the OpenAPI files${because}`, async () => {
  const judge = openapiJudge()
  const azure = await startAzure({ extraConnections: 1 })
  const seen = new Set<string>()
  const ask = async (method: string, path: string, options: Parameters<typeof call>[3] = {}) => {
    const answer = await call(azure, method, path, options)
    const verdict = judge(method, path, answer.status, answer.body)
    expect({ ...verdict, body: answer.body }).toEqual({ ...verdict, problems: [], body: answer.body })
    seen.add(verdict.operation)
    return answer
  }
  try {
    azure.rights.grant(bot.objectId, 'contributor', vaultPath())
    azure.rights.grant(bot.objectId, 'reader', signalrPath)
    const links = `${signalrPath}/sharedPrivateLinkResources`
    const connections = `${vaultPath()}/privateEndpointConnections`
    await ask('GET', `${signalrPath}/privateLinkResources`)
    await ask('GET', links)
    await ask('PUT', linkPath('one'), { body: wish() })
    await ask('PUT', linkPath('two'), { body: wish() })
    await ask('GET', linkPath('one'))
    azure.turn(65_000)
    await ask('GET', linkPath('one'))
    await ask('GET', links)
    await ask('GET', connections)
    const path = azure.connections('contoso-kv')[0]?.id ?? ''
    await ask('GET', path)
    const decide = (status: string) => ({
      body: {
        properties: { privateEndpoint: {}, privateLinkServiceConnectionState: { status, description: 'x' } },
      },
    })
    await ask('PUT', path, decide('Approved'))
    await ask('PUT', path, decide('Approved'))
    await ask('PUT', path, { body: {} })
    azure.turn(66_000)
    await ask('PUT', path, decide('Approved'))
    await ask('GET', path)
    azure.turn(180_000)
    await ask('GET', linkPath('one'))
    await ask('PUT', linkPath('one'), { body: wish() })
    await ask('PUT', linkPath('wrong'), { body: { properties: { groupId: 'vault' } } })
    azure.turn(65_000)
    await ask('GET', `${connections}/none`)
    azure.configure({ missingConnection: 204 })
    await ask('GET', `${connections}/none`)
    await ask('DELETE', path)
    azure.turn(30_000)
    await ask('DELETE', path)
    await ask('DELETE', linkPath('one'))
    await ask('GET', linkPath('one'))
    azure.turn(30_000)
    await ask('GET', linkPath('one'))
    await ask('DELETE', linkPath('one'))
    await ask('GET', links, { principal: undefined })
    await ask('GET', links, { principal: people.guest.objectId })
    await ask('GET', connections, { principal: people.guest.objectId })
    await ask('GET', `${vaultPath('none')}/privateEndpointConnections`, { version: '1999-01-01' })
    expect([...seen].map((one) => one.replace(/^(\S+) .*\/(\S+) (\d+)$/, '$1 $2 $3')).sort()).toMatchObject(
      expect.arrayContaining([
        'DELETE {privateEndpointConnectionName} 202',
        'DELETE {privateEndpointConnectionName} 204',
        'DELETE {sharedPrivateLinkResourceName} 202',
        'DELETE {sharedPrivateLinkResourceName} 204',
        'GET privateEndpointConnections 200',
        'GET privateEndpointConnections 400',
        'GET privateEndpointConnections 403',
        'GET {privateEndpointConnectionName} 200',
        'GET {privateEndpointConnectionName} 204',
        'GET {privateEndpointConnectionName} 404',
        'PUT {privateEndpointConnectionName} 200',
        'PUT {privateEndpointConnectionName} 400',
        'PUT {privateEndpointConnectionName} 409',
        'PUT {sharedPrivateLinkResourceName} 200',
        'PUT {sharedPrivateLinkResourceName} 201',
        'PUT {sharedPrivateLinkResourceName} 400',
        'PUT {sharedPrivateLinkResourceName} 409',
      ]),
    )
  } finally {
    await azure.close()
  }
})
