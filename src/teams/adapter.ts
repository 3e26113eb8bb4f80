/** The Bot Framework's adapter, with its own gates closed and its own clients left out. */
import {
  type Activity,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type InvokeResponse,
  type TurnContext,
} from 'botbuilder'
import type { Traffic } from '../engine/ports.ts'
import type { Incoming } from './activity.ts'
import type { Connector } from './connector.ts'

type Framework = ConfigurationBotFrameworkAuthentication
type ConnectorFactory = ReturnType<Framework['createConnectorFactory']>
type ConnectorClient = Awaited<ReturnType<ConnectorFactory['create']>>

export class BotAdapter extends CloudAdapter {
  readonly #appId: string
  readonly #connectorFactory: ConnectorFactory
  constructor(framework: Framework, appId: string, connectorFactory: ConnectorFactory) {
    super(framework)
    this.#appId = appId
    this.#connectorFactory = connectorFactory
  }

  /**
   * Runs a turn for what the guard let in. The adapter's `process` would ask the SDK for the token's worth once more,
   * print to the console, and answer errors with their raw text; this does none of it.
   */
  async answer(
    incoming: Incoming,
    turn: (context: TurnContext) => Promise<void>,
  ): Promise<InvokeResponse | undefined> {
    const authenticated = {
      // Whom the guard believes is always the Bot Connector, speaking to this bot.
      claimsIdentity: this.createClaimsIdentity(this.#appId),
      connectorFactory: this.#connectorFactory,
      audience: '',
    }
    const answered = await this.processActivity(authenticated, activityOf(incoming), turn)
    // What the SDK says of an invoke that the bot does not know: the caller's oddity, and no fault of the server's.
    return answered?.status === 501 ? { status: 400 } : answered
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
  readonly appId: string
  readonly connector: Connector
  readonly traffic?: Traffic
}): BotAdapter {
  const { appId, connector, traffic } = options
  const framework = new ConfigurationBotFrameworkAuthentication({})
  // The SDK's own gates, with the emulator's among them, are closed: there is the guard, and no other way in.
  const closed = (): Promise<never> => Promise.reject(new Error('Only the guard lets anybody in'))
  framework.authenticateRequest = closed
  framework.authenticateStreamingRequest = closed
  framework.authenticateChannelRequest = closed
  // Each turn would have a client of its own for people's tokens, a fifth of its CPU, and none uses it.
  framework.createUserTokenClient = async () => undefined as never
  const connectorFactory: ConnectorFactory = {
    // Of the SDK's client it is what the adapter and `TeamsInfo` call.
    create: async (serviceUrl) =>
      ({ conversations: connector.at(serviceUrl, traffic && { traffic }) }) as unknown as ConnectorClient,
  }
  framework.createConnectorFactory = () => connectorFactory
  return new BotAdapter(framework, appId, connectorFactory)
}
