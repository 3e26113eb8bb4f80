/** The messenger and the roster, over HTTP, against the local Teams, with the real adapter. */
import { queryObjects } from 'node:v8'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { bot, people as seeded, tenantId } from '../../sandbox/seed.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import type { Delivered, Log, Message, Messenger, Person } from '../../src/engine/ports.ts'
import { Unanswered } from '../../src/engine/ports.ts'
import type { Link, News } from '../../src/link/link.ts'
import { errorFields } from '../../src/log.ts'
import { type Connector, createConnector } from '../../src/teams/connector.ts'
import { createMessenger } from '../../src/teams/messenger.ts'
import { createRoster } from '../../src/teams/roster.ts'
import { createServiceList } from '../../src/teams/services.ts'
import { en } from '../../src/teams/words/en.ts'
import { approvalOf, news, newsOf, records, statusOf, texts } from './records.ts'

const owners = '19:vault-owners@thread.tacv2'
const general = '19:team-contoso@thread.tacv2'
const signal = new AbortController().signal
const log: { event: string; fields: unknown }[] = []
let teams: Teams
let connector: Connector
let messenger: Messenger
let options: Parameters<typeof createMessenger>[0]
let roster: ReturnType<typeof createRoster>
/** Learned from the roster, as the bot does: Teams ids are not to be guessed. */
const known = new Map<string, Person>()

/** Takes everything, or sends it elsewhere. */
const endpoint = async (
  elsewhere?: string,
): Promise<{ url: string; asked(): number; close(): Promise<void> }> => {
  const { createServer } = await import('node:http')
  let asked = 0
  const server = createServer((request, response) => {
    asked++
    request.resume()
    // In two steps: restify, loaded by another suite of this process, makes writeHead return nothing.
    response.writeHead(
      elsewhere === undefined ? 200 : 307,
      elsewhere === undefined ? {} : { location: elsewhere },
    )
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
const write: Log = (_level, event, fields, error) => {
  log.push({ event, fields: { ...fields, ...(error !== undefined && errorFields(error)) } })
}
let listener: Awaited<ReturnType<typeof endpoint>>

beforeAll(async () => {
  listener = await endpoint()
  teams = await startTeams({ throttle: false })
  teams.connect(listener.url)
  await teams.install('contoso', 'owner')
  await teams.install({ personal: 'requester' }, 'requester')
  connector = createConnector({
    isListed: createServiceList({ hosts: [teams.host], log: write }),
    deadlineMs: 1_000,
  })
  options = {
    connector,
    appId: bot.appId,
    log: write,
    words: en,
    drawing: { tenantId },
    people: async (keys) =>
      new Map(
        keys.flatMap((key) => {
          const person = known.get(key)
          return person ? [[key, person]] : []
        }),
      ),
    texts: async (keys) => new Map(keys.flatMap((key) => (texts[key] ? [[key, texts[key]]] : []))),
  }
  roster = createRoster(options)
  messenger = createMessenger(options)
  const members = await roster(
    { conversation: owners, serviceUrl: teams.serviceUrl, kind: 'channel' },
    signal,
  )
  for (const [key, { objectId }] of [
    ['riley', seeded.requester],
    ['noor', seeded.owner],
  ] as const) {
    const person = members.find((member) => member.objectId === objectId)
    if (person) known.set(key, person)
  }
})
afterAll(async () => {
  await teams.close()
  await listener.close()
})
beforeEach(() => {
  log.length = 0
})

type To = Message['to'] extends infer Each ? (Each extends unknown ? Omit<Each, 'serviceUrl'> : never) : never
const deliver = (view: Message['view'], to: To, link: Link = records.pending): Promise<Delivered> =>
  messenger.deliver(
    { link, post: 'status', view, to: { ...to, serviceUrl: teams.serviceUrl } as Message['to'] },
    signal,
  )
const posted = async (delivery: Promise<Delivered>): Promise<{ conversation: string; activity: string }> => {
  const delivered = await delivery
  if (delivered.is !== 'posted') throw new Error(`${delivered.is}: ${delivered.log}`)
  return delivered
}
const status = statusOf(records.pending)
const tell = (piece: News | undefined, link: Link) => {
  const view = piece && newsOf({ ...link, news: [piece] }).find(({ to }) => to === 'requester')
  if (!view) throw new Error('no such news')
  return view
}
const sends = (): number =>
  teams.events.filter((event) => event.who === 'Vaultlink' && ['posts', 'replies'].includes(event.kind))
    .length

describe('where a message goes', () => {
  test('a new thread in a channel, a reply in it, and the update of its card', async () => {
    const approval = approvalOf(records.pending)
    const propagating = approvalOf(records.propagating)
    if (!approval || !propagating) throw new Error('no approval view')
    const card = await posted(deliver(approval, { how: 'thread', channel: owners }))
    expect(card.conversation).toBe(`${owners};messageid=${card.activity}`)

    const reply = await posted(
      deliver(tell(news[0], records.approved), { how: 'post', conversation: card.conversation }),
    )
    const updated = await posted(deliver(propagating, { how: 'update', ...card }))
    expect(updated).toMatchObject(card)

    const root = teams
      .channel('vault-owners')
      .messages()
      .find(({ id }) => id === card.activity)
    expect(root?.card).toMatchObject({ type: 'AdaptiveCard', version: '1.5' })
    expect(JSON.stringify(root?.card)).toContain('on its way to SignalR')
    expect(root?.replies.map(({ id }) => id)).toContain(reply.activity)
  })

  test('a reply mentions by id, and Teams notifies that person', async () => {
    const thread = await posted(deliver(status, { how: 'thread', channel: general }))
    const { activity } = await posted(
      deliver(tell(news[0], records.approved), { how: 'post', conversation: thread.conversation }),
    )
    const event = teams.events.find((each) => 'activityId' in each && each.activityId === activity)
    expect(event).toMatchObject({ mentions: ['requester'] })
    expect(event).toHaveProperty('text', expect.stringMatching(/^@Riley Park contoso-signalr can now reach/))
  })

  test('a personal chat', async () => {
    const { conversation, activity } = await posted(deliver(status, { how: 'personal', person: 'riley' }))
    const message = teams
      .channel('with:requester')
      .messages()
      .find(({ id }) => id === activity)
    expect(message?.conversationId).toBe(conversation)
    expect(message?.card).toBeDefined()
  })
})

describe('places that are gone', () => {
  test.each([
    ['an unknown conversation', { how: 'post', conversation: '19:nowhere@thread.tacv2' }],
    ['a team without the bot', { how: 'thread', channel: '19:labs-owners@thread.tacv2' }],
    [
      'the chat of a card that stands there',
      { how: 'update', conversation: '19:nowhere@thread.v2', activity: '1' },
    ],
    ['somebody forgotten', { how: 'personal', person: 'nobody' }],
  ] as const)('%s', async (_, to) => {
    expect(await deliver(status, to)).toMatchObject({ is: 'gone', log: expect.stringMatching(/\w/) })
  })

  test('somebody who has not installed the bot', async () => {
    teams.fail({ method: 'POST', path: /conversations$/, times: 1, status: 403, code: 'BadArgument' })
    expect(await deliver(status, { how: 'personal', person: 'riley' })).toMatchObject({ is: 'gone' })
  })

  test('a second card that is deleted, or is not ours, is let go of and does not come back', async () => {
    const { conversation } = await posted(deliver(status, { how: 'thread', channel: general }))
    const before = sends()
    for (const code of ['ActivityNotFoundInConversation', 'NotEnoughPermissions']) {
      teams.fail({ method: 'PUT', times: 1, status: code.startsWith('Not') ? 403 : 404, code })
      const to = { how: 'update', conversation, activity: 'second', copy: true } as const
      expect(await deliver(status, to)).toMatchObject({ is: 'gone' })
    }
    teams.fail({ method: 'PUT', times: 1, status: 503 })
    expect(
      await deliver(status, { how: 'update', conversation, activity: 'second', copy: true }),
    ).toMatchObject({ is: 'failed' })
    expect(sends()).toBe(before)
  })

  test('a deleted card does not take its conversation with it: the card comes back there', async () => {
    const { conversation } = await posted(deliver(status, { how: 'thread', channel: general }))
    const again = await posted(deliver(status, { how: 'update', conversation, activity: 'deleted' }))
    expect(again.conversation).toBe(conversation)
    expect(again.activity).not.toBe('deleted')
  })

  test.each(['MessageWritesBlocked', 'BotNotInConversationRoster', 'ConversationBlockedByUser'])(
    '403 %s',
    async (code) => {
      teams.fail({ method: 'POST', times: 1, status: 403, code })
      expect(await deliver(status, { how: 'post', conversation: general })).toEqual({
        is: 'gone',
        log: `403 ${code}`,
      })
    },
  )
})

describe('a delivery that failed is told once and not repeated', () => {
  test.each([408, 412, 413, 429, 500, 502, 503, 504])('%i', async (code) => {
    const before = sends()
    teams.fail({ method: 'POST', times: 1, status: code, code: 'Arranged' })
    expect(await deliver(status, { how: 'post', conversation: general })).toEqual({
      is: 'failed',
      log: `${code} Arranged`,
      ...(code === 429 && { throttled: 'here' }),
    })
    expect(sends()).toBe(before)
  })

  test.each([
    ['7', 7_000],
    ['99999999999999999999', 3_600_000],
    [new Date(Date.now() + 3_600_000).toUTCString(), expect.any(Number)],
  ])('Retry-After: %s', async (header, retryAfterMs) => {
    teams.fail({ method: 'POST', times: 1, status: 429, headers: { 'retry-after': header } })
    expect(await deliver(status, { how: 'post', conversation: general })).toMatchObject({
      is: 'failed',
      retryAfterMs,
    })
  })

  test('of too many messages in the whole tenant, where Teams speaks of that', async () => {
    teams.fail({ method: 'POST', times: 1, status: 429, message: 'Too many requests for this tenant.' })
    expect(await deliver(status, { how: 'post', conversation: general })).toMatchObject({
      throttled: 'tenant',
    })
  })

  test('403 of another kind is no proof that the place is gone', async () => {
    teams.fail({ method: 'POST', times: 1, status: 403, code: 'NotEnoughPermissions' })
    expect(await deliver(status, { how: 'post', conversation: general })).toMatchObject({ is: 'failed' })
  })

  test('a reset after the message was taken leaves one message, not two', async () => {
    const before = sends()
    teams.fail({ method: 'POST', times: 1, how: 'reset', when: 'after' })
    expect(await deliver(status, { how: 'post', conversation: general })).toMatchObject({ is: 'failed' })
    expect(sends()).toBe(before + 1)
  })

  test('Teams that does not answer is given up at the deadline', async () => {
    teams.fail({ method: 'POST', times: 1, how: 'hang' })
    expect(await deliver(status, { how: 'post', conversation: general })).toEqual({
      is: 'failed',
      log: 'TimeoutError',
    })
    expect(log).toEqual([])
  })

  test("the worker's own signal ends it too", async () => {
    const stop = new AbortController()
    const hangs = teams.fail({ method: 'POST', times: 1, how: 'hang' })
    const to = { how: 'post', conversation: general, serviceUrl: teams.serviceUrl } as const
    const delivery = messenger.deliver(
      { link: records.pending, post: 'status', view: status, to },
      stop.signal,
    )
    while (hangs.met() === 0) await new Promise(setImmediate)
    stop.abort()
    expect(await delivery).toEqual({ is: 'failed', log: 'AbortError' })
  })

  test('a message leaves no signal behind, however long its sender lives', async () => {
    const { signal: ending } = new AbortController()
    const to = { how: 'post', conversation: general, serviceUrl: teams.serviceUrl } as const
    const message = { link: records.pending, post: 'status', view: status, to } as const
    const signals = (): number => queryObjects(AbortSignal, { format: 'count' })
    const before = signals()
    // Longer than a message takes, so that each has its own.
    const own = (): AbortSignal => AbortSignal.any([AbortSignal.timeout(3_000), ending])
    for (let sent = 0; sent < 50; sent++) await posted(messenger.deliver(message, own()))
    for (let looks = 0; looks < 40 && signals() > before + 25; looks++)
      await new Promise((resolve) => setTimeout(resolve, 100))
    expect(signals()).toBeLessThanOrEqual(before + 25)
  })

  test('a stored service that is not listed is never called, and that is an alarm', async () => {
    const other = await endpoint()
    try {
      for (const serviceUrl of [
        `${other.url}/`,
        `${teams.serviceUrl.replace('127.0.0.1', 'localhost')}`,
        `${teams.serviceUrl.replace('//', '//someone@')}`,
        `${teams.url}\\@elsewhere.example/`,
        'https://smba.trafficmanager.net/teams/',
        'no address',
      ]) {
        const to = { how: 'post', conversation: general, serviceUrl } as const
        expect(
          await messenger.deliver({ link: records.pending, post: 'status', view: status, to }, signal),
        ).toMatchObject({ is: 'failed', log: 'ServiceNotListed' })
        expect(log.slice(-2).map(({ event }) => event)).toEqual([
          'teams.serviceNotListed',
          'teams.undelivered',
        ])
      }
      expect(other.asked()).toBe(0)
    } finally {
      await other.close()
    }
  })

  test('a redirect is not followed', async () => {
    const other = await endpoint()
    const leads = await endpoint(`${other.url}/`)
    const host = new URL(leads.url).host
    const astray = createMessenger({
      ...options,
      connector: createConnector({ isListed: createServiceList({ hosts: [host], log: write }) }),
    })
    try {
      const to = { how: 'post', conversation: general, serviceUrl: `${leads.url}/` } as const
      expect(
        await astray.deliver({ link: records.pending, post: 'status', view: status, to }, signal),
      ).toMatchObject({ is: 'failed' })
      expect([leads.asked(), other.asked()]).toEqual([1, 0])
    } finally {
      await leads.close()
      await other.close()
    }
  })

  test('what nobody foresaw is in the log, without its words', async () => {
    const to = { how: 'post', conversation: general, serviceUrl: teams.serviceUrl } as const
    const broken = createMessenger({
      ...options,
      people: async () => {
        throw new Error('the store is closed')
      },
    })
    expect(
      await broken.deliver({ link: records.pending, post: 'status', view: status, to }, signal),
    ).toMatchObject({ is: 'failed' })
    expect(log.at(-1)).toMatchObject({
      event: 'teams.undelivered',
      fields: { error: 'Error', thrown: expect.stringContaining('messenger.test') },
    })
    expect(JSON.stringify(log)).not.toContain('the store is closed')
  })
})

describe('the roster', () => {
  const place = (): Parameters<typeof roster>[0] => ({
    conversation: `${owners};messageid=1`,
    serviceUrl: teams.serviceUrl,
    kind: 'channel',
  })

  test('is read once for all who ask meanwhile, so that many are not too many', async () => {
    teams.configure({ throttle: true })
    const refused = teams.throttled()
    const answers = await Promise.all(Array.from({ length: 60 }, () => roster(place(), signal)))
    teams.configure({ throttle: false })
    expect(new Set(answers.map(({ length }) => length)).size).toBe(1)
    expect(teams.throttled()).toBe(refused)
  })

  test('is not waited for longer than whoever asks has time', async () => {
    await Promise.all([
      roster(place(), signal),
      expect(roster(place(), AbortSignal.abort())).rejects.toThrow(Unanswered),
    ])
  })

  test('names everybody in the channel of a thread, by their object ids', async () => {
    // Teams knows members of a channel, not of a thread in it.
    teams.fail({ method: 'GET', path: /messageid/, times: 1 })
    const members = await roster(place(), signal)
    expect(members.map(({ objectId }) => objectId).sort()).toEqual(
      Object.values(seeded)
        .map(({ objectId }) => objectId)
        .sort(),
    )
    expect(members.every(({ tenant, teamsId }) => tenant === tenantId && teamsId.startsWith('29:'))).toBe(
      true,
    )
  })

  test.each([{ status: 500 }, { status: 403 }, { how: 'reset' }, { how: 'hang' }] as const)(
    'is no guess: %j',
    async (fault) => {
      teams.fail({ method: 'GET', path: /members/, times: 1, ...fault })
      await expect(roster(place(), signal)).rejects.toThrow(Unanswered)
    },
  )
})
