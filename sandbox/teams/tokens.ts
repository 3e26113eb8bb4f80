/** The keys of this Bot Connector, the tokens that it signs, and the document that publishes the keys. */
import { constants, createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { Claims } from './face.ts'
import type { Json } from './json.ts'

const connectorIssuer = 'https://api.botframework.com'

/** Key ids: the first whose tokens are good for Teams (then `teams-2` …), and one endorsed for other channels only. */
const firstKey = 'teams'
const otherChannelsKey = 'other-channels'

export type Tokens = {
  openId(baseUrl: string): Json
  keys(): Promise<Json>
  /** Like the connector's own token; a claim of `undefined` is left out, the header's `kid` picks the key. */
  token(claims?: Claims, header?: Json): Promise<string>
  rotate(): Promise<string>
}

const makeKey = async (): Promise<KeyObject> =>
  (await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })).privateKey

export function createTokens(defaults: {
  audience: string
  serviceUrl: () => string
  now: () => number
}): Tokens {
  // Made when first asked for: most tests sign nothing, and an RSA key costs a tenth of a second.
  let pair: Promise<{ teams: KeyObject; other: KeyObject }> | undefined
  let rotations = 0
  const keyPair = () => {
    pair ??= Promise.all([makeKey(), makeKey()]).then(([teams, other]) => ({ teams, other }))
    return pair
  }
  const teamsKey = (): string => (rotations === 0 ? firstKey : `${firstKey}-${rotations + 1}`)
  return {
    openId: (baseUrl) => ({
      issuer: connectorIssuer,
      authorization_endpoint: 'https://invalid.botframework.com',
      jwks_uri: `${baseUrl}/v1/.well-known/keys`,
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
    }),
    async keys() {
      const { teams, other } = await keyPair()
      return {
        keys: [
          { ...published(teams, teamsKey()), endorsements: ['msteams', 'skype'] },
          { ...published(other, otherChannelsKey), endorsements: ['webchat', 'directline'] },
        ],
      }
    },
    async rotate() {
      const { other } = await keyPair()
      const teams = await makeKey()
      pair = Promise.resolve({ teams, other })
      rotations++
      return teamsKey()
    },
    async token(claims, header) {
      const { teams, other } = await keyPair()
      const now = Math.floor(defaults.now() / 1000)
      return signed(
        header?.kid === otherChannelsKey ? other : teams,
        { alg: 'RS256', kid: teamsKey(), typ: 'JWT', ...header },
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
