/** What the engine and the Teams rim need of Azure, Teams, the store and the clock, in their words. */
import type {
  AskRefusal,
  Cause,
  Connection,
  Fact,
  Link,
  LinkId,
  Millis,
  PersonKey,
  Pinned,
  PostKey,
  ProvisioningState,
  Refusal,
  Right,
  Route,
  Seen,
  SharedPrivateLink,
  Sighting,
  TextKey,
} from '../link/link.ts'
import type { Destination } from '../link/next.ts'
import type { View } from '../link/views.ts'

export type Clock = {
  now(): Millis
  /**
   * What was noticed of its being set, where that can be: since when it goes steadily, if it did not always, and by how
   * much in all it was set back.
   */
  set?(): { readonly since: Millis | undefined; readonly backMs: number }
  /** Resolves when `at` has come or the clock was set back, or at once when the signal aborts. Never rejects. */
  until(at: Millis, signal: AbortSignal): Promise<void>
}

/**
 * One line of the log: an event name and plain fields. No secrets, no tokens, no message bodies. An error is handed in
 * whole, and the log keeps of it what bears no words.
 */
export type Log = (
  level: 'info' | 'warn' | 'error',
  event: string,
  fields?: Readonly<Record<string, string | number | boolean | undefined>>,
  error?: unknown,
) => void

// ---- Azure -----------------------------------------------------------------------------------------

export type Watch = {
  readonly id: LinkId
  readonly signalr: string
  readonly name: string
  readonly vault: string
  readonly nonce: string
  readonly pinned?: Pinned
  readonly operation?: string
  /** Nobody waits for this look: it yields to others when Azure lets little more be read. */
  readonly canWait?: true
}

export type Act =
  | {
      readonly effect: 'put'
      readonly signalr: string
      readonly name: string
      readonly vault: string
      readonly requestMessage: string
    }
  | {
      readonly effect: 'approve'
      readonly vault: string
      readonly connection: Connection
      readonly description: string
    }
  | {
      readonly effect: 'reject'
      readonly vault: string
      readonly connection: Connection
      readonly description: string
    }
  | { readonly effect: 'delete'; readonly signalr: string; readonly name: string }

/** What came of a call. `retryAfterMs` is Azure's own wish; calling earlier resets it. */
export type Outcome =
  | { readonly is: 'done'; readonly operation?: string }
  | { readonly is: 'failed'; readonly cause: Cause; readonly retryAfterMs?: number; readonly log: string }

/** What a look at one link showed, or why it showed nothing and from when on another may. */
export type Observation = Seen | { readonly failed: Cause; readonly retryAfterMs?: number }

export type Azure = {
  /** Looks at each link and its vault. Never rejects for what Azure answers: that is `hidden`, or a missing entry with its cause. */
  observe(watches: readonly Watch[], signal: AbortSignal): Promise<ReadonlyMap<LinkId, Observation>>
  perform(act: Act, signal: AbortSignal): Promise<Outcome>
}

/**
 * Shows the links and connections of many SignalRs and vaults of one subscription with few reads. What it shows is never
 * an observation: it only tells which links are worth a look. Never rejects.
 */
export type Survey = (
  what: {
    readonly subscription: string
    readonly signalrs: readonly string[]
    readonly vaults: readonly string[]
  },
  signal: AbortSignal,
) => Promise<Surveyed>
export type Surveyed = {
  /** How many reads it took. */
  readonly reads: number
  /** By `resourceKey`. What is missing was not shown this time; `hidden` cannot be seen in this way. */
  readonly signalrs: ReadonlyMap<string, Shown<readonly SharedPrivateLink[]>>
  readonly vaults: ReadonlyMap<string, Shown<VaultShown>>
  /** Azure lets no more be read there for so long. */
  readonly retryAfterMs?: number
}
export type Shown<T> = { readonly is: 'present'; readonly value: T } | { readonly is: 'absent' | 'hidden' }
export type VaultShown = { readonly connections: readonly Connection[]; readonly isPublic?: boolean }

export type FoundSignalr = {
  readonly id: string
  readonly sku: string
  readonly provisioningState: ProvisioningState
  readonly replicas: number | 'unreadable'
  readonly links: readonly SharedPrivateLink[]
}
export type FoundVault = {
  readonly id: string
  readonly isPublic: boolean
  readonly connectionCount: number
  readonly tags: Readonly<Record<string, string>>
}

/** Reads that an answer needs. Each rejects with `Unanswered` when Azure does not answer in time. */
export type Directory = {
  /** Ids of what has exactly this name (no regard to case) among what the bot can read. Empty: none, or not visible. */
  signalrsNamed(name: string, signal: AbortSignal): Promise<readonly string[]>
  vaultsNamed(name: string, signal: AbortSignal): Promise<readonly string[]>
  /** All that the bot can read, at most 200 of each, for suggestions and forms. */
  signalrs(signal: AbortSignal): Promise<readonly string[]>
  vaults(signal: AbortSignal): Promise<readonly string[]>
  signalr(id: string, signal: AbortSignal): Promise<Sighting<FoundSignalr>>
  vault(id: string, signal: AbortSignal): Promise<Sighting<FoundVault>>
  /** The connections on the vault that bear the nonce, and the pinned one, read now. */
  connections(
    vault: string,
    nonce: string,
    pinned: Pinned | undefined,
    signal: AbortSignal,
  ): Promise<Sighting<readonly Connection[]>>
}

export type Access = {
  /** Whether the person (an Entra object id) holds all the actions on the resource, read now. Never rejects: what fails is `unreadable`. */
  may(objectId: string, actions: readonly string[], resource: string, signal: AbortSignal): Promise<Right>
  /** The same for the bot's own identity. */
  botMay(actions: readonly string[], resource: string, signal: AbortSignal): Promise<Right>
}

/**
 * Acting on Azure as a person, by the token with which Teams signed them in. Nothing of it outlives what comes back.
 * Rejects with `Unanswered` when nobody answers in time.
 */
export type ActAs = (
  token: string,
  person: Pick<Person, 'objectId' | 'tenant'>,
  signal: AbortSignal,
) => Promise<Acting | Unable>
export type Acting = { readonly is: 'acting'; readonly perform: Azure['perform'] }
/** Why somebody's token does not do. */
export type Unable =
  /** It is somebody else's, or was meant for another application. */
  | { readonly is: 'notTheirs' }
  /** Neither they nor an administrator agreed that the application acts on Azure for them. */
  | { readonly is: 'consentMissing' }
  /** It has run out, or their organisation asks for more; `code` is Entra's. */
  | { readonly is: 'tokenRefused'; readonly code: string }

/** Azure did not answer in time, or answered nonsense: the person is told that nothing was recorded. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered'
}

// ---- Teams -----------------------------------------------------------------------------------------

export type Message = {
  readonly link: Link
  readonly post: PostKey
  readonly view: View
  readonly to: Destination
}
export type Delivered =
  | { readonly is: 'posted'; readonly conversation: string; readonly activity: string }
  /** Finally gone: 404, BotNotInConversationRoster, MessageWritesBlocked. */
  | { readonly is: 'gone'; readonly log: string }
  /** `throttled`: Teams has heard too much of the bot there, or in the whole tenant. */
  | {
      readonly is: 'failed'
      readonly retryAfterMs?: number
      readonly throttled?: 'here' | 'tenant'
      readonly log: string
    }
export type Messenger = { deliver(message: Message, signal: AbortSignal): Promise<Delivered> }

/** What the turns' own calls to Teams tell the send limits: nobody holds an answer up, but it counts. Never rejects. */
export type Traffic = {
  /** Without a conversation it counts for the tenant alone. */
  called(conversation: string | undefined): Promise<void>
  refused(conversation: string | undefined, retryAfterMs: number | undefined): Promise<void>
}

// ---- the store -------------------------------------------------------------------------------------

export type Person = {
  readonly objectId: string
  readonly teamsId: string
  readonly name: string
  readonly tenant: string
}

export type Row = {
  readonly link: Link
  /** Grows by one with each appended fact. */
  readonly version: number
  readonly due: Millis | undefined
  /** When the last look began that changed nothing or something. */
  readonly lookedAt: Millis | undefined
  /** The newest hint that no look has answered. */
  readonly hintedAt?: Millis | undefined
  readonly lease: { readonly holder: string; readonly until: Millis } | undefined
}
/**
 * A gate keeps writes serial where Azure is serial, one per SignalR and per vault, and messages as seldom as Teams wants
 * them (`sendLimits.ts`). `at`: when it was written, for whoever reckons with how long ago that is.
 */
export type Gate = {
  readonly key: string
  readonly holder: LinkId | ''
  readonly until: Millis
  readonly at?: Millis
}

/** What a transaction writes. `facts` may be empty; `link` is the fold of them onto the row's. */
export type Change = {
  readonly facts: readonly Fact[]
  readonly link: Link
  /** When to look at it again; undefined: never (ended and all told). */
  readonly due: Millis | undefined
  readonly lookedAt?: Millis
  /** A look answers the hint that stood when it began; a newer one goes on standing. */
  readonly heeded?: Millis | undefined
  readonly take?: readonly Gate[]
  readonly release?: readonly string[]
  /** The lease passes to this holder, whoever had it. */
  readonly hold?: { readonly holder: string; readonly until: Millis }
}

export type Owner = {
  readonly vault: string
  readonly team: string
  readonly place: Place
  readonly since: Millis
  readonly by: PersonKey
}
type Place = Route['place']

/** A conversation the bot has been spoken to in or installed to: where and how to write there. */
export type KnownConversation = {
  readonly conversation: string
  readonly serviceUrl: string
  readonly kind: Place['kind']
  readonly team?: string
  readonly name?: string
}

/** The audit log's newest entry: its number and hash. */
export type Head = { readonly n: number; readonly head: string }

/** Whether the files hold no trace either of what is erased; `later` where that is a database server's own business. */
export type Scrubbed = boolean | 'later'
export type Forgotten =
  | { readonly is: 'forgotten'; readonly texts: number; readonly scrubbed: Scrubbed }
  | { readonly is: 'already'; readonly at: Millis; readonly scrubbed: Scrubbed }
  | { readonly is: 'unknown'; readonly scrubbed: Scrubbed }
  /** They have a part in these links, in which something is still decided or done. */
  | { readonly is: 'involved'; readonly links: readonly LinkId[] }

/** The database does not answer, or cannot write now. What was to be written was not. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway'
  /** PostgreSQL's or the network's own, for the log. */
  readonly code: string | undefined
  constructor(message: string, { code, ...options }: ErrorOptions & { code?: string | undefined } = {}) {
    super(message, options)
    this.code = code
  }
}
/** The database was lost while it was committing, and is still away: what was to be written may have been. */
export class StoreInDoubt extends Error {
  override readonly name = 'StoreInDoubt'
}

/** Whatever needs the database rejects with `StoreAway` or `StoreInDoubt` while it is away. */
export type Store = {
  /** Begins a link, in one transaction: the row, its facts, its gates. One open link per SignalR and vault: else the open one is returned. */
  create(change: Change): Promise<{ readonly is: 'created' } | { readonly is: 'open'; readonly link: Link }>
  /**
   * One transaction on one record: reads the row and the gates, lets `work` decide, writes what it returns. `work` is
   * pure and synchronous, and may be run again. It returns undefined to write nothing. Rejects when the record is unknown.
   */
  transact<T>(
    id: LinkId,
    gates: readonly string[],
    work: (row: Row, gates: readonly Gate[]) => { readonly change?: Change; readonly result: T },
  ): Promise<T>
  /** The same on gates alone, whoever holds them. Those that stand open have no row. */
  gates<T>(
    keys: readonly string[],
    work: (gates: readonly Gate[]) => {
      readonly take?: readonly Gate[]
      readonly release?: readonly string[]
      readonly result: T
    },
  ): Promise<T>
  /** Drops the gates that say when they were written and opened before that time. */
  sweepGates(openedBefore: Millis): Promise<void>
  /** Takes up to `most` due records that nobody holds, and holds them until `now + leaseMs`. */
  claim(holder: string, now: Millis, leaseMs: number, most: number): Promise<readonly Row[]>
  /** Holds those of these records that are still ours until then, and says which these are. */
  renew(ids: readonly LinkId[], holder: string, until: Millis): Promise<readonly LinkId[]>
  /** Gives a record back, if it is still ours. */
  release(id: LinkId, holder: string): Promise<void>
  /** Makes what is due later due by so much earlier: the clock was set back. */
  hasten(ms: number): Promise<void>
  /**
   * Makes the links of these SignalRs and vaults (by `resourceKey`) that are not ended due, since something may have been
   * written there. Tells how many there are.
   */
  hint(resources: readonly string[], now: Millis): Promise<number>
  /** When the next record falls due that nobody holds, or a lease ends. */
  nextDue(): Promise<Millis | undefined>
  get(id: LinkId): Promise<Row | undefined>
  rows(ids: readonly LinkId[]): Promise<readonly Row[]>
  /** Which links are not ended, and the version of each: what is known of the others is still so. */
  openVersions(): Promise<readonly { readonly id: LinkId; readonly version: number }[]>
  /** The link of that pair that is not ended. */
  open(signalr: string, vault: string): Promise<Link | undefined>
  /** Newest first. `by`: asked by this person; `conversation`: asked in, or decided in, this conversation or channel. */
  list(
    which: {
      readonly by?: PersonKey
      readonly conversation?: string
      readonly vault?: string
      readonly ended?: boolean
    },
    most: number,
  ): Promise<readonly Link[]>
  /** How many links that are not ended stand at each status. */
  openByStatus(): Promise<readonly { readonly status: string; readonly links: number }[]>
  /** The link for which this message was posted, as far as it was written down. */
  posted(conversation: string, activity: string): Promise<Link | undefined>
  facts(id: LinkId): Promise<readonly Fact[]>
  /** The newest head of the audit log, which vouches for all of it. */
  head(): Promise<Head>

  /** The key of a person, made at the first meeting; name and Teams id are refreshed. */
  remember(person: Person): Promise<PersonKey>
  people(keys: readonly PersonKey[]): Promise<ReadonlyMap<PersonKey, Person>>
  keep(text: string, by: PersonKey): Promise<TextKey>
  texts(keys: readonly TextKey[]): Promise<ReadonlyMap<TextKey, string>>
  /** Erases names, ids and words of a person, named by their object id or key; the facts stay. */
  forget(who: string, now: Millis): Promise<Forgotten>

  owner(vault: string): Promise<Owner | undefined>
  /** Returns the owner that stands: another team's when that was there first; the same team's is moved. */
  own(owner: Owner): Promise<Owner>
  /** Whether it was owned by that team until now. */
  disown(
    what: Pick<Owner, 'vault' | 'team' | 'by'> & { readonly conversation: string; readonly at: Millis },
  ): Promise<boolean>
  ownedVaults(): Promise<readonly Owner[]>

  meet(conversation: KnownConversation): Promise<void>
  conversation(id: string): Promise<KnownConversation | undefined>
  leave(conversation: string): Promise<void>
  /** True the first time only: so that a welcome is not repeated. */
  welcome(conversation: string): Promise<boolean>

  /** Resolves when the database answers. */
  answers(): Promise<void>
  /** The time by the database's own clock, where instances on several machines share one. */
  readonly now?: () => Promise<Millis>
  close(): Promise<void>
}

// ---- the desk: what a turn may ask of the engine -----------------------------------------------------

/** Who is in a conversation, asked of Teams. Rejects with `Unanswered` when Teams does not answer in time. */
export type Roster = (place: Place, signal: AbortSignal) => Promise<readonly Person[]>

export type NameProblem = {
  readonly what: 'signalr' | 'vault'
  /** What the person wrote. */
  readonly wrote: string
} /** Nothing of that name that the person may use: either it is not there, or not visible. `like`: ids worth trying. */ & (
  | { readonly is: 'unknown'; readonly like: readonly string[] }
  /** Several of that name: their ids. */
  | { readonly is: 'ambiguous'; readonly ids: readonly string[] }
  /** The bot may not see it. */
  | { readonly is: 'hidden'; readonly cause: Cause }
)

export type LinkRequest = {
  readonly by: Person
  /** A name or a resource id, as the person wrote it. */
  readonly signalr: string
  readonly vault: string
  readonly as?: string
  readonly reason?: string
  readonly thread: Place
}
export type LinkAnswer =
  /** Recorded; the status card follows by itself. */
  | { readonly is: 'asked'; readonly link: Link }
  /** The same was asked already; the asker now follows it. `new` is false when they already did. */
  | {
      readonly is: 'followed'
      readonly link: Link
      readonly askedBy: Person | undefined
      readonly new: boolean
    }
  /** The same, from the same person in the same thread, a moment ago: the answer has been given. */
  | { readonly is: 'heard'; readonly link: Link; readonly askedBy: Person | undefined }
  | { readonly is: 'refused'; readonly refusal: AskRefusal; readonly signalr: string; readonly vault: string }
  | { readonly is: 'unclear'; readonly problems: readonly NameProblem[] }

export type WishAnswer =
  | { readonly is: 'granted'; readonly link: Link }
  | { readonly is: 'refused'; readonly refusal: Refusal; readonly link: Link }
  /** No link of that id. */
  | { readonly is: 'unknown' }

/** Somebody says something about a link, or presses a button of a card of it. */
export type Press = {
  readonly link: LinkId
  readonly by: Person
  readonly conversation: string
  /** With which Teams signed the presser in, if it did. */
  readonly token?: string
  /** The message on which the button was, as Teams names it; absent when it was said. */
  readonly pressed?: { readonly activity?: string }
}
/** What becomes of an owner's answer. All but a `WishAnswer` comes where owners decide as themselves. */
export type DecisionAnswer =
  | WishAnswer
  /** It would be granted, and Azure has to know who they are. */
  | { readonly is: 'signInNeeded' }
  | Unable
  /** Azure has not answered yet; what comes of it is told on the card. */
  | { readonly is: 'sent'; readonly link: Link }

export type OwnAnswer =
  /** `approvers`: how many people in this channel may approve on the vault, of how many. */
  | {
      readonly is: 'owned'
      readonly vault: string
      readonly approvers: number | 'unknown'
      readonly members: number
      readonly already: boolean
    }
  | { readonly is: 'ownedElsewhere'; readonly vault: string; readonly owner: Owner }
  | { readonly is: 'lacksRight'; readonly vault: string; readonly actions: readonly string[] }
  | { readonly is: 'rightUnreadable'; readonly vault: string }
  | { readonly is: 'unclear'; readonly problem: NameProblem }
export type DisownAnswer =
  | { readonly is: 'disowned'; readonly vault: string }
  | { readonly is: 'notOwned'; readonly vault: string }
  | { readonly is: 'ownedElsewhere'; readonly vault: string; readonly owner: Owner }
  | { readonly is: 'lacksRight'; readonly vault: string; readonly actions: readonly string[] }
  | { readonly is: 'rightUnreadable'; readonly vault: string }
  | { readonly is: 'unclear'; readonly problem: NameProblem }

/**
 * Reads what a decision needs, decides, records, wakes the worker. Every method rejects with `Unanswered` when
 * Azure does not answer before the turn's deadline; then nothing was recorded.
 */
export type Desk = {
  link(request: LinkRequest): Promise<LinkAnswer>
  /** For a form: ids of SignalRs that the person may write, and of vaults that have an owners' channel. */
  choices(by: Person): Promise<{ readonly signalrs: readonly string[]; readonly vaults: readonly string[] }>
  approve(press: Press): Promise<DecisionAnswer>
  reject(press: Press & { readonly reason?: string }): Promise<DecisionAnswer>
  /** Rejects the connection that was approved and that SignalR does not follow. */
  rejectConnection(press: Press & { readonly reason?: string }): Promise<WishAnswer>
  /** Whether a token lets somebody decide as themselves; undefined where the bot decides for them. */
  tries(signIn: { readonly token: string; readonly by: Person }): Promise<'works' | Unable | undefined>
  cancel(press: Press): Promise<WishAnswer>
  unlink(press: Press): Promise<WishAnswer>
  /** Writes down that the presser of a button there may unlink, before the question is asked. */
  question(press: Press): Promise<void>
  retry(press: Press): Promise<WishAnswer>
  get(link: LinkId): Promise<Link | undefined>
  /** Whether a message of ours stands for a link, as a card or a reply. */
  isPost(message: { readonly conversation: string; readonly activity: string }): Promise<boolean>
  /** The links that somebody means: asked in or decided in this conversation (its thread first), or asked by them; newest first. `signalr`, `vault` narrow by name. */
  find(which: {
    readonly by: Person
    readonly conversation: string
    readonly signalr?: string
    readonly vault?: string
    readonly open: boolean
  }): Promise<readonly Link[]>
  own(claim: {
    readonly vault: string
    readonly by: Person
    readonly place: Place
    readonly team: string
  }): Promise<OwnAnswer>
  disown(claim: {
    readonly vault: string
    readonly by: Person
    readonly team: string
    readonly conversation: string
  }): Promise<DisownAnswer>
  people(keys: readonly PersonKey[]): Promise<ReadonlyMap<PersonKey, Person>>
  texts(keys: readonly TextKey[]): Promise<ReadonlyMap<TextKey, string>>
}
