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
  /** Azure lets nothing more be read there for so long. */
  stopMs?: number
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
  /** When what the lists leave out was last read by itself, by the half and subscription it is of. */
  const readAt = new Map<string, Map<string, number>>()

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

  /**
   * Takes in what the list shows of the wanted; what it embeds nothing of, or nothing that can be read, is as if left out.
   * Resolves to whether what is left out may now be read by itself.
   */
  async function byList<T>(
    half: Half<T>,
    subscription: string,
    wanted: ReadonlySet<string>,
    found: Found<T>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const key = `${half.name} ${subscription}`
    let count = 0
    const shown = new Map<string, Shown<T>>()
    const list = await look(
      reading,
      half.action,
      `/subscriptions/${subscription}`,
      signal,
      async (within) => {
        for await (const page of pagesOf(await half.list(subscription, within), within)) {
          count += 1
          for (const resource of page.map(record)) {
            const id = resourceKey(required(resource.id, 'the id of a resource'))
            const value = wanted.has(id) ? readable(() => half.shown(resource)) : undefined
            if (value) shown.set(id, { is: 'present', value })
          }
        }
        return true
      },
    )
    if (list.is === 'present') {
      found.reads += count
      pages.set(key, count)
      failures.delete(key)
      for (const [id, value] of shown) found.shown.set(id, value)
      return true
    }
    // Half a list is none, and the page that failed was a read as well.
    found.reads += count + 1
    if (list.is !== 'silent') return true
    if (list.failure.cause.cause === 'throttled') {
      found.stopMs = list.failure.retryAfterMs ?? 0
      return false
    }
    const failed = (failures.get(key) ?? 0) + 1
    failures.set(key, failed)
    return failed >= mostFailures
  }

  async function half<T>(
    half: Half<T>,
    subscription: string,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Found<T>> {
    const found: Found<T> = { reads: 0, shown: new Map() }
    const wanted = new Set(ids.map(resourceKey))
    const key = `${half.name} ${subscription}`
    const read = new Map([...(readAt.get(key) ?? [])].filter(([id]) => wanted.has(id)))
    readAt.set(key, read)
    // A few are read for less than a list of all that the subscription holds. Until that is known, one is.
    const few = wanted.size < (pages.get(key) ?? 2)
    if (!few && !(await byList(half, subscription, wanted, found, signal))) return found
    const left = ids
      .filter((id) => !found.shown.has(resourceKey(id)))
      .sort((a, b) => (read.get(resourceKey(a)) ?? 0) - (read.get(resourceKey(b)) ?? 0))
    const turns = inTurn(mostAtOnce)
    await Promise.all(
      left.slice(0, mostSingle).map((id) =>
        turns(async () => {
          const hold = allowance.holdMs(subscription)
          if (hold > 0) found.stopMs ??= hold
          if (found.stopMs === undefined) await single(id)
        }),
      ),
    )
    return found

    async function single(id: string): Promise<void> {
      const one = await half.single(id, signal)
      found.reads += 1
      read.set(resourceKey(id), reading.now())
      if (one.is !== 'silent') found.shown.set(resourceKey(id), one.is === 'present' ? one : { is: one.is })
      else if (one.failure.cause.cause === 'throttled') found.stopMs = one.failure.retryAfterMs ?? 0
    }
  }

  return async ({ subscription, signalrs, vaults }, signal) => {
    const hold = allowance.holdMs(subscription)
    if (hold > 0) return { reads: 0, signalrs: new Map(), vaults: new Map(), retryAfterMs: hold }
    const own = await half(signalrHalf, subscription, signalrs, signal)
    // Asking early makes Azure's wait begin anew.
    const onVault = await half(vaultHalf, subscription, own.stopMs === undefined ? vaults : [], signal)
    const stopMs = own.stopMs ?? onVault.stopMs
    return {
      reads: own.reads + onVault.reads,
      signalrs: own.shown,
      vaults: onVault.shown,
      ...(stopMs !== undefined && { retryAfterMs: stopMs }),
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
