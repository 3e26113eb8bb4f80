/** The signing keys, from the local Teams that publishes them, by a clock that is turned. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startTeams, type Teams } from '../../sandbox/teams/server.ts'
import { createSigningKeys, NoKeys, type SigningKeys } from '../../src/teams/keys.ts'
import { closeAll, headed, startPeer } from '../azure/world.ts'

const second = 1_000
const hour = 3_600 * second
let teams: Teams
let keys: SigningKeys
let now: number
const events: string[] = []
/** The id that signs now. */
let kid = 'teams'

beforeAll(async () => {
  teams = await startTeams({ signed: true })
  // The keys are made.
  await teams.token()
})
afterAll(() => teams.close())
afterEach(closeAll)
beforeEach(() => {
  become('up')
  now = Date.now()
  events.length = 0
  keys = createSigningKeys({
    openIdMetadataUrl: teams.openIdUrl,
    now: () => now,
    log: (_level, event) => events.push(event),
    // A machine however busy must not make a service that answers one that hangs.
    deadline: () => (hung ? AbortSignal.timeout(20) : AbortSignal.timeout(60_000)),
  })
})
let hung = false
const become = (state: 'up' | 'broken' | 'hung' | 'empty'): void => {
  hung = state === 'hung'
  teams.keys.become(state)
}
/** How many requests to the key service something takes: two for each look. */
async function asking(act: () => Promise<unknown>): Promise<number> {
  const before = teams.keys.asked()
  await act()
  return teams.keys.asked() - before
}
const many = <T>(times: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: times }, (_, index) => act(index)))

describe('while the service answers', () => {
  test('a hundred at once ask it once, and later ones not at all', async () => {
    expect(await asking(() => many(100, () => keys.find(kid)))).toBe(2)
    expect(await asking(() => many(100, () => keys.find(kid)))).toBe(0)
    expect((await keys.find(kid))?.endorsements).toContain('msteams')
    expect((await keys.find('other-channels'))?.endorsements).not.toContain('msteams')
  })

  test('after an hour it is asked again, and nobody waits for it', async () => {
    await keys.find(kid)
    now += hour
    become('hung')
    expect(await asking(() => many(100, () => keys.find(kid)))).toBeLessThanOrEqual(1)
    expect(keys.ageMs()).toBe(hour)
  })

  test('a rotated key is believed within a minute, and the old one no longer', async () => {
    const old = kid
    await keys.find(old)
    now += hour / 2
    kid = await teams.keys.rotate()
    expect(await keys.find(kid)).toBeDefined()
    expect(await keys.find(old)).toBeUndefined()
    // Even when a made-up id has just led to a look.
    now += hour / 2
    await keys.find('made up')
    kid = await teams.keys.rotate()
    expect(await keys.find(kid)).toBeUndefined()
    now += 59 * second
    expect(await keys.find(kid)).toBeDefined()
  })

  test('a clock that is set back by a day keeps no key for a day longer', async () => {
    await keys.find(kid)
    now -= 24 * hour
    await keys.find(kid)
    while (keys.ageMs() !== 0) await new Promise(setImmediate)
  })

  test('a flood of made-up ids leads to a look in 20 seconds', async () => {
    await keys.find(kid)
    now += hour / 2
    const flood = () => many(1_000, (index) => keys.find(`made up ${now} ${index}`))
    expect(await asking(flood)).toBe(2)
    now += 19 * second
    expect(await asking(flood)).toBe(0)
    now += second
    expect(await asking(flood)).toBe(2)
  })
})

describe('while it does not', () => {
  test.each(['broken', 'hung', 'empty'] as const)('it is %s for a day: the old keys go on', async (state) => {
    await keys.find(kid)
    become(state)
    for (let passed = 0; passed < 24; passed++) {
      now += hour
      expect(await keys.find(kid)).toBeDefined()
      expect(await keys.find('made up')).toBeUndefined()
    }
    expect(new Set(events)).toEqual(new Set(['keys.unavailable']))
    become('up')
    await keys.refresh()
    expect(keys.ageMs()).toBe(0)
  })

  test('after five days they are believed no more', async () => {
    await keys.find(kid)
    become('broken')
    now += 5 * 24 * hour
    await expect(keys.find(kid)).rejects.toThrow(NoKeys)
  })

  test.each(['broken', 'hung', 'empty'] as const)(
    'it is %s from the start: nobody, until it is back',
    async (state) => {
      become(state)
      const looks = await asking(async () => {
        const all = await Promise.allSettled(Array.from({ length: 100 }, () => keys.find(kid)))
        expect(all.every((one) => one.status === 'rejected' && one.reason instanceof NoKeys)).toBe(true)
      })
      expect(looks).toBeLessThanOrEqual(2)
      become('up')
      // At once it is not asked again; in a second it is.
      await expect(keys.find(kid)).rejects.toThrow(NoKeys)
      now += second
      expect(await keys.find(kid)).toBeDefined()
    },
  )

  test('it asks to wait: it is not asked before, unless the clock is set back meanwhile', async () => {
    const { url, requests } = await startPeer((_request, response) =>
      headed(response, 503, { 'retry-after': '30' }).end(),
    )
    const busy = createSigningKeys({ openIdMetadataUrl: url, now: () => now, log: () => undefined })
    const asks = () => expect(busy.find(kid)).rejects.toThrow(NoKeys)
    await asks()
    now += 29 * second
    await asks()
    expect(requests).toHaveLength(1)
    now -= 24 * hour
    await asks()
    expect(requests).toHaveLength(2)
  })

  test('an address where nobody listens is the same', async () => {
    const nowhere = createSigningKeys({
      openIdMetadataUrl: 'http://127.0.0.1:1/',
      now: () => now,
      log: () => undefined,
    })
    await expect(nowhere.find(kid)).rejects.toThrow(NoKeys)
  })
})
