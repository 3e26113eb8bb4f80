/** A local Microsoft Entra ID: one tenant, its documents, its token endpoint and its managed identities. */
import { randomUUID } from 'node:crypto'
import {
  type Application,
  apiOf,
  applicationOf,
  armAudiences,
  type Directory,
  isResource,
  type Person,
} from './directory.ts'
import { applicationToken, grantToken, type Reply } from './grants.ts'
import { managedIdentityToken } from './managedIdentity.ts'
import { publishedKeys, sign, type Verdict, verify } from './tokens.ts'

export type EntraRequest = {
  readonly method: string
  /** Scheme, host and port, as the client reached it: the documents name addresses below it. */
  readonly origin: string
  readonly path: string
  readonly query: URLSearchParams
  readonly header: (name: string) => string | undefined
  readonly body: string
}
export type Entra = {
  readonly directory: Directory
  /** What `IDENTITY_HEADER` has to be; `IDENTITY_ENDPOINT` is `managedIdentityPath` at any of the addresses. */
  readonly identityHeader: string
  /** The answer, or undefined when the path is none of Entra's. */
  answer(request: EntraRequest): Promise<Reply | undefined>
  /** An access token for whoever is named, for Azure Resource Manager unless the claims say otherwise. */
  tokenFor(objectId: string, claims?: Readonly<Record<string, unknown>>): Promise<string>
  /** What an application, by its app id, gets for a resource; by the sandbox's clock, for whoever checks it against that. */
  applicationToken(appId: string, audience: string, nowMs: number): Promise<string>
  verify(token: string): Promise<Verdict>
  /** A person agrees that an application, named as tokens name it, acts for them. */
  consent(objectId: string, application: string): void
}

export const managedIdentityPath = '/msi/token'

export function createEntra(directory: Directory): Entra {
  const identityHeader = randomUUID()
  const consents = new Set<string>()
  const entryOf = (objectId: string, { appId }: Application): string => `${objectId} ${appId}`
  return {
    directory,
    identityHeader,
    async applicationToken(appId, audience, nowMs) {
      const application = applicationOf(directory, appId)
      if (!application) throw new Error(`There is no application ${appId}`)
      if (!isResource(directory, audience)) throw new Error(`There is nothing that ${audience} names`)
      const iat = Math.floor(nowMs / 1000)
      return applicationToken(directory, application, audience, { iat, nbf: iat, exp: iat + 3_600 })
    },
    verify,
    consent(objectId, named) {
      const application = apiOf(directory, named)
      if (!application) throw new Error(`There is no application ${named}`)
      if (!directory.people.some((person) => person.objectId === objectId))
        throw new Error(`There is no person ${objectId}`)
      consents.add(entryOf(objectId, application))
    },
    tokenFor: (objectId, claims = {}) =>
      sign({
        aud: armAudiences[2] ?? '',
        iss: `https://sts.windows.net/${directory.tenantId}/`,
        tid: directory.tenantId,
        oid: objectId,
        ...claims,
      }),
    async answer(request) {
      const { path, origin, query, body, header } = request
      if (path === managedIdentityPath)
        return managedIdentityToken(directory, query, header('x-identity-header'), identityHeader)
      const [, root = '', ...rest] = path.split('/')
      const below = rest.join('/').toLowerCase()
      const adfs = root.toLowerCase() === 'adfs'
      const base = `${origin}/${root}`
      const form = (): URLSearchParams => new URLSearchParams(body)
      if (
        adfs
          ? below === '.well-known/openid-configuration'
          : below === 'v2.0/.well-known/openid-configuration'
      )
        return ofTenant(directory, root, { status: 200, body: adfs ? adfsDocument(base) : document(base) })
      if (adfs ? below === 'discovery/keys' : below === 'discovery/v2.0/keys')
        return ofTenant(directory, root, { status: 200, body: await publishedKeys() })
      if (adfs ? below === 'oauth2/token' : below === 'oauth2/v2.0/token') {
        if (request.method !== 'POST') return { status: 405, body: { error: 'invalid_request' } }
        const endpoint = `${origin}${path}`
        const consented = (person: Person, client: Application): boolean =>
          !client.asksConsent || consents.has(entryOf(person.objectId, client))
        const asked = { directory, form: form(), endpoint, adfs, consented }
        return ofTenant(directory, root, await grantToken(asked))
      }
      return undefined
    },
  }
}

/** Only the tenant's own addresses answer, and those of AD FS, which knows no tenants. */
const ofTenant = ({ tenantId }: Directory, root: string, reply: Reply): Reply =>
  ['adfs', tenantId].includes(root.toLowerCase())
    ? reply
    : {
        status: 400,
        body: { error: 'invalid_tenant', error_description: `AADSTS90002: Tenant '${root}' not found.` },
      }

const document = (base: string): Reply['body'] => ({
  issuer: `${base}/v2.0`,
  token_endpoint: `${base}/oauth2/v2.0/token`,
  authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
  device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
  jwks_uri: `${base}/discovery/v2.0/keys`,
  response_types_supported: ['code', 'id_token'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
})

const adfsDocument = (base: string): Reply['body'] => ({
  issuer: base,
  token_endpoint: `${base}/oauth2/token`,
  authorization_endpoint: `${base}/oauth2/authorize`,
  device_authorization_endpoint: `${base}/oauth2/devicecode`,
  jwks_uri: `${base}/discovery/keys`,
  access_token_issuer: base,
  response_types_supported: ['code', 'id_token'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
})
