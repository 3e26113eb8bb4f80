/** One Azure, one Teams and one bot, wired together: what the demo, the chat and the story tests stand on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Azure } from './azure/azure.ts'
import { type Seed, startAzure } from './azure/server.ts'
import type { Settings as AzureSettings } from './azure/switches.ts'
import { type BotProcess, type LogLine, startBot } from './botProcess.ts'
import { approver, bot as botIdentity, directory, events, subscriptions, tenantId } from './seed.ts'
import type { Teams } from './teams/face.ts'
import { startTeams } from './teams/server.ts'

export type World = {
  readonly azure: Azure
  readonly teams: Teams
  /** The bot that runs now; another one after a restart. */
  readonly bot: () => BotProcess
  /** Resolves when the bot listens. */
  up(): Promise<void>
  /** One more bot beside it on the same store. Whoever starts it ends it. */
  another(): Promise<BotProcess>
  /** Ends the bot, if it still runs, and starts it again on the same store. */
  restart(how?: { kill?: boolean; environment?: Record<string, string> }): Promise<void>
  /** Time passes, for everybody. */
  passes(ms: number): Promise<void>
  close(): Promise<void>
}

export type Pace = { azure: Partial<AzureSettings>; bot: Record<string, string> }

/** Azure's minutes in fractions of a second, so that a person can watch. */
export const watchable: Pace = {
  azure: {
    provisioningMs: 1_200,
    appearsMs: 300,
    settlesMs: 900,
    propagatesMs: 1_500,
    deletingMs: 600,
    latencyMs: 4,
  },
  bot: {
    VAULTLINK_FIRST_LOOK_SECONDS: '0.3',
    VAULTLINK_LONGEST_LOOK_SECONDS: '0.6',
    VAULTLINK_SETTLE_SECONDS: '2',
    VAULTLINK_PIN_SECONDS: '0.5',
  },
}
/** As fast as it goes, for tests. */
export const hurried: Pace = {
  azure: { provisioningMs: 40, appearsMs: 20, settlesMs: 40, propagatesMs: 40, deletingMs: 20, latencyMs: 0 },
  bot: {
    VAULTLINK_FIRST_LOOK_SECONDS: '0.03',
    VAULTLINK_LONGEST_LOOK_SECONDS: '0.1',
    VAULTLINK_SETTLE_SECONDS: '2',
    VAULTLINK_PIN_SECONDS: '0.05',
    VAULTLINK_SENDS_FASTER: '1000',
  },
}

/**
 * Starts all three on free loopback ports, with the bot installed in the team. `asApprover`: owners decide as
 * themselves, the bot holds no right on vaults but to read, and `consent` says who agreed that it passes decisions on.
 * `hearsEvents`: the bot takes events of Azure's, from whoever subscribes it to them.
 */
export async function startWorld(options: {
  pace: Pace
  asApprover?: { readonly consent: 'forEverybody' | 'byEach' }
  /** What runs in Azure, where it is not the usual. */
  seed?: Seed
  hearsEvents?: boolean
  environment?: Record<string, string>
  onLog?: (line: LogLine) => void
}): Promise<World> {
  const { asApprover, seed } = options
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-'))
  const [azure, teams] = await Promise.all([
    startAzure({
      ...options.pace.azure,
      ...(seed && { seed }),
      ...(asApprover && signedInBy(asApprover.consent === 'byEach')),
    }),
    startTeams({ appId: botIdentity.appId }),
  ])
  const approving = asApprover ? await letApprove(azure, teams, folder) : {}
  let offset = 0
  const environment = (): Record<string, string> => ({
    VAULTLINK_MODE: 'sandbox',
    PORT: '0',
    ARM_ENDPOINT: azure.url,
    AZURE_CLIENT_ID: botIdentity.appId,
    ...azure.identity.environment,
    BOT_SERVICE_HOSTS: teams.host,
    DATABASE_URL: join(folder, 'vaultlink.db'),
    VAULTLINK_CLOCK_OFFSET_MS: String(offset),
    ...options.pace.bot,
    ...approving,
    ...(options.hearsEvents && hearing(azure)),
    ...options.environment,
  })
  const begin = async (more: Record<string, string> = {}): Promise<BotProcess> => {
    const started = await startBot({ ...environment(), ...more }, options.onLog)
    teams.connect(`${started.url}/api/messages`)
    return started
  }
  let bot = await begin()
  let rising: Promise<void> = Promise.resolve()
  await teams.install('contoso', 'owner')
  return {
    azure,
    teams,
    bot: () => bot,
    up: () => rising,
    another: () => startBot(environment(), options.onLog),
    restart({ kill = false, environment: more = {} } = {}) {
      rising = (async () => {
        await (kill ? bot.kill() : bot.stop())
        bot = await begin(more)
      })()
      return rising
    },
    async passes(ms) {
      offset += ms
      azure.turn(ms)
      teams.turn(ms)
      await bot.turn(ms)
    },
    async close() {
      await bot.kill()
      await Promise.all([azure.close(), teams.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What lets Event Grid's tokens in. */
export const hearing = (azure: Azure): Record<string, string> => ({
  EVENT_GRID_APP_ID: events.appId,
  EVENT_GRID_APP_URI: events.uri,
  EVENT_GRID_TENANT_ID: tenantId,
  EVENT_GRID_OPENID_METADATA_URL: `${azure.url}/${tenantId}/v2.0/.well-known/openid-configuration`,
})

/** An Entra ID that MSAL can reach, and whether each person has to agree. */
const signedInBy = (asksConsent: boolean) => ({
  tlsPort: 0,
  directory: {
    ...directory,
    applications: directory.applications.map((one) =>
      one.appId === approver.appId ? { ...one, asksConsent } : one,
    ),
  },
})

/** Takes the bot's rights on vaults, and gives what lets owners decide as themselves. */
async function letApprove(azure: Azure, teams: Teams, folder: string): Promise<Record<string, string>> {
  for (const { id } of Object.values(subscriptions)) {
    azure.rights.revoke(botIdentity.objectId, 'vaultApprover', `/subscriptions/${id}`)
    azure.rights.grant(botIdentity.objectId, 'vaultReader', `/subscriptions/${id}`)
  }
  teams.configure({ entra: azure.url })
  const authority = join(folder, 'ca.pem')
  await writeFile(authority, azure.tls?.ca ?? '')
  return {
    APPROVE_AS: 'approver',
    APPROVER_APP_ID: approver.appId,
    APPROVER_APP_PASSWORD: approver.secret,
    APPROVER_APP_URI: approver.uri,
    MicrosoftAppTenantId: tenantId,
    AZURE_AUTHORITY_HOST: azure.tls?.url ?? '',
    NODE_EXTRA_CA_CERTS: authority,
  }
}
