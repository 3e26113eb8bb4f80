/** The audit log's head in the bot's own log: real store, real journal, and a clock that is turned. */
import { afterEach, expect, test } from '@jest/globals'
import { turnableClock } from '../../src/clock.ts'
import { type Anchor, startAnchor } from '../../src/engine/anchor.ts'
import { createJournal } from '../../src/engine/journal.ts'
import type { Log, Store } from '../../src/engine/ports.ts'
import { begin } from '../../src/link/fold.ts'
import { openStore } from '../../src/store/openStore.ts'
import {
  connection,
  facts,
  histories,
  hour,
  limits,
  looked,
  minute,
  noon,
  onVault,
  own,
  timed,
  vaultOwners,
} from '../link/given.ts'

let store: Store
let anchor: Anchor
afterEach(async () => {
  await anchor.stop()
  await store.close()
})

/** A link that waits for its owner, and an anchor that has said its first head. */
async function pending() {
  store = await openStore({ url: ':memory:' })
  const clock = turnableClock(noon + hour - Date.now())
  const said: string[] = []
  let heard = (): void => undefined
  const log: Log = (level, event, fields, error) => {
    said.push(`${level} ${event} ${error instanceof Error ? error.message : fields?.head}`)
    heard()
  }
  const until = async (count: number): Promise<void> => {
    while (said.length < count)
      await new Promise<void>((resolve) => {
        heard = resolve
      })
  }
  anchor = startAnchor({ store, clock, everyMs: hour, log })
  const journal = createJournal({ store, clock, limits, wake: () => undefined, onDecision: anchor.say })
  const [request, ...rest] = facts(...histories.Pending)
  if (request?.fact !== 'asked') throw new Error('A history begins with the request')
  await store.create({ facts: [request], link: begin(request), due: noon })
  await journal.record('link-1', rest)
  await until(1)
  const turn = async (): Promise<void> => {
    // Whoever has just said the head must be waiting again before the time has come.
    await new Promise(setImmediate)
    clock.turn(hour)
  }
  return { turn, journal, said, until }
}

const newest = async (): Promise<string> => {
  const { n, head } = await store.head()
  return `info audit.head ${n}:${head}`
}

test('is said at the start, at each interval, and at the end; not for what is no decision', async () => {
  const { turn, said, until } = await pending()
  expect(said).toEqual([expect.stringMatching(/^info audit\.head \d:[0-9a-f]{64}$/)])
  await turn()
  await until(2)
  await anchor.stop()
  expect(said.slice(1)).toEqual([await newest(), await newest()])
})

test('is said after a decision on the card, with the decision in it', async () => {
  const { journal, said, until } = await pending()
  const wish = {
    wish: 'approve',
    by: 'owner',
    right: { is: 'held' },
    connections: onVault(connection()),
    conversation: vaultOwners.conversation,
    needs: { is: 'present', value: 1 },
    others: [],
    freshSince: 0,
  } as const
  expect(await journal.wish('link-1', { ...wish, by: 'requester' }, 'there')).toMatchObject({ is: 'refused' })
  expect(await journal.wish('link-1', wish, 'there')).toMatchObject({ is: 'granted' })
  await until(2)
  expect(said.slice(1)).toEqual([await newest()])
  expect((await store.facts('link-1')).at(-1)).toMatchObject({ fact: 'decided', by: 'owner', from: 'there' })
})

test('is said after an approval that waits for others', async () => {
  const { journal, said, until } = await pending()
  const wish = {
    wish: 'approve',
    by: 'owner',
    right: { is: 'held' },
    connections: onVault(connection()),
    conversation: vaultOwners.conversation,
    needs: { is: 'present', value: 2 },
    others: [],
    freshSince: 0,
  } as const
  expect(await journal.wish('link-1', wish, 'there')).toMatchObject({ is: 'granted' })
  await until(2)
  expect(said.slice(1)).toEqual([await newest()])
  expect((await store.facts('link-1')).at(-1)).toMatchObject({ fact: 'endorsed', by: 'owner', from: 'there' })
})

test('is said after a decision that Azure shows', async () => {
  const { journal, said, until } = await pending()
  const approved = looked({ own: own(), connections: onVault(connection('Approved')) })
  await journal.record('link-1', [timed(approved, noon + hour + minute)])
  await until(2)
  expect(said.slice(1)).toEqual([await newest()])
})

test('that cannot be read is an error in the log, and is tried again', async () => {
  const { turn, said, until } = await pending()
  const { head } = store
  const broken = { head: async (): Promise<never> => Promise.reject(new Error('disk I/O error')) }
  Object.assign(store, broken)
  await turn()
  await until(2)
  expect(said.at(-1)).toBe('error audit.headUnread disk I/O error')
  Object.assign(store, { head })
  await turn()
  await until(3)
  expect(said.at(-1)).toBe(await newest())
})
