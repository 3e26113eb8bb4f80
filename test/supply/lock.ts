/** The packages of package-lock.json, as npm will install them. */
import { readFileSync } from 'node:fs'

type Locked = {
  readonly version: string
  readonly name?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly integrity?: string
  readonly hasInstallScript?: boolean
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as T

export const project = read<{
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly overrides: Readonly<Record<string, unknown>>
  readonly allowScripts: Readonly<Record<string, boolean>>
}>('package.json')

export const lock: readonly (Locked & { readonly name: string; readonly path: string })[] = Object.entries(
  read<{ readonly packages: Readonly<Record<string, Locked>> }>('package-lock.json').packages,
).flatMap(([path, one]) =>
  path === '' ? [] : [{ ...one, path, name: one.name ?? path.replace(/^.*node_modules\//, '') }],
)
