// Writes the zip that Teams takes: npm run package -- --app-id <GUID> --domain <host>
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { AppManifestUtils, type TeamsManifestLatest } from '@microsoft/app-manifest'
import { zipSync } from 'fflate'
import { applicationIdUri } from '../src/config.ts'

const source = new URL('../appPackage/', import.meta.url)

const usage =
  'npm run package -- --app-id <GUID> --domain <host> [--out <file.zip>] [--version <x.y.z>] ' +
  '[--website <https URL>] [--privacy <https URL>] [--terms <https URL>] ' +
  '[--approver-app-id <GUID> [--approver-app-uri <api://…>]]'

/** What a package is made for. The pages are the publisher's; Teams shows them before somebody adds the app. */
type Wanted = {
  readonly appId: string
  readonly domain: string
  readonly version: string
  readonly website: string
  readonly privacy: string
  readonly terms: string
  /** Where owners decide as themselves: the application that Teams signs them in to, as `APPROVER_APP_*` has it. */
  readonly approver?: { readonly id: string; readonly resource: string }
}
type Arguments =
  | { readonly is: 'wanted'; readonly wanted: Wanted; readonly out: string }
  | { readonly is: 'help' }
  | { readonly is: 'problems'; readonly sentences: readonly string[] }

const names = [
  'app-id',
  'domain',
  'out',
  'version',
  'website',
  'privacy',
  'terms',
  'approver-app-id',
  'approver-app-uri',
] as const
type Name = (typeof names)[number]
const isName = (text: string): text is Name => names.some((name) => name === text)

const exampleId = '8f3b1c52-0d6e-4a97-9c41-2e7d5a60b913'
const guid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
// Teams takes MAJOR.MINOR.PATCH alone: it refuses semver's pre-releases (OfficeDev/microsoft-teams-app-schema#174).
const release = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)$/
const hostName = /^(?=.{1,253}$)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z][a-z0-9-]{0,62}(?<!-)$/

/** The command line, read: what is wanted, or a sentence for each thing that is wrong. */
export function readArguments(argv: readonly string[], ownVersion: string): Arguments {
  const given = new Map<Name, string>()
  const misplaced: string[] = []
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
  })
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') misplaced.push(`"${token.value}" stands alone. Write: ${usage}`)
    else if (token.name === 'help' || token.name === 'h') return { is: 'help' }
    else if (!isName(token.name)) misplaced.push(`${token.rawName} is not known. Write: ${usage}`)
    else if (token.value === undefined || token.value === '' || token.value.startsWith('--')) {
      misplaced.push(`${token.rawName} has no value. Write: ${usage}`)
    } else if (given.has(token.name)) misplaced.push(`${token.rawName} is there twice. Write it once.`)
    else given.set(token.name, token.value)
  }
  // What follows a misplaced word is read askew: the first is the one to mend.
  return misplaced.length > 0
    ? { is: 'problems', sentences: misplaced.slice(0, 1) }
    : readValues(given, ownVersion)
}

function readValues(given: ReadonlyMap<Name, string>, ownVersion: string): Arguments {
  const sentences: string[] = []
  const appId = (given.get('app-id') ?? '').toLowerCase()
  if (!guid.test(appId)) {
    const what = appId === '' ? '--app-id is missing' : `--app-id "${appId}" is no GUID`
    sentences.push(`${what}. Write the bot's Microsoft App ID, such as --app-id ${exampleId}`)
  }
  const domain = (given.get('domain') ?? '').toLowerCase()
  if (!hostName.test(domain)) {
    const what = domain === '' ? '--domain is missing' : `--domain "${domain}" is no public host name`
    sentences.push(`${what}. Write the host alone, no https://, port or path: --domain ${hostIn(domain)}`)
  }
  const version = given.get('version') ?? ownVersion
  if (!release.test(version)) {
    sentences.push(`--version "${version}" is not x.y.z. Write three numbers, such as --version 1.2.0`)
  }
  const page = (name: 'website' | 'privacy' | 'terms', path: string) => {
    const text = given.get(name) ?? `https://${domain}${path}`
    const url = URL.parse(text)
    if (url?.protocol === 'https:') return url.href
    // Without a domain there is no usual page either, and that is said already.
    if (given.has(name)) {
      sentences.push(`--${name} "${text}" is no https address. Write --${name} https://contoso.com${path}`)
    }
    return ''
  }
  const [website, privacy, terms] = [
    page('website', '/'),
    page('privacy', '/privacy'),
    page('terms', '/terms'),
  ]
  const approver = readApprover(given, appId, sentences)
  const out = given.get('out') ?? `dist/vaultlink-${version}.zip`
  if (!out.endsWith('.zip'))
    sentences.push(`--out "${out}" is no zip file. Write --out ${join(out, 'vaultlink.zip')}`)
  if (sentences.length > 0) return { is: 'problems', sentences }
  const wanted = { appId, domain, version, website, privacy, terms, ...(approver && { approver }) }
  return { is: 'wanted', wanted, out }
}

function readApprover(
  given: ReadonlyMap<Name, string>,
  appId: string,
  sentences: string[],
): Wanted['approver'] {
  const id = given.get('approver-app-id')?.toLowerCase()
  const uri = given.get('approver-app-uri')
  if (id === undefined) {
    if (uri !== undefined)
      sentences.push('--approver-app-uri stands without --approver-app-id. Write both, or neither')
    return undefined
  }
  if (!guid.test(id))
    sentences.push(
      `--approver-app-id "${id}" is no GUID. Write the app registration's id, such as --approver-app-id ${exampleId}`,
    )
  const resource = uri ?? `api://botid-${appId}`
  if (!applicationIdUri.test(resource))
    sentences.push(
      `--approver-app-uri "${resource}" is no Application ID URI. Write it as in the registration: --approver-app-uri api://botid-${exampleId}`,
    )
  return { id, resource }
}

/** The host that somebody may have meant by an address; otherwise an example. */
function hostIn(text: string): string {
  const host = URL.parse(text.includes('://') ? text : `https://${text}`)?.hostname ?? ''
  return hostName.test(host) ? host : 'vaultlink.contoso.com'
}

/** The manifest of appPackage/ with its places filled in. */
export function fillManifest(template: string, wanted: Wanted): TeamsManifestLatest {
  const values: Readonly<Record<string, string>> = {
    APP_ID: wanted.appId,
    DOMAIN: wanted.domain,
    VERSION: wanted.version,
    WEBSITE_URL: wanted.website,
    PRIVACY_URL: wanted.privacy,
    TERMS_URL: wanted.terms,
  }
  // Filled after parsing, so that no value can end its own string.
  const filled: TeamsManifestLatest = JSON.parse(template, (_key, value: unknown) => {
    if (typeof value !== 'string') return value
    return value.replaceAll(/\{\{(\w*)\}\}/g, (place, name: string) => {
      const written = values[name]
      if (written === undefined) throw new Error(`manifest.json has a place ${place} that nothing fills`)
      return written
    })
  })
  return { ...filled, ...(wanted.approver && { webApplicationInfo: wanted.approver }) }
}

/** The files of the package, as they lie at the root of the zip. Rejects when Microsoft's schema refuses the manifest. */
async function packageFiles(wanted: Wanted): Promise<Record<string, Uint8Array>> {
  const read = (name: string) => readFile(new URL(name, source))
  const manifest = fillManifest((await read('manifest.json')).toString('utf8'), wanted)
  const refused = await AppManifestUtils.validateAgainstSchema(manifest)
  if (refused.length > 0) throw new Error(`the manifest breaks Microsoft's schema: ${refused.join('; ')}`)
  return {
    'manifest.json': Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`),
    'color.png': await read('color.png'),
    'outline.png': await read('outline.png'),
  }
}

/** A zip of the files. The same files give the same bytes: the time in it is fixed, at the first that a zip can say. */
const zip = (files: Record<string, Uint8Array>): Uint8Array =>
  zipSync(files, { level: 9, mtime: new Date(1980, 0, 1) })

async function main(argv: readonly string[]): Promise<number> {
  const project: { version: string } = JSON.parse(
    await readFile(new URL('../package.json', import.meta.url), 'utf8'),
  )
  const read = readArguments(argv, project.version)
  switch (read.is) {
    case 'help':
      console.log(usage)
      return 0
    case 'problems':
      for (const sentence of read.sentences) console.error(sentence)
      return 2
    case 'wanted': {
      const bytes = zip(await packageFiles(read.wanted))
      await mkdir(dirname(read.out), { recursive: true })
      await writeFile(read.out, bytes)
      console.log(
        `${read.out}: Vaultlink ${read.wanted.version} for https://${read.wanted.domain}, ${bytes.length} bytes. ` +
          'Upload it in Teams: Apps, Manage your apps, Upload an app.',
      )
      return 0
    }
    default:
      return read satisfies never
  }
}

if (import.meta.main) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    console.error(`No package was written: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  }
}
