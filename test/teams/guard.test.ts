import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { bot, people, tenantId } from '../../sandbox/seed.ts'
import type { Activity } from '../../sandbox/teams/face.ts'
import { createAdapter } from '../../src/teams/adapter.ts'
import { createConnector } from '../../src/teams/connector.ts'
import { createGuard } from '../../src/teams/guard.ts'
import { refused } from '../../src/teams/refusal.ts'
import { linkId, type Stage, startStage } from './stage.ts'

const issuer = 'https://api.botframework.com'
const action = { action: { verb: 'approve', data: { verb: 'approve', link: linkId } } }
const foreign = '99999999-0000-4000-8000-000000000009'

describe('with tokens, against a signed Teams', () => {
  let stage: Stage
  let activity: Activity
  beforeAll(async () => {
    stage = await startStage({
      teams: { signed: true, throttle: false, secret: 'a secret of the sandbox' },
      identity: (teams) => ({
        appId: bot.appId,
        tenantId,
        appType: 'SingleTenant',
        password: 'a secret of the sandbox',
        cloud: {
          openIdMetadataUrl: teams.openIdUrl,
          issuer,
          authority: teams.identity?.authority ?? '',
          scope: issuer,
        },
      }),
    })
    const { identity } = stage.teams
    if (!identity) throw new Error('The local Teams signs nothing')
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(identity.caFile, 'utf8')])
    await stage.teams.install('contoso', 'owner')
    activity = {
      type: 'invoke',
      name: 'adaptiveCard/action',
      id: 'f:1',
      timestamp: new Date(0).toISOString(),
      channelId: 'msteams',
      serviceUrl: stage.teams.serviceUrl,
      from: { id: '29:1', name: people.owner.name, aadObjectId: people.owner.objectId },
      recipient: { id: `28:${bot.appId}` },
      conversation: { id: '19:vault-owners@thread.tacv2;messageid=1', conversationType: 'channel', tenantId },
      channelData: { tenant: { id: tenantId } },
      value: action,
    }
  })
  afterAll(() => stage.close())

  const deliver = async (body: unknown, authorization: string): Promise<number> => {
    const response = await fetch(`${stage.server.url}/api/messages`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: authorization },
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (response.status !== 200) expect(text).toMatch(/^\{"error":"[a-z ]+"\}$/)
    return response.status
  }

  test('a person speaks, the bot answers with a token of its own', async () => {
    const said = await stage.teams.person('requester').says('list').in('general')
    expect(said.delivered).toBe(200)
    expect(said.replies.at(-1)?.text ?? '').toContain('There is no link here yet')
  })

  test('a token that holds is let in', async () => {
    expect(await deliver(activity, `Bearer ${await stage.teams.token()}`)).toBe(200)
  })

  const hour = 3600
  const now = Math.floor(Date.now() / 1000)
  const tokens: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>?])[] = [
    ['of another issuer', { iss: 'https://evil.example' }],
    [
      "of Entra, as the emulator's",
      { iss: `https://sts.windows.net/${tenantId}/`, ver: '1.0', appid: bot.appId, tid: tenantId },
    ],
    ['without an issuer', { iss: undefined }],
    ['for another app', { aud: foreign }],
    ['without an audience', { aud: undefined }],
    ['that has run out', { exp: now - hour, nbf: now - 2 * hour }],
    ['that is not valid yet', { nbf: now + hour }],
    ['without a service URL', { serviceurl: undefined }],
    ['with another key', {}, { kid: 'other' }],
    ['with no algorithm', {}, { alg: 'none' }],
    ['with a longer hash', {}, { alg: 'RS384' }],
    ['with another padding', {}, { alg: 'PS256' }],
    ['with a header that must be understood', {}, { crit: ['b64'], b64: true }],
    ['with a key for other channels', {}, { kid: 'other-channels' }],
    ['without a key id', {}, { kid: undefined }],
    ['for this app and another', { aud: [bot.appId, foreign] }],
    ['for this app, in a list', { aud: [bot.appId] }],
    ['without an end', { exp: undefined }],
    ['that ends in a text', { exp: String(now + hour) }],
    ['that lives two days', { exp: now + 48 * hour }],
    ['with a service URL that is no text', { serviceurl: [] }],
  ]
  // One argument a row: Jest takes what a row leaves out for a callback to wait for.
  test.each(tokens.map((row) => ({ of: row[0], row })))('a token $of: 401', async ({ row }) => {
    const [, claims, header] = row
    const before = stage.calls.length
    let token: string
    try {
      token = await stage.teams.token(claims, header)
    } catch {
      // The local Teams signs no such token: take one apart and put it together so.
      const [, payload] = (await stage.teams.token(claims)).split('.')
      token = `${Buffer.from(JSON.stringify({ typ: 'JWT', ...header })).toString('base64url')}.${payload}.`
    }
    expect(await deliver(activity, `Bearer ${token}`)).toBe(401)
    expect(stage.calls.length).toBe(before)
  })

  test.each([
    ['ran out four minutes ago', { exp: now - 240 }],
    ['is valid in four minutes', { nbf: now + 240 }],
    ['lives a day', { exp: now + 24 * hour - 60 }],
  ])('a token that %s is let in', async (_, claims) => {
    expect(await deliver(activity, `Bearer ${await stage.teams.token(claims)}`)).toBe(200)
  })

  test("a service that both name, and that is not Teams': 403, and an alarm", async () => {
    const lines = stage.log.length
    for (const serviceurl of [
      'https://evil.example/',
      'https://smba.trafficmanager.net.evil.example/teams/',
      stage.teams.serviceUrl.replace('127.0.0.1', 'localhost'),
      stage.teams.serviceUrl.replace(/:\d+/, ':1'),
      stage.teams.serviceUrl.replace('http:', 'ftp:'),
    ]) {
      const token = `Bearer ${await stage.teams.token({ serviceurl })}`
      expect(await deliver({ ...activity, serviceUrl: serviceurl }, token)).toBe(403)
    }
    const alarms = stage.log.slice(lines).filter(({ event }) => event === 'teams.serviceNotListed')
    expect(alarms).toHaveLength(5)
    expect(alarms[0]).toMatchObject({ level: 'error', fields: { host: 'evil.example' } })
    expect(stage.counted.slice(-5)).toEqual(Array(5).fill('service host is not listed'))
  })

  test("the SDK's own gates are closed, the emulator's too", async () => {
    const connector = createConnector({ isListed: () => true })
    const adapter = createAdapter({ connector })
    const emulators = await stage.teams.token({
      iss: `https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/`,
      ver: '1.0',
      appid: bot.appId,
    })
    const turned: unknown[] = []
    for (const token of [emulators, await stage.teams.token()])
      await expect(
        adapter.processActivityDirect(`Bearer ${token}`, activity as never, async () => {
          turned.push(token)
        }),
      ).rejects.toThrow('Only the guard')
    expect(turned).toEqual([])
  })

  test('a token whose body was changed, whose signature was cut, or that is none: 401', async () => {
    const [head, payload, signature] = (await stage.teams.token()).split('.')
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString())
    const forged = Buffer.from(JSON.stringify({ ...claims, x: 1 })).toString('base64url')
    for (const token of [
      `${head}.${forged}.${signature}`,
      `${head}.${payload}.${signature?.slice(0, -8)}`,
      `${head}.${payload}`,
      'x.y.z',
      'null',
    ])
      expect(await deliver(activity, `Bearer ${token}`)).toBe(401)
  })

  const mutations: readonly (readonly [string, (activity: Activity) => unknown, number])[] = [
    ['from Web Chat', (it) => ({ ...it, channelId: 'webchat' }), 403],
    ['from Teams in another case', (it) => ({ ...it, channelId: 'MSTeams' }), 403],
    ['from the emulator', (it) => ({ ...it, channelId: 'emulator' }), 403],
    ['from the App Service channel', (it) => ({ ...it, channelId: 'AseChannel' }), 403],
    ['without a channel', ({ channelId: _, ...it }) => it, 400],
    ['of another tenant', (it) => withTenants(it, foreign, foreign), 403],
    ['of two tenants', (it) => withTenants(it, tenantId, foreign), 403],
    ['of two tenants, the other way', (it) => withTenants(it, foreign, tenantId), 403],
    ["without the conversation's tenant", (it) => withTenants(it, undefined, tenantId), 403],
    ["without the channel's tenant", (it) => withTenants(it, tenantId, undefined), 403],
    ['for another bot', (it) => ({ ...it, recipient: { id: `28:${foreign}` } }), 403],
    ['for nobody', (it) => ({ ...it, recipient: {} }), 400],
    ['from an anonymous person', (it) => ({ ...it, from: { id: '29:1', name: 'x' } }), 403],
    ['from somebody without a GUID', (it) => ({ ...it, from: { ...it.from, aadObjectId: 'x' } }), 403],
    ['from a skill', (it) => ({ ...it, from: { ...it.from, role: 'skill' } }), 403],
    ['from a bot', (it) => ({ ...it, from: { ...it.from, role: 'bot' } }), 403],
    ['from an id that is no person', (it) => ({ ...it, from: { ...it.from, id: '28:x' } }), 403],
    ['from an id that is no text', (it) => ({ ...it, from: { ...it.from, id: { x: 1 } } }), 400],
    ['with an object id that is no text', (it) => ({ ...it, from: { ...it.from, aadObjectId: ['x'] } }), 403],
    ['without a service URL', ({ serviceUrl: _, ...it }) => it, 400],
    [
      'with another service URL than its token',
      (it) => ({ ...it, serviceUrl: 'https://evil.example/' }),
      403,
    ],
    ['without a conversation', ({ conversation: _, ...it }) => it, 400],
    ['in a conversation of no kind', (it) => ({ ...it, conversation: { id: 'x', tenantId } }), 400],
    ['without a type', ({ type: _, ...it }) => it, 400],
    ['that is empty', () => ({}), 400],
  ]
  test.each(mutations.map(([of, mutate, status]) => ({ of, mutate, status })))(
    'an activity $of: $status',
    async ({ mutate, status }) => {
      const [calls, lines] = [stage.calls.length, stage.log.length]
      expect(await deliver(mutate(activity), `Bearer ${await stage.teams.token()}`)).toBe(status)
      expect(stage.calls.length).toBe(calls)
      expect(stage.log.slice(lines)).toMatchObject([
        { level: 'warn', event: 'request.refused', fields: { status, why: expect.any(String) } },
      ])
    },
  )

  test('a guest is told so, alone', async () => {
    const answer = await stage.teams.person('guest').sendsInvoke(action)
    expect(answer).toMatchObject({ status: 200, text: expect.stringContaining('You are a guest') })
    expect(stage.calls.filter(({ method }) => method === 'approve')).toHaveLength(0)
  })

  test('no token and no message is in the log', async () => {
    expect(JSON.stringify(stage.log)).not.toMatch(/eyJ|Bearer|a secret of the sandbox/)
  })
})

describe('without tokens, in the sandbox', () => {
  test('all checks of the activity still hold', async () => {
    const stage = await startStage({ teams: { throttle: false } })
    try {
      await stage.teams.install({ personal: 'owner' }, 'owner')
      const owner = stage.teams.person('owner')
      for (const over of [
        { channelId: 'webchat' },
        { recipient: { id: 'someone' } },
        { channelData: { tenant: { id: foreign } } },
        { from: { id: '29:1', name: 'x' } },
      ])
        expect((await owner.sendsInvoke(action, over)).status).toBe(403)
      expect(stage.calls).toHaveLength(0)
    } finally {
      await stage.close()
    }
  })

  test('a bot that asks for tokens does not start without its app id and tenant', () => {
    const tokenCheck = async () => refused(401, 'no token')
    const isListed = () => true
    expect(() => createGuard({ tokenCheck, isListed, tenantId })).toThrow('app id')
    expect(() => createGuard({ tokenCheck, isListed, appId: bot.appId })).toThrow('tenant')
    expect(() => createGuard({ isListed, appId: bot.appId, tenantId })).toThrow('tokens')
  })
})

const withTenants = (
  it: Activity,
  conversation: string | undefined,
  channel: string | undefined,
): unknown => ({
  ...it,
  conversation: { ...it.conversation, tenantId: conversation },
  channelData: { tenant: { id: channel } },
})
