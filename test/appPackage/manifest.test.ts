import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { AppManifestUtils } from '@microsoft/app-manifest'
import { fillManifest } from '../../scripts/package.ts'
import { commands as known } from '../../src/teams/commands/index.ts'

const template = readFileSync(new URL('../../appPackage/manifest.json', import.meta.url), 'utf8')
const wanted = {
  appId: '8f3b1c52-0d6e-4a97-9c41-2e7d5a60b913',
  domain: 'bot.contoso.com',
  version: '1.2.3',
  website: 'https://bot.contoso.com/',
  privacy: 'https://bot.contoso.com/privacy',
  terms: 'https://bot.contoso.com/terms',
}
const manifest = fillManifest(template, wanted)
const [bot] = manifest.bots ?? []
const lists = bot?.commandLists ?? []

describe("Microsoft's schema", () => {
  const online = globalThis.fetch
  test('takes the manifest, and needs no network for it', async () => {
    globalThis.fetch = () => Promise.reject(new Error('the network was asked'))
    try {
      expect(await AppManifestUtils.validateAgainstSchema(manifest)).toEqual([])
    } finally {
      globalThis.fetch = online
    }
  })
  test('is the one that the manifest says it follows', () => {
    expect(manifest.$schema).toContain(`/v${manifest.manifestVersion}/`)
  })
  test('would refuse an app id that is none', async () => {
    const broken = { ...manifest, id: 'vaultlink' }
    expect(await AppManifestUtils.validateAgainstSchema(broken)).toEqual([expect.stringContaining('/id')])
  })
})

describe('what Teams asks beyond its schema', () => {
  test('in teams from 1.25 on, supportsChannelFeatures', () => {
    expect(bot?.scopes).toEqual(['personal', 'team', 'groupChat'])
    expect(manifest.supportsChannelFeatures).toBe('tier1')
  })
  test("an app's name without the names of Microsoft's products", () => {
    expect(`${manifest.name.short} ${manifest.name.full}`).not.toMatch(
      /teams|azure|microsoft|365|signalr|key vault/i,
    )
  })
  test('pages over https', () => {
    const { websiteUrl, privacyUrl, termsOfUseUrl } = manifest.developer
    for (const url of [websiteUrl, privacyUrl, termsOfUseUrl]) expect(url).toMatch(/^https:\/\//)
  })
  test("no domain but the bot's own, and no right beyond talking with people", () => {
    expect(manifest.validDomains).toEqual(['bot.contoso.com'])
    expect(manifest.permissions).toEqual(['identity', 'messageTeamMembers'])
    expect([manifest.authorization, manifest.webApplicationInfo, manifest.devicePermissions]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
  test('one list of at most ten commands for each scope, short enough for the menu', () => {
    expect(lists.map(({ scopes }) => scopes)).toEqual([['personal'], ['team'], ['groupChat']])
    for (const { commands } of lists) {
      expect(commands.length).toBeGreaterThan(0)
      expect(commands.length).toBeLessThanOrEqual(10)
      for (const { title, description } of commands) {
        expect(title.length).toBeLessThanOrEqual(32)
        expect(description?.length).toBeLessThanOrEqual(128)
      }
    }
  })
})

test("each scope's list is the bot's own: the same commands, words and order", () => {
  for (const { scopes, commands } of lists) {
    const [scope = ''] = scopes
    const answered = known.filter((command) => command.scopes.some((one) => one === scope))
    expect(commands).toEqual(answered.map(({ title, description }) => ({ title, description })))
    // Teams puts the title into the message: what it puts there must be understood.
    for (const { title } of commands) {
      expect(answered.find((command) => command.title === title)?.parse(title)).toBeDefined()
    }
  }
})

test('where owners decide as themselves, Teams is told what to sign them in to', async () => {
  const approver = {
    id: '8f3b1c52-0d6e-4a97-9c41-2e7d5a60b914',
    resource: `api://botid-${wanted.appId}`,
  }
  const signingIn = fillManifest(template, { ...wanted, approver })
  expect(signingIn).toEqual({ ...manifest, webApplicationInfo: approver })
  expect(await AppManifestUtils.validateAgainstSchema(signingIn)).toEqual([])
  const broken = fillManifest(template, { ...wanted, approver: { ...approver, id: 'approvals' } })
  expect(await AppManifestUtils.validateAgainstSchema(broken)).toEqual([
    expect.stringContaining('/webApplicationInfo/id'),
  ])
})

test('a place that nothing fills is refused', () => {
  expect(() => fillManifest('{"id": "{{TENANT}}"}', wanted)).toThrow('{{TENANT}}')
})
