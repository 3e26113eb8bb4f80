/** The clients' own asking for a token in advance, which nobody waits for, must never fail. */

import type { AccessToken } from '@azure/identity'
import { expect, test } from '@jest/globals'
import { keepingTokens } from '../../src/azure/keptToken.ts'

const scope = 'https://management.azure.com/.default'
const minute = 60_000

function tokens(...given: readonly (AccessToken | Error)[]) {
  const left = [...given]
  return keepingTokens({
    async getToken() {
      const next = left.shift()
      if (next instanceof Error) throw next
      return next ?? null
    },
  })
}
const living = (token: string, ms: number): AccessToken => ({ token, expiresOnTimestamp: Date.now() + ms })

test('a token that still holds is brought while no newer one can be had, and its end is told earlier', async () => {
  const credential = tokens(living('first', 60 * minute), new Error('away'), living('second', 60 * minute))
  const first = await credential.getToken(scope)
  expect(first?.expiresOnTimestamp).toBeLessThanOrEqual(Date.now() + 57 * minute)
  expect(await credential.getToken(scope)).toEqual(first)
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
