import type { FaultRule } from './faults.ts'
import type { Portal } from './portal.ts'
import type { AzureEvent } from './state.ts'
import type { Settings } from './switches.ts'
import type { Tally } from './tally.ts'

/** A local Azure Resource Manager that runs; see README.md. */
export type Azure = {
  readonly url: string
  readonly port: number
  /** Everything since the start. */
  readonly events: AzureEvent[]
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
  }
  configure(settings: Partial<Settings>): void
  /** Moves the sandbox's clock on. */
  turn(ms: number): void
  fail(rule: FaultRule): void
  /** How its replies fit the OpenAPI files so far, if it was told where they are. */
  conformity(): Tally | undefined
  close(): Promise<void>
}
