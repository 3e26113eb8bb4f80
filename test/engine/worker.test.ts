import { afterEach, describe, expect, test } from '@jest/globals'
import pg from 'pg'
import { turnableClock } from '../../src/clock.ts'
import { createJournal } from '../../src/engine/journal.ts'
import type { Performer } from '../../src/engine/perform.ts'
import type { Clock, Store } from '../../src/engine/ports.ts'
import { startWorker, type Worker } from '../../src/engine/worker.ts'
import { fold } from '../../src/link/fold.ts'
import type { Fact, Limits } from '../../src/link/link.ts'
import { viewSchema } from '../../src/link/views.ts'
import { openStore } from '../../src/store/openStore.ts'
import { type FreshDatabase, freshDatabase } from '../postgres/database.ts'
import { type Line, lineTo } from '../postgres/line.ts'

const limits: Limits = {
  expiryMs: 7 * 86_400_000,
  usualProvisioningMs: 900_000,
  usualPropagatingMs: 1_800_000,
  alarmMs: 900_000,
  freshDecisionMs: 900_000,
  firstLookMs: 2_000,
  longestLookMs: 60_000,
  restLookMs: 86_400_000,
  hintMs: 10_000,
  settleMs: 30_000,
  freshLookMs: 5_000,
  pinMs: 10_000,
}
const subscription = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contoso/providers'
const place = {
  conversation: '19:general@thread.tacv2;messageid=1',
  serviceUrl: 'http://127.0.0.1/teams/',
  kind: 'channel',
} as const

let worker: Worker | undefined
let store: Store | undefined
let database: FreshDatabase | undefined
let line: Line | undefined
afterEach(async () => {
  await worker?.stop()
  await store?.close()
  await line?.close()
  await database?.remove()
  line = undefined
  database = undefined
})

/** A worker on a real store; what it would do is noted, and everything in Azure and Teams stays silent. */
async function atWork(
  links: number,
  performer: Partial<Performer> = {},
  around: (store: Store) => Partial<Store> = () => ({}),
  url = ':memory:',
  before: (store: Store, now: number) => Promise<unknown> = async () => undefined,
) {
  const kept = await openStore({ url })
  const opened = { ...kept, ...around(kept) }
  store = opened
  const turnable = turnableClock(0)
  let waits = 0
  let mostWaits = 0
  const clock: Clock = {
    now: turnable.now,
    set: turnable.set,
    async until(at, signal) {
      mostWaits = Math.max(mostWaits, ++waits)
      await turnable.until(at, signal)
      waits--
    },
  }
  const journal = createJournal({ store: opened, clock, limits, wake: () => worker?.wake() })
  for (let number = 0; number < links; number++) {
    await journal.ask({
      by: 'somebody',
      signalr: `${subscription}/Microsoft.SignalRService/SignalR/signalr-${number}`,
      vault: `${subscription}/Microsoft.KeyVault/vaults/vault-${number}`,
      name: 'kv-vault',
      thread: place,
      owners: { place, because: { is: 'default' } },
    })
  }
  await before(kept, clock.now())
  const acted: string[] = []
  const logged: string[] = []
  worker = startWorker({
    store: opened,
    clock,
    journal,
    limits,
    leaseMs: 30_000,
    log: (_level, event) => void logged.push(event),
    performer: {
      act: async ({ link }) => {
        acted.push(link.id)
        return clock.now() + 60_000
      },
      tell: async () => clock.now() + 60_000,
      look: async () => undefined,
      ...performer,
    },
  })
  return { acted, logged, turnable, mostWaits: () => mostWaits, waits: () => waits }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

describe('the worker', () => {
  test('waits with one timer, however many links wait', async () => {
    const { acted, mostWaits, waits } = await atWork(200)
    await until(() => new Set(acted).size === 200 && waits() === 1)
    expect(mostWaits()).toBe(1)
  })

  test('comes again when the time has come, and not before', async () => {
    const { acted, turnable, waits } = await atWork(1)
    await until(() => acted.length === 1 && waits() === 1)
    turnable.turn(61_000)
    await until(() => acted.length === 2)
    expect(acted).toHaveLength(2)
  })

  test('comes again in time though the clock is set back by a day, whatever it has waited for', async () => {
    const { acted, logged, turnable, waits } = await atWork(20)
    await until(() => acted.length === 20 && waits() === 1)
    turnable.jump(-86_400_000)
    await until(() => logged.includes('clock.setBack') && waits() === 1)
    turnable.turn(61_000)
    await until(() => acted.length >= 40)
    expect(new Set(acted.slice(20, 40)).size).toBe(20)
  })

  test('writes down that a time has come while Azure asks to wait, and does not ask for the record again and again', async () => {
    const minute = 60_000
    let claims = 0
    let mostClaims = Number.POSITIVE_INFINITY
    const { acted, turnable, waits } = await atWork(
      1,
      {
        act: async ({ link }) => {
          acted.push(link.id)
          return link.asked.at + 20 * minute
        },
      },
      (kept) => ({
        claim: (...how) => {
          claims += 1
          // Where it never lets go of the thread, the test could not even fail.
          if (claims > mostClaims) throw new Error('asked for again and again')
          return kept.claim(...how)
        },
      }),
    )
    await until(() => acted.length > 0 && waits() === 1)
    const [id = ''] = acted
    turnable.turn(15 * minute - 1_000)
    await until(() => waits() === 1)
    // Nobody can be told any more, and another's look of the same link, which Azure answered, asks for no step.
    const cause = { cause: 'refused', code: 'RequestDisallowedByPolicy', message: '' } as const
    const now = turnable.now()
    const seen = {
      at: now,
      own: { is: 'absent' },
      rivals: [],
      connections: { is: 'hidden', cause },
    } as const
    await store?.transact(id, [], ({ link }) => ({
      change: {
        facts: [],
        link: [
          { fact: 'gone', place: 'thread', at: now } as const,
          { fact: 'gone', place: 'requester', at: now } as const,
          { fact: 'gone', place: 'owners', at: now } as const,
          { fact: 'observed', seen, at: now } as const,
        ].reduce(fold, link),
        due: now + 500,
        lookedAt: now,
      },
      result: undefined,
    }))
    mostClaims = claims + 20
    turnable.turn(1_000)
    for (let turn = 0; turn < 1_000 && claims <= mostClaims; turn++) {
      if ((await store?.get(id))?.link.late) break
      await new Promise(setImmediate)
    }
    expect((await store?.get(id))?.link.late).toBe(true)
    expect(claims).toBeLessThanOrEqual(mostClaims)
  })

  test('does what a look asks for, however long the look took', async () => {
    const steps: string[] = []
    const { turnable, waits } = await atWork(1, {
      act: async ({ link: { id } }, { step }) => {
        if (steps.push(step) > 5 || step !== 'look') return Number.MAX_SAFE_INTEGER
        const began = turnable.now()
        turnable.turn(limits.freshLookMs + 1_000)
        const connections = { is: 'present', value: [] } as const
        const seen = { at: began, own: { is: 'absent' }, rivals: [], connections } as const
        await store?.transact(id, [], ({ link }) => ({
          change: {
            facts: [],
            link: fold(link, { fact: 'observed', seen, at: turnable.now() }),
            due: turnable.now(),
            lookedAt: began,
          },
          result: undefined,
        }))
        return undefined
      },
    })
    await until(() => steps.length > 1 && waits() === 1)
    expect(steps).toEqual(['look', 'put'])
  })

  test('comes for what falls due while it writes down that a message waits', async () => {
    const steps: string[] = []
    let turn: (() => void) | undefined
    const { turnable } = await atWork(
      1,
      {
        tell: async () => turnable.now() + 300_000,
        act: async ({ link: { id, asked } }, { step }) => {
          const at = turnable.now()
          const [name, connections] = [asked.name, { is: 'present', value: [] } as const]
          const made = {
            id: `${asked.signalr}/sharedPrivateLinkResources/${name}`,
            name,
            target: asked.vault,
            requestMessage: `[vaultlink ${asked.nonce}]`,
            provisioningState: 'Creating',
            status: 'Pending',
          } as const
          const own = steps.includes('put')
            ? ({ is: 'present', value: made } as const)
            : { is: 'absent' as const }
          const seen = { at, own, rivals: [], connections }
          const put: readonly Fact[] = [
            { fact: 'intended', effect: 'put', at },
            { fact: 'done', effect: 'put', at },
          ]
          const facts: readonly Fact[] = step === 'put' ? put : [{ fact: 'observed', seen, at }]
          await store?.transact(id, [], ({ link }) => ({
            change: { facts: [], link: facts.reduce(fold, link), due: at, lookedAt: at },
            result: undefined,
          }))
          steps.push(step)
          // When the endpoint is being made it looks again in a while, which passes before the record is given back.
          if (steps.length === 3) turn = () => turnable.turn(60_000)
          return steps.length > 3 ? Number.MAX_SAFE_INTEGER : undefined
        },
      },
      (kept) => ({
        transact(...asked) {
          turn?.()
          turn = undefined
          return kept.transact(...asked)
        },
      }),
    )
    await until(() => steps.length > 3)
    expect(steps).toEqual(['look', 'put', 'look', 'look'])
  })

  test('sets aside a link that cannot be worked on, and goes on with the others', async () => {
    let broken: string | undefined
    const { acted, logged } = await atWork(3, {
      act: async ({ link }) => {
        broken ??= link.id
        if (link.id === broken) throw new Error('a defect')
        acted.push(link.id)
        return Number.MAX_SAFE_INTEGER
      },
    })
    await until(() => new Set(acted).size === 2 && logged.includes('link.failed'))
    expect(acted).not.toContain(broken)
  })

  test('leaves a record that a turn takes over in the midst of its work, until the turn gives it back', async () => {
    const acted: string[] = []
    let finish: (() => void) | undefined
    const { turnable } = await atWork(1, {
      act: async ({ link }) => {
        acted.push(link.id)
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        return undefined
      },
    })
    await until(() => finish !== undefined)
    const [id = ''] = acted
    const hold = { holder: 'turn', until: turnable.now() + 60_000 }
    const never = Number.MAX_SAFE_INTEGER
    await store?.transact(id, [], ({ link }) => ({
      change: { facts: [], link, due: never, hold },
      result: undefined,
    }))
    finish?.()
    // Whoever leaves a record reckons when it is due again.
    while ((await store?.get(id))?.due === never && acted.length === 1) await new Promise(setImmediate)
    expect(acted).toHaveLength(1)
    await store?.release(id, 'turn')
    worker?.wake()
    await until(() => acted.length === 2)
    finish?.()
  })

  test('tells nothing twice when a record that was read earlier arrives later', async () => {
    const told: string[] = []
    const reading = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    let acted = false
    const { turnable } = await atWork(
      1,
      {
        act: async () => {
          acted = true
          return turnable.now() + 60_000
        },
        tell: async ({ link }, { post, digest }) => {
          told.push(post)
          // Azure's lane has ended, and the record is read again while this message is still on its way.
          await reading.promise
          const posted = {
            fact: 'posted',
            at: 1,
            post,
            digest,
            schema: viewSchema,
            ...place,
            activity: '1',
          } as const
          await store?.transact(link.id, [], (row) => ({
            change: { facts: [posted], link: fold(row.link, posted), due: undefined },
            result: undefined,
          }))
          setImmediate(written.resolve)
          return undefined
        },
      },
      (kept) => ({
        async get(id) {
          const row = await kept.get(id)
          if (acted) reading.resolve()
          if (acted) await written.promise
          return row
        },
      }),
    )
    await written.promise
    const [link] = (await store?.list({}, 1)) ?? []
    // Given back: nothing is left to do.
    while ((await store?.get(link?.id ?? ''))?.lease) await new Promise(setImmediate)
    expect(told).toEqual(['status'])
  })

  test('waits for a due record that somebody else has locked, and does not ask for it without a pause', async () => {
    database = await freshDatabase()
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    await other.query('begin')
    let claims = 0
    const { acted, turnable, waits } = await atWork(
      1,
      {},
      (kept) => ({
        async claim(...asked) {
          if (claims++ === 0) await other.query('select id from links for update')
          return kept.claim(...asked)
        },
      }),
      database.url,
    )
    // Without a pause there is no moment at which it only waits.
    await until(() => claims > 9 || (claims > 0 && waits() === 1))
    await other.end()
    expect(claims).toBeLessThan(9)
    turnable.turn(1_000)
    await until(() => acted.length === 1)
  })

  test('leaves a record, after an outage in which its lease ended, to its holder for a moment', async () => {
    database = await freshDatabase()
    line = await lineTo(database.url)
    let [claimed, answers] = [0, 0]
    const { acted, logged, turnable, waits } = await atWork(
      1,
      {},
      (kept) => ({
        async claim(...asked) {
          const [row] = await kept.claim(...asked)
          if (row) claimed += 1
          return row ? [row] : []
        },
        async nextDue() {
          const due = await kept.nextDue()
          answers += 1
          return due
        },
      }),
      line.url,
      // Before the worker is there, another instance takes it.
      (kept, now) => kept.claim('another', now, 30_000, 1),
    )
    await until(() => answers > 0 && waits() === 1)
    line.become('refused')
    turnable.turn(31_000)
    await until(() => logged.includes('store.unavailable') && waits() === 1)
    line.become('open')
    const before = answers
    turnable.turn(2_000)
    await until(() => answers > before && waits() === 1)
    expect(claimed).toBe(0)
    turnable.turn(3_000)
    await until(() => acted.length === 1)
  })

  test('stops only when what is under way has ended', async () => {
    let finish: (() => void) | undefined
    let ended = false
    await atWork(1, {
      act: async () => {
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        ended = true
        return undefined
      },
    })
    await until(() => finish !== undefined)
    const stopped = worker?.stop()
    setImmediate(() => finish?.())
    await stopped
    expect(ended).toBe(true)
  })

  test('holds on to what is under way while it stops, however long that takes, and takes nothing new', async () => {
    let finish: (() => void) | undefined
    let claims = 0
    const { turnable } = await atWork(
      1,
      {
        act: async () => {
          await new Promise<void>((resolve) => {
            finish = resolve
          })
          return undefined
        },
      },
      (kept) => ({
        claim(...asked) {
          claims += 1
          return kept.claim(...asked)
        },
      }),
    )
    await until(() => finish !== undefined)
    const before = claims
    const stopped = worker?.stop()
    const [link] = (await store?.list({}, 1)) ?? []
    const leaseEnd = async () => (await store?.get(link?.id ?? ''))?.lease?.until ?? 0
    const first = await leaseEnd()
    for (let third = 0; third < 4; third++) {
      const held = await leaseEnd()
      turnable.turn(10_000)
      for (let tries = 0; tries < 1_000 && (await leaseEnd()) === held; tries++)
        await new Promise(setImmediate)
    }
    const [claimsSince, end] = [claims - before, await leaseEnd()]
    finish?.()
    await stopped
    expect((await store?.get(link?.id ?? ''))?.lease).toBeUndefined()
    expect(turnable.now()).toBeGreaterThan(first)
    expect(end).toBeGreaterThan(turnable.now())
    expect(claimsSince).toBe(0)
  })
})
