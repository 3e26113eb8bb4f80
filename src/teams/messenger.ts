/**
 * Posts and updates what views show. No call is repeated here: Teams has no idempotency key, so whether to try again
 * is for whoever wrote the intent down.
 */
import type { Delivered, Log, Message, Messenger, Person, Store } from '../engine/ports.ts'
import { type Drawing, namesOf, type Rendered, renderView } from './cards.ts'
import { type Activity, type Connector, type Conversations, type Refused, refusedBy } from './connector.ts'
import { mentionTag, toPlain, toXml } from './prose.ts'
import type { Words } from './words/en.ts'

export type MessengerOptions = {
  readonly connector: Connector
  readonly appId: string
  readonly people: Store['people']
  readonly texts: Store['texts']
  readonly words: Words
  readonly drawing: Drawing
  readonly log: Log
}

/** Delivers each message once, and says what came of it. Never rejects. */
export function createMessenger(options: MessengerOptions): Messenger {
  const { connector, appId, words, drawing, log } = options

  return {
    async deliver({ link, post, view, to }, signal): Promise<Delivered> {
      let recipient: Person | undefined
      try {
        const needed = namesOf(view)
        const keys = to.how === 'personal' ? [...needed.people, to.person] : needed.people
        const [people, texts] = await Promise.all([options.people(keys), options.texts(needed.texts)])
        const names = { person: (key: string) => people.get(key), text: (key: string) => texts.get(key) }
        const activity = activityOf(await renderView(view, names, words, drawing))
        recipient = to.how === 'personal' ? people.get(to.person) : undefined
        if (to.how === 'personal' && !recipient) return { is: 'gone', log: 'the person was forgotten' }
        return await send(connector.at(to.serviceUrl, { signal }), activity, to, recipient)
      } catch (error) {
        const refused = refusedBy(error)
        if (refused.unforeseen) log('error', 'teams.undelivered', { link: link.id, post }, error)
        if (isGone(refused, to)) return { is: 'gone', log: refused.log }
        const { retryAfterMs, throttled } = refused
        return {
          is: 'failed',
          log: refused.log,
          ...(retryAfterMs !== undefined && { retryAfterMs }),
          ...(throttled && { throttled }),
        }
      }
    },
  }

  async function send(
    conversations: Conversations,
    activity: Activity,
    to: Message['to'],
    recipient: Person | undefined,
  ): Promise<Delivered> {
    switch (to.how) {
      case 'post': {
        const { id } = await conversations.sendToConversation(to.conversation, activity)
        return posted(to.conversation, id)
      }
      case 'update': {
        try {
          await conversations.updateActivity(to.conversation, to.activity, activity)
          return posted(to.conversation, to.activity)
        } catch (error) {
          // Somebody deleted the card. Its conversation stands, so the card comes back there, unless another is there.
          if (to.copy || refusedBy(error).code !== 'ActivityNotFoundInConversation') throw error
          return send(conversations, activity, { ...to, how: 'post' }, recipient)
        }
      }
      case 'thread': {
        const made = await conversations.createConversation(
          conversation({ isGroup: true, channelData: { channel: { id: to.channel } }, activity }),
        )
        return posted(made.id, made.activityId ?? made.id?.split(';messageid=')[1])
      }
      case 'personal': {
        const chat = await conversations.createConversation(
          conversation({
            isGroup: false,
            members: [{ id: recipient?.teamsId ?? '', name: '' }],
            tenantId: recipient?.tenant ?? '',
            channelData: { tenant: { id: recipient?.tenant } },
          }),
        )
        // Made or found: a chat with one person is always the same.
        if (chat.id === undefined) return posted(undefined, undefined)
        const { id } = await conversations.sendToConversation(chat.id, activity)
        return posted(chat.id, id)
      }
    }
  }

  function conversation(asked: object): object {
    return { bot: { id: `28:${appId}`, name: words.app }, ...asked }
  }
}

function posted(conversation: string | undefined, activity: string | undefined): Delivered {
  return conversation && activity
    ? { is: 'posted', conversation, activity }
    : { is: 'failed', log: 'Teams took the message and gave no id' }
}

/** learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes */
const goneCodes: readonly string[] = [
  'BotNotInConversationRoster',
  'ConversationBlockedByUser',
  'ConversationNotFound',
  'MessageWritesBlocked',
]
const isFinal = (status: number | undefined): boolean =>
  status !== undefined && status >= 400 && status < 500 && ![401, 408, 412, 429].includes(status)

function isGone({ status, code }: Refused, to: Message['to']): boolean {
  // Whatever forbids to redraw a second card: it is no card of ours, or was deleted.
  if (to.how === 'update' && to.copy && isFinal(status)) return true
  if (status === 404 || (status === 403 && code !== undefined && goneCodes.includes(code))) return true
  // Somebody who has not installed the bot, or may not be written to, cannot be told in private.
  return to.how === 'personal' && status === 403
}

/** What is sent for a drawn view: a card, or text after its mentions. */
export function activityOf({ card, text, mentions = [], summary }: Rendered): Activity {
  if (card) {
    const contentType = 'application/vnd.microsoft.card.adaptive'
    return { type: 'message', summary, attachments: [{ contentType, content: card }] }
  }
  const said = text ?? summary
  return {
    type: 'message',
    text: [...mentions.map(mentionTag), toXml(said)].join(' '),
    textFormat: 'xml',
    summary: toPlain(said),
    entities: mentions.map((mention) => ({
      type: 'mention',
      text: mentionTag(mention),
      mentioned: { id: mention.id, name: mention.name, aadObjectId: mention.aadObjectId },
    })),
  }
}
