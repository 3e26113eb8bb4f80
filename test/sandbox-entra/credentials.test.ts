/** `@azure/identity`'s own credentials against the local Entra ID, and the tokens against the local Azure. */
import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ClientAssertionCredential,
  ClientCertificateCredential,
  ClientSecretCredential,
  EnvironmentCredential,
  ManagedIdentityCredential,
  OnBehalfOfCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from '@azure/identity'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT } from 'jose'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { makeServerCertificate } from '../../sandbox/entra/certificates.ts'
import { azureCli } from '../../sandbox/entra/directory.ts'
import { approver, bot, directory, people, subscriptions, tenantId } from '../../sandbox/seed.ts'
import { singleSignOn } from '../../sandbox/teams/signIn.ts'

const arm = 'https://management.azure.com/.default'
const issuer = 'https://issuer.example'
const subject = 'system:serviceaccount:vaultlink:bot'
const federated = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const careful = {
  name: 'Careful',
  appId: 'b0700000-0000-4000-8000-000000000003',
  objectId: 'b0700000-0000-4000-8000-0000000000cc',
  secrets: ['careful-secret'],
  asksConsent: true,
}
const approverOfSeed = directory.applications.filter(({ appId }) => appId === approver.appId)

let azure: Azure
let folder: string
let pem: string
let options: { authorityHost: string; disableInstanceDiscovery: true; tlsOptions: { ca: string } }

beforeAll(async () => {
  const own = await makeServerCertificate()
  pem = `${own.key}${own.cert}`
  azure = await startAzure({
    tlsPort: 0,
    directory: {
      ...directory,
      applications: [
        {
          ...bot,
          secrets: [bot.secret],
          certificates: [own.cert],
          federations: [
            {
              issuer,
              subject,
              publicKey: federated.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
            },
          ],
          managedIdentity: true,
        },
        ...approverOfSeed,
        careful,
      ],
    },
  })
  if (!azure.tls) throw new Error('TLS was asked for')
  options = { authorityHost: azure.tls.url, disableInstanceDiscovery: true, tlsOptions: { ca: azure.tls.ca } }
  folder = await mkdtemp(join(tmpdir(), 'entra-'))
})
afterAll(async () => {
  await azure.close()
  await rm(folder, { recursive: true, force: true })
})

/** What ARM makes of the credential's token: the subscriptions that its bearer sees. */
async function seenBy(credential: TokenCredential, scope = arm): Promise<{ status: number; ids: string[] }> {
  const token = await credential.getToken(scope)
  const answer = await fetch(`${azure.url}/subscriptions?api-version=2022-12-01`, {
    headers: { authorization: `Bearer ${token?.token}` },
  })
  const { value = [] } = (await answer.json()) as { value?: { subscriptionId: string }[] }
  return { status: answer.status, ids: value.map((one) => one.subscriptionId) }
}
const both = { status: 200, ids: [subscriptions.main.id, subscriptions.other.id] }
const denied = (credential: TokenCredential, scope = arm) => expect(credential.getToken(scope)).rejects

const assertion = (claims: Record<string, unknown> = {}, key = federated.privateKey): Promise<string> =>
  new SignJWT({
    iss: issuer,
    sub: subject,
    aud: 'api://AzureADTokenExchange',
    jti: randomUUID(),
    exp: Math.floor(Date.now() / 1000) + 300,
    ...claims,
  })
    .setProtectedHeader({ alg: 'RS256' })
    .sign(key)

describe('a client proves itself', () => {
  test('by its secret', async () => {
    expect(await seenBy(new ClientSecretCredential(tenantId, bot.appId, bot.secret, options))).toEqual(both)
    await denied(new ClientSecretCredential(tenantId, bot.appId, 'guessed', options)).toThrow('AADSTS7000215')
    await denied(new ClientSecretCredential(tenantId, randomUUID(), bot.secret, options)).toThrow(
      'AADSTS700016',
    )
    await denied(new ClientSecretCredential(randomUUID(), bot.appId, bot.secret, options)).toThrow()
    const credential = new ClientSecretCredential(tenantId, bot.appId, bot.secret, options)
    await denied(credential, 'https://graph.microsoft.com/.default').toThrow('AADSTS500011')
  })

  test('as AD FS has it, where a custom cloud says so', async () => {
    expect(await seenBy(new ClientSecretCredential('adfs', bot.appId, bot.secret, options))).toEqual(both)
  })

  test('by a certificate', async () => {
    const certificatePath = join(folder, 'client.pem')
    await writeFile(certificatePath, pem)
    const other = join(folder, 'other.pem')
    const { key, cert } = await makeServerCertificate()
    await writeFile(other, `${key}${cert}`)
    expect(
      await seenBy(new ClientCertificateCredential(tenantId, bot.appId, { certificatePath }, options)),
    ).toEqual(both)
    await denied(
      new ClientCertificateCredential(tenantId, bot.appId, { certificatePath: other }, options),
    ).toThrow('AADSTS700027')
    const elsewhere = await assertion(
      { iss: bot.appId, sub: bot.appId, aud: `${options.authorityHost}/${randomUUID()}/oauth2/v2.0/token` },
      createPrivateKey(pem),
    )
    await denied(new ClientAssertionCredential(tenantId, bot.appId, async () => elsewhere, options)).toThrow(
      'AADSTS700212',
    )
  })

  test('by an assertion of an issuer that it trusts', async () => {
    const by = (get: () => Promise<string>): TokenCredential =>
      new ClientAssertionCredential(tenantId, bot.appId, get, options)
    expect(await seenBy(by(() => assertion()))).toEqual(both)
    await denied(by(() => assertion({}, stranger.privateKey))).toThrow('AADSTS700027')
    await denied(by(() => assertion({ sub: 'somebody else' }))).toThrow('AADSTS700213')
    await denied(by(() => assertion({ aud: 'somewhere else' }))).toThrow('AADSTS700212')
    await denied(by(() => assertion({ iss: 'https://other.example' }))).toThrow('AADSTS700211')
    await denied(by(() => assertion({ exp: 1 }))).toThrow('AADSTS700024')
    await denied(by(async () => 'nonsense')).toThrow('AADSTS50027')
  })

  test('as a workload in Kubernetes', async () => {
    const tokenFilePath = join(folder, 'token')
    await writeFile(tokenFilePath, await assertion())
    const credential = new WorkloadIdentityCredential({
      tenantId,
      clientId: bot.appId,
      tokenFilePath,
      ...options,
    })
    expect(await seenBy(credential)).toEqual(both)
  })
})

test('a managed identity gets its token where the platform says', async () => {
  const { environment } = azure.identity
  const before = { ...process.env }
  Object.assign(process.env, environment)
  try {
    expect(await seenBy(new ManagedIdentityCredential({ clientId: bot.appId }))).toEqual(both)
    expect(
      await seenBy(new ManagedIdentityCredential(), `${azure.url.replace('http:', 'https:')}/.default`),
    ).toEqual(both)
    await denied(new ManagedIdentityCredential({ clientId: approver.appId })).toThrow()
    await denied(new ManagedIdentityCredential({ resourceId: `/subscriptions/${randomUUID()}/x` })).toThrow()
    const bare = (header: string) =>
      fetch(`${environment.IDENTITY_ENDPOINT}?api-version=2019-08-01&resource=https://management.azure.com`, {
        headers: { 'x-identity-header': header },
      })
    expect((await bare('guessed')).status).toBe(401)
    expect((await bare(environment.IDENTITY_HEADER)).status).toBe(200)
  } finally {
    process.env = before
  }
})

test('the environment names a client and its secret', async () => {
  const before = { ...process.env }
  Object.assign(process.env, {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: bot.appId,
    AZURE_CLIENT_SECRET: bot.secret,
  })
  try {
    expect(await seenBy(new EnvironmentCredential(options))).toEqual(both)
  } finally {
    process.env = before
  }
})

test('the OpenID documents lead to the token endpoint, and to the key that verifies what it gives', async () => {
  const read = async (path: string) => (await fetch(path)).json() as Promise<Record<string, string>>
  for (const [root, version] of [
    ['adfs', ''],
    [tenantId, 'v2.0/'],
  ] as const) {
    const document = await read(`${azure.url}/${root}/${version}.well-known/openid-configuration`)
    const { token_endpoint = '', jwks_uri = '' } = document
    const form = { grant_type: 'client_credentials', client_id: bot.appId, client_secret: bot.secret }
    const body = new URLSearchParams({ ...form, scope: arm })
    const answer = await fetch(token_endpoint, { method: 'POST', body })
    const { access_token } = (await answer.json()) as { access_token: string }
    const { payload } = await jwtVerify(access_token, createRemoteJWKSet(new URL(jwks_uri)))
    expect(payload).toMatchObject({ oid: bot.objectId, aud: 'https://management.azure.com' })
  }
  expect((await fetch(`${azure.url}/${randomUUID()}/v2.0/.well-known/openid-configuration`)).status).toBe(400)
})

describe('on behalf of a person', () => {
  const as = (userAssertionToken: string, clientSecret: string = approver.secret): TokenCredential =>
    new OnBehalfOfCredential({
      tenantId,
      clientId: approver.appId,
      clientSecret,
      userAssertionToken,
      ...options,
    })
  const token = (claims: Record<string, unknown> = {}): Promise<string> =>
    azure.identity.tokenFor(people.owner.objectId, { aud: `api://${approver.appId}`, ...claims })

  test('ARM meets the person, not the application', async () => {
    const credential = as(await token())
    expect(await seenBy(credential)).toEqual({ status: 200, ids: [subscriptions.main.id] })
    const { token: got = '' } = (await credential.getToken(arm)) ?? {}
    expect(decodeJwt(got)).toMatchObject({ oid: people.owner.objectId, tid: tenantId, appid: approver.appId })
  })

  test('only with a token that was meant for the application, whole and in time', async () => {
    await denied(as(await token({ aud: `api://${bot.appId}` }))).toThrow('AADSTS500131')
    await denied(as(await token({ exp: 1 }))).toThrow('AADSTS500133')
    await denied(as(`${await token()}x`)).toThrow('AADSTS50013')
    await denied(as(await token(), 'guessed')).toThrow('AADSTS7000215')
    await denied(as(await azure.identity.tokenFor(randomUUID(), { aud: approver.appId }))).toThrow(
      'AADSTS50034',
    )
  })

  test('by the token that Teams gets for the application, which names it by its URI', async () => {
    const signedIn = await singleSignOn(azure.url, 'owner', approver.uri)
    expect(decodeJwt(signedIn ?? '')).toMatchObject({
      aud: approver.appId,
      iss: `https://login.microsoftonline.com/${tenantId}/v2.0`,
      oid: people.owner.objectId,
      tid: tenantId,
      ver: '2.0',
    })
    expect(await seenBy(as(signedIn ?? ''))).toEqual({ status: 200, ids: [subscriptions.main.id] })
    expect(await singleSignOn(azure.url, 'owner', `api://botid-${randomUUID()}`)).toBeUndefined()
  })

  test('only once they agreed, where nobody did for the whole tenant', async () => {
    const carefully = (who: 'owner' | 'second'): Promise<TokenCredential> =>
      azure.identity.tokenFor(people[who].objectId, { aud: careful.appId }).then(
        (userAssertionToken) =>
          new OnBehalfOfCredential({
            tenantId,
            clientId: careful.appId,
            clientSecret: 'careful-secret',
            userAssertionToken,
            ...options,
          }),
      )
    await denied(await carefully('owner')).toThrow('AADSTS65001')
    azure.identity.consent(people.owner.objectId, careful.appId)
    expect((await seenBy(await carefully('owner'))).status).toBe(200)
    await denied(await carefully('second')).toThrow('AADSTS65001')
    expect(() => azure.identity.consent(people.owner.objectId, randomUUID())).toThrow('no application')
  })

  test('the managed identity vouches for the application, which then needs no secret', async () => {
    const before = { ...process.env }
    Object.assign(process.env, azure.identity.environment)
    try {
      const identity = new ManagedIdentityCredential({ clientId: bot.appId })
      const vouched = (audience: string) => async () =>
        (await identity.getToken(`${audience}/.default`))?.token ?? ''
      const userAssertionToken = await token()
      const by = (getAssertion: () => Promise<string>): TokenCredential =>
        new OnBehalfOfCredential({
          tenantId,
          clientId: approver.appId,
          getAssertion,
          userAssertionToken,
          ...options,
        })
      expect((await seenBy(by(vouched('api://AzureADTokenExchange')))).status).toBe(200)
      // A token that the identity got for something else proves nothing.
      await denied(by(vouched('https://management.azure.com'))).toThrow('AADSTS700211')
    } finally {
      process.env = before
    }
  })
})

describe('a bare request for a token', () => {
  const { owner } = people
  const username = 'owner@contoso.example'
  const password = 'sandbox-password'
  const ask = async (form: Record<string, string>, root: string = tenantId) => {
    const path = root === 'adfs' ? '/adfs/oauth2/token' : `/${root}/oauth2/v2.0/token`
    const body = new URLSearchParams({ scope: arm, ...form })
    const answer = await fetch(`${azure.url}${path}`, { method: 'POST', body })
    return (await answer.json()) as Readonly<Record<string, unknown>>
  }
  const refused = (code: number) => expect.objectContaining({ error_codes: [code] })
  const byPassword = { grant_type: 'password', client_id: azureCli, username, password }
  const bySecret = { client_id: approver.appId, client_secret: approver.secret }

  test('by a person: with their own password, by the Azure CLI or a client that proves itself', async () => {
    for (const root of [tenantId, 'adfs'])
      expect(decodeJwt(String((await ask(byPassword, root)).access_token))).toMatchObject({
        oid: owner.objectId,
        upn: username,
      })
    expect(await ask({ ...byPassword, ...bySecret })).toHaveProperty('access_token')
    expect(await ask({ ...byPassword, password: 'guessed' })).toEqual(refused(50126))
    expect(await ask({ ...byPassword, username: 'nobody@contoso.example' })).toEqual(refused(50126))
    expect(await ask({ ...byPassword, client_id: randomUUID() })).toEqual(refused(700016))
    expect(await ask({ ...byPassword, client_id: approver.appId })).toEqual(refused(7000218))
  })

  test('by a refresh token: one that was given to that client', async () => {
    const given = await ask(byPassword)
    const again = { grant_type: 'refresh_token', client_id: azureCli }
    const refresh_token = String(given.refresh_token)
    expect(decodeJwt(String((await ask({ ...again, refresh_token })).access_token)).oid).toBe(owner.objectId)
    expect(await ask({ ...again, ...bySecret, refresh_token })).toEqual(refused(70000))
    expect(await ask({ ...again, refresh_token: String(given.access_token) })).toEqual(refused(70000))
    expect(await ask({ ...again, refresh_token: `${refresh_token}x` })).toEqual(refused(70000))
  })

  test('for what there is, in the form that its grant has', async () => {
    const own = { grant_type: 'client_credentials', ...bySecret }
    expect(await ask(own)).toHaveProperty('access_token')
    expect(await ask({ ...own, scope: 'https://management.azure.com/user_impersonation' })).toEqual(
      refused(1002012),
    )
    expect(await ask({ ...byPassword, scope: 'openid profile' })).toEqual(refused(70011))
    expect(await ask({ ...own, grant_type: 'device_code' })).toEqual(refused(70003))
    const assertionOf = await azure.identity.tokenFor(owner.objectId, { aud: approver.appId })
    const behalf = {
      ...bySecret,
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: assertionOf,
    }
    expect(await ask(behalf)).toEqual(refused(900144))
    expect(await ask({ ...behalf, requested_token_use: 'on_behalf_of' })).toHaveProperty('access_token')
  })
})
