/** Azure hangs, fails, throttles and breaks off, and so does Teams: people are answered, nothing is done twice, it ends right. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { armWording } from '../../sandbox/azure/faults.ts'
import type { AzureEvent } from '../../sandbox/azure/state.ts'
import { openProxy, type PeerProxy } from '../../sandbox/proxy/proxy.ts'
import { people } from '../../sandbox/seed.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import { hurried, startWorld, type World } from '../../sandbox/world.ts'
import { seen, sentence, until, within } from './stage.ts'

const tryAgain = /Nothing was recorded; please try again in a minute/

const approval = ({ teams }: World): Promise<Message> =>
  teams.channel('vault-owners').shows('Approve a private connection to contoso-kv?', { within })
const effects = (events: readonly AzureEvent[]): string[] =>
  events.flatMap((event) =>
    event.kind === 'effect' &&
    /^(link|connection)(Created|Updated|Deleted|Approved|Rejected|Reset)$/.test(event.what)
      ? [event.what]
      : [],
  )
const calls = (
  events: readonly AzureEvent[],
  method: string,
  path: RegExp,
): (AzureEvent & { kind: 'arm' })[] =>
  events.filter(
    (event): event is AzureEvent & { kind: 'arm' } =>
      event.kind === 'arm' && event.method === method && path.test(event.path),
  )

// ---- turns -------------------------------------------------------------------------------------------

const graph = /Microsoft\.ResourceGraph\/resources$/i
const signalr = /SignalR\/contoso-signalr$/i
const replicas = /contoso-signalr\/replicas$/i
const vault = /vaults\/contoso-kv$/i
const connections = /contoso-kv\/privateEndpointConnections$/i
const rights = (of: string, what: string): RegExp =>
  new RegExp(`${of}/providers/Microsoft\\.Authorization/${what}$`, 'i')
const roles = /providers\/Microsoft\.Authorization\/roleDefinitions/i

describe('a turn whose reads hang', () => {
  let world: World
  let door: PeerProxy
  beforeAll(async () => {
    door = await openProxy({ wording: armWording })
    world = await startWorld({
      pace: hurried,
      environment: { ARM_ENDPOINT: door.url, VAULTLINK_TURN_SECONDS: '0.4' },
    })
    door.leadsTo(world.azure.url)
    world.teams.configure({ throttle: false })
    world.azure.configure({ throttle: false })
  })
  afterAll(async () => {
    await world.close()
    await door.close()
  })

  const places = { requester: 'general', owner: 'vault-owners' } as const
  /** Says it; resolves to what the bot said in that thread. */
  async function told(who: keyof typeof places, text: string): Promise<string> {
    const said = await world.teams.person(who).says(text).in(places[who])
    return seen(await world.teams.thread(said).shows(/^(?!.*@Vaultlink)/s, { within }))
  }
  async function pressed(answer: Promise<Answer>): Promise<string> {
    return (await answer).text ?? 'no words'
  }
  async function unanswered(path: RegExp, turn: () => Promise<string>, query?: RegExp): Promise<void> {
    const hang = door.fail({ path, times: Infinity, how: 'hang', ...(query && { query }) })
    try {
      expect([path, await turn()]).toEqual([path, expect.stringMatching(tryAgain)])
      // What is not read cannot keep anybody waiting.
      expect([path, hang.met()]).not.toEqual([path, 0])
    } finally {
      hang.lift()
    }
  }

  test('says that nothing was recorded, and nothing was', async () => {
    const { azure, teams } = world
    const own = (): Promise<string> => told('owner', 'own contoso-kv')
    for (const path of [
      graph,
      vault,
      rights('contoso-kv', 'roleAssignments'),
      rights('contoso-kv', 'denyAssignments'),
      roles,
    ])
      await unanswered(path, own)
    const owned = await own()
    expect(owned).toContain('from now on')

    const link = (): Promise<string> => told('requester', sentence)
    for (const path of [
      // First, since roles are remembered once they are read.
      roles,
      graph,
      signalr,
      replicas,
      vault,
      rights('contoso-signalr', 'roleAssignments'),
      rights('contoso-signalr', 'denyAssignments'),
      rights('contoso-kv', 'roleAssignments'),
      rights('contoso-kv', 'denyAssignments'),
    ])
      await unanswered(path, link)
    // Enough is known without this one's rights, but too late to be recorded.
    await unanswered(rights('contoso-kv', 'roleAssignments'), link, new RegExp(people.owner.objectId))
    // The form reads what it offers.
    await unanswered(graph, () => told('requester', 'link'))
    expect(effects(azure.events)).toEqual([])
    await link()
    const card = await approval(world)
    const status = await teams.channel('general').shows(/^Link contoso-signalr/, { within })

    const approve = (): Promise<string> =>
      pressed(teams.person('owner').presses('Approve…', 'Yes, approve').on(card))
    const reject = (): Promise<string> =>
      pressed(teams.person('owner').presses('Reject…', 'Yes, reject').on(card, { reason: 'no' }))
    const cancel = (): Promise<string> =>
      pressed(teams.person('lone').presses('Cancel request', 'Yes, cancel').on(status))
    for (const path of [rights('contoso-kv', 'roleAssignments'), rights('contoso-kv', 'denyAssignments')]) {
      await unanswered(path, approve)
      await unanswered(path, reject)
    }
    await unanswered(connections, approve)
    for (const path of [
      rights('contoso-signalr', 'roleAssignments'),
      rights('contoso-signalr', 'denyAssignments'),
    ])
      await unanswered(path, cancel)
    expect(effects(azure.events)).toEqual(['linkCreated'])
    expect(seen(card)).toContain('Your decision')

    // And nobody's half-heard wish comes back later: once decided, it goes its one way.
    await approve()
    await teams.channel('vault-owners').shows('Working since', { within })
    expect(effects(azure.events)).toEqual(['linkCreated', 'connectionApproved'])
    expect(
      teams
        .channel('general')
        .messages()
        .filter((message) => /^Link contoso/.test(seen(message))),
    ).toHaveLength(1)
    expect(world.bot().log.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('is answered while Teams still waits, by the usual settings', async () => {
    await world.restart({ environment: { VAULTLINK_TURN_SECONDS: '3' } })
    // What old clients wait.
    world.teams.configure({ deliveryDeadlineMs: 5_000 })
    const hang = door.fail({ times: Infinity, how: 'hang' })
    try {
      const [link, own] = await Promise.all([
        told('requester', 'link contoso-signalr to contoso-certs'),
        told('owner', 'own contoso-certs'),
      ])
      expect(link).toMatch(tryAgain)
      expect(own).toMatch(tryAgain)
    } finally {
      hang.lift()
    }
  })
})

// ---- the worker --------------------------------------------------------------------------------------

const linkPath = /sharedPrivateLinkResources\/kv-contoso-kv$/i
const connectionPath = /privateEndpointConnections\/[^/]+$/i

describe('the worker', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({
      pace: hurried,
      environment: { VAULTLINK_SETTLE_SECONDS: '0.5' },
      onLog({ event }) {
        for (const heard of listening) heard(event)
        // Nobody waits out a back-off: the clock is turned past it, for everybody.
        if (!patience && /^(azure|teams)(\.look)?\.failed$/.test(event)) world.passes(130_000).catch(failed)
      },
    })
    world.teams.configure({ throttle: false })
    world.azure.configure({ throttle: false })
    await world.teams.person('owner').says('own contoso-kv').in('vault-owners')
  })
  afterAll(() => world.close())
  let patience = false
  const listening = new Set<(event: string) => void>()
  /** The next such line of the log: then the bot has taken it in. */
  const logged = (what: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const heard = (event: string): void => {
        if (!what.test(event)) return
        listening.delete(heard)
        resolve()
      }
      listening.add(heard)
    })
  const failed = (error: unknown): void => console.error(error)

  const faults = [
    { name: '500 without acting', fault: { status: 500 } },
    { name: '500 after acting', fault: { status: 500, when: 'after' } },
    { name: '429 with Retry-After', fault: { status: 429, headers: { 'retry-after': '120' } } },
    { name: 'a reset without acting', fault: { how: 'reset' } },
    { name: 'a reset after acting', fault: { how: 'reset', when: 'after' } },
    { name: 'silence without acting', fault: { how: 'hang' } },
    { name: 'silence after acting', fault: { how: 'hang', when: 'after' } },
  ] as const

  test.each(faults)(
    'meets $name on each call: it ends right, and nothing is done twice',
    async ({ fault }) => {
      const { azure, teams } = world
      // With the usual deadline a client that tried again by itself would have the time to.
      if ('how' in fault && fault.how === 'hang')
        await world.restart({ environment: { VAULTLINK_CALL_SECONDS: '0.4' } })
      const from = azure.events.length
      const since = () => azure.events.slice(from)
      for (const [method, path] of [
        ['PUT', linkPath],
        ['PUT', connectionPath],
        ['DELETE', linkPath],
      ] as const)
        azure.fail({ ...fault, method, path, times: 1 })
      const asked = await teams.person('requester').says(sentence).in('general')
      for (const path of [linkPath, /sharedPrivateLinkResources$/i, connections])
        azure.fail({ ...fault, method: 'GET', path, times: 1 })
      const card = await approval(world)
      expect(await teams.person('owner').presses('Approve…', 'Yes, approve').on(card)).toMatchObject({
        type: expect.stringContaining('card'),
      })
      await teams.thread(asked).shows('can now reach', { within })
      const question = await teams
        .person('requester')
        .says('unlink contoso-signalr from contoso-kv')
        .in(teams.thread(asked))
      expect(question.delivered).toBe(200)
      const confirm = await teams.thread(asked).shows('Unlink contoso-signalr from contoso-kv?', { within })
      await teams.person('requester').presses('Yes, unlink').on(confirm)
      await teams.thread(asked).shows('Riley Park removed the link', { within })
      await teams.thread(card).shows('Riley Park removed the link', { within })
      expect(effects(since())).toEqual(['linkCreated', 'connectionApproved', 'linkDeleted'])
      // What was done is seen at the next look, and not sent again.
      const times = 'when' in fault ? 1 : 2
      expect(calls(since(), 'PUT', linkPath)).toHaveLength(times)
      expect(calls(since(), 'PUT', connectionPath)).toHaveLength(times)
      expect(calls(since(), 'DELETE', linkPath)).toHaveLength(times)
      expect(azure.links()).toEqual([])
    },
  )

  test.each(['PUT', 'GET'] as const)(
    'calls no sooner than Azure asked for after a 429 on %s, restarted or not',
    async (method) => {
      const { azure, teams } = world
      patience = true
      const from = azure.events.length
      const since = () => azure.events.slice(from)
      const ours = () => since().filter((event) => event.kind === 'arm' && linkPath.test(event.path))
      azure.fail({ method, path: linkPath, times: 1, status: 429, headers: { 'retry-after': '600' } })
      const heard = logged(/^azure(\.look)?\.failed$/)
      const asked = await teams.person('requester').says('link contoso-signalr to contoso-kv').in('general')
      await heard
      const made = ours().length
      await world.passes(300_000)
      // Whatever wakes the record meanwhile, this link waits.
      const follows = await teams.person('lone').says('link contoso-signalr to contoso-kv').in('general')
      // Where it is reads that Azure wants fewer of, a turn does without them too.
      await teams.thread(follows).shows(method === 'GET' ? tryAgain : 'You follow it from here', { within })
      await world.restart()
      await world.passes(295_000)
      await teams.person('lone').says('status').in('with:lone')
      expect(ours()).toHaveLength(made)
      await world.passes(5_000)
      await until(world, 'the link is made', () => azure.links().length === 1)
      const [first, next] = [ours()[made - 1]?.at ?? 0, ours()[made]?.at ?? 0]
      expect(next - first).toBeGreaterThanOrEqual(600_000)
      patience = false
      await cancelled(asked)
    },
  )

  /** Takes a request back; resolves when all is told, so that the next test's faults meet nothing of it. */
  async function cancelled(asked: Message): Promise<void> {
    const { teams } = world
    const thread = teams.thread(asked)
    const card = await approval(world)
    await teams.person('requester').says('cancel contoso-signalr to contoso-kv').in('with:requester')
    await thread.shows(/Cancelled by Riley Park\. The link/, { within })
    await thread.shows(/^Link contoso-signalr[\s\S]*Cancelled by Riley Park · nothing/, { within })
    await teams.thread(card).shows(/^Cancelled by Riley Park\. The link/, { within })
    await teams.thread(card).shows(/^Private connection[\s\S]*Cancelled by Riley Park · nothing/, { within })
  }

  const posts = { method: 'POST', path: /\/v3\/conversations/ }
  const isCard = (message: Message): boolean =>
    message.from === 'Vaultlink' && /^Link contoso-signalr/.test(seen(message))

  test.each([
    { name: '500', fault: { status: 500 }, cards: 1 },
    { name: '429 with Retry-After', fault: { status: 429, headers: { 'retry-after': '60' } }, cards: 1 },
    { name: '412', fault: { status: 412 }, cards: 1 },
    { name: 'a reset before acting', fault: { how: 'reset' }, cards: 1 },
    // Teams has no key by which to know a post again.
    { name: 'a reset after acting', fault: { how: 'reset', when: 'after' }, cards: 2 },
  ] as const)('posts its card when Teams answers $name', async ({ fault, cards }) => {
    const { azure, teams } = world
    const from = azure.events.length
    teams.fail({ ...fault, ...posts, times: 1 })
    const asked = await teams.person('requester').says(sentence).in('general')
    await approval(world)
    await teams.thread(asked).shows("Waiting for the vault's owner", { within })
    expect(teams.thread(asked).messages().filter(isCard)).toHaveLength(cards)
    await cancelled(asked)
    expect(effects(azure.events.slice(from))).toEqual(['linkCreated', 'linkDeleted'])
  })
})

describe('a place that is gone', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ pace: hurried, environment: {} })
    world.teams.configure({ throttle: false })
    world.azure.configure({ throttle: false })
    await world.teams.person('owner').says('own contoso-kv').in('vault-owners')
  })
  afterAll(() => world.close())

  test('in the owners’ channel: the requester is told, and an approval in the portal is noticed all the same', async () => {
    const { azure, teams } = world
    teams.fail({
      method: 'POST',
      path: /\/v3\/conversations$/,
      times: 1,
      status: 403,
      code: 'BotNotInConversationRoster',
    })
    const asked = await teams.person('requester').says(sentence).in('general')
    const told = await teams.thread(asked).shows('can no longer write to the channel', { within })
    expect(seen(told)).toContain('own contoso-kv')
    expect(
      teams
        .channel('vault-owners')
        .messages()
        .some(({ card }) => card !== undefined),
    ).toBe(false)
    azure.portal.approve('contoso-kv', 'owner')
    await teams.thread(asked).shows('can now reach contoso-kv privately', { within })
    expect(effects(azure.events)).toEqual(['linkCreated', 'connectionApproved'])
  })

  test('in the requester’s thread: it goes on in a personal chat', async () => {
    const { teams } = world
    await teams.person('owner').says('own contoso-certs').in('vault-owners')
    // The first answer of the turn is the worker's: the card.
    teams.fail({ method: 'POST', path: /messageid=\d+\/activities/, times: 1, status: 404 })
    await teams.person('requester').says('link contoso-signalr to contoso-certs').in('general')
    const chat = teams.channel('with:requester')
    await chat.shows(/^Link contoso-signalr to contoso-certs/, { within })
    const card = await teams
      .channel('vault-owners')
      .shows('Approve a private connection to contoso-certs?', { within })
    await teams.person('owner').presses('Approve…', 'Yes, approve').on(card)
    await chat.shows('can now reach contoso-certs privately', { within })
    await chat.shows(/^Link contoso-signalr to contoso-certs[\s\S]*working since/, { within })
  })
})
