/** The local Teams through a real CloudAdapter: what the bot receives, posts, updates and is refused. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { TeamsInfo, TurnContext } from 'botbuilder'
import { people, team, tenantId } from '../../sandbox/seed.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { cardAttachment, startBot, type TestBot } from './bot.ts'
import { approvalCard, textCard } from './cards.ts'

let teams: Teams
let bot: TestBot

beforeEach(async () => {
  ;[teams, bot] = await Promise.all([startTeams(), startBot()])
  teams.connect(bot.url)
})
afterEach(async () => {
  await Promise.all([teams.close(), bot.close()])
  expect(bot.errors).toEqual([])
})

const statusOf = (error: unknown): unknown => (error as { statusCode?: number }).statusCode
const codeOf = (error: unknown): unknown => (error as { code?: string }).code

describe('what people say', () => {
  test('reaches the bot as Teams sends it, and the reply lands in the same thread', async () => {
    await teams.install('contoso', 'owner')
    bot.logic = async (context) => {
      await context.sendActivity(`You said: ${TurnContext.removeRecipientMention(context.activity).trim()}`)
    }
    const said = await teams.person('requester').says('link a to b').in('general')
    expect(said).toMatchObject({ text: '@Vaultlink link a to b', delivered: 200, from: 'requester' })
    const { activity } = bot.received.at(-1) ?? {}
    expect(activity).toMatchObject({
      type: 'message',
      id: said.id,
      channelId: 'msteams',
      serviceUrl: teams.serviceUrl,
      text: '<at>Vaultlink</at> link a to b',
      from: { name: 'Riley Park', aadObjectId: people.requester.objectId },
      recipient: { id: expect.stringMatching(/^28:/) },
      conversation: {
        id: `${team.id};messageid=${said.id}`,
        conversationType: 'channel',
        isGroup: true,
        tenantId,
      },
      channelData: { tenant: { id: tenantId }, team: { id: team.id }, channel: { id: team.id } },
      entities: [
        { type: 'mention', text: '<at>Vaultlink</at>' },
        { type: 'clientInfo', locale: 'en-GB' },
      ],
      localTimezone: 'Europe/Amsterdam',
    })
    expect(String(activity?.localTimestamp)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+\+0[12]:00$/)
    const reply = await teams.thread(said).shows('You said: link a to b')
    expect(reply).toMatchObject({ from: 'Vaultlink', root: said.id })
    expect(said.replies).toEqual([reply])
    expect(teams.events.map(({ kind }) => kind)).toEqual([
      'delivery',
      'delivery',
      'says',
      'replies',
      'delivery',
    ])
  })

  test('is kept from the bot unless it mentions it, and stays in the thread it is said in', async () => {
    await teams.install('contoso', 'owner')
    const root = await teams.person('requester').says('anyone here?', { plain: true }).in('random')
    const seen = bot.received.length
    const inThread = await teams.person('owner').says('hi @Vaultlink and @Riley Park').in(teams.thread(root))
    expect(bot.received.length).toBe(seen + 1)
    expect(inThread).toMatchObject({ conversationId: root.conversationId, mentions: ['requester'] })
    expect(bot.received.at(-1)?.activity.text).toBe('hi <at>Vaultlink</at> and <at>Riley Park</at>')
    expect(
      teams
        .thread(root)
        .messages()
        .map(({ id }) => id),
    ).toEqual([root.id, inThread.id])
  })

  test('needs no mention in a personal chat, one in a group chat, and membership everywhere', async () => {
    await teams.install({ personal: 'requester' }, 'requester')
    await teams.install('group', 'lone')
    await teams.person('requester').says('help').in('with:requester')
    expect(bot.received.at(-1)?.activity).toMatchObject({
      text: 'help',
      conversation: { conversationType: 'personal' },
      channelData: { tenant: { id: tenantId } },
    })
    await teams.person('lone').says('help').in('group')
    expect(bot.received.at(-1)?.activity).toMatchObject({
      text: '<at>Vaultlink</at> help',
      conversation: { conversationType: 'groupChat', id: '19:group-contoso@thread.v2' },
    })
    await expect(teams.person('owner').says('help').in('group')).rejects.toThrow(
      'Noor Haddad is not in group',
    )
    await expect(teams.person('owner').says('help').in('vault-owners')).rejects.toThrow(
      'not installed in Contoso',
    )
    await expect(teams.person('owner').says('help').in('nowhere')).rejects.toThrow('There is no "nowhere"')
  })

  test('is delivered to a bot that is down or slow, with Teams’ own status', async () => {
    await teams.install({ personal: 'owner' }, 'owner')
    teams.configure({ deliveryDeadlineMs: 50 })
    const held = Promise.withResolvers<void>()
    bot.logic = () => held.promise
    expect(await teams.person('owner').says('hello').in('with:owner')).toMatchObject({ delivered: 504 })
    held.resolve()
    teams.connect('http://127.0.0.1:1/api/messages')
    teams.configure({ deliveryDeadlineMs: 15_000 })
    expect(await teams.person('owner').says('hello').in('with:owner')).toMatchObject({ delivered: 502 })
  })

  test('comes again after a slow answer, as it was or under a new id', async () => {
    await teams.install({ personal: 'owner' }, 'owner')
    const said = await teams.person('owner').says('hello').in('with:owner')
    await teams.redeliver(said.id, { sameId: true })
    const again = await teams.redeliver(said.id, { sameId: false })
    const [first, second, third] = bot.received.slice(-3).map(({ activity }) => activity)
    expect(second).toEqual(first)
    expect(third).toMatchObject({ id: again.activityId, text: 'hello', conversation: first?.conversation })
    expect(third?.id).not.toBe(first?.id)
    await expect(teams.redeliver('1', { sameId: true })).rejects.toThrow('No activity 1')
  })
})

describe('installing', () => {
  test('tells the bot of the team, the chat, and of its removal, after which it can post no more', async () => {
    await teams.install('labs', 'second')
    expect(bot.received.map(({ activity }) => [activity.type, activity.action])).toEqual([
      ['conversationUpdate', undefined],
      ['installationUpdate', 'add'],
    ])
    expect(bot.received[0]?.activity).toMatchObject({
      membersAdded: [{ id: expect.stringMatching(/^28:/) }],
      channelData: { eventType: 'teamMemberAdded', team: { id: '19:team-labs@thread.tacv2', name: 'Labs' } },
      from: { aadObjectId: people.second.objectId },
    })
    const said = await teams.person('second').says('hello').in('labs-owners')
    await teams.uninstall('labs', 'second')
    expect(bot.received.at(-1)?.activity).toMatchObject({ type: 'installationUpdate', action: 'remove' })
    const refused = await sending(said.conversationId, { text: 'too late' }).catch((error: unknown) => error)
    expect([statusOf(refused), codeOf(refused)]).toEqual([403, 'BotNotInConversationRoster'])
  })

  test('tells of a renamed and of a deleted channel, whose conversation is then unknown', async () => {
    await teams.install('contoso', 'owner')
    await teams.renameChannel('random', 'chatter', 'owner')
    expect(bot.received.at(-1)?.activity).toMatchObject({
      type: 'conversationUpdate',
      channelData: { eventType: 'channelRenamed', channel: { name: 'chatter' } },
    })
    await teams.deleteChannel('random', 'owner')
    expect(bot.received.at(-1)?.activity).toMatchObject({ channelData: { eventType: 'channelDeleted' } })
    const refused = await sending('19:random@thread.tacv2', { text: 'x' }).catch((error: unknown) => error)
    expect([statusOf(refused), codeOf(refused)]).toEqual([404, 'ConversationNotFound'])
  })
})

const sending = (
  conversationId: string,
  activity: { text?: string; attachments?: ReturnType<typeof cardAttachment>[] },
): Promise<void> =>
  bot.inConversation(
    { channelId: 'msteams', serviceUrl: teams.serviceUrl, conversation: { id: conversationId } as never },
    async (context) => {
      await context.sendActivity({ type: 'message', ...activity })
    },
  )

const creating = async (parameters: Record<string, unknown>): Promise<string> => {
  let created = ''
  await bot.adapter.createConversationAsync(
    '',
    'msteams',
    teams.serviceUrl,
    '',
    parameters as never,
    async (context) => {
      created = context.activity.conversation.id
    },
  )
  return created
}

describe('what the bot posts', () => {
  test('is a new thread in another channel, which can be updated, replied to and deleted', async () => {
    await teams.install('contoso', 'owner')
    const id = await creating({
      isGroup: true,
      channelData: { channel: { id: '19:vault-owners@thread.tacv2' } },
      activity: { type: 'message', attachments: [cardAttachment(approvalCard)] },
    })
    const card = await teams.channel('vault-owners').shows('Approve a private connection')
    expect(id).toBe(`19:vault-owners@thread.tacv2;messageid=${card.id}`)
    const reference = {
      channelId: 'msteams',
      serviceUrl: teams.serviceUrl,
      conversation: { id } as never,
    }
    await bot.inConversation(reference, async (context) => {
      await context.updateActivity({
        type: 'message',
        id: card.id,
        attachments: [cardAttachment(textCard('Approved by Noor'))],
      })
      const { id: replied } = (await context.sendActivity('Working since 14:06.')) ?? {}
      await context.sendActivity({ type: 'typing' })
      await context.deleteActivity(replied ?? '')
    })
    expect(card.card).toEqual(textCard('Approved by Noor'))
    expect(card.history).toEqual([{ card: approvalCard }])
    expect(card.replies).toMatchObject([{ text: 'Working since 14:06.', deleted: true, root: card.id }])
    expect(teams.events.flatMap((event) => (event.who === 'Vaultlink' ? event.kind : []))).toEqual([
      'posts',
      'updates',
      'replies',
      'deletes',
    ])
    expect(teams.thread(card).text()).toBe('Vaultlink  Approved by Noor\n  Vaultlink  (deleted)')
  })

  test('may be a personal chat with somebody who is in a team with the bot, and with nobody else', async () => {
    const asked = {
      tenantId,
      members: [{ id: people.guest.objectId }],
      activity: { type: 'message', text: 'hi' },
    }
    const refused = await creating(asked).catch((error: unknown) => error)
    expect([statusOf(refused), codeOf(refused)]).toEqual([403, 'BadArgument'])
    await teams.install('contoso', 'owner')
    await creating(asked)
    expect(teams.channel('with:guest').messages()).toMatchObject([{ text: 'hi', from: 'Vaultlink' }])
    const stranger = await creating({ ...asked, members: [{ id: '29:nobody' }] }).catch(
      (error: unknown) => error,
    )
    expect(statusOf(stranger)).toBe(403)
    const foreign = await creating({ ...asked, tenantId: 'another' }).catch((error: unknown) => error)
    expect([statusOf(foreign), codeOf(foreign)]).toEqual([403, 'ForbiddenOperationException'])
    expect(await teams.person('guest').says('hi back').in('with:guest')).toMatchObject({ delivered: 200 })
  })

  test('mentions those whose name stands in the text and who are there', async () => {
    await teams.install('contoso', 'owner')
    const said = await teams.person('requester').says('hello').in('general')
    const { from } = bot.received.at(-1)?.activity ?? {}
    await bot.inConversation(
      {
        channelId: 'msteams',
        serviceUrl: teams.serviceUrl,
        conversation: { id: said.conversationId } as never,
      },
      async (context) => {
        await context.sendActivity({
          type: 'message',
          text: '<at>Riley Park</at> it works',
          entities: [
            { type: 'mention', text: '<at>Riley Park</at>', mentioned: from },
            { type: 'mention', text: '<at>Noor Haddad</at>', mentioned: { id: people.owner.objectId } },
          ],
        })
      },
    )
    expect(await teams.thread(said).shows('@Riley Park it works')).toMatchObject({ mentions: ['requester'] })
    await teams.install({ personal: 'owner' }, 'owner')
    const card = {
      ...textCard('<at>Noor</at>, and <at>Riley</at> who is not here'),
      msteams: {
        entities: [
          { type: 'mention', text: '<at>Noor</at>', mentioned: { id: people.owner.objectId } },
          { type: 'mention', text: '<at>Riley</at>', mentioned: { id: people.requester.objectId } },
        ],
      },
    }
    await sending((await teams.person('owner').says('me').in('with:owner')).conversationId, {
      attachments: [cardAttachment(card)],
    })
    expect(await teams.channel('with:owner').shows('@Noor')).toMatchObject({ mentions: ['owner'] })
  })

  test('is refused when it is unknown, too large, no card, or somebody else’s', async () => {
    await teams.install('contoso', 'owner')
    const said = await teams.person('requester').says('hello').in('general')
    const outcomes = await Promise.all(
      [
        sending('19:nowhere@thread.tacv2', { text: 'x' }),
        sending(`${team.id};messageid=1`, { text: 'x' }),
        sending(said.conversationId, { text: 'x'.repeat(101 * 1024) }),
        sending(said.conversationId, { attachments: [cardAttachment({ body: [] })] }),
        creating({ isGroup: true, channelData: { channel: { id: team.id } } }),
      ].map((sent) =>
        sent.then(
          () => 'sent',
          (error: unknown) => [statusOf(error), codeOf(error)],
        ),
      ),
    )
    expect(outcomes).toEqual([
      [404, 'ConversationNotFound'],
      [404, 'ConversationNotFound'],
      [413, 'MessageSizeTooBig'],
      [400, 'BadArgument'],
      [400, 'BadSyntax'],
    ])
    const edits = await bot
      .inConversation(
        {
          channelId: 'msteams',
          serviceUrl: teams.serviceUrl,
          conversation: { id: said.conversationId } as never,
        },
        async (context) => {
          await context.updateActivity({ type: 'message', id: said.id, text: 'mine now' })
        },
      )
      .catch((error: unknown) => error)
    expect(statusOf(edits)).toBe(403)
    expect(said.text).toBe('@Vaultlink hello')
  })
})

describe('the rosters', () => {
  test('name people, teams and channels', async () => {
    await teams.install('contoso', 'owner')
    const found: unknown[] = []
    bot.logic = async (context) => {
      const first = await TeamsInfo.getPagedMembers(context, 4)
      const rest = await TeamsInfo.getPagedMembers(context, 4, first.continuationToken)
      found.push(
        await TeamsInfo.getMember(context, people.guest.objectId),
        await TeamsInfo.getMember(context, context.activity.from.id),
        [...first.members, ...rest.members].map(({ name }) => name),
        rest.continuationToken,
        await TeamsInfo.getTeamDetails(context),
        (await TeamsInfo.getTeamChannels(context)).map(({ name }) => name),
        await TeamsInfo.getMember(context, 'nobody').catch(statusOf),
      )
    }
    await teams.person('owner').says('who is here').in('random')
    expect(found).toMatchObject([
      { name: 'Gia Fox', userRole: 'guest', userPrincipalName: expect.stringContaining('#EXT#') },
      { aadObjectId: people.owner.objectId, tenantId, email: 'noor.haddad@contoso.example' },
      team.members.map((key) => people[key].name),
      undefined,
      { id: team.id, name: 'Contoso', memberCount: 6, channelCount: 4 },
      [null, 'vault-owners', 'solo-owners', 'random'],
      404,
    ])
  })
})

describe('waiting for what is shown', () => {
  test('is told by the event, takes the newest match, and rejects with the thread as text', async () => {
    await teams.install('contoso', 'owner')
    const said = await teams.person('requester').says('hello').in('general')
    const waiting = teams.thread(said).shows(/second/)
    await sending(said.conversationId, { text: 'the first' })
    await sending(said.conversationId, { attachments: [cardAttachment(textCard('the second'))] })
    expect((await waiting).card).toEqual(textCard('the second'))
    expect((await teams.channel('general').shows('the')).card).toEqual(textCard('the second'))
    await expect(teams.thread(said).shows('a third', { within: 1 })).rejects.toThrow(
      /did not show a third within 1 ms[\s\S]*Vaultlink {2}the first/,
    )
  })
})
