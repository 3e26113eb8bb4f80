/** `npm run audit` in a process of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export type Ran = { readonly code: number | null; readonly out: string; readonly told: string }

export const program = fileURLToPath(new URL('../../src/audit/start.js', import.meta.url))

/** Runs a program to its end, with this database. */
export async function ran(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Ran> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...environment } })
  const texts = { out: '', told: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.told += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...texts }
}

/** The lines of an export, parsed. */
export const json = (out: string): readonly Record<string, unknown>[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
