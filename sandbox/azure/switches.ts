/** What can be set about the local Azure: how long things take, and each answer that nobody outside Microsoft is sure of. */
type Delays = {
  /** PUT of a shared private link resource until its operation ends. */
  provisioningMs: number
  /** From there until the connection is on the vault. */
  appearsMs: number
  /** A decision on the vault until provisioningState is Succeeded again: 66 s in the recording. */
  settlesMs: number
  /** A decision on the vault until SignalR's status follows: "after a few minutes" in the documentation. */
  propagatesMs: number
  /** DELETE until the thing is gone. */
  deletingMs: number
  /** Registering or unregistering a resource provider until that is done. */
  registeringMs: number
  /** A new vault until its name is in DNS: 10 to 25 s in recordings. */
  registeringDnsMs: number
  /** Purging a deleted vault until it is gone. */
  purgingMs: number
  /** PUT or PATCH of an instance until its operation ends: 61 s for a creation in the recording. */
  instanceMs: number
  /** Moving resources to another group, or looking whether they could go. */
  movingMs: number
  /** Real time added to each answer, whatever the clock says. */
  latencyMs: number
}

export type Switches = {
  /** How the vault names the connection. */
  connectionName: 'guid' | 'linkName' | 'dotted'
  /** What a GET of a connection that is not there answers. */
  missingConnection: 404 | 204
  /** When a connection bears an etag; the recording shows none before its first edit. */
  etag: 'afterEdit' | 'always' | 'never'
  /** Whether SignalR hears of the decision; what was held back by `never` is told once this is `follows` again. */
  propagation: 'follows' | 'never' | 'timeout'
  /** Other Pending connections that turn up beside ours. */
  extraConnections: number
  extraDescription: 'other' | 'same'
  /** Whose subscription the private endpoints of the extra ones are in. */
  extraEndpoint: 'microsoft' | 'tenant'
  /** The connection is on the vault while the link is still being provisioned. */
  appearsEarly: boolean
  descriptionCase: 'kept' | 'upper'
  putAnswer: 201 | 200
  asyncHeaders: 'both' | 'location' | 'none'
  /** Recorded since 2025: the addresses of operations bear a signature of some 3 KB and are good only as they were given. */
  operationAddresses: 'plain' | 'signed'
  /** Recorded polls had no Retry-After; the CLI then waits 30 s for each, so the sandbox says 1 s unless this is off. */
  retryAfterOnPolls: boolean
  /** How the operation of the next PUT that ends, ends. */
  operationOutcome: 'Succeeded' | 'Failed' | 'Canceled'
  /** How the operation of the next DELETE that ends, ends; what was to go stays, unless it succeeds. */
  deletionOutcome: 'Succeeded' | 'Failed' | 'Canceled'
  groupIdInReply: 'vault' | 'vaults'
  /** The connection is Approved from the start, and without a description, as recorded. */
  autoApprove: boolean
  /** What deleting a link leaves of its connection on the vault. */
  deletedLink: 'removesConnection' | 'disconnectsConnection'
  /** `atOnce`: 204, as recorded; `later`: 202 and an operation, as specified too. */
  deletedInstance: 'atOnce' | 'later'
  /** `recorded`: Approved may be rejected and Rejected approved; `pendingOnly`: what is not Pending is decided for good. */
  decidedConnection: 'recorded' | 'pendingOnly'
  /** `serial`: ConflictError while another connection of the vault is Updating, as people report. */
  vaultWrites: 'serial' | 'parallel'
  /** Whether approving in the portal keeps the request message as the description. */
  portalDescription: 'kept' | 'overwritten'
  /** What the missing registration of Key Vault refuses: an approval, where the private endpoint is; or the link, where the SignalR is. */
  unregisteredKeyVault: 'refusesApproval' | 'refusesLink'
  /** Whether a link follows its vault to another group, or keeps the id that it was given. */
  movedTarget: 'kept' | 'follows'
  /**
   * How ids are written in replies: as they were made; the group, provider and types in small letters or in capitals; or as
   * Azure is known to vary them, `resourcegroups`, `Microsoft.Keyvault` and `signalr`.
   */
  idCase: 'kept' | 'lower' | 'upper' | 'seen'
  /** How many private endpoint connections fit on a vault: 64 was documented, and later withdrawn. */
  connectionQuota: number
  /** Count the rate-limit buckets down and answer 429 when one is empty. */
  throttle: boolean
  /** Whether lists of vaults and deleted vaults end with a page of nothing, as recorded, or with the last entries. */
  vaultListEnd: 'empty' | 'entries'
  /** How many entries a LIST answers at once. */
  pageSize: number
}

export type Settings = Delays & Switches

export const defaults: Settings = {
  provisioningMs: 60_000,
  appearsMs: 5_000,
  settlesMs: 66_000,
  propagatesMs: 180_000,
  deletingMs: 30_000,
  registeringMs: 30_000,
  registeringDnsMs: 15_000,
  purgingMs: 30_000,
  instanceMs: 61_000,
  movingMs: 60_000,
  latencyMs: 0,
  connectionName: 'guid',
  missingConnection: 404,
  etag: 'afterEdit',
  propagation: 'follows',
  extraConnections: 0,
  extraDescription: 'other',
  extraEndpoint: 'microsoft',
  appearsEarly: false,
  descriptionCase: 'kept',
  putAnswer: 201,
  asyncHeaders: 'both',
  operationAddresses: 'plain',
  retryAfterOnPolls: true,
  operationOutcome: 'Succeeded',
  deletionOutcome: 'Succeeded',
  groupIdInReply: 'vault',
  autoApprove: false,
  deletedLink: 'removesConnection',
  deletedInstance: 'atOnce',
  decidedConnection: 'recorded',
  vaultWrites: 'serial',
  portalDescription: 'kept',
  unregisteredKeyVault: 'refusesApproval',
  movedTarget: 'kept',
  idCase: 'kept',
  connectionQuota: 64,
  throttle: true,
  vaultListEnd: 'empty',
  pageSize: 100,
}

/** The values of each switch that has a list of them. */
export const choices = {
  connectionName: ['guid', 'linkName', 'dotted'],
  missingConnection: [404, 204],
  etag: ['afterEdit', 'always', 'never'],
  propagation: ['follows', 'never', 'timeout'],
  extraDescription: ['other', 'same'],
  extraEndpoint: ['microsoft', 'tenant'],
  descriptionCase: ['kept', 'upper'],
  putAnswer: [201, 200],
  asyncHeaders: ['both', 'location', 'none'],
  operationAddresses: ['plain', 'signed'],
  operationOutcome: ['Succeeded', 'Failed', 'Canceled'],
  deletionOutcome: ['Succeeded', 'Failed', 'Canceled'],
  groupIdInReply: ['vault', 'vaults'],
  deletedLink: ['removesConnection', 'disconnectsConnection'],
  deletedInstance: ['atOnce', 'later'],
  decidedConnection: ['recorded', 'pendingOnly'],
  vaultWrites: ['serial', 'parallel'],
  portalDescription: ['kept', 'overwritten'],
  vaultListEnd: ['empty', 'entries'],
  movedTarget: ['kept', 'follows'],
  idCase: ['kept', 'lower', 'upper', 'seen'],
  unregisteredKeyVault: ['refusesApproval', 'refusesLink'],
} as const satisfies { [K in keyof Switches]?: readonly Switches[K][] }

/** Settings that came from outside: every name and value is known, or it says which is not. */
export function parseSettings(given: Readonly<Record<string, unknown>>): Partial<Settings> {
  const lists: Readonly<Record<string, readonly unknown[]>> = choices
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name))
      throw new Error(`No such setting: ${name}; there are ${Object.keys(defaults).join(', ')}`)
    const list = lists[name]
    const known: unknown = defaults[name as keyof Settings]
    if (
      list
        ? !list.includes(value)
        : typeof value !== typeof known || (typeof value === 'number' && !(value >= 0))
    )
      throw new Error(
        `${name} cannot be ${JSON.stringify(value)}; it is ${
          list
            ? `one of ${list.join(', ')}`
            : typeof known === 'boolean'
              ? 'true or false'
              : 'a number, 0 or more'
        }`,
      )
  }
  return given
}
