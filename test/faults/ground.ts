/**
 * Plays stories of one link in this process: the bot whole, its peers over HTTP, each behind a proxy. Time moves only when
 * the bot rests, or waits for a call that has no answer. People do what they are told: they say it again, press Retry, or ask anew.
 */
import { performance as realTime } from 'node:perf_hooks'
import type { AzureEvent } from '../../sandbox/azure/state.ts'
import type { Settings } from '../../sandbox/azure/switches.ts'
import type { Fault } from '../../sandbox/proxy/fault.ts'
import type { PassedCall } from '../../sandbox/proxy/proxy.ts'
import type { PersonKey } from '../../sandbox/seed.ts'
import { cardText } from '../../sandbox/teams/cardText.ts'
import type { Answer, Message } from '../../sandbox/teams/face.ts'
import type { Fact, Link } from '../../src/link/link.ts'
import { isEnded } from '../../src/link/views.ts'
import type { Pair } from '../pairs.ts'
import { type ApproveAs, type Line, type RunningBot, runBot } from './bot.ts'
import { type TurnedClock, takeClock } from './clock.ts'
import { openPeers, type PeerName, type Peers, pace, peerNames } from './peers.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

export const stories = ['approved', 'rejected', 'cancelled', 'approver', 'withoutGraph'] as const
/** `rejectedInPortal` is what becomes of the first when somebody else says no while the approval is on its way. */
export type Story = (typeof stories)[number] | 'rejectedInPortal'
export const phases = ['install', 'own', 'ask', 'decide', 'stand', 'remove'] as const
export type Phase = (typeof phases)[number]

/** What goes wrong, from when on. */
export type Trouble = {
  readonly phase: Phase
  readonly peer?: PeerName
  readonly fault?: Fault
  /** How the local Azure behaves from then on. */
  readonly azure?: Partial<Settings>
}
export type Meddling = (call: SeenCall, azure: Peers['azure'], pair: Pair) => void

export type SeenCall = { readonly peer: PeerName; readonly phase: Phase; readonly call: PassedCall }
export type Played = {
  readonly pair: Pair
  readonly calls: readonly SeenCall[]
  /** The links that were asked for, oldest first, and all facts of each. */
  readonly links: readonly { readonly link: Link; readonly facts: readonly Fact[] }[]
  readonly effects: readonly (AzureEvent & { readonly kind: 'effect' })[]
  /** What stands in Azure at the end. */
  readonly left: { readonly links: number; readonly connections: readonly string[] }
  /** What the requester read, oldest first. */
  readonly told: readonly string[]
  /** What each message of the bot's says, by its activity id. */
  readonly posted: ReadonlyMap<string, string>
  /** Every answer to a turn that came to nothing. */
  readonly inVain: readonly { readonly phase: Phase; readonly heard: string }[]
  readonly log: readonly Line[]
  /** Calls that were never answered and that the bot still waits for. */
  readonly hanging: number
  /** Where the story could not go on. */
  readonly stuck?: string
}

export type Ground = {
  play(story: Story, troubles: readonly Trouble[], meddling?: Meddling): Promise<Played>
  close(): Promise<void>
}

/** The story cannot go on: what was waited for does not come. */
class Stuck extends Error {
  override readonly name = 'Stuck'
}

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export async function openGround(): Promise<Ground> {
  const clock = takeClock()
  const peers = await openPeers()
  return {
    play: (story, troubles, meddling) => play(clock, peers, story, troubles, meddling),
    async close() {
      await peers.close()
      clock.release()
    },
  }
}

async function play(
  clock: TurnedClock,
  peers: Peers,
  story: Story,
  troubles: readonly Trouble[],
  meddling?: Meddling,
): Promise<Played> {
  // Tokens of the run before have run out by now.
  clock.to(Date.now() + 25 * hour)
  const pair = await clock.byRealTime(peers.fresh)
  const { azure, teams, proxies } = peers
  azure.configure(pace)
  const eventsFrom = azure.events.length
  const calls: SeenCall[] = []
  let phase: Phase = 'install'
  let moves = 0
  let flying = 0
  const stops = peerNames.map((peer) => {
    const proxy = proxies[peer]
    proxy.clear()
    const out = new Set<PassedCall>()
    return proxy.onCall((call) => {
      moves += 1
      const isOut = !call.ended && !(call.fault?.how === 'hang' && out.has(call))
      if (!call.ended && !out.has(call)) calls.push({ peer, phase, call })
      if (isOut && !out.has(call)) flying += 1
      if (!isOut && out.has(call) && !counted.has(call)) {
        counted.add(call)
        flying -= 1
      }
      out.add(call)
      if (call.ended) meddling?.({ peer, phase, call }, azure, pair)
    })
  })
  const counted = new WeakSet<PassedCall>()
  const hanging = (): number => Object.values(proxies).reduce((sum, proxy) => sum + proxy.hanging(), 0)

  const approveAs: ApproveAs = story === 'approver' ? 'approver' : 'bot'
  const bot: RunningBot = await runBot(peers, {
    approveAs,
    moved: () => {
      moves += 1
    },
  })
  let acting = 0
  const busy = (): number => bot.busy() + acting + flying

  /** Until nothing moves any more: the bot rests, or waits for what does not come. */
  async function settled(isOver: () => boolean = () => false): Promise<'resting' | 'waiting'> {
    let last = moves
    let since = realTime.now()
    for (;;) {
      await immediate()
      await immediate()
      if (isOver() || busy() === 0) return 'resting'
      if (moves !== last) {
        last = moves
        since = realTime.now()
      }
      // Signing takes a moment of its own, in which nothing is seen to move.
      if (realTime.now() - since > (hanging() > 0 ? 8 : 400)) return 'waiting'
    }
  }
  function turn(state: 'resting' | 'waiting', end: number): boolean {
    const next = clock.next(state === 'waiting')
    if (Date.now() >= end || next === undefined) return false
    clock.to(Math.min(end, next))
    return true
  }
  async function until(what: string, within: number, holds: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + within
    for (;;) {
      const state = await settled()
      if (await holds()) return
      if (!turn(state, end)) throw new Stuck(`${phase}: ${what}`)
    }
  }
  async function passes(ms: number): Promise<void> {
    const end = Date.now() + ms
    while (Date.now() < end) if (!turn(await settled(), end)) clock.to(end)
    await settled()
  }
  /** Somebody does something in Teams; time passes only if the answer takes its time. */
  async function act<T>(work: () => Promise<T>): Promise<T> {
    acting += 1
    let over = false
    const done = work().finally(() => {
      over = true
      acting -= 1
      moves += 1
    })
    done.catch(() => undefined)
    const end = Date.now() + 10 * minute
    while (!over) {
      const state = await settled(() => over)
      if (!over && !turn(state, end)) throw new Stuck(`${phase}: a turn that does not end`)
    }
    return done
  }

  // ---- what people do --------------------------------------------------------------------------------

  const inVain: { phase: Phase; heard: string }[] = []
  /** Says or presses it until it took; people try again when they hear nothing, or to. */
  async function tries(
    what: string,
    once: () => Promise<string>,
    took: () => Promise<boolean>,
  ): Promise<void> {
    // Of an hour at most, a token has run out and is renewed.
    for (let n = 0; n < 12; n++) {
      const heard = await act(once)
      await settled()
      if (await took()) return
      inVain.push({ phase, heard })
      await passes(n < 4 ? 61 * second : 10 * minute)
      if (await took()) return
    }
    throw new Stuck(`${phase}: ${what}; heard at last: ${inVain.at(-1)?.heard}`)
  }
  const threads: Message[] = []
  let thread: Message | undefined
  async function says(who: PersonKey, text: string, where: string): Promise<string> {
    const said =
      thread && where === 'thread'
        ? await teams.person(who).says(text).in(teams.thread(thread))
        : await teams.person(who).says(text).in(where)
    if (/^link /.test(text)) {
      thread = said
      threads.push(said)
    }
    const answers = teams.thread(said).messages()
    return answers
      .slice(answers.findIndex(({ id }) => id === said.id) + 1)
      .map(read)
      .join('\n')
  }
  const heard = ({ text, card }: Answer): string => [text ?? '', ...cardText(card)].join('\n')
  async function presses(who: PersonKey, card: Message, ...titles: string[]): Promise<string> {
    try {
      return heard(
        await teams
          .person(who)
          .presses(...titles)
          .on(card),
      )
    } catch (error) {
      // The button is no longer there: what it does was done.
      return error instanceof Error ? error.message : String(error)
    }
  }

  const { store } = bot
  const asked: string[] = []
  const open = (): Promise<Link | undefined> => store.open(pair.signalrId, pair.vaultId)
  async function newest(): Promise<Link> {
    const found = await open()
    if (found && !asked.includes(found.id)) asked.push(found.id)
    const row = await store.get(asked.at(-1) ?? '')
    if (!row) throw new Stuck(`${phase}: nothing was asked for`)
    return row.link
  }
  const cardIn = (channel: string, words: RegExp): Message | undefined =>
    teams
      .channel(channel)
      .messages()
      .findLast((message) => message.card !== undefined && words.test(read(message)))
  const statusCard = (): Message | undefined =>
    thread &&
    teams
      .thread(thread)
      .messages()
      .findLast(({ card }) => card !== undefined)
  /** Whether nothing more happens by itself; a link that waits for somebody is helped as they were told. */
  async function rests(): Promise<boolean> {
    const link = await newest()
    const card = statusCard()
    if (link.blocked && card && (await bot.isAtRest(link.id))) {
      await act(() => presses('requester', card, 'Retry'))
      await settled()
      return false
    }
    return bot.isAtRest(link.id)
  }
  const stands = (...statuses: readonly Link['stage']['status'][]) => {
    return async (): Promise<boolean> => (await rests()) && statuses.includes((await newest()).stage.status)
  }
  const ends = ['Failed', 'Rejected', 'Cancelled', 'Expired', 'Removed'] as const

  const sentence = `link ${pair.signalr} to ${pair.vault} because custom domain certificate`
  async function ask(): Promise<void> {
    for (let n = 0; n < 3; n++) {
      if (!(await open()))
        await tries(
          'the request is not recorded',
          () => says('requester', sentence, 'general'),
          async () => (await open()) !== undefined,
        )
      await until('the owners are not asked', 6 * hour, stands('Pending', 'Approved', ...ends))
      if (!isEnded((await newest()).stage.status)) return
    }
  }
  const approvalCard = (): Message => {
    const card = cardIn('vault-owners', new RegExp(`connection to ${pair.vault}\\b`))
    if (!card) throw new Stuck(`${phase}: there is no approval card`)
    return card
  }
  async function decide(verdict: 'approve' | 'reject'): Promise<void> {
    const buttons = verdict === 'approve' ? ['Approve…', 'Yes, approve'] : ['Reject…', 'Yes, reject']
    const goal = verdict === 'approve' ? (['Approved'] as const) : (['Rejected'] as const)
    for (let n = 0; n < 4; n++) {
      if ((await newest()).stage.status === 'Pending')
        await tries(
          'the decision is not taken',
          () => presses('owner', approvalCard(), ...buttons),
          async () => (await newest()).stage.status !== 'Pending',
        )
      await until('the decision is not carried out', 6 * hour, stands('Pending', 'Approved', ...ends))
      const { status } = (await newest()).stage
      if (goal.some((one) => one === status) || (isEnded(status) && status !== 'Failed')) return
      if (story === 'rejectedInPortal' && isEnded(status)) return
      if (status === 'Failed') await ask()
    }
    throw new Stuck(`${phase}: it was decided again and again`)
  }
  async function unlink(): Promise<void> {
    const isGoing = async (): Promise<boolean> =>
      !['Approved', 'Disconnected'].includes((await newest()).stage.status)
    await tries(
      'the link is not unlinked',
      async () => {
        const answered = await says('requester', 'unlink', 'thread')
        const question =
          thread &&
          teams
            .thread(thread)
            .messages()
            .findLast((one) => /^Unlink /.test(read(one)))
        return question ? presses('requester', question, 'Yes, unlink') : answered
      },
      isGoing,
    )
    await until('the link is not removed', 6 * hour, stands(...ends))
  }

  const script: Record<Phase, () => Promise<void>> = {
    install: () => act(() => teams.install('contoso', 'owner')),
    own: () =>
      tries(
        'the vault is not owned',
        () => says('owner', `own ${pair.vault}`, 'vault-owners'),
        async () => (await store.owner(pair.vaultId)) !== undefined,
      ),
    ask,
    decide: async () => {
      if (story === 'cancelled') {
        await tries(
          'it is not cancelled',
          () => says('requester', 'cancel', 'thread'),
          async () => (await newest()).stage.status !== 'Pending',
        )
        await until('it is not taken back', 6 * hour, stands(...ends))
      } else await decide(story === 'rejected' ? 'reject' : 'approve')
    },
    // A link that works is looked at once a day.
    stand: async () => {
      if (!isEnded((await newest()).stage.status)) await passes(25 * hour)
    },
    remove: async () => {
      if (!isEnded((await newest()).stage.status)) await unlink()
    },
  }

  let stuck: string | undefined
  try {
    if (story === 'withoutGraph')
      proxies.arm.fail({
        method: 'POST',
        path: /ResourceGraph/,
        times: Infinity,
        status: 403,
        code: 'AuthorizationFailed',
      })
    for (phase of phases) {
      // Nobody does two things in the same instant.
      await passes(2 * second)
      for (const { phase: when, peer, fault, azure: set } of troubles) {
        if (when !== phase) continue
        if (peer && fault) proxies[peer].fail(fault)
        if (set) azure.configure(set)
      }
      await script[phase]()
      await settled()
    }
  } catch (error) {
    if (!(error instanceof Stuck)) throw error
    stuck = error.message
  }
  // No call has longer than twenty seconds: what hangs by now hangs for ever.
  await passes(21 * second)
  const stillHanging = hanging()
  const links = await Promise.all(
    asked.map(async (id) => {
      const row = await store.get(id)
      if (!row) throw new Error('A link is gone from the store')
      return { link: row.link, facts: await store.facts(id) }
    }),
  )
  const own = (id: string): boolean =>
    [`/${pair.signalr}/`, `/${pair.vault}/`].some((name) => `${id}/`.toLowerCase().includes(name))
  const played: Played = {
    pair,
    calls,
    links,
    effects: azure.events
      .slice(eventsFrom)
      .filter((event): event is AzureEvent & { kind: 'effect' } => event.kind === 'effect' && own(event.id)),
    left: {
      links: azure.links().filter(({ id }) => own(id)).length,
      connections: azure.connections(pair.vault).map(({ status }) => status),
    },
    told: threads.flatMap((one) => teams.thread(one).messages().map(read)),
    posted: new Map(
      ['general', 'vault-owners'].flatMap((channel) =>
        teams
          .channel(channel)
          .messages()
          .map((message) => [message.id, read(message)] as const),
      ),
    ),
    inVain,
    log: bot.log,
    hanging: stillHanging,
    ...(stuck !== undefined && { stuck }),
  }
  // What hangs is let go of, so that the server can close.
  for (const stop of stops) stop()
  for (const proxy of Object.values(proxies)) proxy.clear()
  acting += 1
  const stopping = bot.stop().then(() => {
    acting -= 1
  })
  for (let stopped = false; !stopped; ) {
    stopped = await Promise.race([stopping.then(() => true), settled().then(() => false)])
    if (!stopped) {
      const next = clock.next(true)
      if (next !== undefined) clock.to(next)
    }
  }
  return played
}

const read = ({ text, card }: Message): string =>
  [...(text === undefined ? [] : [text]), ...cardText(card)].join('\n')
