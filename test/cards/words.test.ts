/** Every cause and every refusal has a sentence that says what happened and what the reader can do. */
import { describe, expect, test } from '@jest/globals'
import type { AskRefusal, Cause, Refusal } from '../../src/link/link.ts'
import { toPlain } from '../../src/teams/prose.ts'
import { en, type Press, type Then } from '../../src/teams/words/en.ts'
import { asked, botLacksRight, records } from './records.ts'

const about = { signalr: 'contoso-signalr', vault: 'contoso-kv', name: 'kv-contoso-kv', asker: 'Riley Park' }
const action = 'Microsoft.KeyVault/vaults/privateEndpointConnections/write'
const said = { code: 'SomeCode', message: 'What Azure said.' }

/** One of each, by its tag: the compiler sees that none is missing. */
const causes: { readonly [K in Cause['cause']]: Extract<Cause, { readonly cause: K }> } = {
  botLacksRight: { cause: 'botLacksRight', action, scope: records.pending.asked.vault },
  deciderLacksRight: { cause: 'deciderLacksRight', action, scope: records.pending.asked.vault },
  nameTaken: { cause: 'nameTaken' },
  madeByOthers: { cause: 'madeByOthers', name: 'theirs', status: 'Pending' },
  ambiguous: { cause: 'ambiguous', count: 2 },
  strangeEndpoint: { cause: 'strangeEndpoint' },
  connectionChanged: { cause: 'connectionChanged' },
  connectionGone: { cause: 'connectionGone' },
  cannotReject: { cause: 'cannotReject' },
  deletedElsewhere: { cause: 'deletedElsewhere' },
  refused: { cause: 'refused', ...said },
  provisioningFailed: { cause: 'provisioningFailed', ...said },
  notRegistered: { cause: 'notRegistered', message: said.message },
  quota: { cause: 'quota', message: said.message },
  locked: { cause: 'locked', message: said.message },
  signalrGone: { cause: 'signalrGone' },
  vaultGone: { cause: 'vaultGone' },
  decidedMeanwhile: { cause: 'decidedMeanwhile' },
  conflict: { cause: 'conflict', code: said.code },
  throttled: { cause: 'throttled' },
  unavailable: { cause: 'unavailable', code: said.code },
}
const refusals: { readonly [K in Refusal['refusal']]: Extract<Refusal, { readonly refusal: K }> } = {
  ownRequest: { refusal: 'ownRequest' },
  lacksRight: { refusal: 'lacksRight', actions: [action] },
  rightUnreadable: { refusal: 'rightUnreadable' },
  notYourRequest: { refusal: 'notYourRequest' },
  wrongCard: { refusal: 'wrongCard' },
  wrongPlace: { refusal: 'wrongPlace' },
  tooEarly: { refusal: 'tooEarly', status: 'Provisioning' },
  alreadyDecided: {
    refusal: 'alreadyDecided',
    decision: records.approving.decision ?? fail(),
    status: 'Approving',
  },
  alreadyEndorsed: { refusal: 'alreadyEndorsed', missing: 1 },
  otherUnreadable: { refusal: 'otherUnreadable', by: 'noor' },
  alreadyEnded: { refusal: 'alreadyEnded', status: 'Cancelled', outcome: 'Cancelled', by: 'riley' },
  alreadyApproved: { refusal: 'alreadyApproved' },
  rejectInPortal: { refusal: 'rejectInPortal' },
  noAlarm: { refusal: 'noAlarm', status: 'Propagating' },
  notApprovedYet: { refusal: 'notApprovedYet' },
  expired: { refusal: 'expired' },
  connection: { refusal: 'connection', cause: { cause: 'connectionGone' } },
  beingSent: { refusal: 'beingSent', by: 'owner', verdict: 'approve' },
  vaultBusy: { refusal: 'vaultBusy' },
  notTaken: { refusal: 'notTaken', cause: { cause: 'conflict', code: said.code } },
  nothingBlocked: { refusal: 'nothingBlocked' },
  heardAlready: { refusal: 'heardAlready' },
}
const askRefusals: { readonly [K in AskRefusal['refusal']]: Extract<AskRefusal, { readonly refusal: K }> } = {
  requesterLacksRight: { refusal: 'requesterLacksRight', actions: [action] },
  rightUnreadable: { refusal: 'rightUnreadable' },
  freeTier: { refusal: 'freeTier', sku: 'Free_F1' },
  replicas: { refusal: 'replicas', count: 1 },
  badName: { refusal: 'badName', name: '1' },
  nameTaken: { refusal: 'nameTaken', name: 'kv' },
  alreadyLinked: { refusal: 'alreadyLinked', name: 'kv' },
  madeByOthers: { refusal: 'madeByOthers', name: 'kv', status: 'Rejected' },
  vaultFull: { refusal: 'vaultFull', count: 64 },
  botLacksRight: { refusal: 'botLacksRight', actions: [action], on: 'vault' },
  noOwners: { refusal: 'noOwners' },
  tooFewApprovers: { refusal: 'tooFewApprovers', count: 1, needs: 2 },
  nobodyMayApprove: { refusal: 'nobodyMayApprove' },
  alreadyAsked: { refusal: 'alreadyAsked', link: records.pending },
  endedJustNow: { refusal: 'endedJustNow', status: 'Cancelled' },
}
const whole = /^[^\s].*[.!?"]$/s
const broken = /undefined|null|NaN|\[object|\.\.|,,| {2}|\?\./

describe('causes', () => {
  const thens: readonly Then[] = ['blocked', 'ended', 'ending', 'trying']
  test.each(
    Object.values(causes).flatMap((cause) => thens.map((then) => [cause.cause, then, cause] as const)),
  )('%s, %s', (_, then, cause) => {
    const { happened, next, todo } = en.cause(cause, about, then)
    for (const sentence of [happened, next, todo]) {
      expect(sentence).toMatch(whole)
      expect(sentence).not.toMatch(broken)
    }
    // Retry is offered only where its button is.
    if (then !== 'blocked') expect(todo).not.toContain('Retry')
  })

  test("Azure's own words and names are passed on as they are", () => {
    expect(en.cause(causes.notRegistered, about, 'blocked').happened).toContain(said.message)
    expect(en.cause(causes.refused, about, 'ended').happened).toContain(said.code)
    expect(en.cause(botLacksRight, about, 'blocked').grant).toEqual({
      actions: ['Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action'],
      scope: records.pending.asked.vault,
    })
  })
})

describe('refusals', () => {
  const presses: readonly Press[] = [
    'approve',
    'reject',
    'rejectConnection',
    'cancel',
    'unlink',
    'retry',
    'follow',
  ]
  test.each(Object.values(refusals))('$refusal', (refusal) => {
    for (const press of presses) {
      const sentence = toPlain(
        en.refusal(
          refusal,
          about,
          press,
          { verdict: 'approve', who: 'Noor Haddad', at: asked, reason: undefined },
          'Riley Park',
          'UTC',
        ),
      )
      expect(sentence).toMatch(whole)
      expect(sentence).not.toMatch(broken)
    }
  })

  test('a lone owner who asked is told the way out', () => {
    expect(toPlain(en.refusal(refusals.ownRequest, about, 'approve', undefined, undefined, 'UTC'))).toBe(
      "You asked for this link, so somebody else has to approve it. If you own the vault alone, decide in the Azure portal; I'll notice.",
    )
  })

  test('a missing right names the action and where', () => {
    const sentence = toPlain(en.refusal(refusals.lacksRight, about, 'approve', undefined, undefined, 'UTC'))
    expect(sentence).toContain(`${action} on contoso-kv`)
  })
})

describe('nothing is begun', () => {
  test.each(Object.values(askRefusals))('$refusal', (refusal) => {
    const sentence = toPlain(en.askRefusal(refusal, about))
    expect(sentence).toMatch(whole)
    expect(sentence).not.toMatch(broken)
  })
})

function fail(): never {
  throw new Error('no decision')
}
