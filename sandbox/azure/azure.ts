import type { Directory } from '../entra/directory.ts'
import type { Armed, Fault } from '../proxy/fault.ts'
import type { EventSubscription, Subscribed } from './eventGrid.ts'
import type { Portal } from './portal.ts'
import type { AzureEvent, Permission, RoleGraph } from './state.ts'
import type { Settings } from './switches.ts'
import type { Tally } from './tally.ts'

/** A local Azure Resource Manager that runs; see README.md. */
export type Azure = {
  readonly url: string
  readonly port: number
  /** Where it listens over TLS, if it was asked to, and the authority that a client has to trust for that, as PEM. */
  readonly tls?: { readonly url: string; readonly ca: string }
  readonly identity: {
    readonly directory: Directory
    /** An access token for whoever is named, for Azure Resource Manager unless the claims say otherwise. */
    tokenFor(objectId: string, claims?: Readonly<Record<string, unknown>>): Promise<string>
    /** A person agrees that an application, by its id or URI, acts for them. */
    consent(objectId: string, application: string): void
    /** What a process needs for its managed identity to be the bot's. */
    readonly environment: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string }
  }
  /** Everything since the start. */
  readonly events: AzureEvent[]
  /** An event subscription of Event Grid's, once its web hook has said that it wants the events. */
  subscribe(to: EventSubscription): Promise<Subscribed>
  onEvent(listener: (event: AzureEvent) => void): () => void
  /** The world as it is now; snapshots. */
  links(): {
    id: string
    provisioningState: string
    status: string
    privateLinkResourceId: string
    requestMessage: string
  }[]
  connections(vault: string): {
    id: string
    name: string
    status: string
    provisioningState: string
    description?: string
    privateEndpointId: string
    etag?: string
  }[]
  readonly portal: Portal
  /** Rights change behind the bot's back. */
  readonly rights: {
    grant(principalId: string, role: string, scope: string): void
    revoke(principalId: string, role: string, scope: string): void
    deny(principalId: string, action: string, scope: string): void
    /** A role is edited: whoever holds it holds something else from now on. */
    redefine(role: string, permissions: readonly Permission[]): void
    /** The parts that are given take the place of those that were there. */
    replace(graph: Partial<RoleGraph>): void
  }
  /** Whether a subscription, one of Microsoft's own too, has a resource provider registered; at once. */
  setRegistration(subscription: string, namespace: string, registered: boolean): void
  configure(settings: Partial<Settings>): void
  /** The world as it stands: what a seed file holds; see seedFile.ts. */
  world(): unknown
  /** Heard after each request, which is when the world may have changed: nothing here runs on a timer. */
  onRequest(listener: () => void): () => void
  /** Moves the sandbox's clock on. */
  turn(ms: number): void
  fail(fault: Fault): Armed
  /** How its replies fit the OpenAPI files so far, if it was told where they are. */
  conformity(): Tally | undefined
  close(): Promise<void>
}
