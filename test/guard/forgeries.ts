/**
 * What somebody can make up who wants to be heard: each differs from a request that is accepted (its twin) in one named
 * respect, and is otherwise that request to the byte.
 */
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { bot, people, tenantId } from '../../sandbox/seed.ts'
import type { Activity, Claims, Teams } from '../../sandbox/teams/face.ts'

export type Sending = { readonly headers: Readonly<Record<string, string>>; readonly body: string }
/** A request that is accepted, and whether a person made it. */
export type Twin = { readonly kind: string; readonly activity: Activity; readonly isPersons: boolean }
export type Forgery = {
  /** The respect in which it differs. */
  readonly respect: string
  readonly name: string
  readonly twin: Twin
  send(): Promise<Sending>
}

type Json = Record<string, unknown>
type Forge = (twin: Twin) => Promise<Sending>
type Respect = {
  readonly respect: string
  readonly of?: 'persons'
  readonly forges: readonly (readonly [name: string, forge: Forge])[]
}

const foreign = '99999999-0000-4000-8000-000000000009'
const issuer = 'https://api.botframework.com'
const hour = 3_600
const day = 24 * hour

/** The accepted request itself. */
export const genuine = async (teams: Teams, { activity }: Twin): Promise<Sending> =>
  sending(activity, await teams.token())

const sending = (activity: unknown, token: string): Sending => ({
  headers: { authorization: `Bearer ${token}` },
  body: JSON.stringify(activity),
})

/** Written as it stands; TypeScript's library does not know it yet. */
const rawJson = (text: string): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text)
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const partsOf = (token: string): readonly [string, string, string] => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  return [header, payload, signature]
}

/** At least `least` of them, as many of each respect as there may be without its being more than a tenth. */
export async function forgeries(
  teams: Teams,
  other: Teams,
  entraToken: (claims: Json) => Promise<string>,
  twins: readonly Twin[],
): Promise<readonly Forgery[]> {
  const all = await respectsOf(teams, other, entraToken)
  const wanted = 34
  return all.flatMap(({ respect, of, forges }, nth) => {
    const may = twins.filter(({ isPersons }) => of !== 'persons' || isPersons)
    const each = Math.min(may.length, Math.max(1, Math.ceil(wanted / forges.length)))
    return forges
      .slice(0, wanted)
      .flatMap(([name, forge], index) =>
        Array.from({ length: each }, (_, round) => may[(index + nth + round) % may.length]).flatMap((twin) =>
          twin ? [{ respect, name, twin, send: () => forge(twin) }] : [],
        ),
      )
  })
}

async function respectsOf(
  teams: Teams,
  other: Teams,
  entraToken: (claims: Json) => Promise<string>,
): Promise<readonly Respect[]> {
  const now = (): number => Math.floor(teams.now() / 1_000)
  const published = await publishedKey(teams)
  const mine = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const edwards = generateKeyPairSync('ed25519').privateKey
  const myJwk = createPublicKey(mine).export({ format: 'jwk' })

  // ---- the token ----------------------------------------------------------------------------------

  const claimed =
    (claims: Claims | (() => Claims)): Forge =>
    async ({ activity }) =>
      sending(activity, await teams.token(typeof claims === 'function' ? claims() : claims))
  const headed =
    (header: Json): Forge =>
    async ({ activity }) =>
      sending(activity, await teams.token({}, header))
  /** A genuine token, taken apart and put together again. */
  const reworked =
    (rework: (header: string, payload: string, signature: string) => string): Forge =>
    async ({ activity }) =>
      sending(activity, rework(...partsOf(await teams.token())))
  /** The claims of a genuine token under a header of my own, signed by whatever I have. */
  const signedBy = (header: Json, signer: (content: string) => string): Forge =>
    reworked((_, payload) => {
      const content = `${base64(header)}.${payload}`
      return `${content}.${signer(content)}`
    })
  const rsa = (key: KeyObject) => (content: string) =>
    sign('sha256', Buffer.from(content), key).toString('base64url')
  const hmac = (hash: string, key: string | Buffer) => (content: string) =>
    createHmac(hash, key).update(content).digest('base64url')
  const changedClaims = (change: Json): Forge =>
    reworked((header, payload, signature) => {
      const claims: Json = JSON.parse(Buffer.from(payload, 'base64url').toString())
      return `${header}.${base64({ ...claims, ...change })}.${signature}`
    })
  const kid = published.kid
  const each = <T>(values: readonly T[], forge: (value: T) => Forge): readonly (readonly [string, Forge])[] =>
    values.map((value) => [written(value), forge(value)] as const)
  const named = (what: string, forges: readonly (readonly [string, Forge])[]) =>
    forges.map(([name, forge]) => [`${name} ${what}`, forge] as const)
  const claim = (name: string, values: readonly unknown[]) =>
    each(values, (value) => claimed({ [name]: value }))
  const times = (name: string, seconds: readonly number[]) =>
    seconds.map((offset) => [`${offset} s from now`, claimed(() => ({ [name]: now() + offset }))] as const)

  const pem = published.key.export({ type: 'spki', format: 'pem' }).toString()
  const tokens: readonly Respect[] = [
    {
      respect: 'the algorithm',
      forges: [
        ...each(['RS384', 'RS512', 'PS256', 'PS384', 'PS512'], (alg) => headed({ alg })),
        ...named(
          'and no signature',
          each(['none', 'None', 'NONE', 'nOnE', ''], (alg) => signedBy({ alg, kid }, () => '')),
        ),
        ...each(['none', 'HS256', 'rs256', 'RS256 ', 'RSA', null, 256, ['RS256'], { alg: 'RS256' }], (alg) =>
          reworked((_, payload, signature) => `${base64({ alg, kid, typ: 'JWT' })}.${payload}.${signature}`),
        ),
        ['HS256 keyed by the published key', signedBy({ alg: 'HS256', kid }, hmac('sha256', pem))],
        ['HS256 keyed by its modulus', signedBy({ alg: 'HS256', kid }, hmac('sha256', published.n))],
        ['HS384 keyed by the published key', signedBy({ alg: 'HS384', kid }, hmac('sha384', pem))],
        ['HS512 keyed by the published key', signedBy({ alg: 'HS512', kid }, hmac('sha512', pem))],
        ['HS256 keyed by nothing', signedBy({ alg: 'HS256', kid }, hmac('sha256', ''))],
        [
          'ES256 by a key of mine',
          signedBy({ alg: 'ES256', kid }, (content) =>
            sign('sha256', Buffer.from(content), { key: curve, dsaEncoding: 'ieee-p1363' }).toString(
              'base64url',
            ),
          ),
        ],
        [
          'EdDSA by a key of mine',
          signedBy({ alg: 'EdDSA', kid }, (content) =>
            sign(null, Buffer.from(content), edwards).toString('base64url'),
          ),
        ],
      ],
    },
    {
      respect: 'a critical header',
      forges: each(
        [
          { crit: ['exp'], exp: 1 },
          { crit: ['b64'], b64: true },
          { crit: ['b64'], b64: false },
          { crit: ['b64'] },
          { crit: ['alg'] },
          { crit: ['kid'] },
          { crit: ['x'], x: 1 },
          { crit: ['x'] },
          { crit: [] },
          { crit: [null] },
          { crit: [''] },
          { crit: ['b64', 'x'], b64: true, x: 1 },
          { crit: 'exp' },
          { crit: 1 },
          { crit: null },
          { crit: {} },
          { crit: true },
        ],
        headed,
      ),
    },
    {
      respect: 'the key id',
      forges: each(
        [
          undefined,
          null,
          '',
          1,
          true,
          [],
          {},
          [kid],
          `${kid} `,
          ` ${kid}`,
          kid.toUpperCase(),
          `../${kid}`,
          `${kid}\u0000`,
          '__proto__',
          'constructor',
          'toString',
          'size',
          'other',
          'teams-2',
          'x'.repeat(4_000),
        ],
        (one) => headed({ kid: one }),
      ),
    },
    {
      respect: 'a key for other channels',
      forges: [
        ['its own', headed({ kid: 'other-channels' })],
        ['with another type', headed({ kid: 'other-channels', typ: 'at+jwt' })],
        ['with a claim of endorsement', headed({ kid: 'other-channels', endorsements: ['msteams'] })],
      ],
    },
    {
      respect: 'who signed',
      forges: [
        ['a key of mine', signedBy({ alg: 'RS256', kid, typ: 'JWT' }, rsa(mine))],
        ['a short key of mine', signedBy({ alg: 'RS256', kid }, rsa(rsaKey(1024)))],
        ['a long key of mine', signedBy({ alg: 'RS256', kid }, rsa(rsaKey(3072)))],
        ['a key of mine, brought along', signedBy({ alg: 'RS256', kid, jwk: myJwk }, rsa(mine))],
        ['a key of mine, brought along alone', signedBy({ alg: 'RS256', jwk: myJwk }, rsa(mine))],
        [
          'a key of mine, to be fetched',
          signedBy({ alg: 'RS256', kid, jku: `${other.url}/v1/.well-known/keys` }, rsa(mine)),
        ],
        ['a key of mine, in a certificate', signedBy({ alg: 'RS256', kid, x5c: ['MIIB'] }, rsa(mine))],
        ['a key of mine, by an address', signedBy({ alg: 'RS256', kid, x5u: other.url }, rsa(mine))],
        [
          'another Teams, its key not published here',
          async ({ activity }) => sending(activity, await other.token({ serviceurl: teams.serviceUrl })),
        ],
        [
          'another Teams, its document named',
          async ({ activity }) =>
            sending(activity, await other.token({ serviceurl: teams.serviceUrl }, { jku: other.openIdUrl })),
        ],
        ['nobody', reworked((header, payload) => `${header}.${payload}.`)],
      ],
    },
    {
      respect: 'the signature',
      forges: [
        ...[0, 1, 7, 40, 127, 128, 200, 254, 255].map(
          (at) =>
            [
              `bit flipped in byte ${at}`,
              reworked((header, payload, signature) => {
                const bytes = Buffer.from(signature, 'base64url')
                bytes[at] = (bytes[at] ?? 0) ^ 1
                return `${header}.${payload}.${bytes.toString('base64url')}`
              }),
            ] as const,
        ),
        ...[1, 2, 4, 64, 171].map(
          (less) =>
            [`${less} characters short`, reworked((h, p, s) => `${h}.${p}.${s.slice(0, -less)}`)] as const,
        ),
        ...['AAAA', 'A', '.', '.AAAA', '==', '\u00e4'].map(
          (more) => [`with ${more} behind it`, reworked((h, p, s) => `${h}.${p}.${s}${more}`)] as const,
        ),
        ['of zeros', reworked((h, p) => `${h}.${p}.${Buffer.alloc(256).toString('base64url')}`)],
        ['of ones', reworked((h, p) => `${h}.${p}.${Buffer.alloc(256, 255).toString('base64url')}`)],
        ['of chance', reworked((h, p) => `${h}.${p}.${randomBytes(256).toString('base64url')}`)],
        [
          'backwards',
          reworked((h, p, s) => `${h}.${p}.${Buffer.from(s, 'base64url').reverse().toString('base64url')}`),
        ],
        [
          'of another token',
          async ({ activity }) => {
            const [header, payload] = partsOf(await teams.token())
            const [, , signature] = partsOf(await teams.token({ jti: 'another' }))
            return sending(activity, `${header}.${payload}.${signature}`)
          },
        ],
      ],
    },
    {
      respect: 'claims changed after the signature',
      forges: [
        ...each(
          [
            { exp: now() + 2 * hour },
            { nbf: 0 },
            { iss: 'x' },
            { aud: foreign },
            { serviceurl: 'https://smba.trafficmanager.net/teams/' },
            { serviceurl: 'https://evil.example/' },
            { sub: people.owner.objectId },
            { oid: people.owner.objectId },
            { jti: 'x' },
            { role: 'admin' },
          ],
          changedClaims,
        ),
        ['none left', reworked((h, _, s) => `${h}.${base64({})}.${s}`)],
        ['empty', reworked((h, _, s) => `${h}..${s}`)],
        ['no JSON', reworked((h, _, s) => `${h}.AAAA.${s}`)],
        ['the header again', reworked((h, _, s) => `${h}.${h}.${s}`)],
        [
          'a space in them',
          reworked(
            (h, p, s) => `${h}.${Buffer.from(` ${Buffer.from(p, 'base64url')}`).toString('base64url')}.${s}`,
          ),
        ],
      ],
    },
    {
      respect: 'the issuer',
      forges: claim('iss', [
        undefined,
        null,
        '',
        `${issuer}/`,
        ` ${issuer}`,
        `${issuer}\u0000`,
        issuer.replace('https', 'http'),
        issuer.toUpperCase(),
        'https://api.botframework.us',
        'https://api.botframework.com.evil.example',
        'api.botframework.com',
        'https://evil.example',
        `https://sts.windows.net/${tenantId}/`,
        'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/',
        'https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/',
        `https://login.microsoftonline.com/${tenantId}/v2.0`,
        [issuer],
        [issuer, 'https://evil.example'],
        { iss: issuer },
        1,
        true,
      ]),
    },
    {
      respect: 'the audience',
      forges: claim('aud', [
        undefined,
        null,
        '',
        foreign,
        [bot.appId],
        [bot.appId, foreign],
        [foreign, bot.appId],
        [],
        [[bot.appId]],
        bot.appId.toUpperCase(),
        `28:${bot.appId}`,
        `{${bot.appId}}`,
        `${bot.appId} `,
        `${bot.appId},${foreign}`,
        bot.appId.slice(0, -1),
        `${bot.appId}0`,
        bot.objectId,
        tenantId,
        issuer,
        { [bot.appId]: true },
        0,
        true,
      ]),
    },
    {
      respect: 'the expiry',
      forges: [
        ...times('exp', [-301, -400, -hour, -day, -30 * day, day + 60, 25 * hour, 7 * day, 365 * day]),
        ...claim('exp', [
          undefined,
          null,
          '',
          0,
          -1,
          253_402_300_799,
          rawJson('1e400'),
          rawJson('-1e400'),
          teams.now(),
          String(now() + hour),
          'never',
          [now() + hour],
          {},
          true,
        ]),
      ],
    },
    {
      respect: 'from when it is valid',
      forges: [
        ...times('nbf', [360, 600, hour, day, 365 * day]),
        ...claim('nbf', [
          null,
          '',
          'now',
          String(now() - hour),
          [0],
          {},
          false,
          teams.now(),
          rawJson('1e400'),
        ]),
      ],
    },
    {
      respect: "the token's service URL",
      forges: each(
        [
          undefined,
          null,
          '',
          ' ',
          0,
          true,
          {},
          [teams.serviceUrl],
          `${teams.serviceUrl} `,
          ` ${teams.serviceUrl}`,
          teams.serviceUrl.replace(/\/$/, ''),
          `${teams.serviceUrl}/`,
          `${teams.serviceUrl}x`,
          `${teams.serviceUrl}?x`,
          teams.serviceUrl.toUpperCase(),
          teams.serviceUrl.replace('http:', 'https:'),
          teams.serviceUrl.replace('127.0.0.1', 'localhost'),
          other.serviceUrl,
          'https://smba.trafficmanager.net/teams/',
          'https://evil.example/',
        ],
        (serviceurl) => claimed({ serviceurl }),
      ),
    },
    {
      respect: 'how the token is sent',
      forges: await carriers(teams),
    },
    {
      respect: "a token of the directory, as the emulator's",
      forges: each(
        [
          { ver: '1.0', appid: bot.appId },
          { ver: '1.0', appid: foreign },
          { ver: '2.0', azp: bot.appId },
          { ver: '2.0', azp: foreign },
          { ver: '', appid: bot.appId },
          { ver: '1.0', appid: bot.appId, serviceurl: teams.serviceUrl },
          { ver: '2.0', azp: bot.appId, serviceurl: teams.serviceUrl },
          { ver: '1.0', appid: bot.appId, iss: issuer },
          { ver: '1.0', appid: bot.appId, iss: issuer, serviceurl: teams.serviceUrl },
          {
            ver: '1.0',
            appid: bot.appId,
            iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/',
          },
          {
            ver: '1.0',
            appid: bot.appId,
            iss: 'https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/',
          },
          {
            ver: '2.0',
            azp: bot.appId,
            iss: 'https://login.microsoftonline.com/d6d49420-f39b-4df7-a1dc-d59a935871db/v2.0',
          },
          { ver: '1.0', appid: bot.appId, tid: randomBytes(8).toString('hex') },
        ],
        (claims) =>
          async ({ activity }) =>
            sending(activity, await entraToken({ aud: bot.appId, ...claims })),
      ),
    },
  ]

  // ---- the activity --------------------------------------------------------------------------------

  const told =
    (change: (activity: Activity) => Json): Forge =>
    async ({ activity }) =>
      sending({ ...activity, ...change(activity) }, await teams.token())
  const field = (name: string, values: readonly unknown[]) =>
    each(values, (value) => told(() => ({ [name]: value })))
  const within = (name: 'from' | 'recipient' | 'conversation' | 'channelData', change: Json): Forge =>
    told((activity) => ({ [name]: { ...(activity[name] as Json), ...change } }))
  const nothings = [undefined, null, '', 0, true, [], {}] as const
  const wrongTenants = [
    ...nothings,
    foreign,
    tenantId.toUpperCase(),
    `{${tenantId}}`,
    `${tenantId} `,
    [tenantId],
    { id: tenantId },
    'contoso.onmicrosoft.com',
    'common',
  ]
  const elsewhere = [
    'https://evil.example/',
    'https://smba.trafficmanager.net/teams/',
    'https://smba.trafficmanager.net.evil.example/',
    'https://evil.trafficmanager.net/',
    teams.serviceUrl.replace('127.0.0.1', 'localhost'),
    teams.serviceUrl.replace('127.0.0.1', '127.1'),
    teams.serviceUrl.replace('127.0.0.1', '2130706433'),
    teams.serviceUrl.replace('127.0.0.1', '[::1]'),
    teams.serviceUrl.replace('127.0.0.1', '0.0.0.0'),
    teams.serviceUrl.replace(/:\d+/, ''),
    teams.serviceUrl.replace(/:\d+/, ':1'),
    teams.serviceUrl.replace('http:', 'https:').replace(/:\d+/, ''),
    teams.serviceUrl.replace('http:', 'ftp:'),
    teams.serviceUrl.replace('//', '//evil@'),
    teams.serviceUrl.replace('//', '//evil.example\\@'),
    `${teams.url}@evil.example/`,
    `${teams.url}\\@evil.example/`,
    `${teams.url}.evil.example/`,
    `\t${teams.serviceUrl}`,
    `${teams.serviceUrl}#x`,
    `${teams.serviceUrl}?x=1`,
    `${teams.serviceUrl}../`,
    'http://169.254.169.254/metadata/',
    'file:///etc/passwd',
    'javascript:1',
    other.serviceUrl,
  ]
  const activities: readonly Respect[] = [
    {
      respect: 'the service of both, and it is not listed',
      forges: each(
        elsewhere,
        (serviceUrl) =>
          async ({ activity }) =>
            sending({ ...activity, serviceUrl }, await teams.token({ serviceurl: serviceUrl })),
      ),
    },
    {
      respect: "the activity's service URL",
      forges: field('serviceUrl', [
        ...nothings,
        [teams.serviceUrl],
        teams.serviceUrl.replace(/\/$/, ''),
        `${teams.serviceUrl}x/`,
        `${teams.serviceUrl} `,
        ...elsewhere.slice(0, 10),
      ]),
    },
    {
      respect: 'the channel',
      forges: field('channelId', [
        ...nothings,
        'webchat',
        'directline',
        'directlinespeech',
        'emulator',
        'test',
        'skype',
        'AseChannel',
        'MSTeams',
        'msteams ',
        ' msteams',
        'msteams\u0000',
        'msteams,webchat',
        ['msteams'],
        { msteams: true },
        'm365extensions',
        'agents',
        'alexa',
        'outlook',
      ]),
    },
    {
      respect: "the conversation's tenant",
      forges: each(wrongTenants, (value) => within('conversation', { tenantId: value })),
    },
    {
      respect: "the channel data's tenant",
      forges: [
        ...each(wrongTenants, (value) => within('channelData', { tenant: { id: value } })),
        ...named(
          'for all of it',
          each([undefined, null, tenantId, [tenantId]], (value) => within('channelData', { tenant: value })),
        ),
        ...named('for all the channel data', field('channelData', [undefined, null, 'x', []])),
      ],
    },
    {
      respect: 'both tenants',
      forges: each(wrongTenants, (value) =>
        told((activity) => ({
          conversation: { ...activity.conversation, tenantId: value },
          channelData: { ...activity.channelData, tenant: { id: value } },
        })),
      ),
    },
    {
      respect: 'the recipient',
      forges: [
        ...each(
          [
            ...nothings,
            `28:${foreign}`,
            bot.appId,
            `29:${bot.appId}`,
            `28:${bot.appId.toUpperCase()}`,
            `28:${bot.appId} `,
            `28:${bot.appId}x`,
            `28: ${bot.appId}`,
            '28:',
            [`28:${bot.appId}`],
            { id: `28:${bot.appId}` },
            people.owner.objectId,
          ],
          (id) => within('recipient', { id }),
        ),
        ...named(
          'for all of it',
          field('recipient', [undefined, null, `28:${bot.appId}`, [], [{ id: `28:${bot.appId}` }]]),
        ),
      ],
    },
    {
      respect: 'the id of who speaks',
      of: 'persons',
      forges: [
        ...each(
          [
            ...nothings,
            `28:${bot.appId}`,
            '28:x',
            '8:orgid:x',
            '8:live:x',
            '4:+4930123456',
            '1:x',
            'x',
            '2 9:x',
            ' 29:x',
            '30:x',
            people.owner.objectId,
            ['29:x'],
            { id: '29:x' },
          ],
          (id) => within('from', { id }),
        ),
        ...named('for all of it', field('from', [undefined, null, '29:x', [], [{ id: '29:x' }]])),
      ],
    },
    {
      respect: 'the role of who speaks',
      of: 'persons',
      forges: each(
        ['bot', 'skill', 'Bot', 'BOT', 'bot ', 'channel', 'agenticUser', 'admin', 'User'],
        (role) => within('from', { role }),
      ),
    },
    {
      respect: 'the object id of who speaks',
      of: 'persons',
      forges: each(
        [
          ...nothings,
          'x',
          'anonymous',
          'noor.haddad@contoso.example',
          `{${people.owner.objectId}}`,
          `${people.owner.objectId} `,
          `${people.owner.objectId}' or '1'='1`,
          people.owner.objectId.slice(0, -1),
          `${people.owner.objectId}0`,
          people.owner.objectId.replaceAll('-', ''),
          [people.owner.objectId],
          { id: people.owner.objectId },
          '29:x',
        ],
        (aadObjectId) => within('from', { aadObjectId }),
      ),
    },
    {
      respect: 'what it is',
      forges: field('type', [undefined, null, '', 0, true, [], {}, ['message'], { type: 'message' }]),
    },
    {
      respect: 'where it was said',
      forges: [
        ...each([undefined, null, '', 0, [], {}, ['19:x@thread.tacv2']], (id) =>
          within('conversation', { id }),
        ),
        ...named(
          'for its type',
          each(['', null, 0, 'Channel', 'meeting', ['channel'], {}], (conversationType) =>
            within('conversation', { conversationType }),
          ),
        ),
        ...named('for all of it', field('conversation', [undefined, null, '19:x@thread.tacv2', [], 1])),
      ],
    },
  ]
  return [...tokens, ...activities]
}

/** A genuine token that is not where it has to be. */
async function carriers(teams: Teams): Promise<readonly (readonly [string, Forge])[]> {
  const by =
    (headers: (token: string) => Readonly<Record<string, string>>): Forge =>
    async ({ activity }) => ({ headers: headers(await teams.token()), body: JSON.stringify(activity) })
  const authorized = (write: (token: string) => string): Forge =>
    by((token) => ({ authorization: write(token) }))
  return [
    ['not at all', by(() => ({}))],
    ['an empty header', authorized(() => '')],
    ['a scheme alone', authorized(() => 'Bearer')],
    ['without its scheme', authorized((token) => token)],
    ['by the Basic scheme', authorized((token) => `Basic ${Buffer.from(`x:${token}`).toString('base64')}`)],
    ['by the DPoP scheme', authorized((token) => `DPoP ${token}`)],
    ['by a scheme of another case', authorized((token) => `bearer ${token}`)],
    ['after two spaces', authorized((token) => `Bearer  ${token}`)],
    ['after a tab', authorized((token) => `Bearer\t${token}`)],
    ['twice', authorized((token) => `Bearer ${token} ${token}`)],
    ['twice, with a comma', authorized((token) => `Bearer ${token}, Bearer ${token}`)],
    ['in quotes', authorized((token) => `Bearer "${token}"`)],
    ['as a parameter', authorized((token) => `Bearer token=${token}`)],
    ['with a parameter', authorized((token) => `Bearer ${token};x=1`)],
    ['in five parts', authorized((token) => `Bearer ${token}.x.y`)],
    ['as JSON', authorized((token) => `Bearer {"token":"${token}"}`)],
    ['in a header of another name', by((token) => ({ 'x-authorization': `Bearer ${token}` }))],
    ["in the proxy's header", by((token) => ({ 'proxy-authorization': `Bearer ${token}` }))],
    ['in a cookie', by((token) => ({ cookie: `authorization=Bearer ${token}` }))],
    [
      'in the body',
      async ({ activity }) => ({
        headers: {},
        body: JSON.stringify({ ...activity, authorization: `Bearer ${await teams.token()}` }),
      }),
    ],
  ]
}

type Published = { readonly kid: string; readonly n: string; readonly key: KeyObject }
async function publishedKey(teams: Teams): Promise<Published> {
  const document = (await (await fetch(teams.openIdUrl)).json()) as { jwks_uri: string }
  const { keys } = (await (await fetch(document.jwks_uri)).json()) as {
    keys: { kid: string; kty: string; n: string; e: string; endorsements: string[] }[]
  }
  const jwk = keys.find(({ endorsements }) => endorsements.includes('msteams'))
  if (!jwk) throw new Error('Teams publishes no key of its own')
  return {
    kid: jwk.kid,
    n: jwk.n,
    key: createPublicKey({ key: { kty: jwk.kty, n: jwk.n, e: jwk.e }, format: 'jwk' }),
  }
}

const rsaKey = (modulusLength: number): KeyObject => generateKeyPairSync('rsa', { modulusLength }).privateKey

const written = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 200)
