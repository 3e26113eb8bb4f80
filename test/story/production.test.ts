/**
 * The bot as production runs it: it asks everybody for a token and gets one of its own, from a local Teams that signs.
 * Only the local Azure keeps it in sandbox mode.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { type BotProcess, startBot } from '../../sandbox/botProcess.ts'
import { bot as identity, people, tenantId } from '../../sandbox/seed.ts'
import { type Claims, startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { hurried } from '../../sandbox/world.ts'
import { seen, sentence, within } from './stage.ts'

const secret = 'f0rty-two~canaries'

describe('in production', () => {
  let folder: string
  let azure: Azure
  let teams: Teams
  let other: Teams
  let bot: BotProcess
  const environment = (): Record<string, string> => ({
    ...hurried.bot,
    VAULTLINK_MODE: 'sandbox',
    PORT: '0',
    ARM_ENDPOINT: azure.url,
    AZURE_CLIENT_ID: identity.appId,
    ...azure.identity.environment,
    DATABASE_URL: join(folder, 'vaultlink.db'),
    MicrosoftAppId: identity.appId,
    MicrosoftAppTenantId: tenantId,
    MicrosoftAppType: 'SingleTenant',
    MicrosoftAppPassword: secret,
    BOT_OPENID_METADATA_URL: teams.openIdUrl,
    BOT_TOKEN_ISSUER: 'https://api.botframework.com',
    BOT_AUTHORITY: teams.identity?.authority ?? '',
    BOT_SCOPE: 'https://api.botframework.com',
    BOT_SERVICE_HOSTS: teams.host,
    NODE_EXTRA_CA_CERTS: teams.identity?.caFile ?? '',
  })
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vaultlink-production-'))
    ;[azure, teams, other] = await Promise.all([
      startAzure(hurried.azure),
      startTeams({ signed: true, secret }),
      // The same service by all it says, with keys that nobody published.
      startTeams({ signed: true, secret }),
    ])
    bot = await startBot(environment())
    teams.connect(`${bot.url}/api/messages`)
    await teams.install('contoso', 'owner')
  })
  afterAll(async () => {
    await bot.kill()
    await Promise.all([azure.close(), teams.close(), other.close()])
    await rm(folder, { recursive: true, force: true })
  })

  test('the story runs: welcome, own, link, both cards, approve, Approved', async () => {
    await teams.channel('general').shows("Hi, I'm Vaultlink", { within })
    await teams.person('owner').says('own contoso-kv').in('vault-owners')
    const asked = await teams.person('requester').says(sentence).in('general')
    expect(asked.delivered).toBe(200)
    const card = await teams
      .channel('vault-owners')
      .shows('Approve a private connection to contoso-kv?', { within })
    expect((await teams.person('requester').presses('Approve…', 'Yes, approve').on(card)).text).toContain(
      'somebody else',
    )
    await teams.person('owner').presses('Approve…', 'Yes, approve').on(card)
    await teams.thread(asked).shows('can now reach contoso-kv privately', { within })
    expect(azure.links()).toMatchObject([{ status: 'Approved', provisioningState: 'Succeeded' }])
    expect(bot.log.filter(({ level }) => level === 'error')).toEqual([])
  })

  /** What somebody who makes up requests can vary. */
  type Forged = {
    readonly claims?: Claims
    readonly header?: Record<string, unknown>
    readonly token?: () => Promise<string | undefined>
    readonly over?: Record<string, unknown>
  }
  const forgeries: Readonly<Record<string, Forged>> = {
    'no token': { token: async () => undefined },
    'nonsense for a token': { token: async () => 'Bearer nonsense' },
    'another scheme': { token: async () => `Basic ${Buffer.from('owner:password').toString('base64')}` },
    'a key that nobody published': {
      token: async () => `Bearer ${await other.token({ serviceurl: teams.serviceUrl })}`,
    },
    'a key id that is not there': { header: { kid: 'unknown' } },
    'a key for other channels': { header: { kid: 'other-channels' } },
    'no signature': { header: { alg: 'none' } },
    'another audience': { claims: { aud: 'b0700000-0000-4000-8000-00000000ffff' } },
    'another issuer': { claims: { iss: 'https://sts.windows.net/' } },
    'a token of the directory, as the emulator has': {
      claims: {
        iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/',
        ver: '1.0',
        appid: identity.appId,
      },
    },
    'a token that has expired': { claims: { exp: Math.floor(Date.now() / 1000) - 3_600 } },
    'a token that is not valid yet': { claims: { nbf: Math.floor(Date.now() / 1000) + 3_600 } },
    'another serviceurl in the token': { claims: { serviceurl: 'https://smba.example.test/' } },
    'another serviceUrl in the activity': { over: { serviceUrl: 'https://smba.example.test/' } },
    'another recipient': { over: { recipient: { id: '28:b0700000-0000-4000-8000-00000000ffff' } } },
    'another channel id': { over: { channelId: 'webchat' } },
    'nobody from the directory': { over: { from: { id: '29:x', name: 'Noor Haddad' } } },
    'a bot for a person': {
      over: { from: { id: `28:${identity.appId}`, aadObjectId: people.owner.objectId } },
    },
    'another tenant': {
      over: {
        conversation: {
          id: '19:vault-owners@thread.tacv2;messageid=1',
          conversationType: 'channel',
          isGroup: true,
          tenantId: '99f988bf-0000-4000-8000-00000000c0de',
        },
        channelData: { tenant: { id: '99f988bf-0000-4000-8000-00000000c0de' } },
      },
    },
    'no tenant': { over: { channelData: {} } },
  }

  /** `disown contoso-kv` by its owner: were it believed, the vault would be without its channel. */
  const activity = {
    type: 'message',
    id: '1795000000001',
    timestamp: new Date().toISOString(),
    channelId: 'msteams',
    text: '<at>Vaultlink</at> disown contoso-kv',
    from: { id: `29:${people.owner.key}`, name: people.owner.name, aadObjectId: people.owner.objectId },
    recipient: { id: `28:${identity.appId}`, name: identity.name },
    conversation: {
      id: '19:vault-owners@thread.tacv2;messageid=1',
      conversationType: 'channel',
      isGroup: true,
      tenantId,
    },
    channelData: { tenant: { id: tenantId }, team: { id: '19:team-contoso@thread.tacv2' } },
  }
  async function send({
    claims,
    header,
    token,
    over,
  }: Forged): Promise<{ status: number; sent: string; told: string }> {
    const sent = token ? await token() : `Bearer ${await teams.token(claims, header)}`
    const response = await fetch(`${bot.url}/api/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(sent !== undefined && { authorization: sent }) },
      body: JSON.stringify({ ...activity, serviceUrl: teams.serviceUrl, ...over }),
    })
    return { status: response.status, sent: sent ?? '', told: await response.text() }
  }

  test.each(Object.keys(forgeries))('turned away, and nothing happens: %s', async (name) => {
    const calls = azure.events.length
    const said = teams.events.length
    const { status, sent, told } = await send(forgeries[name] ?? {})
    expect([401, 403]).toContain(status)
    expect(azure.events).toHaveLength(calls)
    expect(teams.events).toHaveLength(said)
    // Who is turned away learns nothing of why; the log does, without the token.
    expect(told).not.toMatch(/audience|issuer|expired|tenant|signature/i)
    const log = JSON.stringify(bot.log)
    for (const part of sent.split(/[. ]/).filter((part) => part.length > 20)) expect(log).not.toContain(part)
  })

  test('and the same request is obeyed when it is Teams’ own: what was turned away was turned away for its flaw', async () => {
    const said = await teams.person('owner').says('disown contoso-kv').in('vault-owners')
    expect(said.delivered).toBe(200)
    expect(seen(await teams.thread(said).shows('no longer decides for contoso-kv', { within }))).toContain(
      'own contoso-kv',
    )
    // The token of a delivery and the bot's own secret stay out of the log.
    const log = JSON.stringify(bot.log)
    expect(log).not.toContain(secret)
    expect(log).not.toMatch(/eyJ[\w-]{10,}/)
  })

  test('and so is the forged one without its flaw', async () => {
    expect((await send({})).status).toBe(200)
  })

  test('a wrong secret is named in the log by what the authority says to it, and not quoted', async () => {
    const wrong = 'an-old-secret~of-ours'
    const locked = await startBot({
      ...environment(),
      DATABASE_URL: ':memory:',
      MicrosoftAppPassword: wrong,
    })
    try {
      teams.connect(`${locked.url}/api/messages`)
      await teams.person('owner').says('help').in('vault-owners')
      expect(locked.log).toContainEqual(
        expect.objectContaining({ level: 'error', code: 'invalid_client', status: 401 }),
      )
      expect(JSON.stringify(locked.log)).not.toContain(wrong)
    } finally {
      teams.connect(`${bot.url}/api/messages`)
      await locked.stop()
    }
  })
})

describe('npm start', () => {
  /** The last words of a bot that does not start. */
  const refusal = async (environment: Record<string, string>): Promise<string> => {
    try {
      const bot = await startBot(environment)
      await bot.kill()
      return 'it started'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  test('refuses without app id and tenant, and names all that is wrong at once, no secret among it', async () => {
    const words = await refusal({
      MicrosoftAppPassword: secret,
      PORT: 'eighty',
      DATABASE_URL: `postgres://vaultlink:${secret}@db/vaultlink`,
      ARM_ENDPOINT: 'http://127.0.0.1:4100',
      VAULTLINK_CRASH_AT: 'after put',
    })
    for (const name of [
      'MicrosoftAppId',
      'MicrosoftAppTenantId',
      'MicrosoftAppPassword',
      'PORT',
      'DATABASE_URL',
      'ARM_ENDPOINT',
      'VAULTLINK_CRASH_AT',
    ])
      expect(words).toMatch(new RegExp(`^  ${name}: `, 'm'))
    expect(words).not.toContain(secret)
  })

  test('refuses a sandbox whose Azure is not this machine', async () => {
    expect(
      await refusal({ VAULTLINK_MODE: 'sandbox', ARM_ENDPOINT: 'https://management.azure.com' }),
    ).toMatch(/^ {2}ARM_ENDPOINT: .*127\.0\.0\.1/m)
  })

  test('says what nobody asked for in a sandbox, and listens on this machine alone', async () => {
    const bot = await startBot({
      VAULTLINK_MODE: 'sandbox',
      PORT: '0',
      ARM_ENDPOINT: 'http://127.0.0.1:1',
      DATABASE_URL: ':memory:',
    })
    try {
      expect(bot.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect(bot.log).toContainEqual(expect.objectContaining({ level: 'warn', event: 'sandbox' }))
      const outside = Object.values(networkInterfaces())
        .flat()
        .find((one) => one && !one.internal && one.family === 'IPv4')
      // A machine without a network has nothing else to listen on.
      if (outside) await expect(fetch(bot.url.replace('127.0.0.1', outside.address))).rejects.toThrow()
    } finally {
      await bot.stop()
    }
    expect(await bot.ended).toEqual({ code: 0, signal: null })
  })
})
