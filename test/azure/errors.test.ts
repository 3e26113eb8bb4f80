import { afterEach, describe, expect, test } from '@jest/globals'
import type { Fault } from '../../sandbox/proxy/fault.ts'
import { clean } from '../../src/azure/errors.ts'
import type { Act, Outcome } from '../../src/engine/ports.ts'
import {
  adapter,
  closeAll,
  headed,
  linkName,
  never,
  provisioned,
  put,
  signalr,
  startPeer,
  startWorld,
  vault,
  writesOf,
} from './world.ts'

afterEach(closeAll)

const scope = `${signalr}/sharedPrivateLinkResources/${linkName}`
const failed = (outcome: Outcome): Extract<Outcome, { is: 'failed' }> => {
  if (outcome.is !== 'failed') throw new Error('It was done')
  return outcome
}

describe("what ARM's refusals of a PUT mean", () => {
  type Case = readonly [string, Omit<Fault, 'times'>, object]
  const cases: readonly Case[] = [
    [
      '429 with a wait',
      { status: 429, headers: { 'retry-after': '17' } },
      { cause: { cause: 'throttled' }, retryAfterMs: 17_000 },
    ],
    ['429 without a wait', { status: 429 }, { cause: { cause: 'throttled' } }],
    [
      '429 with a wait in milliseconds',
      { status: 429, headers: { 'x-ms-retry-after-ms': '250' } },
      { cause: { cause: 'throttled' }, retryAfterMs: 250 },
    ],
    [
      '429 with a wait for longer than anybody counts',
      { status: 429, headers: { 'retry-after': '99999999999999999999' } },
      { cause: { cause: 'throttled' }, retryAfterMs: 3_600_000 },
    ],
    [
      '429 with nonsense for a wait',
      { status: 429, headers: { 'retry-after': 'soon' } },
      { cause: { cause: 'throttled' } },
    ],
    [
      '503 with a wait',
      { status: 503, code: 'ServiceUnavailable', headers: { 'retry-after': '5' } },
      { cause: { cause: 'unavailable', code: 'ServiceUnavailable' }, retryAfterMs: 5_000 },
    ],
    ['500', { status: 500 }, { cause: { cause: 'unavailable', code: 'InternalServerError' } }],
    [
      '408',
      { status: 408, code: 'RequestTimeout' },
      { cause: { cause: 'unavailable', code: 'RequestTimeout' } },
    ],
    [
      '401',
      { status: 401, code: 'ExpiredAuthenticationToken' },
      { cause: { cause: 'unavailable', code: 'ExpiredAuthenticationToken' } },
    ],
    [
      'a redirect',
      { status: 307, code: 'TemporaryRedirect', headers: { location: 'https://example.org/' } },
      { cause: { cause: 'unavailable', code: 'TemporaryRedirect' } },
    ],
    [
      'a missing right',
      {
        status: 403,
        code: 'AuthorizationFailed',
        message:
          "The client 'x' with object id 'y' does not have authorization to perform action 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write' over scope '/subscriptions/s/a' or the scope is invalid.",
      },
      {
        cause: {
          cause: 'botLacksRight',
          action: 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write',
          scope: '/subscriptions/s/a',
        },
      },
    ],
    [
      'a missing right on a linked resource',
      {
        status: 403,
        code: 'LinkedAuthorizationFailed',
        message:
          "The client 'x' with object id 'y' has permission to perform action 'A/write' on scope '/a'; however, it does not have permission to perform action(s) 'B/join/action' on the linked scope(s) '/b' (respectively) or the linked scope(s) are invalid.",
      },
      { cause: { cause: 'botLacksRight', action: 'B/join/action', scope: '/b' } },
    ],
    [
      'a missing right in other words',
      { status: 403, code: 'AuthorizationFailed', message: 'Nope.' },
      {
        cause: {
          cause: 'botLacksRight',
          action: 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write',
          scope,
        },
      },
    ],
    [
      'a policy',
      { status: 403, code: 'RequestDisallowedByPolicy', message: 'Not here.' },
      { cause: { cause: 'refused', code: 'RequestDisallowedByPolicy', message: 'Not here.' } },
    ],
    [
      'a provider that is not registered',
      {
        status: 403,
        code: 'AuthorizationFailed',
        message: 'Microsoft.KeyVault provider must be registered on subscription containing private endpoint',
      },
      {
        cause: {
          cause: 'notRegistered',
          message:
            'Microsoft.KeyVault provider must be registered on subscription containing private endpoint',
        },
      },
    ],
    [
      'a lock',
      { status: 409, code: 'ScopeLocked', message: 'Locked.' },
      { cause: { cause: 'locked', message: 'Locked.' } },
    ],
    [
      'a quota',
      { status: 400, code: 'PrivateEndpointQuotaExceeded', message: '64.' },
      { cause: { cause: 'quota', message: '64.' } },
    ],
    ['a conflict', { status: 409, code: 'Conflict' }, { cause: { cause: 'conflict', code: 'Conflict' } }],
    [
      'a disabled subscription',
      { status: 409, code: 'ReadOnlyDisabledSubscription', message: 'Off.' },
      { cause: { cause: 'refused', code: 'ReadOnlyDisabledSubscription', message: 'Off.' } },
    ],
    [
      'a parent that is gone',
      { status: 404, code: 'ParentResourceNotFound', message: "'signalR/x'" },
      { cause: { cause: 'signalrGone' } },
    ],
    [
      'a vault that is gone',
      {
        status: 404,
        code: 'ResourceNotFound',
        message: "The Resource 'Microsoft.KeyVault/vaults/contoso-kv' was not found.",
      },
      { cause: { cause: 'vaultGone' } },
    ],
    [
      'a subscription that is not to be seen',
      { status: 404, code: 'SubscriptionNotFound', message: 'No.' },
      { cause: { cause: 'refused', code: 'SubscriptionNotFound', message: 'No.' } },
    ],
    ['412', { status: 412, code: 'PreconditionFailed' }, { cause: { cause: 'decidedMeanwhile' } }],
    [
      'a bad request',
      { status: 400, code: 'BadRequest', message: 'a\u0000b\u202Ec\n d' },
      { cause: { cause: 'refused', code: 'BadRequest', message: 'a b c d' } },
    ],
  ]

  test.each(cases)('%s', async (_name, rule, expected) => {
    const world = await startWorld()
    world.sandbox.fail({ method: 'PUT', times: 1, ...rule })
    const outcome = failed(await world.azure.perform(put, never))
    const { log, ...rest } = outcome
    expect(rest).toEqual({ is: 'failed', ...expected })
    expect(log).toMatch(new RegExp(`^${rule.status} .*correlation [0-9a-f-]{36}$`))
    expect(writesOf(world.sandbox)).toHaveLength(1)
  })

  test('a date to wait for counts from now, and until then Azure is not called', async () => {
    let now = Date.parse('2026-11-23T10:00:00Z')
    const world = await startWorld({}, { now: () => now })
    const throttles = (until: string) =>
      world.sandbox.fail({ times: 1, status: 429, headers: { 'retry-after': until } })
    const wait = async () => failed(await world.azure.perform(put, never)).retryAfterMs
    throttles('Mon, 23 Nov 2026 10:00:30 GMT')
    expect(await wait()).toBe(30_000)
    now += 10_000
    expect(await wait()).toBe(20_000)
    expect(writesOf(world.sandbox)).toHaveLength(1)
    now += 20_000
    throttles('Mon, 23 Nov 2026 09:00:00 GMT')
    expect(await wait()).toBe(0)
    expect(writesOf(world.sandbox)).toHaveLength(2)
  })

  test('a clock that is set back makes no wait longer; one that is put right by a little makes none shorter', async () => {
    let now = Date.now()
    const world = await startWorld({}, { now: () => now })
    world.sandbox.fail({ times: 1, status: 429, headers: { 'retry-after': '5' } })
    expect(failed(await world.azure.perform(put, never)).retryAfterMs).toBe(5_000)
    now -= 100
    expect(failed(await world.azure.perform(put, never)).retryAfterMs).toBe(5_100)
    now -= 24 * 3_600_000
    expect(await world.azure.perform(put, never)).toMatchObject({ is: 'done' })
  })
})

describe('what refusals of a decision mean', () => {
  test.each([
    ['PrivateEndpointConnectionStatusNotPending', 400, 'x', 'decidedMeanwhile'],
    ['ConflictError', 409, 'changed from the point the operation began', 'conflict'],
    ['ParentResourceNotFound', 404, "type 'vaults/privateEndpointConnections'", 'vaultGone'],
    [
      'ResourceNotFound',
      404,
      "'Microsoft.KeyVault/vaults/kv/privateEndpointConnections/c'",
      'connectionGone',
    ],
    ['VaultNotFound', 404, 'x', 'vaultGone'],
  ])('%s: %s', async (code, status, message, cause) => {
    const world = await startWorld()
    const connection = await provisioned(world)
    world.sandbox.fail({ method: 'PUT', times: 1, status, code, message })
    const act: Act = { effect: 'approve', vault, connection, description: 'yes' }
    expect(failed(await world.azure.perform(act, never)).cause.cause).toBe(cause)
  })
})

describe('what is no answer of ARM', () => {
  const json = { 'content-type': 'application/json' }
  test.each([
    ['a page of a proxy that says 404', 404, { 'content-type': 'text/html' }, '<h1>Not found</h1>', '404'],
    ['a page of a proxy that says 403', 403, {}, 'Forbidden', '403'],
    ['an empty 500', 500, {}, '', '500'],
    ['half a body', 200, json, '{"id": "/subscr', 'PARSE_ERROR'],
    ['a list where an object should be, 502', 502, json, '[1]', '502'],
  ])('%s', async (_name, status, headers, body, code) => {
    const { url } = await startPeer((_request, response) => headed(response, status, headers).end(body))
    const { azure } = adapter(url)
    for (const act of [put, { effect: 'delete', signalr, name: linkName } as const]) {
      const outcome = await azure.perform(act, never)
      // A DELETE's answer has no body that matters.
      if (act.effect === 'delete' && status === 200) continue
      expect(failed(outcome).cause).toEqual({ cause: 'unavailable', code })
    }
  })

  test('nested details and inner errors are read for their codes', async () => {
    const error = {
      code: 'BadRequest',
      message: 'outer',
      details: [{ code: 'X', innererror: { code: 'PrivateEndpointConnectionStatusNotPending' } }],
    }
    const { url } = await startPeer((_request, response) =>
      headed(response, 400, json).end(JSON.stringify({ error })),
    )
    const outcome = failed(await adapter(url).azure.perform(put, never))
    expect(outcome.cause).toEqual({ cause: 'decidedMeanwhile' })
    expect(outcome.log).toBe('400 BadRequest / X / PrivateEndpointConnectionStatusNotPending')
  })
})

describe("ARM's words", () => {
  test('are not in the log, not even where a code should be, nor what could not be read', async () => {
    const json = { 'content-type': 'application/json' }
    const words = 'because of a yellow feather'
    const refusing = await startPeer((_request, response) =>
      headed(response, 400, { ...json, 'x-ms-request-id': words }).end(
        JSON.stringify({
          error: { code: words, message: words, details: [{ code: 'Known', message: words }] },
        }),
      ),
    )
    expect(failed(await adapter(refusing.url).azure.perform(put, never)).log).toBe(
      '400 (not a code) / Known, correlation (not a code)',
    )
    const garbling = await startPeer((_request, response) => headed(response, 200, json).end(`{"${words}"`))
    const { log, cause } = failed(await adapter(garbling.url).azure.perform(put, never))
    expect(cause.cause).toBe('unavailable')
    expect(log).toMatch(/^[\w.-]+$/)
  })

  test('are one line, without control or direction characters, 300 characters at most', () => {
    expect(clean(' a\r\n\tb\u200Fc\u2028d  e ')).toBe('a b c d e')
    const long = clean('😀'.repeat(400))
    expect([...long]).toHaveLength(300)
    expect(long.endsWith('😀…')).toBe(true)
  })
})
