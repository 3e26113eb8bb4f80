/**
 * `npm run bench:profile -- help|status|link`: where Vaultlink's time goes under 32 connections, by function, by package,
 * and by the project's own functions with all that they call.
 */
import { join } from 'node:path'
import { readProfile, type Share } from './cpuProfile.ts'
import { channels, links, sides, statuses } from './load/activities.ts'
import { help, openField, type Wanted } from './load/measure.ts'
import { withVaultlink } from './stage.ts'

const kinds = ['help', 'status', 'link'] as const
const kind = kinds.find((one) => one === process.argv[2])
if (!kind) {
  console.error(`Say which: ${kinds.join(', ')}`)
  process.exit(1)
}
const [warmMs, runMs] = [3_000, 6_000]
const asked = channels
const base = { connections: 32, warmMs, runMs }
const load: Readonly<Record<(typeof kinds)[number], Wanted>> = {
  help: { ...base, said: help, replies: 'card' },
  status: { ...base, said: statuses.slice(0, asked), replies: 'text' },
  link: { ...base, said: links, from: asked, replies: 'later' },
}

const field = await openField()
try {
  const profile = ['--cpu-prof', '--cpu-prof-dir=profile', '--cpu-prof-interval=500']
  await withVaultlink(field, { answers: 'atOnce', node: profile }, async ({ bot, folder }) => {
    if (kind !== 'help') {
      const all = { connections: 8, said: links, from: 0, mostTurns: Math.max(asked, sides) } as const
      await field.measure(bot, { ...all, replies: 'later', warmMs: 0, runMs: 60_000 })
    }
    const began = performance.now() - bot.spawned
    const { perSecond, cpuMs, p50, p99 } = await field.measure(bot, load[kind])
    await bot.stop()
    const spent = await readProfile(join(folder, 'profile'), began + warmMs, began + warmMs + runMs)
    console.log(
      `${kind}: ${perSecond.toFixed(0)} turns/s, ${cpuMs.toFixed(2)} ms of CPU each, p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms; busy for ${(spent.busy * 100).toFixed(0)} % of the time, of which, in %:`,
    )
    show('by package and folder', spent.areas, 24)
    show('by function', spent.functions, 24)
    show(
      "by the project's functions, with all that they call",
      spent.inclusive.filter(({ what }) => what.includes(' src/')),
      40,
    )
  })
} finally {
  await field.close()
}

function show(title: string, shares: readonly Share[], most: number): void {
  const lines = shares
    .slice(0, most)
    .map(({ what, part }) => `${(part * 100).toFixed(1).padStart(6)}  ${what}`)
  console.log(`\n${title}\n${lines.join('\n')}`)
}
