/** The same over HTTP, for a chat or a test in another process. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { answerInvoke, cardAttachment, startBot, type TestBot } from './bot.ts'
import { approvalCard } from './cards.ts'

let teams: Teams
let bot: TestBot

beforeEach(async () => {
  ;[teams, bot] = await Promise.all([startTeams(), startBot()])
})
afterEach(async () => {
  await Promise.all([teams.close(), bot.close()])
})

type Answered = Record<string, unknown> & { id: string; next: number; events: { kind: string }[] }

async function ask(path: string, body?: unknown): Promise<{ status: number; body: Answered }> {
  const response = await fetch(`${teams.url}/_sandbox/${path}`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
  return { status: response.status, body: (await response.json()) as Answered }
}

describe('over HTTP', () => {
  test('people install, say and press, and an observer follows the events', async () => {
    bot.logic = async (context) => {
      if (context.activity.type === 'message')
        await context.sendActivity({ type: 'message', attachments: [cardAttachment(approvalCard)] })
      if (context.activity.type === 'invoke')
        await answerInvoke(context, 200, 'application/vnd.microsoft.activity.message', 'Thanks.')
    }
    await ask('connect', { botUrl: bot.url })
    await ask('install', { where: 'contoso', by: 'owner' })
    const said = await ask('says', { who: 'owner', text: 'card please', channel: 'general' })
    expect(said.body).toMatchObject({ text: '@Vaultlink card please', delivered: 200 })
    const again = await ask('says', { who: 'owner', text: 'more', thread: said.body.id, plain: true })
    expect(again.body.conversationId).toBe(said.body.conversationId)
    const card = teams
      .channel('general')
      .messages()
      .find((message) => message.card !== undefined)
    const pressed = await ask('presses', {
      who: 'owner',
      titles: ['Reject…', 'Yes, reject'],
      card: card?.id,
      inputs: { reason: 'not now' },
    })
    expect(pressed.body).toMatchObject({ status: 200, text: 'Thanks.' })
    const { body } = await ask('events')
    expect(body.events.map(({ kind }) => kind)).toEqual([
      'delivery',
      'delivery',
      'says',
      'replies',
      'delivery',
      'says',
      'presses',
      'delivery',
      'answers',
    ])
    const later = ask(`events?after=${body.next}&waitMs=20000`)
    await ask('says', { who: 'second', text: 'bye', channel: 'random', plain: true })
    expect((await later).body.events).toMatchObject([{ kind: 'says', who: 'second', text: 'bye' }])
    expect((await ask('channel?key=random')).body.text).toBe('second  bye')
  })

  test('the clock, the settings and the faults are set', async () => {
    await ask('connect', { botUrl: bot.url })
    await ask('install', { where: { personal: 'owner' }, by: 'owner' })
    const before = teams.now()
    const clock = await ask('clock', { advanceMs: 86_400_000 })
    expect(Number(clock.body.now) - before).toBeGreaterThanOrEqual(86_400_000)
    await ask('settings', { throttle: false })
    await ask('fail', { path: '/members$', times: 1, status: 504 })
    const said = teams.person('owner').says('hi')
    const { conversationId } = await said.in('with:owner')
    const roster = () => fetch(`${teams.serviceUrl}v3/conversations/${conversationId}/members`)
    expect((await roster()).status).toBe(504)
    expect((await roster()).status).toBe(200)
  })

  test('a mistake is told as a sentence', async () => {
    await ask('connect', { botUrl: bot.url })
    expect(await ask('says', { who: 'nobody', text: 'x', channel: 'general' })).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('Nobody is called "nobody". There is: requester') },
    })
    expect(await ask('says', { who: 'owner', text: 'x' })).toMatchObject({
      body: { error: '"channel" is missing.' },
    })
    expect(await ask('presses', { who: 'owner', titles: ['x'], card: '1' })).toMatchObject({
      body: { error: 'There is no message 1.' },
    })
    expect(await ask('nothing')).toMatchObject({ status: 404 })
  })
})
