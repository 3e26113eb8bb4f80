/** The bot behind its real adapter and server, the local Teams around it, and a desk that answers as it is told. */

import { tenantId } from '../../sandbox/seed.ts'
import { startTeams, type Teams, type TeamsOptions } from '../../sandbox/teams/server.ts'
import { teamsToken } from '../../src/azure/credential.ts'
import type { Config } from '../../src/config.ts'
import type { Desk, KnownConversation, Log, Person, Traffic } from '../../src/engine/ports.ts'
import type { Link, Place } from '../../src/link/link.ts'
import { errorFields } from '../../src/log.ts'
import { createAdapter } from '../../src/teams/adapter.ts'
import { createBot } from '../../src/teams/bot.ts'
import { createConnector } from '../../src/teams/connector.ts'
import { createGuard } from '../../src/teams/guard.ts'
import { createSigningKeys } from '../../src/teams/keys.ts'
import { createServer, type Server, type ServerOptions } from '../../src/teams/server.ts'
import { createServiceList } from '../../src/teams/services.ts'
import { createTokenCheck } from '../../src/teams/token.ts'
import { en } from '../../src/teams/words/en.ts'

type Line = {
  readonly level: string
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}
/** Who the bot is, as the settings say it. */
export type Identity = Partial<Config['bot']>
type Call = { readonly method: keyof Desk; readonly asked: unknown }

export type Stage = {
  readonly teams: Teams
  readonly server: Server
  readonly log: readonly Line[]
  /** Resolves once the log has this event so many times. */
  logged(event: string, times?: number): Promise<void>
  readonly calls: readonly Call[]
  /** What the door counted, in order: `answered`, `failed`, or why somebody was turned away. */
  readonly counted: readonly string[]
  /** Conversations that the bot has learned. */
  readonly known: Map<string, KnownConversation>
  /** From now on the desk answers so. */
  answers(over: Partial<Desk>): void
  close(): Promise<void>
}

const usual = { usualProvisioningMs: 900_000, usualPropagatingMs: 1_800_000 }
export const asker: Person = {
  objectId: 'a0000000-0000-4000-8000-000000000001',
  teamsId: '29:1',
  name: 'Riley Park',
  tenant: tenantId,
}

export async function startStage(
  options: {
    readonly teams?: TeamsOptions
    readonly identity?: (teams: Teams) => Identity
    readonly server?: Partial<ServerOptions>
    readonly deadlineMs?: number
    readonly now?: () => number
    readonly traffic?: Traffic
    /** Absent: the local Teams' own. */
    readonly serviceHosts?: readonly string[]
  } = {},
): Promise<Stage> {
  const teams = await startTeams(options.teams ?? {})
  const log: Line[] = []
  const waiting = new Set<() => void>()
  const write: Log = (level, event, fields = {}, error) => {
    log.push({ level, event, fields: { ...fields, ...(error !== undefined && errorFields(error)) } })
    for (const look of waiting) look()
  }
  const calls: Call[] = []
  let over: Partial<Desk> = {}
  const desk = deskOf(calls, () => over)
  const known = new Map<string, KnownConversation>()
  const welcomed = new Set<string>()
  const identity = options.identity?.(teams) ?? {}
  const isListed = createServiceList({ hosts: options.serviceHosts ?? [teams.host], log: write })
  const { appId, cloud, password } = identity
  const connector = createConnector({
    isListed,
    ...(appId !== undefined &&
      cloud && {
        token: teamsToken(
          { tenantId, appId, cloud, ...(password !== undefined && { password }) },
          cloud.scope,
          Date.now,
        ),
      }),
  })
  const adapter = createAdapter({
    connector,
    ...(options.traffic && { traffic: options.traffic }),
  })
  const now = options.now ?? Date.now
  const counted: string[] = []
  const bot = createBot({
    desk,
    conversations: {
      meet: async (conversation) => {
        known.set(conversation.conversation, { ...known.get(conversation.conversation), ...conversation })
      },
      leave: async (conversation) => {
        known.delete(conversation)
      },
      welcome: async (conversation) => !welcomed.has(conversation) && Boolean(welcomed.add(conversation)),
    },
    words: en,
    usual,
    drawing: { tenantId, timeZone: 'UTC' },
    log: write,
    now,
    ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
  })
  const server = await createServer({
    host: '127.0.0.1',
    port: 0,
    adapter,
    guard: createGuard({
      tenantId,
      isListed,
      ...(appId !== undefined &&
        cloud && {
          appId,
          tokenCheck: createTokenCheck({
            keys: createSigningKeys({
              openIdMetadataUrl: cloud.openIdMetadataUrl,
              now,
              log: write,
            }),
            issuer: cloud.issuer,
            appId,
            now,
          }),
        }),
    }),
    bot,
    meter: {
      answered: () => counted.push('answered'),
      failed: () => counted.push('failed'),
      refused: (why) => counted.push(why),
      turn: () => () => undefined,
    },
    log: write,
    ...options.server,
  }).catch(async (error: unknown) => {
    await teams.close()
    throw error
  })
  teams.connect(`${server.url}/api/messages`)
  return {
    teams,
    server,
    log,
    logged: (event, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (log.filter((line) => line.event === event).length < times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    calls,
    counted,
    known,
    answers(next) {
      over = next
    },
    async close() {
      await server.close()
      await teams.close()
    },
  }
}

/** Stands in for the engine, which has tests of its own: records what it is asked, answers as told. */
function deskOf(calls: Call[], over: () => Partial<Desk>): Desk {
  const unasked = (): never => {
    throw new Error('The test did not say what the desk answers')
  }
  const usualAnswers: Desk = {
    link: unasked,
    choices: async () => ({ signalrs: [signalr], vaults: [vault] }),
    approve: unasked,
    reject: unasked,
    tries: async () => undefined,
    rejectConnection: unasked,
    cancel: unasked,
    unlink: unasked,
    retry: unasked,
    get: async () => undefined,
    isPost: async () => false,
    question: async () => undefined,
    find: async () => [],
    own: unasked,
    disown: unasked,
    people: async (keys) => new Map(keys.map((key) => [key, asker])),
    texts: async () => new Map(),
  }
  const of = (): Desk => ({ ...usualAnswers, ...over() })
  const told =
    <K extends keyof Desk>(method: K) =>
    (asked: never): never => {
      if (method !== 'people' && method !== 'texts' && method !== 'isPost') calls.push({ method, asked })
      return of()[method](asked) as never
    }
  return {
    link: told('link'),
    choices: told('choices'),
    approve: told('approve'),
    reject: told('reject'),
    tries: told('tries'),
    rejectConnection: told('rejectConnection'),
    cancel: told('cancel'),
    unlink: told('unlink'),
    retry: told('retry'),
    get: told('get'),
    isPost: told('isPost'),
    question: told('question'),
    find: told('find'),
    own: told('own'),
    disown: told('disown'),
    people: told('people'),
    texts: told('texts'),
  }
}

const provider = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contoso/providers'
export const signalr = `${provider}/Microsoft.SignalRService/SignalR/contoso-signalr`
export const vault = `${provider}/Microsoft.KeyVault/vaults/contoso-kv`
export const linkId = '4f7c1a90b2d34e5f8a6b7c8d9e0f1a2b'
export const ownersChannel = '19:vault-owners@thread.tacv2'

const thread: Place = {
  conversation: '19:team-contoso@thread.tacv2;messageid=1',
  serviceUrl: 'http://127.0.0.1:1/',
  kind: 'channel',
}

/** A link that waits for its owner. */
export function aLink(
  over: Omit<Partial<Link>, 'asked'> & { readonly asked?: Partial<Link['asked']> } = {},
): Link {
  const at = Date.UTC(2026, 10, 24, 13, 58)
  return {
    schema: 1,
    id: linkId,
    stage: { status: 'Pending' },
    since: at,
    moved: at,
    looked: true,
    unlookedAt: at,
    followers: [],
    pinned: { connection: `${vault}/privateEndpointConnections/8d1f`, privateEndpoint: '/subscriptions/m' },
    late: false,
    alarmed: false,
    news: [],
    told: {},
    gone: [],
    ...over,
    asked: {
      at,
      by: 'riley',
      signalr,
      vault,
      name: 'kv-contoso-kv',
      nonce: '4f7c9e21d0b84c6fa35e7d1890ab2c3d',
      thread,
      owners: { place: { ...thread, conversation: ownersChannel }, because: { is: 'default' } },
      expiresAt: at + 86_400_000,
      ...over.asked,
    },
  }
}
