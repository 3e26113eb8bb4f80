/** Who may ask, who may decide, and what is refused before anybody is bothered. */
import type { AskRefusal, Findings } from './link.ts'
import { resourceName, sameResource } from './resourceId.ts'

/** What a requester, or whoever takes a link away, must hold on the SignalR. */
export const askActions = ['Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write'] as const
/** What whoever decides must hold on the vault. */
export const decideActions = [
  'Microsoft.KeyVault/vaults/privateEndpointConnections/write',
  'Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action',
] as const
const readVault = [
  'Microsoft.KeyVault/vaults/read',
  'Microsoft.KeyVault/vaults/privateEndpointConnections/read',
] as const
/** What the bot itself needs, on the SignalR, and on the vault by who sends decisions there. */
export const botActions = {
  signalr: [
    'Microsoft.SignalRService/SignalR/read',
    'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/read',
    'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write',
    'Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/delete',
  ],
  vault: { bot: [...readVault, ...decideActions], approver: readVault },
} as const

/** Names of SignalR instances and of their shared private links, as the provider's specification has them. */
export const linkName = /^[a-zA-Z][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$/
/** https://learn.microsoft.com/azure/private-link/private-endpoint-overview: 64 private endpoints a vault. */
const mostEndpoints = 64

export type AskDecided =
  | { readonly is: 'ask'; readonly name: string; readonly route: NonNullable<Findings['route']> }
  | { readonly is: 'refused'; readonly refusal: AskRefusal }

/**
 * Whether a new link may be asked for, and under which name. The requester's own right comes first: who may not
 * write that SignalR learns nothing about it.
 */
export function decideAsk(findings: Findings, as: string | undefined): AskDecided {
  const { requester, signalr, vault, route } = findings
  if (requester.is === 'unreadable') return refuse({ refusal: 'rightUnreadable' })
  if (requester.is === 'missing')
    return refuse({ refusal: 'requesterLacksRight', actions: requester.actions })
  if (findings.open) return refuse({ refusal: 'alreadyAsked', link: findings.open })
  if (/^free/i.test(signalr.sku)) return refuse({ refusal: 'freeTier', sku: signalr.sku })
  if (signalr.replicas !== 0) return refuse({ refusal: 'replicas', count: signalr.replicas })
  const standing = signalr.links.find(({ target }) => sameResource(target, vault.id))
  if (standing) {
    const works = standing.status === 'Approved' && standing.provisioningState === 'Succeeded'
    return refuse(
      works
        ? { refusal: 'alreadyLinked', name: standing.name }
        : { refusal: 'madeByOthers', name: standing.name, status: standing.status },
    )
  }
  const named = chooseName(findings, as)
  if (typeof named !== 'string') return refuse(named)
  if (vault.connectionCount >= mostEndpoints)
    return refuse({ refusal: 'vaultFull', count: vault.connectionCount })
  for (const on of ['signalr', 'vault'] as const) {
    const right = findings.bot[on]
    if (right.is === 'unreadable') return refuse({ refusal: 'rightUnreadable' })
    if (right.is === 'missing') return refuse({ refusal: 'botLacksRight', actions: right.actions, on })
  }
  if (!route) return refuse({ refusal: 'noOwners' })
  const { approvers: count, needs } = findings
  if (count === 0) return refuse({ refusal: 'nobodyMayApprove' })
  if (count !== 'unknown' && count < needs) return refuse({ refusal: 'tooFewApprovers', count, needs })
  return { is: 'ask', name: named, route }
}

const refuse = (refusal: AskRefusal): AskDecided => ({ is: 'refused', refusal })

/** What was asked, else `kv-<vault>`, with a number behind it if that is taken. */
function chooseName({ signalr, vault }: Findings, as: string | undefined): string | AskRefusal {
  const taken = new Set(signalr.links.map(({ name }) => name.toLowerCase()))
  if (as !== undefined) {
    if (!linkName.test(as)) return { refusal: 'badName', name: as }
    return taken.has(as.toLowerCase()) ? { refusal: 'nameTaken', name: as } : as
  }
  const plain = `kv-${resourceName(vault.id)}`
  for (let number = 1; ; number++) {
    const name = number === 1 ? plain : `${plain}-${number}`
    if (!taken.has(name.toLowerCase())) return name
  }
}
