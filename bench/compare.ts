/** Vaultlink beside its peers: a run of fresh processes, interleaved, each measured in every round. */
import { readFileSync } from 'node:fs'
import { setTimeout as pass } from 'node:timers/promises'
import { isShipped, type Peer, peers, type Running, startPeer, startVaultlink } from './bots.ts'
import { inFolder } from './inFolder.ts'
import type { Counts } from './load/connectorProcess.ts'
import { type Field, type Figures, help } from './load/measure.ts'
import { measureTurns, type Turns } from './turns.ts'

/** `shipped`: what `npm run build` made, where it was. */
export type Bot = Peer | 'vaultlink' | 'shipped'
export const bots: readonly Bot[] = [...peers, 'vaultlink', ...(isShipped ? (['shipped'] as const) : [])]

export type Size = {
  readonly rounds: number
  readonly connections: readonly number[]
  readonly warmMs: number
  readonly runMs: number
  /** Approval cards that are pressed under each load. */
  readonly presses: number
  /** In how many of the rounds Vaultlink's other turns are measured too. */
  readonly turnRounds: number
}
/** One bot in one round. */
export type Round = {
  readonly coldMs: number
  readonly idleMb: number
  readonly burst: Counts['fetched']
  readonly under: ReadonlyMap<number, Figures>
}
export type Compared = {
  /** By round; a bot that failed in one has none there. */
  readonly rounds: ReadonlyMap<Bot, readonly (Round | undefined)[]>
  readonly turns: readonly (Turns | undefined)[]
  /** What was not measured, and why. */
  readonly problems: readonly string[]
}

const coldTurns = 100
/** After its first answer a bot still loads what it does not need for it, and may then give back what the start took. */
const settlesMs = 5_000

export async function compare(field: Field, size: Size, say: (line: string) => void): Promise<Compared> {
  const rounds = new Map<Bot, (Round | undefined)[]>(bots.map((bot) => [bot, []]))
  const turns: (Turns | undefined)[] = []
  const problems: string[] = []
  for (let n = 0; n < size.rounds; n++) {
    const tried = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
      try {
        const done = await work()
        say(`round ${n + 1} of ${size.rounds}: ${what}`)
        return done
      } catch (error) {
        // What a bot wrote last is for whoever waits; the results name the cause.
        const { message, cause } = error instanceof Error ? error : new Error(String(error))
        problems.push(`${what}, round ${n + 1}: ${cause instanceof Error ? cause.message : message}`)
        say(`${problems.at(-1)}\n${message}`)
        return undefined
      }
    }
    // Each begins once: whoever comes after a heavy one is not always the same.
    for (const bot of [...bots.slice(n % bots.length), ...bots.slice(0, n % bots.length)])
      rounds.get(bot)?.push(await tried(bot, () => oneRound(field, bot, size)))
    turns.push(
      n < size.turnRounds
        ? await tried('link, status, approve', () => measureTurns(field, size, isShipped))
        : undefined,
    )
  }
  return { rounds, turns, problems }
}

/** An echo is text; what Vaultlink says in text is no help. */
const repliesOf = (bot: Bot): 'card' | 'text' => (bot === 'vaultlink' || bot === 'shipped' ? 'card' : 'text')

const start = (field: Field, bot: Bot, folder: string): Promise<Running> =>
  bot === 'vaultlink' || bot === 'shipped'
    ? startVaultlink(field.ground, folder, { shipped: bot === 'shipped' })
    : startPeer(bot, field.ground, folder)

const oneRound = (field: Field, bot: Bot, size: Size): Promise<Round> =>
  inFolder(field, async (folder) => {
    const burst = await coldBurst(field, bot, folder)
    const running = await start(field, bot, folder)
    try {
      const coldMs = await field.coldStart(running)
      await pass(settlesMs)
      const idleMb = residentMb(running.pid)
      const under = new Map<number, Figures>()
      for (const connections of size.connections) {
        const { warmMs, runMs } = size
        under.set(
          connections,
          await field.measure(running, {
            connections,
            said: help,
            warmMs,
            runMs,
            replies: repliesOf(bot),
          }),
        )
      }
      return { coldMs, idleMb, burst, under }
    } finally {
      await running.stop()
    }
  })

/** What is fetched of the identity server while a hundred first turns come at once. */
async function coldBurst(field: Field, bot: Bot, folder: string): Promise<Counts['fetched']> {
  await field.forget()
  const running = await start(field, bot, folder)
  try {
    await field.listening(running)
    const load = { connections: coldTurns, said: help, mostTurns: coldTurns }
    await field.measure(running, { ...load, warmMs: 0, runMs: 30_000, replies: repliesOf(bot) })
    return (await field.counts()).fetched
  } finally {
    await running.stop()
  }
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
