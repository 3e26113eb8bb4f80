/** The token that the bot shows to Teams: fetched once for all, renewed in time, and used to its end while none is given. */
import { beforeEach, expect, test } from '@jest/globals'
import { kept } from '../../src/azure/credential.ts'

const hour = 3_600_000
let now: number
let fetched: number
let away: boolean
let token: () => string | Promise<string>
/** What is on its way has come. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

beforeEach(() => {
  now = 1_000_000
  fetched = 0
  away = false
  token = kept(
    async () => {
      fetched++
      if (away) throw new Error('away')
      return { token: `token ${fetched}`, expiresOnTimestamp: now + hour }
    },
    () => now,
  )
})

test('a hundred at once ask once, and later ones do not wait', async () => {
  expect(new Set(await Promise.all(Array.from({ length: 100 }, token)))).toEqual(new Set(['token 1']))
  expect(token()).toBe('token 1')
  expect(fetched).toBe(1)
})

test('after half of its time the next is fetched, and nobody waits for it', async () => {
  await token()
  now += hour / 2
  expect([token(), token()]).toEqual(['token 1', 'token 1'])
  await settled()
  expect(token()).toBe('token 2')
  expect(fetched).toBe(2)
})

test('while none is given the old one is shown to its end, and asked for again after half a minute', async () => {
  await token()
  away = true
  now += hour / 2
  expect(token()).toBe('token 1')
  await settled()
  expect(token()).toBe('token 1')
  expect(fetched).toBe(2)
  now += 30_000
  expect(token()).toBe('token 1')
  await settled()
  expect(fetched).toBe(3)
  now += hour
  await expect(token()).rejects.toThrow('away')
  away = false
  expect(await token()).toBe('token 5')
})

test('a failure without a token is heard by all who wait, and the next asks anew', async () => {
  away = true
  const heard = await Promise.allSettled(Array.from({ length: 3 }, token))
  expect(heard.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  expect(fetched).toBe(1)
  away = false
  expect(await token()).toBe('token 2')
})

test('a token that ends while the next is refused is an error of nobody who does not ask', async () => {
  await token()
  away = true
  now += hour - 1
  expect(token()).toBe('token 1')
  now += 1
  await settled()
  await expect(token()).rejects.toThrow('away')
})
