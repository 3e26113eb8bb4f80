import { type Fault, howOf } from '../proxy/fault.ts'
import type { Azure } from './azure.ts'
import { malformed } from './gateway.ts'
import type { Likeness } from './privateLinks.ts'
import { type Reply, refusal } from './reply.ts'
import { member } from './routes.ts'
import type { Decision } from './state.ts'
import { parseSettings } from './switches.ts'

/** The sandbox's own routes, `/_sandbox/…`: all that the object can do, for another process. */

const done: Reply = { status: 200, body: { ok: true } }

function text(body: unknown, name: string): string {
  const value = member(body, name)
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is missing`)
  return value
}

function texts(body: unknown, name: string): readonly string[] {
  const value = member(body, name) ?? []
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
    throw new Error(`${name} is not a list of texts`)
  return value
}

function optional(body: unknown, name: string): string | undefined {
  const value = member(body, name)
  if (value === undefined || typeof value === 'string') return value
  throw new Error(`${name} is not a text`)
}

function keyOf<T extends string>(body: unknown, name: string, all: Readonly<Record<T, unknown>>): T {
  const value = text(body, name)
  const known = Object.keys(all) as T[]
  const found = known.find((one) => one === value)
  if (!found) throw new Error(`${name} is one of ${known.join(', ')}`)
  return found
}

const statuses: Readonly<Record<Decision, true>> = {
  Pending: true,
  Approved: true,
  Rejected: true,
  Disconnected: true,
}

const ofFaults = ['method', 'path', 'times', 'skip', 'status', 'code', 'message', 'headers', 'when', 'how']
function likeness(body: unknown): Likeness {
  const name = optional(body, 'name')
  const endpoint = optional(body, 'endpoint')
  return { ...(name !== undefined && { name }), ...(endpoint !== undefined && { endpoint }) }
}

function rule(body: unknown): Fault {
  const number = (name: string): number | undefined => {
    const value = member(body, name)
    if (value === undefined || typeof value === 'number') return value
    throw new Error(`${name} is not a number`)
  }
  const unknown = Object.keys(Object(body)).find((name) => !ofFaults.includes(name))
  if (unknown !== undefined) throw new Error(`A fault has no ${unknown}; it has ${ofFaults.join(', ')}`)
  const path = optional(body, 'path')
  const method = optional(body, 'method')
  const code = optional(body, 'code')
  const message = optional(body, 'message')
  const status = number('status')
  const skip = number('skip')
  const headers = member(body, 'headers')
  const when = optional(body, 'when')
  const how = optional(body, 'how')
  return {
    times: number('times') ?? 1,
    ...(path !== undefined && { path: new RegExp(path, 'i') }),
    ...(method !== undefined && { method }),
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message }),
    ...(status !== undefined && { status }),
    ...(typeof headers === 'object' &&
      headers !== null && {
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      }),
    ...(when !== undefined && { when: keyOf(body, 'when', { before: 1, after: 1 }) }),
    ...(how !== undefined && { how: howOf(how) }),
    ...(skip !== undefined && { skip }),
  }
}

type Act = (azure: Azure, body: unknown, query: URLSearchParams) => unknown

const acts: Readonly<Record<string, Act>> = {
  'GET events': (azure, _, query) => azure.events.slice(Number(query.get('since') ?? 0)),
  'GET links': (azure) => azure.links(),
  'GET connections': (azure, _, query) => azure.connections(query.get('vault') ?? ''),
  'GET world': (azure) => azure.world(),
  'GET token': async (azure, _, query) => {
    const principal = query.get('principal')
    if (!principal) throw new Error('principal is missing')
    return { access_token: await azure.identity.tokenFor(principal) }
  },
  'GET conformity': (azure) => {
    const tally = azure.conformity()
    if (!tally) throw new Error('The sandbox was not told where the OpenAPI files are')
    return tally
  },
  'POST consent': (azure, body) => azure.identity.consent(text(body, 'principal'), text(body, 'application')),
  'POST clock': (azure, body) => {
    const ms = member(body, 'advanceMs')
    if (typeof ms !== 'number' || !(ms >= 0)) throw new Error('advanceMs is not a number of milliseconds')
    azure.turn(ms)
  },
  'POST settings': (azure, body) => azure.configure(parseSettings(Object(body))),
  'POST fail': (azure, body) => void azure.fail(rule(body)),
  'POST rights/grant': (azure, body) =>
    azure.rights.grant(text(body, 'principalId'), text(body, 'role'), text(body, 'scope')),
  'POST rights/revoke': (azure, body) =>
    azure.rights.revoke(text(body, 'principalId'), text(body, 'role'), text(body, 'scope')),
  'POST rights/deny': (azure, body) =>
    azure.rights.deny(text(body, 'principalId'), text(body, 'action'), text(body, 'scope')),
  'POST rights/redefine': (azure, body) =>
    azure.rights.redefine(text(body, 'role'), [
      { actions: texts(body, 'actions'), notActions: texts(body, 'notActions') },
    ]),
  'POST registration': (azure, body) =>
    azure.setRegistration(
      text(body, 'subscription'),
      text(body, 'namespace'),
      member(body, 'registered') === true,
    ),
  'POST eventSubscriptions': async (azure, body) => {
    const copies = member(body, 'copies') ?? 1
    if (typeof copies !== 'number' || !(copies >= 1)) throw new Error('copies is not a number, 1 or more')
    await azure.subscribe({
      url: text(body, 'url'),
      application: text(body, 'application'),
      schema:
        optional(body, 'schema') === undefined
          ? 'eventGrid'
          : keyOf(body, 'schema', { eventGrid: 1, cloudEvents: 1 }),
      copies,
      reversed: member(body, 'reversed') === true,
    })
  },
  'POST portal/approve': (azure, body) =>
    azure.portal.approve(text(body, 'vault'), text(body, 'by'), optional(body, 'which')),
  'POST portal/reject': (azure, body) =>
    azure.portal.reject(text(body, 'vault'), text(body, 'by'), optional(body, 'which')),
  'POST portal/removeConnection': (azure, body) =>
    azure.portal.removeConnection(text(body, 'vault'), optional(body, 'which')),
  'POST portal/deleteLink': (azure, body) =>
    azure.portal.deleteLink(text(body, 'signalr'), text(body, 'link')),
  'POST portal/createLink': (azure, body) =>
    azure.portal.createLink(
      text(body, 'signalr'),
      text(body, 'vault'),
      text(body, 'link'),
      optional(body, 'message') ?? '',
    ),
  'POST portal/move': (azure, body) => azure.portal.move(text(body, 'resource'), text(body, 'group')),
  'POST portal/tag': (azure, body) =>
    azure.portal.tag(text(body, 'vault'), text(body, 'name'), optional(body, 'value')),
  'POST portal/addConnection': (azure, body) =>
    azure.portal.addConnection(
      text(body, 'vault'),
      optional(body, 'description') ?? '',
      optional(body, 'status') === undefined ? undefined : keyOf(body, 'status', statuses),
      likeness(body),
    ),
}

export const isAdmin = (path: string): boolean => path.startsWith('/_sandbox/')

export async function administer(azure: Azure, method: string, url: URL, body: unknown): Promise<Reply> {
  const act = acts[`${method} ${url.pathname.slice('/_sandbox/'.length)}`]
  if (!act) return refusal(404, 'NoSuchRoute', `The sandbox knows ${Object.keys(acts).join(', ')}.`)
  if (body === malformed) return refusal(400, 'Refused', 'The body is not JSON.')
  try {
    const answer = await act(azure, body, url.searchParams)
    return answer === undefined ? done : { status: 200, body: answer }
  } catch (error) {
    return refusal(400, 'Refused', error instanceof Error ? error.message : String(error))
  }
}
