/** What Teams sends, read once from `unknown` into the few fields that a turn works with. */
import type { Place } from '../link/link.ts'
import type { MissingField } from './refusal.ts'

export type Incoming = {
  readonly type: string
  readonly id: string
  readonly channelId: string
  readonly serviceUrl: string
  readonly from: {
    readonly id: string
    readonly name?: string
    readonly objectId?: string
    readonly role?: string
  }
  readonly recipient: string
  /** The tenant as `conversation` and as `channelData` name it: the guard wants both to be ours. */
  readonly tenants: readonly [string | undefined, string | undefined]
  /** As Teams names it, with `;messageid=` in a channel's thread. */
  readonly conversation: string
  readonly kind: Place['kind']
  readonly team?: string
  readonly channel?: { readonly id: string; readonly name?: string }
  readonly what: What
}
type What =
  | { readonly is: 'message'; readonly text: string }
  /** A card's button: an invoke answered in place, or the older `Action.Submit`, which comes as a message. */
  | {
      readonly is: 'pressed'
      readonly how: 'invoke' | 'submit'
      readonly value: unknown
      readonly card?: string
      /** With which the presser's client signed them in, when it was asked to. */
      readonly token?: string
    }
  /** A client signs somebody in apart from a button: by a token, or by a page that was shown to them. */
  | {
      readonly is: 'signsIn'
      readonly how: 'tokenExchange' | 'verifyState'
      readonly id: string
      readonly connection: string
      readonly token?: string
    }
  | { readonly is: 'installed' }
  | { readonly is: 'removed' }
  | { readonly is: 'channelNamed' }
  | { readonly is: 'channelDeleted' }
  | { readonly is: 'other'; readonly type: string }

export type Fields = Readonly<Record<string, unknown>>
export const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** The channel of a thread, or the conversation itself. */
export const channelOf = (conversation: string): string =>
  conversation.split(';messageid=')[0] ?? conversation

/** Reads an activity; a string says what is missing. */
export function readActivity(body: unknown): Incoming | MissingField {
  const activity = fieldsOf(body)
  const from = fieldsOf(activity.from)
  const conversation = fieldsOf(activity.conversation)
  const channelData = fieldsOf(activity.channelData)
  const type = textOf(activity.type)
  const fromId = textOf(from.id)
  const recipient = textOf(fieldsOf(activity.recipient).id)
  const conversationId = textOf(conversation.id)
  const serviceUrl = textOf(activity.serviceUrl)
  const channelId = textOf(activity.channelId)
  if (!type) return 'type'
  if (!channelId) return 'channelId'
  if (!fromId) return 'from.id'
  if (!recipient) return 'recipient.id'
  if (!conversationId) return 'conversation.id'
  if (!serviceUrl || !URL.canParse(serviceUrl)) return 'serviceUrl'
  const kind = kindOf(conversation, conversationId)
  if (!kind) return 'conversation.conversationType'
  const objectId = textOf(from.aadObjectId)
  const name = textOf(from.name)
  const role = textOf(from.role)
  const team = textOf(fieldsOf(channelData.team).id)
  const channel = fieldsOf(channelData.channel)
  const channelName = textOf(channel.name)
  const ofChannel = textOf(channel.id) ?? (kind === 'channel' ? channelOf(conversationId) : undefined)
  return {
    type,
    id: textOf(activity.id) ?? '',
    channelId,
    serviceUrl,
    from: {
      id: fromId,
      ...(name && { name }),
      ...(objectId && { objectId }),
      ...(role && { role }),
    },
    recipient,
    tenants: [textOf(conversation.tenantId), textOf(fieldsOf(channelData.tenant).id)],
    conversation: conversationId,
    kind,
    ...(team && { team }),
    ...(ofChannel && { channel: { id: ofChannel, ...(channelName && { name: channelName }) } }),
    what: whatOf(type, activity, recipient),
  }
}

function kindOf(conversation: Fields, id: string): Place['kind'] | undefined {
  switch (conversation.conversationType) {
    case 'channel':
      return 'channel'
    case 'groupChat':
      return 'group'
    case 'personal':
      return 'personal'
    case undefined:
      // Some events name no type; a team's conversations end in @thread.tacv2 (older ones in @thread.skype).
      return /@thread\.(tacv2|skype)(;|$)/.test(id) ? 'channel' : undefined
    default:
      return undefined
  }
}

function whatOf(type: string, activity: Fields, bot: string): What {
  const card = textOf(activity.replyToId)
  const cardOf = card ? { card } : {}
  switch (type) {
    case 'message':
      return activity.value === undefined || activity.value === null
        ? { is: 'message', text: withoutMention(activity, bot) }
        : { is: 'pressed', how: 'submit', value: activity.value, ...cardOf }
    case 'invoke':
      return invokeOf(activity, cardOf)
    case 'installationUpdate':
      if (activity.action === 'add' || activity.action === 'add-upgrade') return { is: 'installed' }
      if (activity.action === 'remove' || activity.action === 'remove-upgrade') return { is: 'removed' }
      return { is: 'other', type }
    case 'conversationUpdate':
      return updateOf(activity, bot)
    default:
      return { is: 'other', type: named(type) }
  }
}

function invokeOf(activity: Fields, cardOf: { readonly card?: string }): What {
  const value = fieldsOf(activity.value)
  const tokenOf = (from: Fields): { readonly token?: string } => {
    const token = textOf(from.token)
    return token === undefined ? {} : { token }
  }
  switch (activity.name) {
    case 'adaptiveCard/action': {
      const signedIn = tokenOf(fieldsOf(value.authentication))
      return { is: 'pressed', how: 'invoke', value: value.action, ...cardOf, ...signedIn }
    }
    case 'signin/tokenExchange':
    case 'signin/verifyState':
      return {
        is: 'signsIn',
        how: activity.name === 'signin/tokenExchange' ? 'tokenExchange' : 'verifyState',
        id: textOf(value.id) ?? '',
        connection: textOf(value.connectionName) ?? '',
        ...tokenOf(value),
      }
    default:
      return { is: 'other', type: `invoke ${named(activity.name)}` }
  }
}

/** A type or a name as the log may have it: clients choose some of them. */
const named = (name: unknown): string =>
  typeof name === 'string' && /^[\w./-]{1,60}$/.test(name) ? name : '(no name)'

function updateOf(activity: Fields, bot: string): What {
  const names = (members: unknown): boolean =>
    Array.isArray(members) && members.some((member) => fieldsOf(member).id === bot)
  if (names(activity.membersAdded)) return { is: 'installed' }
  if (names(activity.membersRemoved)) return { is: 'removed' }
  switch (fieldsOf(activity.channelData).eventType) {
    case 'channelCreated':
    case 'channelRenamed':
    case 'channelRestored':
      return { is: 'channelNamed' }
    case 'channelDeleted':
      return { is: 'channelDeleted' }
    case 'teamDeleted':
    case 'teamHardDeleted':
      return { is: 'removed' }
    default:
      return { is: 'other', type: 'conversationUpdate' }
  }
}

/** The text without the mention of the bot, which is known by its id: anybody may bear its name. */
function withoutMention(activity: Fields, bot: string): string {
  const text = typeof activity.text === 'string' ? activity.text : ''
  const entities = Array.isArray(activity.entities) ? activity.entities.map(fieldsOf) : []
  const mentions = entities.filter((entity) => entity.type === 'mention' && textOf(entity.text) !== undefined)
  return mentions.reduce((rest, entity) => {
    const mention = textOf(entity.text) ?? ''
    const name = mention.replace(/<\/?at[^>]*>/g, '')
    // A function: in a replacement's text `$&` and its like would be expanded, and a name may hold them.
    return rest.replaceAll(mention, () => (fieldsOf(entity.mentioned).id === bot ? ' ' : name))
  }, text)
}
