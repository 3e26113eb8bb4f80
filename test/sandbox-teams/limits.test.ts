/** What Teams refuses for a while or gets wrong: throttling by the sandbox's clock, and faults that a test arms. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Fault } from '../../sandbox/proxy/fault.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { startBot, type TestBot } from './bot.ts'

let teams: Teams
let bot: TestBot
let conversation: string

const start = Date.parse('2026-11-23T09:00:00Z')

beforeEach(async () => {
  ;[teams, bot] = await Promise.all([startTeams({ clock: () => start }), startBot()])
  teams.connect(bot.url)
  await teams.install('contoso', 'owner')
  conversation = (await teams.person('owner').says('hello').in('general')).conversationId
})
afterEach(async () => {
  await Promise.all([teams.close(), bot.close()])
})

const call = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${teams.serviceUrl}v3/${path}`, {
    method,
    signal: AbortSignal.timeout(10_000),
    ...(body !== undefined && {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
const send = (to = conversation): Promise<Response> =>
  call('POST', `conversations/${encodeURIComponent(to)}/activities`, { type: 'message', text: 'x' })
/** Sends until refused, at one moment; returns how many went through and the refusal. */
async function sendMany(
  most: number,
  to = conversation,
): Promise<{ sent: number; retryAfter: string | null }> {
  for (let sent = 0; sent < most; sent += 1) {
    const response = await send(to)
    if (response.status === 201) continue
    expect(response.status).toBe(429)
    expect(await response.json()).toMatchObject({ error: { code: 'Throttled' } })
    return { sent, retryAfter: response.headers.get('retry-after') }
  }
  return { sent: most, retryAfter: null }
}
const shownByBot = (): number => teams.channel('general').messages().length - 1

describe('a thread takes', () => {
  test('7 messages in 1 s, 8 in 2 s, 60 in 30 s, and says when to come again', async () => {
    expect(await sendMany(20)).toEqual({ sent: 7, retryAfter: '1' })
    teams.turn(1_000)
    // The eighth within two seconds is the last for another second.
    expect(await sendMany(20)).toEqual({ sent: 1, retryAfter: '1' })
    let total = 8
    for (const _ of Array.from({ length: 30 })) {
      teams.turn(2_000)
      const { sent } = await sendMany(Math.min(7, 60 - total))
      total += sent
      if (total === 60) break
    }
    expect(total).toBe(60)
    teams.turn(2_000)
    const { sent, retryAfter } = await sendMany(1)
    expect(sent).toBe(0)
    teams.turn(Number(retryAfter) * 1_000)
    expect((await sendMany(1)).sent).toBe(1)
    expect(shownByBot()).toBe(61)
  })

  test('1800 in an hour', async () => {
    for (const _ of Array.from({ length: 45 })) {
      for (const __ of Array.from({ length: 8 })) {
        expect((await sendMany(5)).sent).toBe(5)
        teams.turn(3_000)
      }
      teams.turn(6_000)
    }
    // 1800 in 22.5 minutes: the first of them leave the hour 37.5 minutes from now.
    expect(await sendMany(1)).toEqual({ sent: 0, retryAfter: '2250' })
    teams.turn(2_250_000)
    expect((await sendMany(5)).sent).toBe(5)
  })

  test('its own messages, whatever another gets, until the tenant’s 30 a second', async () => {
    const others = []
    for (const place of ['random', 'vault-owners', 'solo-owners', 'general', 'with:owner'])
      others.push(await teams.person('owner').says('here', { plain: true }).in(place))
    const sent = []
    for (const other of others) sent.push((await sendMany(7, other.conversationId)).sent)
    expect(sent).toEqual([7, 7, 7, 7, 2])
  })

  test('as few in all threads of a channel together', async () => {
    const other = await teams.person('owner').says('another thread', { plain: true }).in('general')
    expect((await sendMany(4)).sent).toBe(4)
    expect((await sendMany(7, other.conversationId)).sent).toBe(3)
  })

  test('any number when throttling is off', async () => {
    teams.configure({ throttle: false })
    expect((await sendMany(70)).sent).toBe(70)
  })
})

test('updates count as sends, new threads and rosters by limits of their own', async () => {
  const [first] = await Promise.all([send()])
  const { id } = (await first.json()) as { id: string }
  const path = `conversations/${encodeURIComponent(conversation)}`
  for (const _ of Array.from({ length: 6 }))
    expect((await call('PUT', `${path}/activities/${id}`, { type: 'message', text: 'y' })).status).toBe(200)
  expect((await call('PUT', `${path}/activities/${id}`, { type: 'message', text: 'z' })).status).toBe(429)
  const thread = {
    isGroup: true,
    channelData: { channel: { id: '19:random@thread.tacv2' } },
    activity: { type: 'message', text: 'new' },
  }
  const created = []
  for (const _ of Array.from({ length: 8 }))
    created.push((await call('POST', 'conversations', thread)).status)
  expect(created).toEqual([201, 201, 201, 201, 201, 201, 201, 429])
  const rosters = []
  for (const _ of Array.from({ length: 15 })) rosters.push((await call('GET', `${path}/members`)).status)
  expect(rosters.filter((status) => status === 200).length).toBe(14)
})

describe('a fault', () => {
  const armed = (fault: Partial<Fault>): unknown =>
    teams.fail({ method: 'POST', path: /\/activities/, times: 1, ...fault })

  test('answers instead, as often as it says, on the calls it names', async () => {
    armed({ times: 2, status: 503, headers: { 'retry-after': '9' } })
    armed({ status: 403, code: 'MessageWritesBlocked', path: /19:team-contoso@thread\.tacv2;messageid=/ })
    const answers = []
    for (const _ of Array.from({ length: 4 })) {
      const response = await send()
      const body = (await response.json()) as { error?: { code: string } }
      answers.push([response.status, body.error?.code, response.headers.get('retry-after')])
    }
    expect(answers).toEqual([
      [503, 'ServiceUnavailable', '9'],
      [503, 'ServiceUnavailable', '9'],
      [403, 'MessageWritesBlocked', null],
      [201, undefined, null],
    ])
    expect(shownByBot()).toBe(1)
  })

  test('may come after the effect, so that the caller does not know that it posted', async () => {
    armed({ when: 'after', status: 500 })
    armed({ when: 'after', how: 'reset' })
    expect((await send()).status).toBe(500)
    await expect(send()).rejects.toThrow('fetch failed')
    expect(shownByBot()).toBe(2)
  })

  test('may hang until the caller gives up, without an effect', async () => {
    armed({ how: 'hang' })
    const giveUp = new AbortController()
    const hanging = fetch(
      `${teams.serviceUrl}v3/conversations/${encodeURIComponent(conversation)}/activities`,
      {
        method: 'POST',
        body: '{"type":"message","text":"x"}',
        signal: giveUp.signal,
      },
    )
    // The next call is answered, so the first one has been taken and is held.
    expect((await send()).status).toBe(201)
    giveUp.abort()
    await expect(hanging).rejects.toThrow('aborted')
    expect(shownByBot()).toBe(1)
  })

  test('makes the stock connector client post a card twice when it comes after the effect', async () => {
    armed({ when: 'after', status: 502 })
    const reference = {
      channelId: 'msteams',
      serviceUrl: teams.serviceUrl,
      conversation: { id: conversation },
    }
    await bot.inConversation(reference as never, async (context) => {
      await context.sendActivity('a card')
    })
    expect(shownByBot()).toBe(2)
  })
})
