/** A vault tagged so that two people have to approve: one is not enough, whoever presses how often, whatever happens in between. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Answer } from '../../sandbox/teams/face.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approves,
  buttonsOf,
  claims,
  closed,
  days,
  minutes,
  objectId,
  pending,
  type Request,
  rejects,
  says,
  seen,
  startStage,
  told,
  unlinked,
  vaultId,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage()
})
afterEach(() => tag(undefined))
afterAll(async () => expect(await closed(world)).toEqual(allWell))

const kv = vaultId('contoso-kv')
const tag = (value: string | undefined): void =>
  world.azure.portal.tag('contoso-kv', 'vaultlink-approvers', value)
const shown = (answer: Answer): string => [answer.text ?? '', ...cardText(answer.card)].join('\n')
const statuses = (): readonly string[] => world.azure.connections('contoso-kv').map(({ status }) => status)

type Asked = Awaited<ReturnType<typeof pending>>
async function askedOfTwo(): Promise<Asked> {
  tag('2')
  const request = await pending(world)
  expect(seen(request.approval)).toContain('● Your decision · two people have to approve, by ')
  return request
}
/** The first approval is given, and shown on both cards. */
async function approvedByFirst(): Promise<Asked> {
  const request = await askedOfTwo()
  const since = watch(world)
  const answer = await approves(world, request.approval)
  expect(shown(answer)).toContain('● Approved by Noor Haddad · one more person has to approve, by ')
  await shows(request, '● Approved by Noor Haddad · one more person has to approve')
  expect(buttonsOf(request.approval)).toEqual(['Approve…', 'Reject…', 'View in Azure portal'])
  expect({ writes: since.writes(), statuses: statuses() }).toEqual({ writes: [], statuses: ['Pending'] })
  return request
}
async function shows({ thread, approval }: Asked, text: string): Promise<void> {
  await thread.shows(text, { within })
  await world.teams.thread(approval).shows(text, { within })
}
async function works(request: Request & Pick<Asked, 'approval'>, who: string): Promise<void> {
  await request.thread.shows(`can now reach contoso-kv privately. Approved by ${who} at `, { within })
  await world.teams.thread(request.approval).shows(`✓ Approved by ${who} · working since`, { within })
  await unlinked(world, request)
}

describe('two people', () => {
  test('the first approval is shown and does nothing, the second decides', async () => {
    const request = await approvedByFirst()
    const again = await approves(world, request.approval)
    expect(again.text).toBe(
      'You approved this already, and one person counts once: one more person has to approve it. You can still reject it.',
    )
    expect((await approves(world, request.approval, 'outsider')).text).toMatch(/^You lack the right/)
    expect((await approves(world, request.approval, 'requester')).text).toMatch(/^You asked for this link/)
    const since = watch(world)
    expect(shown(await approves(world, request.approval, 'second'))).toContain(
      '● Approved by Noor Haddad and Mika Aalto · on its way to contoso-kv',
    )
    await works(request, 'Noor Haddad and Mika Aalto')
    expect(since.effects().filter((what) => what === 'connectionApproved')).toHaveLength(1)
  })

  test('at the same moment, each several times: both count, once each', async () => {
    const { approval, ...request } = await askedOfTwo()
    const since = watch(world)
    await Promise.all(
      (['owner', 'second', 'owner', 'second', 'owner'] as const).map((by) => approves(world, approval, by)),
    )
    await request.thread.shows(
      /can now reach .* Approved by (Noor Haddad and Mika Aalto|Mika Aalto and Noor Haddad)/,
      {
        within,
      },
    )
    expect(since.effects().filter((what) => what === 'connectionApproved')).toHaveLength(1)
    await unlinked(world, { ...request, approval })
  })

  test('a bot that is killed in between remembers the first', async () => {
    const request = await approvedByFirst()
    await world.restart({ kill: true })
    await approves(world, request.approval, 'second')
    await works(request, 'Noor Haddad and Mika Aalto')
  })
})

describe('the tag is read when it is asked for and at each press', () => {
  test('taken away after the first approval: it still takes two', async () => {
    tag('2')
    const request = await pending(world)
    tag(undefined)
    expect(shown(await approves(world, request.approval))).toContain('one more person has to approve')
    expect(statuses()).toEqual(['Pending'])
    await approves(world, request.approval, 'second')
    await works(request, 'Noor Haddad and Mika Aalto')
  })

  test('added while the owners are asked: it takes two from then on', async () => {
    const request = await pending(world)
    expect(seen(request.approval)).toContain('● Your decision · by ')
    tag('2')
    expect(shown(await approves(world, request.approval, 'second'))).toContain(
      'one more person has to approve',
    )
    tag(undefined)
    expect((await approves(world, request.approval, 'second')).text).toMatch(/^You approved this already/)
    await approves(world, request.approval)
    await works(request, 'Mika Aalto and Noor Haddad')
  })

  test('asking for more people than the channel has who may: nobody is bothered', async () => {
    await claims(world, 'solo-kv', { by: 'lone', channel: 'solo-owners' })
    world.azure.portal.tag('solo-kv', 'vaultlink-approvers', '2')
    const since = watch(world)
    const thread = await says(world, 'link contoso-signalr to solo-kv')
    expect(told(thread)).toEqual([
      "2 different people have to approve for solo-kv, and only 1 person in the channel that decides for it may, so asking would lead nowhere. Ask the vault's owner to add somebody to that channel who may approve there.",
    ])
    expect(since.writes()).toEqual([])
    world.azure.portal.tag('solo-kv', 'vaultlink-approvers')
  })
})

describe('the right of whoever approved first', () => {
  test('lost by the time the second presses, later than it counts: the second is now the first', async () => {
    const request = await approvedByFirst()
    await world.passes(minutes(16))
    world.azure.rights.revoke(objectId('owner'), 'vaultApprover', kv)
    expect(shown(await approves(world, request.approval, 'second'))).toContain(
      '● Approved by Mika Aalto · one more person has to approve',
    )
    expect(statuses()).toEqual(['Pending'])
    world.azure.rights.grant(objectId('owner'), 'vaultApprover', kv)
    await approves(world, request.approval)
    await works(request, 'Mika Aalto and Noor Haddad')
  })

  test('unreadable then: nothing is recorded', async () => {
    const request = await approvedByFirst()
    await world.passes(minutes(16))
    // Both rights are read; which read fails is not ours to choose, and either is a no.
    world.azure.fail({ path: /contoso-kv\/.*roleAssignments/i, times: 1, status: 500 })
    expect((await approves(world, request.approval, 'second')).text).toMatch(
      /could not be read, and then the answer is no/,
    )
    await approves(world, request.approval, 'second')
    await works(request, 'Noor Haddad and Mika Aalto')
  })
})

describe('in between', () => {
  test.each(['owner', 'second'] as const)('each may reject: %s', async (by) => {
    const request = await approvedByFirst()
    await rejects(world, request.approval, 'not now', by)
    await request.thread.shows(/^@Riley Park Rejected by .*"not now"/, { within })
    expect(statuses()).toEqual([])
  })

  test('the requester takes it back', async () => {
    const request = await approvedByFirst()
    await world.teams.person('requester').presses('Cancel request', 'Yes, cancel').on(request.card)
    await request.thread.shows(/^@Riley Park Cancelled by Riley Park/, { within })
    expect((await approves(world, request.approval, 'second').catch(() => undefined))?.card).toBeUndefined()
    expect(statuses()).toEqual([])
  })

  test('somebody approves in the portal', async () => {
    const request = await approvedByFirst()
    world.azure.portal.approve('contoso-kv', 'second')
    await request.thread.shows(/can now reach .* Approved in the Azure portal at /, { within })
    await unlinked(world, request)
  })

  test('the time runs out', async () => {
    const request = await approvedByFirst()
    await world.passes(days(7.1))
    await request.thread.shows(/^@Riley Park Nobody answered for contoso-kv in time/, { within })
    expect(statuses()).toEqual([])
  })
})
