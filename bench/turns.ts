/**
 * What turns of Vaultlink cost that do more than answer: `link` reads Azure and commits, `status` reads the store, a
 * press on Approve does both. The local Azure is a process of its own, and answers at once unless told otherwise.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pass } from 'node:timers/promises'
import { hurried } from '../sandbox/world.ts'
import type { Size } from './compare.ts'
import { channels, links, sides, statuses, type Told } from './load/activities.ts'
import type { Field, Figures } from './load/measure.ts'
import { type Stage, withVaultlink } from './stage.ts'

/** `linkSlowly`: each answer of Azure's takes `azureMs`. */
export const turnKinds = ['link', 'linkSlowly', 'status', 'approve'] as const
export type TurnKind = (typeof turnKinds)[number]
export type TurnFigures = Figures & { readonly azureShare: number }
export type Turns = {
  readonly under: ReadonlyMap<TurnKind, ReadonlyMap<number, TurnFigures>>
  /** What was asked of Azure for each link that was asked for, by kind, all that the worker did meanwhile included. */
  readonly callsPerLink: ReadonlyMap<string, number>
}

/** About what Resource Manager takes for a read. */
export const azureMs = 50
export async function measureTurns(field: Field, size: Size, shipped: boolean): Promise<Turns> {
  const under = new Map<TurnKind, Map<number, TurnFigures>>(turnKinds.map((kind) => [kind, new Map()]))
  /** With how much of a core Azure had, since it may be what is waited for. */
  const measured = async (
    { bot, azure }: Stage,
    kind: TurnKind,
    wanted: Parameters<Field['measure']>[1],
  ): Promise<Figures> => {
    const before = (await azure.ask('cpu')) as number
    const began = performance.now()
    const figures = await field.measure(bot, wanted)
    const azureShare = (((await azure.ask('cpu')) as number) - before) / (performance.now() - began)
    under.get(kind)?.set(wanted.connections, { ...figures, azureShare })
    return figures
  }
  const { warmMs, runMs } = size
  // Fewest first: the worker still makes the endpoints of the links before.
  const load = [...size.connections].sort((a, b) => a - b)
  const callsPerLink = await withVaultlink(field, { shipped, answers: 'atOnce' }, async (stage) => {
    const { azure, database } = stage
    // Once for every SignalR and vault: from then on Azure's answers are at hand.
    const all = { connections: 8, said: links, from: 0, mostTurns: sides, replies: 'later' } as const
    let { answered: asked, next: from } = await field.measure(stage.bot, { ...all, warmMs: 0, runMs: 60_000 })
    const before = (await azure.ask('calls')) as ReadonlyMap<string, number>
    let counted = 0
    let [refused, sure] = [0, asked]
    for (const connections of load) {
      const figures = await measured(stage, 'link', {
        connections,
        said: links,
        from,
        warmMs,
        runMs,
        replies: 'later',
      })
      asked += figures.answered
      counted += figures.answered
      refused += figures.refused
      // Which ones were refused is not known, so of none from then on.
      if (refused === 0 && figures.failed === 0) sure = asked
      from = figures.next
    }
    const calls = (await azure.ask('calls')) as ReadonlyMap<string, number>
    const kept = recordsIn(database)
    if (kept + refused < asked)
      throw new Error(`${asked - refused} links were promised, and ${kept} are in the store`)
    // Whoever asked asks again, in the same channel: both come round with the number of channels.
    const rounds = sure - (sure % channels)
    const again = rounds > 0 ? { said: statuses.slice(0, rounds), warmMs } : undefined
    const once = { said: statuses.slice(0, sure), warmMs: warmMs / 10, from: 0 }
    for (const connections of load) {
      await field.forget()
      await measured(stage, 'status', {
        connections,
        ...(again ?? once),
        runMs,
        replies: 'text',
      })
      const { lastText } = await field.counts()
      if (!lastText.includes('load-kv-')) throw new Error(`status was answered with ${lastText}`)
    }
    await azure.ask('answersAfter', azureMs)
    for (const connections of load) {
      const figures = await measured(stage, 'linkSlowly', {
        connections,
        said: links,
        from,
        warmMs,
        runMs,
        replies: 'later',
      })
      from = figures.next
    }
    return new Map([...calls].map(([what, count]) => [what, (count - (before.get(what) ?? 0)) / counted]))
  })
  await withVaultlink(field, { shipped, answers: 'url', environment: hurried.bot }, async (stage) => {
    const { bot, azure } = stage
    await azure.ask('configure', hurried.azure)
    let from = 0
    for (const connections of load) {
      await field.forget()
      const asked = await field.measure(bot, {
        connections: 8,
        said: links,
        from,
        mostTurns: size.presses,
        warmMs: 0,
        runMs: 60_000,
        replies: 'later',
      })
      from = asked.next
      const cards = await cardsOf(field, asked.answered - asked.refused)
      const presses = cards.map(({ activity, conversation, link }): Told => {
        return { is: 'press', verb: 'approve', link, card: activity, conversation }
      })
      await measured(stage, 'approve', {
        connections,
        said: presses,
        from: 0,
        // Each card is pressed once: a tenth of the time has to do.
        warmMs: warmMs / 10,
        runMs,
        holds: 'application/vnd.microsoft.card.adaptive',
        replies: 'answer',
      })
    }
  })
  return { under, callsPerLink }
}

function recordsIn(path: string): number {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return Number(database.prepare('select count(*) as records from links').get()?.records)
  } finally {
    database.close()
  }
}

const cardsWithinMs = 60_000
/** All of them, or those that came in time. */
async function cardsOf(field: Field, count: number) {
  const until = performance.now() + cardsWithinMs
  for (;;) {
    const cards = await field.cards()
    if (cards.length >= count) return cards
    if (performance.now() > until && cards.length > 0) return cards
    if (performance.now() > until) throw new Error(`None of ${count} approval cards came`)
    await pass(100)
  }
}
