/** What people do in the Azure portal behind the bot's back: an ordinary observation at every stage, followed and told. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { defaults } from '../../sandbox/azure/switches.ts'
import { hurried, type World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  asks,
  buttonsOf,
  closed,
  days,
  invoke,
  linked,
  linkIdOn,
  minutes,
  pending,
  type Request,
  rejects,
  seen,
  startStage,
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

const vault = 'contoso-kv'
const portal = (): World['azure']['portal'] => world.azure.portal
const nothingLeft = (): void =>
  expect({ links: world.azure.links(), connections: world.azure.connections(vault) }).toEqual({
    links: [],
    connections: [],
  })
type Asked = Request & { readonly approval?: Message }
type Message = Request['card']

/** Both places have heard how it ended, and nothing is left to press. */
async function ends({ thread, card, approval }: Asked, says: string | RegExp, sign: string): Promise<void> {
  const news = await thread.shows(typeof says === 'string' ? new RegExp(`^@Riley Park ${says}`) : says, {
    within,
  })
  expect(news.mentions).toEqual(['requester'])
  for (const [where, one] of [
    [thread, card],
    ...(approval ? [[world.teams.thread(approval), approval] as const] : []),
  ] as const) {
    await where.shows(new RegExp(`\\n${sign} `), { within })
    expect(buttonsOf(one)).toEqual([])
  }
}
async function works(asked: Asked, who: string): Promise<void> {
  await ends(
    asked,
    `contoso-signalr can now reach contoso-kv privately\\. Approved ${who} at `,
    `✓ Approved ${who}`,
  )
  await unlinked(world, asked)
  nothingLeft()
}

describe('before the bot has found its connection', () => {
  /** The connection is on the vault while the link is still being made. */
  async function early(): Promise<Request> {
    world.azure.configure({ appearsEarly: true, provisioningMs: minutes(5) })
    const request = await asks(world)
    await request.thread.shows('Provisioning state: Creating', { within })
    await world.passes(1_000)
    return request
  }

  test.each(['kept', 'overwritten'] as const)(
    'approved, the request message %s: it works, and the owners are not asked',
    async (portalDescription) => {
      const since = watch(world)
      const request = await early()
      world.azure.configure({ portalDescription })
      portal().approve(vault, 'owner')
      await world.passes(minutes(5))
      await works(request, 'in the Azure portal')
      expect(since.told().filter(({ channel }) => channel === 'vault-owners')).toEqual([])
    },
  )

  test.each(['kept', 'overwritten'] as const)(
    'rejected, the request message %s: the link is removed',
    async (portalDescription) => {
      const request = await early()
      world.azure.configure({ portalDescription })
      portal().reject(vault, 'owner')
      await world.passes(minutes(5))
      await ends(request, 'Rejected in the Azure portal\\. ', '✕ Rejected in the Azure portal')
      nothingLeft()
    },
  )

  test('the connection removed: the request ends', async () => {
    const request = await early()
    portal().removeConnection(vault)
    await world.passes(minutes(5))
    await ends(request, 'Linking contoso-signalr to contoso-kv failed\\.', '✕ Failed')
    nothingLeft()
  })

  test('the link deleted: the request ends', async () => {
    world.azure.configure({ appearsMs: minutes(5) })
    const request = await asks(world)
    await request.thread.shows('Provisioning state: Succeeded', { within })
    portal().deleteLink('contoso-signalr', 'kv-contoso-kv')
    // A link that was just put may take a minute to be shown: only then is it surely gone.
    await world.passes(minutes(2))
    await ends(request, 'Somebody removed the link kv-contoso-kv in Azure\\.', '– Removed')
    nothingLeft()
  })

  test('a look-alike with our own mark: nobody is asked to guess, until it is removed', async () => {
    const request = await early()
    portal().addConnection(vault, `please approve ${request.mark}`)
    await world.passes(minutes(5))
    await request.thread.shows(/^@Riley Park 2 connections on contoso-kv carry this request's message/, {
      within,
    })
    const [, stranger] = world.azure.connections(vault)
    portal().removeConnection(vault, stranger?.name)
    const approval = await approvalOf(world, request)
    await approves(world, approval)
    await works({ ...request, approval }, 'by Noor Haddad')
  })
})

describe('while the owners are asked', () => {
  test('approved: both cards say so, and who presses now is told', async () => {
    const request = await pending(world)
    const link = linkIdOn(request.approval)
    portal().approve(vault, 'owner')
    await request.thread.shows('can now reach', { within })
    const { text } = await world.teams
      .person('second')
      .sendsInvoke(invoke('reject', { link }), { replyToId: request.approval.id })
    expect(text).toMatch(/^Approved already in the Azure portal, .*The first answer stands\. Now: working\.$/)
    await works(request, 'in the Azure portal')
  })

  test('approved, and the description overwritten: it is known by its id', async () => {
    world.azure.configure({ portalDescription: 'overwritten' })
    const request = await pending(world)
    portal().approve(vault, 'owner')
    await works(request, 'in the Azure portal')
  })

  test('rejected: the link is removed', async () => {
    const request = await pending(world)
    portal().reject(vault, 'owner')
    await ends(
      request,
      'Rejected in the Azure portal\\. contoso-signalr is not linked to contoso-kv, and the link kv-contoso-kv is removed\\.',
      '✕ Rejected in the Azure portal',
    )
    nothingLeft()
  })

  test('the connection removed: the link is removed', async () => {
    const request = await pending(world)
    portal().removeConnection(vault)
    await ends(
      request,
      'Linking contoso-signalr to contoso-kv failed\\. The connection is no longer on contoso-kv\\. .* If it is still wanted, ask again: ',
      '✕ Failed',
    )
    nothingLeft()
  })

  test('the link deleted: the request ends, and its connection that goes with it is not mistaken for the cause', async () => {
    world.azure.configure({ deletingMs: minutes(1) })
    const request = await pending(world)
    portal().deleteLink('contoso-signalr', 'kv-contoso-kv')
    portal().removeConnection(vault)
    await request.thread.shows('Provisioning state: Deleting', { within })
    await world.passes(minutes(2))
    await ends(request, 'Somebody removed the link kv-contoso-kv in Azure\\.', '– Removed')
    nothingLeft()
  })

  test('the link replaced by another of its name: that one is left alone', async () => {
    const request = await pending(world)
    const since = watch(world)
    portal().deleteLink('contoso-signalr', 'kv-contoso-kv')
    world.azure.turn(minutes(1))
    portal().createLink('contoso-signalr', 'contoso-certs', 'kv-contoso-kv', 'not of Vaultlink')
    await ends(request, 'Linking contoso-signalr to contoso-kv failed\\.', '✕ Failed')
    expect(since.writes()).toEqual([])
    await world.passes(minutes(5))
    expect(world.azure.links()).toMatchObject([{ requestMessage: 'not of Vaultlink' }])
    portal().deleteLink('contoso-signalr', 'kv-contoso-kv')
    await world.passes(minutes(1))
    nothingLeft()
  })

  test('a connection with the usual message beside ours: only ours is approved', async () => {
    const request = await pending(world)
    portal().addConnection(vault, 'please approve')
    await approves(world, request.approval)
    await request.thread.shows('can now reach', { within })
    expect(world.azure.connections(vault).map(({ status }) => status)).toEqual(['Approved', 'Pending'])
    await unlinked(world, request)
    portal().removeConnection(vault)
    nothingLeft()
  })

  test.each(['Pending', 'Rejected', 'Approved'] as const)(
    'a look-alike with our own mark, %s: nothing is approved until it is removed',
    async (status) => {
      const request = await pending(world)
      portal().addConnection(vault, `please approve ${request.mark}`, status)
      const since = watch(world)
      const { text, card } = await approves(world, request.approval)
      expect(card).toBeUndefined()
      expect(text).toMatch(
        /^2 connections on contoso-kv carry this request's message.* Nothing was recorded\./,
      )
      expect(since.writes()).toEqual([])
      const [, stranger] = world.azure.connections(vault)
      portal().removeConnection(vault, stranger?.name)
      await approves(world, request.approval)
      await works(request, 'by Noor Haddad')
    },
  )

  test('the connection replaced by another with its mark: that one is not approved', async () => {
    const request = await pending(world)
    portal().removeConnection(vault)
    portal().addConnection(vault, `please approve ${request.mark}`)
    const since = watch(world)
    await ends(request, 'Linking contoso-signalr to contoso-kv failed\\.', '✕ Failed')
    expect(since.writes().filter((write) => write.startsWith('PUT'))).toEqual([])
    portal().removeConnection(vault)
    nothingLeft()
  })
})

describe('between the click and its effect', () => {
  /** An owner has decided on the card; the bot's PUT did not get through, and is not sent again at once. */
  async function decided(
    how: (card: Message) => Promise<unknown>,
    portalDoes: () => void,
  ): Promise<Request & { approval: Message }> {
    const request = await pending(world)
    const since = watch(world)
    world.azure.fail({ method: 'PUT', path: /privateEndpointConnections/i, times: 1, status: 503 })
    await how(request.approval)
    await until(world, 'the PUT fails', () => since.writes().some((write) => /^PUT .* 503$/.test(write)))
    portalDoes()
    await world.passes(5_000)
    return request
  }
  const sent = (writes: readonly string[]): readonly string[] =>
    writes.filter((write) => write.startsWith('PUT')).map((write) => write.slice(-3))

  test('rejected: an owner’s rejection is not overridden', async () => {
    const since = watch(world)
    const request = await decided(
      (card) => approves(world, card),
      () => portal().reject(vault, 'owner'),
    )
    await ends(request, 'Rejected in the Azure portal\\.', '✕ Rejected in the Azure portal')
    expect(sent(since.writes())).toEqual(['201', '503'])
    nothingLeft()
  })

  test('approved: nothing is sent again', async () => {
    const since = watch(world)
    const request = await decided(
      (card) => approves(world, card),
      () => portal().approve(vault, 'second'),
    )
    await request.thread.shows('can now reach', { within })
    expect(sent(since.writes())).toEqual(['201', '503'])
    await works(request, 'by Noor Haddad')
  })

  test('the connection removed: the request ends', async () => {
    const request = await decided(
      (card) => approves(world, card),
      () => portal().removeConnection(vault),
    )
    await ends(request, 'Linking contoso-signalr to contoso-kv failed\\.', '✕ Failed')
    nothingLeft()
  })

  test('the link deleted: the request ends', async () => {
    const request = await decided(
      (card) => approves(world, card),
      () => portal().deleteLink('contoso-signalr', 'kv-contoso-kv'),
    )
    await world.passes(minutes(2))
    await ends(request, 'Somebody removed the link kv-contoso-kv in Azure\\.', '– Removed')
    nothingLeft()
  })

  test('approved after a rejection on the card: the rejection came first, and the link is removed', async () => {
    const request = await decided(
      (card) => rejects(world, card, 'no'),
      () => portal().approve(vault, 'second'),
    )
    await ends(request, 'Rejected by Noor Haddad: "no"\\.', '✕ Rejected by Noor Haddad')
    nothingLeft()
  })
})

describe('on its way to SignalR', () => {
  async function onItsWay(): Promise<Request & { approval: Message }> {
    world.azure.configure({ propagation: 'never' })
    const request = await pending(world)
    await approves(world, request.approval)
    await request.thread.shows('on its way to SignalR', { within })
    // The vault takes no other write until it has settled.
    await world.passes(minutes(1))
    return request
  }

  test('rejected: the link is removed', async () => {
    const request = await onItsWay()
    portal().reject(vault, 'second')
    await ends(request, 'Rejected in the Azure portal\\.', '✕ Rejected in the Azure portal')
    nothingLeft()
  })

  test('the connection removed: the link is removed', async () => {
    const request = await onItsWay()
    portal().removeConnection(vault)
    await ends(request, 'Linking contoso-signalr to contoso-kv failed\\.', '✕ Failed')
    nothingLeft()
  })

  test('the link deleted: the request ends', async () => {
    const request = await onItsWay()
    portal().deleteLink('contoso-signalr', 'kv-contoso-kv')
    await ends(request, 'Somebody removed the link kv-contoso-kv in Azure\\.', '– Removed')
    nothingLeft()
  })
})

describe('long after it worked', () => {
  /** A month later, and at last the daily look. */
  async function aMonthLater(does: () => void): Promise<{ request: Asked; since: ReturnType<typeof watch> }> {
    const request = await linked(world)
    await world.passes(days(30))
    const since = watch(world)
    does()
    await world.passes(days(1.05))
    return { request, since }
  }

  test('rejected: both sides are told, nothing is removed; approved again, it works again', async () => {
    const { request, since } = await aMonthLater(() => portal().reject(vault, 'owner'))
    const bad = await request.thread.shows(
      'contoso-signalr no longer reaches contoso-kv privately: its connection on contoso-kv is Rejected.',
      { within },
    )
    expect(bad.text).toContain('Vaultlink has removed nothing.')
    expect(bad.mentions).toEqual(['requester'])
    await world.teams
      .thread(request.approval ?? bad)
      .shows(/its connection on contoso-kv is Rejected\. .* approve it again on contoso-kv/, { within })
    await request.thread.shows('✕ Disconnected · contoso-signalr no longer reaches contoso-kv privately', {
      within,
    })
    expect(since.writes()).toEqual([])
    expect(world.azure.links()).toMatchObject([{ status: 'Rejected' }])

    portal().approve(vault, 'owner', 'vaultlink')
    await world.passes(days(1.05))
    await request.thread.shows(/reaches contoso-kv privately again\. Approved in the Azure portal at /, {
      within,
    })
    await world.teams.thread(request.approval ?? bad).shows('Working again since', { within })
    await request.thread.shows('✓ Approved in the Azure portal · working since', { within })
    await unlinked(world, request)
    nothingLeft()
  })

  test('the connection removed: both sides are told', async () => {
    const { request } = await aMonthLater(() => portal().removeConnection(vault))
    for (const thread of [request.thread, world.teams.thread(request.approval ?? request.card)])
      await thread.shows(
        'no longer reaches contoso-kv privately: its connection is no longer on contoso-kv.',
        {
          within,
        },
      )
    // What is disconnected can be taken away as well.
    await unlinked(world, { thread: request.thread })
    nothingLeft()
  })

  test('the link deleted: both sides are told', async () => {
    const { request } = await aMonthLater(() => portal().deleteLink('contoso-signalr', 'kv-contoso-kv'))
    await ends(request, 'Somebody removed the link kv-contoso-kv in Azure\\.', '– Removed')
    nothingLeft()
  })

  test('nothing happened: Azure is looked at once a day, and nobody hears anything', async () => {
    const request = await linked(world)
    const since = watch(world)
    for (const day of [1, 2, 3]) {
      await world.passes(days(1.05))
      await until(world, `the look of day ${day}`, () => since.looks() >= day)
      expect(since.looks()).toBe(day)
    }
    expect({ told: since.told(), writes: since.writes() }).toEqual({ told: [], writes: [] })
    expect(seen(request.card)).toContain('✓ Approved by Noor Haddad')
    await unlinked(world, request)
  })
})
