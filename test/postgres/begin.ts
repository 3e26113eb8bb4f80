/** Before all tests: somebody who has a PostgreSQL server for whoever asks. Costs next to nothing until then. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { keeping } from './keeping.ts'

const keeper = fileURLToPath(new URL('./keeper.ts', import.meta.url))

export default async function begin(): Promise<void> {
  const child = spawn(process.execPath, [keeper], {
    // Whatever kills the whole run at once leaves it the moment it needs to stop the server.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  process.env.VAULTLINK_TEST_POSTGRES = String(line).trim()
  keeping.child = child
}
