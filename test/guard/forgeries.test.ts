/** Nobody gets in: made-up and mutated requests against the bot as production runs it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { people } from '../../sandbox/seed.ts'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { within } from '../story/stage.ts'
import { type Forgery, forgeries, genuine, type Twin } from './forgeries.ts'
import { figure, type Production, startProduction } from './production.ts'
import { atOnce, post } from './requests.ts'
import { rowsOf } from './rows.ts'
import { overheardTwins } from './twins.ts'

let world: Production
let other: Teams
let twins: readonly Twin[]
let forged: readonly Forgery[]

beforeAll(async () => {
  ;[world, other] = await Promise.all([startProduction(), startTeams({ signed: true })])
  twins = await overheardTwins(world)
  const entraToken = (claims: Record<string, unknown>): Promise<string> =>
    world.azure.identity.tokenFor(people.owner.objectId, claims)
  forged = await forgeries(world.teams, other, entraToken, twins)
})
afterAll(() => Promise.all([world.close(), other.close()]))

/** What happened in Azure and in Teams, and what is written down. */
const effects = () => ({
  writes: world.azure.events.filter(
    (event) => event.kind === 'effect' || (event.kind === 'arm' && event.write),
  ).length,
  said: world.teams.events.length,
  rows: rowsOf(world.database),
})

describe('forged requests', () => {
  test('are at least 500, each of its own, and of no respect more than a tenth', async () => {
    const names = forged.map(({ respect, name, twin }) => `${respect}: ${name}, ${twin.kind}`)
    expect(forged.length).toBeGreaterThanOrEqual(500)
    expect(new Set(names).size).toBe(forged.length)
    const respects = Map.groupBy(forged, ({ respect }) => respect)
    for (const [respect, of] of respects)
      expect({ respect, tooMany: of.length > forged.length / 10 }).toEqual({ respect, tooMany: false })
    expect(new Set(forged.map(({ twin }) => twin))).toEqual(new Set(twins))
  })

  test('are all turned away by a 4xx that says nothing, and nothing comes of them', async () => {
    const before = effects()
    const sent = new Set<string>()
    const answers = await atOnce(8, forged, async (one) => {
      const sending = await one.send()
      sent.add(JSON.stringify(sending))
      return { one, ...(await post(world.bot().url, sending)) }
    })
    expect(sent.size).toBe(forged.length)
    const wrong = answers.filter(({ status, text }) => status < 400 || status > 499 || text.length > 60)
    expect(
      wrong.map(({ one: { respect, name, twin }, status, text }) => [respect, name, twin.kind, status, text]),
    ).toEqual([])
    expect(effects()).toEqual(before)
    const { log } = world.bot()
    expect(log.filter(({ event }) => event === 'request.refused')).toHaveLength(forged.length)
    expect(log.filter(({ event }) => event === 'request.failed')).toEqual([])
    figure(
      `${forged.length} forged requests in ${new Set(forged.map(({ respect }) => respect)).size} respects: ${answers.length - wrong.length} turned away by a 4xx, ${wrong.length} otherwise; no write in Azure, no message, no row`,
    )
  })

  test('and their twins are accepted, every one, and each does something', async () => {
    for (const twin of twins) {
      const before = effects()
      const { status } = await post(world.bot().url, await genuine(world.teams, twin))
      expect({ kind: twin.kind, status }).toEqual({ kind: twin.kind, status: 200 })
      // The second of the two events of an installation finds the first one's welcome said.
      if (!twin.kind.endsWith('again')) expect(effects()).not.toEqual(before)
    }
    await world.teams.channel('general').shows('can now reach contoso-kv privately', { within })
    expect(world.azure.links()).toContainEqual(expect.objectContaining({ status: 'Approved' }))
    figure(`${twins.length} twins of theirs, of as many kinds: all accepted`)
  })
})
