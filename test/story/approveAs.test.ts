/**
 * Owners decide as themselves: by a token of their own, which Teams gets for them and nobody keeps. The bot holds no right
 * on any vault but to read, Azure says who may, and its activity log names the person.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { approver, bot as botIdentity, type PersonKey, people } from '../../sandbox/seed.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approves,
  buttonsOf,
  closed,
  invoke,
  linked,
  linkIdOn,
  objectId,
  pending,
  type Request,
  rejects,
  says,
  seen,
  signalrId,
  startStage,
  told,
  troubles,
  unlinked,
  within,
} from './stage.ts'

const onConnection = /privateEndpointConnections/i
const nameOf = (principal: string | undefined): string =>
  principal === botIdentity.objectId
    ? 'bot'
    : (Object.values(people).find((person) => person.objectId === principal)?.key ?? 'nobody')

/** Every decision that reached Azure from now on, and as whom: `Approved by owner 200`. */
function decisions({ azure }: World) {
  const from = azure.events.length
  return (): readonly string[] =>
    azure.events.slice(from).flatMap((event) => {
      if (event.kind !== 'arm' || event.method !== 'PUT' || !onConnection.test(event.path)) return []
      const status = /"status":"(\w+)"/.exec(JSON.stringify(event.requestBody))?.[1]
      return [`${status} by ${nameOf(event.principal)} ${event.status}`]
    })
}
/** How many tokens were asked for from now on, by Teams and by the bot. */
function tokensAsked({ azure }: World) {
  const from = azure.events.length
  return (): number =>
    azure.events
      .slice(from)
      .filter((event) => event.kind === 'anonymous' && event.path.endsWith('/oauth2/v2.0/token')).length
}

/** A press as a client makes it up that has a token. */
const pressed = ({ teams }: World, who: PersonKey, card: Message, token: string): Promise<Answer> => {
  const press = invoke('approve', { link: linkIdOn(card) }) as object
  const authentication = { id: 'request-1', connectionName: 'vaultlink', token }
  return teams.person(who).sendsInvoke({ ...press, authentication }, { replyToId: card.id })
}
const tokenOf = (
  { azure }: World,
  who: PersonKey,
  claims: Readonly<Record<string, unknown>> = {},
): Promise<string> => azure.identity.tokenFor(objectId(who), { aud: approver.appId, ...claims })

async function withdrawn(world: World, { thread }: Pick<Request, 'thread'>): Promise<void> {
  await says(world, 'cancel', { in: thread })
  await thread.shows('Cancelled by Riley Park. The link', { within })
}
const toCerts = 'link contoso-signalr to contoso-certs because tls'

describe('an administrator agreed for everybody', () => {
  let world: World
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vaultlink-approver-'))
    world = await startStage({
      asApprover: { consent: 'forEverybody' },
      owned: ['contoso-kv', 'contoso-certs'],
      environment: { DATABASE_URL: join(folder, 'vaultlink.db'), VAULTLINK_CALL_SECONDS: '5' },
    })
  })
  afterAll(async () => {
    const { log } = world.bot()
    const end = await closed(world)
    await rm(folder, { recursive: true, force: true })
    expect(log.length).toBeGreaterThan(0)
    expect(end).toEqual(allWell)
  })
  afterEach(async () => {
    // Every token begins so: those that were sent, those that were made up, and those that the bot was given for them.
    const token = /eyJ[\w-]{10,}/
    const files = await readdir(folder)
    const stored = await Promise.all(files.map((file) => readFile(join(folder, file), 'latin1')))
    expect(stored.join()).toContain('contoso-kv')
    expect(stored.join()).not.toMatch(token)
    expect(JSON.stringify(world.bot().log)).not.toMatch(token)
    expect(JSON.stringify(world.teams.events)).not.toMatch(token)
  })

  test('the story: the owner approves, Azure sees the owner, and the bot wrote nothing on the vault', async () => {
    const decided = decisions(world)
    const { approval, thread } = await linked(world)
    expect(decided()).toEqual(['Approved by owner 200'])
    expect(
      world.azure.events.flatMap((event) =>
        event.kind === 'effect' ? [`${event.what} by ${event.by}`] : [],
      ),
    ).toContain('connectionApproved by owner')
    expect(seen(approval)).toMatch(/^Private connection[\s\S]*Approved by Noor Haddad/)
    expect(told(thread).join('\n')).toContain('Approved by Noor Haddad')
    await unlinked(world, { thread, approval })
  })

  test('the bot itself could not have: Azure turns it away', async () => {
    const request = await pending(world)
    const [connection] = world.azure.connections('contoso-kv')
    const answer = await fetch(`${world.azure.url}${connection?.id}?api-version=2023-07-01`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${await world.azure.identity.tokenFor(botIdentity.objectId)}` },
      body: JSON.stringify({ properties: { privateLinkServiceConnectionState: { status: 'Approved' } } }),
    })
    expect(answer.status).toBe(403)
    await withdrawn(world, request)
  })

  test('the card says as whom it will be', async () => {
    const request = await pending(world)
    const text = seen(request.approval, { open: true })
    expect(text).toMatch(/you approve it on contoso-kv as yourself/)
    expect(text).toMatch(/You reject the connection as yourself/)
    await withdrawn(world, request)
  })

  test('who would be refused anyway is not asked to sign in', async () => {
    const request = await pending(world)
    const asked = tokensAsked(world)
    expect((await approves(world, request.approval, 'requester')).text).toContain('somebody else')
    expect(asked()).toBe(0)
    await withdrawn(world, request)
  })

  test('Azure turns away who may not: they hear which right they lack, and the card stays for the others', async () => {
    const { approval, thread } = await pending(world)
    const decided = decisions(world)
    const before = { text: seen(approval), drawn: approval.history.length }
    const answer = await approves(world, approval, 'outsider')
    expect(answer).toMatchObject({ status: 200, type: 'application/vnd.microsoft.activity.message' })
    expect(answer.text).toContain(
      'You lack the right to do this: Microsoft.KeyVault/vaults/privateEndpointConnections/write on contoso-kv',
    )
    expect((await rejects(world, approval, 'No', 'outsider')).text).toContain('You lack the right')
    expect({ text: seen(approval), drawn: approval.history.length }).toEqual(before)
    await approves(world, approval)
    expect(decided()).toEqual([
      'Approved by outsider 403',
      'Rejected by outsider 403',
      'Approved by owner 200',
    ])
    await thread.shows('can now reach', { within })
    await world.teams.thread(approval).shows('Working since', { within })
    await unlinked(world, { thread, approval })
  })

  test('where two have to approve: the first counts and Azure hears nothing, the second sends it as themselves', async () => {
    world.azure.portal.tag('contoso-kv', 'vaultlink-approvers', '2')
    const request = await pending(world)
    const decided = decisions(world)
    await approves(world, request.approval)
    await request.thread.shows('one more person has to approve', { within })
    expect((await approves(world, request.approval)).text).toMatch(/^You approved this already/)
    expect(decided()).toEqual([])
    expect((await approves(world, request.approval, 'outsider')).text).toMatch(/^You lack the right/)
    world.azure.portal.tag('contoso-kv', 'vaultlink-approvers')
    await approves(world, request.approval, 'second')
    await request.thread.shows('Approved by Noor Haddad and Mika Aalto at', { within })
    expect(decided()).toEqual(['Approved by outsider 403', 'Approved by second 200'])
    await unlinked(world, request)
  })

  test('whom Azure asks to wait does, and nobody else', async () => {
    const request = await pending(world, toCerts)
    const decided = decisions(world)
    world.azure.fail({
      path: onConnection,
      method: 'PUT',
      times: 1,
      status: 429,
      headers: { 'retry-after': '600' },
    })
    for (const who of ['owner', 'owner', 'second'] as const) await approves(world, request.approval, who)
    expect(decided()).toEqual(['Approved by owner 429', 'Approved by second 200'])
    await request.thread.shows('can now reach', { within })
    await world.teams.thread(request.approval).shows('Working since', { within })
    await unlinked(world, request)
    await world.passes(600_000)
  })

  test('an owner rejects: the rejection is theirs, the removal the bot’s', async () => {
    const decided = decisions(world)
    const request = await pending(world, toCerts)
    await rejects(world, request.approval, 'Use contoso-kv instead')
    await request.thread.shows('Rejected by Noor Haddad: "Use contoso-kv instead"', { within })
    expect(decided()).toEqual(['Rejected by owner 200'])
    const removal = world.azure.events.findLast((event) => event.kind === 'arm' && event.method === 'DELETE')
    expect(nameOf(removal?.kind === 'arm' ? removal.principal : undefined)).toBe('bot')
    await world.teams.thread(request.approval).shows(/^Rejected by Noor Haddad/, { within })
    expect(buttonsOf(request.approval)).toEqual([])
  })

  test('three presses at once: one decision is sent, and the others hear so', async () => {
    const decided = decisions(world)
    const request = await pending(world, toCerts)
    const answers = await Promise.all([
      approves(world, request.approval, 'owner'),
      approves(world, request.approval, 'second'),
      rejects(world, request.approval, 'No', 'second'),
    ])
    const refused = answers.flatMap(({ text }) => (text === undefined ? [] : [text]))
    expect(refused).toHaveLength(2)
    for (const text of refused)
      expect(text).toMatch(/is on its way to contoso-certs|^(Approved|Rejected) already by/)
    await world.teams.thread(request.approval).shows(/Working since|^Rejected by/, { within })
    expect(decided()).toHaveLength(1)
    expect(decided()[0]).toMatch(/200$/)
    if (/^Approved/.test(decided()[0] ?? '')) await unlinked(world, request)
  })

  test('a click that Teams delivers again, token and all, decides once', async () => {
    const decided = decisions(world)
    const { approval, thread } = await pending(world)
    const { activityId = '' } = await approves(world, approval)
    for (const sameId of [true, false])
      expect((await world.teams.redeliver(activityId, { sameId })).text).toMatch(/already by Noor Haddad/)
    await thread.shows('can now reach', { within })
    await world.teams.thread(approval).shows('Working since', { within })
    expect(decided()).toEqual(['Approved by owner 200'])
    await unlinked(world, { thread, approval })
  })

  describe('a token that does not do', () => {
    let request: Request & { approval: Message }
    beforeAll(async () => {
      request = await pending(world)
    })
    afterAll(() => withdrawn(world, request))

    test.each<[string, (made: World) => Promise<string>, RegExp]>([
      ['somebody else’s', (made) => tokenOf(made, 'second'), /signed in somebody else/],
      [
        'of another tenant',
        (made) => tokenOf(made, 'owner', { tid: '99f988bf-0000-4000-8000-00000000c0de' }),
        /signed in somebody else/,
      ],
      ['no token at all', async () => 'nonsense', /signed in somebody else/],
      ['that has run out', (made) => tokenOf(made, 'owner', { exp: 1 }), /did not do .*AADSTS500133/],
      [
        'for another application',
        (made) => tokenOf(made, 'owner', { aud: botIdentity.appId }),
        /did not do .*AADSTS500131/,
      ],
      [
        'that nobody signed',
        async (made) => `${(await tokenOf(made, 'owner')).replace(/[^.]+$/, '')}AAAA`,
        /did not do .*AADSTS50013/,
      ],
    ])('%s', async (_which, make, sentence) => {
      const decided = decisions(world)
      const answer = await pressed(world, 'owner', request.approval, await make(world))
      expect(answer).toMatchObject({ status: 200, text: expect.stringMatching(sentence) })
      expect(decided()).toEqual([])
      expect(seen(request.approval)).toMatch(/^Approve a private connection/)
    })

    test('and one that does, sent in the same way, is taken', async () => {
      const { approval, thread } = await pending(world, toCerts)
      const decided = decisions(world)
      const answer = await pressed(world, 'owner', approval, await tokenOf(world, 'owner'))
      expect(answer.card).toBeDefined()
      expect(decided()).toEqual(['Approved by owner 200'])
      await thread.shows('can now reach', { within })
      await world.teams.thread(approval).shows('Working since', { within })
      await unlinked(world, { thread, approval })
    })
  })

  describe('a client that knows no single sign-on', () => {
    afterEach(() => world.teams.configure({ entra: world.azure.url }))

    test('says what to do, with a page to sign in at', async () => {
      const request = await pending(world)
      world.teams.configure({ entra: '' })
      const answer = await approves(world, request.approval)
      expect(answer).toMatchObject({
        status: 401,
        text: expect.stringMatching(/Sign in, agree .* press again.*ask your administrator.*Azure portal/),
        signIn: {
          uri: approver.uri,
          page: expect.stringContaining(`/adminconsent?client_id=${approver.appId}`),
        },
      })
      await withdrawn(world, request)
    })

    test('and one that knows no universal actions says so where it was pressed', async () => {
      const request = await pending(world)
      const { approval } = request
      const value = { verb: 'approve', link: linkIdOn(approval) }
      await world.teams.person('owner').sendsInvoke(value, { type: 'message', replyToId: approval.id })
      await world.teams.thread(approval).shows('this Teams cannot say so', { within })
      await withdrawn(world, request)
    })
  })

  test('signing in apart from a button is answered, and decides nothing', async () => {
    const owner = world.teams.person('owner')
    const exchange = async (token: string): Promise<number> =>
      (
        await owner.sendsInvoke(
          { id: 'request-1', connectionName: 'vaultlink', token },
          { name: 'signin/tokenExchange' },
        )
      ).status
    expect(await exchange(await tokenOf(world, 'owner'))).toBe(200)
    expect(await exchange(await tokenOf(world, 'second'))).toBe(412)
    expect(await exchange(await tokenOf(world, 'owner', { exp: 1 }))).toBe(412)
    expect((await owner.sendsInvoke({ state: '123456' }, { name: 'signin/verifyState' })).status).toBe(200)
    // Nobody in particular is signed in by nobody.
    const nobody = { name: 'signin/verifyState', from: { id: '29:nobody' } }
    expect((await owner.sendsInvoke({ state: '123456' }, nobody)).status).toBe(403)
  })

  describe('Azure does not take it', () => {
    const put = { method: 'PUT', path: onConnection, times: 1 } as const

    test('because it is busy: whoever pressed hears so, the card stays, and the next press does it', async () => {
      const { approval, thread } = await pending(world)
      world.azure.fail({ ...put, status: 409, code: 'ConflictError' })
      expect((await approves(world, approval)).text).toMatch(/busy .*ConflictError.*press again in a minute/)
      expect(seen(approval)).toMatch(/^Approve a private connection[\s\S]*Your decision/)
      await approves(world, approval)
      await thread.shows('can now reach', { within })
      await world.teams.thread(approval).shows('Working since', { within })
      await unlinked(world, { thread, approval })
    })

    test('because the vault is not done with another one', async () => {
      const chat = signalrId('contoso-chat', 'chat-blue')
      const first = await pending(world)
      const other = await pending(world, `link ${chat} to contoso-kv because tls`)
      world.azure.configure({ settlesMs: 60_000 })
      await approves(world, first.approval)
      expect((await approves(world, other.approval)).text).toMatch(/contoso-kv is still busy/)
      world.azure.configure({ settlesMs: 40 })
      await world.passes(61_000)
      await first.thread.shows('can now reach', { within })
      await world.teams.thread(first.approval).shows('Working since', { within })
      await approves(world, other.approval)
      await other.thread.shows('can now reach', { within })
      await world.teams.thread(other.approval).shows('Working since', { within })
      await unlinked(world, first)
      await unlinked(world, other)
    })

    test('or its answer is lost after it did: nobody has to press again, and it is the owner’s approval', async () => {
      const decided = decisions(world)
      const { approval, thread } = await pending(world)
      world.azure.fail({ ...put, when: 'after', how: 'reset' })
      expect((await approves(world, approval)).text).toMatch(/^Sent to contoso-kv as you/)
      await thread.shows(/can now reach .*Approved by Noor Haddad/, { within })
      await world.teams.thread(approval).shows('Working since', { within })
      expect(decided()).toEqual(['Approved by owner 0'])
      await unlinked(world, { thread, approval })
    })

    test('or has not yet when the bot is told to leave: what comes of it is written down first', async () => {
      const { approval, thread } = await pending(world)
      world.azure.fail({ ...put, when: 'after', how: 'hang' })
      expect((await approves(world, approval)).text).toMatch(/^Sent to contoso-kv as you/)
      const leaving = world.bot()
      await world.restart()
      expect(await leaving.ended).toEqual({ code: 0, signal: null })
      const last = leaving.log.filter(({ event }) => event === 'azure.failed' || event === 'left').slice(-2)
      expect(last).toMatchObject([
        { event: 'azure.failed', effect: 'approve', as: 'approver', cause: 'unavailable' },
        { event: 'left' },
      ])
      await thread.shows(/can now reach .*Approved by Noor Haddad/, { within })
      await world.teams.thread(approval).shows('Working since', { within })
      await unlinked(world, { thread, approval })
    })

    test('or nothing is ever heard of it: the answer waits no longer than Teams, and then the owner is asked again', async () => {
      const decided = decisions(world)
      const { approval, thread } = await pending(world)
      world.azure.fail({ ...put, when: 'before', how: 'hang' })
      expect((await approves(world, approval)).text).toMatch(/^Sent to contoso-kv as you/)
      expect((await approves(world, approval, 'second')).text).toMatch(/^An approval is on its way/)
      const reply = await world.teams.thread(approval).shows('Your approval did not reach Azure', { within })
      expect(reply.mentions).toEqual(['owner'])
      await world.teams.channel('vault-owners').shows('Please decide again', { within })
      await approves(world, approval, 'second')
      await thread.shows(/can now reach .*Approved by Mika Aalto/, { within })
      await world.teams.thread(approval).shows('Working since', { within })
      expect(decided()).toEqual(['Approved by owner 0', 'Approved by second 200'])
      await unlinked(world, { thread, approval })
    })
  })
})

describe('each has to agree', () => {
  let world: World
  beforeAll(async () => {
    world = await startStage({ asApprover: { consent: 'byEach' } })
  })
  afterAll(async () => {
    expect(await closed(world)).toEqual(allWell)
  })

  test('whoever has not is asked, and decides once they have; who does not want to, decides nothing', async () => {
    const decided = decisions(world)
    const { approval, thread } = await pending(world)
    const asked = {
      status: 412,
      type: 'application/vnd.microsoft.error.preconditionFailed',
      text: expect.stringContaining('Agree that Vaultlink may pass your decision on'),
    }
    expect(await approves(world, approval)).toMatchObject(asked)
    expect(await approves(world, approval, 'second')).toMatchObject(asked)
    expect(decided()).toEqual([])
    expect(seen(approval)).toMatch(/^Approve a private connection/)
    const answer = await world.teams.person('owner').agrees()
    expect(answer.card).toBeDefined()
    expect(decided()).toEqual(['Approved by owner 200'])
    await thread.shows('can now reach', { within })
    await world.teams.thread(approval).shows('Working since', { within })
    await unlinked(world, { thread, approval })
    // Agreed once is agreed.
    const again = await linked(world)
    await unlinked(world, again)
  })
})

describe('who proves the application', () => {
  let world: World
  beforeAll(async () => {
    world = await startStage({
      asApprover: { consent: 'forEverybody' },
      environment: { APPROVER_APP_PASSWORD: '' },
    })
  })
  afterAll(async () => {
    await world.close()
  })

  test('the managed identity, where there is no secret', async () => {
    const decided = decisions(world)
    const request = await linked(world)
    expect(decided()).toEqual(['Approved by owner 200'])
    await unlinked(world, request)
  })

  test('a wrong secret, or an Entra ID that is not there, approves nothing, and nothing of it is in the log', async () => {
    const request = await pending(world)
    const decided = decisions(world)
    await world.restart({ environment: { APPROVER_APP_PASSWORD: 'an-old-secret~of-ours' } })
    expect((await approves(world, request.approval)).text).toMatch(/did not do .*AADSTS7000215/)
    expect(JSON.stringify(world.bot().log)).not.toContain('an-old-secret')
    expect(world.bot().log).toContainEqual(
      expect.objectContaining({ event: 'approver.unable', code: 'AADSTS7000215' }),
    )
    await world.restart({ environment: { AZURE_AUTHORITY_HOST: 'https://localhost:1' } })
    expect((await approves(world, request.approval)).text).toMatch(
      /^Azure isn't answering. Nothing was recorded/,
    )
    expect(decided()).toEqual([])
    expect(troubles(world)).toEqual([])
    await world.restart()
    await approves(world, request.approval)
    await request.thread.shows('can now reach', { within })
  })
})
