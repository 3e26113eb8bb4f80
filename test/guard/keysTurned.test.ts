/** The keys of the real bot, by a turned clock: rotated, and their server away for a day, or from the start. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { figure, type Production, startProduction } from './production.ts'

const second = 1_000
const hour = 3_600 * second
let world: Production
beforeAll(async () => {
  world = await startProduction()
  await world.teams.install('contoso', 'owner')
})
afterAll(() => world.close())

/** The status of the bot's answer to a message that Teams delivers now. */
const heard = async (): Promise<number | undefined> =>
  (await world.teams.person('requester').says('help').in('general')).delivered

test('a rotated key is believed within 60 seconds', async () => {
  expect(await heard()).toBe(200)
  await world.passes(hour / 2)
  // Somebody's made-up key id has just led to a look: the worst moment to rotate.
  await fetch(`${world.bot().url}/api/messages`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await world.teams.token({}, { kid: 'x' })}`,
    },
    body: '{}',
  })
  await world.teams.keys.rotate()
  expect(await heard()).toBe(401)
  let waited = 0
  while ((await heard()) === 401) {
    waited += 5
    expect(waited).toBeLessThan(60)
    await world.passes(5 * second)
  }
  expect(await heard()).toBe(200)
  figure(`a rotated key was believed after ${waited} s, though a made-up key id had just led to a look`)
})

test('a key server that is away for a day shuts nobody out', async () => {
  world.teams.keys.become('broken')
  for (let passed = 0; passed < 24; passed++) {
    await world.passes(hour)
    expect(await heard()).toBe(200)
  }
  expect(world.bot().log.filter(({ event }) => event === 'keys.unavailable')).not.toEqual([])
  const metrics = await (await fetch(`${world.bot().probes}/metrics`)).text()
  const age = Number(/^vaultlink_signing_keys_age_seconds (\S+)$/m.exec(metrics)?.[1])
  expect(age).toBeGreaterThanOrEqual(86_400)
  world.teams.keys.become('up')
  figure(
    `24 messages in 24 hours without a key server: all accepted; the keys were ${(age / 3_600).toFixed(0)} h old`,
  )
})

test('a bot that starts without a key server says so, lives, and works once it is there', async () => {
  world.teams.keys.become('broken')
  await world.restart()
  expect(await heard()).toBe(503)
  expect((await fetch(`${world.bot().probes}/healthz`)).status).toBe(200)
  expect(await (await fetch(`${world.bot().probes}/metrics`)).text()).toContain(
    'vaultlink_refusals_total{reason="no keys"} 1',
  )
  world.teams.keys.become('up')
  await world.passes(second)
  expect(await heard()).toBe(200)
})
