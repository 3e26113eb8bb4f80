import { type Log, type Person, type Roster, Unanswered } from '../engine/ports.ts'
import { channelOf } from './activity.ts'
import { type Connector, refusedBy } from './connector.ts'

/** Teams' own page size; 2,000 people are more than anybody can ask one by one who of them may approve. */
const pageSize = 500
const mostPeople = 2_000
/**
 * Teams takes 120 reads of a conversation's roster in 30 s, and 16 in 2 s. Whoever asks sooner after a read than this
 * waits for the next one, together with all who ask meanwhile.
 */
const pauseMs = 500

/** Who is in a channel or a chat, by a read that begins after the question: membership is never remembered. */
export function createRoster(options: {
  readonly connector: Connector
  readonly deadlineMs?: number
  readonly log: Log
}): Roster {
  const { connector, deadlineMs = 3_000, log } = options
  const together = createSharing<readonly Person[]>()
  return (place, signal) =>
    Promise.race([
      together(`${place.serviceUrl} ${channelOf(place.conversation)}`, () => read(place)),
      over(signal),
    ])

  async function read(place: Parameters<Roster>[0]): Promise<readonly Person[]> {
    try {
      // Others may have more patience than whoever asked first, so the deadline is the call's own.
      const signal = AbortSignal.timeout(deadlineMs)
      const conversations = connector.at(place.serviceUrl, { signal })
      const people: Person[] = []
      let more: string | undefined
      do {
        const page = await conversations.getConversationPagedMembers(channelOf(place.conversation), {
          pageSize,
          ...(more !== undefined && { continuationToken: more }),
        })
        people.push(...page.members.flatMap(personOf))
        more = page.continuationToken
      } while (more !== undefined && people.length < mostPeople)
      return people.slice(0, mostPeople)
    } catch (error) {
      const refused = refusedBy(error)
      log('warn', 'teams.roster', { conversation: place.conversation, answer: refused.log })
      throw new Unanswered(`Teams did not say who is in the conversation: ${refused.log}`, { cause: error })
    }
  }
}

function createSharing<T>() {
  const pauses = new Map<string, Promise<void>>()
  const next = new Map<string, Promise<T>>()
  const begin = (key: string, read: () => Promise<T>): Promise<T> => {
    next.delete(key)
    const pause = passed(pauseMs).then(() => void pauses.delete(key))
    pauses.set(key, pause)
    return read()
  }
  return (key: string, read: () => Promise<T>): Promise<T> => {
    const pause = pauses.get(key)
    if (!pause) return begin(key, read)
    const shared = next.get(key) ?? pause.then(() => begin(key, read))
    next.set(key, shared)
    return shared
  }
}

const passed = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref())

function over(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Unanswered('Teams did not say in time who is in the conversation'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
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
