/** The people, the faults and the clock over HTTP, for a chat or a test in another process. */
import { type Fault, howOf } from '../proxy/fault.ts'
import { type PersonKey, people } from '../seed.ts'
import type { Reply } from './connector.ts'
import type { InstallPlace, Message, Settings, Teams } from './face.ts'
import { type Json, list, record, string } from './json.ts'
import { isPersonKey } from './world.ts'

export type ControlCall = { method: string; path: string; query: URLSearchParams; body: unknown }

type Handler = (teams: Teams, asked: Json, query: URLSearchParams) => unknown

const longestPoll = 30_000

const routes: Readonly<Record<string, Handler>> = {
  'GET /people': () => people,
  'GET /events': events,
  'GET /channel': (teams, _, query) => {
    const channel = teams.channel(query.get('key') ?? '')
    return { key: channel.key, text: channel.text(), messages: channel.messages() }
  },
  'POST /connect': (teams, asked) => teams.connect(word(asked, 'botUrl')),
  'POST /says': (teams, asked) => {
    const thread = string(asked.thread)
    const where = thread === undefined ? word(asked, 'channel') : teams.thread(message(teams, thread))
    return teams
      .person(who(asked.who))
      .says(word(asked, 'text'), { plain: asked.plain === true })
      .in(where)
  },
  'POST /presses': (teams, asked) =>
    teams
      .person(who(asked.who))
      .presses(...list(asked.titles).flatMap((title) => string(title) ?? []))
      .on(message(teams, word(asked, 'card')), words(asked.inputs)),
  'POST /agrees': (teams, asked) => teams.person(who(asked.who)).agrees(),
  'POST /opens': (teams, asked) => teams.person(who(asked.who)).opens(message(teams, word(asked, 'card'))),
  'POST /invoke': (teams, asked) =>
    teams.person(who(asked.who)).sendsInvoke(asked.value, record(asked.over) ?? {}),
  'POST /install': (teams, asked) => teams.install(where(asked.where), who(asked.by)),
  'POST /uninstall': (teams, asked) => teams.uninstall(where(asked.where), who(asked.by)),
  'POST /channel/rename': (teams, asked) =>
    teams.renameChannel(word(asked, 'key'), word(asked, 'name'), who(asked.by)),
  'POST /channel/delete': (teams, asked) => teams.deleteChannel(word(asked, 'key'), who(asked.by)),
  'POST /redeliver': (teams, asked) =>
    teams.redeliver(word(asked, 'activityId'), { sameId: asked.sameId === true }),
  'POST /fail': (teams, asked) => void teams.fail(fault(asked)),
  'POST /settings': (teams, asked) => teams.configure(settings(asked)),
  'POST /clock': (teams, asked) => {
    teams.turn(number(asked, 'advanceMs') ?? 0)
    return { now: teams.now() }
  },
}

export async function control(teams: Teams, call: ControlCall): Promise<Reply> {
  const handler = routes[`${call.method} ${call.path}`]
  if (!handler) return { status: 404, body: { error: `There is: ${Object.keys(routes).join(', ')}` } }
  try {
    const body = await handler(teams, record(call.body) ?? {}, call.query)
    return { status: 200, body: body ?? null }
  } catch (error) {
    // Whoever drives the people made a mistake: it is told what, as the functions themselves would throw it.
    return { status: 400, body: { error: error instanceof Error ? error.message : String(error) } }
  }
}

/** Events from `after` on; with `waitMs`, held open until there is one or the time has passed. */
function events(teams: Teams, _: Json, query: URLSearchParams): Promise<unknown> {
  const after = Number(query.get('after') ?? 0)
  const waitMs = Math.min(Number(query.get('waitMs') ?? 0), longestPoll)
  const page = () => ({ events: teams.events.slice(after), next: teams.events.length })
  if (teams.events.length > after || waitMs <= 0) return Promise.resolve(page())
  return new Promise((resolve) => {
    const settle = (): void => {
      stop()
      clearTimeout(deadline)
      resolve(page())
    }
    const stop = teams.onEvent(settle)
    const deadline = setTimeout(settle, waitMs)
    deadline.unref()
  })
}

function word(asked: Json, key: string): string {
  const value = string(asked[key])
  if (value === undefined) throw new Error(`"${key}" is missing.`)
  return value
}

const words = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(record(value) ?? {}).flatMap(([key, text]) =>
      typeof text === 'string' ? [[key, text]] : [],
    ),
  )

const number = (asked: Json, key: string): number | undefined =>
  typeof asked[key] === 'number' ? asked[key] : undefined

function who(value: unknown): PersonKey {
  const key = string(value) ?? ''
  if (!isPersonKey(key))
    throw new Error(`Nobody is called "${key}". There is: ${Object.keys(people).join(', ')}.`)
  return key
}

function where(value: unknown): InstallPlace {
  if (value === 'contoso' || value === 'labs' || value === 'group') return value
  return { personal: who(record(value)?.personal) }
}

function message(teams: Teams, id: string): Message {
  const keys = new Set(teams.events.flatMap((event) => ('channel' in event ? [event.channel] : [])))
  const found = [...keys].flatMap((key) => teams.channel(key).messages()).find((one) => one.id === id)
  if (!found) throw new Error(`There is no message ${id}.`)
  return found
}

function fault(asked: Json): Fault {
  const method = string(asked.method)
  const path = string(asked.path)
  const status = number(asked, 'status')
  const code = string(asked.code)
  const told = string(asked.message)
  return {
    times: number(asked, 'times') ?? 1,
    when: asked.when === 'after' ? 'after' : 'before',
    how: howOf(string(asked.how) ?? 'answer'),
    headers: words(asked.headers),
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path: new RegExp(path) }),
    ...(status !== undefined && { status }),
    ...(code !== undefined && { code }),
    ...(told !== undefined && { message: told }),
  }
}

function settings(asked: Json): Partial<Settings> {
  const latencyMs = number(asked, 'latencyMs')
  const deliveryDeadlineMs = number(asked, 'deliveryDeadlineMs')
  const entra = string(asked.entra)
  return {
    ...(latencyMs !== undefined && { latencyMs }),
    ...(deliveryDeadlineMs !== undefined && { deliveryDeadlineMs }),
    ...(entra !== undefined && { entra }),
    ...(typeof asked.throttle === 'boolean' && { throttle: asked.throttle }),
  }
}
