/**
 * The record of one link: one wish that a SignalR reaches a Key Vault through a shared private endpoint.
 * Types only. What was asked, what was decided, what is being done, what Azure last showed, what Teams was
 * last told; everything else follows from these (`fold`, `next`, `views`).
 */

/** Milliseconds since the epoch. */
export type Millis = number
export type LinkId = string
/** A random key under which a person's name and ids are kept, so that they can be forgotten. */
export type PersonKey = string
/** A random key under which somebody's own words are kept, for the same reason. */
export type TextKey = string

/** A conversation the bot may write to. `conversation` names a thread, a chat, or a channel's root. */
export type Place = {
  readonly conversation: string
  readonly serviceUrl: string
  readonly kind: 'channel' | 'group' | 'personal'
}

/** Whose vault it is, and why we believe so: shown as "why here" on the approval card. */
export type Route = {
  readonly place: Place
  readonly because:
    | { readonly is: 'owned'; readonly since: Millis }
    | { readonly is: 'tagged' }
    | { readonly is: 'default' }
}

export type Asked = {
  readonly at: Millis
  readonly by: PersonKey
  /** Azure resource ids. */
  readonly signalr: string
  readonly vault: string
  /** The name of the shared private link resource. */
  readonly name: string
  /** 32 hex digits that only our request message bears. */
  readonly nonce: string
  readonly reason?: TextKey
  readonly thread: Place
  readonly owners: Route
  /** Where it is brought up when reminders go unanswered. */
  readonly escalation?: Place
  /** How many different people have to approve, when more than one. */
  readonly approvers?: number
  readonly expiresAt: Millis
}

/** What Azure calls `provisioningState` and `status`, closed, with Unknown for what we have no name for. */
export type ProvisioningState =
  | 'Succeeded'
  | 'Failed'
  | 'Canceled'
  | 'Running'
  | 'Creating'
  | 'Updating'
  | 'Deleting'
  | 'Moving'
  | 'Disconnected'
  | 'Unknown'
export type ConnectionState = 'Pending' | 'Approved' | 'Rejected' | 'Disconnected' | 'Timeout' | 'Unknown'

export type SharedPrivateLink = {
  readonly id: string
  readonly name: string
  readonly target: string
  readonly requestMessage: string
  readonly provisioningState: ProvisioningState
  readonly status: ConnectionState
}

export type Connection = {
  readonly id: string
  readonly privateEndpoint: string
  readonly description: string
  readonly status: ConnectionState
  readonly provisioningState: ProvisioningState
  readonly etag?: string
  /** The bot sees the subscription that its endpoint lies in. SignalR's endpoints lie in Microsoft's, which no tenant sees. */
  readonly endpointIsOurs?: true
}

/** Why something is not as it should be; what can be done about each stands in `causes.ts`. */
export type Cause =
  /** 403: the bot's own identity lacks these actions there. */
  | { readonly cause: 'botLacksRight'; readonly action: string; readonly scope: string }
  /** 403: whoever decided and sent it as themselves lacks this action there. */
  | { readonly cause: 'deciderLacksRight'; readonly action: string; readonly scope: string }
  /** The link's name is used by a link with another target, or without our nonce. */
  | { readonly cause: 'nameTaken' }
  /** Somebody else's link from this SignalR to this vault is there. */
  | { readonly cause: 'madeByOthers'; readonly name: string; readonly status: ConnectionState }
  | { readonly cause: 'ambiguous'; readonly count: number }
  /** A connection bears our nonce but its private endpoint lies in a subscription that the bot sees. */
  | { readonly cause: 'strangeEndpoint' }
  | { readonly cause: 'connectionChanged' }
  | { readonly cause: 'connectionGone' }
  /** Azure lets nobody reject the connection that was approved. */
  | { readonly cause: 'cannotReject' }
  | { readonly cause: 'deletedElsewhere' }
  /** Azure said no for good, in its own words. */
  | { readonly cause: 'refused'; readonly code: string; readonly message: string }
  | { readonly cause: 'provisioningFailed'; readonly code: string; readonly message: string }
  | { readonly cause: 'notRegistered'; readonly message: string }
  | { readonly cause: 'quota'; readonly message: string }
  | { readonly cause: 'locked'; readonly message: string }
  | { readonly cause: 'signalrGone' }
  | { readonly cause: 'vaultGone' }
  /** Somebody decided between our look and our write: look again. */
  | { readonly cause: 'decidedMeanwhile' }
  | { readonly cause: 'conflict'; readonly code: string }
  | { readonly cause: 'throttled' }
  /** 5xx, 408, a reset, a deadline: the outcome is unknown. */
  | { readonly cause: 'unavailable'; readonly code: string }

/** Absence is `absent` only when a GET said 404; what may not be read is `hidden`, never gone. */
export type Sighting<T> =
  | { readonly is: 'present'; readonly value: T }
  | { readonly is: 'absent' }
  | { readonly is: 'hidden'; readonly cause: Cause }

/** What one look at Azure showed. `connections` are those that bear our nonce, and the pinned one. */
export type Seen = {
  /** When the look began: anything done later is not in it. */
  readonly at: Millis
  /** Since when the clock goes steadily, where it was set lately: what happened before may be younger than it looks. */
  readonly steadySince?: Millis
  readonly own: Sighting<SharedPrivateLink>
  readonly rivals: readonly SharedPrivateLink[]
  readonly connections: Sighting<readonly Connection[]>
  readonly vaultIsPublic?: boolean
  /** The link is absent, and so is the SignalR that it would hang on. */
  readonly signalrIsGone?: true
  readonly operation?: {
    readonly status: 'Running' | 'Succeeded' | 'Failed' | 'Canceled'
    readonly code?: string
    readonly message?: string
  }
}

export type Pinned = { readonly connection: string; readonly privateEndpoint: string }
/** The one connection that may be ours, and when the first look began of those that have shown it and no other. */
export type Sighted = Pinned & { readonly since: Millis }

/** An approval that needs others beside it, and when the right to it was last read. */
export type Endorsement = { readonly by: PersonKey; readonly at: Millis; readonly checkedAt: Millis }
/** The right of somebody who approved earlier, read again at a later press. */
export type Reread = { readonly by: PersonKey; readonly right: 'held' | 'missing' }

export type Decision = {
  readonly at: Millis
  readonly verdict: 'approve' | 'reject'
  /** Absent when it was made in the portal: Azure does not say by whom. */
  readonly by?: PersonKey
  readonly reason?: TextKey
  readonly where: 'card' | 'portal'
  /** When the decider's rights were last read. */
  readonly checkedAt: Millis
  /** Who approved before, where more than one person has to. */
  readonly with?: readonly Endorsement[]
  /** The approval that this rejection undoes: SignalR had not followed it. */
  readonly takesBack?: Decision
}

/**
 * Who sends a decision to Azure: the bot, once it has read the decider's rights, or whoever decides, as themselves, so
 * that Azure says whether they may.
 */
export type ApproveAs = 'bot' | 'approver'

/** What we can do to Azure, each a single call. */
export type Effect = 'put' | 'approve' | 'reject' | 'delete'
/** The intent, and what came of it. Under way without an end means: killed, or still running. */
export type Attempt = {
  readonly effect: Effect
  readonly at: Millis
  readonly count: number
  /** Whoever decides and sends it as themselves: nobody can send it again for them. */
  readonly by?: PersonKey
  readonly reason?: TextKey
  readonly outcome:
    | { readonly is: 'underWay' }
    /** Its answer was lost, and Azure shows that it never arrived. */
    | { readonly is: 'notApplied'; readonly at: Millis }
    | { readonly is: 'done'; readonly at: Millis }
    | { readonly is: 'failed'; readonly at: Millis; readonly cause: Cause; readonly notBefore: Millis }
}

export type Ended = 'Rejected' | 'Cancelled' | 'Expired' | 'Failed' | 'Removed'
export type Stage =
  | { readonly status: 'Requested' }
  | { readonly status: 'Provisioning' }
  | { readonly status: 'Pending' }
  | { readonly status: 'Approving' }
  | { readonly status: 'Propagating' }
  | { readonly status: 'Approved' }
  | { readonly status: 'Disconnected' }
  | { readonly status: 'Removing'; readonly outcome: Ended; readonly by?: PersonKey; readonly cause?: Cause }
  | { readonly status: Ended; readonly by?: PersonKey; readonly cause?: Cause }
export type Status = Stage['status']

/** By what a link that worked works no longer. */
export type Undoing =
  | 'onSignalr'
  | 'onVault'
  | 'linkFailed'
  | 'connectionGone'
  | 'connectionReplaced'
  | 'vaultGone'

/** Something people are told once, in a reply. What was told is never untold: news only grow. */
export type News =
  | {
      readonly news: 'approved'
      readonly at: Millis
      /** It had worked before, and then no longer. */
      readonly again?: true
    }
  | {
      readonly news: 'ended'
      readonly at: Millis
      readonly outcome: Ended
      readonly by?: PersonKey
      readonly cause?: Cause
      /** What had been approved was open still when the link was gone, and was rejected. */
      readonly closed?: true
    }
  | {
      readonly news: 'disconnected'
      readonly at: Millis
      /** What the side says that undid it. */
      readonly status: ConnectionState
      /** Absent in records from before it was kept. */
      readonly because?: Undoing
    }
  | { readonly news: 'late'; readonly at: Millis; readonly status: Status }
  /** The vault's side was approved and SignalR has not followed: the wrong connection may be open. */
  | { readonly news: 'unfollowed'; readonly at: Millis }
  | { readonly news: 'blocked'; readonly at: Millis; readonly cause: Cause }
  /** The decision grew old before it could be applied, and the decider no longer has the right. */
  | { readonly news: 'askAgain'; readonly at: Millis; readonly by: PersonKey }
  /** What a person sent as themselves did not arrive: they have to press again. */
  | {
      readonly news: 'notApplied'
      readonly at: Millis
      readonly by: PersonKey
      readonly verdict: 'approve' | 'reject'
    }
  | { readonly news: 'ownersGone'; readonly at: Millis }
  /** Teams has not taken the approval card in all these tries: nobody was asked yet. */
  | { readonly news: 'unasked'; readonly at: Millis }

/**
 * Something people are told because time passes, as long as it is still true. `postedAt`: when the owners got it.
 * A reminder, the same brought up in the second channel, or that the request is about to end.
 */
export type Nudge = {
  readonly nudge: 'reminder' | 'escalation' | 'ending'
  readonly at: Millis
  readonly postedAt?: Millis
}

export type CardName = 'status' | 'approval'
/** A card of the same link that stands a second time, as after a kill. */
export type CopyKey = `${CardName}+${number}`
/**
 * `status` and `approval` are the two cards; `thread/3` is the reply that tells news number 3 there, and
 * `owners/nudge-1` the one that tells nudge number 1.
 */
export type PostKey =
  | CardName
  | CopyKey
  | `${'thread' | 'owners' | 'escalation' | `follower-${number}`}/${number}`
  | NudgeKey
export type NudgeKey = `${'thread' | 'owners' | 'escalation'}/nudge-${number}`
export type Told =
  | {
      readonly is: 'posted'
      readonly conversation: string
      readonly activity: string
      readonly digest: string
      readonly schema: number
    }
  | {
      readonly is: 'failed'
      readonly count: number
      readonly notBefore: Millis
      /** The post that stands, when it was an update that failed. */
      readonly standing?: {
        readonly conversation: string
        readonly activity: string
        readonly digest: string
        readonly schema: number
      }
    }

export type Link = {
  /** 2 where several have to approve: a version that knows only 1 would take the first approval for the decision. */
  readonly schema: 1 | 2
  readonly id: LinkId
  readonly asked: Asked
  readonly stage: Stage
  /** When this stage began. */
  readonly since: Millis
  /** The time of the newest fact. */
  readonly moved: Millis
  readonly followers: readonly {
    readonly by: PersonKey
    readonly thread: Place
    /** How much news there was before: that is old, and may no longer be true. */
    readonly since?: number
  }[]
  /** Conversations in which somebody was asked to confirm that the link is to go. */
  readonly questions?: readonly string[]
  /** Who was told in a reply how it stands, where, and when: the newest for each. */
  readonly heard?: readonly { readonly by: PersonKey; readonly conversation: string; readonly at: Millis }[]
  /** Not yet believed: an imitation may come before the connection that it imitates. */
  readonly sighted?: Sighted
  readonly pinned?: Pinned
  /** When a look first missed another connection with our mark that the one before had shown beside the pinned one. */
  readonly partedAt?: Millis
  /** How many different people have to approve, when more than one: as many as the vault ever asked for meanwhile. */
  readonly needs?: number
  /** Approvals that wait for others. */
  readonly endorsements?: readonly Endorsement[]
  readonly decision?: Decision
  readonly attempt?: Attempt
  /** What the client needs to follow the long-running PUT across restarts. */
  readonly operation?: string
  readonly seen?: Seen
  /** What stands in the way until a person acts: the decision and the cards stay. */
  readonly blocked?: { readonly at: Millis; readonly cause: Cause }
  /** When the vault's side was first seen approved, and since when SignalR says that the link is functional. */
  readonly vaultApprovedAt?: Millis
  readonly functionalAt?: Millis
  /** Which usual times have passed in this stage. */
  readonly late: boolean
  readonly alarmed: boolean
  readonly news: readonly News[]
  /** When the owners got the approval card that stands. */
  readonly ownersAskedAt?: Millis
  /** Beside the news: a version that does not know them leaves them alone. */
  readonly nudges?: readonly Nudge[]
  readonly told: Readonly<Partial<Record<PostKey, Told>>>
  /** Where we can no longer write. `requester`: not in a personal chat either. */
  readonly gone: readonly GonePlace[]
  /** Whether Azure was looked at since the last thing that a look could contradict: no effect without it. */
  readonly looked: boolean
  /** When that last thing happened: a look that began before it does not count. */
  readonly unlookedAt: Millis
}
export type GonePlace = 'thread' | 'requester' | 'owners' | 'escalation' | `follower-${number}`

/** What happened. Folding all facts of a link in order gives its record. */
export type Fact = {
  readonly at: Millis
  /** The conversation in which a person said or pressed it. `fold` has no use for it: it is for whoever reads the log. */
  readonly from?: string
} & (
  | { readonly fact: 'asked'; readonly id: LinkId; readonly asked: Asked }
  | { readonly fact: 'followed'; readonly by: PersonKey; readonly thread: Place }
  /** Somebody who asked or follows asked for the same again, and was told how it stands. */
  | { readonly fact: 'heard'; readonly by: PersonKey; readonly conversation: string }
  | {
      readonly fact: 'decided'
      readonly verdict: 'approve' | 'reject'
      readonly by: PersonKey
      readonly reason?: TextKey
      readonly reread?: readonly Reread[]
    }
  /** Somebody approved, and others have to as well. */
  | {
      readonly fact: 'endorsed'
      readonly by: PersonKey
      readonly needs: number
      readonly reread?: readonly Reread[]
    }
  /** The connection that was approved is to be rejected, since SignalR does not follow. */
  | { readonly fact: 'revoked'; readonly by: PersonKey; readonly reason?: TextKey }
  | { readonly fact: 'cancelled'; readonly by: PersonKey }
  /** Somebody is asked there to confirm that the link is to go. */
  | { readonly fact: 'questioned'; readonly by: PersonKey; readonly conversation: string }
  | { readonly fact: 'unlinked'; readonly by: PersonKey }
  | { readonly fact: 'retried'; readonly by: PersonKey }
  | {
      readonly fact: 'intended'
      readonly effect: Effect
      /** Somebody decides by it, and sends it as themselves. */
      readonly by?: PersonKey
      readonly reason?: TextKey
      /** The rights of those who approved before, where they were read again. */
      readonly reread?: readonly Reread[]
    }
  | { readonly fact: 'done'; readonly effect: Effect; readonly operation?: string }
  | { readonly fact: 'failed'; readonly effect: Effect; readonly cause: Cause; readonly notBefore: Millis }
  | { readonly fact: 'observed'; readonly seen: Seen }
  /** The decider's rights, read again because the decision had grown old. */
  | {
      readonly fact: 'rechecked'
      readonly right: 'held' | 'missing' | 'unreadable'
      /** Whose, unless it is the decider's. */
      readonly by?: PersonKey
    }
  | {
      readonly fact: 'posted'
      readonly post: PostKey
      readonly conversation: string
      readonly activity: string
      readonly digest: string
      readonly schema: number
    }
  | { readonly fact: 'unposted'; readonly post: PostKey; readonly notBefore: Millis }
  /** A card that the record did not know was pressed where it belongs. */
  | {
      readonly fact: 'adopted'
      readonly card: CardName
      readonly conversation: string
      readonly activity: string
    }
  /** Teams lets nobody redraw this copy: it was deleted, or never was ours. */
  | { readonly fact: 'lost'; readonly post: CopyKey }
  | { readonly fact: 'gone'; readonly place: GonePlace }
  | { readonly fact: 'rerouted'; readonly owners: Route }
  | { readonly fact: 'passed'; readonly what: Time }
)

/**
 * A time that the core waits for. `settleTime`: what was sent is still not shown, and nobody but a person can send it
 * again. `endingTime`: the request ends soon. `setBack`: what the record holds lies ahead of the clock.
 */
export type Time =
  | 'usualTime'
  | 'alarmTime'
  | 'expiry'
  | 'pinTime'
  | 'settleTime'
  | 'endingTime'
  | 'reminderTime'
  | 'escalationTime'
  | 'setBack'

/** Whether somebody may do something, as read from Azure. What cannot be read is a no. */
export type Right =
  | { readonly is: 'held' }
  | { readonly is: 'missing'; readonly actions: readonly string[] }
  | { readonly is: 'unreadable' }

/** What an approval is weighed with. */
export type Weighing = {
  /** How many different people have to approve, read now. */
  readonly needs: Sighting<number>
  /** The rights of those who approved before `freshSince`, read now. */
  readonly others: readonly { readonly by: PersonKey; readonly right: Right }[]
  readonly freshSince: Millis
}

/** What somebody wants of a link that exists. Rights and looks are read before, and come in as data. */
export type Wish =
  | ({
      readonly wish: 'approve'
      readonly by: PersonKey
      readonly right: Right
      readonly connections: Sighting<readonly Connection[]>
      readonly conversation: string
    } & Weighing)
  | {
      readonly wish: 'reject'
      readonly by: PersonKey
      readonly right: Right
      readonly reason?: TextKey
      readonly conversation: string
    }
  /** Somebody decides and sends it as themselves: Azure says whether they may. */
  | {
      readonly wish: 'send'
      readonly verdict: 'reject'
      readonly by: PersonKey
      readonly reason?: TextKey
      readonly connections: Sighting<readonly Connection[]>
      readonly conversation: string
    }
  | ({
      readonly wish: 'send'
      readonly verdict: 'approve'
      readonly by: PersonKey
      /** Read where theirs may be one of several approvals: Azure is then asked only at the last. */
      readonly right?: Right
      readonly connections: Sighting<readonly Connection[]>
      readonly conversation: string
    } & Weighing)
  | {
      readonly wish: 'revoke'
      readonly by: PersonKey
      readonly right: Right
      readonly reason?: TextKey
      readonly connections: Sighting<readonly Connection[]>
      readonly conversation: string
    }
  | { readonly wish: 'cancel'; readonly by: PersonKey; readonly right: Right }
  | { readonly wish: 'unlink'; readonly by: PersonKey; readonly right: Right }
  | { readonly wish: 'retry'; readonly by: PersonKey; readonly right: Right }
  | { readonly wish: 'follow'; readonly by: PersonKey; readonly thread: Place }

/** Why a wish on an existing link is not granted. */
export type Refusal =
  | { readonly refusal: 'ownRequest' }
  | { readonly refusal: 'lacksRight'; readonly actions: readonly string[] }
  | { readonly refusal: 'rightUnreadable' }
  | { readonly refusal: 'notYourRequest' }
  | { readonly refusal: 'wrongPlace' }
  /** The button is on a message that is no such card of this link. */
  | { readonly refusal: 'wrongCard' }
  | { readonly refusal: 'tooEarly'; readonly status: Status }
  | { readonly refusal: 'alreadyDecided'; readonly decision: Decision; readonly status: Status }
  /** Nobody counts twice. */
  | { readonly refusal: 'alreadyEndorsed'; readonly missing: number }
  /** The right of somebody who approved earlier cannot be read. */
  | { readonly refusal: 'otherUnreadable'; readonly by: PersonKey }
  | {
      readonly refusal: 'alreadyEnded'
      readonly status: Ended | 'Removing'
      /** How it ends or has ended, and by whom. */
      readonly outcome: Ended
      readonly by?: PersonKey
    }
  | { readonly refusal: 'alreadyApproved' }
  | { readonly refusal: 'notApprovedYet' }
  /** Nothing was approved that SignalR fails to follow. */
  | { readonly refusal: 'noAlarm'; readonly status: Status }
  /** The bot has no right to reject on the vault, where owners decide as themselves. */
  | { readonly refusal: 'rejectInPortal' }
  | { readonly refusal: 'expired' }
  | { readonly refusal: 'connection'; readonly cause: Cause }
  /** Somebody's decision is on its way to Azure as themselves, and it is not known yet whether it arrived. */
  | { readonly refusal: 'beingSent'; readonly by: PersonKey; readonly verdict: 'approve' | 'reject' }
  /** Another link's write to that vault is not seen settled. */
  | { readonly refusal: 'vaultBusy' }
  /** Azure did not take what a person sent as themselves. */
  | { readonly refusal: 'notTaken'; readonly cause: Cause }
  | { readonly refusal: 'nothingBlocked' }
  /** The same person was told so a moment ago, in the same thread. */
  | { readonly refusal: 'heardAlready' }

/** What a command found out before a new link is asked for; see `policy.ts`. */
export type Findings = {
  readonly signalr: {
    readonly id: string
    readonly sku: string
    readonly replicas: number | 'unreadable'
    readonly provisioningState: ProvisioningState
    readonly links: readonly SharedPrivateLink[]
  }
  readonly vault: { readonly id: string; readonly isPublic: boolean; readonly connectionCount: number }
  readonly requester: Right
  readonly bot: { readonly signalr: Right; readonly vault: Right }
  readonly route: Route | undefined
  /** People in the owners' channel who may approve on that vault, the requester included. */
  readonly approvers: number | 'unknown'
  /** How many different people have to approve. */
  readonly needs: number
  /** The link of that pair that is not ended, if there is one. */
  readonly open: Link | undefined
}

/** Why no link is begun. Each is said before anybody else is bothered. */
export type AskRefusal =
  | { readonly refusal: 'requesterLacksRight'; readonly actions: readonly string[] }
  | { readonly refusal: 'rightUnreadable' }
  | { readonly refusal: 'freeTier'; readonly sku: string }
  | { readonly refusal: 'replicas'; readonly count: number | 'unreadable' }
  | { readonly refusal: 'badName'; readonly name: string }
  | { readonly refusal: 'nameTaken'; readonly name: string }
  | { readonly refusal: 'alreadyLinked'; readonly name: string }
  | { readonly refusal: 'madeByOthers'; readonly name: string; readonly status: ConnectionState }
  | { readonly refusal: 'vaultFull'; readonly count: number }
  | {
      readonly refusal: 'botLacksRight'
      readonly actions: readonly string[]
      readonly on: 'signalr' | 'vault'
    }
  | { readonly refusal: 'noOwners' }
  | { readonly refusal: 'nobodyMayApprove' }
  | { readonly refusal: 'tooFewApprovers'; readonly count: number; readonly needs: number }
  /** The same is asked already: follow it instead. */
  | { readonly refusal: 'alreadyAsked'; readonly link: Link }
  /** The same person asked for the same in the same thread a moment ago, and that has ended: it may be the same message. */
  | { readonly refusal: 'endedJustNow'; readonly status: Status }

/** The times the core reckons with; `config.ts` gives them their values. */
export type Limits = {
  readonly expiryMs: number
  /** Absent: nobody is reminded. */
  readonly reminders?: {
    /** How long after the owners were asked, or one of several approved. */
    readonly afterMs: number
    /** After how many that nobody answered the second channel hears of it. */
    readonly escalateAfter: number
  }
  readonly usualProvisioningMs: number
  readonly usualPropagatingMs: number
  readonly alarmMs: number
  /** How far apart the looks are at least that must show the same one connection before it is pinned. */
  readonly pinMs: number
  /** A decision older than this when it is applied has its rights read again. */
  readonly freshDecisionMs: number
  /** Looks: the first interval while something moves, the longest while somebody is waited for, and at rest. */
  readonly firstLookMs: number
  readonly longestLookMs: number
  readonly restLookMs: number
  /** How far apart looks are at least that Azure's events cause. */
  readonly hintMs: number
  /** How long after a write Azure may still show the old state. */
  readonly settleMs: number
  /** How old a look may be, counted from its begin, when an effect rests on it; one that took long, twice as long as that. */
  readonly freshLookMs: number
}
