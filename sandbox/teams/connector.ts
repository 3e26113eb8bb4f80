/**
 * The Bot Connector's REST API as a bot in Teams sees it.
 * Errors: learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages#status-codes
 */
import { bot, type PersonKey, people, tenantId } from '../seed.ts'
import type { Message } from './face.ts'
import { type Json, list, record, records, string } from './json.ts'
import { messageText } from './messageText.ts'
import type { Limits } from './threadLimits.ts'
import {
  botIsIn,
  conversationOf,
  keep,
  messageIn,
  type Place,
  personBy,
  personId,
  placeByConversation,
  principalName,
  type Team,
  viewKey,
  type World,
} from './world.ts'

export type Call = { method: string; path: string; query: URLSearchParams; body: unknown; size: number }
export type Reply = { status: number; body?: unknown; headers?: Record<string, string> }

type Room = { world: World; limits: Limits | undefined }
type Handler = (room: Room, ids: string[], call: Call) => Reply

const largestMessage = 100 * 1024

export const failure = (status: number, code: string, message: string): Reply => ({
  status,
  body: { error: { code, message } },
})
const unknownConversation = failure(404, 'ConversationNotFound', 'Conversation not found.')
const unknownActivity = failure(404, 'ActivityNotFoundInConversation', 'Conversation not found.')
const notInRoster = failure(
  403,
  'BotNotInConversationRoster',
  'The bot is not part of the conversation roster.',
)
const tooLarge = failure(413, 'MessageSizeTooBig', 'Message size too large.')
const badConversation = failure(400, 'BadSyntax', 'Incorrect conversation creation parameters')

const routes: [method: string, path: RegExp, handler: Handler][] = [
  ['POST', /^\/v3\/conversations$/, createConversation],
  ['POST', /^\/v3\/conversations\/([^/]+)\/activities$/, sendToConversation],
  ['POST', /^\/v3\/conversations\/([^/]+)\/activities\/([^/]+)$/, sendToConversation],
  ['PUT', /^\/v3\/conversations\/([^/]+)\/activities\/([^/]+)$/, updateActivity],
  ['DELETE', /^\/v3\/conversations\/([^/]+)\/activities\/([^/]+)$/, deleteActivity],
  ['GET', /^\/v3\/conversations\/([^/]+)\/members$/, members],
  ['GET', /^\/v3\/conversations\/([^/]+)\/pagedmembers$/, pagedMembers],
  ['GET', /^\/v3\/conversations\/([^/]+)\/members\/([^/]+)$/, member],
  ['GET', /^\/v3\/teams\/([^/]+)$/, teamDetails],
  ['GET', /^\/v3\/teams\/([^/]+)\/conversations$/, teamChannels],
]

/** Answers one call of the bot; `limits` is absent when throttling is switched off. */
export function answerBot(room: Room, call: Call): Reply {
  const here = routes.filter(([, path]) => path.test(call.path))
  const route = here.find(([method]) => method === call.method)
  if (!route) return failure(here.length > 0 ? 405 : 404, 'NotFound', 'No such operation.')
  const ids = (route[1].exec(call.path)?.slice(1) ?? []).map(decodeURIComponent)
  return route[2](room, ids, call)
}

function throttled(
  { world, limits }: Room,
  kind: 'send' | 'create' | 'read',
  place: string,
): Reply | undefined {
  const refused = limits?.admit(kind, place, world.now())
  return (
    refused && {
      // How Teams words it is not documented.
      ...failure(429, 'Throttled', `Too many requests for this ${refused.whose}.`),
      headers: { 'retry-after': String(Math.ceil(refused.afterMs / 1000)) },
    }
  )
}

function createConversation(room: Room, _ids: string[], { body, size }: Call): Reply {
  const asked = record(body) ?? {}
  const channelId = string(record(record(asked.channelData)?.channel)?.id)
  return channelId === undefined ? createChat(room, asked, size) : createThread(room, channelId, asked, size)
}

function createThread(room: Room, channelId: string, asked: Json, size: number): Reply {
  const { world } = room
  const place = placeByConversation(world, channelId)?.place
  if (place?.kind !== 'channel') return unknownConversation
  if (!botIsIn(world, place)) return notInRoster
  const activity = record(asked.activity)
  if (!activity) return badConversation
  const refused = throttled(room, 'create', place.id)
  if (refused) return refused
  const posted = post(world, place, activity, size)
  if ('refused' in posted) return posted.refused
  return { status: 201, body: { id: conversationOf(place, posted.id), activityId: posted.id } }
}

function createChat(room: Room, asked: Json, size: number): Reply {
  const { world } = room
  const wanted = list(asked.members).flatMap((one) => string(record(one)?.id) ?? [])
  const tenant = string(asked.tenantId) ?? string(record(record(asked.channelData)?.tenant)?.id)
  const [id] = wanted
  if (wanted.length !== 1 || id === undefined || asked.isGroup === true || tenant === undefined)
    return badConversation
  const who = personBy(id)
  if (who === undefined || tenant !== tenantId)
    return failure(403, 'ForbiddenOperationException', 'The bot is not allowed to reach this user.')
  const place = world.places.find((candidate) => candidate.key === `with:${who}`)
  if (!place) return unknownConversation
  if (!botIsIn(world, place))
    return failure(403, 'BadArgument', "Bot is not installed in user's personal scope")
  const refused = throttled(room, 'create', place.id)
  if (refused) return refused
  const activity = record(asked.activity)
  if (!activity) return { status: 201, body: { id: place.id } }
  const posted = post(world, place, activity, size)
  return 'refused' in posted ? posted.refused : { status: 201, body: { id: place.id, activityId: posted.id } }
}

function sendToConversation(room: Room, [id = '', replyTo]: string[], { body, size }: Call): Reply {
  const at = reachable(room.world, id)
  if ('refused' in at) return at.refused
  const { place } = at
  if (at.root !== undefined && !messageIn(room.world, place, at.root)) return unknownConversation
  const refused = throttled(room, 'send', place.id)
  if (refused) return refused
  const activity = record(body)
  if (!activity) return failure(400, 'BadSyntax', 'The activity is missing.')
  const answered = replyTo === undefined ? undefined : messageIn(room.world, place, replyTo)
  const posted = post(room.world, place, activity, size, at.root ?? answered?.root)
  return 'refused' in posted ? posted.refused : { status: 201, body: { id: posted.id } }
}

function updateActivity(room: Room, [id = '', activityId = '']: string[], { body, size }: Call): Reply {
  const { world } = room
  const at = reachable(world, id)
  if ('refused' in at) return at.refused
  const refused = throttled(room, 'send', at.place.id)
  if (refused) return refused
  const message = ownMessage(world, at.place, activityId)
  if ('refused' in message) return message.refused
  const content = contentOf(world, at.place, body, size)
  if ('refused' in content) return content.refused
  const { text, card } = message
  message.history.push({ ...(text !== undefined && { text }), ...(card !== undefined && { card }) })
  delete message.text
  delete message.card
  Object.assign(message, content)
  for (const who of at.place.members) world.views.delete(viewKey(message, who))
  observe(world, message, 'updates')
  return { status: 200, body: { id: message.id } }
}

function deleteActivity(room: Room, [id = '', activityId = '']: string[]): Reply {
  const { world } = room
  const at = reachable(world, id)
  if ('refused' in at) return at.refused
  const message = ownMessage(world, at.place, activityId)
  if ('refused' in message) return message.refused
  message.deleted = true
  observe(world, message, 'deletes')
  return { status: 200 }
}

type Refused = { refused: Reply }

function reachable(world: World, conversationId: string): { place: Place; root?: string } | Refused {
  const at = placeByConversation(world, conversationId)
  if (!at) return { refused: unknownConversation }
  return botIsIn(world, at.place) ? at : { refused: notInRoster }
}

function ownMessage(world: World, place: Place, id: string): Message | Refused {
  const message = messageIn(world, place, id)
  if (!message || message.deleted) return { refused: unknownActivity }
  if (message.from !== bot.name)
    return { refused: failure(403, 'NotEnoughPermissions', 'The message belongs to somebody else.') }
  return message
}

type Content = { text?: string; card?: unknown; mentions: PersonKey[] }

/** What an activity shows; Teams refuses what is too large and what is no card. */
function contentOf(world: World, place: Place, body: unknown, size: number): Content | Refused {
  if (size > largestMessage) return { refused: tooLarge }
  const activity = record(body) ?? {}
  const attachment = records(activity.attachments).find(
    ({ contentType }) => contentType === 'application/vnd.microsoft.card.adaptive',
  )
  const card = record(attachment?.content)
  if (attachment && (card?.type !== 'AdaptiveCard' || string(card.version) === undefined))
    return { refused: failure(400, 'BadArgument', 'The adaptive card is not valid.') }
  const text = string(activity.text)
  if (!card && (text === undefined || text === ''))
    return { refused: failure(400, 'BadSyntax', 'The message has no content.') }
  return {
    ...(text !== undefined && text !== '' && { text: messageText(text, string(activity.textFormat)) }),
    ...(card && { card }),
    mentions: [
      ...mentioned(world, place, list(activity.entities), text ?? ''),
      ...(card
        ? mentioned(world, place, list(record(card.msteams)?.entities), JSON.stringify(card.body))
        : []),
    ],
  }
}

/** Teams notifies those members whose mention stands in the text word for word. */
function mentioned(world: World, place: Place, entities: unknown[], text: string): PersonKey[] {
  return entities.flatMap((one) => {
    const entity = record(one)
    const words = string(entity?.text)
    const id = string(record(entity?.mentioned)?.id)
    if (entity?.type !== 'mention' || !words || id === undefined || id === world.botId) return []
    const who = personBy(id)
    return who && text.includes(words) && place.members.includes(who) ? [who] : []
  })
}

function post(
  world: World,
  place: Place,
  activity: Json,
  size: number,
  root?: string,
): { id: string } | Refused {
  const id = world.newId()
  if (typeof activity.type !== 'string') return { refused: failure(400, 'BadSyntax', 'The type is missing.') }
  // Typing and traces are taken and leave nothing to read.
  if (activity.type !== 'message') return { id }
  const content = contentOf(world, place, activity, size)
  if ('refused' in content) return content
  const message: Message = {
    id,
    channel: place.key,
    conversationId: conversationOf(place, root ?? id),
    from: bot.name,
    root: root ?? id,
    replies: [],
    history: [],
    ...content,
  }
  keep(world, message)
  observe(world, message, message.root === id ? 'posts' : 'replies')
  return { id }
}

function observe(world: World, message: Message, kind: 'posts' | 'updates' | 'replies' | 'deletes'): void {
  world.record({
    at: world.now(),
    who: bot.name,
    kind,
    channel: message.channel,
    conversationId: message.conversationId,
    activityId: message.id,
    ...(message.text !== undefined && { text: message.text }),
    ...(message.card !== undefined && { card: message.card }),
    mentions: message.mentions,
    root: message.root,
  })
}

const account = (who: PersonKey): Json => {
  const person = people[who]
  const [givenName, surname] = person.name.split(' ')
  return {
    id: personId(who),
    name: person.name,
    objectId: person.objectId,
    aadObjectId: person.objectId,
    givenName,
    surname,
    email: principalName(person),
    userPrincipalName: principalName(person),
    tenantId,
    userRole: 'guest' in person ? 'guest' : 'user',
  }
}

function roster(room: Room, id: string): Place | Refused {
  const at = reachable(room.world, id)
  if ('refused' in at) return at
  const refused = throttled(room, 'read', at.place.id)
  return refused ? { refused } : at.place
}

function members(room: Room, [id = '']: string[]): Reply {
  const place = roster(room, id)
  return 'refused' in place ? place.refused : { status: 200, body: place.members.map(account) }
}

function pagedMembers(room: Room, [id = '']: string[], { query }: Call): Reply {
  const place = roster(room, id)
  if ('refused' in place) return place.refused
  const from = Number(query.get('continuationToken') ?? 0)
  const size = Number(query.get('pageSize') ?? 200)
  const more = from + size < place.members.length
  return {
    status: 200,
    body: {
      members: place.members.slice(from, from + size).map(account),
      ...(more && { continuationToken: String(from + size) }),
    },
  }
}

function member(room: Room, [id = '', userId = '']: string[]): Reply {
  const place = roster(room, id)
  if ('refused' in place) return place.refused
  const who = personBy(userId)
  return who && place.members.includes(who)
    ? { status: 200, body: account(who) }
    : failure(404, 'MemberNotFoundInConversation', 'Member not found in conversation.')
}

function team(room: Room, id: string): Team | Refused {
  const found = room.world.teams.find((candidate) => candidate.id === id)
  if (!found) return { refused: failure(404, 'TeamNotFound', 'Team not found.') }
  if (!room.world.installed.has(found.id)) return { refused: notInRoster }
  const refused = throttled(room, 'read', id)
  return refused ? { refused } : found
}

const channelsIn = (world: World, { id }: Team): Place[] =>
  world.places.filter((place) => place.team?.id === id && !place.deleted)

function teamDetails(room: Room, [id = '']: string[]): Reply {
  const found = team(room, id)
  if ('refused' in found) return found.refused
  const { name, aadGroupId } = found
  return {
    status: 200,
    body: {
      id,
      name,
      aadGroupId,
      type: 'standard',
      tenantId,
      channelCount: channelsIn(room.world, found).length,
      memberCount: found.members.length,
    },
  }
}

function teamChannels(room: Room, [id = '']: string[]): Reply {
  const found = team(room, id)
  if ('refused' in found) return found.refused
  const conversations = channelsIn(room.world, found).map((place) => ({
    id: place.id,
    // The General channel has no name here, since every client says it in its own language.
    name: place.id === found.id ? null : place.name,
    type: 'standard',
  }))
  return { status: 200, body: { conversations } }
}
