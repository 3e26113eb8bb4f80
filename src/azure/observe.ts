/** Looks at links and their vaults: what they share is read once, side by side, not too many at a time. */
import type { Azure, Watch } from '../engine/ports.ts'
import type { LinkId, Seen } from '../link/link.ts'
import { parseResourceId, resourceKey, sameResource } from '../link/resourceId.ts'
import type { Allowance } from './allowance.ts'
import { inTurn } from './deadline.ts'
import type { Failure } from './errors.ts'
import type { Look } from './looks.ts'
import type { SharedPrivateLinks } from './sharedPrivateLinks.ts'
import { type VaultConnections, withEndpoints } from './vaultConnections.ts'

type Observed = Awaited<ReturnType<Azure['observe']>>
type Entry = Observed extends ReadonlyMap<LinkId, infer E> ? E : never

/** Reads in flight at once: far below the 25 a second that a subscription is refilled with. */
const mostAtOnce = 8

export function createObserve(
  links: SharedPrivateLinks,
  vaults: VaultConnections,
  allowance: Allowance,
  now: () => number,
): Azure['observe'] {
  const turns = inTurn(mostAtOnce)

  return async (watches, signal) => {
    /** When the first read began: what waits for its turn sees what is true when that comes. */
    let at: number | undefined
    const throttled = new Map<string, Failure>()
    const shared = new Map<string, Promise<Look<unknown>>>()

    /** Once Azure says 429 for a subscription, what is left to read there is not asked: asking early starts the wait anew. */
    const read = <T>(of: string, run: () => Promise<Look<T>>): Promise<Look<T>> =>
      turns(async () => {
        const subscription = subscriptionOf(of).toLowerCase()
        const failure = throttled.get(subscription)
        if (failure) return { is: 'silent', failure }
        at ??= now()
        const found = await run()
        if (found.is === 'silent' && found.failure.cause.cause === 'throttled')
          throttled.set(subscription, found.failure)
        return found
      })
    const once = <T>(what: string, of: string, run: () => Promise<Look<T>>): Promise<Look<T>> => {
      const key = `${what} ${resourceKey(of)}`
      const known = shared.get(key) as Promise<Look<T>> | undefined
      const begun = known ?? read(of, run)
      shared.set(key, begun)
      return begun
    }

    const one = async (watch: Watch): Promise<Entry> => {
      const { signalr, vault, operation } = watch
      const hold = watch.canWait ? allowance.turnMs([signalr, vault].map(subscriptionOf)) : 0
      if (hold > 0) return { failed: { cause: 'throttled' }, retryAfterMs: hold }
      const [own, all, open, listed, polled] = await Promise.all([
        read(signalr, () => links.get(signalr, watch.name, signal)),
        once('links', signalr, () => links.list(signalr, signal)),
        once('vault', vault, () => vaults.get(vault, signal)),
        once('connections', vault, () => vaults.list(vault, signal)),
        operation === undefined
          ? undefined
          : read(signalr, () => links.operation(operation, signalr, signal)),
      ])
      const found = await vaults.ours(listed, watch.nonce, watch.pinned, signal)
      // A pinned connection's endpoint is known, and compared.
      const unknown = watch.pinned === undefined && found.is === 'present' && found.value.length > 0
      const connections = unknown
        ? withEndpoints(found, await once('subscriptions', '/', () => vaults.ownSubscriptions(signal)))
        : found
      // The operation's status may be lost, with its token or its address; only a wait that Azure asks for counts.
      const lost = polled?.is === 'silent' && polled.failure.cause.cause !== 'throttled'
      // A list that says 404 of a vault that answers is an answer that contradicts itself: look again.
      if (connections.is === 'absent' && open.is !== 'absent')
        return { failed: { cause: 'unavailable', code: 'ContradictoryAnswer' } }
      const silent = [own, all, open, connections, ...(polled && !lost ? [polled] : [])].flatMap((found) =>
        found.is === 'silent' ? [found.failure] : [],
      )
      if (silent.length > 0) return failed(silent)
      if (own.is === 'silent' || connections.is === 'silent' || at === undefined) return failed([])
      return {
        at,
        // Rivals that cannot be seen may be there: without the list there is no picture of this SignalR.
        own: all.is === 'hidden' && own.is !== 'hidden' ? all : own,
        rivals:
          all.is === 'present'
            ? all.value.filter(
                ({ name, target }) =>
                  sameResource(target, vault) && name.toLowerCase() !== watch.name.toLowerCase(),
              )
            : [],
        connections,
        ...(open.is === 'present' && { vaultIsPublic: open.value.isPublic }),
        // The list says 404 only where there is nothing to hang a link on.
        ...(own.is === 'absent' && all.is === 'absent' && { signalrIsGone: true as const }),
        ...(polled?.is === 'present' && { operation: polled.value }),
      } satisfies Seen
    }
    const entries = await Promise.all(watches.map(async (watch) => [watch.id, await one(watch)] as const))
    return new Map(entries)
  }
}

const subscriptionOf = (id: string): string => parseResourceId(id)?.subscription ?? ''

/** The longest wait that Azure asks for stands for all. */
function failed(failures: readonly Failure[]): Entry {
  const first = failures.find(({ cause }) => cause.cause === 'throttled') ?? failures[0]
  const waits = failures.flatMap(({ retryAfterMs }) => (retryAfterMs === undefined ? [] : [retryAfterMs]))
  return {
    failed: first?.cause ?? { cause: 'unavailable', code: 'Unknown' },
    ...(waits.length > 0 && { retryAfterMs: Math.max(...waits) }),
  }
}
