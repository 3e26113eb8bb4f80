/** The story as the mission tells it: somebody asks, an owner decides, and both sides see how it ends. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  asks,
  buttonsOf,
  closed,
  linked,
  pending,
  rejects,
  seen,
  sentence,
  shownOverTime,
  signalrId,
  startStage,
  told,
  vaultId,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage({ owned: ['contoso-kv', 'contoso-certs'] })
  // Long enough for each step to be shown before the next.
  world.azure.configure({ propagatesMs: 250 })
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

/** The five steps of a status card, as `✓ Done Requested`. */
const stepsOn = (text: string): readonly string[] =>
  text
    .split('\n')
    .filter((line) => /^[✓●○✕–] {2}/.test(line))
    .map((line) => line.replace(/ {2}/g, ' '))

test('somebody asks, an owner approves, and both sides see it work', async () => {
  const { azure, teams } = world
  const since = watch(world)
  const request = await asks(world, sentence)
  const first = shownOverTime(request.card)[0] ?? ''

  // The status card, as it came into the requester's thread.
  expect(request.card.root).toBe(request.thread.root.id)
  expect(first).toMatch(
    /Link contoso-signalr to contoso-kv\n● Creating the endpoint · usually done by \d+ \w+, \d\d:\d\d UTC/,
  )
  expect(stepsOn(first)).toEqual([
    '✓ Done Requested',
    '● Now Creating the endpoint',
    "○ Next The vault's owner decides",
    '○ Next Approved on the vault',
    '○ Next Approved on SignalR',
  ])
  expect(buttonsOf({ ...request.card, ...request.card.history[0] })).toEqual([
    'Cancel request',
    'Show details',
    'View in Azure portal',
  ])

  // The approval card in the owners' channel.
  const approval = await approvalOf(world, request)
  const asked = seen(approval, { open: true })
  const [connection] = azure.connections('contoso-kv')
  expect(approval.root).toBe(approval.id)
  expect(approval.mentions).toEqual([])
  expect(asked).toMatch(
    /^Approve a private connection to contoso-kv\?\n● Your decision · by \d+ \w+, \d\d:\d\d UTC/,
  )
  for (const part of [
    'Riley Park asks to connect contoso-signalr: "custom domain certificate"',
    'From: contoso-signalr (group contoso, subscription 00000000-0000-0000-0000-000000000000)',
    'To: contoso-kv (group contoso)',
    `Connection: ${connection?.name}`,
    `Request message: custom domain certificate ${request.mark}`,
    'What approving does. Opens a private path from this SignalR to contoso-kv. It grants no rights to secrets, keys or certificates, and leaves public access as it is. You can undo it.',
    'What was checked. This is the connection that Vaultlink made. It is still Pending. The requester may write to contoso-signalr.',
    'Why here. This channel decides for contoso-kv, since ',
    '[Approve…] [Reject…] [View in Azure portal]',
    `Approve connection ${connection?.name} on contoso-kv?`,
    '[Yes, approve]',
    `Reject connection ${connection?.name} on contoso-kv?`,
    'Reason (the requester will see it): []',
    '[Yes, reject]',
  ])
    expect(asked).toContain(part)
  expect(connection).toMatchObject({
    status: 'Pending',
    description: `custom domain certificate ${request.mark}`,
  })

  // The details, which the documentation's fields stand in, open on the reader's own screen.
  await request.thread.shows("Waiting for the vault's owner · until ", { within })
  expect(await teams.person('outsider').presses('Show details').on(request.card)).toMatchObject({
    type: 'Action.ToggleVisibility',
  })
  for (const field of [
    'Name: kv-contoso-kv',
    'Type: Microsoft.KeyVault/vaults',
    'Subscription: 00000000-0000-0000-0000-000000000000',
    'Vault: contoso-kv',
    `Request message: custom domain certificate ${request.mark}`,
    'Provisioning state: Succeeded',
    'Connection state: Pending',
    'Asked by: Riley Park, ',
    'Why: custom domain certificate',
  ])
    expect(seen(request.card)).toContain(`(hidden) ${field}`)
  expect(await teams.person('outsider').presses('View in Azure portal').on(request.card)).toMatchObject({
    text: expect.stringContaining(signalrId('contoso-signalr')),
  })
  expect(await teams.person('owner').presses('View in Azure portal').on(approval)).toMatchObject({
    text: expect.stringContaining(vaultId('contoso-kv')),
  })

  // Who asked may not approve, is told so alone, and nothing moves.
  const shownToAll = seen(approval)
  const refused = watch(world)
  const answer = await approves(world, approval, 'requester')
  expect(answer.text).toBe(
    "You asked for this link, so somebody else has to approve it. If you own the vault alone, decide in the Azure portal; I'll notice.",
  )
  expect(refused.told()).toEqual([])
  expect(seen(approval)).toBe(shownToAll)
  expect(azure.connections('contoso-kv')[0]?.status).toBe('Pending')

  // An owner does, and sees at once that it is on its way.
  const granted = await approves(world, approval)
  expect(seen({ ...approval, card: granted.card })).toMatch(/● Approved by Noor Haddad · on its way to/)
  expect(buttonsOf({ ...approval, card: granted.card })).toEqual(['View in Azure portal'])

  const good = await request.thread.shows('can now reach contoso-kv privately', { within })
  expect(good.text).toMatch(
    /^@Riley Park contoso-signalr can now reach contoso-kv privately\. Approved by Noor Haddad at \d\d:\d\d UTC; SignalR says Succeeded and Approved since \d\d:\d\d UTC\. contoso-kv still accepts public traffic: .*View in Azure portal/,
  )
  expect(good.mentions).toEqual(['requester'])
  expect(good.root).toBe(request.thread.root.id)
  const owners = await teams.thread(approval).shows('Working since', { within })
  expect(owners.text).toMatch(/^Working since \d\d:\d\d UTC: contoso-signalr reaches contoso-kv privately\./)
  expect(owners.root).toBe(approval.id)

  // Both cards are final: nothing is left to press.
  await teams
    .thread(approval)
    .shows(/^Private connection to contoso-kv\n✓ Approved by Noor Haddad/, { within })
  expect(seen(approval)).toMatch(/working since \d+ \w+, \d\d:\d\d UTC/)
  expect(buttonsOf(approval)).toEqual([])
  expect(seen(request.card)).toMatch(/\n✓ Approved by Noor Haddad · working since /)
  expect(seen(request.card)).toContain('! contoso-kv still accepts public traffic.')
  expect(buttonsOf(request.card)).toEqual([])
  expect(stepsOn(seen(request.card))).toEqual([
    '✓ Done Requested',
    '✓ Done Endpoint created',
    "✓ Done The vault's owner decided",
    '✓ Done Approved on the vault',
    '✓ Done Approved on SignalR',
  ])

  // What it waited for, in order; and what was written in Azure for it: one link, one approval.
  const waited = shownOverTime(request.card).map((text) =>
    text.split('\n')[2]?.replace(/ \d+ \w+, \d\d:\d\d UTC/, ''),
  )
  expect(waited.filter((line, at) => line !== waited[at - 1])).toEqual([
    '● Creating the endpoint · usually done by',
    "● Waiting for the vault's owner · until",
    '● Approved by Noor Haddad · on its way to contoso-kv, usually there by',
    '● Approved by Noor Haddad · on its way to SignalR, usually there by',
    '✓ Approved by Noor Haddad · working since',
  ])
  expect(since.writes()).toEqual(['PUT kv-contoso-kv 201', `PUT ${connection?.name} 200`])
  expect(azure.links()).toMatchObject([
    {
      provisioningState: 'Succeeded',
      status: 'Approved',
      requestMessage: `custom domain certificate ${request.mark}`,
    },
  ])
  expect(azure.connections('contoso-kv')).toMatchObject([
    { status: 'Approved', description: `Approved through Vaultlink ${request.mark}` },
  ])
  expect(since.told()).toHaveLength(4)
})

test('a vault that is closed to the public is not said to be open', async () => {
  const { thread, card } = await linked(world, 'link contoso-signalr to contoso-certs because certificates')
  expect(told(thread).join('\n')).toContain('contoso-signalr can now reach contoso-certs privately')
  expect(told(thread).join('\n')).not.toMatch(/public/)
  expect(seen(card)).not.toMatch(/public/)
})

describe('an owner rejects', () => {
  const ask = `link ${signalrId('contoso-chat', 'chat-blue')} to contoso-kv`

  test.each([
    ['with a reason', 'Use contoso-certs instead', 'Rejected by Noor Haddad: "Use contoso-certs instead".'],
    ['without one', undefined, 'Rejected by Noor Haddad.'],
  ])('%s: the requester is told why, and nothing is left in Azure', async (_, reason, sentence) => {
    const since = watch(world)
    const { thread, card, approval, mark } = await pending(world, ask)
    const answer = await rejects(world, approval, reason)
    expect(seen({ ...approval, card: answer.card })).toMatch(/● Rejected by Noor Haddad · removing the link/)

    const bad = await thread.shows('is not linked to contoso-kv', { within })
    expect(bad.text).toBe(
      `@Riley Park ${sentence} contoso-chat is not linked to contoso-kv, and the link kv-contoso-kv is removed. If that can be settled, ask again: link contoso-chat to contoso-kv.`,
    )
    expect(bad.mentions).toEqual(['requester'])
    const owners = await world.teams.thread(approval).shows('is removed from contoso-chat', { within })
    expect(owners.text).toBe(`${sentence} The link kv-contoso-kv is removed from contoso-chat.`)
    // Whether SignalR hears of the rejection before its link is removed is chance.
    expect(since.effects().filter((what) => what !== 'propagated')).toEqual([
      'linkCreated',
      'connectionAppeared',
      'connectionRejected',
      'linkDeleted',
      'connectionRemoved',
    ])
    expect(world.azure.links().filter(({ requestMessage }) => requestMessage.includes(mark))).toEqual([])
    await world.teams.thread(approval).shows(/✕ Rejected by Noor Haddad · /, { within })
    for (const final of [card, approval]) {
      expect(buttonsOf(final)).toEqual([])
      expect(seen(final)).toContain(reason === undefined ? 'the link is removed' : `"${reason}"`)
    }
    expect(stepsOn(seen(card))).toEqual([
      '✓ Done Requested',
      '✓ Done Endpoint created',
      "✕ Stopped The vault's owner decides",
      '– Not done Approved on the vault',
      '– Not done Approved on SignalR',
    ])
  })
})

test('somebody who may approve through a group may decide', async () => {
  const { thread, approval } = await linked(
    world,
    `link ${signalrId('contoso-chat', 'chat-blue')} to contoso-kv`,
    { approver: 'second' },
  )
  expect(told(thread).join('\n')).toContain('Approved by Mika Aalto at ')
  await world.teams.thread(approval).shows('✓ Approved by Mika Aalto', { within })
})

test('it is asked for by resource ids, under a name of its own, with a reason', async () => {
  const green = signalrId('contoso-chat', 'chat-green')
  const { card, approval, mark } = await linked(
    world,
    `link ${green} to ${vaultId('contoso-certs').toUpperCase()} as certs-for-chat because "TLS for chat.contoso.example"`,
  )
  expect(world.azure.links().find(({ requestMessage }) => requestMessage.includes(mark))).toMatchObject({
    id: `${green}/sharedPrivateLinkResources/certs-for-chat`,
    requestMessage: `TLS for chat.contoso.example ${mark}`,
  })
  expect(seen(card)).toContain('Name: certs-for-chat')
  expect(seen(approval)).toContain('"TLS for chat.contoso.example"')
})

describe('it is asked for outside a team', () => {
  test('in a group chat: the card and the news come there', async () => {
    await world.teams.install('group', 'requester')
    const { thread, card } = await linked(
      world,
      `link ${signalrId('contoso-chat', 'chat-blue')} to contoso-certs`,
      { in: 'group' },
    )
    const [good] = thread.messages().filter(({ text }) => text?.includes('can now reach'))
    expect(good?.mentions).toEqual(['requester'])
    expect([card.channel, good?.channel]).toEqual(['group', 'group'])
  })

  test('in a personal chat: nobody else sees it but the owners', async () => {
    const since = watch(world)
    const { thread, card } = await linked(
      world,
      `link ${signalrId('contoso-chat', 'chat-green')} to contoso-kv`,
      { in: 'with:requester' },
    )
    expect(card.channel).toBe('with:requester')
    expect(told(thread).join('\n')).toContain('can now reach contoso-kv privately')
    expect([...new Set(since.told().map(({ channel }) => channel))].sort()).toEqual([
      'vault-owners',
      'with:requester',
    ])
  })
})
