/** One Azure, one Teams and one bot, wired together: what the demo, the chat and the story tests stand on. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Azure } from './azure/azure.ts'
import { startAzure } from './azure/server.ts'
import type { Settings as AzureSettings } from './azure/switches.ts'
import { type BotProcess, type LogLine, startBot } from './botProcess.ts'
import { bot as botIdentity } from './seed.ts'
import type { Teams } from './teams/face.ts'
import { startTeams } from './teams/server.ts'

export type World = {
  readonly azure: Azure
  readonly teams: Teams
  /** The bot that runs now; another one after a restart. */
  readonly bot: () => BotProcess
  /** Resolves when the bot listens. */
  up(): Promise<void>
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
  },
}

/** Starts all three on free loopback ports, with the bot installed in the team. */
export async function startWorld(options: {
  pace: Pace
  environment?: Record<string, string>
  onLog?: (line: LogLine) => void
}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-'))
  const [azure, teams] = await Promise.all([
    startAzure(options.pace.azure),
    startTeams({ appId: botIdentity.appId }),
  ])
  let offset = 0
  const environment = (): Record<string, string> => ({
    VAULTLINK_MODE: 'sandbox',
    PORT: '0',
    ARM_ENDPOINT: azure.url,
    AZURE_CLIENT_ID: botIdentity.appId,
    ...azure.identity.environment,
    DATABASE_URL: join(folder, 'vaultlink.db'),
    VAULTLINK_CLOCK_OFFSET_MS: String(offset),
    ...options.pace.bot,
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
