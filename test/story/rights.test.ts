/** Who may decide: read at the moment of the click, said to the presser alone, and never guessed. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { bot, type PersonKey, roles, subscriptions } from '../../sandbox/seed.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  asks,
  buttonsOf,
  claims,
  closed,
  invoke,
  linkIdOn,
  minutes,
  objectId,
  pending,
  type Request,
  rejects,
  says,
  seen,
  signalrId,
  startStage,
  told,
  unlinked,
  vaultId,
  watch,
  within,
} from './stage.ts'

const kv = vaultId('contoso-kv')
const approverActions =
  'Microsoft.KeyVault/vaults/privateEndpointConnections/write and Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action on contoso-kv'

let world: World
beforeAll(async () => {
  world = await startStage()
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

/** A press that comes to nothing: nobody else sees anything of it, and the card still asks. */
async function inVain(card: Message, press: () => Promise<Answer>): Promise<string> {
  const before = seen(card)
  const since = watch(world)
  const answer = await press()
  expect({ writes: since.writes(), told: since.told(), card: seen(card) }).toEqual({
    writes: [],
    told: [],
    card: before,
  })
  expect(answer.status).toBe(200)
  expect(answer.card).toBeUndefined()
  return answer.text ?? ''
}
const both = [
  ['approves', (card: Message, by: PersonKey) => approves(world, card, by)],
  ['rejects', (card: Message, by: PersonKey) => rejects(world, card, 'no', by)],
] as const

describe('one request that many press', () => {
  let request: Request & { readonly approval: Message }
  let approval: Message
  let link: string
  beforeAll(async () => {
    request = await pending(world)
    approval = request.approval
  })

  describe.each(both)('whoever %s', (_, presses) => {
    test('has no right: is told which', async () => {
      expect(await inVain(approval, () => presses(approval, 'outsider'))).toBe(
        `You lack the right to do this: ${approverActions}. Nothing was recorded, and others can still act on the card. Ask whoever manages access to contoso-kv for it, or leave it to somebody who has it.`,
      )
    })

    test('has the right on another vault only', async () => {
      expect(await inVain(approval, () => presses(approval, 'lone'))).toContain(approverActions)
    })

    test('is a guest', async () => {
      expect(await inVain(approval, () => presses(approval, 'guest'))).toMatch(/^You are a guest/)
    })

    test('asked for it, with every right there is', async () => {
      world.azure.rights.grant(objectId('requester'), 'vaultApprover', kv)
      expect(await inVain(approval, () => presses(approval, 'requester'))).toMatch(
        /^You asked for this link, so somebody else has to approve it\./,
      )
      world.azure.rights.revoke(objectId('requester'), 'vaultApprover', kv)
    })

    test('lost the right between the card and the click', async () => {
      world.azure.rights.revoke(objectId('owner'), 'vaultApprover', kv)
      expect(await inVain(approval, () => presses(approval, 'owner'))).toContain(approverActions)
      world.azure.rights.grant(objectId('owner'), 'vaultApprover', kv)
    })

    test('lost it to an edit of the role between the card and the click', async () => {
      const { actions } = roles.vaultApprover
      const write = 'Microsoft.KeyVault/vaults/privateEndpointConnections/write'
      world.azure.rights.redefine('vaultApprover', [{ actions, notActions: [write] }])
      expect(await inVain(approval, () => presses(approval, 'owner'))).toContain(
        `You lack the right to do this: ${write} on contoso-kv.`,
      )
      world.azure.rights.redefine('vaultApprover', [roles.vaultApprover])
    })

    test.each([
      ['Azure answers an error', { status: 500 }],
      ['Azure forbids to read them', { status: 403, code: 'AuthorizationFailed' }],
      ['the connection breaks', { how: 'reset' }],
    ] as const)('has rights that cannot be read: %s', async (_why, how) => {
      world.azure.fail({ path: /contoso-kv\/.*roleAssignments/i, times: 1, ...how })
      expect(await inVain(approval, () => presses(approval, 'owner'))).toMatch(
        /^Your rights on contoso-kv could not be read, and then the answer is no\. Nothing was recorded/,
      )
    })
  })

  test('a connection that the bot may not see is not approved', async () => {
    const main = `/subscriptions/${subscriptions.main.id}`
    world.azure.rights.revoke(bot.objectId, 'vaultApprover', main)
    const { text } = await approves(world, approval)
    expect(text).toMatch(/^Vaultlink lacks a right on contoso-kv, .* Nothing was recorded\./)
    world.azure.rights.grant(bot.objectId, 'vaultApprover', main)
    expect(world.azure.connections('contoso-kv')).toMatchObject([{ status: 'Pending' }])
    link = linkIdOn(approval)
    await approves(world, approval)
    await request.thread.shows('can now reach', { within })
  })

  test('who comes too late is told who was first', async () => {
    const { text } = await world.teams.person('second').sendsInvoke(invoke('reject', { link: link }), {
      replyToId: approval.id,
    })
    expect(text).toMatch(/^Approved already by Noor Haddad, .*The first answer stands\. Now: working\.$/)
    await unlinked(world, request)
  })
})

describe('presses that no client of ours makes', () => {
  let request: Request & { readonly approval: Message }
  let link: string
  beforeAll(async () => {
    request = await pending(world)
    link = linkIdOn(request.approval)
  })
  afterAll(async () => {
    await rejects(world, request.approval)
    await request.thread.shows('is not linked', { within })
  })

  const sends = (
    value: unknown,
    over: Parameters<ReturnType<typeof world.teams.person>['sendsInvoke']>[1] = {},
  ) =>
    inVain(request.approval, () =>
      world.teams.person('owner').sendsInvoke(value, { replyToId: request.approval.id, ...over }),
    )

  test.each(['general', 'random'])('the right id, pressed in another channel: %s', async (channel) => {
    const elsewhere = world.teams.thread(
      await world.teams.person('owner').says('hm', { plain: true }).in(channel),
    )
    for (const verb of ['approve', 'reject'])
      expect(
        await sends(invoke(verb, { link }), {
          conversation: {
            id: elsewhere.root.conversationId,
            conversationType: 'channel',
            tenantId: '72f988bf-0000-4000-8000-00000000c0de',
          },
          replyToId: elsewhere.root.id,
        }),
      ).toMatch(/^This card is not where Vaultlink posted it, so nothing was recorded\./)
  })

  test('in a personal chat', async () => {
    const text = await inVain(request.approval, () =>
      world.teams.person('owner').sendsInvoke(invoke('approve', { link })),
    )
    expect(text).toMatch(/^This card is not where Vaultlink posted it/)
  })

  test('an id that nobody was given', async () => {
    expect(await sends(invoke('approve', { link: 'f'.repeat(32) }))).toMatch(/^I know no such link\./)
  })

  test.each([
    ['no id', invoke('approve', {})],
    ['an id of another form', invoke('approve', { link: '1; DROP TABLE links' })],
    ['an id that is a list', invoke('reject', { link: ['f'.repeat(32)] })],
    ['a verb that is no button', invoke('sudo', { link: 'f'.repeat(32) })],
    ['a verb of every object', invoke('constructor', { link: 'f'.repeat(32) })],
    ['no data', { action: { type: 'Action.Execute', verb: 'approve' }, trigger: 'manual' }],
  ])('%s', async (_, value) => {
    expect(await sends(value)).toMatch(/^This button is not on a card of mine as I made it\./)
  })

  test('with more in the data than the card has, whoever sends it', async () => {
    const other = {
      by: objectId('owner'),
      vault: vaultId('solo-kv'),
      right: { is: 'held' },
      conversation: 'x',
    }
    for (const [name, value] of Object.entries(other))
      expect(await sends(invoke('approve', { link, [name]: value }))).toMatch(
        /^This button is not on a card of mine as I made it\./,
      )
  })

  test('a reason longer than the card takes', async () => {
    expect(await sends(invoke('reject', { link, reason: 'x'.repeat(301) }))).toMatch(
      /^The reason has 301 characters, and at most 300 fit\./,
    )
  })

  test('before the owners were asked', async () => {
    world.azure.configure({ provisioningMs: minutes(5) })
    const chat = signalrId('contoso-chat', 'chat-blue')
    const early = await asks(world, `link ${chat} to contoso-kv`)
    await early.thread.shows('Provisioning state: Creating', { within })
    const there = await world.teams.person('owner').says('hm', { plain: true }).in('vault-owners')
    const text = await inVain(early.card, () =>
      world.teams
        .person('owner')
        .sendsInvoke(invoke('approve', { link: linkIdOn(early.card) }), { replyToId: there.id }),
    )
    expect(text).toMatch(/^Not yet: it is still (requested|creating the endpoint)\. Nothing was recorded/)
    world.azure.configure({ provisioningMs: 40 })
    await world.passes(minutes(6))
    await rejects(world, await approvalOf(world, early))
    await early.thread.shows('is not linked', { within })
  })
})

test('two owners at the same moment: one decision takes effect, once', async () => {
  const since = watch(world)
  const request = await pending(world)
  const answers = await Promise.all([
    approves(world, request.approval, 'owner'),
    rejects(world, request.approval, 'no', 'second'),
    approves(world, request.approval, 'second'),
    approves(world, request.approval, 'owner'),
  ])
  expect(answers.filter(({ card }) => card !== undefined)).toHaveLength(1)
  for (const { text } of answers.filter(({ card }) => card === undefined))
    expect(text).toMatch(/^(Approved|Rejected) already by (Noor Haddad|Mika Aalto)/)
  await request.thread.shows(/can now reach|is not linked/, { within })
  expect(since.writes().filter((write) => /^PUT [0-9a-f-]{36} /.test(write))).toHaveLength(1)
  if (told(request.thread).join('').includes('can now reach')) await unlinked(world, request)
})

test('a lone owner who asked is told the way out, and Vaultlink notices', async () => {
  await claims(world, 'solo-kv', { by: 'lone', channel: 'solo-owners' })
  const request = await pending(world, 'link contoso-signalr to solo-kv', {
    by: 'lone',
    owners: 'solo-owners',
  })
  expect(await inVain(request.approval, () => approves(world, request.approval, 'lone'))).toBe(
    "You asked for this link, so somebody else has to approve it. If you own the vault alone, decide in the Azure portal; I'll notice.",
  )
  world.azure.portal.approve('solo-kv', 'lone')
  const good = await request.thread.shows('can now reach solo-kv privately', { within })
  expect(good.text).toContain('Approved in the Azure portal at ')
  expect(good.mentions).toEqual(['lone'])
  await world.teams.thread(request.approval).shows('✓ Approved in the Azure portal', { within })
})

describe('who decides for a vault', () => {
  const lacks = 'Only somebody who may approve on contoso-kv can say who decides for it.'

  test.each(['outsider', 'requester', 'lone'] as const)('own: not the %s', async (by) => {
    expect(told(await says(world, 'own contoso-kv', { by, in: 'random' }))).toEqual([
      expect.stringContaining(lacks),
    ])
  })

  test('own: in a channel only', async () => {
    expect(told(await says(world, 'own contoso-kv', { by: 'owner', in: 'with:owner' }))).toEqual([
      expect.stringContaining('Say this in a channel of the team that owns the vault'),
    ])
  })

  test('own: not while rights cannot be read', async () => {
    world.azure.fail({ path: /contoso-kv\/.*roleAssignments/i, times: 1, status: 500 })
    expect(told(await says(world, 'own contoso-kv', { by: 'owner', in: 'vault-owners' }))).toEqual([
      expect.stringContaining('Your rights on contoso-kv could not be read'),
    ])
  })

  test('own: says how many may approve there', async () => {
    expect(told(await says(world, 'own contoso-kv', { by: 'owner', in: 'vault-owners' }))).toEqual([
      'This channel decides for contoso-kv already. 2 of the 6 people here may approve on it.',
    ])
  })

  test('a second team is refused until the first lets go', async () => {
    await world.teams.install('labs', 'second')
    const tries = async (text: string, by: PersonKey, where: string): Promise<readonly string[]> =>
      told(await says(world, text, { by, in: where }))
    expect(await tries('own contoso-kv', 'second', 'labs-owners')).toEqual([
      'contoso-kv is decided for in another team. Ask them to give it up first (disown contoso-kv), then say it again.',
    ])
    expect(await tries('disown contoso-kv', 'second', 'labs-owners')).toEqual([
      'contoso-kv is decided for in another team, so it can only be given up there: disown contoso-kv.',
    ])
    expect(await tries('disown contoso-kv', 'outsider', 'vault-owners')).toEqual([
      expect.stringContaining(lacks),
    ])
    expect(await tries('disown contoso-kv', 'owner', 'vault-owners')).toEqual([
      'This team no longer decides for contoso-kv. Another one can say: own contoso-kv. Requests that are open stay where they are.',
    ])
    expect(await tries('own contoso-kv', 'second', 'labs-owners')).toEqual([
      'This channel decides for contoso-kv from now on: requests for a private link to it come here. 1 of the 2 people here may approve on it. Nobody approves their own request, so a second one is worth having.',
    ])
    expect(await tries('own contoso-kv', 'owner', 'vault-owners')).toEqual([
      expect.stringContaining('contoso-kv is decided for in another team.'),
    ])
    // And it is that channel that is asked.
    const request = await pending(world, 'link contoso-signalr to contoso-kv', { owners: 'labs-owners' })
    await rejects(world, request.approval, 'no', 'second')
    await request.thread.shows('is not linked', { within })
    await tries('disown contoso-kv', 'second', 'labs-owners')
    expect(await tries('own contoso-kv', 'owner', 'vault-owners')).toEqual([
      expect.stringContaining('This channel decides for contoso-kv from now on'),
    ])
  })

  test('a team may move it to another of its channels', async () => {
    const moved = await says(world, 'own contoso-kv', { by: 'owner', in: 'random' })
    expect(told(moved).join()).toContain('This channel decides for contoso-kv from now on')
    const request = await pending(world, 'link contoso-signalr to contoso-kv', { owners: 'random' })
    await rejects(world, request.approval)
    await request.thread.shows('is not linked', { within })
    await says(world, 'own contoso-kv', { by: 'owner', in: 'vault-owners' })
  })
})

describe('the bot loses its right on the vault after the decision', () => {
  const main = `/subscriptions/${subscriptions.main.id}`
  const loses = (): void => {
    world.azure.rights.grant(bot.objectId, 'reader', main)
    world.azure.rights.revoke(bot.objectId, 'vaultApprover', main)
  }
  const regains = (): void => world.azure.rights.grant(bot.objectId, 'vaultApprover', main)

  test('decision and card stay, both sides hear what to grant, and Retry goes on', async () => {
    const request = await pending(world)
    loses()
    await approves(world, request.approval)
    const stopped = await request.thread.shows(/^@Riley Park Vaultlink lacks a right on contoso-kv/, {
      within,
    })
    expect(stopped.text).toContain('The request stays as it is, and so does what was decided.')
    expect(stopped.text).toMatch(/Right: .*Microsoft\.KeyVault\/vaults\/\S+/)
    expect(stopped.text).toContain(`Scope: ${kv}`)
    await world.teams.thread(request.approval).shows(/^Vaultlink lacks a right on contoso-kv/, { within })
    await world.teams
      .thread(request.approval)
      .shows('✕ Approved by Noor Haddad · but stopped until somebody helps', { within })
    expect(buttonsOf(request.approval)).toEqual(['Retry', 'View in Azure portal'])
    expect(seen(request.approval)).toContain('Right to grant')

    // Too early: it says so once more and is none the worse.
    await world.teams.person('owner').presses('Retry').on(request.approval)
    await request.thread.shows(/Stopped/, { within })
    regains()
    await world.teams.person('outsider').presses('Retry').on(request.approval)
    await request.thread.shows('can now reach', { within })
    expect(told(request.thread).join()).toContain('Approved by Noor Haddad')
    await unlinked(world, request)
  })

  test('an old click is no blank cheque: whose right is gone by then is asked again', async () => {
    const request = await pending(world)
    loses()
    await approves(world, request.approval)
    await request.thread.shows(/^@Riley Park Vaultlink lacks a right on contoso-kv/, { within })
    await world.passes(minutes(16))
    world.azure.rights.revoke(objectId('owner'), 'vaultApprover', kv)
    regains()
    const since = watch(world)
    await world.teams.person('requester').presses('Retry').on(request.card)
    const again = await world.teams.thread(request.approval).shows('It was not carried out.', { within })
    expect(again.mentions).toEqual(['owner'])
    expect(since.writes()).toEqual([])
    await world.teams
      .thread(request.approval)
      .shows('Approve a private connection to contoso-kv?', { within })
    await approves(world, request.approval, 'second')
    await request.thread.shows('can now reach', { within })
    expect(told(request.thread).join()).toContain('Approved by Mika Aalto')
    world.azure.rights.grant(objectId('owner'), 'vaultApprover', kv)
  })
})
