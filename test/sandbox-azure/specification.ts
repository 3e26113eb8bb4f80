import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, test } from '@jest/globals'

/** Where Microsoft's files are, and a test that needs them. */
export const openapi = process.env.SANDBOX_OPENAPI
export const conform = openapi ? test : test.skip
export const because = openapi ? '' : ' [needs the OpenAPI files in ../shared/azure/openapi]'

const made: string[] = []
afterAll(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))))

/** A folder with these files in it, until the test file ends. */
export async function folderWith(files: Readonly<Record<string, unknown>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-openapi-'))
  made.push(folder)
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), JSON.stringify(content))
  }
  return folder
}

/** An OpenAPI file with these operations, by `method path`. */
export const specification = (
  operations: Readonly<Record<string, object>>,
  definitions: object = {},
  version = '2024-03-01',
): object => {
  const paths: Record<string, Record<string, object>> = {}
  for (const [key, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = key.split(' ')
    paths[path] = { ...paths[path], [method]: operation }
  }
  return { swagger: '2.0', info: { title: 'Things', version }, paths, definitions }
}
