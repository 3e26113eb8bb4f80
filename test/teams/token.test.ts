/** A token that was let in once: its signature is known, and all that may have changed since is asked each time. */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { bot } from '../../sandbox/seed.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { createSigningKeys, type SigningKey } from '../../src/teams/keys.ts'
import { publicCloud } from '../../src/teams/publicCloud.ts'
import { createTokenCheck, type TokenCheck } from '../../src/teams/token.ts'

const skewMs = 300_000
let teams: Teams
let published: SigningKey | undefined
let genuine: SigningKey | undefined
let now: number
let check: TokenCheck
let authorization: string
let exp: number
let nbf: number

beforeAll(async () => {
  teams = await startTeams({ signed: true })
  authorization = `Bearer ${await teams.token()}`
  const claims = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString())
  exp = claims.exp * 1_000
  nbf = claims.nbf * 1_000
  genuine = await createSigningKeys({
    openIdMetadataUrl: teams.openIdUrl,
    now: Date.now,
    log: () => undefined,
  }).find('teams')
})
afterAll(() => teams.close())
beforeEach(async () => {
  published = genuine
  now = Date.now()
  check = createTokenCheck({
    keys: { find: async () => published, refresh: async () => undefined, ageMs: () => 0 },
    issuer: publicCloud.issuer,
    appId: bot.appId,
    now: () => now,
  })
  const first = await check(authorization)
  expect(first.is).toBe('held')
  expect(await check(authorization)).toEqual(first)
})

test('is turned away once its time is over, and while it has not come', async () => {
  now = exp + skewMs - 1_000
  expect(await check(authorization)).toMatchObject({ is: 'held' })
  now = exp + skewMs + 1_000
  expect(await check(authorization)).toMatchObject({ why: 'expired' })
  now = nbf - skewMs - 1_000
  expect(await check(authorization)).toMatchObject({ why: 'not valid yet' })
  now = nbf
  expect(await check(authorization)).toMatchObject({ is: 'held' })
})

test('is turned away once its key is withdrawn, or is another, or is no longer for Teams', async () => {
  published = undefined
  expect(await check(authorization)).toMatchObject({ why: 'unknown key' })
  const { publicKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  published = { key, endorsements: ['msteams'] }
  expect(await check(authorization)).toMatchObject({ why: 'signature' })
  published = genuine && { ...genuine, endorsements: ['webchat'] }
  expect(await check(authorization)).toMatchObject({ why: 'key not endorsed for Teams' })
  published = genuine
  expect(await check(authorization)).toMatchObject({ is: 'held' })
})

test('lets no other in that only looks like it', async () => {
  const [head, payload = '', signature = ''] = authorization.split('.')
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
  expect(await check(`${head}.${payload}.${flipped}`)).toMatchObject({ why: 'signature' })
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp + 3_600 })).toString('base64url')
  expect(await check(`${head}.${forged}.${signature}`)).toMatchObject({ why: 'signature' })
})
