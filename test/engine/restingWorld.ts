/**
 * Many links that have waited for their owners for an hour: in the local Azure over HTTP, and as records in a real store,
 * with the real worker and surveyor between them. Time passes from one thing that is due to the next.
 */
import type { Seed } from '../../sandbox/azure/server.ts'
import { startAzure } from '../../sandbox/azure/server.ts'
import { bot, people } from '../../sandbox/seed.ts'
import { turnableClock } from '../../src/clock.ts'
import { createJournal } from '../../src/engine/journal.ts'
import { createPerformer } from '../../src/engine/perform.ts'
import type { Clock, Store } from '../../src/engine/ports.ts'
import { startSurveyor } from '../../src/engine/surveyor.ts'
import { startWorker } from '../../src/engine/worker.ts'
import { fold, foldAll } from '../../src/link/fold.ts'
import type { Fact, Link, Millis } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { adapter, headed, startPeer } from '../azure/world.ts'
import {
  facts,
  limits as given,
  histories,
  hour,
  pinned as pinTime,
  type Step,
  timed,
} from '../link/given.ts'

export const limits = { ...given, firstLookMs: 2_000, longestLookMs: 60_000, restLookMs: 24 * hour }

/** How many SignalRs and vaults there are, and how many links each of either has. */
export type Size = { readonly each: number; readonly linksOfEach: number }
export const subscriptionsOf = ({ each }: Size): readonly string[] =>
  Array.from({ length: Math.min(5, each) }, (_, n) =>
    `5ub00000-0000-4000-8000-00000000000${n}`.replace('u', '0'),
  )

const location = 'westeurope'
const inGroup = (subscription: string): string =>
  `/subscriptions/${subscription}/resourceGroups/rest/providers`

type Placed = {
  readonly signalr: string
  readonly vault: string
  readonly name: string
  readonly nonce: string
  readonly connection: string
  readonly endpoint: string
}

/** Each SignalR is linked to the vaults from its own number on, so that some lie in the next subscription. */
export function placed(size: Size): readonly Placed[] {
  const { each, linksOfEach } = size
  const subscriptions = subscriptionsOf(size)
  const home = (n: number): string => subscriptions[Math.floor((n / each) * subscriptions.length)] ?? ''
  return Array.from({ length: each * linksOfEach }, (_, n) => {
    const from = Math.floor(n / linksOfEach)
    const to = (from + (n % linksOfEach)) % each
    const vault = `${inGroup(home(to))}/Microsoft.KeyVault/vaults/rest-kv-${to}`
    return {
      signalr: `${inGroup(home(from))}/Microsoft.SignalRService/SignalR/rest-signalr-${from}`,
      vault,
      name: `kv-rest-kv-${to}`,
      nonce: n.toString(16).padStart(32, '0'),
      connection: `${vault}/privateEndpointConnections/c${n}`,
      endpoint: `/subscriptions/99999999-0000-4000-8000-000000000009/resourceGroups/m/providers/Microsoft.Network/privateEndpoints/e${n}`,
    }
  })
}
const requestMessage = ({ nonce }: Placed): string => `please approve [vaultlink ${nonce}]`
const linkIdOf = ({ signalr, name }: Placed): string => `${signalr}/sharedPrivateLinkResources/${name}`

function seed(size: Size, all: readonly Placed[], at: Millis): Seed {
  const subscriptions = subscriptionsOf(size)
  const unique = (ids: readonly string[]) => [...new Set(ids)]
  return {
    subscriptions: subscriptions.map((id) => ({ id, name: id })),
    signalrs: unique(all.map(({ signalr }) => signalr)).map((id) => ({ id, location, sku: 'Standard_S1' })),
    vaults: unique(all.map(({ vault }) => vault)).map((id) => ({
      id,
      location,
      publicNetworkAccess: 'Enabled',
    })),
    links: all.map((one) => ({
      id: linkIdOf(one),
      instance: one.signalr.toLowerCase(),
      groupId: 'vault',
      target: one.vault,
      requestMessage: requestMessage(one),
      provisioningState: 'Succeeded',
      status: 'Pending',
      generation: 1,
      createdAt: at,
      createdBy: 'bot',
      changedAt: at,
      changedBy: 'bot',
    })),
    connections: all.map((one) => ({
      id: one.connection,
      vault: one.vault.toLowerCase(),
      privateEndpointId: one.endpoint,
      link: linkIdOf(one).toLowerCase(),
      status: 'Pending',
      description: requestMessage(one),
      actionsRequired: 'None',
      provisioningState: 'Succeeded',
      etag: undefined,
      edits: 0,
    })),
    assignments: subscriptions.flatMap((id) => [
      ...['linkMaker', 'vaultApprover'].map((role) => ({
        principalId: bot.objectId,
        role,
        scope: `/subscriptions/${id}`,
      })),
      { principalId: people.owner.objectId, role: 'owner', scope: `/subscriptions/${id}` },
    ]),
  }
}

/** The history of a link that waits for its owner, as it stands in Azure. */
function historyOf(one: Placed, id: string, at: Millis): readonly Fact[] {
  const seen = {
    at: 0,
    own: {
      is: 'present',
      value: {
        id: linkIdOf(one),
        name: one.name,
        target: one.vault,
        requestMessage: `[vaultlink ${one.nonce}]`,
        provisioningState: 'Succeeded',
        status: 'Pending',
      },
    },
    rivals: [],
    connections: {
      is: 'present',
      value: [
        {
          id: one.connection,
          privateEndpoint: one.endpoint,
          description: `[vaultlink ${one.nonce}]`,
          status: 'Pending',
          provisioningState: 'Succeeded',
        },
      ],
    },
    vaultIsPublic: true,
  } as const
  const made: Step = { fact: 'observed', seen }
  const [first, ...others] = facts(...histories.Provisioning, made, pinTime)
  if (first?.fact !== 'asked') throw new Error('A history begins with the request')
  const asked = {
    ...first.asked,
    at,
    expiresAt: at + limits.expiryMs,
    signalr: one.signalr,
    vault: one.vault,
    name: one.name,
    nonce: one.nonce,
  }
  const { reason: _none, ...unreasoned } = asked
  return [{ ...first, id, at, asked: unreasoned }, ...others.map(({ at: _then, ...step }) => timed(step, at))]
}

/** A link with all that Teams is to be told of it told. */
function told(history: readonly Fact[], journal: ReturnType<typeof createJournal>, at: Millis) {
  const all = [...history]
  let link = foldAll(all) as Link
  while (true) {
    const plan = journal.planFor(link, at)
    if (plan.messages.length === 0) return { facts: all, link, due: plan.wake, lookedAt: at }
    for (const { post, digest } of plan.messages) {
      const fact: Fact = { fact: 'posted', post, conversation: post, activity: post, digest, schema: 1, at }
      all.push(fact)
      link = fold(link, fact)
    }
  }
}

/** What of an ARM list a test may change on its way. */
export type ArmList = { value: { id: string; properties: Record<string, unknown> }[] }

/** Something between the bot and ARM that changes lists. */
async function between(arm: string, change: (path: string, body: ArmList) => void): Promise<string> {
  const { url } = await startPeer(async (request, response) => {
    const answer = await fetch(`${arm}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization: request.headers.authorization ?? '', 'x-forwarded-proto': 'https' },
    })
    const text = await answer.text()
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    if (isList(body)) change(request.url?.split('?')[0] ?? '', body)
    const headers = Object.fromEntries(
      [...answer.headers].filter(([name]) => /^(x-ms-|retry-after|content-type)/.test(name)),
    )
    headed(response, answer.status, headers).end(body === undefined ? '' : JSON.stringify(body))
  })
  return url
}
const isList = (body: unknown): body is ArmList =>
  typeof body === 'object' && body !== null && 'value' in body && Array.isArray(body.value)

export type RestingWorld = Awaited<ReturnType<typeof startResting>>

export async function startResting(
  size: Size,
  options: {
    readonly instances?: number
    /** A list on its way to the bot, which it may change. */
    readonly onTheWay?: (path: string, body: ArmList) => void
  } = {},
) {
  const { instances = 1, onTheWay } = options
  const turnable = turnableClock(0)
  const began = turnable.now()
  const at = began - hour
  const all = placed(size)
  const sandbox = await startAzure({ seed: seed(size, all, at) })
  const reads: { readonly path: string; readonly status: number }[] = []
  sandbox.onEvent((event) => {
    if (event.kind === 'arm') reads.push({ path: event.path, status: event.status })
    // The bodies of hours are more than a test can keep.
    sandbox.events.length = 0
  })

  const due = new Map<symbol, Millis>()
  const clock: Clock = {
    now: turnable.now,
    async until(moment, signal) {
      const waits = Symbol()
      due.set(waits, moment)
      await turnable.until(moment, signal)
      due.delete(waits)
    },
  }
  const store: Store = await openStore({ url: ':memory:' })
  const running: { stop(): Promise<void>; wake(): void }[] = []
  const wake = (): void => {
    for (const one of running) one.wake()
  }
  const journal = createJournal({ store, clock, limits, wake })
  for (const [n, one] of all.entries())
    await store.create(told(historyOf(one, `link-${n}`, at), journal, at + 1))

  const way = onTheWay && (await between(sandbox.url, onTheWay))
  const { azure, survey, lines } = adapter(way ?? sandbox.url, { now: turnable.now })
  let underWay = 0
  let written = 0
  const counted =
    <A extends unknown[], T>(run: (...all: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      underWay++
      return await run(...given).finally(() => underWay--)
    }
  const transact: Store['transact'] = (...given) => {
    written++
    return store.transact(...given)
  }
  const { act, tell, look } = createPerformer({
    store,
    clock,
    journal: createJournal({ store: { ...store, transact }, clock, limits, wake }),
    azure,
    access: { may: async () => ({ is: 'unreadable' }), botMay: async () => ({ is: 'unreadable' }) },
    messenger: { deliver: async () => ({ is: 'posted', conversation: 'told', activity: 'told' }) },
    router: async () => undefined,
    limits,
    log: () => undefined,
    crashPoint: () => undefined,
  })
  const performer = { act: counted(act), tell: counted(tell), look: counted(look) }
  const common = { store, clock, limits, log: () => undefined, wake }
  for (let instance = 0; instance < instances; instance++) {
    const worker = startWorker({ ...common, journal, performer })
    const surveyor = startSurveyor({ ...common, survey: counted(survey), look: performer.look })
    running.push(worker, { stop: surveyor.stop, wake: () => undefined })
  }

  /** Nothing is under way, and all loops wait. */
  async function idle(): Promise<void> {
    let calm = 0
    while (calm < 3) {
      await new Promise(setImmediate)
      calm = underWay === 0 && due.size === running.length ? calm + 1 : 0
    }
  }
  async function passes(ms: number): Promise<void> {
    const end = turnable.now() + ms
    while (true) {
      await idle()
      const now = turnable.now()
      const step = Math.min(end, ...due.values()) - now
      if (now >= end) return
      if (step > 0) {
        turnable.turn(step)
        sandbox.turn(step)
      }
      await new Promise(setImmediate)
    }
  }

  return {
    all,
    sandbox,
    store,
    reads,
    lines,
    survey,
    azure,
    now: turnable.now,
    passes,
    /** How many transactions on records there were. */
    written: () => written,
    get: async (n: number): Promise<Link> => {
      const row = await store.get(`link-${n}`)
      if (!row) throw new Error(`There is no link ${n}`)
      return row.link
    },
    async close() {
      await Promise.all(running.map((one) => one.stop()))
      await store.close()
      await sandbox.close()
    },
  }
}
