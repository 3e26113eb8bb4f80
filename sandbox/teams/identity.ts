/**
 * Where a bot gets the token that it calls the connector with: the part of Entra ID that a confidential client
 * uses. MSAL speaks https only, so this is an https server with a certificate of its own.
 */
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { errors, exportJWK, jwtVerify } from 'jose'
import { tenantId } from '../seed.ts'
import { selfSignedCertificate } from './certificate.ts'
import { listenOnLoopback, readBody, send, stop } from './http.ts'
import { connectorIssuer, signed } from './tokens.ts'

export type Identity = {
  authority: string
  host: string
  caFile: string
  /** Whether an Authorization header holds a token that this server gave to the bot for the connector. */
  accepts(authorization: string | undefined): Promise<boolean>
  close(): Promise<void>
}

const keyId = 'entra'

export async function startIdentity(client: { appId: string; secret?: string }): Promise<Identity> {
  const { key, cert } = selfSignedCertificate()
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-teams-'))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, cert)
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: keyId, use: 'sig' }] }

  const server = createServer({ key, cert }, (request, response) => {
    readBody(request).then(
      (body) => {
        const base = `https://${request.headers.host}/${tenantId}`
        const [, tenant, ...rest] = (request.url ?? '').split('?')[0]?.split('/') ?? []
        const path = rest.join('/')
        if (tenant !== tenantId) return send(response, { status: 404, body: { error: 'invalid_tenant' } })
        if (path === 'v2.0/.well-known/openid-configuration')
          return send(response, { status: 200, body: metadata(base) })
        if (path === 'discovery/v2.0/keys') return send(response, { status: 200, body: jwks })
        if (path === 'oauth2/v2.0/token')
          return send(response, grant(new URLSearchParams(body.toString()), client, privateKey, base))
        return send(response, { status: 404, body: { error: 'invalid_request' } })
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    )
  })
  const port = await listenOnLoopback(server, 0)
  const host = `127.0.0.1:${port}`
  return {
    authority: `https://${host}/${tenantId}`,
    host,
    caFile,
    async accepts(authorization) {
      const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
      if (token === undefined) return false
      try {
        await jwtVerify(token, publicKey, {
          algorithms: ['RS256'],
          audience: connectorIssuer,
        })
        return true
      } catch (error) {
        // A token that does not verify is an answer here, not a failure; anything else is one.
        if (error instanceof errors.JOSEError) return false
        throw error
      }
    },
    async close() {
      await stop(server)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const metadata = (base: string) => ({
  issuer: `${base}/v2.0`,
  token_endpoint: `${base}/oauth2/v2.0/token`,
  authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
  jwks_uri: `${base}/discovery/v2.0/keys`,
  response_types_supported: ['code', 'id_token'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
})

function grant(
  form: URLSearchParams,
  client: { appId: string; secret?: string },
  key: KeyObject,
  base: string,
): { status: number; body: unknown } {
  const refuse = (error: string, error_description: string) => ({
    status: 400,
    body: { error, error_description },
  })
  if (form.get('grant_type') !== 'client_credentials')
    return refuse('unsupported_grant_type', 'AADSTS70003: The app requested an unsupported grant type.')
  if (form.get('client_id') !== client.appId)
    return refuse('unauthorized_client', 'AADSTS700016: The application was not found in the directory.')
  const secret = form.get('client_secret')
  const proven =
    secret === null ? form.has('client_assertion') : client.secret === undefined || secret === client.secret
  if (!proven)
    return { ...refuse('invalid_client', 'AADSTS7000215: Invalid client secret provided.'), status: 401 }
  if (form.get('scope')?.split(' ').includes(`${connectorIssuer}/.default`) !== true)
    return refuse('invalid_scope', 'AADSTS70011: The provided value for scope is not valid.')
  const now = Math.floor(Date.now() / 1000)
  const accessToken = signed(
    key,
    { alg: 'RS256', typ: 'JWT', kid: keyId },
    {
      aud: connectorIssuer,
      iss: `${base}/`,
      iat: now,
      nbf: now,
      exp: now + 86_399,
      appid: client.appId,
      tid: tenantId,
    },
  )
  return {
    status: 200,
    body: { token_type: 'Bearer', expires_in: 86_399, ext_expires_in: 86_399, access_token: accessToken },
  }
}
