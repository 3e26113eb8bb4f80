/** The bots that are measured, each a process that is started anew: the peers, stock, and Vaultlink. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bot as identity, tenantId } from '../sandbox/seed.ts'
import type { Ground } from './load/connectorProcess.ts'

export const peers = ['bare', 'botbuilder', 'agentsHosting', 'teamsApps'] as const
export type Peer = (typeof peers)[number]
export const titles: Readonly<Record<Peer | 'vaultlink', string>> = {
  bare: 'bare `node:http`',
  botbuilder: 'botbuilder + restify, stock',
  agentsHosting: '@microsoft/agents-hosting',
  teamsApps: '@microsoft/teams.apps',
  vaultlink: 'Vaultlink',
}

export type Running = {
  readonly pid: number
  readonly port: number
  /** When it was spawned, by `performance.now()`. */
  readonly spawned: number
  /** What it wrote so far. */
  output(): Promise<string>
  stop(): Promise<void>
}
type Environment = Readonly<Record<string, string>>

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const peerFile = (peer: Peer): string => here(`peers/${peer}.js`)
/** As `npm start` runs it, and as the README says to run what `npm run build` makes. */
export const asStarted = ['--expose-gc', '--max-semi-space-size=8', '--max-old-space-size=512']
const asShipped = {
  node: ['--expose-gc', '--max-semi-space-size=16', '--max-old-space-size=512'],
  environment: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' },
}
/** What `npm run build` makes, where it was run. */
export const shippedFile = here('../dist/start.js')
export const isShipped = existsSync(shippedFile)

export function startPeer(peer: Peer, ground: Ground, folder: string): Promise<Running> {
  const authority = `https://127.0.0.1:${ground.identityPort}`
  const bare: Environment = {
    OPENID_URL: `${authority}/v1/.well-known/openidconfiguration`,
    AUTHORITY: `${authority}/${tenantId}`,
  }
  const stock: Environment = {
    BENCH_IDENTITY_PORT: String(ground.identityPort),
    // The Agents SDK's own names.
    tenantId,
    clientId: identity.appId,
    clientSecret: identity.secret,
  }
  return start({
    args: peer === 'bare' ? [peerFile(peer)] : ['--import', here('peers/leadsHere.js'), peerFile(peer)],
    environment: {
      APP_ID: identity.appId,
      APP_SECRET: identity.secret,
      TENANT_ID: tenantId,
      NODE_ENV: 'production',
      ...(peer === 'bare' ? bare : stock),
    },
    folder,
    name: peer,
  })
}

/**
 * Vaultlink with every check of production's: it is told who it is, so it asks everybody for a token and gets one of its
 * own. Only that the identity server, the connector and Azure are on this machine needs sandbox mode.
 */
export function startVaultlink(
  ground: Ground,
  folder: string,
  options: {
    readonly shipped?: boolean
    readonly environment?: Environment
    /** Arguments for Node, as `--cpu-prof`. */
    readonly node?: readonly string[]
  } = {},
): Promise<Running> {
  const authority = `https://127.0.0.1:${ground.identityPort}`
  const file = options.shipped ? shippedFile : here('../src/start.js')
  return start({
    args: [...(options.shipped ? asShipped.node : asStarted), ...(options.node ?? []), file],
    environment: {
      VAULTLINK_MODE: 'sandbox',
      PROBE_PORT: '0',
      ARM_ENDPOINT: 'http://127.0.0.1:9',
      AZURE_CLIENT_ID: identity.appId,
      DATABASE_URL: join(folder, 'vaultlink.db'),
      MicrosoftAppId: identity.appId,
      MicrosoftAppTenantId: tenantId,
      MicrosoftAppType: 'SingleTenant',
      MicrosoftAppPassword: identity.secret,
      BOT_OPENID_METADATA_URL: `${authority}/v1/.well-known/openidconfiguration`,
      BOT_TOKEN_ISSUER: 'https://api.botframework.com',
      BOT_AUTHORITY: `${authority}/${tenantId}`,
      BOT_SCOPE: 'https://api.botframework.com',
      BOT_SERVICE_HOSTS: ground.host,
      ...(options.shipped && asShipped.environment),
      ...options.environment,
    },
    folder,
    name: 'vaultlink',
  })
}

async function start(how: {
  readonly args: readonly string[]
  readonly environment: Environment
  readonly folder: string
  readonly name: string
}): Promise<Running> {
  const port = await freePort()
  const output = join(how.folder, `${how.name}.log`)
  const file = await open(output, 'a')
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env
  const spawned = performance.now()
  const child = spawn(process.execPath, how.args, {
    cwd: how.folder,
    env: {
      PATH,
      HOME,
      ...(TMPDIR !== '' && { TMPDIR }),
      PORT: String(port),
      NODE_EXTRA_CA_CERTS: join(how.folder, 'ca.pem'),
      ...how.environment,
    },
    stdio: ['ignore', file.fd, file.fd],
  })
  running.add(child)
  const ended = once(child, 'exit').then(() => running.delete(child))
  await file.close()
  return {
    pid: child.pid ?? 0,
    port,
    spawned,
    output: () => readFile(output, 'utf8'),
    async stop() {
      child.kill('SIGTERM')
      const cut = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(cut)
    },
  }
}

/** Whatever happens, nothing is left behind. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
