import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { people, tenantId } from '../../sandbox/seed.ts'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Message } from '../../sandbox/teams/face.ts'
import { aLink, asker, linkId, ownersChannel, type Stage, signalr, startStage, vault } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage({ teams: { throttle: false } })
  await stage.teams.install('contoso', 'owner')
  await stage.teams.install('group', 'requester')
  await stage.teams.install({ personal: 'requester' }, 'requester')
})
afterAll(() => stage.close())
beforeEach(() => stage.answers({}))

/** Says it, and gives what stands below it in its thread, as people read it. */
async function said(
  text: string,
  where = 'general',
  who: 'requester' | 'guest' = 'requester',
): Promise<string> {
  const message = await stage.teams.person(who).says(text).in(where)
  expect(message.delivered).toBe(200)
  return answerTo(message, where)
}
function answerTo(message: Message, where: string): string {
  const below = stage.teams
    .channel(where)
    .messages()
    .filter((one) => one.from === 'Vaultlink' && Number(one.id) > Number(message.id))
  return below
    .map((one) => (one.card === undefined ? (one.text ?? '') : cardText(one.card).join('\n')))
    .join('\n')
}
const lastCall = () => stage.calls.at(-1)

describe('link', () => {
  test('asks the desk with what was said, by whom, and where; the status card is the answer', async () => {
    stage.answers({ link: async () => ({ is: 'asked', link: aLink() }) })
    const message = await stage.teams
      .person('requester')
      .says('link contoso-signalr to contoso-kv as mine because custom domain certificate')
      .in('general')
    expect(message.delivered).toBe(200)
    expect(lastCall()).toEqual({
      method: 'link',
      asked: {
        by: {
          objectId: people.requester.objectId,
          teamsId: expect.stringMatching(/^29:/),
          name: people.requester.name,
          tenant: tenantId,
        },
        signalr: 'contoso-signalr',
        vault: 'contoso-kv',
        as: 'mine',
        reason: 'custom domain certificate',
        thread: {
          conversation: message.conversationId,
          serviceUrl: stage.teams.serviceUrl,
          kind: 'channel',
        },
      },
    })
    expect(answerTo(message, 'general')).toBe('')
  })

  test('with a part missing gets the form, filled with what is known', async () => {
    expect(await said('link contoso-signalr because why not')).toContain('Link a SignalR to a Key Vault')
    const form = stage.teams.channel('general').messages().at(-1)
    expect(JSON.stringify(form?.card)).toContain('"value":"why not"')
    expect(JSON.stringify(form?.card)).toContain(`"value":"${signalr}"`)
    expect(lastCall()?.method).toBe('choices')
  })

  test('with a reason too long is refused with the number, and nothing is asked', async () => {
    const before = stage.calls.length
    expect(await said(`link contoso-signalr to contoso-kv because ${'x'.repeat(120)}`)).toContain(
      'has 120 characters, and at most 100 fit. Nothing was recorded',
    )
    expect(stage.calls.length).toBe(before)
  })

  test.each([
    [{ refusal: 'freeTier', sku: 'Free_F1' }, /free tier \(Free_F1\)/],
    [{ refusal: 'noOwners' }, /No channel decides for contoso-kv/],
    [{ refusal: 'requesterLacksRight', actions: ['A/write'] }, /A\/write/],
    [{ refusal: 'rightUnreadable' }, /could not be read/],
    [{ refusal: 'replicas', count: 1 }, /1 replica/],
    [{ refusal: 'badName', name: '-' }, /cannot be a link's name/],
    [{ refusal: 'nameTaken', name: 'kv' }, /named kv/],
    [{ refusal: 'alreadyLinked', name: 'kv' }, /already, through kv/],
    [{ refusal: 'madeByOthers', name: 'kv', status: 'Pending' }, /somebody else made/],
    [{ refusal: 'vaultFull', count: 64 }, /Azure allows 64/],
    [{ refusal: 'botLacksRight', actions: ['B/write'], on: 'vault' }, /B\/write/],
    [{ refusal: 'nobodyMayApprove' }, /Nobody in the channel/],
  ] as const)('refused with %j is a sentence', async (refusal, sentence) => {
    stage.answers({ link: async () => ({ is: 'refused', refusal, signalr, vault }) })
    expect(await said('link contoso-signalr to contoso-kv')).toMatch(sentence)
  })

  test('asked already is followed', async () => {
    stage.answers({ link: async () => ({ is: 'followed', link: aLink(), askedBy: asker, new: true }) })
    expect(await said('link contoso-signalr to contoso-kv')).toContain('Riley Park asked for contoso-signalr')
  })

  test('with names that lead nowhere says which, and what to write instead', async () => {
    stage.answers({
      link: async () => ({
        is: 'unclear',
        problems: [
          { what: 'signalr', wrote: 'contoso-chat', is: 'ambiguous', ids: [signalr, `${signalr}-2`] },
          { what: 'vault', wrote: '<b>x</b> **y**', is: 'unknown', like: [vault] },
        ],
      }),
    })
    const answer = await said('link contoso-chat to "<b>x</b> **y**"')
    expect(answer).toContain('There are 2 of the name "contoso-chat"')
    expect(answer).toContain(`${signalr}-2`)
    // Markup that had been sent as such would be gone from what people read.
    expect(answer).toContain('I find no vault "<b>x</b> **y**"')
    expect(answer).toContain('You can use contoso-kv (contoso)')
  })
})

describe('status', () => {
  test('shows how the one link stands, a portal link and the az line', async () => {
    stage.answers({ find: async () => [aLink()] })
    const answer = await said('status')
    expect(answer).toContain('contoso-signalr to contoso-kv (kv-contoso-kv): Waiting')
    expect(answer).toContain('View in Azure portal')
    expect(answer).toContain(
      `az rest --method get --url "${signalr}/sharedPrivateLinkResources/kv-contoso-kv`,
    )
  })
  test('takes a lone name for the SignalR, then for the vault, and looks at ended links last', async () => {
    const from = stage.calls.length
    expect(await said('status contoso-kv')).toContain('I know no such link')
    const asked = stage.calls.slice(from).map((call) => call.asked)
    expect(asked).toMatchObject([
      { signalr: 'contoso-kv', open: true },
      { vault: 'contoso-kv', open: true },
      { signalr: 'contoso-kv', open: false },
      { vault: 'contoso-kv', open: false },
    ])
  })
  test('of several gives the list to choose from', async () => {
    const other = aLink({
      id: 'f'.repeat(32),
      asked: { vault: vault.replace('contoso-kv', 'contoso-certs') },
    })
    stage.answers({ find: async () => [aLink(), other] })
    const answer = await said('status')
    expect(answer).toContain('Which one do you mean?')
    expect(answer).toContain('contoso-signalr to contoso-certs: waiting')
    expect(answer).toContain('Try: status contoso-signalr to contoso-kv.')
  })
  test('prefers what the thread is about', async () => {
    const root = await stage.teams.person('requester').says('list').in('general')
    const here = aLink({
      asked: { thread: { conversation: root.conversationId, serviceUrl: '', kind: 'channel' } },
    })
    stage.answers({ find: async () => [aLink({ id: 'f'.repeat(32), asked: { name: 'other' } }), here] })
    await stage.teams.person('requester').says('status').in(stage.teams.thread(root))
    expect(root.replies.at(-1)?.text).toContain('(kv-contoso-kv)')
  })
  test('of nothing says so', async () => {
    expect(await said('status')).toContain('There is no link here yet')
  })
})

describe('list, cancel, unlink', () => {
  test('list names each with its status', async () => {
    stage.answers({ find: async () => [aLink()] })
    expect(await said('list')).toMatch(/1 open link:[\s\S]*contoso-signalr to contoso-kv: waiting/)
  })
  test('cancel asks the desk for the link meant, from this conversation', async () => {
    stage.answers({
      find: async () => [aLink()],
      cancel: async () => ({ is: 'granted', link: aLink() }),
    })
    const message = await stage.teams.person('requester').says('cancel').in('general')
    expect(lastCall()).toMatchObject({
      method: 'cancel',
      asked: {
        link: linkId,
        by: { name: people.requester.name },
        conversation: message.conversationId,
      },
    })
    expect(answerTo(message, 'general')).toContain('Cancelled: contoso-signalr to contoso-kv')
  })
  test('cancel of what works is refused in words', async () => {
    const link = aLink({ stage: { status: 'Approved' } })
    stage.answers({
      find: async () => [link],
      cancel: async () => ({ is: 'refused', refusal: { refusal: 'alreadyApproved' }, link }),
    })
    expect(await said('cancel')).toContain('say: unlink contoso-signalr from contoso-kv')
  })
  test('unlink asks to confirm, and does nothing yet', async () => {
    stage.answers({ find: async () => [aLink({ stage: { status: 'Approved' } })] })
    const answer = await said('unlink contoso-signalr from contoso-kv')
    expect(answer).toContain(
      'Nothing else is deleted. Deleting the resource group would delete everything in it.',
    )
    expect(stage.calls.map(({ method }) => method)).not.toContain('unlink')
    // Where it was asked is written down: nowhere else will the button do.
    expect(lastCall()).toMatchObject({ method: 'question', asked: { link: linkId } })
  })
  test('unlink of what does not work yet points at cancel', async () => {
    stage.answers({ find: async () => [aLink()] })
    expect(await said('unlink')).toContain('say: cancel')
  })
})

describe('own and disown', () => {
  test('own remembers the channel, not the thread, and says how many may approve', async () => {
    stage.answers({
      own: async () => ({ is: 'owned', vault, approvers: 2, members: 6, already: false }),
    })
    const answer = await said('own contoso-kv', 'vault-owners')
    expect(answer).toContain('This channel decides for contoso-kv from now on')
    expect(answer).toContain('2 of the 6 people here may approve')
    expect(lastCall()).toMatchObject({
      method: 'own',
      asked: {
        vault: 'contoso-kv',
        team: '19:team-contoso@thread.tacv2',
        place: { conversation: ownersChannel },
      },
    })
  })
  test.each(['group', 'with:requester'])('own in %s is not for there', async (where) => {
    const before = stage.calls.length
    expect(await said('own contoso-kv', where)).toContain('in a channel of the team that owns the vault')
    expect(stage.calls.length).toBe(before)
  })
  test('own without a vault says what to write', async () => {
    expect(await said('own')).toContain('Try: own contoso-kv')
  })
  const owner = {
    vault,
    team: '19:team-labs@thread.tacv2',
    place: { conversation: '19:labs', serviceUrl: '', kind: 'channel' },
    since: 0,
    by: 'x',
  } as const
  test.each([
    [{ is: 'ownedElsewhere', vault, owner }, /decided for in another team\. Ask them to give it up first/],
    [{ is: 'lacksRight', vault, actions: ['C/write'] }, /C\/write/],
    [{ is: 'rightUnreadable', vault }, /could not be read/],
    [{ is: 'owned', vault, approvers: 0, members: 3, already: false }, /None of the 3 people/],
    [{ is: 'owned', vault, approvers: 'unknown', members: 3, already: true }, /already.*could not be read/],
    [{ is: 'unclear', problem: { what: 'vault', wrote: 'kv', is: 'unknown', like: [] } }, /no vault "kv"/],
  ] as const)('own answered with %j is a sentence', async (answer, sentence) => {
    stage.answers({ own: async () => answer })
    expect(await said('own contoso-kv')).toMatch(sentence)
  })
  test.each([
    [{ is: 'disowned', vault }, /no longer decides for contoso-kv/],
    [{ is: 'notOwned', vault }, /No channel decides for contoso-kv/],
    [{ is: 'ownedElsewhere', vault, owner }, /only be given up there/],
    [{ is: 'lacksRight', vault, actions: ['C/write'] }, /C\/write/],
    [{ is: 'rightUnreadable', vault }, /could not be read/],
  ] as const)('disown answered with %j is a sentence', async (answer, sentence) => {
    stage.answers({ disown: async () => answer })
    expect(await said('disown contoso-kv')).toMatch(sentence)
  })
})

describe('help and the unknown', () => {
  test.each(['', 'hi', 'help'])('"%s" gets what the bot can do', async (text) => {
    const answer = await said(text)
    expect(answer).toContain('What I can do')
    expect(answer).toContain('disown contoso-kv')
  })
  test('help in a personal chat leaves out what only works in a team', async () => {
    expect(await said('help', 'with:requester')).not.toContain('disown')
  })
  test('unknown words get the command that was probably meant', async () => {
    expect(await said('staus contoso-kv')).toContain('Did you mean status?')
    expect(await said('sing a song')).toContain("I didn't get that. Try: link contoso-signalr to contoso-kv.")
  })
  test('a flood of text gets a sentence', async () => {
    expect(await said('x '.repeat(5_000))).toContain('longer than I read')
  })
  test('the mention of the bot is known by its id: somebody named like a command is no obstacle', async () => {
    stage.answers({ find: async () => [] })
    expect(await said('<at>Vaultlink</at> list')).toContain('There is no link here yet')
    expect(await said('list <at>Noor Haddad</at>')).toContain('There is no link here yet')
  })
  test.each([
    ['quotes that never close', 'link "contoso-signalr to contoso-kv'],
    ['templates', 'link $\u007broot} to {{DATE(2026-01-01)}} as $\u007bx}'],
    ['markup', 'status <script>alert(1)</script> to <at>all</at>'],
    ['Markdown', 'link [a](https://evil.example) to **b**'],
    ['JSON', '{"verb":"approve","link":"x"}'],
    ['SQL', "status '; drop table links; --"],
    ['KQL', 'link x | project secrets to y'],
    ['directions turned round', 'link \u202econtoso-signalr to contoso-kv'],
    ['half of a character', 'status \ud800 to \udfff'],
    ['many marks', `status ${'e\u0301\u0302'.repeat(300)}`],
    ['nulls', 'own contoso\u0000-kv'],
    ['paths', 'link ../../secrets to /subscriptions/../..'],
    ['a prototype', 'status __proto__ to constructor'],
    ['emoji', '👩‍👩‍👧‍👦 🔐'],
    ['line breaks', 'link\ncontoso-signalr\r\nto\ncontoso-kv\nand\nmore'],
    ['right to left', 'قم بربط contoso-signalr'],
  ])('%s get an answer, and nothing in it comes alive', async (_, text) => {
    stage.answers({
      link: async ({ signalr: wrote }) => ({
        is: 'unclear',
        problems: [{ what: 'signalr', wrote, is: 'unknown', like: [] }],
      }),
      own: async ({ vault: wrote }) => ({
        is: 'unclear',
        problem: { what: 'vault', wrote, is: 'unknown', like: [] },
      }),
    })
    const answer = await said(text)
    expect(answer.length).toBeGreaterThan(20)
    expect(answer).not.toMatch(/\$\{|\{\{|(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]|\p{Cs}/u)
    expect(stage.log.filter(({ event }) => event === 'turn.broken')).toHaveLength(0)
  })
  test('a guest is told so, and the desk is not asked', async () => {
    const before = stage.calls.length
    expect(await said('link contoso-signalr to contoso-kv', 'general', 'guest')).toContain('You are a guest')
    expect(stage.calls.length).toBe(before)
  })
})
