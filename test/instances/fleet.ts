/**
 * Many links at once, asked for and approved while several bots work on one PostgreSQL and some of them are killed.
 * People do what people do: they wait for a card, they press, and say it again when they hear that nothing was done.
 */
import type { BotProcess } from '../../sandbox/botProcess.ts'
import { people } from '../../sandbox/seed.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import { hurried, startWorld, type World } from '../../sandbox/world.ts'
import { openAudit } from '../../src/store/openStore.ts'
import { group, pair, pairs } from '../pairs.ts'
import { freshDatabase } from '../postgres/database.ts'
import { seen } from '../story/stage.ts'
import { openFront } from './front.ts'

export type Plan = {
  readonly links: number
  readonly instances: number
  /** How many are killed, and started anew, while it goes on. */
  readonly kills: number
  readonly withinMs: number
}
export type Found = {
  /** What was not done once: `linkCreated signalr-3/vault-4 2`. */
  readonly notOnce: readonly string[]
  /** Writes that Azure turned away since another of the same SignalR or vault was under way. */
  readonly conflicts: readonly string[]
  /** Final replies that stand in one thread more than once, but for those whose first a kill kept from being written down. */
  readonly repeated: readonly string[]
  /** Those that a kill explains. */
  readonly explained: number
  readonly killed: number
  /** Links that one instance took while another was still at them, held up for longer than its lease. */
  readonly taken: number
  readonly flaw: unknown
  readonly seconds: number
}

const sides = 20
/** Each pair once, and neighbours share neither SignalR nor vault. */
const pairOf = (n: number): { signalr: string; vault: string } => ({
  signalr: pair(n % sides).signalr,
  vault: pair((n + Math.floor(n / sides)) % sides).vault,
})

const mostAtOnce = 6
const again = /Nothing was recorded|nothing was done|longer than it should|wrong on my side|writing this down/

export async function runFleet({ links, instances, kills, withinMs }: Plan): Promise<Found> {
  const database = await freshDatabase()
  const front = await openFront()
  const world = await startWorld({
    pace: hurried,
    seed: pairs(sides),
    environment: {
      DATABASE_URL: database.url,
      // Twice as long as a busy machine may hold a process up.
      VAULTLINK_LEASE_SECONDS: '12',
      VAULTLINK_OWNERS_CHANNEL: '19:vault-owners@thread.tacv2',
    },
  })
  const fleet: BotProcess[] = [world.bot()]
  const all = new Set<BotProcess>(fleet)
  let killed = 0
  const { azure, teams } = world
  try {
    azure.configure({ throttle: false })
    teams.configure({ throttle: false })
    azure.rights.grant(people.owner.objectId, 'vaultApprover', group)
    const add = async (): Promise<void> => {
      const bot = await world.another()
      all.add(bot)
      fleet.push(bot)
    }
    while (fleet.length < instances) await add()
    const behind = (): void => front.leadsTo(fleet.map(({ url }) => url))
    behind()
    teams.connect(`${front.url}/api/messages`)

    // A channel in which nobody has spoken to it yet is one that it does not know.
    await teams.person('owner').says('help').in('vault-owners')
    const began = performance.now()
    const total = links
    let isOver = false
    const kill = async (): Promise<void> => {
      // The oldest of them, so that each is met in the end.
      const victim = fleet.shift()
      behind()
      killed += 1
      await victim?.kill()
      await add()
      behind()
    }
    const approving = approveAll(world, () => isOver)
    const killing = (async () => {
      for (let n = 1; n <= kills; n++) {
        await holds(() => isOver || working(world).size >= (total * n) / (kills + 1), withinMs)
        if (!isOver) await kill()
      }
    })()
    await inTurns(links, (n) => ask(world, pairOf(n)))
    await holds(() => working(world).size === total, withinMs).catch((error: unknown) => {
      throw new Error(`${working(world).size} of ${total} work`, { cause: error })
    })
    isOver = true
    await killing
    await approving
    // Whoever has a reply left to post posts it before it leaves.
    await Promise.all(fleet.map((bot) => bot.stop()))
    const seconds = Math.round((performance.now() - began) / 1_000)
    const { recorded, flaw } = await audited(database.url)
    const taken = [...all].flatMap(({ log }) => log.filter(({ event }) => event === 'link.taken')).length
    return { ...findings(world, links, recorded), killed, taken, flaw, seconds }
  } finally {
    await Promise.all(fleet.map((bot) => bot.kill()))
    await world.close()
    await front.close()
    await database.remove()
  }
}

/** A few at a time, as many people would. */
async function inTurns(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: mostAtOnce }, one))
}

async function holds(condition: () => boolean, withinMs: number): Promise<void> {
  for (
    const until = performance.now() + withinMs;
    !condition();
    await new Promise((go) => setTimeout(go, 20))
  )
    if (performance.now() > until) throw new Error(`It did not come to this within ${withinMs} ms`)
}

async function ask({ teams }: World, { signalr, vault }: { signalr: string; vault: string }): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const said = await teams.person('requester').says(`link ${signalr} to ${vault}`).in('general')
    let { delivered } = said
    for (let more = 0; delivered !== 200 && more < 20; more++)
      delivered = (await teams.redeliver(said.id, { sameId: false })).status
    const heard = (await teams.thread(said))
      .messages()
      .flatMap(({ from, text }) => (from === 'Vaultlink' && text !== undefined ? [text] : []))
    // The card comes by itself; only who has heard already gets a line.
    const unexpected = heard.find((text) => !again.test(text) && !/already/.test(text))
    if (unexpected !== undefined) throw new Error(unexpected)
    if (!heard.some((text) => again.test(text))) return
  }
  throw new Error(`Nobody took the request for ${signalr} and ${vault}`)
}

const canApprove = (card: Message): boolean => /\[Approve…\]/.test(seen(card))

/** Presses every approval card once, and again where nothing came of it. */
async function approveAll({ teams }: World, isOver: () => boolean): Promise<void> {
  const pressed = new Set<string>()
  const press = async (card: Message): Promise<void> => {
    let answer: Answer
    do {
      answer = await teams.person('owner').presses('Approve…', 'Yes, approve').on(card)
      // What was recorded although nobody heard so shows on the card.
    } while (!isOver() && canApprove(card) && (answer.status !== 200 || again.test(answer.text ?? '')))
  }
  const underWay = new Set<Promise<void>>()
  while (!isOver()) {
    const fresh = teams
      .channel('vault-owners')
      .messages()
      .filter((message) => !pressed.has(message.id) && canApprove(message))
    for (const card of fresh) {
      if (underWay.size >= mostAtOnce) break
      pressed.add(card.id)
      const one = press(card).finally(() => underWay.delete(one))
      underWay.add(one)
    }
    await new Promise((go) => setTimeout(go, 20))
  }
  await Promise.all(underWay)
}

const reached = /^@Riley Park (signalr-\d+) can now reach (vault-\d+) privately/

const replies = ({ teams }: World): readonly Message[] =>
  teams
    .channel('general')
    .messages()
    .filter(({ from, text }) => from === 'Vaultlink' && text !== undefined && reached.test(text))

/** The pairs of which the requester was told that they work. */
const working = (world: World): ReadonlySet<string> =>
  new Set(replies(world).map(({ text = '' }) => reached.exec(text)?.slice(1).join('/') ?? ''))

/** Which messages the bots have written down that they posted, and whether the log is whole. */
async function audited(url: string): Promise<{ recorded: ReadonlySet<string>; flaw: unknown }> {
  const audit = await openAudit(url)
  if (!audit) throw new Error('No bot has been here')
  const recorded = new Set<string>()
  for await (const line of audit.lines())
    if (line.line === 'fact' && line.fact.fact === 'posted') recorded.add(line.fact.activity)
  const { flaw } = await audit.verify()
  await audit.close()
  return { recorded, flaw }
}

function findings(
  world: World,
  links: number,
  recorded: ReadonlySet<string>,
): Pick<Found, 'notOnce' | 'conflicts' | 'repeated' | 'explained'> {
  const { azure } = world
  const done = new Map<string, number>()
  const count = (what: string): void => void done.set(what, (done.get(what) ?? 0) + 1)
  const conflicts: string[] = []
  for (const event of azure.events) {
    if (event.kind === 'effect' && event.what !== 'propagated' && event.what !== 'connectionAppeared')
      count(`${event.what} ${event.id}`)
    if (event.kind === 'arm' && event.write) {
      if (event.status === 409) conflicts.push(`${event.method} ${event.path}`)
      else if (event.status < 300) count(`${event.method} ${event.path}`)
    }
  }
  const notOnce = [...done].flatMap(([what, times]) => (times === 1 ? [] : [`${what} ${times}`]))
  const expected = 4 * links
  if (done.size !== expected) notOnce.push(`${done.size} things were done, and not ${expected}`)

  const first = new Map<string, Message>()
  const repeated: string[] = []
  let explained = 0
  for (const reply of replies(world)) {
    const place = `${reply.conversationId} ${reached.exec(reply.text ?? '')?.slice(1)}`
    const before = first.get(place)
    first.set(place, before ?? reply)
    if (!before) continue
    // Whoever posted it was killed before they could write it down.
    if (recorded.has(before.id) && recorded.has(reply.id)) repeated.push(place)
    else explained += 1
  }
  return { notOnce, conflicts, repeated, explained }
}
