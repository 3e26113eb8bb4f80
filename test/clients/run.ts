/**
 * `npm run test:clients`: Microsoft's own clients, which know nothing of us, against the local Azure over TLS. Installs
 * nothing; what a client needs and is not there is said, and is no success.
 */
import { startAzure } from '../../sandbox/azure/server.ts'
import { beginConformity } from '../conformityOfRun.ts'
import { azureCliVersion, runAzureCli } from './azureCli.ts'
import { runJavascript } from './javascript.ts'
import { pythonVersion, runPython } from './python.ts'
import type { Step } from './record.ts'
import { table } from './table.ts'

const steps: Step[] = []
const missing: string[] = []

const onStep = (step: Step): void => {
  steps.push(step)
  process.stderr.write(step.passed ? '.' : '✗')
}

/** Azure's minutes in seconds, so that every client polls a few times and nobody waits long. */
const pace = {
  provisioningMs: 1_500,
  appearsMs: 200,
  settlesMs: 1_500,
  propagatesMs: 1_500,
  deletingMs: 1_000,
  purgingMs: 1_000,
  registeringMs: 500,
  throttle: false,
}

async function withAzure(
  play: (azure: Awaited<ReturnType<typeof startAzure>>) => Promise<void>,
): Promise<void> {
  const azure = await startAzure({ ...pace, tlsPort: 0 })
  try {
    await play(azure)
  } catch (error) {
    // A step that the next ones need did not come about: the rest of this client is not played.
    onStep({ client: '', command: 'the rest', requests: [], outcome: String(error), passed: false })
  } finally {
    await azure.close()
  }
}

const endConformity = beginConformity()
const cli = await azureCliVersion()
const python = await pythonVersion()
await withAzure((azure) => runJavascript(azure, onStep))
if (python === undefined)
  missing.push('azure-mgmt-signalr and azure-mgmt-keyvault for Python (Debian: apt-get install azure-cli)')
else await withAzure((azure) => runPython(azure, python, onStep))
if (cli === undefined) missing.push('the Azure CLI (Debian: apt-get install azure-cli)')
else await withAzure((azure) => runAzureCli(azure, cli, onStep))

const failed = steps.filter((step) => !step.passed)
console.log(table(steps))
console.log(`\n${steps.length - failed.length} of ${steps.length} steps passed`)
for (const one of missing) console.log(`missing: ${one}`)
const { deviations, misfits, line } = endConformity()
for (const one of [...misfits, ...deviations, line]) console.log(one)
process.exitCode = failed.length > 0 || deviations.length > 0 || steps.length === 0 ? 1 : 0
