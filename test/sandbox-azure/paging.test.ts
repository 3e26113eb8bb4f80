import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { assignments, bot, roles, subscriptions } from '../../sandbox/seed.ts'
import { call, clientsFor, codeOf, linkPath, signalrPath, vaultPath, wish } from './clients.ts'

const main = `/subscriptions/${subscriptions.main.id}`
const group = `${main}/resourceGroups/contoso`
let azure: Azure
beforeAll(async () => {
  azure = await startAzure({
    throttle: false,
    seed: { roles, assignments: [...assignments, { principalId: bot.objectId, role: 'owner', scope: main }] },
  })
  for (const name of ['one', 'two', 'three']) {
    await call(azure, 'PUT', linkPath(name), { body: wish() })
    azure.turn(65_000)
    await call(azure, 'PUT', `${group}/providers/Microsoft.Authorization/locks/${name}`, {
      version: '2016-09-01',
      body: { properties: { level: 'CanNotDelete' } },
    })
  }
  for (const vault of [vaultPath('solo-kv', 'solo'), vaultPath('orphan-kv', 'orphan')])
    await call(azure, 'DELETE', vault)
})
afterAll(() => azure.close())

type Page = { value: { id?: string; name?: string }[]; nextLink?: string }
const version = (path: string) => (path.endsWith('/locks') ? { version: '2016-09-01' } : {})
async function read(path: string, query: string, headers: Record<string, string> = {}): Promise<Page> {
  const answer = await call(azure, 'GET', path, { query, headers, ...version(path) })
  expect({ path, status: answer.status }).toEqual({ path, status: 200 })
  return answer.body as Page
}
/** Every page, by the addresses that each names. */
async function pages(path: string, query = ''): Promise<Page[]> {
  const [found, seen] = [[await read(path, query)], new Set<string>()]
  for (let next = found[0]?.nextLink; next !== undefined; ) {
    const { origin, pathname, searchParams } = new URL(next)
    expect({ next, origin, again: seen.has(next) }).toEqual({ next, origin: azure.url, again: false })
    seen.add(next)
    searchParams.delete('api-version')
    const page = await read(pathname, searchParams.toString())
    found.push(page)
    next = page.nextLink
  }
  return found
}

const kv = `${main}/providers/Microsoft.KeyVault`
const lists: [path: string, top: boolean, endsEmpty: boolean][] = [
  ['/subscriptions', false, false],
  [`${main}/resourceGroups`, true, false],
  [`${main}/resources`, true, false],
  [`${group}/resources`, true, false],
  [`${main}/providers`, false, false],
  [`${main}/providers/Microsoft.SignalRService/signalR`, false, false],
  [`${group}/providers/Microsoft.SignalRService/signalR`, false, false],
  [`${signalrPath}/sharedPrivateLinkResources`, false, false],
  [`${kv}/vaults`, true, true],
  [`${group}/providers/Microsoft.KeyVault/vaults`, true, true],
  [`${kv}/deletedVaults`, false, true],
  [`${vaultPath()}/privateEndpointConnections`, false, false],
  [`${main}/providers/Microsoft.Authorization/roleAssignments`, false, false],
  [`${main}/providers/Microsoft.Authorization/roleDefinitions`, false, false],
  [`${main}/providers/Microsoft.Authorization/locks`, false, false],
]

describe.each(lists)('%s', (path, top, endsEmpty) => {
  test('pages, each address absolute and new, to the same entries', async () => {
    azure.configure({ pageSize: 100 })
    const all = (await pages(path)).flatMap(({ value }) => value)
    expect(all.length).toBeGreaterThan(1)
    azure.configure({ pageSize: 1 })
    const single = await pages(path)
    expect(single.flatMap(({ value }) => value)).toEqual(all)
    expect(single).toHaveLength(all.length + (endsEmpty ? 1 : 0))
    expect(single.at(-1)?.value).toHaveLength(endsEmpty ? 0 : 1)
  })

  test('takes $top where that is documented', async () => {
    azure.configure({ pageSize: 100 })
    const { value, nextLink } = await read(path, '$top=1')
    expect(value.length === 1).toBe(top)
    if (top) expect(nextLink).toContain('top=1')
    azure.configure({ pageSize: 1 })
    expect((await read(path, '$top=2')).value).toHaveLength(1)
  })
})

test('vaultListEnd: lists of vaults end with their last entries', async () => {
  azure.configure({ pageSize: 100, vaultListEnd: 'entries' })
  expect(await pages(`${kv}/vaults`)).toHaveLength(1)
  azure.configure({ vaultListEnd: 'empty' })
})

test('the next address is below the one that the client came by', async () => {
  azure.configure({ pageSize: 1 })
  const path = `${vaultPath()}/privateEndpointConnections`
  const { nextLink } = await read(path, '', { 'x-forwarded-proto': 'https' })
  expect(nextLink?.startsWith(azure.url.replace('http:', 'https:'))).toBe(true)
  const byName = azure.url.replace('127.0.0.1', 'localhost')
  const token = await azure.identity.tokenFor(bot.objectId)
  const answer = await fetch(`${byName}${path}?api-version=2024-11-01`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(((await answer.json()) as Page).nextLink?.startsWith(`${byName}/`)).toBe(true)
})

test('what is no number is refused', async () => {
  for (const query of ['$top=0', '$top=-1', '$top=x', '$skiptoken=x']) {
    const refused = await call(azure, 'GET', `${kv}/vaults`, { query })
    expect([refused.status, codeOf(refused)]).toEqual([400, 'InvalidQueryParameter'])
  }
})

test("Microsoft's own clients come to the end", async () => {
  azure.configure({ pageSize: 1 })
  const { vault, signalr } = clientsFor(azure)
  const names = async (all: AsyncIterable<{ name?: string | undefined }>) => {
    const found: (string | undefined)[] = []
    for await (const { name } of all) found.push(name)
    return found
  }
  expect(await names(vault.vaults.listBySubscription({ top: 1 }))).toEqual(['contoso-kv', 'contoso-certs'])
  expect(await names(vault.vaults.listDeleted())).toEqual(['solo-kv', 'orphan-kv'])
  expect(await names(signalr.signalRSharedPrivateLinkResources.list('contoso', 'contoso-signalr'))).toEqual([
    'one',
    'two',
    'three',
  ])
})
