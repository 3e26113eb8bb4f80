/** The token endpoint: who asks, how they prove it, and the token that they are given. */
import { createPublicKey, randomUUID, X509Certificate } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import {
  type Application,
  apiOf,
  applicationOf,
  type Directory,
  equal,
  exchangeAudience,
  isResource,
  type Person,
  personOf,
  publicClients,
} from './directory.ts'
import { ownKey, sign, verify } from './tokens.ts'

export type Reply = { readonly status: number; readonly body: Readonly<Record<string, unknown>> }
export type TokenRequest = {
  readonly directory: Directory
  readonly form: URLSearchParams
  /** The token endpoint's own address, as the client reached it: what its assertions are for. */
  readonly endpoint: string
  /** AD FS gives no `client_info`, and names people differently. */
  readonly adfs: boolean
  /** Whether a person agreed that an application acts for them. */
  readonly consented: (person: Person, client: Application) => boolean
}

/** What Entra ID answers, by its AADSTS numbers. */
class Refused extends Error {
  readonly reply: Reply
  constructor(error: string, code: number, text: string, suberror?: string) {
    super(text)
    const trace = randomUUID()
    this.reply = {
      status: error === 'invalid_client' ? 401 : 400,
      body: {
        error,
        error_description: `AADSTS${code}: ${text} Trace ID: ${trace}`,
        error_codes: [code],
        timestamp: new Date().toISOString().replace('T', ' ').replace(/\..*/, 'Z'),
        trace_id: trace,
        ...(suberror !== undefined && { suberror }),
        correlation_id: randomUUID(),
      },
    }
  }
}

const lifetime = 3_599
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const jwtAssertion = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Clocks differ, and MSAL rounds the beginning of an assertion up to the next second. */
const skewSeconds = 300

export async function grantToken(request: TokenRequest): Promise<Reply> {
  try {
    return { status: 200, body: await grant(request) }
  } catch (error) {
    if (error instanceof Refused) return error.reply
    throw error
  }
}

async function grant(request: TokenRequest): Promise<Readonly<Record<string, unknown>>> {
  const { form } = request
  const type = form.get('grant_type')
  switch (type) {
    case 'client_credentials':
      return forApplication(request, await confidentialClient(request))
    case jwtBearer: {
      const client = await confidentialClient(request)
      return forPerson(request, client.appId, await onBehalfOf(request, client))
    }
    case 'password':
      return forPerson(request, await anyClient(request), byPassword(request))
    case 'refresh_token': {
      const client = await anyClient(request)
      return forPerson(request, client, await byRefreshToken(request, client))
    }
    default:
      throw new Refused(
        'unsupported_grant_type',
        70003,
        `The app requested the unsupported grant type '${type}'.`,
      )
  }
}

// ---- the client ----------------------------------------------------------------------------------------

function known({ directory, form }: TokenRequest): Application {
  const id = form.get('client_id') ?? ''
  const found = applicationOf(directory, id)
  if (found) return found
  throw new Refused(
    'unauthorized_client',
    700016,
    `Application with identifier '${id}' was not found in the directory '${directory.tenantId}'.`,
  )
}

async function confidentialClient(request: TokenRequest): Promise<Application> {
  const { form, endpoint } = request
  const client = known(request)
  const secret = form.get('client_secret')
  const assertion = form.get('client_assertion')
  if (secret !== null) {
    if (client.secrets?.some((one) => equal(secret, one))) return client
    throw new Refused('invalid_client', 7000215, 'Invalid client secret provided.')
  }
  if (assertion === null || form.get('client_assertion_type') !== jwtAssertion)
    throw new Refused(
      'invalid_client',
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    )
  await proven(client, assertion, endpoint)
  return client
}

/** Microsoft's own clients sign people in without a secret; every other client has to prove itself. */
const anyClient = async (request: TokenRequest): Promise<string> =>
  publicClients.find((id) => id === request.form.get('client_id')) ??
  (await confidentialClient(request)).appId

/** An assertion that a certificate of the application signed, or a token of an issuer that it trusts. */
async function proven(client: Application, assertion: string, endpoint: string): Promise<void> {
  const issuer = issuerOf(assertion)
  const federation = client.federations?.find((one) => one.issuer === issuer)
  if (issuer !== client.appId && !federation)
    throw new Refused(
      'invalid_client',
      700211,
      `No matching federated identity record found for presented assertion issuer '${issuer}'.`,
    )
  const keys = federation
    ? [federation.publicKey === undefined ? await ownKey() : createPublicKey(federation.publicKey)]
    : (client.certificates ?? []).map((pem) => new X509Certificate(pem).publicKey)
  for (const key of keys) {
    try {
      await jwtVerify(assertion, key, {
        algorithms: ['RS256', 'PS256'],
        issuer,
        subject: federation?.subject ?? client.appId,
        audience: federation ? exchangeAudience : endpoint,
        requiredClaims: ['exp'],
        clockTolerance: skewSeconds,
      })
      return
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error
      // Another key may have signed it; a claim that is wrong is wrong under every key.
      if (error instanceof errors.JWTExpired)
        throw new Refused('invalid_client', 700024, 'Client assertion is not within its valid time range.')
      if (error instanceof errors.JWTClaimValidationFailed)
        throw new Refused(
          'invalid_client',
          error.claim === 'sub' ? 700213 : 700212,
          `The assertion's '${error.claim}' does not match.`,
        )
    }
  }
  throw new Refused('invalid_client', 700027, 'Client assertion contains an invalid signature.')
}

function issuerOf(assertion: string): string {
  try {
    return decodeJwt(assertion).iss ?? ''
  } catch (error) {
    if (error instanceof errors.JOSEError)
      throw new Refused('invalid_client', 50027, 'JWT token is invalid or malformed.')
    throw error
  }
}

// ---- the person ----------------------------------------------------------------------------------------

function byPassword({ directory, form }: TokenRequest): Person {
  const person = personOf(directory, form.get('username') ?? '')
  if (person && equal(form.get('password') ?? '', person.password)) return person
  throw new Refused(
    'invalid_grant',
    50126,
    'Error validating credentials due to invalid username or password.',
  )
}

/** The person of a token that was meant for this client. */
async function onBehalfOf(
  { directory, form, consented }: TokenRequest,
  client: Application,
): Promise<Person> {
  if (form.get('requested_token_use') !== 'on_behalf_of')
    throw new Refused('invalid_request', 900144, "The request body must contain 'requested_token_use'.")
  const verdict = await verify(form.get('assertion') ?? '')
  if (verdict.is === 'expired')
    throw new Refused('invalid_grant', 500133, 'Assertion is not within its valid time range.')
  if (verdict.is === 'invalid')
    throw new Refused('invalid_grant', 50013, 'Assertion failed signature validation.')
  if (apiOf(directory, String(verdict.claims.aud)) !== client)
    throw new Refused(
      'invalid_grant',
      500131,
      'Assertion audience does not match the Client app presenting the assertion.',
    )
  const person = personIn(directory, verdict.claims)
  if (consented(person, client)) return person
  throw new Refused(
    'invalid_grant',
    65001,
    `The user or administrator has not consented to use the application with ID '${client.appId}' named '${client.name}'. Send an interactive authorization request for this user and resource.`,
    'consent_required',
  )
}

const refreshUse = 'refresh'

async function byRefreshToken({ directory, form }: TokenRequest, client: string): Promise<Person> {
  const verdict = await verify(form.get('refresh_token') ?? '')
  if (verdict.is !== 'valid' || verdict.claims.use !== refreshUse || verdict.claims.appid !== client)
    throw new Refused(
      'invalid_grant',
      70000,
      'The provided refresh token is invalid or was issued to another client.',
    )
  return personIn(directory, verdict.claims)
}

function personIn(directory: Directory, claims: JWTPayload): Person {
  const person = directory.people.find(({ objectId }) => objectId === claims.oid)
  if (person) return person
  throw new Refused('invalid_grant', 50034, 'The user account does not exist in the directory.')
}

// ---- the token -----------------------------------------------------------------------------------------

/** Scopes about the person rather than about a resource. */
const aboutThePerson = new Set(['openid', 'profile', 'offline_access', 'email'])

function resourceOf({ directory, form }: TokenRequest): string {
  const scopes = (form.get('scope') ?? '').split(' ').filter((one) => one !== '' && !aboutThePerson.has(one))
  const [scope] = scopes
  const resource = form.get('resource') ?? scope?.replace(/\/[^/]*$/, '')
  if (resource === undefined)
    throw new Refused(
      'invalid_scope',
      70011,
      `The provided value for the input parameter 'scope' is not valid.`,
    )
  if (!isResource(directory, resource))
    throw new Refused(
      'invalid_resource',
      500011,
      `The resource principal named ${resource} was not found in the tenant named ${directory.tenantId}.`,
    )
  return resource
}

const bearer = (accessToken: string, expiresIn: number): Record<string, unknown> => ({
  token_type: 'Bearer',
  expires_in: expiresIn,
  ext_expires_in: expiresIn,
  access_token: accessToken,
})

const issuerOfVersion2 = ({ tenantId }: Directory): string =>
  `https://login.microsoftonline.com/${tenantId}/v2.0`

/** An application's own access token for a resource, whoever hands it out. */
export function applicationToken(
  directory: Directory,
  client: Application,
  audience: string,
  times: Pick<JWTPayload, 'iat' | 'nbf' | 'exp'> = {},
): Promise<string> {
  const api = apiOf(directory, audience)
  const roles = Object.entries(api?.roles ?? {}).flatMap(([role, holders]) =>
    holders.includes(client.appId) ? role : [],
  )
  const common = {
    tid: directory.tenantId,
    oid: client.objectId,
    sub: client.objectId,
    idtyp: 'app',
    ...times,
    ...(roles.length > 0 && { roles }),
  }
  const issuer2 = issuerOfVersion2(directory)
  return api?.tokenVersion === 2
    ? sign({ ...common, aud: api.appId, iss: issuer2, azp: client.appId, ver: '2.0' })
    : sign({
        ...common,
        aud: audience,
        iss: audience === exchangeAudience ? issuer2 : `https://sts.windows.net/${directory.tenantId}/`,
        appid: client.appId,
        ver: '1.0',
      })
}

async function forApplication(request: TokenRequest, client: Application): Promise<Record<string, unknown>> {
  const { form, directory } = request
  if (form.get('resource') === null && !/(^|\/)\.default$/.test(form.get('scope') ?? ''))
    throw new Refused(
      'invalid_scope',
      1002012,
      `The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.`,
    )
  return bearer(await applicationToken(directory, client, resourceOf(request)), lifetime)
}

async function forPerson(
  request: TokenRequest,
  client: string,
  person: Person,
): Promise<Record<string, unknown>> {
  const { directory, form, adfs } = request
  const { tenantId: tid } = directory
  const iss = `https://sts.windows.net/${tid}/`
  const who = { oid: person.objectId, name: person.name, tid }
  const aud = resourceOf(request)
  const api = apiOf(directory, aud)
  const common = { ...who, sub: person.objectId, idtyp: 'user' }
  const [accessToken, refreshToken, idToken] = await Promise.all([
    // An application of today asks for tokens of version 2: they name it by its id alone.
    api
      ? sign({
          ...common,
          aud: api.appId,
          iss: issuerOfVersion2(directory),
          preferred_username: person.userPrincipalName,
          azp: client,
          scp: 'access_as_user',
          ver: '2.0',
        })
      : sign({
          ...common,
          aud,
          iss,
          upn: person.userPrincipalName,
          appid: client,
          scp: 'user_impersonation',
          ver: '1.0',
        }),
    sign({ ...who, iss, use: refreshUse, appid: client }),
    sign({
      ...who,
      aud: client,
      iss,
      sub: person.objectId,
      ...(adfs ? { upn: person.userPrincipalName } : { preferred_username: person.userPrincipalName }),
    }),
  ])
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return {
    ...bearer(accessToken, lifetime),
    scope: form.get('scope') ?? aud,
    refresh_token: refreshToken,
    id_token: idToken,
    ...(!adfs && { client_info: part({ uid: person.objectId, utid: tid }) }),
  }
}
