/** The ground that all bots stand on, and one bot under one load. */
import type { Running } from '../bots.ts'
import { percentile } from '../figures.ts'
import { type Told, tokensUsed } from './activities.ts'
import { type Asked, startAsked } from './asking.ts'
import type { Card, Counts, Ground } from './connectorProcess.ts'
import type { Load, Outcome } from './generatorProcess.ts'

export type Figures = {
  readonly perSecond: number
  readonly cpuMs: number
  readonly p50: number
  readonly p99: number
  readonly rssMb: number
  /** Answered as they should be, warming up included, or in words alone where a card was due: those are `refused`. */
  readonly answered: number
  readonly refused: number
  /** These, and what was answered otherwise or not at all. */
  readonly failed: number
  /** The first of what is said that was not. */
  readonly next: number
  /** How much of one processor the load generator and the connector had. */
  readonly generatorShare: number
  readonly connectorShare: number
}

export type Field = {
  readonly ground: Ground
  /** Under one load. Rejects when no turn went well, or a reply did not come. */
  measure(bot: Running, load: Wanted): Promise<Figures>
  /** From its spawn to its first answer. */
  coldStart(bot: Running): Promise<number>
  /** Resolves when it takes connections. */
  listening(bot: Running): Promise<void>
  counts(): Promise<Counts>
  cards(): Promise<readonly Card[]>
  forget(): Promise<void>
  close(): Promise<void>
}
export type Wanted = Pick<Load, 'connections' | 'said' | 'warmMs' | 'runMs'> & {
  /** Of what is said, where to begin: then it is not said again. */
  readonly from?: number
  readonly mostTurns?: number
  /** What each answer has to hold. */
  readonly holds?: string
  /** `card`, or in `text`; `later`: by a card in its own time, and a text would be a refusal. `answer`: in the answer itself. */
  readonly replies: 'card' | 'text' | 'later' | 'answer'
}

export const help: readonly Told[] = [{ is: 'message', text: 'help' }]

export async function openField(): Promise<Field> {
  const connector = startAsked(new URL('connectorProcess.ts', import.meta.url))
  const generator = startAsked(new URL('generatorProcess.ts', import.meta.url))
  const ground = (await connector.ask('ground')) as Ground
  const tokens = (await connector.ask('tokens', tokensUsed)) as readonly string[]
  const counts = async (): Promise<Counts> => (await connector.ask('counts')) as Counts
  const forget = async (): Promise<void> => {
    await connector.ask('forget')
  }
  let runs = 0
  const given = (bot: Running) => ({
    port: bot.port,
    pid: bot.pid,
    serviceUrl: ground.serviceUrl,
    tokens,
    run: `run${runs++}`,
  })
  return {
    ground,
    counts,
    forget,
    cards: async () => (await connector.ask('cards')) as readonly Card[],
    async measure(bot, wanted) {
      const { replies, ...load } = wanted
      const before = await counts()
      const cpu = await cpuOf(connector)
      const began = performance.now()
      const { from, ...rest } = load
      const outcome = (await generator.ask('load', {
        ...given(bot),
        holds: '',
        ...rest,
        from: from ?? 0,
        again: from === undefined,
      })) as Outcome
      const took = performance.now() - began
      const after = await counts()
      const replied = after.replies - before.replies
      if (outcome.turns === 0) throw new Error(`All turns failed: ${outcome.oddly}`)
      if (after.refused > before.refused) throw new Error('The bot called the connector without a token')
      if ((replies === 'card' || replies === 'text') && replied < outcome.answered)
        throw new Error(`${outcome.answered} turns were answered, and ${replied} replies came`)
      // What is answered in words alone where a card was due, was too late or refused.
      const refused = replies === 'card' || replies === 'later' ? after.texts - before.texts : 0
      const turns = outcome.turns * (1 - refused / outcome.answered)
      return {
        perSecond: turns / (outcome.ms / 1_000),
        cpuMs: outcome.cpuMs / turns,
        p50: percentile(outcome.timesMs, 0.5),
        p99: percentile(outcome.timesMs, 0.99),
        rssMb: outcome.rssMb,
        failed: outcome.failed + refused,
        refused,
        answered: outcome.answered,
        next: outcome.next,
        generatorShare: outcome.ownCpuMs / outcome.ms,
        connectorShare: ((await cpuOf(connector)) - cpu) / took,
      }
    },
    async coldStart(bot) {
      const reply = (await generator.ask('first', { ...given(bot), said: help })) as {
        status: number
        text: string
      }
      const took = performance.now() - bot.spawned
      if (reply.status < 200 || reply.status > 299)
        throw new Error(`The first turn was answered ${reply.status} ${reply.text}:\n${await bot.output()}`)
      return took
    },
    async listening(bot) {
      await generator.ask('listening', bot.port)
    },
    async close() {
      await Promise.all([connector.end(), generator.end()])
    },
  }
}

const cpuOf = async (process: Asked): Promise<number> => (await process.ask('cpu')) as number
