/**
 * `npm run test:crash -- --runs 1000 --seed 7`: that many lives of a request, cut once or twice at moments drawn by the
 * seed, and a table of how often the bot died where. Ends with 1 when a law was broken or a moment never came.
 */
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Flaw, flawsOf } from './crashLaws.ts'
import { live, type Moment } from './crashLives.ts'
import { all, drawn } from './crashPoints.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    /** Lives at a time: they mostly wait. */
    beside: { type: 'string', default: '3' },
  },
})
const [runs, seed, beside] = [Number(values.runs), Number(values.seed), Number(values.beside)]
console.log(`seed ${seed}; repeat with: npm run test:crash -- --runs ${runs} --seed ${seed}`)

const deathsAt = new Map<string, number>()
const found = { lost: 0, twice: 0, wrongEnd: 0, other: 0 } satisfies Record<Flaw['kind'], number>
const doubled = { status: 0, approval: 0, replies: 0 }
let deaths = 0
let broken = 0
let done = 0

/** Longer than any life takes, on a busy machine. */
async function tooLong(): Promise<never> {
  await setTimeout(180_000, undefined, { ref: false })
  throw new Error('It came to no end in three minutes')
}

async function run(moment: Moment): Promise<void> {
  let flaws: readonly Flaw[]
  try {
    const lived = await Promise.race([live(moment), tooLong()])
    for (const { lastLine } of lived.deaths) {
      const where = String(lastLine?.moment)
      deathsAt.set(where, (deathsAt.get(where) ?? 0) + 1)
      deaths += 1
    }
    for (const [post, times] of Object.entries(lived.deaths.at(-1)?.unrecorded ?? {}))
      doubled[post === 'status' || post === 'approval' ? post : 'replies'] += times ?? 0
    flaws = flawsOf(moment, lived)
  } catch (error) {
    // A life that came to no end lost its request.
    flaws = [{ kind: 'lost', what: error instanceof Error ? error.message : String(error) }]
  }
  for (const { kind } of flaws) found[kind] += 1
  if (flaws.length > 0) {
    broken += 1
    console.log(`\nbroken: ${JSON.stringify(moment)}`)
    for (const { kind, what } of flaws) console.log(`  ${kind}: ${what.slice(0, 400)}`)
  }
  done += 1
  if (done % 50 === 0) console.log(`${done} of ${runs} lives, ${deaths} kills, ${broken} broken`)
}

const queue = drawn(seed, runs).values()
await Promise.all(
  Array.from({ length: beside }, async () => {
    for (const moment of queue) await run(moment)
  }),
)

const points = [...new Set(all.map(({ at }) => at))].sort()
const most = Math.max(...deathsAt.values())
console.log('\nkilled at, times')
for (const point of points) {
  const times = deathsAt.get(point) ?? 0
  console.log(
    `${point.padEnd(34)} ${String(times).padStart(5)} ${'▇'.repeat(Math.ceil((30 * times) / most))}`,
  )
}
const never = points.filter((point) => !deathsAt.has(point))
console.log(
  [
    '',
    `${runs} lives, ${deaths} kills at ${points.length} moments, ${never.length} of them never reached`,
    `requests lost: ${found.lost}; effects twice: ${found.twice}; wrong ends: ${found.wrongEnd}; other laws broken: ${found.other}`,
    `stand twice, killed between Teams' answer and the commit: ${doubled.status + doubled.approval} cards, ${doubled.replies} replies`,
  ].join('\n'),
)
if (never.length > 0) console.log(`never reached: ${never.join(', ')}`)
process.exitCode = broken > 0 || (runs >= all.length && never.length > 0) ? 1 : 0
