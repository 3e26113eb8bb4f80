/** Who may send Azure's events: forged, foreign and misshapen requests leave everything as it is; Event Grid's lead to a look. */
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { approver, eventGrid, events, bot as identity, people, tenantId } from '../../sandbox/seed.ts'
import { hearing } from '../../sandbox/world.ts'
import { days, looksAfter, minutes, until, vaultId, watch, within } from '../story/stage.ts'
import { type Production, startProduction } from './production.ts'
import { type Answered, atOnce, post } from './requests.ts'
import { hintsIn, rowsOf } from './rows.ts'

const path = '/api/azure-events'
const foreign = '99999999-0000-4000-8000-000000000009'
const second = 1_000

let world: Production
beforeAll(async () => {
  world = await startProduction((azure) => ({
    ...hearing(azure),
    VAULTLINK_EVENT_LOOK_SECONDS: String(minutes(10) / second),
  }))
  const { teams } = world
  await teams.install('contoso', 'owner')
  await teams.person('owner').says('own contoso-kv').in('vault-owners')
  await teams.channel('vault-owners').shows(/decides for contoso-kv/, { within })
  const asked = await teams.person('requester').says('link contoso-signalr to contoso-kv').in('general')
  const card = await teams.channel('vault-owners').shows('Approve a private connection', { within })
  await teams.person('owner').presses('Approve…', 'Yes, approve').on(card)
  await teams.thread(asked).shows('can now reach contoso-kv privately', { within })
  await teams.thread(card).shows('Working since', { within })
  // From now on it is looked at once a day.
  await looksAfter(world, days(1.05))
})
afterAll(() => world.close())

/** Past what looks after events have to be apart. */
const rests = (): Promise<void> => world.passes(minutes(31))

// ---- what is sent ------------------------------------------------------------------------------------

type Json = Record<string, unknown>
const now = (): number => Math.floor((Date.now() + offset()) / second)
const offset = (): number => world.teams.now() - Date.now()

/** Event Grid's own claims, of version 1. */
const genuine = (): Json => ({
  aud: events.uri,
  iss: `https://sts.windows.net/${tenantId}/`,
  tid: tenantId,
  appid: eventGrid.appId,
  roles: [eventGrid.role],
  idtyp: 'app',
  ver: '1.0',
  iat: now(),
  nbf: now(),
  exp: now() + 3_600,
})
const genuine2 = (): Json => ({
  ...genuine(),
  aud: events.appId,
  iss: `https://login.microsoftonline.com/${tenantId}/v2.0`,
  appid: undefined,
  azp: eventGrid.appId,
  ver: '2.0',
})
const signed = (claims: Json, who = eventGrid.objectId as string): Promise<string> =>
  world.azure.identity.tokenFor(who, claims)
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const event = (subject = vaultId('contoso-kv')): Json => ({
  id: '1',
  topic: '/subscriptions/1',
  subject,
  eventType: 'Microsoft.Resources.ResourceWriteSuccess',
  eventTime: new Date().toISOString(),
  data: { resourceUri: subject },
  dataVersion: '2',
  metadataVersion: '1',
})
const cloudEvent = (): Json => {
  const { eventType: type, ...rest } = event()
  return { ...rest, type, specversion: '1.0', source: '/subscriptions/1' }
}

type Sent = { headers: Record<string, string>; body: string | Buffer }
type Forge = () => Promise<Partial<Sent>>
const claimed =
  (change: Json, from: () => Json = genuine): Forge =>
  async () => ({ headers: bearer(await signed({ ...from(), ...change })) })
const reworked =
  (rework: (header: string, payload: string, signature: string) => string): Forge =>
  async () => {
    const [header = '', payload = '', signature = ''] = (await signed(genuine())).split('.')
    return { headers: bearer(rework(header, payload, signature)) }
  }
const mine = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const header = { alg: 'RS256', typ: 'JWT', kid: 'entra' }
const holding =
  (sent: Partial<Sent>): Forge =>
  async () => ({
    ...sent,
    headers: { ...bearer(await signed(genuine())), ...sent.headers },
  })
const large = (bytes: number): string => JSON.stringify([{ ...event(), padding: '' }]).padEnd(bytes)
const most = 1_048_576

const forged: Readonly<Record<string, Forge>> = {
  'no token': async () => ({}),
  'an empty token': async () => ({ headers: { authorization: 'Bearer ' } }),
  'a password': async () => ({ headers: { authorization: 'Basic ZXZlbnRzOmdyaWQ=' } }),
  'its signature changed': reworked((h, p, s) => `${h}.${p}.${s.startsWith('A') ? 'B' : 'A'}${s.slice(1)}`),
  'its signature gone': reworked((h, p) => `${h}.${p}.`),
  'signed by nobody': reworked((_, p) => `${base64({ ...header, alg: 'none' })}.${p}.`),
  'signed by me': reworked((_, p) => {
    const content = `${base64(header)}.${p}`
    return `${content}.${sign('sha256', Buffer.from(content), mine).toString('base64url')}`
  }),
  'signed by a password': reworked((_, p) => {
    const content = `${base64({ ...header, alg: 'HS256' })}.${p}`
    return `${content}.${createHmac('sha256', 'entra').update(content).digest('base64url')}`
  }),
  'its claims changed': reworked((h, p, s) => {
    const claims = JSON.parse(Buffer.from(p, 'base64url').toString())
    return `${h}.${base64({ ...claims, exp: claims.exp + 1 })}.${s}`
  }),
  'a key that nobody knows': reworked((_, p, s) => `${base64({ ...header, kid: 'other' })}.${p}.${s}`),
  "Teams' own token": async () => ({ headers: bearer(await world.teams.token()) }),
  expired: async () => ({ headers: bearer(await signed({ ...genuine(), exp: now() - 301 })) }),
  'not valid yet': async () => ({ headers: bearer(await signed({ ...genuine(), nbf: now() + 301 })) }),
  'without an end': claimed({ exp: undefined }),
  'for Azure Resource Manager': claimed({ aud: 'https://management.azure.com/' }),
  'for the bot': claimed({ aud: identity.appId }),
  'for the application that acts for people': claimed({ aud: approver.appId }),
  'for several': claimed({ aud: [events.appId, 'another'] }),
  'for nobody': claimed({ aud: undefined }),
  'of another tenant': claimed({ iss: `https://sts.windows.net/${foreign}/`, tid: foreign }),
  'of another tenant, in version 2': claimed({
    iss: `https://login.microsoftonline.com/${foreign}/v2.0`,
  }),
  'of this tenant, for another': claimed({ tid: foreign }),
  'of no issuer': claimed({ iss: undefined }),
  'of the bot': claimed({ appid: identity.appId }),
  'of another application, in version 2': claimed({ azp: foreign }, genuine2),
  'of no application': claimed({ appid: undefined }),
  'of a person': async () => ({
    headers: bearer(
      await signed({ ...genuine(), appid: foreign, idtyp: 'user', roles: undefined }, people.owner.objectId),
    ),
  }),
  'without the role': claimed({ roles: undefined }),
  'with another role': claimed({ roles: ['AzureEventGridSecureWebhook'] }),
  'with the role as a text': claimed({ roles: eventGrid.role }),
  'too large, and it says so': holding({ body: large(most + 1) }),
  'no JSON': holding({ body: '[{"eventType"' }),
  'no text': holding({ body: Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]) }),
  'a text': holding({ body: '"event"' }),
  'no events': holding({ body: '[]' }),
  'an event of no type': holding({ body: JSON.stringify([{ ...event(), eventType: undefined }]) }),
  'a form': holding({ headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  'other JSON': holding({ headers: { 'content-type': 'application/problem+json' } }),
  compressed: holding({ headers: { 'content-encoding': 'gzip' } }),
}

async function send(forge: Forge): Promise<Answered> {
  const { headers = {}, body = JSON.stringify([event()]) } = await forge()
  return post(world.bot().url, { headers, body }, path)
}
/** Whoever goes on sending when the door has answered may find it shut, and lose the answer. */
const orHungUp = (error: unknown): Answered => {
  if (error instanceof Error && 'code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code)))
    return { status: 413, text: '', ms: 0 }
  throw error
}
/** Its length is told by nobody. */
const pour = async (body: string): Promise<number> =>
  fetch(`${world.bot().url}${path}`, {
    method: 'POST',
    headers: { ...bearer(await signed(genuine())), 'content-type': 'application/json' },
    body: new Blob([body]).stream(),
    duplex: 'half',
  } as RequestInit).then(
    ({ status }) => status,
    (error: unknown) => orHungUp(error instanceof Error ? error.cause : error).status,
  )
const figures = async (): Promise<string> => (await fetch(`${world.bot().probes}/metrics`)).text()

describe('who is not Event Grid', () => {
  test('is turned away by a 4xx that says little, and nothing is looked at', async () => {
    const since = watch(world)
    const before = rowsOf(world.database)
    const answers = await atOnce(4, Object.entries(forged), async ([name, forge]) => {
      const { status, text } = await send(forge).catch(orHungUp)
      return { name, status, short: text.length <= 60 }
    })
    const wrong = answers.filter(({ status, short }) => status < 400 || status > 499 || !short)
    expect(wrong).toEqual([])
    expect(await pour(large(most + 1))).toBe(413)
    await world.passes(minutes(1))
    expect(rowsOf(world.database)).toEqual(before)
    // Looks are ten minutes apart, so a hint would stand still; a look of the day may have come.
    expect({ hints: hintsIn(world.database), told: since.told() }).toEqual({ hints: 0, told: [] })
    const { log } = world.bot()
    const refusals = log.filter((line) => line.event === 'request.refused')
    expect(refusals).toHaveLength(answers.length + 1)
    expect(new Set(refusals.map(({ why }) => why))).toEqual(
      new Set([
        ...['no token', 'signature', 'algorithm', 'unknown key', 'expired', 'not valid yet'],
        ...['no expiry', 'audience', 'another tenant', 'issuer', 'another application', 'role missing'],
        ...['too large', 'not a JSON object', 'not UTF-8', 'no events', 'not JSON by its type', 'compressed'],
      ]),
    )
    expect(await figures()).toMatch(/^vaultlink_refusals_total\{reason="role missing"\} 3$/m)
    expect(log.filter(({ event: name }) => name === 'request.failed')).toEqual([])
  })

  test('is not welcomed either', async () => {
    for (const origin of [undefined, '*', 'example.com', 'eventgrid.azure.net.example']) {
      const { status, headers } = await fetch(`${world.bot().url}${path}`, {
        method: 'OPTIONS',
        headers: origin === undefined ? {} : { 'webhook-request-origin': origin },
      })
      expect([origin, status, headers.get('webhook-allowed-origin')]).toEqual([origin, 403, null])
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'])
      expect((await fetch(`${world.bot().url}${path}`, { method })).status).toBe(405)
  })

  test('nor does a path that is spelled otherwise lead past the door', async () => {
    for (const spelled of [`${path}/`, `/${path}`, '/api/%61zure-events', '/API/azure-events', `${path}/.`]) {
      const sent = { headers: bearer(await signed(genuine())), body: JSON.stringify([event()]) }
      expect([spelled, (await post(world.bot().url, sent, spelled)).status]).toEqual([spelled, 404])
    }
    expect((await post(world.bot().url, { headers: {}, body: '[]' }, `${path}?token=x`)).status).toBe(401)
    expect(hintsIn(world.database)).toBe(0)
  })

  test('whose twins are accepted, and each leads to a look', async () => {
    const twins: Readonly<Record<string, Forge>> = {
      'a token of version 1': claimed({}),
      'named by its id': claimed({ aud: events.appId }),
      'a token of version 2': claimed({}, genuine2),
      'with another role as well': claimed({ roles: ['another', eventGrid.role] }),
      'as large as may be': holding({ body: large(most) }),
      'as one CloudEvent': holding({
        body: JSON.stringify(cloudEvent()),
        headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
      }),
      'as several CloudEvents': holding({
        body: JSON.stringify([cloudEvent(), cloudEvent()]),
        headers: { 'content-type': 'application/cloudevents-batch+json' },
      }),
    }
    for (const [name, forge] of Object.entries(twins)) {
      await rests()
      const since = watch(world)
      expect([name, (await send(forge)).status]).toEqual([name, 200])
      await until(world, `a look after ${name}`, () => since.looks() > 0)
      expect([name, since.looks(), since.writes(), since.told()]).toEqual([name, 1, [], []])
    }
  })
})

describe('what Event Grid sends', () => {
  test('does nothing where no link is, and nothing of it is in the log', async () => {
    await rests()
    const since = watch(world)
    const secret = 'in-the-event'
    const body = JSON.stringify(
      [vaultId('solo-kv'), `${vaultId('contoso-kv')}/secrets/${secret}`, secret].map((one) => ({
        ...event(one),
        data: { claims: { name: secret } },
      })),
    )
    expect((await send(holding({ body }))).status).toBe(200)
    await world.passes(minutes(1))
    expect(since.looks()).toBe(0)
    expect(world.bot().log.at(-1)).toMatchObject({
      event: 'request.answered',
      what: 'events',
      events: 3,
      resources: 1,
    })
    expect(world.bot().output()).not.toContain(secret)
  })

  test('in a storm is one look, and a second when looks may be that close', async () => {
    await rests()
    const since = watch(world)
    const token = await signed(genuine())
    const storm = Array.from({ length: 400 }, (_, n) => n)
    const answers = await atOnce(16, storm, () =>
      post(world.bot().url, { headers: bearer(token), body: JSON.stringify([event()]) }, path),
    )
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    await until(world, 'the first look', () => since.looks() > 0)
    await world.passes(minutes(9))
    expect(since.looks()).toBe(1)
    await world.passes(minutes(1))
    await until(world, 'the second look', () => since.looks() > 1)
    await world.passes(minutes(1))
    expect(since.looks()).toBe(2)
    expect(await figures()).toMatch(/^vaultlink_azure_events_total 4\d\d$/m)
  })
})
