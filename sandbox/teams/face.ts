import type { Armed, Fault } from '../proxy/fault.ts'
import type { PersonKey } from '../seed.ts'
import type { LoginRequest } from './signIn.ts'

/** A person's key, `Vaultlink`, or `Teams`. */
type Author = string

/** What an observer of this Teams sees. `channel` is a place's key; `at` is the sandbox's clock. */
export type TeamsEvent =
  | {
      at: number
      who: PersonKey
      kind: 'says'
      channel: string
      text: string
      activityId: string
      conversationId: string
    }
  | {
      at: number
      who: PersonKey
      kind: 'presses'
      channel: string
      title: string
      /** Activity id of the card. */
      card: string
      inputs: Record<string, string>
      conversationId: string
    }
  | {
      at: number
      who: 'Vaultlink'
      kind: 'posts' | 'updates' | 'replies' | 'deletes'
      channel: string
      conversationId: string
      activityId: string
      text?: string
      card?: unknown
      mentions: string[]
      /** Activity id of the message that the thread hangs on. */
      root: string
    }
  | {
      at: number
      who: 'Vaultlink'
      kind: 'answers'
      to: PersonKey
      text?: string
      card?: unknown
      channel: string
      status: number
    }
  | { at: number; who: 'Teams'; kind: 'delivery'; status: number; ms: number }

/** A message as it stands now; it changes in place when the bot updates it. */
export type Message = {
  id: string
  channel: string
  conversationId: string
  from: Author
  /** As people read it: `<at>Riley Park</at>` is `@Riley Park`. */
  text?: string
  card?: unknown
  /** Activity id of the thread's first message; in chats, of the message replied to, else its own. */
  root: string
  replies: Message[]
  /** What it showed before its updates, oldest first. */
  history: { text?: string; card?: unknown }[]
  /** Keys of the people mentioned so that Teams notifies them. */
  mentions: string[]
  deleted?: boolean
  /** The bot's HTTP status for this message, once it was delivered. */
  delivered?: number
}

export type Thread = {
  root: Message
  messages(): Message[]
  /** Waits for the newest message whose rendered text holds `what`; rejects with the text after `within` ms. */
  shows(what: string | RegExp, options?: { within?: number }): Promise<Message>
  text(): string
}

export type Channel = {
  key: string
  messages(): Message[]
  shows(what: string | RegExp, options?: { within?: number }): Promise<Message>
  text(): string
}

/** What the presser alone sees. `type` is the invoke response's, or the action's when nothing was sent. */
export type Answer = {
  status: number
  text?: string
  card?: unknown
  type?: string
  activityId?: string
  /** The bot wants the presser signed in; after a press, only where their client could not. */
  signIn?: LoginRequest
}

export type Actor = {
  key: PersonKey
  /** Addresses the bot (adds the @mention in teams and group chats) unless `plain`. */
  says(text: string, options?: { plain?: boolean }): { in(where: string | Thread): Promise<Message> }
  presses(...titles: string[]): { on(card: Message, inputs?: Record<string, string>): Promise<Answer> }
  /** Agrees to what the bot's application asked for at the last press, which is then sent again. */
  agrees(): Promise<Answer>
  /** Scrolls to the card: a `refresh` that names this person fetches their own view of it. */
  opens(card: Message): Promise<Answer | undefined>
  /** An invoke that a forged client makes up: only `from` is stamped by Teams, unless `over` says otherwise. */
  sendsInvoke(value: unknown, over?: Partial<Activity>): Promise<Answer>
}

/** An activity on the wire. */
export type Activity = {
  type: string
  id: string
  timestamp: string
  channelId: string
  serviceUrl: string
  from: { id: string; name?: string; aadObjectId?: string; role?: string }
  recipient: { id: string; name?: string; role?: string }
  conversation: {
    id: string
    conversationType?: string
    isGroup?: boolean
    tenantId?: string
    name?: string
  }
  channelData: Record<string, unknown>
} & Record<string, unknown>

export type InstallPlace = 'contoso' | 'labs' | 'group' | { personal: PersonKey }

export type Settings = {
  /** Added to each answer of the connector. */
  latencyMs: number
  /** Whether sends are limited per thread and per tenant, as Teams does. */
  throttle: boolean
  /** How long Teams waits for the bot's answer to an activity. */
  deliveryDeadlineMs: number
  /** The Entra ID at which clients sign people in; when empty they know no single sign-on. */
  entra: string
}

export type KeyService = {
  /** From now on a new key signs, and is published; the old one is no longer. Resolves to its id. */
  rotate(): Promise<string>
  /** How requests for the document and the keys fare. */
  become(state: 'up' | 'broken' | 'hung' | 'empty'): void
  /** How often the keys, or their document, were asked for. */
  asked(): number
}

export type Claims = Record<string, unknown>

export type Teams = {
  url: string
  port: number
  /** With the port: what a bot has to list to call this Teams. */
  host: string
  /** What activities carry as `serviceUrl`. */
  serviceUrl: string
  events: TeamsEvent[]
  onEvent(listener: (event: TeamsEvent) => void): () => void
  connect(botUrl: string): void
  person(key: PersonKey): Actor
  thread(message: Message): Thread
  channel(key: string): Channel
  install(where: InstallPlace, by: PersonKey): Promise<void>
  uninstall(where: InstallPlace, by: PersonKey): Promise<void>
  renameChannel(key: string, name: string, by: PersonKey): Promise<void>
  deleteChannel(key: string, by: PersonKey): Promise<void>
  configure(settings: Partial<Settings>): void
  turn(ms: number): void
  now(): number
  /** Against the path below the service URL: `/v3/conversations/19:…/activities`. */
  fail(fault: Fault): Armed
  /** How many calls of the bot were too many. */
  throttled(): number
  /** Sends an activity again as Teams does after a slow answer: as it was, or under a new id and time. */
  redeliver(activityId: string, options: { sameId: boolean }): Promise<Answer>
  openIdUrl: string
  /** The service that publishes the keys with which this Teams signs. */
  keys: KeyService
  /** A token like the Bot Connector's; `undefined` removes a claim, `header` changes alg, kid, crit. */
  token(claims?: Claims, header?: Record<string, unknown>): Promise<string>
  /** Signed mode only: where the bot gets its own token, and the certificate that it must trust. */
  identity?: { authority: string; host: string; caFile: string }
  close(): Promise<void>
}
