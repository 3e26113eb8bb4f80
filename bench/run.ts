/**
 * `npm run bench`: Vaultlink beside its peers, in one interleaved run of fresh processes, and what else it promises.
 * Prints, writes `bench/results.md`, asserts nothing. `--quick` takes about a minute, without
 * the engine; `--only bots`, `alone` or `engine` measures a part. Both leave the file as it is.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureAlone } from './alone.ts'
import { type Compared, compare, type Size } from './compare.ts'
import { measureAtScale } from './engine/atScale.ts'
import { pictureName, pictureOf } from './engine/picture.ts'
import { openField } from './load/measure.ts'
import { resultsOf } from './results.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    /** A part alone. */
    only: { type: 'string' },
  },
})
const { quick } = values
const parts = ['bots', 'alone', 'engine'] as const
const wanted = parts.filter((part) =>
  values.only === undefined ? !(quick && part === 'engine') : part === values.only,
)
if (wanted.length === 0) throw new Error(`--only takes one of ${parts.join(', ')}`)
const does = (part: (typeof parts)[number]): boolean => wanted.includes(part)
const size: Size = {
  rounds: Number(values.rounds ?? (quick ? 2 : 5)),
  connections: quick ? [32] : [32, 1, 256],
  warmMs: quick ? 700 : 2_000,
  runMs: quick ? 1_000 : 3_000,
  presses: quick ? 60 : 300,
  turnRounds: quick ? 1 : Number.POSITIVE_INFINITY,
}
const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

// Then the bots' own end is heard of, and nothing is left behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

await installPeers()
const began = performance.now()
const compared = does('bots') ? await compareAll() : undefined
const alone = does('alone') ? await measureAlone(quick ? 200 : 1_000) : undefined
const atScale = does('engine') ? await measureAtScale(Math.min(size.rounds, 3), say) : undefined
const minutes = (performance.now() - began) / 60_000
const results = resultsOf({ size, compared, alone, atScale, minutes })
console.log(results)
// What is a part, or in a hurry, is not what stands there.
if (wanted.length === parts.length) {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  await writeFile(here('results.md'), results)
  if (atScale) await writeFile(here(pictureName), pictureOf(atScale))
}

async function compareAll(): Promise<Compared> {
  const field = await openField()
  try {
    return await compare(field, size, say)
  } finally {
    await field.close()
  }
}

/** They are no dependencies of the project's, so they are installed where they are needed. */
async function installPeers(): Promise<void> {
  const folder = fileURLToPath(new URL('peers', import.meta.url))
  if (existsSync(`${folder}/node_modules`)) return
  say('Installing the peers')
  const npm = spawn('npm', ['ci', '--ignore-scripts'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  const [code] = await once(npm, 'exit')
  if (code !== 0) throw new Error('The peers could not be installed')
}
