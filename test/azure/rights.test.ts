/**
 * Three answers to who may do what, on random role graphs: the bot's, from what it reads over HTTP; the local Azure's,
 * from what it refuses over HTTP; and the documentation's, from an oracle.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { people } from '../../sandbox/seed.ts'
import { askActions, decideActions } from '../../src/link/policy.ts'
import { allows, allowsForCertain, type DenyAssignment, type RoleGraph } from './rightsOracle.ts'
import { type Case, cases, held } from './roleGraphs.ts'
import { closeAll, never, startWorld } from './world.ts'

const figures = process.env.VAULTLINK_FIGURES === '1'
/** `npm run figures` draws more of them, and others each time. */
const numRuns = figures ? 10_000 : 250
const seed = figures ? Date.now() % 2 ** 31 : 1

let world: Awaited<ReturnType<typeof startWorld>>
let token: string
beforeAll(async () => {
  // Small pages: most lists here have two or three.
  world = await startWorld({ throttle: false, pageSize: 4 })
  token = await world.sandbox.identity.tokenFor(people.requester.objectId)
})
afterAll(closeAll)

/** Whether Azure lets the person through to the provider, which then finds no body. */
async function enforced(path: string, apiVersion: string): Promise<boolean> {
  const { status } = await fetch(`${world.sandbox.url}${path}?api-version=${apiVersion}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  })
  expect([400, 403]).toContain(status)
  return status === 400
}

type Question = {
  readonly actions: readonly string[]
  readonly resource: (of: Case) => string
  /** What Azure itself would be asked by the person's own client. */
  readonly allowed: (of: Case, graph: RoleGraph) => boolean
  readonly enforced: (of: Case) => Promise<boolean>
}
const [write, approval] = decideActions
const questions: Readonly<Record<'approve' | 'link', Question>> = {
  approve: {
    actions: decideActions,
    resource: ({ vault }) => vault,
    allowed: ({ person, vault, connection }, graph) =>
      allows(graph, person, write, connection) && allows(graph, person, approval, vault),
    enforced: ({ connection }) => enforced(connection, '2024-11-01'),
  },
  link: {
    actions: askActions,
    resource: ({ signalr }) => signalr,
    allowed: ({ person, link }, graph) => allows(graph, person, askActions[0], link),
    enforced: ({ link }) => enforced(link, '2024-03-01'),
  },
}

const lacking = ({ actions, resource }: Question, of: Case, graph: RoleGraph): readonly string[] =>
  actions.filter((action) => !allowsForCertain(graph, of.person, action, resource(of)))

const denials = (graph: RoleGraph, change: Partial<DenyAssignment>): RoleGraph => ({
  ...graph,
  denyAssignments: graph.denyAssignments.map((one) => ({ ...one, ...change })),
})
/** The graph without one kind of element: where the answer is another then, that element decided. */
const without: Readonly<Record<string, (graph: RoleGraph) => RoleGraph>> = {
  deny: (graph) => ({ ...graph, denyAssignments: [] }),
  notActions: (graph) => ({
    ...graph,
    roles: graph.roles.map(({ id, permissions }) => ({
      id,
      permissions: permissions.map((one) => ({ ...one, notActions: [] })),
    })),
  }),
  condition: (graph) => ({
    ...graph,
    roleAssignments: graph.roleAssignments.map((one) => ({ ...one, condition: null })),
  }),
  group: (graph) => ({ ...graph, groups: [] }),
  'group in group': (graph) => {
    const ids = new Set(graph.groups.map(({ id }) => id))
    const direct = (members: readonly string[]) => members.filter((member) => !ids.has(member))
    return { ...graph, groups: graph.groups.map(({ id, members }) => ({ id, members: direct(members) })) }
  },
  'management group': (graph) => ({ ...graph, subscriptions: [] }),
  exclusion: (graph) => denials(graph, { excludePrincipals: [] }),
  doNotApplyToChildScopes: (graph) => denials(graph, { doNotApplyToChildScopes: false }),
}
/** Those of which each must decide at least one case in twenty. */
const important = ['deny', 'notActions', 'condition', 'group'] as const

test(`${numRuns} role graphs: the bot, the local Azure and the documentation agree`, async () => {
  const tally = { approve: tallied(), link: tallied() }
  const different = new Set<string>()
  await fc.assert(
    fc.asyncProperty(cases, async (one) => {
      different.add(JSON.stringify(one))
      world.sandbox.rights.replace(held(one.graph))
      world.sandbox.events.length = 0
      for (const name of ['approve', 'link'] as const) {
        const question = questions[name]
        const right = await world.access.may(one.person, question.actions, question.resource(one), never)
        const lacks = lacking(question, one, one.graph)
        expect(right).toEqual(lacks.length === 0 ? { is: 'held' } : { is: 'missing', actions: lacks })
        const isAllowed = question.allowed(one, one.graph)
        expect(await question.enforced(one)).toBe(isAllowed)
        if (right.is === 'held') expect(isAllowed).toBe(true)
        count(tally[name], question, one, isAllowed)
      }
    }),
    { numRuns, seed },
  )
  if (figures) process.stdout.write(`${table(tally, different.size)}\n`)
  expect(different.size).toBeGreaterThan(numRuns * 0.99)
  for (const { asked, granted, decided } of Object.values(tally)) {
    expect(granted / asked).toBeGreaterThan(0.3)
    expect(granted / asked).toBeLessThan(0.7)
    for (const name of important) expect((decided.get(name) ?? 0) / asked).toBeGreaterThan(0.05)
  }
}, 1_200_000)

function tallied() {
  return { asked: 0, granted: 0, stricter: 0, decided: new Map<string, number>() }
}

function count(tally: ReturnType<typeof tallied>, question: Question, one: Case, isAllowed: boolean): void {
  const granted = lacking(question, one, one.graph).length === 0
  tally.asked += 1
  if (granted) tally.granted += 1
  if (isAllowed && !granted) tally.stricter += 1
  for (const [name, strip] of Object.entries(without))
    if ((lacking(question, one, strip(one.graph)).length === 0) !== granted)
      tally.decided.set(name, (tally.decided.get(name) ?? 0) + 1)
}

function table(tally: Readonly<Record<string, ReturnType<typeof tallied>>>, different: number): string {
  const percent = (part: number, of: number): string => `${((100 * part) / of).toFixed(1)} %`
  const lines = Object.entries(tally).map(([name, { asked, granted, stricter, decided }]) => {
    const shares = Object.keys(without)
      .map((element) => `${element} ${percent(decided.get(element) ?? 0, asked)}`)
      .join(', ')
    return `${name}: ${asked} asked, ${percent(granted, asked)} granted; decided by ${shares}; stricter than Azure ${percent(stricter, asked)}`
  })
  return [`role graphs: ${different} different, seed ${seed}, 0 disagreements`, ...lines].join('\n')
}
