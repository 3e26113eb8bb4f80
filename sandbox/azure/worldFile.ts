import { access, readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Azure } from './azure.ts'
import { parseSeed } from './seedFile.ts'
import type { Seed } from './state.ts'

/** What `--seed` and `--save` do: a world starts from a file, and is kept in one. */

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    (error: unknown) => {
      if (isMissing(error)) return false
      throw error
    },
  )

/** The seed that the options ask for; without `seed` it is empty, so that the world is that of `sandbox/seed.ts`. */
export async function openSeed(options: {
  seed?: string | undefined
  save?: string | undefined
}): Promise<{ seed: Seed } | { problem: string }> {
  const { seed: from, save: to } = options
  const same = from !== undefined && to !== undefined && resolve(from) === resolve(to)
  if (to !== undefined && !same && (await exists(to)))
    return {
      problem: `${to} is there already, and saving would overwrite it.\nTo go on from it: --seed ${to} --save ${to}\nTo begin anew: remove it, or save to another file.`,
    }
  if (from === undefined) return { seed: {} }
  let text: string
  try {
    text = await readFile(from, 'utf8')
  } catch (error) {
    if (same && isMissing(error)) return { seed: {} }
    return { problem: `${from} cannot be read: ${messageOf(error)}` }
  }
  const read = parseSeed(text, Date.now())
  return 'seed' in read ? read : { problem: [`${from} cannot be used:`, ...read.problems].join('\n  ') }
}

// Long enough for a burst of requests to become one write.
const saveAfterMs = 100

/** Keeps the world in the file, from now on until it is closed; each write replaces the file as a whole. */
export async function keepWorld(azure: Azure, path: string): Promise<{ close(): Promise<void> }> {
  let saved = ''
  async function write(): Promise<void> {
    const text = `${JSON.stringify(azure.world(), undefined, 2)}\n`
    if (text === saved) return
    const beside = `${path}.${process.pid}.tmp`
    try {
      await writeFile(beside, text, { flush: true })
      await rename(beside, path)
    } catch (error) {
      throw new Error(`${path} cannot be written: ${messageOf(error)}`, { cause: error })
    }
    saved = text
  }
  await write()
  let last = Promise.resolve()
  const save = (): Promise<void> => {
    last = last.then(write, write)
    return last
  }
  let due: NodeJS.Timeout | undefined
  const stop = azure.onRequest(() => {
    due ??= setTimeout(() => {
      due = undefined
      // The next request tries again.
      save().catch((error: unknown) => console.error(messageOf(error)))
    }, saveAfterMs)
  })
  return {
    async close() {
      stop()
      clearTimeout(due)
      await save()
    },
  }
}
