/** A click against the real bot: delivered again, forwarded, edited, on a card that the bot does not know, by people from outside. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { tenantId } from '../../sandbox/seed.ts'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  asks,
  buttonsOf,
  closed,
  invoke,
  linked,
  linkIdOn,
  minutes,
  objectId,
  pending,
  type Request,
  rejects,
  says,
  seen,
  sentence,
  shownOverTime,
  signalrId,
  standing,
  startStage,
  told,
  unlinked,
  until,
  vaultId,
  watch,
  within,
} from './stage.ts'

/** `npm run figures` delivers more of them. */
const many = process.env.VAULTLINK_FIGURES === '1' ? 8 : 1

let world: World
beforeAll(async () => {
  world = await startStage()
})
afterAll(async () => expect(await closed(world)).toEqual(allWell))

const shown = ({ text, card }: Answer): string => [text ?? '', ...cardText(card)].join('\n')
const nothingLeft = (): void => expect(world.azure.links()).toEqual([])

/** Up to four deliveries: which of them bear the same id, and whether one waits for the other. */
const deliveries = (salt: number) =>
  fc.sample(
    fc.record({
      ids: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 4 }),
      together: fc.boolean(),
    }),
    { numRuns: 4 * many, seed: salt },
  )
const named = (salt: number) =>
  deliveries(salt).map(({ ids, together }) => ({
    ids,
    together,
    how: `${ids.join('')}${together ? ', together' : ''}`,
  }))

/** Presses a button in that many deliveries; `ids` that are the same are one activity delivered again. */
async function delivered(
  who: 'owner' | 'requester',
  verb: string,
  data: Readonly<Record<string, unknown>>,
  card: Message,
  { ids, together }: { ids: readonly string[]; together: boolean },
): Promise<readonly Answer[]> {
  const send = (id: string) =>
    world.teams
      .person(who)
      .sendsInvoke(invoke(verb, data), { replyToId: card.id, id: `f:${card.id}-${verb}-${id}` })
  if (together) return Promise.all(ids.map(send))
  const answers: Answer[] = []
  for (const id of ids) answers.push(await send(id))
  return answers
}

/** Each delivery is answered, and says what was decided and by whom; one at most is the first. */
function answeredSensibly(answers: readonly Answer[], first: RegExp, later: RegExp): void {
  for (const answer of answers) {
    expect(answer.status).toBe(200)
    expect(shown(answer)).toMatch(new RegExp(`${first.source}|${later.source}`, 's'))
  }
  expect(answers.filter((answer) => first.test(shown(answer)))).toHaveLength(1)
}

describe('the same click, delivered one to four times', () => {
  test.each(named(1))('approve: $how', async (how) => {
    const since = watch(world)
    const request = await pending(world)
    const link = linkIdOn(request.approval)
    const answers = await delivered('owner', 'approve', { link }, request.approval, how)
    answeredSensibly(
      answers,
      /^\nPrivate connection to contoso-kv.*● Approved by Noor Haddad/s,
      /^Approved already by Noor Haddad, .*The first answer stands/,
    )
    await request.thread.shows('can now reach', { within })
    await world.teams.thread(request.approval).shows('Working since', { within })
    expect(since.effects().filter((what) => what === 'connectionApproved')).toHaveLength(1)
    await unlinked(world, request)
  })

  test.each(named(2))('reject: $how', async (how) => {
    const since = watch(world)
    const request = await pending(world)
    const data = { link: linkIdOn(request.approval), reason: 'not now' }
    const answers = await delivered('owner', 'reject', data, request.approval, how)
    answeredSensibly(
      answers,
      /^\nPrivate connection to contoso-kv.*[●✕] Rejected by Noor Haddad/s,
      /^Rejected already by Noor Haddad/,
    )
    await request.thread.shows('Rejected by Noor Haddad: "not now"', { within })
    await world.teams.thread(request.approval).shows('The link kv-contoso-kv is removed from', { within })
    expect(since.effects().filter((what) => what === 'connectionRejected')).toHaveLength(1)
    nothingLeft()
  })

  test.each(named(3))('cancel: $how', async (how) => {
    const request = await pending(world)
    const answers = await delivered(
      'requester',
      'cancel',
      { link: linkIdOn(request.card) },
      request.card,
      how,
    )
    answeredSensibly(
      answers,
      /^\nLink contoso-signalr to contoso-kv.*[●–] Cancelled by Riley Park/s,
      /^This request (is ending already|has ended): cancelled by Riley Park\./,
    )
    await request.thread.shows(/^@Riley Park Cancelled by Riley Park/, { within })
    await world.teams.thread(request.approval).shows(/^Cancelled by Riley Park/, { within })
    nothingLeft()
  })

  test.each(named(4))('unlink: $how', async (how) => {
    const request = await linked(world)
    await says(world, 'unlink', { in: request.thread })
    const question = await request.thread.shows(/^Unlink /, { within })
    const answers = await delivered('requester', 'unlink', { link: linkIdOn(question) }, question, how)
    answeredSensibly(
      answers,
      /^Unlinking contoso-signalr from contoso-kv/,
      /^This request (is ending already|has ended): removed by Riley Park\./,
    )
    await request.thread.shows(/^@Riley Park Riley Park removed the link/, { within })
    await world.teams.thread(request.approval).shows(/^Riley Park removed the link/, { within })
    nothingLeft()
  })

  test.each(named(5))('the form: $how', async (how) => {
    const since = watch(world)
    const thread = await says(world, 'link contoso-signalr')
    const form = await thread.shows('Ask for this link', { within })
    const data = { signalr: signalrId('contoso-signalr'), vault: vaultId('contoso-kv') }
    const answers = await delivered('requester', 'link', data, form, how)
    expect(new Set(answers.map(shown))).toEqual(new Set(['Asked. The card below follows it to the end.']))
    const request = standing(await thread.shows(/\[vaultlink [0-9a-f]{32}\]/, { within }), thread)
    await rejects(world, await approvalOf(world, request))
    await thread.shows('is not linked', { within })
    expect(since.writes().filter((write) => write.startsWith('PUT kv-'))).toHaveLength(1)
    expect(told(thread).filter((text) => text.includes('asked for already'))).toEqual([])
    nothingLeft()
  })
})

describe('a message that Teams delivers again', () => {
  const lines = (request: Pick<Request, 'thread'>): readonly string[] =>
    told(request.thread).filter((text) => !text.startsWith('Link contoso-signalr to'))
  const again = (message: Message, sameId: boolean) => world.teams.redeliver(message.id, { sameId })

  test('asks once, and says nothing more to who asked, whatever its id and however many come', async () => {
    const since = watch(world)
    const request = await asks(world)
    const message = request.thread.root
    await again(message, true)
    await Promise.all([again(message, false), again(message, true), again(message, false)])
    const approval = await approvalOf(world, request)
    expect(lines(request)).toEqual([])
    // Later it is a question of its own; delivered again, that one too is answered once.
    await world.passes(minutes(3))
    for (const sameId of [true, false, false]) await again(message, sameId)
    expect(lines(request)).toEqual([
      "contoso-signalr to contoso-kv is asked for already and is waiting for the vault's owner. I'll tell you here how it ends.",
    ])
    await rejects(world, approval)
    await request.thread.shows('is not linked', { within })
    expect(since.writes().filter((write) => write.startsWith('PUT kv-'))).toHaveLength(1)
    nothingLeft()
  })

  test('after its request has ended begins no second one, and says so', async () => {
    const since = watch(world)
    const request = await pending(world)
    await rejects(world, request.approval)
    await request.thread.shows('is not linked', { within })
    await again(request.thread.root, false)
    await Promise.all([again(request.thread.root, true), again(request.thread.root, false)])
    expect(lines(request).filter((text) => text.includes('say it in two minutes'))).toEqual([
      'You asked for this here a moment ago, and it is rejected by now. In case this is the same message once more, nothing was asked for again. If it is wanted anew, say it in two minutes: link contoso-signalr to contoso-kv.',
    ])
    expect(since.writes().filter((write) => write.startsWith('PUT kv-'))).toHaveLength(1)
    nothingLeft()
  })

  test('of somebody who comes second: they follow once, and hear it once', async () => {
    const request = await pending(world)
    const second = await says(world, sentence, { by: 'lone', in: 'random' })
    for (const sameId of [true, false, false]) await again(second.root, sameId)
    expect(told(second)).toEqual([
      "Riley Park asked for contoso-signalr to contoso-kv already; it is waiting for the vault's owner. You follow it from here: I'll tell you how it ends.",
    ])
    await rejects(world, request.approval)
    await request.thread.shows('is not linked', { within })
    await second.shows('is not linked', { within })
    expect(told(second)).toHaveLength(2)
    nothingLeft()
  })
})

describe('a second card, as a kill leaves it between the answer of Teams and the commit', () => {
  // A world of its own: there cards are told twice.
  let one: World
  beforeAll(async () => {
    one = world
    world = await startStage()
  })
  afterAll(async () => {
    const { troubles } = await closed(world)
    world = one
    expect(troubles).toEqual([])
  })
  const cards = (channel: string, what: RegExp): readonly Message[] =>
    world.teams
      .channel(channel)
      .messages()
      .filter((message) => message.from === 'Vaultlink' && what.test(seen(message)))

  test('pressed in vain by whoever may not: from then on it is like the other, and both lose their buttons', async () => {
    await world.restart({ environment: { VAULTLINK_CRASH_AT: 'after post approval' } })
    const dying = world.bot()
    const thread = await says(world, sentence)
    await dying.ended
    await world.restart({ kill: true })
    const request = standing(await thread.shows(/\[vaultlink [0-9a-f]{32}\]/, { within }), thread)
    const mine = new RegExp(request.mark.slice(1, -1))
    await until(world, 'two cards ask', () => cards('vault-owners', mine).length === 2)
    const [older, newer] = cards('vault-owners', mine)
    if (!older || !newer) throw new Error('Two cards stand')

    expect((await approves(world, older, 'outsider')).text).toMatch(/^You lack the right/)
    await until(world, 'it is redrawn', () => older.history.length === 1)
    expect(seen(older)).toBe(seen(newer))
    await approves(world, newer)
    await thread.shows('can now reach', { within })
    for (const card of [older, newer]) {
      await until(world, 'both say that it works', () =>
        seen(card).includes('✓ Approved by Noor Haddad · working'),
      )
      expect(buttonsOf(card)).toEqual([])
    }
    await unlinked(world, { thread, approval: newer })
    await until(world, 'both say that it is removed', () => seen(older) === seen(newer))
  })

  test('the status card too', async () => {
    await world.restart({ environment: { VAULTLINK_CRASH_AT: 'after post status' } })
    const dying = world.bot()
    const thread = await says(world, sentence)
    await dying.ended
    await world.restart({ kill: true })
    await until(world, 'two cards stand', () => told(thread).length === 2)
    const [older, newer] = thread.messages().filter(({ from }) => from === 'Vaultlink')
    if (!older || !newer) throw new Error('Two cards stand')
    await approvalOf(world, standing(newer, thread))
    await world.teams.person('requester').presses('Cancel request', 'Yes, cancel').on(older)
    await thread.shows(/^@Riley Park Cancelled by Riley Park/, { within })
    await until(world, 'both say so', () =>
      [older, newer].every((card) => seen(card).includes('– Cancelled by')),
    )
    expect([buttonsOf(older), buttonsOf(newer)]).toEqual([[], []])
    nothingLeft()
  })
})

describe('a card that is forwarded, replayed or edited changes nothing', () => {
  type Asked = Request & { readonly approval: Message }
  let mine: Asked
  let other: Asked
  let elsewhere: Message
  let reply: Message
  beforeAll(async () => {
    mine = await pending(world)
    other = await pending(world, `link ${signalrId('contoso-chat', 'chat-blue')} to contoso-kv`)
    elsewhere = await world.teams.person('owner').says('hm', { plain: true }).in('random')
    reply = await world.teams
      .person('second')
      .says('hm', { plain: true })
      .in(world.teams.thread(mine.approval))
  })
  afterAll(async () => {
    for (const request of [mine, other]) {
      await rejects(world, request.approval)
      await request.thread.shows('is not linked', { within })
    }
    nothingLeft()
  })

  type Sent = { verb: unknown; data: unknown; replyToId: string; conversation: string }
  type Edit = readonly [what: string, edit: (sent: Sent) => Partial<Sent>]
  const edits: readonly Edit[] = [
    ['in another channel', () => ({ conversation: elsewhere.conversationId, replyToId: elsewhere.id })],
    ['in another channel, under its own id', () => ({ conversation: elsewhere.conversationId })],
    ["in the presser's chat", () => ({ conversation: 'a:19-chat' })],
    [
      'on a card of another link',
      () => ({ conversation: other.approval.conversationId, replyToId: other.approval.id }),
    ],
    [
      'on the status card of another link',
      () => ({ conversation: other.card.conversationId, replyToId: other.card.id }),
    ],
    [
      'with the id of a link that nobody was given',
      ({ data }) => ({ data: { ...Object(data), link: 'f'.repeat(32) } }),
    ],
    [
      'with an id in other letters',
      ({ data }) => ({ data: { ...Object(data), link: linkIdOn(mine.approval).toUpperCase() } }),
    ],
    ['without an id', ({ verb }) => ({ data: { verb } })],
    ['with another verb in the data', ({ data }) => ({ data: { ...Object(data), verb: 'retry' } })],
    ['without a verb in the data', ({ data }) => ({ data: { link: Object(data).link } })],
    ['with a verb that is none', ({ data }) => ({ verb: 'sudo', data: { ...Object(data), verb: 'sudo' } })],
    ['with a verb that is no text', () => ({ verb: ['approve'] })],
    [
      'with a verb in other letters',
      ({ verb, data }) => ({
        verb: String(verb).toUpperCase(),
        data: { ...Object(data), verb: String(verb).toUpperCase() },
      }),
    ],
    ['with an input that it does not have', ({ data }) => ({ data: { ...Object(data), because: 'x' } })],
    ['with a right of its own', ({ data }) => ({ data: { ...Object(data), right: { is: 'held' } } })],
    [
      'with somebody else as the presser',
      ({ data }) => ({ data: { ...Object(data), by: objectId('second') } }),
    ],
    ['with data that are a list', ({ data }) => ({ data: [data] })],
    ['with data that are a text', ({ data }) => ({ data: JSON.stringify(data) })],
    [
      'with its own prototype',
      ({ data }) => ({ data: JSON.parse(`{"__proto__": ${JSON.stringify(data)}}`) }),
    ],
  ]
  const buttons = ['approve', 'reject', 'cancel'] as const
  const cardOf = (verb: string): Message => (verb === 'cancel' ? mine.card : mine.approval)
  const send = (verb: (typeof buttons)[number], edit: (sent: Sent) => Partial<Sent>): Promise<Answer> => {
    const card = cardOf(verb)
    const made: Sent = {
      verb,
      data: { verb, link: linkIdOn(card), ...(verb === 'reject' && { reason: 'no' }) },
      replyToId: card.id,
      conversation: card.conversationId,
    }
    const sent = { ...made, ...edit(made) }
    return world.teams.person(verb === 'cancel' ? 'requester' : 'owner').sendsInvoke(
      { action: { type: 'Action.Execute', verb: sent.verb, data: sent.data }, trigger: 'manual' },
      {
        replyToId: sent.replyToId,
        conversation: { id: sent.conversation, conversationType: 'channel', tenantId },
      },
    )
  }

  test.each(edits.flatMap(([what, edit]) => buttons.map((verb) => [verb, what, edit] as const)))(
    '%s, %s',
    async (verb, _what, edit) => {
      const since = watch(world)
      const before = [mine, other].flatMap(({ card, approval }) => [card, approval]).map(shownOverTime)
      const answer = await send(verb, edit)
      expect(answer).toMatchObject({
        status: 200,
        text: expect.stringMatching(/[Nn]othing was recorded|I know no such link/),
      })
      expect({ writes: since.writes(), told: since.told() }).toEqual({ writes: [], told: [] })
      expect([mine, other].flatMap(({ card, approval }) => [card, approval]).map(shownOverTime)).toEqual(
        before,
      )
    },
  )

  test('a message that is no card of the bot is not redrawn, though the press on it count', async () => {
    const since = watch(world)
    const { text } = await send('approve', () => ({
      replyToId: reply.id,
      conversation: reply.conversationId,
    }))
    // In the owners' place, by an owner: the decision is theirs, wherever they say the button was.
    expect(text).toBeUndefined()
    await mine.thread.shows('can now reach', { within })
    expect(reply.history).toEqual([])
    expect(since.effects().filter((what) => what === 'connectionApproved')).toHaveLength(1)
    await unlinked(world, mine)
    mine = await pending(world)
  })

  test.each(buttons)('as it was made, %s is taken: the twin of all of these', async (verb) => {
    const answer = await send(verb, () => ({}))
    expect(answer.card).toBeDefined()
    await mine.thread.shows(/can now reach|is not linked|^@Riley Park Cancelled/, { within })
    if (verb === 'approve') await unlinked(world, mine)
    mine = await pending(world)
  })
})

describe('people of other organisations', () => {
  test('a guest is refused, with every right there is', async () => {
    const request = await pending(world)
    world.azure.rights.grant(objectId('guest'), 'vaultApprover', vaultId('contoso-kv'))
    const since = watch(world)
    expect((await approves(world, request.approval, 'guest')).text).toMatch(/^You are a guest/)
    expect(since.writes()).toEqual([])
    await rejects(world, request.approval)
    await request.thread.shows('is not linked', { within })
  })

  test('admitted by configuration they need the right like everybody', async () => {
    await world.restart({ environment: { VAULTLINK_ADMIT: 'guests' } })
    const request = await pending(world)
    world.azure.rights.revoke(objectId('guest'), 'vaultApprover', vaultId('contoso-kv'))
    expect((await approves(world, request.approval, 'guest')).text).toMatch(/^You lack the right/)
    world.azure.rights.grant(objectId('guest'), 'vaultApprover', vaultId('contoso-kv'))
    await approves(world, request.approval, 'guest')
    await request.thread.shows(/can now reach .* Approved by Gia Fox/, { within })
    await unlinked(world, request)
    world.azure.rights.revoke(objectId('guest'), 'vaultApprover', vaultId('contoso-kv'))
    await world.restart()
  })
})
