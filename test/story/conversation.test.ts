/** What else is said: taking back, taking away, asking how it stands, the form, time that runs out, and noise. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { defaults } from '../../sandbox/azure/switches.ts'
import type { PersonKey } from '../../sandbox/seed.ts'
import type { Thread } from '../../sandbox/teams/face.ts'
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
  says,
  seen,
  signalrId,
  standing,
  startStage,
  told,
  troubles,
  unlinked,
  vaultId,
  watch,
  within,
} from './stage.ts'

let world: World
beforeAll(async () => {
  world = await startStage()
})
afterEach(() => world.azure.configure({ ...defaults, ...hurried.azure, throttle: false }))
afterAll(async () => expect(await closed(world)).toEqual(allWell))

const nothingLeft = (): void =>
  expect({ links: world.azure.links(), connections: world.azure.connections('contoso-kv') }).toEqual({
    links: [],
    connections: [],
  })

/** What the bot answers to this, in its thread or a new one. */
async function answer(
  text: string,
  by: PersonKey = 'requester',
  where: string | Thread = 'random',
): Promise<string> {
  const before = typeof where === 'string' ? 0 : told(where).length
  const thread = await says(world, text, { by, in: where })
  return told(thread).slice(before).join('\n')
}

describe('taking a request back', () => {
  async function cancelled(request: Request & { approval?: Request['card'] }, by: string): Promise<void> {
    const { thread, card, approval } = request
    const news = await thread.shows(
      `Cancelled by ${by}. The link kv-contoso-kv is removed from contoso-signalr; there is nothing left to decide.`,
      { within },
    )
    expect(news.mentions).toEqual(['requester'])
    for (const one of approval ? [card, approval] : [card]) {
      expect(seen(one)).toContain(`– Cancelled by ${by} · nothing of it is left in Azure`)
      expect(buttonsOf(one)).toEqual([])
    }
    if (approval) await world.teams.thread(approval).shows(`Cancelled by ${by}.`, { within })
    nothingLeft()
  }

  test('with the button', async () => {
    const request = await pending(world)
    const since = watch(world)
    const { card } = await world.teams
      .person('requester')
      .presses('Cancel request', 'Yes, cancel')
      .on(request.card)
    expect(seen({ ...request.card, card })).toContain(
      '● Cancelled by Riley Park · removing the link from SignalR',
    )
    await cancelled(request, 'Riley Park')
    expect(since.writes()).toEqual(['DELETE kv-contoso-kv 202'])
  })

  test.each(['cancel', 'Cancel contoso-signalr to contoso-kv', 'cancel contoso-kv'])(
    'by saying "%s"',
    async (text) => {
      const request = await pending(world)
      expect(await answer(text, 'requester', request.thread)).toContain(
        'Cancelled: contoso-signalr to contoso-kv. The link is being removed, and the owners are not asked any more.',
      )
      await cancelled(request, 'Riley Park')
    },
  )

  test('by another who may write that SignalR', async () => {
    const request = await pending(world)
    await world.teams.person('lone').presses('Cancel request', 'Yes, cancel').on(request.card)
    await cancelled(request, 'Lena Ortiz')
  })

  test.each(['outsider', 'owner'] as const)('not by the %s, who may not', async (by) => {
    const request = await pending(world)
    const since = watch(world)
    const because =
      "Riley Park asked for this link. It can be taken back by Riley Park, or by anybody who may write contoso-signalr's shared private links."
    const press = await world.teams.person(by).presses('Cancel request', 'Yes, cancel').on(request.card)
    expect(press).toMatchObject({ text: because })
    expect(press.card).toBeUndefined()
    expect(await answer('cancel', by, request.thread)).toBe(because)
    expect(since.writes()).toEqual([])
    expect(seen(request.card)).toContain("● Waiting for the vault's owner")
    await answer('cancel', 'requester', request.thread)
    await cancelled(request, 'Riley Park')
  })

  test('not by another whose rights cannot be read', async () => {
    const request = await pending(world)
    world.azure.fail({ path: /contoso-signalr\/.*roleAssignments/i, times: 1, status: 500 })
    const { text } = await world.teams
      .person('lone')
      .presses('Cancel request', 'Yes, cancel')
      .on(request.card)
    expect(text).toMatch(/could not be read, and then the answer is no/)
    await answer('cancel', 'requester', request.thread)
    await cancelled(request, 'Riley Park')
  })

  test('while Azure still makes it: it is removed as soon as Azure lets it', async () => {
    world.azure.configure({ provisioningMs: minutes(5) })
    const request = await asks(world)
    await request.thread.shows('Provisioning state: Creating', { within })
    await answer('cancel', 'requester', request.thread)
    await request.thread.shows('● Cancelled by Riley Park · removing the link from SignalR', { within })
    await world.passes(minutes(6))
    await cancelled(request, 'Riley Park')
  })

  test('a press that comes after it is told so', async () => {
    const request = await pending(world)
    const link = linkIdOn(request.approval)
    await answer('cancel', 'requester', request.thread)
    await cancelled({ ...request }, 'Riley Park')
    const { text } = await world.teams
      .person('owner')
      .sendsInvoke(invoke('approve', { link }), { replyToId: request.approval.id })
    expect(text).toBe('This request has ended: cancelled by Riley Park. Nothing was changed.')
    nothingLeft()
  })

  test('at the same moment as an approval: one of them holds', async () => {
    const request = await pending(world)
    const [approval, cancellation] = await Promise.all([
      approves(world, request.approval),
      world.teams.person('requester').presses('Cancel request', 'Yes, cancel').on(request.card),
    ])
    // An approval that came first can still be taken back; a cancelled request cannot be approved.
    expect(cancellation.card).toBeDefined()
    if (approval.card === undefined)
      expect(approval.text).toMatch(/^This request (is ending already|has ended)/)
    await cancelled(request, 'Riley Park')
  })
})

describe('a link that works', () => {
  let request: Awaited<ReturnType<typeof linked>>
  beforeAll(async () => {
    request = await linked(world)
  })

  test('cancel says that there is nothing to take back', async () => {
    expect(await answer('cancel', 'requester', request.thread)).toBe(
      'contoso-signalr reaches contoso-kv privately already, so there is nothing to take back. To remove the link, say: unlink contoso-signalr from contoso-kv.',
    )
  })

  test('status: how it stands, where to look, and the same from the command line', async () => {
    for (const where of [request.thread, 'random'] as const) {
      const text = await answer('status contoso-signalr to contoso-kv', 'requester', where)
      expect(text).toMatch(
        /^contoso-signalr to contoso-kv \(kv-contoso-kv\): Approved by Noor Haddad, working since /,
      )
      expect(text).toContain('Azure says provisioning state Succeeded, connection state Approved.')
      expect(text).toMatch(/View in Azure portal/)
      expect(text).toMatch(/az \S*signalr|az rest|az resource/)
      expect(text).toContain(signalrId('contoso-signalr').split('/').at(-1))
    }
  })

  test('status and list are for who asked, and for where it was asked or decided', async () => {
    expect(await answer('list')).toContain('contoso-signalr to contoso-kv: working')
    expect(await answer('status', 'owner', 'vault-owners')).toContain('Approved by Noor Haddad')
    expect(await answer('list', 'second', 'general')).toContain('contoso-signalr to contoso-kv: working')
    expect(await answer('status contoso-signalr to contoso-kv', 'outsider')).toBe(
      'I know no such link. Say list to see those that you can name.',
    )
    expect(await answer('list', 'outsider')).toMatch(
      /^There is no link here yet, and none that you asked for\./,
    )
  })

  test('unlink: asks first, and nothing happens until it is confirmed', async () => {
    const since = watch(world)
    const thread = await says(world, 'unlink contoso-signalr from contoso-kv', { in: 'random' })
    const question = await thread.shows('Unlink contoso-signalr from contoso-kv?', { within })
    expect(seen(question)).toContain(
      'Nothing else is deleted. Deleting the resource group would delete everything in it.',
    )
    expect(buttonsOf(question)).toEqual(['Yes, unlink', 'View in Azure portal'])
    // Whoever may not write that SignalR may not, and says so in vain; asking for it once gives no right.
    expect((await world.teams.person('outsider').presses('Yes, unlink').on(question)).text).toMatch(
      /^You lack the right to do this: Microsoft\.SignalRService\/SignalR\/sharedPrivateLinkResources\/write on contoso-signalr/,
    )
    expect(since.writes()).toEqual([])
    expect(world.azure.links()).toMatchObject([{ status: 'Approved' }])

    await world.teams.person('lone').presses('Yes, unlink').on(question)
    const news = await request.thread.shows('Lena Ortiz removed the link kv-contoso-kv.', { within })
    expect(news.mentions).toEqual(['requester'])
    await world.teams.thread(request.approval).shows('Lena Ortiz removed the link kv-contoso-kv.', { within })
    expect(question.text).toBe('Unlinking contoso-signalr from contoso-kv. Nothing else is deleted.')
    expect(question.card).toBeUndefined()
    for (const card of [request.card, request.approval]) {
      expect(seen(card)).toContain('– Removed by Lena Ortiz')
      expect(buttonsOf(card)).toEqual([])
    }
    nothingLeft()
  })

  test('unlink says so when there is nothing, or nothing yet', async () => {
    expect(await answer('unlink contoso-signalr from contoso-kv')).toBe(
      'I know no such link. Say list to see those that you can name.',
    )
    const again = await pending(world)
    expect(await answer('unlink', 'requester', again.thread)).toBe(
      'This link is not working yet, so there is nothing to unlink. To take the request back, say: cancel.',
    )
    await answer('cancel', 'requester', again.thread)
    await again.thread.shows('there is nothing left to decide', { within })
  })
})

describe('time runs out', () => {
  test('nobody answers for a week: the link is removed, and both sides are told', async () => {
    const request = await pending(world)
    await world.passes(days(6.9))
    expect(world.azure.links()).toHaveLength(1)
    await world.passes(days(0.2))
    const news = await request.thread.shows(
      "Nobody answered for contoso-kv in time, so the link kv-contoso-kv is removed from contoso-signalr. If it is still wanted, talk to the vault's owner and ask again: link contoso-signalr to contoso-kv.",
      { within },
    )
    expect(news.mentions).toEqual(['requester'])
    await world.teams.thread(request.approval).shows('Nobody answered in time, so the link', { within })
    for (const card of [request.card, request.approval]) {
      expect(seen(card)).toContain('– Nobody answered in time · the link is removed')
      expect(buttonsOf(card)).toEqual([])
    }
    nothingLeft()
  })

  test('Azure takes longer than usual to make it: the thread is told once, and it goes on', async () => {
    world.azure.configure({ provisioningMs: minutes(20) })
    const request = await asks(world)
    await request.thread.shows('Provisioning state: Creating', { within })
    await world.passes(minutes(14))
    expect(told(request.thread)).toHaveLength(1)
    await world.passes(minutes(2))
    const late = await request.thread.shows(
      'This takes longer than usual; it is still creating the endpoint. Vaultlink keeps looking and will tell you here.',
      { within },
    )
    expect(late.mentions).toEqual(['requester'])
    await request.thread.shows('● Still creating the endpoint · longer than usual.', { within })
    await world.passes(minutes(5))
    const approval = await approvalOf(world, request)
    await approves(world, approval)
    await request.thread.shows('can now reach', { within })
    expect(told(request.thread).filter((text) => text.includes('longer than usual'))).toHaveLength(1)
    await unlinked(world, { ...request, approval })
  })
})

describe('what is not understood', () => {
  test.each([
    ['lnk contoso-signalr to contoso-kv', 'link'],
    ['stauts', 'status'],
    ['please could you cancel that', 'cancel'],
    ['unlik contoso-signalr', 'unlink'],
    ['hlep', 'help'],
  ])('"%s": did you mean %s?', async (text, meant) => {
    expect(await answer(text)).toBe(
      `I didn't get that. Did you mean ${meant}? Try: link contoso-signalr to contoso-kv.`,
    )
  })

  test.each(['make it so', '42', '🙂', 'connect my hub with the vault'])(
    '"%s": one sentence that would be',
    async (text) => {
      expect(await answer(text)).toBe("I didn't get that. Try: link contoso-signalr to contoso-kv.")
    },
  )

  test.each(['', 'help', '?', 'Hello!', 'hi', 'guten Tag'])('"%s": what the bot can do', async (text) => {
    const help = await answer(text)
    expect(help).toContain('What I can do')
    for (const command of [
      'link contoso-signalr to contoso-kv',
      'status',
      'list',
      'cancel',
      'unlink',
      'own contoso-kv',
      'disown',
      'help',
    ])
      expect(help).toContain(command)
  })

  test('in a personal chat help leaves out what belongs to channels', async () => {
    const help = await answer('help', 'requester', 'with:requester')
    expect(help).not.toContain('own contoso-kv')
    expect(help).toContain('unlink')
  })
})

describe('the form', () => {
  const form = async (text: string): Promise<{ thread: Thread; card: Request['card'] }> => {
    const thread = await says(world, text, { in: 'random' })
    return { thread, card: await thread.shows('Link a SignalR to a Key Vault', { within }) }
  }

  test('offers SignalRs that the person may write and vaults that have an owners’ channel, and nothing else', async () => {
    const { card } = await form('link')
    const text = seen(card)
    expect(text).toMatch(/SignalR \*: .*\( \) contoso-signalr/)
    expect(text).toContain('contoso-chat (chat-blue, ')
    expect(text).toMatch(/Key Vault \*: \([ •]\) contoso-kv$/m)
    expect(text).not.toMatch(/labs-|orphan-kv|solo-kv/)
  })

  test('filled with what was said, completed and sent, it is asked, once', async () => {
    const { thread, card } = await form('link contoso-signalr because of the certificate')
    expect(seen(card)).toContain('(•) contoso-signalr')
    const press = (inputs: Record<string, string>) =>
      world.teams.person('requester').presses('Ask for this link').on(card, inputs)
    await expect(press({ vault: '' })).rejects.toThrow('Which vault should it reach?')
    const sent = await press({ vault: vaultId('contoso-kv'), as: 'from-the-form' })
    expect(sent.text).toBe('Asked. The card below follows it to the end.')
    expect(card.card).toBeUndefined()
    const status = await thread.shows('(hidden) Name: from-the-form', { within })
    const request = standing(status, thread)
    expect(seen(await approvalOf(world, request))).toContain(
      'Riley Park asks to connect contoso-signalr: "of the certificate"',
    )
    await answer('cancel', 'requester', thread)
    await thread.shows('there is nothing left to decide', { within })
    nothingLeft()
  })

  test('refused, it stays to be corrected', async () => {
    const { thread, card } = await form('link contoso-signalr')
    const since = watch(world)
    const press = (inputs: Record<string, string>) =>
      world.teams.person('requester').presses('Ask for this link').on(card, inputs)
    await expect(press({ vault: vaultId('contoso-kv'), as: '1st' })).rejects.toThrow('3 to 63 letters')
    const chat = await press({
      signalr: signalrId('contoso-signalr'),
      vault: vaultId('contoso-kv'),
      because: 'x',
    })
    expect(chat.text).toContain('Asked.')
    const request = standing(await thread.shows(/\[vaultlink /, { within }), thread)
    await request.thread.shows("Waiting for the vault's owner", { within })
    await answer('cancel', 'requester', thread)
    await thread.shows('there is nothing left to decide', { within })
    expect(since.writes()).toEqual(['PUT kv-contoso-kv 201', 'DELETE kv-contoso-kv 202'])
  })

  test('sent by a client that checks nothing, it is refused', async () => {
    const { card } = await form('link')
    for (const [data, because] of [
      [{}, /^Please pick a SignalR and a vault\. Nothing was recorded\.$/],
      [
        { signalr: 'contoso-signalr', vault: 'contoso-kv', because: 'x'.repeat(101) },
        /^The reason has 101 characters/,
      ],
      [{ signalr: 'contoso-signalr', vault: 'contoso-kv', as: '../x' }, /cannot be a link's name/],
      [{ signalr: ['contoso-signalr'], vault: { id: 1 } }, /^Please pick/],
      [{ signalr: "x' or 1=1 --", vault: 'contoso-kv' }, /^I find no SignalR/],
    ] as const) {
      const { text } = await world.teams
        .person('requester')
        .sendsInvoke(invoke('link', data), { replyToId: card.id })
      expect(text).toMatch(because)
    }
    nothingLeft()
  })
})

test('welcome: once in the team, and once in a personal chat', () => {
  const welcomes = world.teams
    .channel('general')
    .messages()
    .filter((message) => seen(message).includes("Hi, I'm Vaultlink"))
  expect(welcomes).toHaveLength(1)
  expect(welcomes.map((message) => seen(message)).join()).toContain('Noor Haddad added me here.')
})

describe('two hundred odd messages', () => {
  const controls = Array.from({ length: 32 }, (_, code) => `link${String.fromCharCode(code)}contoso-signalr`)
  const sentences = [
    'link',
    'link to',
    'link to to to',
    'link contoso-signalr contoso-kv',
    'link a to b to c',
    'link "" to ""',
    'link as as as',
    'link contoso-signalr to contoso-kv as',
    'link contoso-signalr to contoso-kv because',
    'because because because',
    'link /subscriptions/x to /subscriptions/y',
    `link ${signalrId('contoso-signalr')}/../.. to contoso-kv`,
    'link $' + '{signalr} to {{DATE(2026)}}',
    'link %s to %n',
    "link '; drop table links;-- to contoso-kv",
    'link <b>x</b> to <script>alert(1)</script>',
    'link [x](javascript:alert(1)) to contoso-kv',
    'link https://portal.azure.com/#@x/resource/subscriptions/ to contoso-kv',
    'link\u0000to\u0000',
    'cancel cancel',
    'cancel a to b',
    'unlink x',
    'own',
    'own a b',
    'disown',
    'disown /',
    'status status',
    'list everything',
    'help me',
    'LINK',
    '/link',
    'link!!!',
    '<at>Vaultlink</at> link',
    '&lt;at&gt;',
    '&amp;&amp;',
    '&#x0;',
    'null',
    'undefined',
    '[object Object]',
    '__proto__',
    'constructor',
    'toString',
    'NaN',
    '-1',
    '1e999',
  ]
  const scripts = [
    '🙂'.repeat(300),
    '👩‍👩‍👧‍👦 link',
    '\u202elink contoso-signalr to contoso-kv\u202c',
    'קישור contoso-signalr אל contoso-kv',
    'رابط',
    '链接 contoso-signalr 到 contoso-kv',
    'z̷͖͓a̸l̵g̶o̷'.repeat(50),
    '\ud800',
    '\udc00\ud800',
    'a\u0301'.repeat(500),
    '\ufeff\ufeff',
    '\u200b'.repeat(400),
    'ﷺ'.repeat(200),
    'İıſK',
    'link\u00a0contoso-signalr\u2003to\u3000nowhere',
  ]
  const long = [
    'x'.repeat(20_000),
    `link ${'a'.repeat(20_000)} to b`,
    `link contoso-signalr to contoso-kv because ${'y'.repeat(20_000)}`,
    'link '.repeat(4_000),
    '"'.repeat(1_999),
    "'`“«".repeat(400),
    '('.repeat(1_900),
    `own ${'v'.repeat(1_900)}`,
    `cancel ${'c '.repeat(900)}`,
    '\n'.repeat(20_000),
    'to '.repeat(600),
  ]
  const mixtures = Array.from({ length: 110 }, (_, n) => {
    const parts = [...sentences, ...scripts]
    return [parts[n % parts.length], parts[(n * 7 + 3) % parts.length], parts[(n * 13 + 5) % parts.length]]
      .join(' ')
      .slice(0, 1_900)
  })
  const all = [...controls, ...sentences, ...scripts, ...long, ...mixtures]

  test('each is answered, nothing is created, and the process lives on', async () => {
    expect(all.length).toBeGreaterThanOrEqual(200)
    const since = watch(world)
    const { pid } = world.bot()
    const send = async (text: string, by: PersonKey, where: string): Promise<void> => {
      const message = await world.teams.person(by).says(text).in(where)
      const said = told(world.teams.thread(message))
      // What merely looks odd may be a command all the same; what matters is that somebody answers.
      expect({ text, delivered: message.delivered, answered: said.length > 0 }).toEqual({
        text,
        delivered: 200,
        answered: true,
      })
      expect(said.join('\n')).not.toContain('Something went wrong')
    }
    // By people who may make no link, so that none comes of a sentence that turns out right; in a chat one at a time.
    const people = ['outsider', 'owner', 'second'] as const
    for (let at = 0; at < all.length; at += 10)
      await Promise.all(
        all.slice(at, at + 10).map((text, n) => {
          const by = people[n % 3] ?? 'outsider'
          return send(text, by, n < 3 ? `with:${by}` : 'random')
        }),
      )
    expect(since.writes()).toEqual([])
    nothingLeft()
    expect(world.bot().pid).toBe(pid)
    expect(troubles(world)).toEqual([])

    // And it still works.
    const request = await pending(world)
    await answer('cancel', 'requester', request.thread)
    await request.thread.shows('there is nothing left to decide', { within })
  })
})
