/** Posts and updates what views show. One call per message, never repeated here: Teams has no idempotency key. */
import type { Activity, TurnContext } from 'botbuilder'
import type { ConnectorClient } from 'botframework-connector'
import type { Delivered, Log, Message, Messenger, Store } from '../engine/ports.ts'
import type { BotAdapter } from './adapter.ts'
import { type Drawing, namesOf, type Rendered, renderView } from './cards.ts'
import { mentionTag, toPlain, toXml } from './prose.ts'
import type { Words } from './words/en.ts'

type Options = {
  readonly adapter: BotAdapter
  readonly appId: string
  readonly people: Store['people']
  readonly texts: Store['texts']
  readonly words: Words
  readonly drawing: Drawing
  readonly log: Log
}

export function createMessenger(options: Options): Messenger {
  const { adapter, appId, words, drawing } = options
  return {
    async deliver({ view, to }: Message): Promise<Delivered> {
      const needed = namesOf(view)
      const [people, texts] = await Promise.all([options.people(needed.people), options.texts(needed.texts)])
      const rendered = await renderView(view, { person: (key) => people.get(key), text: (key) => texts.get(key) }, words, drawing)
      const activity = activityOf(rendered)
      try {
        return await new Promise<Delivered>((resolve, reject) => {
          const work = async (context: TurnContext): Promise<void> => {
            const connector = context.turnState.get<ConnectorClient>(context.adapter.ConnectorClientKey as symbol)
            switch (to.how) {
              case 'post': {
                const sent = await connector.conversations.sendToConversation(to.conversation, activity as Activity)
                resolve({ is: 'posted', conversation: to.conversation, activity: sent.id ?? '' })
                return
              }
              case 'update':
                await connector.conversations.updateActivity(to.conversation, to.activity, activity as Activity)
                resolve({ is: 'posted', conversation: to.conversation, activity: to.activity })
                return
              case 'thread': {
                const made = await connector.conversations.createConversation({
                  isGroup: true,
                  channelData: { channel: { id: to.channel } },
                  activity: activity as Activity,
                } as never)
                resolve({ is: 'posted', conversation: made.id ?? '', activity: made.activityId ?? '' })
                return
              }
              case 'personal':
                reject(new Error('not yet'))
            }
          }
          const conversation = to.how === 'thread' ? to.channel : 'conversation' in to ? to.conversation : ''
          adapter
            .continueConversationAsync(
              appId,
              { channelId: 'msteams', serviceUrl: to.serviceUrl, conversation: { id: conversation } } as never,
              work,
            )
            .catch(reject)
        })
      } catch (error) {
        const { statusCode } = error as { statusCode?: number }
        if (statusCode === 404 || statusCode === 403) return { is: 'gone', log: String(error) }
        return { is: 'failed', log: String(error) }
      }
    },
  }
}

function activityOf({ card, text, mentions = [], summary }: Rendered): Partial<Activity> {
  if (card) {
    return { type: 'message', summary, attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content: card }] }
  }
  const tags = mentions.map(mentionTag).join(' ')
  return {
    type: 'message',
    text: `${tags}${tags ? ' ' : ''}${toXml(text ?? summary)}`,
    textFormat: 'xml',
    summary: toPlain(text ?? summary),
    entities: mentions.map((mention) => ({
      type: 'mention',
      text: mentionTag(mention),
      mentioned: { id: mention.id, name: mention.name, aadObjectId: mention.aadObjectId },
    })) as never,
  }
}
