/** Private endpoint connections, the Key Vault side of a link, and the vault itself. */
import type { Connection, Pinned } from '../link/link.ts'
import { parseResourceId, sameResource } from '../link/resourceId.ts'
import type { Clients } from './clients.ts'
import { all, type Look, look, type Reading } from './looks.ts'
import { connection, list, record, required, text } from './parse.ts'
import { parts } from './resourceIds.ts'

export const vaultActions = {
  read: 'Microsoft.KeyVault/vaults/read',
  readConnection: 'Microsoft.KeyVault/vaults/privateEndpointConnections/read',
  writeConnection: 'Microsoft.KeyVault/vaults/privateEndpointConnections/write',
} as const

export type Vault = {
  readonly id: string
  readonly isPublic: boolean
  readonly connectionCount: number
  readonly tags: Readonly<Record<string, string>>
}

/**
 * Whether traffic from outside comes in. `SecuredByPerimeter` and `Disabled` close it; so does a firewall that denies
 * by default and lists nobody. Nothing said means open: that is Key Vault's default.
 */
export function isPublic(properties: Readonly<Record<string, unknown>>): boolean {
  const access = text(properties.publicNetworkAccess)?.toLowerCase()
  if (access === 'disabled' || access === 'securedbyperimeter') return false
  const rules = record(properties.networkAcls)
  const listed = list(rules.ipRules).length + list(rules.virtualNetworkRules).length
  return text(rules.defaultAction)?.toLowerCase() !== 'deny' || listed > 0
}

function vault(value: unknown): Vault {
  const fields = record(value)
  const properties = record(fields.properties)
  const tags = Object.entries(record(fields.tags)).flatMap(([name, tag]) =>
    typeof tag === 'string' ? [[name, tag] as const] : [],
  )
  return {
    id: required(fields.id, 'the id of a vault'),
    isPublic: isPublic(properties),
    connectionCount: list(properties.privateEndpointConnections).length,
    tags: Object.fromEntries(tags),
  }
}

const nobodyAnswered = {
  is: 'silent',
  failure: {
    cause: { cause: 'unavailable', code: 'NoSubscriptions' },
    log: 'No list of subscriptions',
    missing: false,
  },
} as const satisfies Look<never>

/** The same connections, each with whether its endpoint lies in a subscription that the bot sees. */
export function withEndpoints(
  found: Look<readonly Connection[]>,
  subscriptions: Look<readonly string[]>,
): Look<readonly Connection[]> {
  if (found.is !== 'present' || found.value.length === 0) return found
  // Without the list nobody knows where an endpoint lies.
  if (subscriptions.is !== 'present') return subscriptions
  const visible = new Set(subscriptions.value.map((id) => id.toLowerCase()))
  const isVisible = ({ privateEndpoint }: Connection): boolean =>
    visible.has(parseResourceId(privateEndpoint)?.subscription.toLowerCase() ?? '')
  return {
    is: 'present',
    value: found.value.map((one) => (isVisible(one) ? { ...one, endpointIsOurs: true } : one)),
  }
}

export type VaultConnections = ReturnType<typeof createVaultConnections>

export function createVaultConnections(clients: Clients, reading: Reading) {
  const getConnection = (id: string, signal: AbortSignal): Promise<Look<Connection>> =>
    look(reading, vaultActions.readConnection, id, signal, async (abortSignal) => {
      const of = parts(id)
      const client = await clients.keyVault(of.subscription)
      let status = 0
      const options = {
        abortSignal,
        onResponse(raw: { readonly status: number }) {
          status = raw.status
        },
      }
      try {
        const value = await client.privateEndpointConnections.get(of.group, of.name, of.child, options)
        return status === 204 ? 'absent' : connection(value)
      } catch (error) {
        // A connection that is not there may be a 204, whose empty body the client cannot read.
        if (status === 204) return 'absent'
        throw error
      }
    })

  return {
    getConnection,

    async ownSubscriptions(signal: AbortSignal): Promise<Look<readonly string[]>> {
      const action = 'Microsoft.Resources/subscriptions/read'
      const found = await look(reading, action, '/', signal, clients.subscriptions)
      // ARM has this list for everybody: a 404 comes from something else.
      return found.is === 'absent' ? nobodyAnswered : found
    },

    get: (id: string, signal: AbortSignal): Promise<Look<Vault>> =>
      look(reading, vaultActions.read, id, signal, async (abortSignal) => {
        const of = parts(id)
        const client = await clients.keyVault(of.subscription)
        return vault(await client.vaults.get(of.group, of.name, { abortSignal }))
      }),

    list: (id: string, signal: AbortSignal): Promise<Look<readonly Connection[]>> =>
      look(reading, vaultActions.readConnection, id, signal, async (abortSignal) => {
        const of = parts(id)
        const client = await clients.keyVault(of.subscription)
        const pages = client.privateEndpointConnections.listByResource(of.group, of.name, { abortSignal })
        return (await all(pages, abortSignal)).map(connection)
      }),

    /**
     * Of a vault's list those that bear the nonce, and the pinned one. The description may come back in another case;
     * a decision overwrites it. A pinned one that the list lacks is asked for: only a GET says that it is gone.
     */
    async ours(
      listed: Look<readonly Connection[]>,
      nonce: string,
      pinned: Pinned | undefined,
      signal: AbortSignal,
    ): Promise<Look<readonly Connection[]>> {
      if (listed.is !== 'present') return listed
      const isPinned = ({ id }: Connection): boolean =>
        pinned !== undefined && sameResource(id, pinned.connection)
      const bears = ({ description }: Connection): boolean =>
        nonce !== '' && description.toLowerCase().includes(nonce.toLowerCase())
      const found = listed.value.filter((one) => isPinned(one) || bears(one))
      if (pinned === undefined || found.some(isPinned)) return { is: 'present', value: found }
      const one = await getConnection(pinned.connection, signal)
      if (one.is === 'absent') return { is: 'present', value: found }
      return one.is === 'present' ? { is: 'present', value: [...found, one.value] } : one
    },

    /** Approves or rejects, with the etag if the connection has one: somebody's edit in between is then a conflict. */
    async decide(
      { id, etag }: Connection,
      decision: { readonly status: 'Approved' | 'Rejected'; readonly description: string },
      signal: AbortSignal,
    ): Promise<void> {
      const of = parts(id)
      const client = await clients.keyVault(of.subscription)
      await client.privateEndpointConnections.put(
        of.group,
        of.name,
        of.child,
        {
          ...(etag !== undefined && { etag }),
          privateLinkServiceConnectionState: { ...decision, actionsRequired: 'None' },
        },
        { abortSignal: signal },
      )
    },
  }
}
