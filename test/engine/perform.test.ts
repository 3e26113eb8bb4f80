/** Looks that overlap, taken in by the real journal on a real store; Azure answers when it is told to. */
import { afterEach, expect, test } from '@jest/globals'
import { createJournal } from '../../src/engine/journal.ts'
import { createPerformer } from '../../src/engine/perform.ts'
import type { Azure, Row, Store } from '../../src/engine/ports.ts'
import type { Link, LinkId, Seen } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { at, connection, hour, limits, onVault, own } from '../link/given.ts'

let store: Store | undefined
afterEach(() => store?.close())

const works = { own: own({ status: 'Approved' }), connections: onVault(connection('Approved')) }
const undone = { own: own({ status: 'Disconnected' }), connections: onVault(connection('Disconnected')) }
type Shown = Pick<Seen, 'own' | 'connections'>

/** A link as it stands, and looks at it that end when they are answered. */
async function ground(before: Link) {
  const kept = await openStore({ url: ':memory:' })
  store = kept
  let now = before.moved
  const clock = { now: () => now, until: async () => undefined }
  const journal = createJournal({ store: kept, clock, limits, wake: () => undefined })
  const { link } = await journal.ask(before.asked)
  const { id } = link
  await kept.transact(id, [], () => ({
    change: { facts: [], link: { ...before, id }, due: now },
    result: undefined,
  }))
  const unanswered: ((shown: Shown) => void)[] = []
  const observe: Azure['observe'] = (watches) => {
    const began = now
    return new Promise((resolve) => {
      unanswered.push((shown) =>
        resolve(
          new Map<LinkId, Seen>(watches.map((watch) => [watch.id, { at: began, rivals: [], ...shown }])),
        ),
      )
    })
  }
  const performed: string[] = []
  const perform: Azure['perform'] = async ({ effect }) => {
    performed.push(effect)
    return { is: 'done' }
  }
  const unused = async (): Promise<never> => {
    throw new Error('Nothing but looks')
  }
  const performer = createPerformer({
    store: kept,
    clock,
    journal,
    azure: { observe, perform },
    access: { may: unused, botMay: unused },
    messenger: { deliver: unused },
    router: unused,
    sendLimits: { take: unused, throttled: unused },
    limits,
    log: () => undefined,
    crashPoint: () => undefined,
  })
  const row = async (): Promise<Row> => {
    const found = await kept.get(id)
    if (!found) throw new Error('The link is gone')
    return found
  }
  return {
    row,
    performer,
    performed,
    holds: () => kept.claim('bot', now, hour, 1),
    /** Begins a look; what comes back ends it. */
    async begins(): Promise<(shown: Shown) => Promise<void>> {
      const number = unanswered.length
      const ended = performer.look(await row())
      while (unanswered.length === number) await new Promise(setImmediate)
      return async (shown) => {
        unanswered[number]?.(shown)
        await ended
      }
    },
    passes: (ms: number) => {
      now += ms
    },
  }
}

test('where a look takes longer than it is fresh, what it took is known, and the approval goes out', async () => {
  const { begins, holds, passes, performer, performed, row } = await ground(at('Approving'))
  passes(1_000)
  const look = await begins()
  passes(limits.freshLookMs + 1_000)
  const waiting = connection()
  await look({ own: own(), connections: onVault(waiting) })
  await holds()
  const step = { step: 'approve', connection: waiting } as const
  await performer.act(await row(), step, 'bot')
  expect(performed).toEqual([])
  await performer.act({ ...(await row()), lookTookMs: limits.freshLookMs + 1_000 }, step, 'bot')
  expect(performed).toEqual(['approve'])
})

test('the older of two looks is answered last: what the newer one showed stands', async () => {
  const { begins, passes, row } = await ground(at('Disconnected'))
  passes(1_000)
  const older = await begins()
  passes(1_000)
  const newer = await begins()
  await newer(works)
  passes(1_000)
  await older(undone)
  const { link, lookedAt } = await row()
  expect(link.stage.status).toBe('Approved')
  expect(link.news.filter(({ news }) => news === 'disconnected')).toHaveLength(1)
  expect(lookedAt).toBe(at('Disconnected').moved + 2_000)
})

test('a clock that was set back since makes no look an older one', async () => {
  const { begins, passes, row } = await ground(at('Disconnected'))
  await (await begins())(undone)
  passes(-hour)
  await (await begins())(works)
  expect((await row()).link.seen?.own).toMatchObject({ value: { status: 'Approved' } })
})
