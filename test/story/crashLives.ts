/**
 * One life of a request, from the asking to its end, in which the bot is killed at one named moment and started again
 * on the same store. People do what people do: they wait for a card, they press, and Teams delivers again what nobody
 * answered.
 */
import type { AzureEvent } from '../../sandbox/azure/state.ts'
import type { BotProcess, LogLine } from '../../sandbox/botProcess.ts'
import type { Message } from '../../sandbox/teams/face.ts'
import { hurried, startWorld, type World } from '../../sandbox/world.ts'
import { systemClock } from '../../src/clock.ts'
import { readConfig } from '../../src/config.ts'
import { createJournal } from '../../src/engine/journal.ts'
import { foldAll } from '../../src/link/fold.ts'
import type { Link, PostKey, Status } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { buttonsOf, seen, sentence, until, within } from './stage.ts'
import { newStore } from './stores.ts'

export type LifeName = 'approve' | 'reject' | 'portal' | 'cancel' | 'unlink'
/**
 * `from`: since when the moment is armed; `pending` when the same moment also comes before the owners are asked.
 * `again`: at what moment the next process is killed, if it comes to that.
 */
export type Moment = {
  readonly life: LifeName
  readonly at: string
  readonly from?: 'pending'
  readonly again?: string
}

/** What a life comes to, whatever happened to the bot meanwhile. */
type Ending = {
  readonly status: Status
  /** What was done in Azure, each once. By whom is part of it: the portal's approval is nobody else's. */
  readonly effects: readonly string[]
  readonly writes: readonly string[]
  readonly cards: { readonly status: RegExp; readonly approval: RegExp }
  readonly replies: Readonly<Partial<Record<PostKey, RegExp>>>
}
const put = 'PUT kv-contoso-kv'
const decide = 'PUT connection'
const remove = 'DELETE kv-contoso-kv'
const works = {
  cards: { status: /Approved .*working since/, approval: /Approved .*working since/ },
  replies: { 'thread/0': /can now reach contoso-kv privately/, 'owners/0': /Working since/ },
}
export const endings: Readonly<Record<LifeName, Ending>> = {
  approve: {
    ...works,
    status: 'Approved',
    effects: ['linkCreated by bot', 'connectionApproved by bot'],
    writes: [put, decide],
  },
  portal: {
    ...works,
    status: 'Approved',
    effects: ['linkCreated by bot', 'connectionApproved by owner'],
    writes: [put],
  },
  reject: {
    status: 'Rejected',
    effects: ['linkCreated by bot', 'connectionRejected by bot', 'linkDeleted by bot'],
    writes: [put, decide, remove],
    cards: { status: /Rejected by Noor Haddad/, approval: /Rejected by Noor Haddad/ },
    replies: {
      'thread/0': /Rejected by Noor Haddad: "Use contoso-certs instead".*is removed/,
      'owners/0': /Rejected by Noor Haddad: "Use contoso-certs instead".*is removed/,
    },
  },
  cancel: {
    status: 'Cancelled',
    effects: ['linkCreated by bot', 'linkDeleted by bot'],
    writes: [put, remove],
    cards: { status: /Cancelled by Riley Park · nothing/, approval: /Cancelled by Riley Park · nothing/ },
    replies: { 'thread/0': /Cancelled by Riley Park\. /, 'owners/0': /Cancelled by Riley Park\. / },
  },
  unlink: {
    status: 'Removed',
    effects: ['linkCreated by bot', 'connectionApproved by bot', 'linkDeleted by bot'],
    writes: [put, decide, remove],
    cards: { status: /Removed by Riley Park/, approval: /Removed by Riley Park/ },
    replies: {
      ...works.replies,
      'thread/1': /Riley Park removed the link kv-contoso-kv/,
      'owners/1': /Riley Park removed the link kv-contoso-kv/,
    },
  },
}

/** The one post that stands twice after a kill at this moment: Teams had it, and nobody had written it down. */
export function twiceAt({ at, from }: Moment): PostKey | undefined {
  const [, post] = /^(?:after post|committing posted) (\S+)$/.exec(at) ?? []
  return from === undefined ? (post as PostKey | undefined) : undefined
}

type Posts = Readonly<Partial<Record<PostKey, number>>>
type Stored = {
  readonly links: number
  readonly link: Link | undefined
  /** The record as the audit log alone gives it. */
  readonly folded: Link | undefined
  readonly verified: boolean
  /** What the record still asks for: nothing, when all is done and told. */
  readonly left: readonly string[]
  /** The ids of the activities that the log knows, by post. */
  readonly posted: Readonly<Record<string, readonly string[]>>
}
/** How a killed process ended, the last line that it wrote, and what it left behind. */
type Death = {
  readonly signal: NodeJS.Signals | null
  readonly lastLine: LogLine | undefined
  readonly store: Stored
  /** What stood in Teams of which the store knew nothing: killed between Teams' answer and the commit. */
  readonly unrecorded: Posts
}
export type Lived = {
  readonly deaths: readonly Death[]
  /** How the last process ended when it was told to. */
  readonly left: { readonly code: number | null }
  /** What the bot and the portal did to Azure, in order. */
  readonly effects: readonly string[]
  readonly writes: readonly string[]
  readonly links: readonly string[]
  readonly connections: readonly string[]
  /** How often each card and each reply stands in Teams. */
  readonly posts: Posts
  /** The newest of each card, as people read it. */
  readonly cards: { readonly status: string; readonly approval: string }
  /**
   * An older card that the kill left, as people read it once somebody has pressed it: it was adopted. `said`: what that
   * press was answered, when it came after the end.
   */
  readonly older: Older | undefined
  readonly store: Stored
  readonly errors: readonly LogLine[]
}

type Older = { readonly shows: string; readonly said?: string | undefined }

export async function live(moment: Moment): Promise<Lived> {
  const place = await newStore()
  const database = place.url
  const armed = { VAULTLINK_CRASH_AT: moment.at }
  const world = await startWorld({
    // Half a second is long enough for a local Azure to show what was written.
    pace: { azure: hurried.azure, bot: { ...hurried.bot, VAULTLINK_SETTLE_SECONDS: '0.5' } },
    environment: { ...place.environment, ...(moment.from === undefined && armed) },
  })
  try {
    world.teams.configure({ throttle: false })
    const kill = expectKills(world, moment, database)
    if (moment.from === undefined) kill.begin()
    const whenPending = async (): Promise<void> => {
      if (moment.from === undefined) return
      await world.restart({ environment: armed })
      kill.begin()
    }
    const { older, told } = await play(world, moment, kill, whenPending)
    const last = await leave(world, kill, told)
    return {
      deaths: kill.deaths,
      left: { code: (await last.ended).code },
      ...seenOf(world, moment.life),
      older,
      store: await storedAt(database),
      errors: last.log.filter(({ level }) => level === 'error'),
    }
  } finally {
    await world.close()
    await place.remove()
  }
}

/** Ends the bot as a platform would. A kill may come to the last of its steps even then: then it is up once more. */
async function leave(
  world: World,
  { risen, up }: Pick<Kills, 'risen' | 'up'>,
  told: () => Promise<void>,
): Promise<BotProcess> {
  const before = risen()
  const last = world.bot()
  await last.stop()
  if ((await last.ended).signal === null) return last
  await up(before)
  await told()
  return leave(world, { risen, up }, told)
}

type Kills = ReturnType<typeof expectKills>

/** Sees the bot die of its moment and starts it again, armed with the next one if there is one. */
function expectKills(world: World, { life, again }: Moment, database: string) {
  const deaths: Death[] = []
  const failed = Promise.withResolvers<never>()
  const waiting = new Set<() => void>()
  let risen = 0
  const watch = async (then: string | undefined): Promise<void> => {
    const bot = world.bot()
    const { signal } = await bot.ended
    if (signal === null) return
    const store = await storedAt(database)
    const unrecorded = Object.entries(postsOf(world, life)).flatMap(([post, all]) => {
      const unknown = all.filter(({ id }) => !store.posted[post]?.includes(id)).length
      return unknown > 0 ? [[post, unknown]] : []
    })
    deaths.push({
      signal,
      lastLine: bot.log.at(-1),
      store,
      unrecorded: Object.fromEntries(unrecorded),
    })
    await world.restart({ kill: true, environment: { VAULTLINK_CRASH_AT: then ?? '' } })
    risen += 1
    for (const look of [...waiting]) look()
    if (then !== undefined) await watch(undefined)
  }
  // Awaited where it matters; a life that fails earlier must not leave an unheard rejection.
  failed.promise.catch(() => undefined)
  return {
    deaths,
    risen: () => risen,
    /** The bot was started more than `before` times again. */
    up(before: number): Promise<void> {
      const up = new Promise<void>((resolve) => {
        const look = (): void => {
          if (risen <= before) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
      return Promise.race([up, failed.promise])
    },
    begin: () => void watch(again).catch(failed.reject),
  }
}

type Heard = {
  readonly status?: number
  readonly delivered?: number
  readonly id?: string
  readonly activityId?: string
}

/** What people do, each thing once its time has come. Resolves when everything that is to be told was told. */
async function play(
  world: World,
  moment: Moment,
  { deaths, risen, up }: Kills,
  whenPending: () => Promise<void>,
): Promise<{ readonly older: Older | undefined; readonly told: () => Promise<void> }> {
  const { teams, azure } = world
  const { life } = moment
  const requester = teams.person('requester')
  const owner = teams.person('owner')
  const ending = endings[life]
  const twice = twiceAt(moment)
  const lost = (): Posts => deaths.at(-1)?.unrecorded ?? {}
  const stand = (...posts: PostKey[]): boolean => {
    const now = postsOf(world, life)
    return posts.every((post) => now[post]?.length === 1 + (lost()[post] ?? 0))
  }
  const oldest = (post: PostKey): Message => {
    const message = postsOf(world, life)[post]?.[0]
    if (!message) throw new Error(`No ${post} stands in Teams`)
    return message
  }

  /** A turn that died unanswered comes again: first as it was, later under a new id and time. */
  async function heard<T extends Heard>(act: () => Promise<T>): Promise<T> {
    let before = risen()
    const done = await act()
    if ((done.status ?? done.delivered) === 200) return done
    const id = done.activityId ?? done.id ?? ''
    let unanswered = true
    for (const sameId of [true, false]) {
      do {
        if (unanswered) await up(before)
        before = risen()
        unanswered = (await teams.redeliver(id, { sameId })).status !== 200
      } while (unanswered)
    }
    return done
  }

  await owner.says('own contoso-kv').in('vault-owners')
  await teams.channel('vault-owners').shows(/decides for contoso-kv/, { within })
  await heard(() => requester.says(sentence).in('general'))
  // Where a card was lost, people press the older of the two.
  if (twice === 'status' || twice === 'approval') await up(0)
  await until(world, 'the cards stand', () => stand('status', 'approval'))
  // Here a press is cut and nothing else: one that overtakes the commit of its card would be of a card that is lost.
  if (/^committing (?:decided|cancelled|unlinked)$/.test(moment.at))
    await until(world, 'the cards are written down', () =>
      ['status', 'approval'].every((card) =>
        world.bot().log.some(({ event, post }) => event === 'teams.told' && post === card),
      ),
    )
  await whenPending()

  const approve = () => heard(() => owner.presses('Approve…', 'Yes, approve').on(oldest('approval')))
  switch (life) {
    case 'approve':
      await approve()
      break
    case 'portal':
      azure.portal.approve('contoso-kv', 'owner')
      break
    case 'reject':
      await heard(() =>
        owner
          .presses('Reject…', 'Yes, reject')
          .on(oldest('approval'), { reason: 'Use contoso-certs instead' }),
      )
      break
    case 'cancel':
      await heard(() => requester.presses('Cancel request', 'Yes, cancel').on(oldest('status')))
      break
    case 'unlink': {
      await approve()
      await until(world, 'it works', () => stand('thread/0', 'owners/0'))
      const asked = await requester.says('unlink contoso-signalr from contoso-kv').in('with:requester')
      const question = await teams.thread(asked).shows('Unlink contoso-signalr from contoso-kv?', { within })
      await heard(() => requester.presses('Yes, unlink').on(question))
      break
    }
  }
  await up(0)
  const posts: readonly PostKey[] = ['status', 'approval', ...(Object.keys(ending.replies) as PostKey[])]
  const told = (): Promise<void> =>
    until(world, `all is told; lost at the kill: ${JSON.stringify(lost())}`, () => {
      const { status, approval } = newestCards(world, life)
      return stand(...posts) && ending.cards.status.test(status) && ending.cards.approval.test(approval)
    })
  await told()
  if (twice !== 'status' && twice !== 'approval') return { older: undefined, told }
  const older = oldest(twice)
  // A lost card that nobody has pressed keeps its buttons; somebody else, who may, presses them late.
  const late =
    twice === 'status'
      ? (['lone', 'Cancel request', 'Yes, cancel'] as const)
      : (['second', 'Approve…', 'Yes, approve'] as const)
  const [who, ...titles] = late
  const pressed = buttonsOf(older).includes(titles[0])
    ? await heard(() =>
        teams
          .person(who)
          .presses(...titles)
          .on(older),
      )
    : undefined
  // The second kill may come here too: then it is Teams that answered.
  const said = pressed?.status === 200 ? pressed.text : undefined
  await until(
    world,
    'the older card is like the newer',
    () => seen(older) === newestCards(world, life)[twice],
  )
  return { older: { shows: seen(older), said }, told }
}

// ---- what can be read of it afterwards ---------------------------------------------------------------

const isBots = ({ from }: Message): boolean => from === 'Vaultlink'

/** The bot's cards, and the replies that this life ends in, by the post that they are; oldest first. */
function postsOf({ teams }: World, life: LifeName): Readonly<Record<PostKey, readonly Message[]>> {
  const places = {
    thread: teams.channel('general').messages().filter(isBots),
    owners: teams.channel('vault-owners').messages().filter(isBots),
  }
  const replies = Object.entries(endings[life].replies).map(([post, what]) => [
    post,
    places[post.startsWith('thread') ? 'thread' : 'owners'].filter(
      (message) => message.card === undefined && what?.test(seen(message)),
    ),
  ])
  return {
    status: places.thread.filter((message) => /^Link contoso-signalr to contoso-kv/.test(seen(message))),
    approval: places.owners.filter((message) => /rivate connection to contoso-kv/.test(seen(message))),
    ...Object.fromEntries(replies),
  }
}

function newestCards(world: World, life: LifeName): { status: string; approval: string } {
  const { status, approval } = postsOf(world, life)
  const text = (all: readonly Message[]): string => all.map((message) => seen(message)).at(-1) ?? ''
  return { status: text(status), approval: text(approval) }
}

const isEffect = (event: AzureEvent): event is AzureEvent & { kind: 'effect' } => event.kind === 'effect'

function seenOf(
  world: World,
  life: LifeName,
): Pick<Lived, 'effects' | 'writes' | 'links' | 'connections' | 'posts' | 'cards'> {
  const { azure } = world
  const decisive = /^(link(Created|Updated|Deleted)|connection(Approved|Rejected|Reset))$/
  return {
    effects: azure.events
      .filter(isEffect)
      .filter(({ what }) => decisive.test(what))
      .map(({ what, by }) => `${what} by ${by}`),
    writes: azure.events.flatMap((event) =>
      event.kind === 'arm' && event.write && event.status < 300
        ? [
            `${event.method} ${/privateEndpointConnections/i.test(event.path) ? 'connection' : 'kv-contoso-kv'}`,
          ]
        : [],
    ),
    links: azure.links().map(({ provisioningState, status }) => `${provisioningState} ${status}`),
    connections: azure.connections('contoso-kv').map(({ status }) => status),
    posts: Object.fromEntries(Object.entries(postsOf(world, life)).map(([post, all]) => [post, all.length])),
    cards: newestCards(world, life),
  }
}

const { limits } = readConfig({ VAULTLINK_MODE: 'sandbox', ARM_ENDPOINT: 'http://127.0.0.1' })

/** The store as the last process left it. Nobody else has the file open. */
async function storedAt(url: string): Promise<Stored> {
  const store = await openStore({ url })
  try {
    const all = await store.list({}, 10)
    const [first] = all
    const row = first && (await store.get(first.id))
    if (!row) return { links: 0, link: undefined, folded: undefined, verified: true, left: [], posted: {} }
    const { link } = row
    const facts = await store.facts(link.id)
    const plan = createJournal({ store, clock: systemClock(), limits, wake: () => undefined }).planFor(
      link,
      row,
    )
    const posted: Record<string, string[]> = {}
    for (const fact of facts)
      if (fact.fact === 'posted') posted[fact.post] = [...(posted[fact.post] ?? []), fact.activity]
    return {
      links: all.length,
      link,
      folded: foldAll(facts),
      verified: (await store.verify()).flaw === undefined,
      left: [...plan.messages.map(({ post }) => `tell ${post}`), ...(plan.azure ? [plan.azure.step] : [])],
      posted,
    }
  } finally {
    await store.close()
  }
}
