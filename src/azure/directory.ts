/** What there is: SignalR instances and vaults by name, and each as a whole. */
import { type Directory, Unanswered } from '../engine/ports.ts'
import type { Sighting } from '../link/link.ts'
import { isSignalrId, isVaultId, resourceKey, resourceName } from '../link/resourceId.ts'
import { type Clients, signalrApiVersion } from './clients.ts'
import { failureOf } from './errors.ts'
import { all, type Look, listed, look, type Reading } from './looks.ts'
import { garbled, provisioningState, record, required, text } from './parse.ts'
import { parts } from './resourceIds.ts'
import type { SharedPrivateLinks } from './sharedPrivateLinks.ts'
import { type VaultConnections, withEndpoints } from './vaultConnections.ts'

type Kind = {
  /** As Resource Graph spells it. */
  readonly type: 'microsoft.signalrservice/signalr' | 'microsoft.keyvault/vaults'
  /** What a name of it can be; nothing else enters a query. */
  readonly names: RegExp
  readonly is: (id: string) => boolean
}
const signalrs: Kind = {
  type: 'microsoft.signalrservice/signalr',
  names: /^[a-zA-Z][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$/,
  is: isSignalrId,
}
const vaults: Kind = {
  type: 'microsoft.keyvault/vaults',
  names: /^[a-zA-Z0-9-]{3,24}$/,
  is: isVaultId,
}

/** More than a form can offer helps nobody. */
const mostIds = 200
const signalrRead = 'Microsoft.SignalRService/SignalR/read'
const replicasRead = 'Microsoft.SignalRService/SignalR/replicas/read'

/** An answer, or `Unanswered`: then the person is told that nothing was recorded. */
function answered<T>(found: Look<T>): Sighting<T> {
  if (found.is !== 'silent') return found
  throw new Unanswered(found.failure.log)
}

const hiddenIn = <T>(...looks: readonly Sighting<unknown>[]): Sighting<T> | undefined => {
  const hidden = looks.find((one) => one.is === 'hidden')
  return hidden?.is === 'hidden' ? hidden : undefined
}

export function createDirectory(
  clients: Clients,
  links: SharedPrivateLinks,
  connections: VaultConnections,
  reading: Reading,
): Directory {
  /** Rows become ids; what is not one, or has another name, was not asked for. */
  const ids = (rows: readonly unknown[], kind: Kind, name: string | undefined): readonly string[] => {
    const found = rows.map((row) => required(record(row).id, 'the id of a resource'))
    const wanted = found.filter(
      (id) => kind.is(id) && (name === undefined || resourceName(id).toLowerCase() === name.toLowerCase()),
    )
    return [...new Map(wanted.map((id) => [resourceKey(id), id])).values()]
  }

  const queried = (
    kind: Kind,
    name: string | undefined,
    signal: AbortSignal,
  ): Promise<Look<readonly string[]>> =>
    look(reading, 'Microsoft.ResourceGraph/resources/read', '/', signal, async (abortSignal) => {
      const client = await clients.resourceGraph()
      const named = name === undefined ? '' : ` and name =~ '${name}'`
      const query = `resources | where type =~ '${kind.type}'${named} | project id | limit ${mostIds}`
      const { data } = await client.resources(
        { query, options: { resultFormat: 'objectArray', top: mostIds } },
        { abortSignal },
      )
      if (!Array.isArray(data)) throw garbled('the rows of Resource Graph')
      return ids(data, kind, name)
    })

  /** The long way, where Resource Graph is closed to the bot: each subscription that it sees, one list each. */
  const searched = (
    kind: Kind,
    name: string | undefined,
    signal: AbortSignal,
  ): Promise<Look<readonly string[]>> =>
    look(reading, 'Microsoft.Resources/subscriptions/read', '/', signal, async (abortSignal) => {
      const found = await Promise.all(
        (await clients.subscriptions(abortSignal)).map(async (subscription) =>
          ids(await listIn(kind, subscription, abortSignal), kind, name),
        ),
      )
      return found.flat().slice(0, mostIds)
    })

  const listIn = async (
    kind: Kind,
    subscription: string,
    signal: AbortSignal,
  ): Promise<readonly unknown[]> => {
    try {
      if (kind === signalrs) {
        const client = await clients.signalr(subscription)
        return await all(client.signalR.listBySubscription(listed(signal)), signal)
      }
      const client = await clients.keyVault(subscription)
      return await all(client.vaults.listBySubscription({ abortSignal: signal }), signal)
    } catch (error) {
      const call = {
        does: 'read',
        action: `${kind.type}/read`,
        scope: `/subscriptions/${subscription}`,
      } as const
      const { cause, missing } = failureOf(error, call, reading.now())
      // A subscription that the bot may not list holds nothing that it could read.
      if (missing || cause.cause === 'botLacksRight' || cause.cause === 'refused') return []
      throw error
    }
  }

  const find = async (
    kind: Kind,
    name: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[]> => {
    if (name !== undefined && !kind.names.test(name)) return []
    const quick = answered(await queried(kind, name, signal))
    if (quick.is === 'present') return quick.value
    const long = answered(await searched(kind, name, signal))
    return long.is === 'present' ? long.value : []
  }

  const instance = (
    id: string,
    signal: AbortSignal,
  ): Promise<Look<{ sku: string; state: unknown; id: string }>> =>
    look(reading, signalrRead, id, signal, async (abortSignal) => {
      const of = parts(id)
      const client = await clients.signalr(of.subscription)
      const found: unknown = await client.signalR.get(of.group, of.name, { abortSignal })
      const { id: own, sku, provisioningState: state } = record(found)
      return {
        id: required(own, 'the id of a SignalR'),
        sku: text(record(sku).name) ?? '',
        state,
      }
    })

  /** The client has no method for replicas. */
  const replicas = (id: string, signal: AbortSignal): Promise<Look<number>> =>
    look(reading, replicasRead, id, signal, async (abortSignal) => {
      const of = parts(id)
      const segments = [
        'subscriptions',
        of.subscription,
        'resourceGroups',
        of.group,
        'providers',
        'Microsoft.SignalRService',
        'signalR',
        of.name,
        'replicas',
      ]
      const address = `/${segments.map(encodeURIComponent).join('/')}?api-version=${signalrApiVersion}`
      const { value } = record((await clients.get(address, abortSignal)).body)
      if (!Array.isArray(value)) throw garbled('the value of a list')
      return value.length
    })

  return {
    signalrsNamed: (name, signal) => find(signalrs, name, signal),
    vaultsNamed: (name, signal) => find(vaults, name, signal),
    signalrs: (signal) => find(signalrs, undefined, signal),
    vaults: (signal) => find(vaults, undefined, signal),

    async signalr(id, signal) {
      const [found, made, copies] = await Promise.all([
        instance(id, signal),
        links.list(id, signal),
        replicas(id, signal),
      ])
      const own = answered(found)
      if (own.is !== 'present') return own
      const listedLinks = answered(made)
      const hidden = hiddenIn<never>(listedLinks)
      if (hidden) return hidden
      const counted = answered(copies)
      return {
        is: 'present',
        value: {
          id: own.value.id,
          sku: own.value.sku,
          provisioningState: provisioningState(own.value.state),
          replicas: counted.is === 'present' ? counted.value : counted.is === 'absent' ? 0 : 'unreadable',
          links: listedLinks.is === 'present' ? listedLinks.value : [],
        },
      }
    },

    vault: async (id, signal) => answered(await connections.get(id, signal)),

    async connections(vault, nonce, pinned, signal) {
      const [found, subscriptions] = await Promise.all([
        connections.list(vault, signal),
        connections.ownSubscriptions(signal),
      ])
      return answered(withEndpoints(await connections.ours(found, nonce, pinned, signal), subscriptions))
    },
  }
}
