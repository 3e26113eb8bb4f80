import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from '@jest/globals'
import { readOpenapi } from '../../sandbox/azure/openapi.ts'
import { type Azure, choices, startAzure } from '../../sandbox/azure/server.ts'
import { defaults } from '../../sandbox/azure/switches.ts'
import type { Tally } from '../../sandbox/azure/tally.ts'
import { bot, people, subscriptions } from '../../sandbox/seed.ts'
import { call, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'
import { startSandboxIn } from './sandboxProcess.ts'
import { because, conform, folderWith, openapi, specification } from './specification.ts'

let azure: Azure
afterEach(() => azure?.close())

function tally(): Tally {
  const found = azure.conformity()
  if (!found) throw new Error('The sandbox was not told where the OpenAPI files are')
  return found
}

/** All that can be asked about links and connections, from the first wish to the last trace. */
async function everything(): Promise<void> {
  azure.rights.grant(bot.objectId, 'contributor', vaultPath())
  azure.rights.grant(bot.objectId, 'reader', signalrPath)
  const links = `${signalrPath}/sharedPrivateLinkResources`
  const connections = `${vaultPath()}/privateEndpointConnections`
  const ask = (method: string, path: string, options: Parameters<typeof call>[3] = {}) =>
    call(azure, method, path, options)
  /** Asks where a long-running operation sent its caller. */
  const poll = async (begun: Awaited<ReturnType<typeof call>>) => {
    const { pathname, searchParams } = new URL(begun.headers.get('location') ?? azure.url)
    const version = searchParams.get('api-version') ?? ''
    searchParams.delete('api-version')
    return ask('GET', pathname, { version, query: String(searchParams) })
  }
  await ask('GET', `${signalrPath}/privateLinkResources`)
  await ask('GET', links)
  const put = await ask('PUT', linkPath('one'), { body: wish() })
  await poll(put)
  await ask('PUT', linkPath('two'), { body: wish() })
  await ask('GET', linkPath('one'))
  azure.turn(65_000)
  await poll(put)
  await ask('GET', linkPath('one'))
  await ask('GET', links)
  await ask('GET', connections)
  const path = azure.connections('contoso-kv')[0]?.id ?? ''
  await ask('GET', path)
  const decide = (status: string) => {
    const state = { status, description: 'x', actionsRequired: 'Restart' }
    return { body: { properties: { privateEndpoint: {}, privateLinkServiceConnectionState: state } } }
  }
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
  const removal = await ask('DELETE', path)
  await poll(removal)
  azure.turn(30_000)
  await poll(removal)
  await ask('DELETE', path)
  azure.turn(180_000)
  await ask('GET', linkPath('one'))
  const deletion = await ask('DELETE', linkPath('one'))
  await poll(deletion)
  await ask('GET', linkPath('one'))
  azure.turn(30_000)
  await poll(deletion)
  await ask('GET', connections)
  await ask('GET', linkPath('one'))
  await ask('DELETE', linkPath('one'))
  await ask('GET', links, { principal: undefined })
  await ask('GET', links, { principal: people.guest.objectId })
  await ask('GET', connections, { principal: people.guest.objectId })
  await ask('GET', `${vaultPath('none')}/privateEndpointConnections`, { version: '1999-01-01' })
}

describe('every reply about links and connections fits the OpenAPI files', () => {
  conform(`and every documented operation that is served has answered${because}`, async () => {
    azure = await startAzure({ extraConnections: 1 })
    const { operations } = await readOpenapi(openapi ?? '')
    await everything()
    const { answers, deviations } = tally()
    expect(deviations).toEqual({})
    expect(Object.keys(answers)).toEqual(
      expect.arrayContaining([
        'PrivateEndpointConnections_Delete 200 polled',
        'PrivateEndpointConnections_Delete 202 polled',
        'PrivateEndpointConnections_Get 404',
        'PrivateEndpointConnections_ListByResource 400',
        'PrivateEndpointConnections_ListByResource 403',
        'PrivateEndpointConnections_Put 400',
        'PrivateEndpointConnections_Put 409',
        'SignalRSharedPrivateLinkResources_CreateOrUpdate 200 polled',
        'SignalRSharedPrivateLinkResources_CreateOrUpdate 202 polled',
        'SignalRSharedPrivateLinkResources_CreateOrUpdate 400',
        'SignalRSharedPrivateLinkResources_CreateOrUpdate 409',
        'SignalRSharedPrivateLinkResources_Delete 204 polled',
        'SignalRSharedPrivateLinkResources_Get 404',
        'SignalRSharedPrivateLinkResources_List 401',
      ]),
    )
    const well = Object.keys(answers).flatMap((answer) => /^(\S+) 2\d\d$/.exec(answer)?.[1] ?? [])
    const unserved = ['InvalidResourceNamespace', 'InvalidResourceType', 'MethodNotAllowed', 'NotFound']
    let served = 0
    for (const { name, method, path } of operations) {
      const there = path
        .replace('{subscriptionId}', subscriptions.main.id)
        .replaceAll(/\{[^}]+\}/g, 'nothing')
      const code = codeOf(await call(azure, method, there))
      if (code !== undefined && unserved.includes(code)) continue
      served += 1
      expect(well).toContain(name)
    }
    expect(served).toBeGreaterThanOrEqual(9)
  })

  conform(`and what ARM refuses by itself fits the form that all its providers share${because}`, async () => {
    azure = await startAzure()
    azure.rights.grant(bot.objectId, 'contributor', vaultPath())
    azure.setRegistration(subscriptions.main.id, 'Microsoft.KeyVault', false)
    const refused = await call(azure, 'DELETE', `${vaultPath()}/privateEndpointConnections/x`)
    expect(refused.body).toMatchObject({ error: { details: [{ target: 'Microsoft.KeyVault' }] } })
    expect(tally()).toMatchObject({ answers: { 'PrivateEndpointConnections_Delete 409': 1 }, deviations: {} })
  })

  const settings = [
    ...Object.entries(choices).flatMap(([name, values]) => values.map((value) => ({ [name]: value }))),
    ...Object.entries(defaults).flatMap(([name, value]) =>
      typeof value === 'boolean' ? [{ [name]: !value }] : [],
    ),
    { pageSize: 1, extraConnections: 2 },
  ]
  conform.each(settings)(`with %j${because}`, async (setting) => {
    azure = await startAzure(setting)
    await everything()
    const { answers, deviations } = tally()
    expect(deviations).toEqual({})
    expect(Object.keys(answers).length).toBeGreaterThanOrEqual(20)
  })
})

const link = '/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.SignalRService/signalR/{n}'
const replicas = specification({
  [`get ${link}/replicas`]: { operationId: 'Replicas_List', responses: { 200: { schema: {} } } },
})
const replicasPath = `${signalrPath}/replicas`

describe('the count', () => {
  test('is of what ARM itself answers, described or not', async () => {
    azure = await startAzure({ openapi: await folderWith({ 'replicas.json': replicas }) })
    azure.fail({ times: 1, status: 418 })
    for (let asked = 0; asked < 3; asked += 1) await call(azure, 'GET', replicasPath)
    azure.fail({ times: 1, how: 'reset', when: 'after' })
    await expect(call(azure, 'GET', replicasPath)).rejects.toThrow()
    await call(azure, 'GET', vaultPath())
    const answer = await call(azure, 'GET', '/_sandbox/conformity')
    expect(answer.body).toEqual({
      documented: 1,
      answers: { 'Replicas_List 200': 2 },
      undescribed: 1,
      deviations: {},
      requests: {},
      misfits: {},
    })
    expect(tally()).toEqual(answer.body)
  })

  test('is of what is asked, too, and a body that does not fit is no deviation of the sandbox', async () => {
    const properties = { properties: { type: 'object', required: ['groupId'] } }
    const put = {
      operationId: 'Links_Put',
      parameters: [{ name: 'link', in: 'body', schema: { type: 'object', properties } }],
      responses: { 201: { schema: {} }, default: { schema: {} } },
    }
    const links = specification({ [`put ${link}/sharedPrivateLinkResources/{l}`]: put })
    azure = await startAzure({ openapi: await folderWith({ 'links.json': links }) })
    await call(azure, 'PUT', linkPath('our'), { body: { properties: {} } })
    await call(azure, 'PUT', linkPath('our'), { body: { properties: { groupId: 'vault' }, no: 1 } })
    expect(tally()).toMatchObject({
      deviations: {},
      requests: { Links_Put: 2 },
      misfits: {
        "Links_Put 400: body/properties must have required property 'groupId'": 1,
        'Links_Put 400: body/no is not in the schema': 1,
      },
    })
  })

  test('is not taken where nobody said where the files are', async () => {
    delete process.env.SANDBOX_OPENAPI
    try {
      azure = await startAzure()
    } finally {
      if (openapi !== undefined) process.env.SANDBOX_OPENAPI = openapi
    }
    await call(azure, 'GET', replicasPath)
    expect(azure.conformity()).toBeUndefined()
    expect((await call(azure, 'GET', '/_sandbox/conformity')).status).toBe(400)
  })
})

describe('a reply is held against', () => {
  const connection = `${vaultPath('{v}').replace(subscriptions.main.id, '{s}')}/privateEndpointConnections/{c}`

  test('the operation that sent its caller to poll there, once that is over', async () => {
    const removal = {
      operationId: 'Connections_Delete',
      'x-ms-long-running-operation': true,
      responses: { 200: { schema: { type: 'string' } }, 202: {} },
    }
    const files = { 'vaults.json': specification({ [`delete ${connection}`]: removal }) }
    azure = await startAzure({ openapi: await folderWith(files) })
    azure.rights.grant(bot.objectId, 'contributor', vaultPath())
    azure.portal.addConnection('contoso-kv', 'x')
    const begun = await call(azure, 'DELETE', azure.connections('contoso-kv')[0]?.id ?? '')
    const { pathname, searchParams } = new URL(begun.headers.get('location') ?? '')
    const poll = () =>
      call(azure, 'GET', pathname, { query: `operationid=${searchParams.get('operationid')}` })
    expect((await poll()).status).toBe(202)
    azure.turn(30_000)
    expect((await poll()).status).toBe(200)
    const { answers, deviations } = tally()
    expect(Object.keys(answers)).toEqual([
      'Connections_Delete 202',
      'Connections_Delete 202 polled',
      'Connections_Delete 200 polled',
    ])
    expect(deviations).toEqual({ 'Connections_Delete 200 polled: body must be string': 1 })
  })

  test('the form that all providers share, where ARM itself refuses', async () => {
    const read = { operationId: 'Connections_Get', responses: { 200: {}, default: { schema: {} } } }
    const properties = { error: { type: 'object', properties: { code: { type: 'string' } } } }
    const ErrorResponse = { type: 'object', properties }
    const files = { 'vaults.json': specification({ [`get ${connection}`]: read }, { ErrorResponse }) }
    azure = await startAzure({ openapi: await folderWith(files) })
    const path = `${vaultPath()}/privateEndpointConnections/x`
    await call(azure, 'GET', path, { principal: people.guest.objectId })
    expect(tally().deviations).toEqual({
      'Connections_Get 403: body/error/message is not in the schema': 1,
    })
  })
})

describe('a deviation', () => {
  const { PATH, HOME } = process.env
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const deviating = specification({
    [`get ${link}/replicas`]: {
      operationId: 'Replicas_List',
      responses: { 200: { schema: { type: 'object', properties: { value: { type: 'string' } } } } },
    },
  })
  const line = 'Replicas_List 200: body/value must be string'

  const run = async (file?: object): Promise<{ code: number; lines: string[] }> => {
    const SANDBOX_OPENAPI = file ? await folderWith({ 'replicas.json': file }) : ''
    return new Promise((resolve) =>
      execFile(
        process.execPath,
        [
          '--experimental-vm-modules',
          'node_modules/jest/bin/jest.js',
          ...['test/sandbox-azure/envelope', '-t', '^replicas are listed$'],
        ],
        { cwd: root, env: { PATH, HOME, SANDBOX_OPENAPI } },
        (error, output) =>
          resolve({
            code: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
            lines: output.trimEnd().split('\n'),
          }),
      ),
    )
  }

  test('fails the run that it happens in, and no other', async () => {
    const [good, bad, unjudged] = await Promise.all([run(replicas), run(deviating), run()])
    expect(good.code).toBe(0)
    expect(good.lines.at(-2)).toBe(
      "conformity: 1 reply of the local Azure checked against Microsoft's OpenAPI files, 1 of 1 documented operations, 1 kind of answer (operation and status), 0 deviations; 0 replies to paths that the files do not describe; 0 request bodies, 0 of them not as documented",
    )
    expect(good.lines.at(-1)).toMatch(/^1 passed, 0 failed, \d+ skipped$/)
    expect(bad.code).toBe(1)
    expect(bad.lines).toContain(`deviation: ${line} (1 time)`)
    expect(bad.lines.at(-2)).toMatch(/1 deviation;/)
    expect(bad.lines.at(-1)).toMatch(/^1 passed, 1 failed, \d+ skipped$/)
    expect(unjudged.code).toBe(0)
    expect(unjudged.lines.at(-2)).toMatch(/^conformity: not checked, for want of/)
  })

  /** `npm run sandbox:azure`, asked twice for the replicas; what it said on stderr until it was ended. */
  const served = async (
    options: string[],
    environment: Readonly<Record<string, string>>,
    end: NodeJS.Signals,
  ): Promise<string[]> => {
    const sandbox = await startSandboxIn(environment, ...options)
    if ('code' in sandbox) throw new Error(sandbox.said)
    try {
      for (let asked = 0; asked < 2; asked += 1) await call(sandbox, 'GET', replicasPath)
    } finally {
      await sandbox.end(end)
    }
    return sandbox.complaints().trim().split('\n')
  }
  const complaint = `deviates from the OpenAPI files: ${line} (GET ${replicasPath})`

  test('is told by npm run sandbox:azure -- --openapi, once, and counted for no run', async () => {
    const folder = await folderWith({ 'replicas.json': deviating })
    const SANDBOX_CONFORMITY = join(folder, 'tallies')
    expect(await served(['--openapi', folder], { SANDBOX_CONFORMITY }, 'SIGTERM')).toEqual([complaint])
    expect(existsSync(SANDBOX_CONFORMITY)).toBe(false)
  })

  test('is counted for the run even when its process is killed', async () => {
    const SANDBOX_OPENAPI = await folderWith({ 'replicas.json': deviating })
    const SANDBOX_CONFORMITY = join(SANDBOX_OPENAPI, 'tallies')
    expect(await served([], { SANDBOX_OPENAPI, SANDBOX_CONFORMITY }, 'SIGKILL')).toEqual([complaint])
    expect(JSON.parse(readFileSync(SANDBOX_CONFORMITY, 'utf8'))).toMatchObject({
      answers: { 'Replicas_List 200': 1 },
      deviations: { [line]: 1 },
    })
  })
})
