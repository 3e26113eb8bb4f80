import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openStore } from '../../src/store/openStore.ts'
import { type FreshDatabase, freshDatabase } from '../postgres/database.ts'

let database: FreshDatabase
beforeEach(async () => {
  database = await freshDatabase()
})
afterEach(() => database.remove())

test('who is not let in hears why, and the password is not repeated', async () => {
  const url = new URL(database.url)
  url.password = 'hunter2'
  const refusal = await openStore({ url: url.href }).catch((error: unknown) => String(error))
  expect(refusal).toBe(
    'Error: PostgreSQL cannot be used: password authentication failed for user "vaultlink"',
  )
})
