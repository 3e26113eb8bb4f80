// Writes what production is made of, as CycloneDX: npm run sbom [-- <file>]
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

type Project = { readonly name: string; readonly devDependencies?: unknown }
type Lock = {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devDependencies?: unknown }>>
}

/**
 * The bill of materials by `npm sbom`, read off the lock. Its own `--omit dev` leaves out whatever a development
 * dependency reaches as well (npm 11: 39 packages here, uuid among them), so it gets a lock without those.
 */
export async function billOfMaterials(): Promise<string> {
  const read = async <T>(name: string): Promise<T> =>
    JSON.parse(await readFile(new URL(`../${name}`, import.meta.url), 'utf8'))
  const { devDependencies: _development, ...project } = await read<Project>('package.json')
  const lock = await read<Lock>('package-lock.json')
  const packages = Object.entries(lock.packages).flatMap(([path, { devDependencies: _none, ...one }]) =>
    one.dev ? [] : [[path, one] as const],
  )
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-sbom-'))
  try {
    // npm names the whole after its folder.
    const place = join(folder, project.name)
    await mkdir(place)
    await writeFile(join(place, 'package.json'), JSON.stringify(project))
    await writeFile(
      join(place, 'package-lock.json'),
      JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }),
    )
    const { stdout } = await promisify(execFile)(
      'npm',
      ['sbom', '--package-lock-only', '--sbom-format=cyclonedx', '--sbom-type=application'],
      { cwd: place, maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32' },
    )
    return stdout
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const file = process.argv[2] ?? 'dist/sbom.cdx.json'
  const text = await billOfMaterials()
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
  const { components } = JSON.parse(text) as { readonly components: readonly unknown[] }
  console.log(`${file}: ${components.length} packages that production is made of, as CycloneDX`)
}
