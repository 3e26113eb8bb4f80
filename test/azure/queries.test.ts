/** What is asked of Azure for names that people type: a Resource Graph query is made of validated names only. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { naughty, strangeText } from '../cards/naughtyStrings.ts'
import { closeAll, never, startWorld } from './world.ts'

const figures = process.env.VAULTLINK_FIGURES === '1'
type World = Awaited<ReturnType<typeof startWorld>>
let world: World
beforeAll(async () => {
  world = await startWorld({ throttle: false })
})
afterAll(closeAll)

/** Ways out of a query's quotes, in the languages that people try. */
const injections = [
  "a' or 1 == 1",
  "contoso-kv' or name != '",
  "contoso-kv' | project id = properties",
  "contoso-kv' // ",
  "x'; resources | take 1",
  "x' | union resourcecontainers | where '' == '",
  "x\\' or true or name =~ \\'",
  "x'' or ''=='",
  '"x" or true',
  'kv\n| take 1',
  'kv|take 1',
  'kv | limit 1',
  "kv'",
  "'kv",
  "''",
  "h'kv",
  '@"kv"',
  'let x = 1;',
  "kv') or (true",
  '*',
  'kv%27',
  'kv\u2019 or true',
  'kv\u0000',
  'кv-kontoso',
  'contoso-kv\n',
  'contoso-kv ',
]
/** As Azure allows them: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules. */
const kinds = {
  signalrsNamed: {
    type: 'microsoft.signalrservice/signalr',
    allowed: (name: string) =>
      name.length >= 3 && name.length <= 63 && /^[a-z][a-z0-9-]+[a-z0-9]$/i.test(name),
  },
  vaultsNamed: {
    type: 'microsoft.keyvault/vaults',
    allowed: (name: string) => name.length >= 3 && name.length <= 24 && /^[a-z0-9-]+$/i.test(name),
  },
} as const
type Method = keyof typeof kinds

async function asks(method: Method, name: string): Promise<boolean> {
  const before = world.calls().length
  await world.directory[method](name, never)
  const calls = world.calls().slice(before)
  const { type, allowed } = kinds[method]
  if (!allowed(name)) {
    expect(calls).toEqual([])
    return false
  }
  const queries = calls.filter(({ path }) => path.includes('Microsoft.ResourceGraph'))
  expect(queries.map(({ requestBody }) => requestBody)).toEqual([
    {
      query: `resources | where type =~ '${type}' and name =~ '${name}' | project id | limit 200`,
      options: { resultFormat: 'objectArray', $top: 200 },
    },
  ])
  return true
}
const methods = Object.keys(kinds) as readonly Method[]

describe.each(methods)('%s', (method) => {
  test.each(injections.map((name) => [JSON.stringify(name), name] as const))(
    '%s is not asked for',
    async (_, name) => {
      expect(await asks(method, name)).toBe(false)
    },
  )

  test("naughty strings, and names like Azure's among them", async () => {
    const asked: string[] = []
    for (const name of naughty) if (await asks(method, name)) asked.push(name)
    process.stderr.write(`${method}: ${asked.length} of ${naughty.length} naughty strings are names\n`)
    expect(asked).toContain('undefined')
    expect(asked.length).toBeLessThan(naughty.length / 3)
  })

  test('random names, nearly names, and random words', async () => {
    const seed = Date.now() % 2 ** 31
    const numRuns = figures ? 5_000 : 150
    process.stderr.write(`${method}: seed ${seed}, ${numRuns} cases\n`)
    const name = fc.stringMatching(/^[A-Za-z0-9-]{1,70}$/)
    const nearly = fc
      .tuple(name, fc.constantFrom("'", '"', '\\', '|', ' ', '\n', '/', '_', 'ü', '\u212A', '\u200b'), name)
      .map((parts) => parts.join(''))
    let asked = 0
    await fc.assert(
      fc.asyncProperty(fc.oneof(name, nearly, strangeText, fc.constantFrom(...injections)), async (text) => {
        if (await asks(method, text)) asked++
      }),
      { seed, numRuns },
    )
    // Half a proof would be that nothing is ever asked.
    expect(asked).toBeGreaterThan(numRuns / 50)
  })
})

test('what leads elsewhere in an address is no id', async () => {
  const before = world.calls().length
  const id = (group: string, name: string): string =>
    `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/${name}`
  for (const odd of [id('..', 'contoso-kv'), id('contoso', '..'), id('.', 'contoso-kv')])
    expect(await world.directory.vault(odd, never)).toMatchObject({ is: 'hidden' })
  expect(world.calls().slice(before)).toEqual([])
})
