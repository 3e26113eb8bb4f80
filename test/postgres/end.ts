/** After all tests: the server is told to go, and is gone. */
import { once } from 'node:events'
import { keeping } from './keeping.ts'

export default async function end(): Promise<void> {
  const { child } = keeping
  if (!child || child.exitCode !== null) return
  child.stdin?.end()
  await once(child, 'exit')
}
