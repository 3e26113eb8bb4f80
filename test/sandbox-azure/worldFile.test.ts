import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { call, linkPath, wish } from './clients.ts'
import { endAll, type SandboxProcess, startSandbox, untilFile } from './sandboxProcess.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seeds-'))
})
afterEach(async () => {
  await endAll()
  rmSync(folder, { recursive: true, force: true })
})

const at = (name: string) => join(folder, name)
const read = (name: string) => JSON.parse(readFileSync(at(name), 'utf8'))

const mine = '11111111-2222-4333-8444-555555555555'
const ada = 'aaaaaaaa-2222-4333-8444-555555555555'
const within = `/subscriptions/${mine}/resourceGroups/sandbox/providers`
const link = linkPath('our', `${within}/Microsoft.SignalRService/SignalR/chat`)
const vault = `${within}/Microsoft.KeyVault/vaults/certs`
const body = wish('please', vault)

const seed = () => {
  writeFileSync(
    at('seed.json'),
    JSON.stringify({
      subscriptions: [{ id: mine }],
      people: [{ name: 'ada', objectId: ada }],
      signalR: [{ name: 'chat' }],
      vaults: [{ name: 'certs' }],
    }),
  )
  return at('seed.json')
}

async function started(...options: string[]): Promise<SandboxProcess> {
  const sandbox = await startSandbox(...options)
  if ('said' in sandbox) throw new Error(sandbox.said)
  return sandbox
}
const refused = async (...options: string[]) => {
  const sandbox = await startSandbox(...options)
  if ('said' in sandbox) return sandbox
  throw new Error('It started')
}
const asAda = (sandbox: SandboxProcess, method: string, path: string, given?: unknown) =>
  call(sandbox, method, path, { principal: ada, body: given })
const turn = (sandbox: SandboxProcess, advanceMs: number) =>
  asAda(sandbox, 'POST', '/_sandbox/clock', { advanceMs })

describe('a world that is saved', () => {
  test('is there after SIGTERM, and what was under way goes on after a restart', async () => {
    const kept = at('kept.json')
    let sandbox = await started('--seed', seed(), '--save', kept)
    expect((await asAda(sandbox, 'PUT', link, body)).status).toBe(201)
    await turn(sandbox, 10_000)
    await asAda(sandbox, 'POST', '/_sandbox/settings', { deletingMs: 5 })
    expect(await sandbox.end('SIGTERM')).toBe(0)
    expect(read('kept.json')).toMatchObject({
      clockAheadMs: 10_000,
      settings: { deletingMs: 5 },
      agenda: [{ kind: 'provisioned' }],
    })
    expect(readdirSync(folder).sort()).toEqual(['kept.json', 'seed.json'])

    sandbox = await started('--seed', kept, '--save', kept)
    expect((await asAda(sandbox, 'GET', link)).body).toMatchObject({
      properties: { provisioningState: 'Creating', requestMessage: 'please' },
    })
    await turn(sandbox, 55_000)
    expect((await asAda(sandbox, 'GET', link)).body).toMatchObject({
      properties: { provisioningState: 'Succeeded', status: 'Pending' },
    })
    await asAda(sandbox, 'POST', '/_sandbox/portal/approve', { vault: 'certs', by: 'ada' })
    expect(await sandbox.end('SIGINT')).toBe(0)

    sandbox = await started('--seed', kept)
    await turn(sandbox, 180_000)
    expect((await asAda(sandbox, 'GET', link)).body).toMatchObject({ properties: { status: 'Approved' } })
    const operations = read('kept.json').operations
    expect(operations).toMatchObject([{ status: 'Succeeded' }])
    expect(
      (await asAda(sandbox, 'GET', `${link.replace(/\/shared.*/, '')}/operationStatuses/${operations[0].id}`))
        .body,
    ).toMatchObject({ status: 'Succeeded' })
  })

  test('is in the file soon after a change, so that a kill loses nothing', async () => {
    const kept = at('kept.json')
    let sandbox = await started('--seed', seed(), '--save', kept)
    const before = openSync(kept, 'r')
    await asAda(sandbox, 'PUT', link, body)
    await untilFile(kept, () => read('kept.json').signalR[0].sharedPrivateLinkResources.length === 1)
    // Whoever reads meanwhile has a whole file: it is replaced, not written over.
    expect(JSON.parse(readFileSync(before, 'utf8')).signalR[0].sharedPrivateLinkResources).toEqual([])
    closeSync(before)
    await turn(sandbox, 65_000)
    // What nobody asked Azure for is kept as well.
    await untilFile(kept, () => read('kept.json').clockAheadMs === 65_000)
    await asAda(sandbox, 'POST', '/_sandbox/rights/grant', {
      principalId: ada,
      role: 'reader',
      scope: vault,
    })
    await untilFile(kept, () => read('kept.json').roleAssignments.length === 2)
    expect(await sandbox.end('SIGKILL')).toBeNull()
    sandbox = await started('--seed', kept)
    expect((await asAda(sandbox, 'GET', link)).body).toMatchObject({
      properties: { provisioningState: 'Succeeded' },
    })
  })

  test('is that of the usual seed where no other is named; seed and save may name one file from the first', async () => {
    const kept = at('kept.json')
    const first = await started('--seed', kept, '--save', kept)
    expect(await first.end('SIGTERM')).toBe(0)
    expect(read('kept.json').people.map(({ name }: { name: string }) => name)).toContain('requester')
    const second = await started('--save', at('other.json'))
    expect(await second.end('SIGTERM')).toBe(0)
    const { roleAssignments: one, ...world } = read('kept.json')
    const { roleAssignments: other, ...same } = read('other.json')
    expect(same).toEqual(world)
    expect(other).toHaveLength(one.length)
  })

  test('is not written over by accident', async () => {
    const kept = at('kept.json')
    writeFileSync(kept, '{}')
    for (const options of [
      ['--save', kept],
      ['--seed', seed(), '--save', kept],
    ]) {
      const { code, said } = await refused(...options)
      expect(code).toBe(1)
      expect(said).toContain(`${kept} is there already`)
      expect(said).toContain(`--seed ${kept} --save ${kept}`)
    }
    expect(readFileSync(kept, 'utf8')).toBe('{}')
  })

  test('needs a place that can be written, and says so at once', async () => {
    const { code, said } = await refused('--seed', seed(), '--save', at('no/such/folder/kept.json'))
    expect(code).toBe(1)
    expect(said).toContain('no/such/folder/kept.json cannot be written')
  })
})

describe('a seed that cannot be used', () => {
  test('ends the start with all that is wrong with it', async () => {
    writeFileSync(at('bad.json'), JSON.stringify({ people: [{}], vaults: [{ name: 'x' }] }))
    expect(await refused('--seed', at('bad.json'))).toEqual({
      code: 1,
      said: `${at('bad.json')} cannot be used:
  people[0].name: is missing; write a name
  vaults[0].name: "x" will not do; write a name of 3 to 24 letters, digits and -
`,
    })
  })

  test('or with where it was looked for', async () => {
    const { code, said } = await refused('--seed', at('nowhere.json'), '--save', at('kept.json'))
    expect(code).toBe(1)
    expect(said).toContain(`${at('nowhere.json')} cannot be read`)
    expect(readdirSync(folder)).toEqual([])
  })
})
