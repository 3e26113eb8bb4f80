/** What the story tests share: a world with its people, what they do in it, and what can be read of it afterwards. */

import { type PersonKey, people, signalrs, vaults } from '../../sandbox/seed.ts'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Answer, Message, Thread } from '../../sandbox/teams/face.ts'
import { hurried, startWorld, type World } from '../../sandbox/world.ts'
import { resourceName } from '../../src/link/resourceId.ts'
import { newStore } from './stores.ts'

/** Long enough for a machine that is busy with much else; a wait ends as soon as its condition holds. */
export const within = 30_000
export const minutes = (n: number): number => n * 60_000
export const days = (n: number): number => n * 86_400_000

const idOf = (all: readonly { id: string }[], name: string, group?: string): string => {
  const found = all.find(
    ({ id }) =>
      resourceName(id) === name && (group === undefined || id.includes(`/resourceGroups/${group}/`)),
  )
  if (!found) throw new Error(`The seed has no ${name}`)
  return found.id
}
export const signalrId = (name: string, group?: string): string => idOf(signalrs, name, group)
export const vaultId = (name: string): string => idOf(vaults, name)

/** A hurried world in which nobody is throttled. `owned`: vaults that the owner claims in #vault-owners. */
export async function startStage(
  options: {
    owned?: readonly string[]
    environment?: Record<string, string>
    asApprover?: { consent: 'forEverybody' | 'byEach' }
    hearsEvents?: boolean
  } = {},
): Promise<World> {
  const { owned = ['contoso-kv'], environment = {}, asApprover, hearsEvents = false } = options
  const store = await newStore()
  // Whoever meets a busy gate comes again when what was seen is old.
  const usual = { VAULTLINK_FRESH_LOOK_SECONDS: '1' }
  const started = await startWorld({
    pace: hurried,
    ...(asApprover && { asApprover }),
    hearsEvents,
    environment: { ...usual, ...store.environment, ...environment },
  })
  const world: World = {
    ...started,
    async close() {
      await started.close()
      await store.remove()
    },
  }
  world.azure.configure({ throttle: false })
  world.teams.configure({ throttle: false })
  for (const vault of owned) await claims(world, vault)
  return world
}

export async function claims(
  { teams }: World,
  vault: string,
  { by = 'owner', channel = 'vault-owners' }: { by?: PersonKey; channel?: string } = {},
): Promise<void> {
  await teams.person(by).says(`own ${vault}`).in(channel)
  await teams.channel(channel).shows(new RegExp(`decides for ${vault}`), { within })
}

// ---- what is read ------------------------------------------------------------------------------------

/** A message as people read it, with what its buttons open in place. */
export const seen = ({ text, card }: Message, options: { open?: boolean } = {}): string =>
  [...(text === undefined ? [] : [text]), ...cardText(card, options)].join('\n')

/** What it showed first, and after each update, oldest first. */
export const shownOverTime = (message: Message): readonly string[] =>
  [...message.history, message].map((state) => [state.text ?? '', ...cardText(state.card)].join('\n'))

export const buttonsOf = (message: Message): readonly string[] =>
  seen(message)
    .split('\n')
    .filter((line) => /^(\[[^\]]+\]\s*)+$/.test(line))
    .flatMap((line) => [...line.matchAll(/\[([^\]]+)\]/g)].flatMap(([, title]) => title ?? []))

/** The opaque id that a card's buttons carry. */
export function linkIdOn(card: Message): string {
  const id = /"link":"([0-9a-f]{32})"/.exec(JSON.stringify(card.card))?.[1]
  if (id === undefined) throw new Error(`No link id on this card:\n${seen(card)}`)
  return id
}

export const told = (thread: Thread): readonly string[] =>
  thread.messages().flatMap((message) => (message.from === 'Vaultlink' ? [seen(message)] : []))

/** What happened from now on. */
export function watch({ azure, teams }: Pick<World, 'azure' | 'teams'>) {
  const azureFrom = azure.events.length
  const teamsFrom = teams.events.length
  return {
    /** The bot's writes that reached Azure, as `PUT kv-contoso-kv 201`. */
    writes: (): readonly string[] =>
      azure.events
        .slice(azureFrom)
        .flatMap((event) =>
          event.kind === 'arm' && event.write
            ? [`${event.method} ${resourceName(event.path)} ${event.status}`]
            : [],
        ),
    /** How often a link was looked at. */
    looks: (): number =>
      azure.events
        .slice(azureFrom)
        .filter(
          (event) =>
            event.kind === 'arm' &&
            event.method === 'GET' &&
            /\/sharedPrivateLinkResources\/[^/]+$/i.test(event.path),
        ).length,
    /** What became of it: `linkCreated`, `connectionApproved`, … */
    effects: (): readonly string[] =>
      azure.events.slice(azureFrom).flatMap((event) => (event.kind === 'effect' ? [event.what] : [])),
    /** What the bot posted, and where. */
    told: (): readonly { channel: string; text: string }[] =>
      teams.events
        .slice(teamsFrom)
        .flatMap((event) =>
          event.kind === 'posts' || event.kind === 'replies'
            ? [{ channel: event.channel, text: [event.text ?? '', ...cardText(event.card)].join('\n') }]
            : [],
        ),
  }
}

/** Everything that was done twice and must not be; empty when all is well. */
function doneTwice({ azure, teams }: World): readonly string[] {
  const twice: string[] = []
  const standing = new Map<string, string>()
  const sent = new Set<string>()
  let generation = 0
  for (const event of azure.events) {
    if (event.kind === 'effect') {
      const { what, id } = event
      if (what === 'linkCreated' || what === 'linkKept') generation++
      if (what === 'linkUpdated') twice.push(`${id} was put over`)
      if (what !== 'propagated' && what !== 'linkKept') {
        if (standing.get(id) === what) twice.push(`${what} ${id}`)
        standing.set(id, what)
      }
    } else if (event.kind === 'arm' && event.write && event.status >= 200 && event.status < 300) {
      // A DELETE has no body: what it removes was made anew in between, or could not be removed, or it was sent twice.
      const key = `${event.method} ${event.path} ${JSON.stringify(event.requestBody) ?? generation}`
      if (sent.has(key)) twice.push(key)
      sent.add(key)
    }
  }
  const since = new Map<string, Set<string>>()
  for (const event of teams.events) {
    if (event.kind === 'says' || event.kind === 'presses') since.delete(event.conversationId)
    if (event.kind !== 'posts' && event.kind !== 'replies') continue
    const text = [event.text ?? '', ...cardText(event.card)].join('\n')
    const place = event.kind === 'posts' ? event.channel : event.conversationId
    const before = since.get(place) ?? new Set()
    if (before.has(text)) twice.push(`told twice in ${event.channel}: ${text}`)
    since.set(place, before.add(text))
  }
  return twice
}

/** What the bot's log calls an error. */
export const troubles = (world: World): readonly unknown[] =>
  world.bot().log.filter(({ level }) => level === 'error')

/** Ends the world; what must be empty of everything that happened in it. */
export async function closed(
  world: World,
): Promise<{ twice: readonly string[]; troubles: readonly unknown[]; misfits: object }> {
  // What the bot sent that Microsoft's OpenAPI files do not describe.
  const misfits = world.azure.conformity()?.misfits ?? {}
  const found = { twice: doneTwice(world), troubles: troubles(world), misfits }
  await world.close()
  return found
}
export const allWell = { twice: [], troubles: [], misfits: {} }

// ---- what people do ----------------------------------------------------------------------------------

/** A request that stands: its thread, its status card, and the mark that its message to the vault bears. */
export type Request = { readonly thread: Thread; readonly card: Message; readonly mark: string }
type Asking = { by?: PersonKey; in?: string | Thread }

export const sentence = 'link contoso-signalr to contoso-kv because custom domain certificate'

/** Somebody says it; resolves once the bot has answered the turn. */
export async function says(
  { teams }: World,
  text: string,
  { by = 'requester', in: where = 'general' }: Asking = {},
): Promise<Thread> {
  return teams.thread(await teams.person(by).says(text).in(where))
}

/** Somebody asks, and the status card stands. */
export async function asks(world: World, text: string = sentence, asking: Asking = {}): Promise<Request> {
  const thread = await says(world, text, asking)
  return standing(await thread.shows(/\[vaultlink [0-9a-f]{32}\]/, { within }), thread)
}
export function standing(card: Message, thread: Thread): Request {
  const mark = /\[vaultlink [0-9a-f]{32}\]/.exec(seen(card))?.[0]
  if (mark === undefined) throw new Error(`No request stands there:\n${seen(card)}`)
  return { thread, card, mark }
}

/** The owners are asked: resolves to the approval card of this request. */
export function approvalOf({ teams }: World, { mark }: Request, channel = 'vault-owners'): Promise<Message> {
  const nonce = mark.slice(1, -1)
  return teams
    .channel(channel)
    .shows(new RegExp(`^Approve a private connection[\\s\\S]*${nonce}`), { within })
}

/** Teams shows a card before the bot has written down that it stands there; no person presses as soon as that. */
async function isWrittenDown(world: World, approval: Message): Promise<void> {
  const link = linkIdOn(approval)
  const isTold = (): boolean =>
    world
      .bot()
      .log.some((line) => line.event === 'teams.told' && line.link === link && line.post === 'approval')
  for (const until = performance.now() + within; !isTold(); await new Promise(setImmediate))
    if (performance.now() > until) throw new Error(`The bot did not write down that it asked about ${link}`)
}

/** Asked, made in Azure, and shown to the owners. */
export async function pending(
  world: World,
  text: string = sentence,
  asking: Asking & { owners?: string } = {},
): Promise<Request & { readonly approval: Message }> {
  const request = await asks(world, text, asking)
  const approval = await approvalOf(world, request, asking.owners)
  await isWrittenDown(world, approval)
  return { ...request, approval }
}

export const approves = ({ teams }: World, card: Message, by: PersonKey = 'owner'): Promise<Answer> =>
  teams.person(by).presses('Approve…', 'Yes, approve').on(card)
export const rejects = (
  { teams }: World,
  card: Message,
  reason?: string,
  by: PersonKey = 'owner',
): Promise<Answer> =>
  teams
    .person(by)
    .presses('Reject…', 'Yes, reject')
    .on(card, reason === undefined ? {} : { reason })

/** A button's invoke as a client makes it up. */
export const invoke = (verb: string, data: Readonly<Record<string, unknown>>): unknown => ({
  action: { type: 'Action.Execute', verb, data: { verb, ...data } },
  trigger: 'manual',
})

/** From ask to Approved, and both sides told. */
export async function linked(
  world: World,
  text: string = sentence,
  asking: Asking & { owners?: string; approver?: PersonKey } = {},
): Promise<Request & { readonly approval: Message }> {
  const request = await pending(world, text, asking)
  await approves(world, request.approval, asking.approver)
  await request.thread.shows('can now reach', { within })
  await world.teams.thread(request.approval).shows('Working since', { within })
  return request
}

/** A working link is taken away, so that its pair can be asked for again; resolves once everybody has heard. */
export async function unlinked(
  world: World,
  { thread, approval }: { thread: Thread; approval?: Message },
): Promise<void> {
  const { teams } = world
  await says(world, 'unlink', { in: thread })
  const question = await thread.shows(/^Unlink /, { within })
  await teams.person('requester').presses('Yes, unlink').on(question)
  await thread.shows(/^\S.* removed the link/, { within })
  if (approval) await teams.thread(approval).shows(/^\S.* removed the link/, { within })
}

/** Resolves once the condition holds; looked at whenever something happens in Azure or Teams. */
export function until(
  { azure, teams }: Pick<World, 'azure' | 'teams'>,
  what: string,
  holds: () => boolean,
): Promise<void> {
  if (holds()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      for (const stop of stops) stop()
      clearTimeout(cut)
    }
    const cut = setTimeout(() => {
      settle()
      reject(new Error(`It did not come to this within ${within} ms: ${what}`))
    }, within)
    const look = (): void => {
      if (!holds()) return
      settle()
      resolve()
    }
    const stops = [azure.onEvent(look), teams.onEvent(look)]
  })
}

/** Time passes until the bot looks again; resolves once that look has seen what it sees. */
export async function looksAfter(
  world: Pick<World, 'azure' | 'teams' | 'passes'>,
  ms: number,
): Promise<void> {
  const from = world.azure.events.length
  await world.passes(ms)
  const reads = [/\/sharedPrivateLinkResources\/[^/]+$/i, /\/privateEndpointConnections$/i]
  const seen = (read: RegExp): boolean =>
    world.azure.events.slice(from).some((event) => event.kind === 'arm' && read.test(event.path))
  await until(world, 'the look after a while', () => reads.every(seen))
}

export const objectId = (who: PersonKey): string => people[who].objectId
