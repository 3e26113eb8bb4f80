import { type Log, type Person, type Roster, Unanswered } from '../engine/ports.ts'
import { channelOf } from './activity.ts'
import type { BotAdapter } from './adapter.ts'
import { createConnectors, refusedBy } from './connectors.ts'

type Pages = (
  conversation: string,
  options: { pageSize: number; continuationToken?: string; abortSignal: AbortSignal },
) => Promise<{ members?: unknown[]; continuationToken?: string }>

/** Teams' own page size; 2,000 people are more than anybody can ask one by one who of them may approve. */
const pageSize = 500
const mostPeople = 2_000

/** Who is in a channel or a chat, asked anew each time: membership is never remembered. */
export function createRoster(options: {
  readonly adapter: BotAdapter
  readonly appId: string
  readonly deadlineMs?: number
  readonly log: Log
}): Roster {
  const { adapter, appId, deadlineMs = 3_000, log } = options
  const connectors = createConnectors({ adapter, appId, deadlineMs })
  return async (place, signal) => {
    try {
      return await connectors.call(place.serviceUrl, signal, async (conversations, ends) => {
        // The client's type wants a token for the first page too, where there is none yet.
        const pages = conversations.getConversationPagedMembers.bind(conversations) as Pages
        const people: Person[] = []
        let more: string | undefined
        do {
          const page = await pages(channelOf(place.conversation), {
            pageSize,
            abortSignal: ends,
            ...(more && { continuationToken: more }),
          })
          people.push(...(page.members ?? []).flatMap(personOf))
          more = page.continuationToken || undefined
        } while (more !== undefined && people.length < mostPeople)
        return people.slice(0, mostPeople)
      })
    } catch (error) {
      const refused = refusedBy(error)
      log('warn', 'teams.roster', { conversation: place.conversation, answer: refused.log })
      throw new Unanswered(`Teams did not say who is in the conversation: ${refused.log}`, { cause: error })
    }
  }
}

/** Bots and what Teams no longer knows by an object id cannot decide anything. */
function personOf(member: unknown): Person[] {
  const { id, name, aadObjectId, tenantId } = member as Record<string, unknown>
  if (typeof id !== 'string' || typeof aadObjectId !== 'string') return []
  return [
    {
      objectId: aadObjectId,
      teamsId: id,
      name: typeof name === 'string' ? name : '',
      tenant: typeof tenantId === 'string' ? tenantId : '',
    },
  ]
}
