/** Many links that have waited for their owners for an hour: what Azure holds of them, and their records in a store. */
import type { Seed } from '../../sandbox/azure/server.ts'
import { bot, people } from '../../sandbox/seed.ts'
import { createJournal } from '../../src/engine/journal.ts'
import type { Clock, Store } from '../../src/engine/ports.ts'
import { fold, foldAll } from '../../src/link/fold.ts'
import type { Fact, Link, Millis } from '../../src/link/link.ts'
import type { Plan } from '../../src/link/next.ts'
import { viewSchema } from '../../src/link/views.ts'
import {
  asked,
  facts,
  limits as given,
  histories,
  hour,
  pinned as pinTime,
  type Step,
  timed,
} from '../link/given.ts'

export const limits = { ...given, firstLookMs: 2_000, longestLookMs: 60_000, restLookMs: 24 * hour }
const stillFor = hour

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

/** What Azure holds of it. */
export function seedOf(size: Size, now: Millis): Seed {
  const all = placed(size)
  const at = now - stillFor
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
function historyOf(one: Placed, id: string, at: Millis, serviceUrl: string): readonly Fact[] {
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
  const { thread, owners } = first.asked
  const wish = {
    ...first.asked,
    thread: { ...thread, serviceUrl },
    owners: { ...owners, place: { ...owners.place, serviceUrl } },
    at,
    expiresAt: at + limits.expiryMs,
    signalr: one.signalr,
    vault: one.vault,
    name: one.name,
    nonce: one.nonce,
  }
  const { reason: _none, ...unreasoned } = wish
  return [{ ...first, id, at, asked: unreasoned }, ...others.map(({ at: _then, ...step }) => timed(step, at))]
}

/** The facts of a link, and its record, with all that Teams is to be told of it told. */
function told(history: readonly Fact[], planFor: (link: Link) => Plan) {
  const all = [...history]
  let link = foldAll(all) as Link
  for (let plan = planFor(link); plan.messages.length > 0; plan = planFor(link))
    for (const { post, digest } of plan.messages) {
      const { moved: at } = link
      const to = { conversation: post, activity: post }
      const fact: Fact = { fact: 'posted', post, ...to, digest, schema: viewSchema, at }
      all.push(fact)
      link = fold(link, fact)
    }
  return { facts: all, link }
}

/** Keeps all the links in the store, `link-0` first; they were looked at a moment ago. */
export async function keepResting(
  store: Store,
  size: Size,
  clock: Clock,
  serviceUrl = asked.thread.serviceUrl,
): Promise<void> {
  const lookedAt = clock.now()
  const journal = createJournal({ store, clock, limits, wake: () => undefined })
  const planFor = (link: Link): Plan => journal.planFor(link, { lookedAt })
  for (const [n, one] of placed(size).entries()) {
    const { facts, link } = told(historyOf(one, `link-${n}`, lookedAt - stillFor, serviceUrl), planFor)
    const { azure, wake: due } = planFor(link)
    if (azure || due === undefined) throw new Error('A link that rests waits')
    await store.create({ facts, link, due, lookedAt })
  }
}
