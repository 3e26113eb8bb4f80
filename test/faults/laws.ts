/** What holds whatever goes wrong; each law says how it was broken. */
import { objectIdOf } from '../../src/azure/claims.ts'
import type { Link } from '../../src/link/link.ts'
import { isEnded } from '../../src/link/views.ts'
import { nameOf } from './calls.ts'
import type { Played, SeenCall, Story } from './ground.ts'
import { type PeerName, peerNames } from './peers.ts'

type Law = (played: Played, story: Story) => readonly string[]

const outcomes: Readonly<Record<Story, Link['stage']['status']>> = {
  approved: 'Removed',
  approver: 'Removed',
  withoutGraph: 'Removed',
  rejected: 'Rejected',
  rejectedInPortal: 'Rejected',
  cancelled: 'Cancelled',
}

/** Nothing is lost: the last request ends as people wanted, those before it with an end that they were told. */
const ends: Law = ({ links, stuck, left }, story) => {
  if (stuck) return [`stuck: ${stuck}`]
  const last = links.at(-1)?.link.stage.status
  return [
    ...(last === outcomes[story] ? [] : [`the last request is ${last}`]),
    ...links
      .slice(0, -1)
      .flatMap(({ link }) => (isEnded(link.stage.status) ? [] : [`an earlier one is ${link.stage.status}`])),
    ...(left.links > 0 ? [`${left.links} links are left in Azure`] : []),
  ]
}

/** Nothing is wrongly approved. */
const approvals: Law = ({ effects, links }, story) => {
  const pinned = links.flatMap(({ link }) => link.pinned?.connection.toLowerCase() ?? [])
  const broken: string[] = []
  const rejected = new Set<string>()
  const approved = new Set<string>()
  for (const { what, id: as, by } of effects) {
    const id = as.toLowerCase()
    if (what === 'connectionRejected' && by !== 'bot') rejected.add(id)
    if (what !== 'connectionApproved') continue
    if (!pinned.includes(id)) broken.push(`approved what is not pinned: ${id}`)
    if (approved.has(id)) broken.push('approved twice')
    if (rejected.has(id)) broken.push('approved after a rejection in the portal')
    if (story === 'rejected' || story === 'cancelled') broken.push('approved though nobody wanted it')
    approved.add(id)
  }
  return broken
}

const failed = ({ call }: SeenCall): boolean => call.ended?.status === undefined || call.ended.status >= 400
const toArm = ({ peer }: SeenCall): boolean => peer === 'arm'

/**
 * What a Retry-After holds back: a principal's calls of a kind to a subscription of Azure's, the worker's messages to a channel of Teams',
 * else the whole peer. The answers of turns go on, and so does what they read of Teams.
 */
function held({ peer, call }: SeenCall): string | undefined {
  const name = nameOf(peer, call.method, call.path)
  const isMessage = name === 'post a message' || name === 'update a message' || name === 'begin a thread'
  if (peer === 'teams' && call.path.includes('/v3/') && !isMessage) return undefined
  const scope =
    peer === 'arm'
      ? (/^\/subscriptions\/[^/]+/i.exec(call.path)?.[0] ?? '')
      : peer === 'teams'
        ? (/\/v3\/conversations\/[^/;]+/.exec(call.path)?.[0] ?? call.path)
        : ''
  const kind = peer === 'arm' && scope !== '' ? call.method : ''
  const principal = peer === 'arm' ? objectIdOf(call.headers.authorization ?? '') : ''
  return `${peer} ${principal} ${kind} ${scope}`.toLowerCase()
}

/** No call before Retry-After has passed. What was on its way when the answer came cannot be called back. */
const retryAfter: Law = ({ calls }) =>
  calls.flatMap((first, index) => {
    const { ended } = first.call
    if (ended?.retryAfter === undefined || (ended.status ?? 0) < 400) return []
    const until = ended.at + Number(ended.retryAfter) * 1_000
    return calls
      .slice(index + 1)
      .filter(
        (later) =>
          held(first) !== undefined &&
          held(later) === held(first) &&
          (later.call.at > ended.at || later.phase !== first.phase) &&
          later.call.at < until,
      )
      .map(
        (later) =>
          `called ${(later.call.at - ended.at) / 1000} s after a Retry-After of ${ended.retryAfter} s: ${later.phase} ${later.peer} ${later.call.method} ${nameOf(later.peer, later.call.method, later.call.path)}`,
      )
      .slice(0, 1)
  })

/** Every call has a deadline: what hangs is let go of. */
const deadlines: Law = ({ hanging }) => (hanging > 0 ? [`${hanging} calls hang for ever`] : [])

/** Each further attempt at a write begins with a look after the last. */
const looks: Law = ({ calls }) => {
  const broken: string[] = []
  const arm = calls.filter(toArm)
  const last = new Map<string, number>()
  for (const [index, { call }] of arm.entries()) {
    if (call.method !== 'PUT' && call.method !== 'DELETE') continue
    const key = `${call.method} ${call.path.toLowerCase()}`
    const before = last.get(key)
    last.set(key, index)
    if (before === undefined) continue
    const path = call.path.toLowerCase()
    const list = path.slice(0, path.lastIndexOf('/'))
    const since = arm[before]?.call.ended?.at ?? Infinity
    const looked = arm
      .slice(before + 1, index)
      .some(
        ({ call: one }) =>
          one.method === 'GET' &&
          [path, list].includes(one.path.toLowerCase()) &&
          one.at >= since &&
          (one.ended?.status === 200 || one.ended?.status === 404),
      )
    if (!looked) broken.push(`sent again without a look: ${key}`)
  }
  return broken
}

/** One intent makes one call: nobody but the bot repeats anything. */
const once: Law = ({ calls, links }) => {
  const broken: string[] = []
  const ids = new Set<unknown>()
  for (const { call } of calls) {
    const id = call.headers['x-ms-client-request-id']
    if (id === undefined) continue
    if (ids.has(id)) broken.push(`a client repeated ${call.method} ${call.path}`)
    ids.add(id)
  }
  const facts = links.flatMap(({ facts }) => facts)
  const intended = (effects: readonly string[]): number =>
    facts.filter((fact) => fact.fact === 'intended' && effects.includes(fact.effect)).length
  const sent = (name: string): number =>
    calls.filter(({ peer, call }) => nameOf(peer, call.method, call.path) === name).length
  for (const [name, effects] of [
    ['make the link', ['put']],
    ['approve or reject', ['approve', 'reject']],
    ['remove the link', ['delete']],
  ] as const)
    if (sent(name) > intended(effects))
      broken.push(`${name}: ${sent(name)} calls for ${intended(effects)} intents`)
  for (const [index, first] of calls.entries()) {
    // What is written to Azure has laws of its own.
    const isPost = first.peer === 'teams' || first.call.method === 'POST'
    if (!failed(first) || first.call.method === 'GET' || !isPost) continue
    const again = calls
      .slice(index + 1)
      .find(
        ({ peer, phase, call }) =>
          peer === first.peer &&
          phase === first.phase &&
          call.method === first.call.method &&
          call.path === first.call.path &&
          call.body === first.call.body &&
          call.at === first.call.ended?.at,
      )
    // A token is asked for by whoever needs one.
    if (again && first.peer !== 'login' && first.peer !== 'entra')
      broken.push(
        `repeated at once: ${first.call.method} ${nameOf(first.peer, first.call.method, first.call.path)}`,
      )
  }
  return broken
}

const nextStep =
  /press Retry|press again|ask again|try again|say it again|Nothing for now|by itself|Pick another name|Check its name|keeps (trying|looking)|Say status|Please wait|talk to|look at|is (already )?(owned|recorded)|in a minute/i

/** What is final, or waits for a person, was told with what to do; and nobody is left without an answer. */
const told: Law = ({ links, posted, inVain, calls }) => {
  const broken: string[] = []
  for (const { link } of links)
    for (const [index, piece] of link.news.entries()) {
      const replies = [link.told[`thread/${index}`], link.told[`owners/${index}`]].flatMap((reply) =>
        reply?.is === 'posted' ? [reply.activity] : [],
      )
      if (replies.length === 0) broken.push(`not told: ${piece.news}`)
      const needsStep = piece.news === 'blocked' || (piece.news === 'ended' && piece.outcome === 'Failed')
      if (needsStep && !replies.every((reply) => nextStep.test(posted.get(reply) ?? '')))
        broken.push(`told without a next step: ${piece.news}`)
    }
  for (const { phase, heard } of inVain) {
    const spoiled = calls.some(({ peer, call }) => call.fault && (peer === 'teams' || peer === 'login'))
    if (heard === '' ? !spoiled : !nextStep.test(heard)) broken.push(`${phase}: heard in vain: "${heard}"`)
  }
  return broken
}

/** How a call fails that Teams does not take. */
const refusals = ['ConnectorError', 'NoToken', 'AbortError', 'TimeoutError']
/** The errors in the log that a fault explains: of which peer, and where it matters, by which name. */
const explained: Readonly<
  Record<string, { readonly by: readonly PeerName[]; readonly as?: readonly string[] }>
> = {
  // Teams did not take the answer to a turn, or what was said of that.
  'turn.broken': { by: ['teams', 'login'], as: refusals },
  'turn.unsaid': { by: ['teams', 'login'] },
  // Whoever asked was told that it took too long; then it failed.
  'turn.failedLate': { by: peerNames },
  // Teams did not take the welcome.
  'conversation.installed.failed': { by: ['teams', 'login'] },
  // Without a token of its own the bot posts nothing.
  'teams.undelivered': { by: ['login'] },
  // While no key was ever read, nobody can be let in.
  'keys.unavailable': { by: ['teams'] },
}
const surprises: Law = ({ log, calls }) => {
  const spoiled = new Set(calls.flatMap(({ peer, call }) => (call.fault ? [peer] : [])))
  return log
    .filter(({ level, event, error }) => {
      const { by = [], as } = explained[event] ?? {}
      const isExplained = by.some((peer) => spoiled.has(peer)) && as?.includes(String(error)) !== false
      return level === 'error' && !isExplained
    })
    .map((line) => `in the log: ${JSON.stringify(line)}`)
    .slice(0, 2)
}

const laws: Readonly<Record<string, Law>> = {
  'nothing is lost': ends,
  'nothing is wrongly approved': approvals,
  'no call before Retry-After has passed': retryAfter,
  'every call has a deadline': deadlines,
  'each further attempt at a write begins with a look': looks,
  'one intent makes one call': once,
  'what is final is told with what to do': told,
  'nothing takes the bot by surprise': surprises,
}

export const broken = (played: Played, story: Story): readonly string[] =>
  Object.entries(laws).flatMap(([law, check]) => check(played, story).map((how) => `${law}: ${how}`))
