import { describe, expect, test } from '@jest/globals'
import type { Link, SharedPrivateLink } from '../../src/link/link.ts'
import {
  atRest,
  lookInterval,
  marksIn,
  nothing,
  onVaultOf,
  ownOf,
  restInterval,
  restsFrom,
} from '../../src/link/rest.ts'
import {
  at,
  connection,
  connectionId,
  day,
  done,
  endpoint,
  hidden,
  hour,
  imitation,
  intended,
  limits,
  looked,
  minute,
  onVault,
  otherNonce,
  otherVault,
  own,
  second,
  statuses,
} from './given.ts'

const { longestLookMs: longest } = limits

test('looks come soon while something is fresh, and seldom when nothing has moved for hours', () => {
  const after = (still: number): number => lookInterval(still, limits)
  expect(after(0)).toBe(limits.firstLookMs)
  expect(after(50 * second)).toBe(10 * second)
  expect(after(25 * minute)).toBe(longest)
  expect(after(5 * hour)).toBe(longest)
  expect(after(10 * hour)).toBe(10 * minute)
  expect(after(30 * day)).toBe(5 * longest)
})

describe('at rest', () => {
  test.each(statuses)('%s', (status) => {
    const link = at(status)
    const from = restsFrom(link, limits)
    if (status === 'Pending') expect(from).toBe(link.since + 5 * longest)
    else if (status === 'Approved' || status === 'Disconnected') expect(from).toBe(link.since)
    else expect(from).toBeUndefined()
  })

  test('is not what is still being written, was not looked at, or waits for time to pass', () => {
    const updating = connection('Approved', { provisioningState: 'Updating' })
    const seen = looked({ own: own({ status: 'Approved' }), connections: onVault(updating) })
    const settling = at('Propagating', seen)
    expect(settling.stage.status).toBe('Approved')
    expect(restsFrom(settling, limits)).toBe(settling.since + limits.usualPropagatingMs)
    expect(restsFrom(at('Pending', intended('approve')), limits)).toBeUndefined()
    expect(restsFrom(at('Pending', done('approve')), limits)).toBeUndefined()
    expect(restsFrom({ ...at('Pending'), partedAt: 1 }, limits)).toBeUndefined()
  })

  test('looks of their own are spread, never rarer than asked for', () => {
    const of = (id: number): number => restInterval({ ...at('Approved'), id: String(id) }, limits)
    const all = Array.from({ length: 1_000 }, (_, id) => of(id * 7_919))
    expect(Math.max(...all)).toBeLessThanOrEqual(limits.restLookMs)
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0.75 * limits.restLookMs)
    const quarters = [0.75, 0.8125, 0.875, 0.9375].map(
      (from) =>
        all.filter((ms) => ms >= from * limits.restLookMs && ms < (from + 0.0625) * limits.restLookMs).length,
    )
    expect(Math.min(...quarters)).toBeGreaterThan(150)
  })
})

describe('what is remembered of a link', () => {
  const pending = at('Pending')
  const rest = atRest(pending)
  const link = (change: Partial<SharedPrivateLink>): SharedPrivateLink => {
    const sighting = own(change)
    if (sighting.is !== 'present') throw new Error('It is there')
    return sighting.value
  }

  test('is what the same things look like in a list, whatever their case, order and words', () => {
    const { id, name, target, requestMessage } = link({})
    const shouted = {
      name: name.toUpperCase(),
      target: target.toUpperCase(),
      requestMessage: requestMessage.toUpperCase(),
    }
    expect(ownOf(rest, [link({ name: 'other' }), link({ id: id.toUpperCase(), ...shouted })])).toBe(rest.own)
    const stranger = connection('Approved', {
      id: connectionId('x'),
      description: `[vaultlink ${otherNonce}]`,
    })
    const { etag: _none, ...listed } = connection('Pending', { id: connectionId('OURS'), etag: 'newer' })
    const words = `other words [VAULTLINK ${pending.asked.nonce}]`
    expect(onVaultOf(rest, [stranger, { ...listed, description: words }])).toBe(rest.onVault)
  })

  test.each<[string, Partial<SharedPrivateLink>]>([
    ['state', { status: 'Approved' }],
    ['provisioning state', { provisioningState: 'Deleting' }],
    ['target', { target: otherVault }],
    ['mark', { requestMessage: 'please approve' }],
  ])('differs by the %s of the link', (_what, change) => {
    expect(ownOf(rest, [link(change)])).not.toBe(rest.own)
  })

  test.each([
    ['state', connection('Approved')],
    ['provisioning state', connection('Pending', { provisioningState: 'Updating' })],
    ['endpoint', connection('Pending', { privateEndpoint: endpoint('another') })],
    ['mark', connection('Pending', { description: '' })],
    ['name', connection('Pending', { id: connectionId('another') })],
  ])('differs by the %s of the connection', (_what, changed) => {
    expect(onVaultOf(rest, [changed])).not.toBe(rest.onVault)
  })

  test('differs by an imitation beside ours, and by nothing at all', () => {
    expect(onVaultOf(rest, [connection(), imitation()])).not.toBe(rest.onVault)
    expect(onVaultOf(rest, [])).toBe(nothing)
    expect(ownOf(rest, [])).toBe(nothing)
  })

  test('that could not be seen is like nothing that a list shows', () => {
    const unseen: Link = at('Approved', looked({ own: hidden, connections: hidden }))
    const { own: ownSight, onVault: vaultSight } = atRest(unseen)
    for (const shown of [ownOf(rest, []), rest.own]) expect(shown).not.toBe(ownSight)
    for (const shown of [onVaultOf(rest, []), rest.onVault]) expect(shown).not.toBe(vaultSight)
  })
})

test('a description is found by each mark in it', () => {
  expect(marksIn('a [vaultlink AB] b [Vaultlink cd]')).toEqual(['ab', 'cd'])
  expect(marksIn('vaultlink ab')).toEqual([])
})
