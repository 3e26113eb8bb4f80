/**
 * What the lists of a subscription show of many links at once. No specification says that a list embeds what a GET does,
 * and rights may cover single resources: what the lists leave out is read resource by resource, the longest unread first.
 */
import type { Shown, Survey, VaultShown } from '../engine/ports.ts'
import type { SharedPrivateLink } from '../link/link.ts'
import { resourceKey } from '../link/resourceId.ts'
import type { Allowance } from './allowance.ts'
import type { Clients } from './clients.ts'
import { inTurn } from './deadline.ts'
import { type Look, listed, look, pagesOf, type Reading } from './looks.ts'
import { connection, record, required, sharedPrivateLink } from './parse.ts'
import type { SharedPrivateLinks } from './sharedPrivateLinks.ts'
import { isPublic, type VaultConnections, vaultActions } from './vaultConnections.ts'

const mostAtOnce = 4
/** Single reads in one survey at most: the next goes on where this one stopped. */
const mostSingle = 60
/** A list that fails so often in a row, as one too long for its deadline does, is done without. */
const mostFailures = 3

/** A list and what stands for it where it shows too little. */
type Half<T> = {
  readonly name: string
  readonly action: string
  readonly list: (subscription: string, signal: AbortSignal) => Promise<Pages>
  readonly shown: (resource: Readonly<Record<string, unknown>>) => T | undefined
  readonly single: (id: string, signal: AbortSignal) => Promise<Look<T>>
}
type Pages = AsyncIterable<readonly unknown[]>
type Found<T> = {
  reads: number
  readonly shown: Map<string, Shown<T>>
  retryAfterMs?: number
}

export function createSurvey(
  clients: Clients,
  links: SharedPrivateLinks,
  vaults: VaultConnections,
  allowance: Allowance,
  reading: Reading,
): Survey {
  /** How many pages a list had the last time, and how often it has failed since. */
  const pages = new Map<string, number>()
  const failures = new Map<string, number>()
  const readAt = new Map<string, number>()

  const signalrHalf: Half<readonly SharedPrivateLink[]> = {
    name: 'signalr',
    action: 'Microsoft.SignalRService/SignalR/read',
    async list(subscription, signal) {
      const client = await clients.signalr(subscription)
      return client.signalR.listBySubscription(listed(signal)).byPage()
    },
    shown: ({ sharedPrivateLinkResources: found }) =>
      Array.isArray(found) ? found.map(sharedPrivateLink) : undefined,
    single: links.list,
  }
  const vaultHalf: Half<VaultShown> = {
    name: 'vault',
    action: vaultActions.read,
    async list(subscription, signal) {
      const client = await clients.keyVault(subscription)
      return client.vaults.listBySubscription({ abortSignal: signal }).byPage()
    },
    shown(vault) {
      const properties = record(vault.properties)
      const found = properties.privateEndpointConnections
      return Array.isArray(found)
        ? { connections: found.map(connection), isPublic: isPublic(properties) }
        : undefined
    },
    async single(id, signal) {
      const found = await vaults.list(id, signal)
      return found.is === 'present' ? { is: 'present', value: { connections: found.value } } : found
    },
  }

  /** What the list shows of the wanted; what it embeds nothing of, or nothing that can be read, is as if left out. */
  async function byList<T>(
    half: Half<T>,
    subscription: string,
    wanted: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Found<T>> {
    const key = `${half.name} ${subscription}`
    const found: Found<T> = { reads: 0, shown: new Map() }
    const list = await look(
      reading,
      half.action,
      `/subscriptions/${subscription}`,
      signal,
      async (within) => {
        for await (const page of pagesOf(await half.list(subscription, within), within)) {
          found.reads += 1
          for (const resource of page.map(record)) {
            const id = resourceKey(required(resource.id, 'the id of a resource'))
            const shown = wanted.has(id) ? readable(() => half.shown(resource)) : undefined
            if (shown) found.shown.set(id, { is: 'present', value: shown })
          }
        }
        return true
      },
    )
    if (list.is === 'present') {
      pages.set(key, found.reads)
      failures.delete(key)
      return found
    }
    const { reads } = found
    const failed: Found<T> = { reads: reads + 1, shown: new Map() }
    if (list.is !== 'silent') return failed
    const { cause, retryAfterMs = 0 } = list.failure
    const count = (failures.get(key) ?? 0) + 1
    failures.set(key, count)
    return cause.cause !== 'throttled' && count >= mostFailures ? failed : { ...failed, retryAfterMs }
  }

  async function half<T>(
    half: Half<T>,
    subscription: string,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Found<T>> {
    if (ids.length === 0) return { reads: 0, shown: new Map() }
    const wanted = new Set(ids.map(resourceKey))
    // A few are read for less than a list of all that the subscription holds.
    const few = wanted.size <= (pages.get(`${half.name} ${subscription}`) ?? 1)
    const found: Found<T> = few
      ? { reads: 0, shown: new Map() }
      : await byList(half, subscription, wanted, signal)
    if (found.retryAfterMs !== undefined) return found
    const left = ids
      .filter((id) => !found.shown.has(resourceKey(id)))
      .sort((a, b) => (readAt.get(resourceKey(a)) ?? 0) - (readAt.get(resourceKey(b)) ?? 0))
    const turns = inTurn(mostAtOnce)
    await Promise.all(
      left.slice(0, mostSingle).map((id) =>
        turns(async () => {
          const hold = allowance.holdMs(subscription)
          if (found.retryAfterMs !== undefined) return
          if (hold > 0) found.retryAfterMs = hold
          else await single(id)
        }),
      ),
    )
    return found

    async function single(id: string): Promise<void> {
      const one = await half.single(id, signal)
      found.reads += 1
      readAt.set(resourceKey(id), reading.now())
      if (one.is !== 'silent') found.shown.set(resourceKey(id), one.is === 'present' ? one : { is: one.is })
      else if (one.failure.cause.cause === 'throttled') found.retryAfterMs = one.failure.retryAfterMs ?? 0
    }
  }

  return async ({ subscription, signalrs, vaults }, signal) => {
    const hold = allowance.holdMs(subscription)
    if (hold > 0) return { reads: 0, signalrs: new Map(), vaults: new Map(), retryAfterMs: hold }
    const own = await half(signalrHalf, subscription, signalrs, signal)
    const onVault = await half(vaultHalf, subscription, vaults, signal)
    const waits = [own, onVault].flatMap(({ retryAfterMs }) =>
      retryAfterMs === undefined ? [] : [retryAfterMs],
    )
    return {
      reads: own.reads + onVault.reads,
      signalrs: own.shown,
      vaults: onVault.shown,
      ...(waits.length > 0 && { retryAfterMs: Math.max(...waits) }),
    }
  }
}

/** What of a list cannot be read as what it should be is not shown by it: it is then read by itself. */
function readable<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof Error && error.name === 'Garbled') return undefined
    throw error
  }
}
