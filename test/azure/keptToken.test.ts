/** The clients' own asking for a token in advance, which nobody waits for, must never fail. */

import type { AccessToken } from '@azure/identity'
import { expect, test } from '@jest/globals'
import { keepingTokens } from '../../src/azure/keptToken.ts'

const scope = 'https://management.azure.com/.default'
const minute = 60_000

let now = Date.now()
let asked = 0
function tokens(...given: readonly (AccessToken | Error)[]) {
  const left = [...given]
  asked = 0
  return keepingTokens(
    {
      async getToken() {
        asked += 1
        const next = left.shift()
        if (next instanceof Error) throw next
        return next ?? null
      },
    },
    () => now,
  )
}
const living = (token: string, ms: number): AccessToken => ({ token, expiresOnTimestamp: now + ms })

test('a token that still holds is brought while no newer one can be had, and its end is told earlier', async () => {
  const credential = tokens(living('first', 60 * minute), new Error('away'), living('second', 60 * minute))
  const first = await credential.getToken(scope)
  expect(first?.expiresOnTimestamp).toBeLessThanOrEqual(now + 57 * minute)
  expect(await credential.getToken(scope)).toEqual(first)
  now += minute
  expect(await credential.getToken(scope)).toMatchObject({ token: 'second' })
})

test('after a failure nobody asks again for half a minute, but for whom the token does not do', async () => {
  const away = new Error('away')
  const credential = tokens(living('first', 60 * minute), away, away, living('new', 60 * minute), away, away)
  const brings = async (token: string) => expect(await credential.getToken(scope)).toMatchObject({ token })
  await brings('first')
  for (const _ of Array.from({ length: 10 })) await brings('first')
  expect(asked).toBe(2)
  await expect(credential.getToken(scope, { claims: '{}' })).rejects.toThrow('away')
  now += 30_000
  await brings('new')
  for (const _ of Array.from({ length: 10 })) await brings('new')
  expect(asked).toBe(5)
  // Ended, it is brought no longer.
  now += 60 * minute
  await expect(credential.getToken(scope)).rejects.toThrow('away')
})

test('a clock that is set back makes that half minute no longer', async () => {
  const credential = tokens(living('first', 60 * minute), new Error('away'), living('second', 60 * minute))
  for (const _ of Array.from({ length: 2 })) await credential.getToken(scope)
  now -= 24 * 60 * minute
  expect(await credential.getToken(scope)).toMatchObject({ token: 'second' })
})

test('one that has ended, was turned away, or is for something else is not', async () => {
  const ended = tokens(living('first', -1), new Error('away'))
  await ended.getToken(scope)
  await expect(ended.getToken(scope)).rejects.toThrow('away')
  const refused = tokens(living('first', 60 * minute), new Error('away'), new Error('away'))
  await refused.getToken(scope)
  await expect(refused.getToken(scope, { claims: '{}' })).rejects.toThrow('away')
  await expect(refused.getToken('https://graph.microsoft.com/.default')).rejects.toThrow('away')
})
