/** A small bot on the real adapter, for trying the local Teams; each test brings its own logic. */
import type { AddressInfo } from 'node:net'
import {
  ActivityTypes,
  CloudAdapter,
  ConfigurationBotFrameworkAuthentication,
  type ConversationReference,
  type TurnContext,
} from 'botbuilder'
import restify from 'restify'

type Logic = (context: TurnContext) => Promise<void>

export type TestBot = {
  url: string
  adapter: CloudAdapter
  logic: Logic
  /** Every activity that came in, as it was sent, and its Authorization header. */
  received: { activity: Record<string, unknown>; authorization: string | undefined }[]
  /** What the logic of a turn threw. */
  errors: unknown[]
  inConversation(reference: Partial<ConversationReference>, logic: Logic): Promise<void>
  close(): Promise<void>
}

export async function startBot(
  options: { authentication?: ConfigurationBotFrameworkAuthentication; appId?: string } = {},
): Promise<TestBot> {
  // Without an app id the SDK authenticates nobody, which suits a bot on loopback alone.
  const adapter = new CloudAdapter(options.authentication ?? new ConfigurationBotFrameworkAuthentication({}))
  const server = restify.createServer()
  server.use(restify.plugins.bodyParser())
  const bot: TestBot = {
    url: '',
    adapter,
    logic: async () => undefined,
    received: [],
    errors: [],
    inConversation: (reference, logic) =>
      adapter.continueConversationAsync(options.appId ?? '', reference, logic),
    close: () =>
      new Promise((resolve) => {
        server.server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  server.post('/api/messages', async (request, response) => {
    bot.received.push({
      activity: structuredClone(request.body),
      authorization: request.headers.authorization,
    })
    const { body, headers, method = '' } = request
    await adapter.process({ body, headers, method }, response, async (context) => {
      try {
        await bot.logic(context)
      } catch (error) {
        bot.errors.push(error)
        throw error
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  bot.url = `http://127.0.0.1:${port}/api/messages`
  return bot
}

/** Answers an `adaptiveCard/action` as the Bot Framework asks. */
export const answerInvoke = (
  context: TurnContext,
  statusCode: number,
  type: string,
  value: unknown,
): Promise<unknown> =>
  context.sendActivity({
    type: ActivityTypes.InvokeResponse,
    value: { status: 200, body: { statusCode, type, value } },
  })

export const cardAttachment = (content: unknown) => ({
  contentType: 'application/vnd.microsoft.card.adaptive',
  content,
})
