/** Who is where in the sandbox's Teams, what was said, and what time it is. */
import { createHash } from 'node:crypto'
import { bot, groupChat, otherTeam, type Person, type PersonKey, people, team } from '../seed.ts'
import type { Message, TeamsEvent } from './face.ts'
import type { Json } from './json.ts'

export type Team = {
  readonly key: 'contoso' | 'labs'
  readonly id: string
  readonly name: string
  readonly aadGroupId: string
  readonly members: readonly PersonKey[]
}

export type Place = {
  readonly key: string
  readonly kind: 'channel' | 'groupChat' | 'personal'
  readonly id: string
  name: string
  readonly team?: Team
  readonly members: readonly PersonKey[]
  deleted: boolean
}

/** A press that the bot may not pass on yet, and the application that has to be agreed to. */
export type Unagreed = { readonly message: Message; readonly value: Json; readonly uri: string }

export type World = {
  readonly botId: string
  readonly teams: readonly Team[]
  readonly places: readonly Place[]
  /** By their ids, which no two share. */
  readonly messages: Map<string, Message>
  /** The same, oldest first, by their places' keys. */
  readonly messagesOf: Map<string, Message[]>
  readonly events: TeamsEvent[]
  /** Ids of the teams, group chats and personal chats that the bot is installed in. */
  readonly installed: Set<string>
  /** Presses that wait for the presser's consent. */
  readonly unagreed: Map<PersonKey, Unagreed>
  /** The card that a button's answer left with one person, until the message changes: by `viewKey`. */
  readonly views: Map<string, unknown>
  now(): number
  turn(ms: number): void
  newId(): string
  record(event: TeamsEvent): void
  onEvent(listener: (event: TeamsEvent) => void): () => void
}

const opaque = (of: string): string => createHash('sha256').update(of).digest('base64url')

export const personId = (key: PersonKey): string => `29:1${opaque(people[key].objectId)}`

export const viewKey = (message: Message, person: PersonKey): string => `${message.id} ${person}`

export const isPersonKey = (key: string): key is PersonKey => Object.hasOwn(people, key)

const personKeys: readonly PersonKey[] = Object.keys(people).filter(isPersonKey)

export const principalName = (person: Person): string => {
  const mailbox = person.name.toLowerCase().replace(' ', '.')
  return person.guest ? `${mailbox}_fabrikam.example#EXT#@contoso.example` : `${mailbox}@contoso.example`
}

/** Teams takes a person's channel id, Entra object id or principal name for one another. */
export const personBy = (id: string): PersonKey | undefined =>
  personKeys.find((key) => [personId(key), people[key].objectId, principalName(people[key])].includes(id))

type SeedTeam = typeof team | typeof otherTeam

const teamOf = (key: Team['key'], seed: SeedTeam): Team => ({
  key,
  id: seed.id,
  name: seed.name,
  aadGroupId: `e0000000-0000-4000-8000-${opaque(seed.id)
    .replace(/[^0-9a-f]/g, '0')
    .slice(0, 12)}`,
  members: seed.members,
})

const channelsOf = (of: Team, seed: SeedTeam): Place[] =>
  seed.channels.map((channel) => ({
    key: channel.key,
    kind: 'channel',
    id: channel.id,
    name: channel.name,
    team: of,
    members: of.members,
    deleted: false,
  }))

export function createWorld(options: { appId: string; clock: () => number }): World {
  const contoso = teamOf('contoso', team)
  const labs = teamOf('labs', otherTeam)
  const listeners = new Set<(event: TeamsEvent) => void>()
  const events: TeamsEvent[] = []
  let turned = 0
  let lastId = 0
  const now = (): number => options.clock() + turned
  return {
    botId: `28:${options.appId}`,
    teams: [contoso, labs],
    places: [
      ...channelsOf(contoso, team),
      ...channelsOf(labs, otherTeam),
      {
        key: 'group',
        kind: 'groupChat',
        id: groupChat.id,
        name: groupChat.name,
        members: groupChat.members,
        deleted: false,
      },
      ...personKeys.map(
        (key): Place => ({
          key: `with:${key}`,
          kind: 'personal',
          id: `a:1${opaque(`${bot.appId} ${people[key].objectId}`)}`,
          name: people[key].name,
          members: [key],
          deleted: false,
        }),
      ),
    ],
    messages: new Map(),
    messagesOf: new Map(),
    events,
    installed: new Set(),
    unagreed: new Map(),
    views: new Map(),
    now,
    turn(ms) {
      turned += ms
    },
    newId() {
      // Message ids in Teams are the time in milliseconds; two in one millisecond must still differ.
      lastId = Math.max(lastId + 1, Math.floor(now()))
      return String(lastId)
    },
    record(event) {
      events.push(event)
      for (const listener of listeners) listener(event)
    },
    onEvent(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}

export function placeByKey(world: World, key: string): Place {
  const place = world.places.find((candidate) => candidate.key === key)
  if (!place) throw new Error(`There is no "${key}". There is: ${world.places.map((p) => p.key).join(', ')}.`)
  return place
}

/** The place of a conversation id, and the thread's first message when the id names one. */
export function placeByConversation(
  world: World,
  conversationId: string,
): { place: Place; root?: string } | undefined {
  const [id, root] = conversationId.split(';messageid=')
  const place = world.places.find((candidate) => candidate.id === id && !candidate.deleted)
  if (!place) return undefined
  return root === undefined ? { place } : { place, root }
}

export const conversationOf = (place: Place, root: string): string =>
  place.kind === 'channel' ? `${place.id};messageid=${root}` : place.id

/** Somebody who shares a team or a group chat with the bot can be written to, and can answer. */
export const botIsIn = (world: World, place: Place): boolean =>
  world.installed.has(place.team?.id ?? place.id) ||
  (place.kind === 'personal' &&
    world.places.some(
      (other) =>
        other.kind !== 'personal' &&
        place.members.every((who) => other.members.includes(who)) &&
        botIsIn(world, other),
    ))

export const messagesIn = (world: World, key: string): readonly Message[] => world.messagesOf.get(key) ?? []

export function messageIn(world: World, place: Place, id: string): Message | undefined {
  const message = world.messages.get(id)
  return message?.channel === place.key ? message : undefined
}

export function keep(world: World, message: Message): void {
  world.messages.set(message.id, message)
  const here = world.messagesOf.get(message.channel) ?? []
  here.push(message)
  world.messagesOf.set(message.channel, here)
  if (message.root !== message.id) world.messages.get(message.root)?.replies.push(message)
}
