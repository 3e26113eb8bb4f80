import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Field } from './load/measure.ts'

/** What a bot writes goes to a folder of its own, with the authority that it has to trust; it is gone afterwards. */
export async function inFolder<T>(field: Field, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-bench-'))
  try {
    await writeFile(join(folder, 'ca.pem'), field.ground.ca)
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
