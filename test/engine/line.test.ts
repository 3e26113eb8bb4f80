/** Links that ask for the same gate again and again, by the real journal on a real store. */
import { afterEach, expect, test } from '@jest/globals'
import { gateKey } from '../../src/engine/gates.ts'
import { createJournal } from '../../src/engine/journal.ts'
import type { Store } from '../../src/engine/ports.ts'
import type { Link } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { at, limits, minute, second } from '../link/given.ts'

let store: Store | undefined
afterEach(() => store?.close())

const placeMs = 15 * second
const { asked } = at('Requested')

/** Links of one SignalR, all held by one worker. `tries`: a link would be made, and meets the gate. */
async function ground() {
  const kept = await openStore({ url: ':memory:' })
  store = kept
  let now = asked.at
  const clock = { now: () => now, until: async () => undefined }
  const journal = createJournal({ store: kept, clock, limits, wake: () => undefined })
  const links: Link[] = []
  for (const name of ['kv-first', 'kv-second', 'kv-third'])
    links.push((await journal.ask({ ...asked, name, vault: asked.vault.replace(/[^/]+$/, name) })).link)
  await kept.claim('worker', now, 60 * minute, links.length)
  const [first, second, third] = links
  if (!first || !second || !third) throw new Error('There are three links')
  const key = gateKey(first, 'put')
  return {
    first,
    second,
    third,
    async tries({ id }: Link): Promise<string> {
      const intended = await journal.intend(
        id,
        'worker',
        () => ({ fact: 'intended', effect: 'put', at: now }),
        { key, until: now + 15 * minute, placeMs },
        { lookedAt: undefined },
      )
      return intended.is === 'busy' ? `busy, ${intended.isNext ? 'next' : 'not next'}` : intended.is
    },
    /** What was written is seen settled. */
    async leaves({ id }: Link): Promise<void> {
      await journal.record(id, [], { gates: [key], release: () => [key] })
    },
    passes(ms: number): void {
      now += ms
    },
  }
}

test('whoever met a busy gate first is let in first, however often others ask', async () => {
  const { first, second, third, tries, leaves } = await ground()
  expect(await tries(first)).toBe('intended')
  expect(await tries(second)).toBe('busy, next')
  await leaves(first)
  expect(await tries(third)).toBe('busy, not next')
  expect(await tries(first)).toBe('busy, not next')
  expect(await tries(second)).toBe('intended')
  expect(await tries(third)).toBe('busy, next')
  await leaves(second)
  expect(await tries(third)).toBe('intended')
})

test('whoever is inside goes on, whoever waits', async () => {
  const { first, second, tries } = await ground()
  expect(await tries(first)).toBe('intended')
  expect(await tries(second)).toBe('busy, next')
  expect(await tries(first)).toBe('intended')
})

test('a place in line is kept by asking again, and lost by staying away', async () => {
  const { first, second, third, tries, leaves, passes } = await ground()
  expect(await tries(first)).toBe('intended')
  expect(await tries(second)).toBe('busy, next')
  passes(placeMs - 1)
  expect(await tries(second)).toBe('busy, next')
  passes(placeMs - 1)
  await leaves(first)
  expect(await tries(third)).toBe('busy, not next')
  passes(1)
  expect(await tries(third)).toBe('intended')
})
