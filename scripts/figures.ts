/**
 * `npm run figures`: the same tests with larger counts: every crash moment, a hundred farewells, twenty times the random
 * lives, ten thousand role graphs, as many mutations of the audit log, the whole flood at the door, every naughty string in
 * every field of every place, more clicks delivered again, two hundred requests in one channel, ten thousand links at rest,
 * an attacker at every moment, 300 links by four instances that are killed, every fault on every call. What was counted is
 * printed as `figure: …`. `npm run figures -- test/faults --runs 5000 --seed 7` plays the last alone, with so many pairs and
 * triples of faults, drawn by that seed; `--share 6` no more than a sixth of the single ones.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string' }, seed: { type: 'string' }, share: { type: 'string' } },
})
const all = [
  'test/link/life',
  'test/story/crash',
  'test/story/leaving',
  'test/audit/mutations',
  'test/guard/',
  'test/azure/rights.test',
  'naughty',
  'test/azure/queries',
  'test/story/clicks',
  'test/story/teamsLimits',
  'atRest',
  'test/adversary',
  'test/instances',
  'test/faults',
]
const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url))
const run = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    jest,
    ...(positionals.length > 0 ? positionals : all),
    '--testTimeout=1200000',
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      VAULTLINK_FIGURES: '1',
      ...(values.runs !== undefined && { VAULTLINK_FAULT_RUNS: values.runs }),
      ...(values.share !== undefined && { VAULTLINK_FAULT_SHARE: values.share }),
      ...(values.seed !== undefined && { VAULTLINK_FAULT_SEED: values.seed }),
    },
  },
)
run.on('exit', (code) => {
  process.exitCode = code ?? 1
})
