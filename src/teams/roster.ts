import type { TurnContext } from 'botbuilder'
import type { ConnectorClient } from 'botframework-connector'
import type { Log, Person, Roster } from '../engine/ports.ts'
import type { BotAdapter } from './adapter.ts'

export function createRoster(options: { adapter: BotAdapter; appId: string; log: Log }): Roster {
  return (place) =>
    new Promise<readonly Person[]>((resolve, reject) => {
      options.adapter
        .continueConversationAsync(
          options.appId,
          { channelId: 'msteams', serviceUrl: place.serviceUrl, conversation: { id: place.conversation } } as never,
          async (context: TurnContext) => {
            const connector = context.turnState.get<ConnectorClient>(context.adapter.ConnectorClientKey as symbol)
            const page = await connector.conversations.getConversationPagedMembers(place.conversation, { pageSize: 200 })
            resolve(
              (page.members ?? []).map((member) => {
                const { aadObjectId = '', id, name = '' } = member as { aadObjectId?: string; id: string; name?: string }
                return { objectId: aadObjectId, teamsId: id, name, tenant: '' }
              }),
            )
          },
        )
        .catch(reject)
    })
}
