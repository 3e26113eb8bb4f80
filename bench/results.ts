/** The results as Markdown, with what was promised beside each figure. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import type { Alone } from './alone.ts'
import { isShipped, peers, titles } from './bots.ts'
import { type Bot, bots, type Compared, type Round, type Size } from './compare.ts'
import { type AtScale, workers } from './engine/atScale.ts'
import { pictureName } from './engine/picture.ts'
import { median, ratio } from './figures.ts'
import { bytesEach, channels, loadPeople, tokensUsed } from './load/activities.ts'
import type { Figures } from './load/measure.ts'
import { azureMs, type TurnFigures, type TurnKind, turnKinds } from './turns.ts'

export type Results = {
  readonly size: Size
  readonly compared: Compared | undefined
  readonly alone: Alone | undefined
  readonly atScale: readonly AtScale[] | undefined
  readonly minutes: number
}

type Target = {
  readonly what: string
  readonly promised: string
  readonly got: string
  readonly met: boolean
}

const titleOf = (bot: Bot): string =>
  bot === 'shipped'
    ? 'Vaultlink as shipped'
    : bot === 'vaultlink' && isShipped
      ? 'Vaultlink from source'
      : titles[bot]
const fixed = (value: number, digits = 0): string => (Number.isNaN(value) ? '–' : value.toFixed(digits))
const times = (value: number): string => `${fixed(value, 2)} ×`
const short = (ms: number): string => fixed(ms, ms < 10 ? 1 : 0)

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map((_, column) => (column === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')

export function resultsOf({ size, compared, alone, atScale, minutes }: Results): string {
  const targets = [...(compared ? targetsOf(compared) : []), ...(alone ? targetsAlone(alone) : [])]
  const missed = targets.filter(({ met }) => !met)
  const problems = compared?.problems ?? []
  const parts = [
    '# What was measured',
    `${machine()}. ${size.rounds} rounds in ${fixed(minutes, 0)} minutes; repeat with \`npm run bench\`, in about a minute with \`npm run bench -- --quick\`.`,
    ...(compared
      ? [
          how(size),
          ...size.connections.map((connections) => comparison(compared, connections)),
          '## Turns that read and write',
          turnsTable(compared, size),
          '## Start, memory, and a hundred first turns at once',
          starts(compared),
        ]
      : []),
    ...(targets.length > 0
      ? [
          '## What was promised',
          table(
            ['', 'promised', 'measured', ''],
            targets.map(({ what, promised, got, met }) => [what, promised, got, met ? 'met' : '**not met**']),
          ),
          missed.length === 0 ? 'All of it is met.' : `Not met: ${missed.length} of ${targets.length}.`,
        ]
      : []),
    ...(atScale ? ['## At rest and at scale', scaleTable(atScale)] : []),
    ...(problems.length > 0
      ? ['## What went wrong', problems.map((problem) => `- ${problem}`).join('\n')]
      : []),
  ]
  return `${parts.join('\n\n')}\n`
}

function scaleTable(atScale: readonly AtScale[]): string {
  const rows = atScale.map(({ database, links, look, claimsPerSecond }) => [
    `${links.toLocaleString('en')} on ${database}`,
    fixed(look.ms),
    fixed(look.queries),
    fixed(look.armReadsPerSecond, 2),
    fixed(look.loopDelayP99Ms),
    fixed(look.rssMb),
    workers.map((count) => fixed(claimsPerSecond.get(count) ?? Number.NaN)).join(' / '),
  ])
  const head = [
    'links that wait',
    'ms a look',
    'queries a look',
    'ARM reads/s',
    'event-loop delay p99, ms',
    'MB',
    `claims/s by ${workers.join(' / ')} workers`,
  ]
  return `${table(head, rows)}

A look is at the links of one of five subscriptions together; the engine runs against the local Azure, a process of its own, for twenty minutes of a turned clock. A claim takes one record and gives it back, each with a commit on the disk, by so many processes at once. PostgreSQL runs on the same machine, with its durable settings.

![How they grow](${pictureName})`
}

function machine(): string {
  const [cpu] = cpus()
  const of = (name: string): string => {
    const { version } = JSON.parse(
      readFileSync(new URL(`peers/node_modules/${name}/package.json`, import.meta.url), 'utf8'),
    ) as { version: string }
    return `${name} ${version}`
  }
  const versions = ['botbuilder', 'restify', '@microsoft/agents-hosting', '@microsoft/teams.apps'].map(of)
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB, load average ${fixed(loadavg()[2] ?? 0, 1)}`
  return `${new Date().toISOString().slice(0, 10)} · Node ${process.version} on ${process.platform} · ${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory} · ${versions.join(', ')}`
}

const how = ({ warmMs, runMs }: Size): string =>
  `Every figure is the median over the rounds; every × is the median of the ratios within a round, so what slows the machine down is in both. In each round every bot is a fresh process, alone with the load generator and the connector, which are processes of their own, as are the local identity server and Azure. A turn counts when the connector got its reply and the request was answered with 2xx; what was answered otherwise, or by Vaultlink with an apology, is under *failed*. ${warmMs / 1_000} s of warming up, ${runMs / 1_000} s that count. Activities are ${bytesEach} bytes in Teams' shape, each with its own id and thread, from ${loadPeople.length} people in ${channels} channels, under ${tokensUsed} tokens in turn: but for the first of each, every token has been seen before, for all bots alike. All bots check the tokens: signature, issuer, audience and time, with the keys that the identity server publishes, and get a token of their own there. The peers' settings are stock: the names of Microsoft's identity servers lead to the local one. Bare is the limit: \`node:http\`, which verifies the token, parses the activity and posts the reply over kept connections.`

type Column = (round: Round) => number
const under =
  (connections: number, pick: (figures: Figures) => number): Column =>
  (round) => {
    const figures = round.under.get(connections)
    return figures ? pick(figures) : Number.NaN
  }
const roundsOf = ({ rounds }: Compared, bot: Bot): readonly Round[] =>
  (rounds.get(bot) ?? []).filter((round) => round !== undefined)
const values = ({ rounds }: Compared, bot: Bot, column: Column): readonly number[] =>
  (rounds.get(bot) ?? []).map((round) => (round ? column(round) : Number.NaN))
const middle = (compared: Compared, bot: Bot, column: Column): number => median(values(compared, bot, column))
const beside = (compared: Compared, bot: Bot, other: Bot, column: Column): number =>
  ratio(values(compared, bot, column), values(compared, other, column))

function comparison(compared: Compared, connections: number): string {
  const perSecond = under(connections, (figures) => figures.perSecond)
  const cpu = under(connections, ({ cpuMs }) => cpuMs)
  const of = (bot: Bot, pick: (figures: Figures) => number): number =>
    middle(compared, bot, under(connections, pick))
  const rows = bots.map((bot) => [
    `${titleOf(bot)}${bot === 'vaultlink' || bot === 'shipped' ? ', `help`' : ''}`,
    fixed(middle(compared, bot, perSecond)),
    times(beside(compared, bot, 'bare', perSecond)),
    times(beside(compared, bot, 'botbuilder', perSecond)),
    fixed(middle(compared, bot, cpu), 2),
    times(beside(compared, bot, 'bare', cpu)),
    `${short(of(bot, ({ p50 }) => p50))} / ${short(of(bot, ({ p99 }) => p99))}`,
    fixed(of(bot, ({ failed }) => failed)),
    `${fixed(of(bot, ({ generatorShare }) => generatorShare) * 100)} / ${fixed(of(bot, ({ connectorShare }) => connectorShare) * 100)}`,
  ])
  const head = [
    `${connections} ${connections === 1 ? 'connection' : 'connections'}`,
    'turns/s',
    '× bare',
    '× stock',
    'CPU ms/turn',
    '× bare',
    'p50 / p99 ms',
    'failed',
    'load / connector, % of a core',
  ]
  return `## ${head[0]}\n\n${table(head, rows)}`
}

const turnTitles: Readonly<Record<TurnKind, string>> = {
  link: '`link`',
  linkSlowly: `\`link\`, each of Azure's answers after ${azureMs} ms`,
  status: '`status`',
  approve: 'a press on Approve',
}
const turnValues = (
  { turns }: Compared,
  kind: TurnKind,
  connections: number,
  pick: (figures: TurnFigures) => number,
): readonly number[] =>
  turns.map((round) => {
    const figures = round?.under.get(kind)?.get(connections)
    return figures ? pick(figures) : Number.NaN
  })

function turnsTable(compared: Compared, { connections }: Size): string {
  const rows = turnKinds.flatMap((kind) =>
    [...connections]
      .sort((a, b) => a - b)
      .map((count) => {
        const of = (pick: (figures: TurnFigures) => number) => turnValues(compared, kind, count, pick)
        const one = (pick: (figures: TurnFigures) => number): number => median(of(pick))
        const echoes = values(
          compared,
          'botbuilder',
          under(count, ({ perSecond }) => perSecond),
        )
        return [
          turnTitles[kind],
          String(count),
          fixed(one(({ perSecond }) => perSecond)),
          times(
            ratio(
              of(({ perSecond }) => perSecond),
              echoes,
            ),
          ),
          fixed(
            one(({ cpuMs }) => cpuMs),
            2,
          ),
          `${short(one(({ p50 }) => p50))} / ${short(one(({ p99 }) => p99))}`,
          fixed(one(({ failed }) => failed)),
          fixed(one(({ azureShare }) => azureShare) * 100),
        ]
      }),
  )
  const head = [
    '',
    'connections',
    'turns/s',
    "× stock's echo",
    'CPU ms/turn',
    'p50 / p99 ms',
    'failed',
    'Azure, % of a core',
  ]
  const calls = fixed(
    median(
      compared.turns.map((round) =>
        round ? [...round.callsPerLink.values()].reduce((sum, one) => sum + one, 0) : Number.NaN,
      ),
    ),
    1,
  )
  return `${table(head, rows)}\n\nOn SQLite, every commit on the disk. A link counts when its request was answered, without a word of refusal, and its record is in the store; the worker creates the endpoints meanwhile, and the figures hold what that costs too: ${calls} calls to Azure for each link in all. Azure's reads are answered at once where no time is named, with what the sandbox answered to the same before; for Approve the sandbox answers itself.`
}

const fetched = ({ openId, keys, token }: Round['burst']): string => `${openId} / ${keys} / ${token}`
const most = (rounds: readonly Round[]): Round['burst'] => ({
  openId: Math.max(...rounds.map(({ burst }) => burst.openId)),
  keys: Math.max(...rounds.map(({ burst }) => burst.keys)),
  token: Math.max(...rounds.map(({ burst }) => burst.token)),
})
const loadedMb: Column = ({ under }) => Math.max(...[...under.values()].map(({ rssMb }) => rssMb))

function starts(compared: Compared): string {
  const rows = bots.map((bot) => [
    titleOf(bot),
    `${fixed(middle(compared, bot, ({ coldMs }) => coldMs))}`,
    fixed(middle(compared, bot, ({ idleMb }) => idleMb)),
    fixed(middle(compared, bot, loadedMb)),
    roundsOf(compared, bot).length > 0 ? fetched(most(roundsOf(compared, bot))) : '–',
  ])
  return table(
    [
      '',
      'spawn to first answer, ms',
      'idle, MB',
      'under load, MB',
      'OpenID document / keys / token fetched, at most',
    ],
    rows,
  )
}

function targetsOf(compared: Compared): readonly Target[] {
  const at = 32
  const perSecond = under(at, (figures) => figures.perSecond)
  const cpu = under(at, ({ cpuMs }) => cpuMs)
  const p99 = under(at, (figures) => figures.p99)
  const bot: Bot = isShipped ? 'shipped' : 'vaultlink'
  const least = (what: string, got: number, promised: number): Target => ({
    what,
    promised: `at least ${promised} ×`,
    got: times(got),
    met: got >= promised,
  })
  const atMost = (what: string, got: number, promised: number, unit: string, digits = 0): Target => ({
    what,
    promised: `at most ${promised} ${unit}`,
    got: `${fixed(got, digits)} ${unit}`,
    met: got <= promised,
  })
  const burst = most(roundsOf(compared, bot))
  const slowest = Math.max(
    ...peers.filter((peer) => peer !== 'bare').map((peer) => beside(compared, bot, peer, p99)),
  )
  return [
    least(
      '`help`, 32 connections: turns beside the stock bot',
      beside(compared, bot, 'botbuilder', perSecond),
      2.5,
    ),
    least('turns beside bare', beside(compared, bot, 'bare', perSecond), 0.55),
    atMost('CPU per turn beside bare', beside(compared, bot, 'bare', cpu), 2, '×', 2),
    atMost("p99 beside each peer's, the nearest of them", slowest, 0.5, '×', 2),
    least(
      "`link` with its commit beside the stock bot's echo",
      ratio(
        turnValues(compared, 'link', at, (figures) => figures.perSecond),
        values(compared, 'botbuilder', perSecond),
      ),
      0.5,
    ),
    atMost(
      'memory at rest',
      middle(compared, bot, ({ idleMb }) => idleMb),
      110,
      'MB',
    ),
    atMost('memory under load', middle(compared, bot, loadedMb), 250, 'MB'),
    ...(isShipped
      ? [
          atMost(
            'spawn to first answer, as shipped',
            middle(compared, 'shipped', ({ coldMs }) => coldMs),
            300,
            'ms',
          ),
        ]
      : []),
    atMost(
      'spawn to first answer, from source',
      middle(compared, 'vaultlink', ({ coldMs }) => coldMs),
      700,
      'ms',
    ),
    {
      what: 'fetched for a hundred first turns at once: OpenID document / keys / token',
      promised: '1 / 1 / 1',
      got: fetched(burst),
      met: fetched(burst) === '1 / 1 / 1',
    },
  ]
}

function targetsAlone({ guard, cards, hungAzureMs, demo }: Alone): readonly Target[] {
  return [
    ...cards.map(({ what, firstMs, ms }) => ({
      what: `drawing the ${what} card`,
      promised: 'at most 0.5 ms',
      got: `${fixed(ms, 3)} ms; the first of a process ${short(firstMs)} ms`,
      met: ms <= 0.5,
    })),
    ...guard.map(({ what, ms, bareMs }) => ({
      what: `the guard, of those it lets in: ${what}`,
      promised: 'under 1 ms',
      got: `${fixed(ms, 3)} ms, ${times(ms / bareMs)} a bare signature check`,
      met: ms < 1,
    })),
    {
      what: '`link` while Azure is silent: answered after',
      promised: 'under 4,000 ms',
      got: `${fixed(hungAzureMs)} ms`,
      met: hungAzureMs < 4_000,
    },
    {
      what: '`npm run demo`',
      promised: 'under 15 s',
      got: `${fixed(demo.ms / 1_000, 1)} s`,
      met: demo.code === 0 && demo.ms < 15_000,
    },
  ]
}
