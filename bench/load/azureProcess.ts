/** A process of its own: the local Azure, with as many SignalRs and vaults as the load needs, and rights for its people. */
import { startAzure } from '../../sandbox/azure/server.ts'
import type { Settings } from '../../sandbox/azure/switches.ts'
import { bot, subscriptions } from '../../sandbox/seed.ts'
import { ownersTag } from '../../src/link/route.ts'
import { channelId, channels, loadPeople, owners, sides, signalrOf, vaultOf } from './activities.ts'
import { answerQuestions } from './asking.ts'
import { startReplay } from './replay.ts'

export type AzureGround = {
  readonly url: string
  /** The same, where reads are answered at once with what was answered before. */
  readonly atOnce: string
  /** What a bot's managed identity signs in with. */
  readonly environment: Readonly<Record<string, string>>
}

const location = 'westeurope'
const scope = `/subscriptions/${subscriptions.main.id}`
const providers = `${scope}/resourceGroups/load/providers`
const numbers = Array.from({ length: sides }, (_, n) => n)

const azure = await startAzure({
  throttle: false,
  seed: {
    subscriptions: [subscriptions.main],
    signalrs: numbers.map((n) => ({
      id: `${providers}/Microsoft.SignalRService/SignalR/${signalrOf(n)}`,
      location,
      sku: 'Standard_S1' as const,
    })),
    // Owners are spread as the vaults are: Teams lets a channel's roster be read but so often.
    vaults: numbers.map((n) => ({
      id: `${providers}/Microsoft.KeyVault/vaults/${vaultOf(n)}`,
      location,
      publicNetworkAccess: 'Disabled' as const,
      tags: { [ownersTag]: channelId(n % channels) },
    })),
    assignments: [
      ...(['linkMaker', 'vaultApprover', 'rightsReader'] as const).map((role) => ({
        principalId: bot.objectId,
        role,
        scope,
      })),
      ...loadPeople.map(({ objectId }) => ({ principalId: objectId, role: 'linkMaker', scope })),
      ...owners.map(({ objectId }) => ({ principalId: objectId, role: 'vaultApprover', scope })),
    ],
  },
})
// The bodies of a whole run are more than is kept for.
azure.onEvent(() => {
  azure.events.length = 0
})
const replay = await startReplay(azure.url)

answerQuestions({
  ground: (): AzureGround => ({
    url: azure.url,
    atOnce: replay.url,
    environment: azure.identity.environment,
  }),
  configure: (settings) => azure.configure(settings as Partial<Settings>),
  answersAfter: (ms) => {
    replay.latencyMs = Number(ms)
  },
  calls: () => replay.calls,
})
