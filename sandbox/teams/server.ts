/** A local Teams: the Bot Connector that a bot calls, and the people behind it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as pass } from 'node:timers/promises'
import { createFaults, lets } from '../proxy/fault.ts'
import { breakOff } from '../proxy/wire.ts'
import { bot, type PersonKey } from '../seed.ts'
import { channelActivity, installActivities, type Stamp } from './activities.ts'
import { answerBot, type Reply } from './connector.ts'
import { control } from './control.ts'
import { createDelivery } from './delivery.ts'
import type { InstallPlace, Settings, Teams } from './face.ts'
import { faultReply } from './faults.ts'
import { listenOnLoopback, readBody, send, stop, wired } from './http.ts'
import { startIdentity } from './identity.ts'
import { createKeyService } from './keyService.ts'
import { createActor, type Stage } from './people.ts'
import { createChannel, createThread } from './reading.ts'
import { createLimits } from './threadLimits.ts'
import { createTokens } from './tokens.ts'
import { createWorld, type Place, placeByKey } from './world.ts'

export type * from './face.ts'

export type TeamsOptions = {
  port?: number
  appId?: string
  /** Signs each delivery, runs a token endpoint, and refuses calls of the bot without its token. */
  signed?: boolean
  /** The bot's secret at the token endpoint; the seed's when absent. */
  secret?: string
  /** Where the bot reaches it, if not directly: a proxy that leads here. */
  reachedAt?: string
  clock?: () => number
} & Partial<Settings>

/** The connector is below a path, so that a bot that ignores the service URL's path is found out. */
const connectorPath = '/teams'

export async function startTeams(options: TeamsOptions = {}): Promise<Teams> {
  const appId = options.appId ?? bot.appId
  const settings: Settings = {
    latencyMs: options.latencyMs ?? 0,
    throttle: options.throttle ?? true,
    deliveryDeadlineMs: options.deliveryDeadlineMs ?? 15_000,
    entra: options.entra ?? '',
  }
  const world = createWorld({ appId, clock: options.clock ?? Date.now })
  const faults = createFaults()
  const limits = createLimits()
  const closing = new AbortController()
  const identity = options.signed
    ? await startIdentity({ appId, ...(options.secret !== undefined && { secret: options.secret }) })
    : undefined

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (closing.signal.aborted) return
      console.error('The local Teams failed on', request.method, request.url, error)
      send(response, { status: 500, body: { error: { code: 'ServiceError', message: 'Sandbox failure.' } } })
    })
  })
  const port = await listenOnLoopback(server, options.port ?? 0)
  const url = `http://127.0.0.1:${port}`
  const reachedAt = options.reachedAt ?? url
  const serviceUrl = `${reachedAt}${connectorPath}/`
  const tokens = createTokens({ audience: appId, serviceUrl: () => serviceUrl, now: world.now })
  const keys = createKeyService(tokens, reachedAt)
  const stamp: Stamp = { world, serviceUrl }
  const delivery = createDelivery(world, settings, async () =>
    options.signed ? `Bearer ${await tokens.token()}` : undefined,
  )
  const stage: Stage = { world, stamp, delivery, settings }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const { pathname, searchParams: query } = new URL(request.url ?? '/', url)
    const raw = await readBody(request)
    const published = await keys.answer(pathname)
    if (published === 'never') return
    if (published) return send(response, published)
    if (pathname.startsWith('/_sandbox/')) {
      const path = pathname.slice('/_sandbox'.length)
      return send(response, await control(teams, { method, path, query, body: parsed(raw) }))
    }
    if (!pathname.startsWith(`${connectorPath}/`)) return send(response, { status: 404 })
    const path = pathname.slice(connectorPath.length)
    const fault = faults.take(method, decoded(path))
    const refused = fault && wired(faultReply(fault))
    if (fault && refused && !lets(fault))
      return breakOff(request, response, fault, { acted: undefined, refused })
    const reply =
      identity && !(await identity.accepts(request.headers.authorization))
        ? unauthorized
        : answerBot(
            { world, limits: settings.throttle ? limits : undefined },
            { method, path, query, body: parsed(raw), size: raw.byteLength },
          )
    if (settings.latencyMs > 0) await pass(settings.latencyMs, undefined, { signal: closing.signal })
    return fault && refused
      ? breakOff(request, response, fault, { acted: wired(reply), refused })
      : send(response, reply)
  }

  const installIn = async (where: InstallPlace, by: PersonKey, action: 'add' | 'remove'): Promise<void> => {
    const place = placeOf(where)
    const scope = place.team?.id ?? place.id
    // After a removal Teams tells the bot, which can no longer answer there.
    if (action === 'add') world.installed.add(scope)
    else world.installed.delete(scope)
    for (const activity of installActivities(stamp, by, place, action)) await delivery.deliver(activity)
  }
  const placeOf = (where: InstallPlace): Place => {
    if (typeof where === 'object') return placeByKey(world, `with:${where.personal}`)
    if (where === 'group') return placeByKey(world, 'group')
    return placeByKey(world, where === 'labs' ? 'labs-general' : 'general')
  }

  const teams: Teams = {
    url,
    port,
    host: new URL(reachedAt).host,
    serviceUrl,
    events: world.events,
    onEvent: world.onEvent,
    connect: delivery.connect,
    person: (key) => createActor(stage, key),
    thread: (message) => createThread(world, message),
    channel: (key) => createChannel(world, key),
    install: (where, by) => installIn(where, by, 'add'),
    uninstall: (where, by) => installIn(where, by, 'remove'),
    async renameChannel(key, name, by) {
      const place = placeByKey(world, key)
      place.name = name
      await delivery.deliver(channelActivity(stamp, by, place, 'channelRenamed'))
    },
    async deleteChannel(key, by) {
      const place = placeByKey(world, key)
      place.deleted = true
      await delivery.deliver(channelActivity(stamp, by, place, 'channelDeleted'))
    },
    configure: (changed) => {
      Object.assign(settings, changed)
    },
    turn: world.turn,
    now: world.now,
    fail: faults.add,
    throttled: limits.refused,
    redeliver: (activityId, { sameId }) => delivery.redeliver(activityId, sameId),
    openIdUrl: `${reachedAt}/v1/.well-known/openidconfiguration`,
    keys,
    token: tokens.token,
    ...(identity && {
      identity: { authority: identity.authority, host: identity.host, caFile: identity.caFile },
    }),
    async close() {
      closing.abort()
      delivery.close()
      await Promise.all([stop(server), identity?.close()])
    },
  }
  return teams
}

/** What the connector's gateway says to a missing or foreign token. */
const unauthorized: Reply = {
  status: 401,
  body: { message: 'Authorization has been denied for this request.' },
}

function parsed(raw: Buffer): unknown {
  if (raw.byteLength === 0) return undefined
  try {
    return JSON.parse(raw.toString())
  } catch {
    // The handler that needs a body refuses what is none.
    return undefined
  }
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    // A path that is no valid encoding is matched as it came.
    return path
  }
}
