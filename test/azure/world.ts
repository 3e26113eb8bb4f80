/** A local Azure and the adapter set against it, as the bot or as somebody else. */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http'
import { type Azure as Sandbox, startAzure } from '../../sandbox/azure/server.ts'
import { createEntra } from '../../sandbox/entra/entra.ts'
import { bot, directory, subscriptions } from '../../sandbox/seed.ts'
import { createAzure } from '../../src/azure/index.ts'
import type { Act, Watch } from '../../src/engine/ports.ts'
import type { Connection, Seen } from '../../src/link/link.ts'

const group = `/subscriptions/${subscriptions.main.id}/resourceGroups/contoso/providers`
export const signalr = `${group}/Microsoft.SignalRService/SignalR/contoso-signalr`
export const vault = `${group}/Microsoft.KeyVault/vaults/contoso-kv`
export const linkName = 'kv-contoso-kv'
export const nonce = '4f7c0e1d2a3b4c5d6e7f8091a2b3c4d5'
export const requestMessage = `please approve [vaultlink ${nonce}]`

export const never = new AbortController().signal

type Line = { readonly level: string; readonly event: string; readonly fields: object | undefined }
type Options = {
  readonly as?: string
  readonly deadlineMs?: number
  readonly now?: () => number
  readonly getToken?: () => Promise<{ token: string; expiresOnTimestamp: number }>
}

const { tokenFor } = createEntra(directory)

/** The adapter against any ARM endpoint. */
export function adapter(endpoint: string, { as = bot.objectId, getToken, ...options }: Options = {}) {
  const lines: Line[] = []
  const hour = 3_600_000
  const credential = {
    getToken:
      getToken ?? (async () => ({ token: await tokenFor(as), expiresOnTimestamp: Date.now() + hour })),
  }
  return {
    ...createAzure({
      endpoint,
      credential,
      log: (level, event, fields) => lines.push({ level, event, fields }),
      ...options,
    }),
    lines,
  }
}

const open: (() => Promise<void>)[] = []
/** For `afterEach`: whatever a test opened. */
export const closeAll = async (): Promise<void> => {
  await Promise.all(open.splice(0).map((close) => close()))
}

export async function startWorld(
  settings: NonNullable<Parameters<typeof startAzure>[0]> = {},
  options: Options = {},
) {
  const sandbox = await startAzure(settings)
  open.push(() => sandbox.close())
  return { sandbox, ...adapter(sandbox.url, options), calls: () => callsOf(sandbox) }
}

const callsOf = (sandbox: Sandbox) => sandbox.events.filter((event) => event.kind === 'arm')
export const writesOf = (sandbox: Sandbox) => callsOf(sandbox).filter(({ write }) => write)

/** Something that speaks HTTP and is no Azure: a broken one, a proxy, a thief. */
export async function startPeer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, requests }
}

export const put = {
  effect: 'put',
  signalr,
  name: linkName,
  vault,
  requestMessage,
} as const satisfies Act
export const watch = (more: Partial<Watch> = {}): Watch => ({
  id: 'one',
  signalr,
  name: linkName,
  vault,
  nonce,
  ...more,
})

type Adapter = ReturnType<typeof adapter>
/** One look that Azure answered. */
export async function see({ azure }: Adapter, more: Partial<Watch> = {}): Promise<Seen> {
  const entry = (await azure.observe([watch(more)], never)).get(more.id ?? 'one')
  if (!entry || 'failed' in entry) throw new Error(`No picture: ${JSON.stringify(entry)}`)
  return entry
}

/** The link is made and its connection is on the vault. */
export async function provisioned(world: Adapter & { readonly sandbox: Sandbox }): Promise<Connection> {
  const done = await world.azure.perform(put, never)
  if (done.is !== 'done') throw new Error(`The PUT failed: ${done.log}`)
  world.sandbox.turn(65_000)
  const { connections } = await see(world)
  const [one] = connections.is === 'present' ? connections.value : []
  if (!one) throw new Error(`No connection of ours: ${JSON.stringify(connections)}`)
  return one
}

/** `writeHead`, and the response again: restify, loaded by another suite of this process, makes it return nothing. */
export function headed(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders = {},
): ServerResponse {
  response.writeHead(status, headers)
  return response
}
