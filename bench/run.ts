/**
 * `npm run bench`: Vaultlink beside its peers, in one interleaved run of fresh processes, and what else it promises.
 * Prints, writes `bench/results.md`, asserts nothing. `--quick` takes about a minute, and leaves the file as it is.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureAlone } from './alone.ts'
import { compare, type Size } from './compare.ts'
import { openField } from './load/measure.ts'
import { resultsOf } from './results.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    /** The comparison alone. */
    compare: { type: 'boolean', default: false },
  },
})
const { quick } = values
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

await installPeers()
const field = await openField()
const began = performance.now()
try {
  const compared = await compare(field, size, say)
  const alone = values.compare ? undefined : await measureAlone(quick ? 200 : 1_000)
  const minutes = (performance.now() - began) / 60_000
  const results = resultsOf({ size, compared, alone, minutes })
  console.log(results)
  if (!quick && !values.compare)
    await writeFile(fileURLToPath(new URL('results.md', import.meta.url)), results)
} finally {
  await field.close()
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
