/** The Bot Framework's adapter, with its own gates closed and its own clients left out. */
import {
  type Activity,
  ActivityTypes,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type InvokeResponse,
  type ResourceResponse,
  TurnContext,
} from 'botbuilder'
import type { Traffic } from '../engine/ports.ts'
import type { Incoming } from './activity.ts'
import type { Connector, Conversations } from './connector.ts'

export class BotAdapter extends CloudAdapter {
  readonly #conversationsAt: (serviceUrl: string) => Conversations
  constructor(
    framework: ConfigurationBotFrameworkAuthentication,
    conversationsAt: (serviceUrl: string) => Conversations,
  ) {
    super(framework)
    this.#conversationsAt = conversationsAt
  }

  /**
   * Runs a turn for what the guard let in. The adapter's `process` would ask the SDK for the token's worth once more,
   * print to the console, and answer errors with their raw text; this does none of it.
   */
  async answer(
    incoming: Incoming,
    run: (context: TurnContext) => Promise<void>,
  ): Promise<InvokeResponse | undefined> {
    const conversations = this.#conversationsAt(incoming.serviceUrl)
    const turn = new Turn(this, activityOf(incoming), conversations)
    // Of the SDK's client it is what `TeamsInfo` and the adapter call.
    turn.turnState.set(this.ConnectorClientKey, { conversations })
    await run(turn)
    if (turn.activity.type !== ActivityTypes.Invoke) return undefined
    // The SDK would say 501 of an invoke that the bot does not know: the caller's oddity, and no fault of the server's.
    return turn.invoked ?? { status: 400 }
  }
}

/**
 * A turn that sends by itself. Nobody listens to what a turn of this bot sends, and in the SDK's way there a function is
 * made for each step whose shape stays in V8's old space, and all of the turn with it, until a full collection: those
 * came three times a second.
 */
class Turn extends TurnContext {
  readonly #conversations: Conversations
  /** What the caller of an invoke hears. */
  invoked: InvokeResponse | undefined

  constructor(adapter: BotAdapter, activity: Activity, conversations: Conversations) {
    super(adapter, activity)
    this.#conversations = conversations
  }

  override async sendActivity(said: string | Partial<Activity>): Promise<ResourceResponse> {
    const activity = typeof said === 'string' ? { type: ActivityTypes.Message, text: said } : said
    if (activity.type === ActivityTypes.InvokeResponse) {
      this.invoked = activity.value
      return { id: '' }
    }
    const to = TurnContext.getConversationReference(this.activity)
    const addressed = TurnContext.applyConversationReference({ ...activity }, to)
    const { conversation, id: answers } = this.activity
    const { id = '' } = await (answers === undefined
      ? this.#conversations.sendToConversation(conversation.id, addressed)
      : this.#conversations.replyToActivity(conversation.id, answers, addressed))
    this.responded = true
    return { id }
  }

  override async sendActivities(activities: readonly Partial<Activity>[]): Promise<ResourceResponse[]> {
    const sent: ResourceResponse[] = []
    for (const activity of activities) sent.push(await this.sendActivity(activity))
    return sent
  }
}

/**
 * What the guard read, and nothing else that came with it: `deliveryMode`, say, would have the turn's words sent back in
 * the answer instead of to Teams.
 */
function activityOf(incoming: Incoming): Activity {
  const { type, id, channelId, serviceUrl, from, recipient, conversation, kind, tenants, team } = incoming
  const [tenantId] = tenants
  // The type wants every field that any channel may send.
  return {
    type,
    ...(id && { id }),
    channelId,
    serviceUrl,
    from: { id: from.id, name: from.name ?? '', aadObjectId: from.objectId },
    recipient: { id: recipient, name: '' },
    conversation: {
      id: conversation,
      conversationType: kind === 'group' ? 'groupChat' : kind,
      isGroup: kind !== 'personal',
      tenantId,
    },
    channelData: { tenant: { id: tenantId }, ...(team && { team: { id: team } }) },
  } as Activity
}

/** The adapter. What a turn says goes out by `connector`, which tells `traffic` of each call. */
export function createAdapter(options: {
  readonly connector: Connector
  readonly traffic?: Traffic
}): BotAdapter {
  const { connector, traffic } = options
  const framework = new ConfigurationBotFrameworkAuthentication({})
  // The SDK's own gates, with the emulator's among them, are closed: there is the guard, and no other way in.
  const closed = (): Promise<never> => Promise.reject(new Error('Only the guard lets anybody in'))
  framework.authenticateRequest = closed
  framework.authenticateStreamingRequest = closed
  framework.authenticateChannelRequest = closed
  return new BotAdapter(framework, (serviceUrl) => connector.at(serviceUrl, traffic && { traffic }))
}
