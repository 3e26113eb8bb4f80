/** Every fact that can happen to a link, in every variant that the core tells apart. */
import fc from 'fast-check'
import type {
  Cause,
  Connection,
  ConnectionState,
  Fact,
  PostKey,
  ProvisioningState,
  Seen,
  SharedPrivateLink,
  Sighting,
  Time,
} from '../../src/link/link.ts'
import {
  absent,
  asked,
  byFirewall,
  cardThread,
  connection,
  day,
  endpoint,
  hidden,
  home,
  imitation,
  looked,
  minute,
  newOwners,
  noon,
  onVault,
  otherThread,
  otherVault,
  own,
  type Step,
  second,
  timed,
} from './given.ts'

const provisioningStates = [
  'Succeeded',
  'Failed',
  'Canceled',
  'Running',
  'Creating',
  'Updating',
  'Deleting',
  'Moving',
  'Disconnected',
  'Unknown',
] as const satisfies readonly ProvisioningState[]
export const connectionStates = [
  'Pending',
  'Approved',
  'Rejected',
  'Disconnected',
  'Timeout',
  'Unknown',
] as const satisfies readonly ConnectionState[]

export const causes: readonly Cause[] = [
  { cause: 'botLacksRight', action: 'write', scope: 'there' },
  { cause: 'deciderLacksRight', action: 'write', scope: 'there' },
  { cause: 'nameTaken' },
  { cause: 'madeByOthers', name: 'theirs', status: 'Pending' },
  { cause: 'ambiguous', count: 2 },
  { cause: 'strangeEndpoint' },
  { cause: 'connectionChanged' },
  { cause: 'connectionGone' },
  { cause: 'cannotReject' },
  { cause: 'deletedElsewhere' },
  { cause: 'refused', code: 'BadRequest', message: 'no' },
  { cause: 'provisioningFailed', code: 'Failed', message: 'no' },
  { cause: 'notRegistered', message: 'no' },
  { cause: 'quota', message: 'no' },
  { cause: 'locked', message: 'no' },
  { cause: 'signalrGone' },
  { cause: 'vaultGone' },
  { cause: 'decidedMeanwhile' },
  { cause: 'conflict', code: 'Conflict' },
  { cause: 'throttled' },
  { cause: 'unavailable', code: 'ECONNRESET' },
]
const effects = ['put', 'approve', 'reject', 'delete'] as const

const owns: readonly Sighting<SharedPrivateLink>[] = [
  absent,
  hidden,
  byFirewall,
  own({ target: otherVault }),
  own({ requestMessage: 'made by hand' }),
  ...connectionStates.map((status) => own({ status })),
  ...provisioningStates
    .filter((state) => state !== 'Succeeded')
    .flatMap((provisioningState) =>
      (['Pending', 'Approved', 'Rejected'] as const).map((status) => own({ provisioningState, status })),
    ),
]
const connections: readonly Sighting<readonly Connection[]>[] = [
  absent,
  hidden,
  byFirewall,
  onVault(),
  ...connectionStates.map((status) => onVault(connection(status))),
  onVault(connection('Approved', { description: 'approved by hand' })),
  onVault(connection('Pending', { privateEndpoint: endpoint('managed', home) })),
  onVault(connection('Pending', { privateEndpoint: endpoint('swapped') })),
  onVault(imitation()),
  onVault(connection(), imitation()),
]
const operations: readonly NonNullable<Seen['operation']>[] = [
  { status: 'Running' },
  { status: 'Succeeded' },
  { status: 'Failed', code: 'Quota', message: 'too many' },
  { status: 'Canceled' },
]
const rival: SharedPrivateLink = {
  id: 'theirs',
  name: 'theirs',
  target: asked.vault,
  requestMessage: 'theirs',
  provisioningState: 'Succeeded',
  status: 'Approved',
}

/** Every look: each state on SignalR's side with each on the vault's, rivals, and the operation's word. */
export const everyLook: readonly Step[] = owns.flatMap((ownSighting) =>
  connections.flatMap((sighting) => [
    looked({ own: ownSighting, connections: sighting }),
    looked({ own: ownSighting, connections: sighting, rivals: [rival] }),
    ...operations.map((operation) => looked({ own: ownSighting, connections: sighting, operation })),
  ]),
)

/** One of each: the compiler sees that none is missing. */
const times: { readonly [T in Time]: true } = {
  usualTime: true,
  alarmTime: true,
  expiry: true,
  pinTime: true,
  settleTime: true,
  endingTime: true,
  reminderTime: true,
  escalationTime: true,
  setBack: true,
}
const posts = [
  'status',
  'approval',
  'status+0',
  'thread/0',
  'owners/0',
  'follower-0/0',
  'owners/nudge-0',
  'escalation/nudge-1',
] as const satisfies PostKey[]
/** Every fact that is no look. */
export const everyOther: readonly Step[] = [
  { fact: 'asked', id: 'link-2', asked },
  { fact: 'followed', by: 'colleague', thread: otherThread },
  { fact: 'heard', by: 'colleague', conversation: otherThread.conversation },
  { fact: 'adopted', card: 'approval', conversation: `${cardThread}0`, activity: '20' },
  { fact: 'adopted', card: 'status', conversation: asked.thread.conversation, activity: 'second' },
  { fact: 'lost', post: 'approval+0' },
  { fact: 'decided', verdict: 'approve', by: 'owner' },
  { fact: 'decided', verdict: 'reject', by: 'owner', reason: 'no' },
  { fact: 'endorsed', by: 'owner', needs: 2 },
  { fact: 'endorsed', by: 'another', needs: 3, reread: [{ by: 'owner', right: 'missing' }] },
  { fact: 'revoked', by: 'owner', reason: 'no' },
  { fact: 'cancelled', by: 'requester' },
  { fact: 'questioned', by: 'requester', conversation: otherThread.conversation },
  { fact: 'unlinked', by: 'requester' },
  { fact: 'retried', by: 'requester' },
  ...effects.flatMap((effect): Step[] => [
    { fact: 'intended', effect },
    { fact: 'intended', effect, by: 'owner', reason: 'no' },
    { fact: 'done', effect },
    { fact: 'done', effect, operation: 'token' },
    ...causes.map((cause): Step => ({ fact: 'failed', effect, cause, notBefore: noon + day })),
  ]),
  ...(['held', 'missing', 'unreadable'] as const).map((right): Step => ({ fact: 'rechecked', right })),
  ...posts.flatMap((post): Step[] => [
    { fact: 'posted', post, conversation: cardThread, activity: post, digest: 'drawn', schema: 1 },
    { fact: 'unposted', post, notBefore: noon + day },
  ]),
  ...(['thread', 'requester', 'owners', 'escalation', 'follower-0'] as const).map(
    (place): Step => ({ fact: 'gone', place }),
  ),
  { fact: 'rerouted', owners: { place: newOwners, because: { is: 'tagged' } } },
  ...(Object.keys(times) as Time[]).map((what): Step => ({ fact: 'passed', what })),
]

// ---- the same, drawn at random -----------------------------------------------------------------------

/** What matters most comes most often: a link of ours on a vault that shows its connection. */
const anyLook: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...everyLook) },
  {
    weight: 5,
    arbitrary: fc
      .record({
        own: fc.constantFrom(
          absent,
          own(),
          own({ status: 'Approved' }),
          own({ provisioningState: 'Creating' }),
          hidden,
        ),
        connections: fc.constantFrom(
          onVault(),
          onVault(connection()),
          onVault(connection('Approved')),
          onVault(connection('Rejected')),
          hidden,
        ),
      })
      .map((seen) => looked(seen)),
  },
)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: anyLook },
  { weight: 1, arbitrary: fc.constantFrom(...everyOther) },
)
/** Facts in any order, each somewhat later than the one before; a look may have begun a good while before its fact. */
export const anyFacts: fc.Arbitrary<readonly Fact[]> = fc
  .array(
    fc.record({
      step: anyStep,
      pause: fc.nat({ max: 20 * minute }),
      delay: fc.oneof(fc.constant(0), fc.nat({ max: 60 * second })),
    }),
    { maxLength: 40 },
  )
  .map((drawn) => {
    let time = noon
    return drawn.map(({ step, pause, delay }) => {
      time += pause
      return timed({ ...step, began: time - delay }, time)
    })
  })
