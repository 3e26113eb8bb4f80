/**
 * The same short story under each value of everything that nobody outside Microsoft is sure of: it comes to the same
 * end, or stops and says why.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { choices, defaults, type Settings } from '../../sandbox/azure/switches.ts'
import { hurried, type World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  asks,
  buttonsOf,
  closed,
  linked,
  minutes,
  pending,
  rejects,
  says,
  seen,
  signalrId,
  startStage,
  told,
  unlinked,
  until,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage()
})
afterEach(() => world.azure.configure({ ...defaults, ...hurried.azure, throttle: false }))
afterAll(async () => expect(await closed(world)).toEqual(allWell))

const nothingLeft = (): void => {
  const standing = world.azure.connections('contoso-kv').filter(({ status }) => status !== 'Disconnected')
  expect({ links: world.azure.links(), standing }).toEqual({ links: [], standing: [] })
}
/** Removes by hand what a story leaves beside our own connection. */
function tidy(): void {
  for (const { name } of world.azure.connections('contoso-kv'))
    world.azure.portal.removeConnection('contoso-kv', name)
}

/** Approved and taken away again, rejected, and approved in the portal. */
async function allThree(): Promise<void> {
  const since = watch(world)
  const works = await linked(world)
  expect(world.azure.links()).toMatchObject([{ status: 'Approved' }])
  await unlinked(world, works)
  nothingLeft()
  expect(since.writes().map((write) => write.split(' ')[0])).toEqual(['PUT', 'PUT', 'DELETE'])

  const refused = await pending(world)
  await rejects(world, refused.approval, 'not now')
  await refused.thread.shows('"not now"', { within })
  await refused.thread.shows('is removed', { within })
  nothingLeft()

  const byHand = await pending(world)
  world.azure.portal.approve('contoso-kv', 'owner')
  const good = await byHand.thread.shows('can now reach', { within })
  expect(good.text).toContain('Approved in the Azure portal at ')
  await unlinked(world, byHand)
  nothingLeft()
}

// What ends otherwise has tests of its own below.
const elsewhere: readonly (keyof Settings)[] = [
  'propagation',
  'operationOutcome',
  'deletionOutcome',
  'extraDescription',
  'extraEndpoint',
]
const values = Object.entries(choices).flatMap(([name, list]) =>
  elsewhere.includes(name as keyof Settings) ? [] : list.map((value) => [name, value] as const),
)

describe('to the same end', () => {
  // The first value of each is the default: one run is enough for all of those.
  test('with every switch at its first value', allThree)
  test.each(values.filter(([name, value]) => defaults[name as keyof Settings] !== value))(
    '%s = %s',
    async (name, value) => {
      world.azure.configure({ [name]: value })
      await allThree()
    },
  )

  test('appearsEarly: the connection is there before the link is', async () => {
    world.azure.configure({ appearsEarly: true })
    await allThree()
  })

  test('the vault is still Updating when SignalR says Approved: the next approval there soon follows', async () => {
    world.azure.configure({ settlesMs: 500 })
    const first = await linked(world)
    const chat = signalrId('contoso-chat', 'chat-blue')
    const second = await linked(world, `link ${chat} to contoso-kv`)
    await unlinked(world, first)
    await unlinked(world, second)
    nothingLeft()
  })

  test('somebody else writes the vault at the moment of the approval: it is tried again', async () => {
    const { thread, approval } = await pending(world)
    world.azure.configure({ settlesMs: 1_000 })
    world.azure.portal.addConnection('contoso-kv', 'please approve')
    world.azure.portal.approve('contoso-kv', 'owner', 'please approve')
    const since = watch(world)
    await approves(world, approval)
    await thread.shows('can now reach', { within })
    expect(since.writes()).toEqual([
      expect.stringMatching(/^PUT .* 409$/),
      expect.stringMatching(/^PUT .* 200$/),
    ])
    await unlinked(world, { thread, approval })
    tidy()
  })
})

test('autoApprove: it works without anybody being asked, and the requester is told so', async () => {
  world.azure.configure({ autoApprove: true })
  const since = watch(world)
  const { thread, card } = await asks(world)
  const good = await thread.shows('can now reach', { within })
  expect(good.text).toContain('Approved in the Azure portal at ')
  expect(seen(card)).toContain('✓ Approved in the Azure portal · working since')
  expect(since.told().filter(({ channel }) => channel === 'vault-owners')).toEqual([])
  await unlinked(world, { thread })
  nothingLeft()
})

describe.each([['never'], ['timeout']] as const)('propagation = %s', (propagation) => {
  test('it stays on its way, both sides are alarmed after a quarter of an hour, and it can be taken back', async () => {
    world.azure.configure({ propagation })
    const { thread, card, approval } = await pending(world)
    await approves(world, approval)
    await thread.shows('on its way to SignalR', { within })
    await world.passes(minutes(14))
    expect(told(thread).join('\n')).not.toMatch(/does not follow/)
    await world.passes(minutes(2))
    const alarm = await thread.shows(
      'Careful: a connection on contoso-kv was approved, and SignalR does not follow. The wrong connection may be open.',
      { within },
    )
    expect(alarm.mentions).toEqual(['requester'])
    await world.teams
      .thread(approval)
      .shows(/Careful.*reject it if it is not from contoso-signalr/, { within })
    expect(seen(card)).toContain('● Approved by Noor Haddad · on its way to SignalR')
    expect(buttonsOf(card)).toContain('Cancel request')

    await world.passes(minutes(15))
    await thread.shows('This takes longer than usual; it is still on its way to SignalR.', { within })
    await thread.shows('but SignalR does not show it yet, longer than usual', { within })
    expect(told(thread).join('\n')).not.toContain('can now reach')

    await world.teams.person('requester').presses('Cancel request', 'Yes, cancel').on(card)
    await thread.shows('The link kv-contoso-kv is removed from contoso-signalr', { within })
    nothingLeft()
  })
})

test('propagation late: what did not follow for long is Approved once it does', async () => {
  world.azure.configure({ propagation: 'never' })
  const { thread, approval } = await pending(world)
  await approves(world, approval)
  await thread.shows('on its way to SignalR', { within })
  await world.passes(minutes(40))
  await thread.shows('does not follow', { within })
  world.azure.configure({ propagation: 'follows' })
  await thread.shows('can now reach', { within })
  await unlinked(world, { thread, approval })
})

describe.each([['Failed'], ['Canceled']] as const)('operationOutcome = %s', (operationOutcome) => {
  test('the requester is told why, nothing is left, and no owner is bothered', async () => {
    world.azure.configure({ operationOutcome })
    const since = watch(world)
    const { thread, card } = await asks(world)
    const bad = await thread.shows('Linking contoso-signalr to contoso-kv failed.', { within })
    expect(bad.text).toContain('Azure could not create the endpoint')
    expect(bad.text).toContain('nothing of it is left in Azure')
    expect(bad.text).toContain('ask again: link contoso-signalr to contoso-kv')
    expect(bad.mentions).toEqual(['requester'])
    expect(seen(card)).toContain('✕ Failed · nothing of it is left in Azure')
    expect(buttonsOf(card)).toEqual([])
    expect(since.told().filter(({ channel }) => channel !== 'general')).toEqual([])
    nothingLeft()
  })
})

describe.each([['Failed'], ['Canceled']] as const)('deletionOutcome = %s', (deletionOutcome) => {
  test('the link is still there, and removing it is tried again until it is gone', async () => {
    const { thread } = await linked(world)
    world.azure.configure({ deletionOutcome })
    await says(world, 'unlink', { in: thread })
    const question = await thread.shows(/^Unlink /, { within })
    await world.teams.person('requester').presses('Yes, unlink').on(question)
    await until(
      world,
      'the removal ends without success',
      () => world.azure.links()[0]?.provisioningState === deletionOutcome,
    )
    world.azure.configure({ deletionOutcome: 'Succeeded' })
    await thread.shows(/^\S.* removed the link/, { within })
    nothingLeft()
  })
})

describe('other connections turn up beside ours', () => {
  test.each(
    [1, 3].flatMap((extraConnections) =>
      choices.extraEndpoint.map((extraEndpoint) => ({ extraConnections, extraEndpoint })),
    ),
  )('$extraConnections of another description, from $extraEndpoint: only ours is approved', async (extra) => {
    world.azure.configure({ ...extra, extraDescription: 'other' })
    const works = await linked(world)
    const others = world.azure.connections('contoso-kv').filter(({ status }) => status !== 'Approved')
    expect(others).toHaveLength(extra.extraConnections)
    expect(
      others.every(({ status, description }) => status === 'Pending' && description === 'Please approve'),
    ).toBe(true)
    await unlinked(world, works)
    tidy()
  })

  test.each(choices.extraEndpoint.map((extraEndpoint) => ({ extraEndpoint })))(
    'with our own description, from $extraEndpoint: nobody is asked to guess, and it goes on once the other is removed',
    async ({ extraEndpoint }) => {
      world.azure.configure({ extraConnections: 1, extraEndpoint, extraDescription: 'same' })
      const since = watch(world)
      const { thread, card, mark } = await asks(world)
      const stopped = await thread.shows(
        /^@Riley Park 2 connections on contoso-kv carry this request's message, and Vaultlink never guesses/,
        { within },
      )
      expect(stopped.text).toContain('remove what is not from contoso-signalr, then press Retry')
      expect(stopped.mentions).toEqual(['requester'])
      expect(buttonsOf(card)).toEqual(['Retry', 'Cancel request', 'Show details', 'View in Azure portal'])
      expect(since.told().filter(({ channel }) => channel === 'vault-owners')).toEqual([])

      const [, stranger] = world.azure.connections('contoso-kv')
      world.azure.portal.removeConnection('contoso-kv', stranger?.name)
      await world.teams.person('requester').presses('Retry').on(card)
      const approval = await approvalOf(world, { thread, card, mark })
      await approves(world, approval)
      await thread.shows('can now reach', { within })
      await unlinked(world, { thread, approval })
      nothingLeft()
    },
  )
})

test('missingConnection = 204: a connection that was removed is missed all the same', async () => {
  world.azure.configure({ missingConnection: 204 })
  const { thread, approval } = await pending(world)
  world.azure.portal.removeConnection('contoso-kv')
  await thread.shows('The connection is no longer on contoso-kv.', { within })
  await world.teams.thread(approval).shows('✕ Failed', { within })
  nothingLeft()
})
