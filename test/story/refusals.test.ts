/** What is found out and said before anybody is bothered: nothing is created, and nobody else hears of it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { bot, type PersonKey } from '../../sandbox/seed.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approves,
  claims,
  closed,
  minutes,
  objectId,
  pending,
  says,
  signalrId,
  startStage,
  told,
  unlinked,
  until,
  vaultId,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage({ owned: ['contoso-kv', 'contoso-certs'] })
  await claims(world, 'solo-kv', { by: 'lone', channel: 'solo-owners' })
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

/** What somebody is answered who asks in vain; throws if anything else came of it. */
async function inVain(
  text: string,
  { by, in: where }: { by?: PersonKey; in?: string } = {},
): Promise<string> {
  const since = watch(world)
  const thread = await says(world, text, { ...(by && { by }), ...(where && { in: where }) })
  const [answer, ...more] = told(thread)
  expect({ writes: since.writes(), told: since.told().length, more }).toEqual({
    writes: [],
    told: 1,
    more: [],
  })
  return answer ?? ''
}

describe('the SignalR cannot have it', () => {
  test('the free tier', async () => {
    expect(await inVain('link contoso-free to contoso-kv')).toBe(
      'contoso-free is on the free tier (Free_F1), which has no shared private endpoints. Scale it to Standard or Premium, then say it again: link contoso-free to contoso-kv.',
    )
  })

  test('replicas', async () => {
    expect(await inVain('link contoso-global to contoso-kv')).toBe(
      'contoso-global has 1 replica. Azure copies the link to each, with a connection for each to approve, which Vaultlink does not do yet: nothing was created. Make the link in the Azure portal.',
    )
  })

  test('the requester may not write it, by name or by id', async () => {
    for (const named of ['contoso-signalr', signalrId('contoso-signalr')]) {
      const answer = await inVain(`link ${named} to contoso-kv`, { by: 'outsider' })
      expect(answer).toContain('You may not make links on contoso-signalr, so nothing was asked for.')
      expect(answer).toContain('Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write')
    }
  })

  test('who may not write it learns nothing about it', async () => {
    expect(await inVain('link contoso-free to contoso-kv', { by: 'outsider' })).not.toMatch(/free tier/)
    expect(await inVain(`link contoso-signalr to contoso-kv as 1`, { by: 'outsider' })).toMatch(
      /may not make links/,
    )
  })

  test('a guest', async () => {
    expect(await inVain('link contoso-signalr to contoso-kv', { by: 'guest' })).toBe(
      'You are a guest in this organisation, and Vaultlink serves its own people only. Ask a colleague who belongs to it.',
    )
  })
})

describe('a name leads nowhere', () => {
  test('an unknown SignalR: a short list of those that the person may write, and nothing else', async () => {
    const answer = await inVain('link contoso-signalrr to contoso-kv')
    expect(answer).toContain('I find no SignalR "contoso-signalrr" that you may make links on.')
    expect(answer).toMatch(/You can use contoso-signalr \(contoso\)/)
    expect(answer).toContain('contoso-chat (chat-blue)')
    expect(answer).not.toContain('labs-signalr')
  })

  test('and for somebody who may write one: that one', async () => {
    const answer = await inVain('link contoso-signalrr to contoso-kv', { by: 'lone' })
    expect(answer).toContain('You can use contoso-signalr (contoso). Otherwise')
  })

  test('and for somebody who may write none: none', async () => {
    const answer = await inVain('link contoso-signalrr to contoso-kv', { by: 'outsider' })
    expect(answer).not.toMatch(/You can use/)
  })

  test('an unknown vault: a short list of those that have an owners’ channel, and nothing else', async () => {
    const answer = await inVain('link contoso-signalr to contoso-vk')
    expect(answer).toContain('I find no vault "contoso-vk".')
    expect(answer).toMatch(/You can use contoso-kv \(contoso\), .*contoso-certs \(contoso\)/)
    expect(answer).not.toMatch(/orphan-kv|labs-kv/)
  })

  test('neither is known: both are said', async () => {
    const answer = await inVain('link nothing to nowhere')
    expect(answer).toMatch(/no SignalR "nothing"[\s\S]*no vault "nowhere"/)
  })

  test('two SignalRs of one name: which, by resource id', async () => {
    const answer = await inVain('link contoso-chat to contoso-kv')
    expect(answer).toContain('There are 2 of the name "contoso-chat". Say which by its resource id:')
    for (const group of ['chat-blue', 'chat-green'])
      expect(answer).toContain(signalrId('contoso-chat', group))
  })

  test.each([
    ['SignalR', () => `link ${signalrId('contoso-signalr')}-2 to contoso-kv`],
    ['vault', () => `link contoso-signalr to ${vaultId('contoso-kv')}2`],
  ])('a resource id of a %s that is not there', async (kind, text) => {
    const answer = await inVain(text())
    expect(answer).toContain(`I find no ${kind} "/subscriptions/`)
    expect(answer).toContain('create it')
  })
})

describe('the link’s name and the reason', () => {
  test.each(['1st', 'ab', `a${'b'.repeat(63)}`, 'kv_contoso', 'kv-', 'ключ'])('as %s', async (name) => {
    const answer = await inVain(`link contoso-signalr to contoso-kv as ${name}`)
    expect(answer).toContain(`"${name}" cannot be a link's name.`)
    expect(answer).toContain('link contoso-signalr to contoso-kv as kv-contoso-kv')
  })

  test('a reason of more than 100 characters', async () => {
    expect(await inVain(`link contoso-signalr to contoso-kv because ${'so '.repeat(40)}`)).toMatch(
      /^The reason has 119 characters, and at most 100 fit\. Nothing was recorded/,
    )
  })
})

describe('somebody else made such a link already', () => {
  const standing = 'link contoso-signalr to contoso-certs'
  beforeAll(async () => {
    world.azure.portal.createLink('contoso-signalr', 'contoso-certs', 'by-hand', 'please approve')
    await world.passes(minutes(5))
  })

  test('Pending: which, and what to do', async () => {
    expect(await inVain(standing)).toBe(
      "contoso-signalr already has a link to contoso-certs that somebody else made: by-hand, state Pending. Nothing was created. Ask the vault's owner to decide on it in the Azure portal, or remove it and ask again.",
    )
  })

  test('a name that is taken', async () => {
    expect(await inVain('link contoso-signalr to contoso-kv as By-Hand')).toBe(
      'contoso-signalr already has a link named By-Hand. Pick another: link contoso-signalr to contoso-kv as <another name>, or leave the name out.',
    )
  })

  test('Rejected: it is in the way', async () => {
    world.azure.portal.reject('contoso-certs', 'owner')
    await world.passes(minutes(5))
    expect(await inVain(standing)).toMatch(/by-hand, state Rejected\. Nothing was created\. Remove that link/)
  })

  test('Approved: there is nothing to do', async () => {
    world.azure.portal.deleteLink('contoso-signalr', 'by-hand')
    await world.passes(minutes(5))
    world.azure.portal.createLink('contoso-signalr', 'contoso-certs', 'by-hand', 'please approve')
    await world.passes(minutes(5))
    world.azure.portal.approve('contoso-certs', 'owner')
    await world.passes(minutes(5))
    expect(await inVain(standing)).toBe(
      'contoso-signalr reaches contoso-certs privately already, through by-hand. Nothing was created.',
    )
  })
})

describe('there is nobody to ask', () => {
  test('no channel decides for the vault', async () => {
    expect(await inVain('link contoso-signalr to orphan-kv')).toBe(
      'No channel decides for orphan-kv yet, so there is nobody to ask. Ask its owner to add Vaultlink to their team and say there: own orphan-kv.',
    )
  })

  test('nobody in that channel may approve any more', async () => {
    world.azure.rights.revoke(objectId('lone'), 'vaultApprover', vaultId('solo-kv'))
    expect(await inVain('link contoso-signalr to solo-kv')).toBe(
      "Nobody in the channel that decides for solo-kv may approve there, so asking would lead nowhere. Ask the vault's owner to join that channel, or to claim the vault in theirs: own solo-kv.",
    )
    world.azure.rights.grant(objectId('lone'), 'vaultApprover', vaultId('solo-kv'))
  })

  test('the vault has no room for another connection', async () => {
    world.azure.rights.grant(objectId('owner'), 'vaultApprover', vaultId('orphan-kv'))
    await claims(world, 'orphan-kv')
    for (let n = 0; n < 64; n++) world.azure.portal.addConnection('orphan-kv', `the ${n}th`)
    expect(await inVain('link contoso-signalr to orphan-kv')).toBe(
      'orphan-kv has 64 private endpoint connections, and Azure allows 64. Its owner has to remove one first; nothing was created.',
    )
  })
})

describe('the bot itself lacks a right', () => {
  test('on the SignalR', async () => {
    const chat = signalrId('contoso-chat', 'chat-green')
    const action = 'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/delete'
    world.azure.rights.deny(bot.objectId, action, chat)
    const answer = await inVain(`link ${chat} to contoso-kv`)
    expect(answer).toContain('Vaultlink itself lacks a right on contoso-chat, so nobody was asked.')
    expect(answer).toContain(action)
    expect(answer).not.toContain('SignalR/read')
  })

  test('on the vault', async () => {
    const action = 'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action'
    world.azure.rights.deny(bot.objectId, action, vaultId('solo-kv'))
    const answer = await inVain('link contoso-signalr to solo-kv')
    expect(answer).toContain('Vaultlink itself lacks a right on solo-kv, so nobody was asked.')
    expect(answer).toContain(action)
    expect(answer).toContain('the built-in role Azure AI Enterprise Network Connection Approver has them')
  })

  test('to see it at all', async () => {
    world.azure.rights.deny(bot.objectId, 'Microsoft.KeyVault/vaults/read', vaultId('labs-kv'))
    const answer = await inVain(`link contoso-signalr to ${vaultId('labs-kv')}`)
    expect(answer).toContain('Vaultlink may not look at "/subscriptions/')
    expect(answer).toContain('Microsoft.KeyVault/vaults/read')
  })
})

describe('rights that cannot be read are a no', () => {
  test.each([
    ['Azure answers an error', { status: 500 }],
    ['the connection breaks', { how: 'reset' }],
  ] as const)('%s', async (_, how) => {
    // Two are read there: what the requester holds, and what the bot does.
    world.azure.fail({ path: /contoso-signalr\/.*roleAssignments/i, times: 2, ...how })
    expect(await inVain('link contoso-signalr to contoso-kv')).toMatch(
      /^Your rights on contoso-signalr could not be read, and then the answer is no\. Nothing was recorded/,
    )
  })
})

test('who asks for the same follows the first, is told how it ends, and nothing is made twice', async () => {
  const blue = signalrId('contoso-chat', 'chat-blue')
  world.azure.rights.grant(objectId('lone'), 'linkMaker', blue)
  const first = await pending(world, `link ${blue} to contoso-kv`)
  const answer = await inVain(`link ${blue} to contoso-kv because me too`, { by: 'lone', in: 'random' })
  expect(answer).toBe(
    "Riley Park asked for contoso-chat to contoso-kv already; it is waiting for the vault's owner. You follow it from here: I'll tell you how it ends.",
  )
  // The first may ask again as well, and is not told twice.
  expect(await inVain(`link ${blue} to contoso-kv`)).toMatch(
    /Riley Park asked for contoso-chat to contoso-kv already/,
  )

  const since = watch(world)
  await approves(world, first.approval)
  const good = await world.teams.channel('random').shows('can now reach contoso-kv privately', { within })
  expect(good.mentions).toEqual(['lone'])
  await first.thread.shows('can now reach contoso-kv privately', { within })
  await world.teams.thread(first.approval).shows('Working since', { within })
  // The thread in which the first asked again follows too, and may be the last to hear.
  const heardOf = () => since.told().filter(({ text }) => text.includes('can now reach')).length
  await until(world, 'all three threads are told', () => heardOf() === 3)

  // Who asks when it works is told so, and hears no old news.
  expect(await inVain(`link ${blue} to contoso-kv`, { by: 'lone', in: 'with:lone' })).toBe(
    "contoso-chat reaches contoso-kv privately already; Riley Park asked for it. I'll tell you here if that changes.",
  )
  await unlinked(world, first)
  const heard = world.teams.channel('with:lone')
  await heard.shows('Riley Park removed the link kv-contoso-kv.', { within })
  expect(heard.text()).not.toContain('can now reach')
})
