/** The keys of this Bot Connector, the tokens that it signs, and the document that publishes the keys. */
import { constants, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Claims } from './face.ts'
import type { Json } from './json.ts'

const connectorIssuer = 'https://api.botframework.com'

/** Key ids: the one whose tokens are good for Teams, and one endorsed for other channels only. */
const teamsKey = 'teams'
const otherChannelsKey = 'other-channels'

export type Tokens = {
  openId(baseUrl: string): Json
  keys(): Promise<Json>
  /** Like the connector's own token; a claim of `undefined` is left out, the header's `kid` picks the key. */
  token(claims?: Claims, header?: Json): Promise<string>
}

const makeKey = async (): Promise<KeyObject> =>
  (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })).privateKey

export function createTokens(defaults: { audience: string; serviceUrl: () => string }): Tokens {
  // Made when first asked for: most tests sign nothing, and an RSA key costs a tenth of a second.
  let pair: Promise<{ [teamsKey]: KeyObject; [otherChannelsKey]: KeyObject }> | undefined
  const keyPair = () => {
    pair ??= Promise.all([makeKey(), makeKey()]).then(([teams, other]) => ({
      [teamsKey]: teams,
      [otherChannelsKey]: other,
    }))
    return pair
  }
  return {
    openId: (baseUrl) => ({
      issuer: connectorIssuer,
      authorization_endpoint: 'https://invalid.botframework.com',
      jwks_uri: `${baseUrl}/v1/.well-known/keys`,
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
    }),
    async keys() {
      const pair = await keyPair()
      return {
        keys: [
          { ...published(pair[teamsKey], teamsKey), endorsements: ['msteams', 'skype'] },
          { ...published(pair[otherChannelsKey], otherChannelsKey), endorsements: ['webchat', 'directline'] },
        ],
      }
    },
    async token(claims, header) {
      const pair = await keyPair()
      // The connector's tokens run an hour by the real clock, since that is what a bot checks them against.
      const now = Math.floor(Date.now() / 1000)
      return signed(
        header?.kid === otherChannelsKey ? pair[otherChannelsKey] : pair[teamsKey],
        { alg: 'RS256', kid: teamsKey, typ: 'JWT', ...header },
        {
          serviceurl: defaults.serviceUrl(),
          iss: connectorIssuer,
          aud: defaults.audience,
          nbf: now - 300,
          exp: now + 3600,
          ...claims,
        },
      )
    },
  }
}

const published = (key: KeyObject, kid: string): Json => ({
  ...createPublicKey(key).export({ format: 'jwk' }),
  use: 'sig',
  kid,
})

const hashes: Readonly<Record<string, string>> = { '256': 'sha256', '384': 'sha384', '512': 'sha512' }

/** Signs by whatever the header says, so that a test can make tokens that a bot has to refuse. */
function signed(key: KeyObject, header: Json, claims: Json): string {
  const part = (json: Json): string => Buffer.from(JSON.stringify(json)).toString('base64url')
  const content = `${part(header)}.${part(claims)}`
  const alg = String(header.alg)
  const hash = hashes[alg.slice(2)]
  if (hash === undefined) return `${content}.`
  const padding = alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  const signature = sign(hash, Buffer.from(content), {
    key,
    padding,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  })
  return `${content}.${signature.toString('base64url')}`
}
