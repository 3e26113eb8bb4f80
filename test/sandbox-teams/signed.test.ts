/** Signed mode: a bot with real authentication, and a connector that wants the bot's own token. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { ClientSecretCredential } from '@azure/identity'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { ConfigurationBotFrameworkAuthentication, TeamsInfo } from 'botbuilder'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { bot as seed, tenantId } from '../../sandbox/seed.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { startBot, type TestBot } from './bot.ts'

const connector = 'https://api.botframework.com'

let teams: Teams
let bot: TestBot
let authority: { url: string; host: string; ca: string }

beforeAll(async () => {
  teams = await startTeams({ signed: true, secret: 'the secret' })
  if (!teams.identity) throw new Error('signed mode has an identity server')
  authority = {
    url: teams.identity.authority,
    host: teams.identity.host,
    ca: await readFile(teams.identity.caFile, 'utf8'),
  }
  bot = await startBot({ authentication: authenticated('the secret'), appId: seed.appId })
  teams.connect(bot.url)
  await teams.install('contoso', 'owner')
})
afterAll(async () => {
  await Promise.all([teams.close(), bot.close()])
})

type CredentialsFactory = NonNullable<
  ConstructorParameters<typeof ConfigurationBotFrameworkAuthentication>[1]
>

const authenticated = (secret: string): ConfigurationBotFrameworkAuthentication =>
  new ConfigurationBotFrameworkAuthentication(
    {
      MicrosoftAppId: seed.appId,
      ValidateAuthority: 'true',
      ToChannelFromBotLoginUrl: authority.url,
      ToChannelFromBotOAuthScope: connector,
      ToBotFromChannelTokenIssuer: connector,
      OAuthUrl: authority.url,
      ToBotFromChannelOpenIdMetadataUrl: teams.openIdUrl,
      ToBotFromEmulatorOpenIdMetadataUrl: teams.openIdUrl,
    },
    ownCredentials(secret),
  )

/** The bot's token as MSAL gets it from the authority. */
const ownToken = async (secret: string, scope = `${connector}/.default`): Promise<string> => {
  const credential = new ClientSecretCredential(tenantId, seed.appId, secret, {
    authorityHost: `https://${authority.host}`,
    disableInstanceDiscovery: true,
    // A process of its own would be given the certificate as NODE_EXTRA_CA_CERTS.
    tlsOptions: { ca: authority.ca },
    retryOptions: { maxRetries: 0 },
  })
  return (await credential.getToken(scope)).token
}

const ownCredentials = (secret: string): CredentialsFactory => ({
  createCredentials: async () => ({
    async signRequest(request) {
      request.headers.set('authorization', `Bearer ${await ownToken(secret)}`)
      return request
    },
  }),
  isAuthenticationDisabled: async () => false,
  isValidAppId: async (appId) => appId === seed.appId,
})

describe('signed mode', () => {
  test('lets a bot with real authentication be spoken to, answer, and read the roster', async () => {
    const names: string[] = []
    bot.logic = async (context) => {
      names.push(...(await TeamsInfo.getPagedMembers(context)).members.map(({ name }) => name))
      await context.sendActivity('understood')
    }
    const said = await teams.person('requester').says('hello').in('general')
    expect(said.delivered).toBe(200)
    await teams.thread(said).shows('understood')
    expect(names).toContain('Riley Park')
    expect(bot.errors).toEqual([])
  })

  test('sends tokens that verify against the published keys, endorsed for Teams', async () => {
    const document = (await (await fetch(teams.openIdUrl)).json()) as { jwks_uri: string; issuer: string }
    const header = bot.received.at(-1)?.authorization ?? ''
    const token = header.replace(/^Bearer /, '')
    const { payload, protectedHeader } = await jwtVerify(
      token,
      createRemoteJWKSet(new URL(document.jwks_uri)),
      {
        issuer: connector,
        audience: seed.appId,
        algorithms: ['RS256'],
      },
    )
    expect(payload.serviceurl).toBe(teams.serviceUrl)
    expect(bot.received.at(-1)?.activity.serviceUrl).toBe(teams.serviceUrl)
    const { keys } = (await (await fetch(document.jwks_uri)).json()) as {
      keys: { kid: string; endorsements: string[]; d?: string }[]
    }
    expect(keys.find(({ kid }) => kid === protectedHeader.kid)?.endorsements).toContain('msteams')
    expect(keys.some((key) => 'd' in key)).toBe(false)
  })

  test('makes the tokens that a bot must refuse, too', async () => {
    const post = async (token: string): Promise<number> => {
      const { activity } = bot.received.at(-1) ?? {}
      const response = await fetch(bot.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(activity),
      })
      return response.status
    }
    bot.logic = async () => undefined
    expect(await post(await teams.token())).toBe(200)
    const refused = [
      await teams.token({ aud: 'somebody else' }),
      await teams.token({ iss: 'https://example.test' }),
      await teams.token({ exp: 1 }),
      await teams.token({ serviceurl: 'https://example.test/' }),
      await teams.token({}, { kid: 'other-channels' }),
      await teams.token({}, { kid: 'unknown' }),
      await teams.token({}, { alg: 'none' }),
    ]
    const heard = console.error
    console.error = () => undefined
    try {
      for (const token of refused) expect([401, 500]).toContain(await post(token))
    } finally {
      console.error = heard
    }
    expect(decodeProtectedHeader(await teams.token({}, { alg: 'RS512' })).alg).toBe('RS512')
    // Both are let in by the stock adapter: what the bot's own guard is for.
    expect(await post(await teams.token({}, { alg: 'RS512' }))).toBe(200)
    expect(await post(await teams.token({ exp: undefined }))).toBe(200)
  })

  test('refuses calls of the bot without its token, with a foreign one, and secrets that are wrong', async () => {
    const roster = (authorization?: string): Promise<Response> =>
      fetch(`${teams.serviceUrl}v3/conversations/x/members`, {
        headers: authorization === undefined ? {} : { authorization },
      })
    expect((await roster()).status).toBe(401)
    expect((await roster(`Bearer ${await teams.token()}`)).status).toBe(401)
    expect((await roster('Bearer nonsense')).status).toBe(401)
    expect((await roster(`Bearer ${await ownToken('the secret')}`)).status).toBe(404)
    await expect(ownToken('a wrong secret')).rejects.toThrow('AADSTS7000215')
    await expect(ownToken('the secret', 'https://example.test/.default')).rejects.toThrow('AADSTS500011')
  })

  test('has a certificate that a process trusts when it is given the file', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '-e',
        `fetch('${authority.url}/v2.0/.well-known/openid-configuration').then((r) => console.log(r.status))`,
      ],
      { env: { NODE_EXTRA_CA_CERTS: teams.identity?.caFile ?? '' }, timeout: 20_000 },
    )
    expect(stdout.trim()).toBe('200')
  })
})
