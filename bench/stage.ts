import { join } from 'node:path'
import { type Running, startVaultlink } from './bots.ts'
import { inFolder } from './inFolder.ts'
import { channels } from './load/activities.ts'
import { type Asked, startAsked } from './load/asking.ts'
import type { AzureGround } from './load/azureProcess.ts'
import { type Field, help } from './load/measure.ts'

export type Stage = {
  readonly bot: Running
  readonly azure: Asked
  readonly database: string
  readonly folder: string
}

/** Vaultlink with an Azure of its own, and everybody met: a channel that nobody has spoken in is one that it cannot write to. */
export async function withVaultlink<T>(
  field: Field,
  how: {
    readonly shipped?: boolean
    /** `atOnce`: what Azure answered to a read before, it answers again. */
    readonly answers: 'url' | 'atOnce'
    readonly environment?: Readonly<Record<string, string>>
    readonly node?: readonly string[]
  },
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const azure = startAsked(new URL('load/azureProcess.ts', import.meta.url))
  try {
    const ground = (await azure.ask('ground')) as AzureGround
    return await inFolder(field, async (folder) => {
      await field.forget()
      const { answers, environment, ...rest } = how
      const bot = await startVaultlink(field.ground, folder, {
        ...rest,
        environment: { ARM_ENDPOINT: ground[answers], ...ground.environment, ...environment },
      })
      try {
        await field.coldStart(bot)
        const met = { connections: 8, said: help, mostTurns: 2 * channels, replies: 'card' } as const
        await field.measure(bot, { ...met, warmMs: 0, runMs: 60_000 })
        return await work({ bot, azure, database: join(folder, 'vaultlink.db'), folder })
      } catch (error) {
        throw new Error(`What Vaultlink wrote last:\n${(await bot.output()).slice(-3_000)}`, { cause: error })
      } finally {
        await bot.stop()
      }
    })
  } finally {
    await azure.end()
  }
}
