/** As many SignalRs and vaults as a test wants, numbered from 0, so that each of its links has a pair of its own. */
import { type SeedSignalr, type SeedVault, subscriptions } from '../sandbox/seed.ts'

export const group = `/subscriptions/${subscriptions.main.id}/resourceGroups/contoso`

export type Pair = {
  readonly signalr: string
  readonly vault: string
  readonly signalrId: string
  readonly vaultId: string
}
export const pair = (n: number): Pair => ({
  signalr: `signalr-${n}`,
  vault: `vault-${n}`,
  signalrId: `${group}/providers/Microsoft.SignalRService/SignalR/signalr-${n}`,
  vaultId: `${group}/providers/Microsoft.KeyVault/vaults/vault-${n}`,
})

/** What the local Azure then begins with. */
export function pairs(count: number): { readonly signalrs: SeedSignalr[]; readonly vaults: SeedVault[] } {
  const all = Array.from({ length: count }, (_none, n) => pair(n))
  return {
    signalrs: all.map(({ signalrId: id }) => ({ id, location: 'westeurope', sku: 'Standard_S1' })),
    vaults: all.map(({ vaultId: id }) => ({ id, location: 'westeurope', publicNetworkAccess: 'Enabled' })),
  }
}
