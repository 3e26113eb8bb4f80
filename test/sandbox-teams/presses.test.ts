/** Buttons: what is sent, what only the presser sees, and presses that a client would not let through. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { people } from '../../sandbox/seed.ts'
import { type Message, startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { answerInvoke, cardAttachment, startBot, type TestBot } from './bot.ts'
import { approvalCard, textCard } from './cards.ts'

let teams: Teams
let bot: TestBot
let card: Message

const messageType = 'application/vnd.microsoft.activity.message'
const cardType = 'application/vnd.microsoft.card.adaptive'

async function posted(content: unknown): Promise<Message> {
  await bot.adapter.createConversationAsync(
    '',
    'msteams',
    teams.serviceUrl,
    '',
    {
      isGroup: true,
      channelData: { channel: { id: '19:vault-owners@thread.tacv2' } },
      activity: { type: 'message', attachments: [cardAttachment(content)] },
    } as never,
    async () => undefined,
  )
  const message = teams.channel('vault-owners').messages().at(-1)
  if (!message) throw new Error('nothing was posted')
  return message
}

beforeEach(async () => {
  ;[teams, bot] = await Promise.all([startTeams(), startBot()])
  teams.connect(bot.url)
  await teams.install('contoso', 'owner')
  card = await posted(approvalCard)
})
afterEach(async () => {
  await Promise.all([teams.close(), bot.close()])
  expect(bot.errors).toEqual([])
})

describe('pressing', () => {
  test('sends an invoke for the card, and the answer is the presser’s alone', async () => {
    bot.logic = async (context) => {
      await answerInvoke(context, 200, messageType, 'Somebody else has to approve it.')
    }
    const answer = await teams.person('requester').presses('Approve…', 'Yes, approve').on(card)
    expect(answer).toMatchObject({ status: 200, type: messageType, text: 'Somebody else has to approve it.' })
    expect(bot.received.at(-1)?.activity).toMatchObject({
      type: 'invoke',
      name: 'adaptiveCard/action',
      id: answer.activityId,
      replyToId: card.id,
      from: { aadObjectId: people.requester.objectId },
      conversation: { id: card.conversationId },
      value: {
        action: { type: 'Action.Execute', verb: 'approve', data: { link: 'l-1' } },
        trigger: 'manual',
      },
    })
    expect(teams.events.slice(-3)).toMatchObject([
      { who: 'requester', kind: 'presses', title: 'Approve… / Yes, approve', card: card.id },
      { who: 'Teams', kind: 'delivery', status: 200 },
      { who: 'Vaultlink', kind: 'answers', to: 'requester', text: 'Somebody else has to approve it.' },
    ])
    expect(card.history).toEqual([])
  })

  test('finds a button by its title alone wherever it is, and merges what was typed', async () => {
    bot.logic = async (context) => {
      await answerInvoke(context, 200, messageType, 'ok')
    }
    await teams
      .person('owner')
      .presses('Yes, reject')
      .on(card, { reason: 'not now', tell: 'Only the requester' })
    expect(bot.received.at(-1)?.activity.value).toMatchObject({
      action: { verb: 'reject', data: { link: 'l-1', reason: 'not now', tell: 'requester' } },
    })
    await teams.person('owner').presses('Yes, reject').on(card, { reason: 'not now' })
    expect(bot.received.at(-1)?.activity.value).toMatchObject({ action: { data: { tell: 'thread' } } })
  })

  test('follows ToggleVisibility, returns links, and sends a Submit as a message with a value', async () => {
    const owner = teams.person('owner')
    expect(await owner.presses('Show details', 'Raw').on(card)).toMatchObject({
      type: 'Action.OpenUrl',
      text: 'https://example.test/raw',
    })
    expect(await owner.presses('Show details').on(card)).toMatchObject({ type: 'Action.ToggleVisibility' })
    expect(await owner.presses('Ask again').on(card)).toMatchObject({ status: 200, type: 'Action.Submit' })
    const { activity } = bot.received.at(-1) ?? {}
    expect(activity).toMatchObject({ type: 'message', replyToId: card.id, value: { verb: 'again' } })
    expect(activity).not.toHaveProperty('text')
  })

  test('takes the Submit fallback in a card of a version without universal actions', async () => {
    const old = await posted({ ...approvalCard, version: '1.3' })
    await teams.person('owner').presses('Yes, approve').on(old)
    expect(bot.received.at(-1)?.activity).toMatchObject({
      type: 'message',
      value: { link: 'l-1', verb: 'approve' },
    })
  })

  test('goes on with the card that the answer left, until the message is updated', async () => {
    const confirm = {
      ...textCard('Sure?'),
      actions: [{ type: 'Action.Execute', title: 'Sure', verb: 'sure', data: {} }],
    }
    bot.logic = async (context) => {
      await answerInvoke(context, 200, cardType, confirm)
    }
    const owner = teams.person('owner')
    expect((await owner.presses('Yes, approve').on(card)).card).toEqual(confirm)
    expect(card.card).toEqual(approvalCard)
    await owner.presses('Sure').on(card)
    expect(bot.received.at(-1)?.activity.value).toMatchObject({ action: { verb: 'sure' } })
    await expect(teams.person('second').presses('Sure').on(card)).rejects.toThrow('There is no button "Sure"')
    await bot.inConversation(
      {
        channelId: 'msteams',
        serviceUrl: teams.serviceUrl,
        conversation: { id: card.conversationId } as never,
      },
      async (context) => {
        const attachments = [cardAttachment(textCard('Done'))]
        await context.updateActivity({ type: 'message', id: card.id, attachments })
      },
    )
    await expect(owner.presses('Sure').on(card)).rejects.toThrow('There are no buttons')
  })

  test('fetches a view of their own for those whom a refresh names', async () => {
    const own = { ...textCard('Yours'), actions: [{ type: 'Action.Execute', title: 'Mine', verb: 'mine' }] }
    bot.logic = async (context) => {
      await answerInvoke(context, 200, cardType, own)
    }
    const refreshing = await posted({
      ...textCard('For all'),
      refresh: {
        action: { type: 'Action.Execute', verb: 'view', data: {} },
        userIds: [people.owner.objectId],
      },
    })
    expect(await teams.person('second').opens(refreshing)).toBeUndefined()
    await teams.person('owner').presses('Mine').on(refreshing)
    expect(bot.received.slice(-2).map(({ activity }) => activity.value)).toMatchObject([
      { action: { verb: 'view' }, trigger: 'automatic' },
      { action: { verb: 'mine' }, trigger: 'manual' },
    ])
  })

  test('shows Teams’ own words when the bot answers nothing, something invalid, or too late', async () => {
    const press = () => teams.person('owner').presses('Yes, approve').on(card)
    expect(await press()).toMatchObject({ status: 501, text: 'Unable to reach app. Please try again.' })
    bot.logic = async (context) => {
      await context.sendActivity({ type: 'invokeResponse', value: { status: 200, body: { done: true } } })
    }
    expect(await press()).toMatchObject({ status: 200, text: 'Something went wrong. Please try again.' })
    bot.logic = async (context) => {
      await answerInvoke(context, 403, 'application/vnd.microsoft.error', {
        code: 'no',
        message: 'Not yours.',
      })
    }
    expect(await press()).toMatchObject({ status: 403, text: 'Not yours.' })
    const held = Promise.withResolvers<void>()
    bot.logic = () => held.promise
    teams.configure({ deliveryDeadlineMs: 50 })
    expect(await press()).toMatchObject({ status: 504, text: 'Unable to reach app. Please try again.' })
    held.resolve()
  })

  test('can be forged: any value, under the name of whoever sends it', async () => {
    bot.logic = async (context) => {
      await answerInvoke(context, 200, messageType, 'ok')
    }
    const outsider = teams.person('outsider')
    await outsider.sendsInvoke({ action: { verb: 'approve', data: { link: 'l-9' } } }, { replyToId: card.id })
    expect(bot.received.at(-1)?.activity).toMatchObject({
      from: { aadObjectId: people.outsider.objectId },
      conversation: { id: card.conversationId },
      replyToId: card.id,
      value: { action: { data: { link: 'l-9' } } },
    })
    await outsider.sendsInvoke(null)
    expect(bot.received.at(-1)?.activity).toMatchObject({ conversation: { conversationType: 'personal' } })
  })
})

describe('a press that the client does not let through', () => {
  const refused = (titles: string[], inputs?: Record<string, string>): Promise<string> =>
    teams
      .person('owner')
      .presses(...titles)
      .on(card, inputs)
      .then(
        () => 'pressed',
        (error: unknown) => (error as Error).message,
      )

  test('says what is wrong, and sends nothing', async () => {
    const before = bot.received.length
    expect(await refused(['Aprove'])).toBe(
      'There is no button "Aprove". There is: "Approve…", "Yes, approve", "Reject…", "Yes, reject", "Show details", "View in Azure portal", "Ask again", "Not now".',
    )
    expect(await refused(['Raw'])).toContain('There is no button "Raw"')
    expect(await refused(['Approve…', 'Yes, reject'])).toBe(
      'There is no button "Yes, reject". There is: "Yes, approve".',
    )
    expect(await refused(['Yes, approve', 'Yes, reject'])).toBe(
      '"Yes, approve" opens nothing that could hold "Yes, reject".',
    )
    expect(await refused(['Not now'])).toBe('The button "Not now" is greyed out.')
    expect(await refused([])).toBe('Name the button to press.')
    expect(await refused(['Yes, reject'])).toBe('"Reason" is required: Say why.')
    expect(await refused(['Yes, reject'], { reason: 'x'.repeat(21) })).toBe(
      '"Reason" takes at most 20 characters: Say why.',
    )
    expect(await refused(['Yes, reject'], { reason: 'NO' })).toBe(
      '"Reason" is not of the form asked for: Say why.',
    )
    expect(await refused(['Yes, reject'], { reason: 'no', tell: 'all' })).toBe(
      '"Tell" offers no "all", but "The thread", "Only the requester".',
    )
    expect(await refused(['Yes, approve'], { reason: 'no' })).toBe(
      'There is no input "reason" with this button. There is: none.',
    )
    expect(bot.received.length).toBe(before)
  })

  test('nor one on a message without a card, or by somebody who is not there', async () => {
    const said = await teams.person('owner').says('hello').in('vault-owners')
    await expect(teams.person('owner').presses('Yes').on(said)).rejects.toThrow(
      'has no card: @Vaultlink hello',
    )
    await teams.install('group', 'lone')
    const inGroup = await teams.person('lone').says('x', { plain: true }).in('group')
    await expect(teams.person('owner').presses('Yes').on(inGroup)).rejects.toThrow(
      'Noor Haddad is not in group',
    )
  })
})
