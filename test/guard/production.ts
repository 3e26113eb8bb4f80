/** The bot as production runs it: it asks everybody for a token and gets one of its own, from a local Teams that signs. */
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Azure, startAzure } from '../../sandbox/azure/server.ts'
import { type BotProcess, startBot } from '../../sandbox/botProcess.ts'
import { bot as identity, tenantId } from '../../sandbox/seed.ts'
import type { Activity } from '../../sandbox/teams/face.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { hurried } from '../../sandbox/world.ts'

/** Whether this is `npm run figures`: then with the large numbers, and they are said. */
export const large = process.env.VAULTLINK_FIGURES === '1'
export function figure(line: string): void {
  if (large) process.stdout.write(`figure: ${line}\n`)
}

export const secret = 'f0rty-two~canaries'

export type Production = {
  readonly azure: Azure
  readonly teams: Teams
  readonly bot: () => BotProcess
  readonly database: string
  /** Every file of the bot's: its store, and what it would put where temporary files go. What Node keeps compiled is not its own. */
  files(): Promise<readonly string[]>
  /** Resolves once the bot's log holds such an event. */
  logged(event: RegExp): Promise<void>
  /** Time passes, for everybody. */
  passes(ms: number): Promise<void>
  /** Starts the bot anew, on the same store. */
  restart(more?: Readonly<Record<string, string>>): Promise<void>
  /** What Teams would deliver of these acts; nobody hears of them. */
  overhears(act: () => Promise<unknown>): Promise<readonly Activity[]>
  close(): Promise<void>
}

type Environment = Readonly<Record<string, string>>

export async function startProduction(
  more: Environment | ((azure: Azure) => Environment) = {},
): Promise<Production> {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-production-'))
  const temporary = join(folder, 'temporary')
  await mkdir(temporary)
  const [azure, teams] = await Promise.all([
    startAzure({ ...hurried.azure, throttle: false }),
    startTeams({ signed: true, secret, throttle: false }),
  ])
  const database = join(folder, 'vaultlink.db')
  let offset = 0
  const environment = (): Record<string, string> => ({
    ...hurried.bot,
    VAULTLINK_MODE: 'sandbox',
    VAULTLINK_CLOCK_OFFSET_MS: String(offset),
    PORT: '0',
    ARM_ENDPOINT: azure.url,
    AZURE_CLIENT_ID: identity.appId,
    ...azure.identity.environment,
    DATABASE_URL: database,
    MicrosoftAppId: identity.appId,
    MicrosoftAppTenantId: tenantId,
    MicrosoftAppType: 'SingleTenant',
    MicrosoftAppPassword: secret,
    BOT_OPENID_METADATA_URL: teams.openIdUrl,
    BOT_TOKEN_ISSUER: 'https://api.botframework.com',
    BOT_AUTHORITY: teams.identity?.authority ?? '',
    BOT_SCOPE: 'https://api.botframework.com',
    BOT_SERVICE_HOSTS: teams.host,
    NODE_EXTRA_CA_CERTS: teams.identity?.caFile ?? '',
    TMPDIR: temporary,
    ...(typeof more === 'function' ? more(azure) : more),
  })
  const watching = new Set<() => void>()
  const begin = (changed: Readonly<Record<string, string>> = {}): Promise<BotProcess> =>
    startBot({ ...environment(), ...changed }, () => {
      for (const look of watching) look()
    })
  let bot = await begin()
  const connect = (): void => teams.connect(`${bot.url}/api/messages`)
  connect()
  return {
    azure,
    teams,
    bot: () => bot,
    database,
    files: async () =>
      (await readdir(folder, { recursive: true })).filter((file) => !file.includes('node-compile-cache')),
    logged: (event) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!bot.log.some((line) => event.test(line.event))) return
          watching.delete(look)
          resolve()
        }
        watching.add(look)
        look()
      }),
    async passes(ms) {
      offset += ms
      azure.turn(ms)
      teams.turn(ms)
      await bot.turn(ms)
    },
    async restart(changed = {}) {
      await bot.stop()
      bot = await begin(changed)
      connect()
    },
    async overhears(act) {
      const heard: Activity[] = []
      const server = createServer((request, response) => {
        body(request).then(
          (text) => {
            heard.push(JSON.parse(text))
            response.end('{}')
          },
          () => response.destroy(),
        )
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      teams.connect(`http://127.0.0.1:${port}/`)
      try {
        await act()
      } finally {
        connect()
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
      return heard
    },
    async close() {
      await bot.kill()
      await Promise.all([azure.close(), teams.close()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Resident memory now, and the most it ever was, in MB. */
export type Memory = { readonly now: number; readonly most: number }

/** Undefined where the kernel does not say. */
export async function memoryOf(pid: number): Promise<Memory | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  const [now, most] = [read('VmRSS'), read('VmHWM')]
  return Number.isNaN(now) || Number.isNaN(most) ? undefined : { now, most }
}

/** How much of a processor it has spent so far (proc(5): fields 14 and 15, in hundredths of a second); or not a number. */
export async function processorMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? Number.NaN) + Number(fields[12] ?? Number.NaN)) * 10
}
