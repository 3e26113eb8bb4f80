import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { people } from '../../sandbox/seed.ts'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Message } from '../../sandbox/teams/face.ts'
import type { Desk } from '../../src/engine/ports.ts'
import type { Link, Refusal } from '../../src/link/link.ts'
import { aLink, linkId, type Stage, signalr, startStage, vault } from './stage.ts'

let stage: Stage
/** A card of the bot's in the owners' channel, to press on. */
let card: Message
beforeAll(async () => {
  stage = await startStage({ teams: { throttle: false } })
  await stage.teams.install('contoso', 'owner')
  await stage.teams.person('requester').says('help').in('vault-owners')
  const posted = stage.teams.channel('vault-owners').messages().at(-1)
  if (!posted) throw new Error('The bot did not answer')
  card = posted
})
afterAll(() => stage.close())
beforeEach(() => stage.answers({}))

const press = (verb: string, data: Record<string, unknown> = { link: linkId }) =>
  stage.teams
    .person('owner')
    .sendsInvoke(
      { action: { type: 'Action.Execute', verb, data: { verb, ...data } } },
      { replyToId: card.id },
    )

describe('approve, reject, cancel, retry', () => {
  test.each(['approve', 'reject', 'cancel', 'retry'] as const)(
    '%s: granted gets the card back',
    async (verb) => {
      const link = aLink()
      stage.answers({ [verb]: async () => ({ is: 'granted', link }) } satisfies Partial<Desk>)
      const answer = await press(verb)
      expect(answer).toMatchObject({ status: 200, type: 'application/vnd.microsoft.card.adaptive' })
      expect(cardText(answer.card).join('\n')).toContain('Approve a private connection to contoso-kv?')
      expect(stage.calls.at(-1)).toMatchObject({
        method: verb,
        asked: {
          link: linkId,
          by: { objectId: people.owner.objectId, name: people.owner.name },
          conversation: card.conversationId,
          pressed: { activity: card.id },
        },
      })
    },
  )

  test('pressed where the link was asked for, the status card comes back', async () => {
    const place = { conversation: card.conversationId, serviceUrl: '', kind: 'channel' } as const
    const link = aLink({ asked: { thread: place } })
    stage.answers({ cancel: async () => ({ is: 'granted', link }) })
    expect(cardText((await press('cancel')).card).join('\n')).toContain('Link contoso-signalr to contoso-kv')
  })

  const refusals: readonly Refusal[] = [
    { refusal: 'ownRequest' },
    { refusal: 'lacksRight', actions: ['A/write'] },
    { refusal: 'rightUnreadable' },
    { refusal: 'notYourRequest' },
    { refusal: 'wrongPlace' },
    { refusal: 'tooEarly', status: 'Provisioning' },
    {
      refusal: 'alreadyDecided',
      decision: { at: 0, verdict: 'approve', by: 'noor', where: 'card', checkedAt: 0 },
      status: 'Approving',
    },
    { refusal: 'alreadyEnded', status: 'Cancelled', outcome: 'Cancelled' },
    { refusal: 'alreadyApproved' },
    { refusal: 'notApprovedYet' },
    { refusal: 'expired' },
    { refusal: 'connection', cause: { cause: 'connectionGone' } },
    { refusal: 'nothingBlocked' },
    { refusal: 'heardAlready' },
    { refusal: 'wrongCard' },
  ]
  test.each(refusals)('refused ($refusal) gets a sentence, not a card', async (refusal) => {
    stage.answers({ approve: async () => ({ is: 'refused', refusal, link: aLink() }) })
    const answer = await press('approve')
    expect(answer).toMatchObject({ status: 200, type: 'application/vnd.microsoft.activity.message' })
    expect(answer.text).toMatch(/^[A-Za-z].{20,}\.$/s)
  })

  test('the reason of a rejection goes to the desk; a longer one than fits is refused', async () => {
    stage.answers({ reject: async () => ({ is: 'granted', link: aLink() }) })
    await press('reject', { link: linkId, reason: '  not this vault ' })
    expect(stage.calls.at(-1)?.asked).toMatchObject({ reason: 'not this vault' })
    const before = stage.calls.length
    const answer = await press('reject', { link: linkId, reason: 'x'.repeat(301) })
    expect(answer.text).toContain('has 301 characters, and at most 300 fit')
    expect(stage.calls.length).toBe(before)
  })

  test('an unknown link gets a sentence', async () => {
    stage.answers({ approve: async () => ({ is: 'unknown' }) })
    expect((await press('approve')).text).toContain('I know no such link')
  })
})

describe('what a client may send instead', () => {
  const wrong: readonly (readonly [string, unknown])[] = [
    ['no verb', { action: { type: 'Action.Execute', data: { link: linkId } } }],
    ['an unknown verb', { action: { type: 'Action.Execute', verb: 'destroy', data: { link: linkId } } }],
    ['a verb of every object', { action: { verb: 'constructor', data: {} } }],
    ['a verb that is no text', { action: { verb: { toString: 'approve' }, data: { link: linkId } } }],
    ['no id', { action: { verb: 'approve', data: {} } }],
    ['an id in capitals', { action: { verb: 'approve', data: { link: linkId.toUpperCase() } } }],
    ['an id with more behind it', { action: { verb: 'approve', data: { link: `${linkId}\n` } } }],
    ['an id that is no text', { action: { verb: 'approve', data: { link: [linkId] } } }],
    ['data that is a list', { action: { verb: 'approve', data: [linkId] } }],
    ['no verb in the data', { action: { verb: 'approve', data: { link: linkId } } }],
    ['another verb in the data', { action: { verb: 'approve', data: { verb: 'reject', link: linkId } } }],
    [
      "another button's input",
      { action: { verb: 'approve', data: { verb: 'approve', link: linkId, reason: 'no' } } },
    ],
    [
      'what no card of ours holds',
      { action: { verb: 'reject', data: { verb: 'reject', link: linkId, by: 'me', right: 'held' } } },
    ],
    ['an action that is a text', { action: 'approve' }],
    ['nothing', {}],
    ['a list', []],
    ['a number', 7],
    ['null', null],
  ]
  test.each(wrong)('%s gets a sentence, and the desk is not asked', async (_, value) => {
    const before = stage.calls.length
    const answer = await stage.teams.person('owner').sendsInvoke(value, { replyToId: card.id })
    expect(answer).toMatchObject({ status: 200, type: 'application/vnd.microsoft.activity.message' })
    expect(answer.text).toContain('This button is not on a card of mine')
    expect(stage.calls.length).toBe(before)
  })
})

describe('unlink and the form', () => {
  async function shown(text: string): Promise<Message> {
    const said = await stage.teams.person('requester').says(text).in('general')
    const reply = said.replies.at(-1)
    if (!reply) throw new Error('The bot did not answer')
    return reply
  }

  test('the confirmed unlink goes to the desk, and the question is replaced by the answer', async () => {
    const link = aLink({ stage: { status: 'Approved' } })
    stage.answers({ find: async () => [link], unlink: async () => ({ is: 'granted', link }) })
    const question = await shown('unlink')
    const answer = await stage.teams.person('requester').presses('Yes, unlink').on(question)
    expect(answer.text).toContain('Unlinking contoso-signalr from contoso-kv')
    expect(question.text ?? '').toContain('Unlinking contoso-signalr from contoso-kv')
    expect(question.card).toBeUndefined()
  })

  test('a card that stands for a link is never replaced, whatever card a client names', async () => {
    const asked: unknown[] = []
    stage.answers({
      isPost: async (message) => Boolean(asked.push(message)),
      unlink: async () => ({ is: 'granted', link: aLink() }),
    })
    await press('unlink')
    expect(asked).toEqual([{ conversation: card.conversationId, activity: card.id }])
    expect(card.history).toHaveLength(0)
    expect(card.card).toBeDefined()
  })

  test('the form asks for the link, in the words of the form', async () => {
    const form = await shown('link')
    stage.answers({ link: async () => ({ is: 'asked', link: aLink() }) })
    const answer = await stage.teams
      .person('requester')
      .presses('Ask for this link')
      .on(form, { signalr, vault, because: 'custom  domain' })
    expect(answer.text).toContain('Asked')
    expect(stage.calls.find(({ method }) => method === 'link')?.asked).toMatchObject({
      signalr,
      vault,
      reason: 'custom domain',
      thread: { conversation: form.conversationId },
    })
  })

  test('a refused form stays, to be corrected', async () => {
    const form = await shown('link')
    stage.answers({
      link: async () => ({ is: 'refused', refusal: { refusal: 'noOwners' }, signalr, vault }),
    })
    const answer = await stage.teams
      .person('requester')
      .presses('Ask for this link')
      .on(form, { signalr, vault })
    expect(answer.text).toContain('No channel decides for contoso-kv')
    expect(form.history).toHaveLength(0)
  })

  test('a form pressed once more after its request has ended is answered again', async () => {
    const link: Link = { ...aLink(), stage: { status: 'Cancelled' } }
    stage.answers({ link: async () => ({ is: 'heard', link, askedBy: undefined }) })
    expect((await press('link', { signalr, vault })).text).toContain(
      'a moment ago, and it is cancelled by now',
    )
  })

  test.each([
    [{ signalr }, 'Please pick a SignalR and a vault'],
    [{ signalr, vault: '   ' }, 'Please pick a SignalR and a vault'],
    [{ signalr, vault, because: 'x'.repeat(101) }, 'has 101 characters'],
  ])('a form with %j is refused in words', async (data, sentence) => {
    expect((await press('link', data)).text).toContain(sentence)
  })
})

describe('Action.Submit, the older way', () => {
  /** The same button as clients send it that know no Action.Execute: a message with a value. */
  const submit = async (value: unknown): Promise<Message | undefined> => {
    const messages = () => stage.teams.channel('vault-owners').messages()
    const before = messages().length
    const answer = await stage.teams
      .person('owner')
      .sendsInvoke({}, { type: 'message', value, replyToId: card.id })
    expect(answer.status).toBe(200)
    return messages()[before]
  }

  test('a refusal is said in the thread', async () => {
    stage.answers({
      approve: async () => ({ is: 'refused', refusal: { refusal: 'ownRequest' }, link: aLink() }),
    })
    const said = await submit({ verb: 'approve', link: linkId })
    expect(said?.text ?? '').toContain('somebody else has to approve it')
  })
  test('what is granted is shown by the card itself, which the worker redraws', async () => {
    stage.answers({ approve: async () => ({ is: 'granted', link: aLink() }) })
    expect(await submit({ verb: 'approve', link: linkId })).toBeUndefined()
    expect(stage.calls.at(-1)).toMatchObject({ method: 'approve', asked: { link: linkId } })
  })
  test.each([{}, { verb: 'destroy' }, 'approve', 7, { verb: 'approve', link: 'x' }])(
    '%j gets a sentence',
    async (value) => {
      expect((await submit(value))?.text ?? '').toContain('This button is not on a card of mine')
    },
  )
})
