/** Bodies of every malformation, from a sender whose token holds: nothing breaks. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Activity } from '../../sandbox/teams/face.ts'
import { type Body, malformedBodies } from './malformed.ts'
import { figure, type Production, startProduction } from './production.ts'
import { atOnce, post } from './requests.ts'

let world: Production
let message: Activity
let bodies: readonly Body[]

beforeAll(async () => {
  world = await startProduction()
  const { teams } = world
  await teams.install('contoso', 'owner')
  const heard = await world.overhears(async () => {
    await teams.person('requester').says('list').in('general')
    await teams
      .person('requester')
      .sendsInvoke({ action: { type: 'Action.Execute', verb: 'unknown', data: {} } })
  })
  const [said, button] = heard
  if (!said || !button) throw new Error('Nothing was overheard')
  message = said
  bodies = malformedBodies(said, button)
})
afterAll(() => world.close())

const send = async (bytes: Buffer): Promise<number> =>
  (
    await post(world.bot().url, {
      headers: { authorization: `Bearer ${await world.teams.token()}` },
      body: bytes,
    })
  ).status

describe('malformed bodies', () => {
  test('are at least 300, each of its own', () => {
    expect(bodies.length).toBeGreaterThanOrEqual(300)
    const bytes = bodies.map((body) => body.bytes.toString('base64'))
    const again = bodies.filter((_, nth) => bytes.indexOf(bytes[nth] ?? '') !== nth)
    expect(again.map(({ of, name }) => `${of}: ${name}`)).toEqual([])
  })

  test('are answered, none by a 5xx, and the bot is as it was', async () => {
    const answers = await atOnce(8, bodies, async ({ of, name, bytes }) => ({
      of,
      name,
      status: await send(bytes),
    }))
    expect(answers.filter(({ status }) => status >= 500 || status < 200)).toEqual([])
    const isJson = ({ bytes }: Body): boolean => {
      try {
        JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
        return true
      } catch {
        return false
      }
    }
    const broken = bodies.filter((body) => !isJson(body))
    const accepted = answers.filter(
      (_, nth) => !isJson(bodies[nth] ?? { of: '', name: '', bytes: Buffer.of() }),
    )
    expect(accepted.filter(({ status }) => status !== 400)).toEqual([])
    expect(world.bot().log.filter(({ event }) => event === 'request.failed' || event === 'crashed')).toEqual(
      [],
    )
    expect(await send(Buffer.from(JSON.stringify(message)))).toBe(200)
    const counts = Map.groupBy(answers, ({ status }) => status)
    figure(
      `${bodies.length} malformed bodies of ${new Set(bodies.map(({ of }) => of)).size} kinds: ${[...counts].map(([status, all]) => `${all.length} × ${status}`).join(', ')}; ${broken.length} are no JSON, and all those got 400`,
    )
  })
})
