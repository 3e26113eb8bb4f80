/** Histories of one link as facts, and what Azure may show of it. A record is only ever made by folding them. */
import { foldAll } from '../../src/link/fold.ts'
import type {
  ApproveAs,
  Asked,
  Connection,
  ConnectionState,
  Fact,
  Limits,
  Link,
  Millis,
  Seen,
  SharedPrivateLink,
  Sighting,
  Status,
} from '../../src/link/link.ts'
import type { Surroundings } from '../../src/link/next.ts'
import { anyTime, type Working } from '../../src/link/nudges.ts'

export const second = 1_000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour
export const noon: Millis = Date.UTC(2026, 10, 23, 12)

const group = (subscription: string) => `/subscriptions/${subscription}/resourceGroups/contoso/providers`
export const home = '00000000-0000-0000-0000-000000000000'
export const signalr = `${group(home)}/Microsoft.SignalRService/SignalR/contoso-signalr`
export const vault = `${group(home)}/Microsoft.KeyVault/vaults/contoso-kv`
export const otherVault = `${group(home)}/Microsoft.KeyVault/vaults/contoso-certs`
export const endpoint = (name: string, subscription = '99999999-0000-4000-8000-000000000009') =>
  `${group(subscription)}/Microsoft.Network/privateEndpoints/${name}`
export const connectionId = (name: string) => `${vault}/privateEndpointConnections/${name}`

export const nonce = '4f7c9e21d0b84c6fa35e7d1890ab2c3d'
export const otherNonce = 'c0ffee00'.repeat(4)
export const message = `please approve [vaultlink ${nonce}]`

export const general = {
  conversation: '19:general@thread.tacv2;messageid=1',
  serviceUrl: 'https://smba.trafficmanager.net/emea/',
  kind: 'channel',
} as const
export const vaultOwners = { ...general, conversation: '19:vault-owners@thread.tacv2' } as const
export const newOwners = { ...general, conversation: '19:new-owners@thread.tacv2' } as const
export const otherThread = { ...general, conversation: '19:random@thread.tacv2;messageid=9' } as const
/** Where the approval card stands. */
export const cardThread = `${vaultOwners.conversation};messageid=2`

export const asked: Asked = {
  at: noon,
  by: 'requester',
  signalr,
  vault,
  name: 'kv-contoso-kv',
  nonce,
  reason: 'why',
  thread: general,
  owners: { place: vaultOwners, because: { is: 'default' } },
  expiresAt: noon + 7 * day,
}

export const limits: Limits = {
  expiryMs: 7 * day,
  usualProvisioningMs: 15 * minute,
  usualPropagatingMs: 30 * minute,
  alarmMs: 15 * minute,
  freshDecisionMs: 15 * minute,
  firstLookMs: 5 * second,
  longestLookMs: 5 * minute,
  restLookMs: 6 * hour,
  hintMs: 10_000,
  settleMs: 30 * second,
  freshLookMs: 5_000,
  pinMs: 10 * second,
}
/** Reminders, which most tests leave out. */
export type Reminding = {
  readonly reminders: NonNullable<Limits['reminders']>
  readonly working: Working
}
export const around = (
  now: Millis,
  lookedAt: Millis | undefined,
  approveAs: ApproveAs = 'bot',
  reminding?: Reminding,
  steadySince?: Millis,
): Surroundings => ({
  now,
  steadySince,
  lookedAt,
  limits: reminding ? { ...limits, reminders: reminding.reminders } : limits,
  working: reminding?.working ?? anyTime,
  approveAs,
  digest: (view) => JSON.stringify(view),
})

// ---- what Azure may show -----------------------------------------------------------------------------

export const own = (change: Partial<SharedPrivateLink> = {}): Sighting<SharedPrivateLink> => ({
  is: 'present',
  value: {
    id: `${signalr}/sharedPrivateLinkResources/kv-contoso-kv`,
    name: 'kv-contoso-kv',
    target: vault,
    requestMessage: message,
    provisioningState: 'Succeeded',
    status: 'Pending',
    ...change,
  },
})
export const connection = (
  status: ConnectionState = 'Pending',
  change: Partial<Connection> = {},
): Connection => ({
  id: connectionId('ours'),
  privateEndpoint: endpoint('managed'),
  description: message,
  status,
  provisioningState: 'Succeeded',
  ...change,
})
/** Bears our nonce and is not ours. */
export const imitation = (change: Partial<Connection> = {}): Connection =>
  connection('Pending', { id: connectionId('imitation'), privateEndpoint: endpoint('imitation'), ...change })
export const onVault = (...connections: readonly Connection[]): Sighting<readonly Connection[]> => ({
  is: 'present',
  value: connections,
})
export const absent = { is: 'absent' } as const
export const lacksRead = {
  cause: 'botLacksRight',
  action: 'Microsoft.KeyVault/vaults/privateEndpointConnections/read',
  scope: vault,
} as const
export const hidden = { is: 'hidden', cause: lacksRead } as const
export const byFirewall = {
  is: 'hidden',
  cause: { cause: 'refused', code: 'RequestDisallowedByPolicy', message: 'no' },
} as const

// ---- facts, without their times ----------------------------------------------------------------------

type Untimed<F> = F extends Fact ? Omit<F, 'at'> : never
/** A fact before it has a time. A look's own time is that of its fact, unless `began` earlier. */
export type Step = Untimed<Fact> & { readonly began?: Millis }

export const looked = (seen: Partial<Omit<Seen, 'at'>>, began?: Millis): Step => ({
  fact: 'observed',
  seen: { at: 0, own: absent, rivals: [], connections: onVault(), ...seen },
  ...(began !== undefined && { began }),
})
export const intended = (effect: 'put' | 'approve' | 'reject' | 'delete'): Step => ({
  fact: 'intended',
  effect,
})
export const done = (effect: 'put' | 'approve' | 'reject' | 'delete'): Step => ({ fact: 'done', effect })
export const posted = (post: 'status' | 'approval', digest = 'drawn'): Step => ({
  fact: 'posted',
  post,
  conversation: post === 'approval' ? cardThread : general.conversation,
  activity: post,
  digest,
  schema: 1,
})
export const approvedBy = (by: string): Step => ({ fact: 'decided', verdict: 'approve', by })
export const rejectedBy = (by: string): Step => ({ fact: 'decided', verdict: 'reject', by, reason: 'no' })

export function timed({ began, ...step }: Step, at: Millis): Fact {
  return step.fact === 'observed'
    ? { ...step, at, seen: { ...step.seen, at: began ?? at } }
    : ({ ...step, at } as Fact)
}

export const request: Fact = { fact: 'asked', at: noon, id: 'link-1', asked }

/** The facts of a history, each a minute after the one before. */
export const facts = (...steps: readonly Step[]): readonly Fact[] => [
  request,
  ...steps.map((step, index) => timed(step, noon + (index + 1) * minute)),
]
/** The record that a history makes: the request first, then each step a minute later. */
export function given(...steps: readonly Step[]): Link {
  const link = foldAll(facts(...steps))
  if (!link) throw new Error('A history begins with the request')
  return link
}

// ---- a history for every stage -----------------------------------------------------------------------

const made = looked({ own: own(), connections: onVault(connection()) })
const approvedOnVault = looked({ own: own(), connections: onVault(connection('Approved')) })
/** No other has come meanwhile. */
export const pinned: Step = { fact: 'passed', what: 'pinTime' }
const functional = looked({ own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) })

const requested = [posted('status')]
const provisioning = [...requested, looked({}), intended('put'), done('put')]
const pending = [...provisioning, made, pinned, posted('approval')]
const approving = [...pending, approvedBy('owner')]
const propagating = [...approving, made, intended('approve'), done('approve'), approvedOnVault]
const approved = [...propagating, functional]
const disconnected = [
  ...approved,
  looked({ own: own({ status: 'Disconnected' }), connections: onVault(connection('Disconnected')) }),
]
const removing = [...pending, { fact: 'cancelled', by: 'requester' } as const]
const deleted = [intended('delete'), done('delete'), looked({})]

export const histories: Readonly<Record<Status, readonly Step[]>> = {
  Requested: requested,
  Provisioning: provisioning,
  Pending: pending,
  Approving: approving,
  Propagating: propagating,
  Approved: approved,
  Disconnected: disconnected,
  Removing: removing,
  Rejected: [
    ...pending,
    rejectedBy('owner'),
    made,
    intended('reject'),
    done('reject'),
    looked({ own: own({ status: 'Rejected' }), connections: onVault(connection('Rejected')) }),
    ...deleted,
  ],
  Cancelled: [...removing, made, ...deleted],
  Expired: [...pending, { fact: 'passed', what: 'expiry' }, made, ...deleted],
  Failed: [
    ...requested,
    looked({}),
    intended('put'),
    {
      fact: 'failed',
      effect: 'put',
      cause: { cause: 'refused', code: 'BadRequest', message: 'no' },
      notBefore: noon + hour,
    },
    looked({}),
  ],
  Removed: [...approved, { fact: 'unlinked', by: 'requester' }, functional, ...deleted],
}
export const statuses = Object.keys(histories) as Status[]
export const ended = ['Rejected', 'Cancelled', 'Expired', 'Failed', 'Removed'] as const satisfies Status[]

/** The record at a stage, and what then happens to it, each a minute later. */
export const at = (status: Status, ...then: readonly Step[]): Link => given(...histories[status], ...then)
