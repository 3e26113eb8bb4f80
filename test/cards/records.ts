/** Hand-made records of one link at every stage, and the views of each. */
import type { Person } from '../../src/engine/ports.ts'
import type { Cause, Decision, Link, News, Nudge, Place } from '../../src/link/link.ts'
import type { ApprovalView, NewsView, NudgeView, StatusView, View } from '../../src/link/views.ts'
import { views } from '../../src/link/views.ts'
import type { Names } from '../../src/teams/cards.ts'

const group = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contoso/providers'
export const signalr = `${group}/Microsoft.SignalRService/SignalR/contoso-signalr`
export const vault = `${group}/Microsoft.KeyVault/vaults/contoso-kv`
export const asked = Date.UTC(2026, 10, 24, 13, 58)
const minute = 60_000
const usual = { usualProvisioningMs: 15 * minute, usualPropagatingMs: 30 * minute }

const thread: Place = {
  conversation: '19:general@thread.tacv2;messageid=1',
  serviceUrl: 'http://127.0.0.1:1/',
  kind: 'channel',
}
const owners: Place = { ...thread, conversation: '19:vault-owners@thread.tacv2' }

const person = (name: string, n: number): Person => ({
  objectId: `a0000000-0000-4000-8000-00000000000${n}`,
  teamsId: `29:${n}`,
  name,
  tenant: '72f988bf-0000-4000-8000-00000000c0de',
})
const people: Readonly<Record<string, Person>> = {
  riley: person('Riley Park', 1),
  noor: person('Noor Haddad', 2),
  mika: person('Mika Aalto', 3),
}
export const texts: Readonly<Record<string, string>> = {
  why: 'custom domain certificate',
  no: 'Please use contoso-certs, which is meant for certificates.',
}
export const names: Names = { person: (key) => people[key], text: (key) => texts[key] }

const request: Link = {
  schema: 1,
  id: '4f7c1a90b2d34e5f8a6b7c8d9e0f1a2b',
  asked: {
    at: asked,
    by: 'riley',
    signalr,
    vault,
    name: 'kv-contoso-kv',
    nonce: '4f7c9e21d0b84c6fa35e7d1890ab2c3d',
    reason: 'why',
    thread,
    owners: { place: owners, because: { is: 'owned', since: Date.UTC(2026, 2, 12, 9) } },
    expiresAt: Date.UTC(2026, 10, 30, 14, 2),
  },
  stage: { status: 'Requested' },
  since: asked,
  moved: asked,
  looked: true,
  unlookedAt: asked,
  followers: [],
  late: false,
  alarmed: false,
  news: [],
  told: {},
  gone: [],
}
const message = `custom domain certificate [vaultlink ${request.asked.nonce}]`
const seen = (
  provisioningState: 'Creating' | 'Succeeded',
  status: 'Pending' | 'Approved' | 'Rejected' | 'Disconnected',
): Pick<Link, 'seen'> => ({
  seen: {
    at: asked + 3 * minute,
    own: {
      is: 'present',
      value: {
        id: `${signalr}/sharedPrivateLinkResources/kv-contoso-kv`,
        name: 'kv-contoso-kv',
        target: vault,
        requestMessage: message,
        provisioningState,
        status,
      },
    },
    rivals: [],
    connections: { is: 'present', value: [] },
    vaultIsPublic: true,
  },
})
const pinned: Pick<Link, 'pinned' | 'told'> = {
  pinned: {
    connection: `${vault}/privateEndpointConnections/8d1f42c6a7e94b0d9c35f1e2`,
    privateEndpoint:
      '/subscriptions/11111111-0000-4000-8000-000000000001/resourceGroups/m/providers/Microsoft.Network/privateEndpoints/e',
  },
  told: {
    approval: {
      is: 'posted',
      conversation: `${owners.conversation};messageid=2`,
      activity: '2',
      digest: '',
      schema: 1,
    },
  },
}
const decided = (
  verdict: Decision['verdict'],
  where: Decision['where'] = 'card',
): { readonly decision: Decision } => ({
  decision: {
    at: asked + 4 * minute,
    verdict,
    where,
    checkedAt: asked + 4 * minute,
    ...(where === 'card' && { by: 'noor' }),
    ...(verdict === 'reject' && where === 'card' && { reason: 'no' }),
  },
})
const pending: Link = { ...request, stage: { status: 'Pending' }, ...seen('Succeeded', 'Pending'), ...pinned }
const approving: Link = {
  ...pending,
  stage: { status: 'Approving' },
  since: asked + 4 * minute,
  ...decided('approve'),
}
const propagating: Link = {
  ...approving,
  stage: { status: 'Propagating' },
  vaultApprovedAt: asked + 5 * minute,
}
const approved: Link = {
  ...propagating,
  stage: { status: 'Approved' },
  functionalAt: asked + 8 * minute,
  ...seen('Succeeded', 'Approved'),
}
export const botLacksRight: Cause = {
  cause: 'botLacksRight',
  action: 'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action',
  scope: vault,
}
const failed: Cause = {
  cause: 'provisioningFailed',
  code: 'PrivateEndpointQuotaExceeded',
  message: 'The vault already has the maximum number of private endpoint connections.',
}

const needsTwo = { schema: 2, needs: 2 } as const
const forTwo: Link = { ...pending, ...needsTwo }

/** By a name that says the stage; the pictures bear it. */
export const records = {
  requested: request,
  creating: { ...request, stage: { status: 'Provisioning' }, ...seen('Creating', 'Pending') },
  creatingLate: { ...request, stage: { status: 'Provisioning' }, ...seen('Creating', 'Pending'), late: true },
  pending,
  /** Two people have to approve, and then one more. */
  pendingForTwo: forTwo,
  endorsed: { ...forTwo, endorsements: [{ by: 'noor', at: asked + minute, checkedAt: asked + minute }] },
  approvedByTwo: {
    ...approved,
    ...needsTwo,
    decision: {
      ...decided('approve').decision,
      by: 'mika',
      with: [{ by: 'noor', at: asked + minute, checkedAt: asked + minute }],
    },
  },
  approving,
  stopped: { ...approving, blocked: { at: asked + 5 * minute, cause: botLacksRight } },
  propagating,
  propagatingLate: { ...propagating, late: true },
  unfollowed: { ...propagating, alarmed: true },
  approved,
  approvedInPortal: { ...approved, ...decided('approve', 'portal') },
  disconnected: { ...approved, stage: { status: 'Disconnected' }, ...seen('Succeeded', 'Disconnected') },
  removing: { ...pending, stage: { status: 'Removing', outcome: 'Cancelled', by: 'riley' } },
  rejected: { ...pending, stage: { status: 'Rejected' }, ...decided('reject') },
  rejectedInPortal: { ...pending, stage: { status: 'Rejected' }, ...decided('reject', 'portal') },
  cancelled: { ...pending, stage: { status: 'Cancelled', by: 'riley' } },
  expired: { ...pending, stage: { status: 'Expired' } },
  failed: { ...request, stage: { status: 'Failed', cause: failed } },
  removed: { ...approved, stage: { status: 'Removed', by: 'mika' } },
} as const satisfies Record<string, Link>

const told = asked + 10 * minute
/** Every piece of news there is. */
export const news: readonly News[] = [
  { news: 'approved', at: told },
  { news: 'ended', at: told, outcome: 'Rejected' },
  { news: 'ended', at: told, outcome: 'Cancelled', by: 'riley' },
  { news: 'ended', at: told, outcome: 'Cancelled', by: 'riley', closed: true },
  { news: 'ended', at: told, outcome: 'Expired' },
  { news: 'ended', at: told, outcome: 'Failed', cause: failed },
  { news: 'ended', at: told, outcome: 'Removed', by: 'mika' },
  { news: 'ended', at: told, outcome: 'Removed', cause: { cause: 'deletedElsewhere' } },
  { news: 'ended', at: told, outcome: 'Removed', cause: { cause: 'signalrGone' } },
  { news: 'disconnected', at: told, status: 'Disconnected' },
  { news: 'disconnected', at: told, status: 'Rejected', because: 'onSignalr' },
  { news: 'disconnected', at: told, status: 'Rejected', because: 'onVault' },
  { news: 'disconnected', at: told, status: 'Approved', because: 'linkFailed' },
  { news: 'disconnected', at: told, status: 'Disconnected', because: 'connectionGone' },
  { news: 'disconnected', at: told, status: 'Approved', because: 'connectionReplaced' },
  { news: 'disconnected', at: told, status: 'Disconnected', because: 'vaultGone' },
  { news: 'approved', at: told, again: true },
  { news: 'late', at: told, status: 'Propagating' },
  { news: 'unfollowed', at: told },
  { news: 'blocked', at: told, cause: botLacksRight },
  { news: 'askAgain', at: told, by: 'noor' },
  { news: 'ownersGone', at: told },
  { news: 'unasked', at: told },
]

export const viewsOf = (link: Link): readonly View[] => views(link, usual).map(({ view }) => view)
export const statusOf = (link: Link): StatusView =>
  viewsOf(link).find((view): view is StatusView => view.view === 'status') ?? fail('no status view')
export const approvalOf = (link: Link): ApprovalView | undefined =>
  viewsOf(link).find((view): view is ApprovalView => view.view === 'approval')
/** What time brings, each with its record. */
const nudged = (link: Link, ...nudges: readonly Nudge['nudge'][]): Link => ({
  ...link,
  asked: { ...link.asked, escalation: { ...owners, conversation: '19:leads@thread.tacv2' } },
  nudges: nudges.map((nudge) => ({ nudge, at: told })),
})
export const nudgedRecords = {
  reminded: nudged(pending, 'reminder'),
  remindedAgain: nudged(pending, 'reminder', 'reminder', 'escalation', 'reminder'),
  remindedForTwo: nudged(forTwo, 'reminder', 'escalation'),
  remindedEndorsed: nudged(records.endorsed, 'reminder', 'reminder', 'escalation'),
  ending: nudged(pending, 'ending'),
  endingEndorsed: nudged(records.endorsed, 'ending'),
  endingEarly: nudged(records.creating, 'ending'),
} as const satisfies Record<string, Link>
export const nudgesOf = (link: Link): readonly NudgeView[] =>
  viewsOf(link).filter((view): view is NudgeView => view.view === 'nudge')

export const newsOf = (link: Link): readonly NewsView[] =>
  viewsOf(link).filter((view): view is NewsView => view.view === 'news')

function fail(why: string): never {
  throw new Error(why)
}
