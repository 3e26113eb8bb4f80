import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { people } from '../../sandbox/seed.ts'
import { cardText } from '../../sandbox/teams/cardText.ts'
import { Unanswered } from '../../src/engine/ports.ts'
import { aLink, linkId, type Stage, startStage } from './stage.ts'

let stage: Stage
let now = 0
beforeEach(async () => {
  now = 0
  stage = await startStage({ teams: { throttle: false }, deadlineMs: 300, now: () => now })
})
afterEach(() => stage.close())

const texts = (where = 'general') =>
  stage.teams
    .channel(where)
    .messages()
    .filter(({ from }) => from === 'Vaultlink')
    .map(({ text, card }) => (card === undefined ? (text ?? '') : cardText(card).join('\n')))
const events = () => stage.log.map(({ event }) => event)

describe('what goes wrong in a turn', () => {
  beforeEach(() => stage.teams.install('contoso', 'owner'))
  const ask = () => stage.teams.person('requester').says('link contoso-signalr to contoso-kv').in('general')
  const approve = () =>
    stage.teams
      .person('owner')
      .sendsInvoke({ action: { verb: 'approve', data: { verb: 'approve', link: linkId } } })

  test('Azure that does not answer: nothing was recorded, try again', async () => {
    stage.answers({ link: () => Promise.reject(new Unanswered('no answer')) })
    expect((await ask()).delivered).toBe(200)
    expect(texts().at(-1)).toBe("Azure isn't answering. Nothing was recorded; please try again in a minute.")
    expect(events()).toContain('turn.unanswered')
  })

  test('an exception becomes a sentence, and a line with a correlation id and nothing of what was said', async () => {
    stage.answers({
      link: () => Promise.reject(Object.assign(new Error('secret detail'), { code: 'E_ODD' })),
    })
    expect((await ask()).delivered).toBe(200)
    expect(texts().at(-1)).toContain('Something went wrong on my side')
    const line = stage.log.find(({ event }) => event === 'turn.broken')
    expect(line).toMatchObject({
      level: 'error',
      fields: { error: 'Error', code: 'E_ODD', correlation: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    })
    expect(JSON.stringify(stage.log)).not.toMatch(/secret detail|contoso-signalr/)
  })

  test('a synchronous throw, and a throw of what is no error, become sentences too', async () => {
    stage.answers({
      link: () => {
        throw 'a text'
      },
    })
    await ask()
    expect(texts().at(-1)).toContain('Something went wrong on my side')
  })

  test('a turn that takes too long is answered, and does not claim that nothing was recorded', async () => {
    const late = Promise.withResolvers<never>()
    stage.answers({ link: () => late.promise, approve: () => late.promise })
    expect((await ask()).delivered).toBe(200)
    expect(texts().at(-1)).toContain('This takes longer than it should. Say status')
    expect(await approve()).toMatchObject({ status: 200, text: expect.stringContaining('Say status') })
    late.reject(new Error('later still'))
    // Both failed after their turns were over, and the log says so.
    await stage.logged('turn.failedLate', 2)
  })

  test('an answer that comes after its turn is dropped with a line, not an error', async () => {
    const late = Promise.withResolvers<readonly []>()
    stage.answers({ find: () => late.promise })
    await stage.teams.person('requester').says('list').in('general')
    const said = texts().length
    late.resolve([])
    await stage.logged('turn.late')
    expect(texts()).toHaveLength(said)
  })

  test('an invoke that fails is answered 200 with the sentence', async () => {
    stage.answers({ approve: () => Promise.reject(new Unanswered('no answer')) })
    expect(await approve()).toMatchObject({
      status: 200,
      type: 'application/vnd.microsoft.activity.message',
      text: "Azure isn't answering. Nothing was recorded; please try again in a minute.",
    })
  })

  test('a reply that Teams refuses is not sent again, and the bot lives', async () => {
    stage.teams.fail({ method: 'POST', path: /activities/, times: 2, status: 502, code: 'BadGateway' })
    expect((await stage.teams.person('requester').says('help').in('general')).delivered).toBe(200)
    expect(events()).toContain('turn.unsaid')
    await stage.teams.person('requester').says('help').in('general')
    expect(texts().at(-1)).toContain('What I can do')
  })

  test('who Teams does not vouch for gets no further; when it does not answer, that is said', async () => {
    stage.teams.fail({ method: 'GET', path: /members/, times: 1, status: 503 })
    await ask()
    expect(texts().at(-1)).toContain("Teams isn't answering. Nothing was recorded")
    expect(stage.calls).toHaveLength(0)
  })

  test('when Teams answers with nothing who somebody is, that is no answer, and it is asked again', async () => {
    stage.teams.fail({ method: 'GET', path: /members/, times: 1, how: 'empty' })
    await ask()
    expect(texts().at(-1)).toContain("Teams isn't answering. Nothing was recorded")
    await ask()
    expect(stage.calls).toMatchObject([{ method: 'link' }])
  })

  test('membership is asked once in ten minutes', async () => {
    stage.answers({ find: async () => [aLink()] })
    const list = () => stage.teams.person('requester').says('list').in('general')
    await list()
    // Were it asked again, this would refuse.
    stage.teams.fail({ method: 'GET', path: /members/, times: 1, status: 404 })
    await list()
    expect(texts().at(-1)).toContain('1 open link')
    now += 600_001
    await list()
    expect(texts().at(-1)).toContain('cannot tell who you are here')
  })

  test('membership is asked again once the clock was set back', async () => {
    stage.answers({ find: async () => [aLink()] })
    const list = () => stage.teams.person('requester').says('list').in('general')
    await list()
    stage.teams.fail({ method: 'GET', path: /members/, times: 1, status: 404 })
    now -= 24 * 3_600_000
    await list()
    expect(texts().at(-1)).toContain('cannot tell who you are here')
  })
})

describe('where the bot is added and removed', () => {
  test('a team: one welcome, with who added it, and the channel is known', async () => {
    await stage.teams.install('contoso', 'owner')
    await stage.teams.install('contoso', 'owner')
    expect(texts()).toHaveLength(1)
    expect(texts()[0]).toContain(`${people.owner.name} added me here`)
    expect(stage.known.get('19:team-contoso@thread.tacv2')).toMatchObject({
      kind: 'channel',
      serviceUrl: stage.teams.serviceUrl,
      team: '19:team-contoso@thread.tacv2',
    })
  })
  test('a personal chat: a welcome of its own', async () => {
    await stage.teams.install({ personal: 'requester' }, 'requester')
    expect(texts('with:requester')[0]).toContain('Vaultlink')
    expect([...stage.known.values()]).toMatchObject([{ kind: 'personal' }])
  })
  test('a channel is learned when somebody speaks there, by its root; renamed, deleted, forgotten', async () => {
    await stage.teams.install('contoso', 'owner')
    await stage.teams.person('owner').says('help').in('vault-owners')
    expect(stage.known.has('19:vault-owners@thread.tacv2')).toBe(true)
    await stage.teams.renameChannel('vault-owners', 'Vault keepers', 'owner')
    expect(stage.known.get('19:vault-owners@thread.tacv2')).toMatchObject({ name: 'Vault keepers' })
    await stage.teams.deleteChannel('vault-owners', 'owner')
    expect(stage.known.has('19:vault-owners@thread.tacv2')).toBe(false)
  })
  test('removed from a team: its channel is left', async () => {
    await stage.teams.install('contoso', 'owner')
    await stage.teams.uninstall('contoso', 'owner')
    expect(stage.known.has('19:team-contoso@thread.tacv2')).toBe(false)
  })
  test('a channel that somebody spoke in a moment ago is no news, and installed anew is', async () => {
    const channel = '19:team-contoso@thread.tacv2'
    const help = () => stage.teams.person('owner').says('help').in('general')
    await stage.teams.install('contoso', 'owner')
    stage.known.delete(channel)
    await help()
    expect(stage.known.has(channel)).toBe(false)
    now += 61_000
    await help()
    expect(stage.known.has(channel)).toBe(true)
    await stage.teams.uninstall('contoso', 'owner')
    await stage.teams.install('contoso', 'owner')
    expect(stage.known.has(channel)).toBe(true)
  })
  test('a store that fails while it learns is in the log, and Teams hears 200', async () => {
    stage.teams.fail({
      method: 'POST',
      path: /activities/,
      times: 1,
      status: 403,
      code: 'MessageWritesBlocked',
    })
    await stage.teams.install('contoso', 'owner')
    expect(events()).toContain('conversation.installed.failed')
    expect(stage.teams.events.filter(({ kind }) => kind === 'delivery')).toMatchObject([
      { status: 200 },
      { status: 200 },
    ])
  })
})
