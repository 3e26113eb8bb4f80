import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { KnownConversation, Owner, Row, Store } from '../../src/engine/ports.ts'
import { foldAll } from '../../src/link/fold.ts'
import type { Fact, PostKey } from '../../src/link/link.ts'
import { resourceKey } from '../../src/link/resourceId.ts'
import type { Audit } from '../../src/store/audit.ts'
import { openStore, type StoreOptions } from '../../src/store/openStore.ts'
import { databases, type Place } from './databases.ts'
import { drawFrom } from './draw.ts'
import {
  appending,
  ask,
  change,
  channel,
  minute,
  noon,
  noor,
  riley,
  signalrId,
  thread,
  unposted,
  vaultId,
} from './samples.ts'

const appender = fileURLToPath(new URL('./appender.ts', import.meta.url))
const drawer = fileURLToPath(new URL('./drawer.ts', import.meta.url))

describe.each(databases)('a store on $name', (kind) => {
  let place: Place
  let store: Store & Audit
  const children: ChildProcess[] = []
  const stores: Store[] = []

  const open = async (options: Omit<StoreOptions, 'url'> = {}) => {
    const opened = await openStore({ url: place.url, ...options })
    stores.push(opened)
    return opened
  }
  const close = async (which: Store) => {
    stores.splice(stores.indexOf(which), 1)
    await which.close()
  }
  const reopen = async (options: Omit<StoreOptions, 'url'> = {}) => {
    await close(store)
    store = await open(options)
  }
  /** Runs SQL past the store, which has to be closed meanwhile. */
  const tamper = async (...statements: string[]) => {
    await close(store)
    for (const statement of statements) await place.sql(statement)
    store = await open()
  }
  const append = (link: string, count: number, ...more: string[]) => {
    const child = spawn(process.execPath, [appender, place.url, link, String(count), ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }
  const draw = (count: string) => {
    const child = spawn(process.execPath, [drawer, place.url, count], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    return child
  }
  const drawn = async (child: ChildProcess): Promise<readonly number[]> => {
    const moments: number[] = []
    if (child.stdout)
      for await (const line of createInterface({ input: child.stdout })) moments.push(Number(line))
    return moments
  }
  const row = async (id: string): Promise<Row> => {
    const found = await store.get(id)
    if (!found) throw new Error(`no link ${id}`)
    return found
  }
  const end = (id: string) =>
    store.transact(id, [], ({ link }) => ({
      change: { facts: [], link: { ...link, stage: { status: 'Removed' } }, due: undefined },
      result: undefined,
    }))
  const flaw = async () => (await store.verify()).flaw
  /** It works: nothing is left to decide. */
  const stand = (id: string) =>
    store.transact(id, [], ({ link }) => ({
      change: { facts: [], link: { ...link, stage: { status: 'Approved' } }, due: undefined },
      result: undefined,
    }))
  const ids = (links: readonly { id: string }[]) => links.map(({ id }) => id)
  const claimed = async (holder: string, now: number, most = 10) =>
    (await store.claim(holder, now, minute, most)).map((one) => one.link.id)

  beforeEach(async () => {
    place = await kind.place()
    store = await open()
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    for (const opened of stores.splice(0)) await opened.close()
    await place.remove()
  })

  describe('begins a link', () => {
    test('with its row, its facts and its gates', async () => {
      const asked = ask('one')
      const gate = { key: 'signalr', holder: 'one', until: noon + minute }
      expect(await store.create({ ...asked, lookedAt: noon - 1, take: [gate] })).toEqual({ is: 'created' })
      expect(await store.get('one')).toEqual({
        link: asked.link,
        version: 1,
        due: noon,
        lookedAt: noon - 1,
        lease: undefined,
      })
      expect(await store.facts('one')).toEqual(asked.facts)
      expect(await store.transact('one', ['signalr'], (_, gates) => ({ result: gates }))).toEqual([gate])
    })

    test('once per SignalR and vault, however their ids are spelled', async () => {
      const { link } = ask('one')
      await store.create(ask('one'))
      const other = ask('two', {
        signalr: link.asked.signalr.toUpperCase(),
        vault: link.asked.vault.replace('resourceGroups', 'resourcegroups'),
      })
      expect(
        await store.create({ ...other, take: [{ key: 'signalr', holder: 'two', until: noon }] }),
      ).toEqual({
        is: 'open',
        link,
      })
      expect(await store.get('two')).toBeUndefined()
      expect(await store.facts('two')).toEqual([])
      expect(await store.transact('one', ['signalr'], (_, gates) => ({ result: gates }))).toEqual([])
      expect(await store.open(other.link.asked.signalr, other.link.asked.vault)).toEqual(link)
    })

    test('once, when many ask at the same time', async () => {
      const answers = await Promise.all(
        ['a', 'b', 'c', 'd', 'e'].map((id) => store.create(ask(id, { vault: vaultId('one') }))),
      )
      expect(answers.filter(({ is }) => is === 'created')).toHaveLength(1)
      expect(await store.list({}, 10)).toHaveLength(1)
    })

    test('again when the first has ended', async () => {
      await store.create(ask('one', { vault: vaultId('kv') }))
      await end('one')
      expect(await store.open(signalrId('contoso-signalr'), vaultId('kv'))).toBeUndefined()
      expect(await store.create(ask('two', { vault: vaultId('kv') }))).toEqual({ is: 'created' })
      expect((await store.open(signalrId('contoso-signalr'), vaultId('kv')))?.id).toBe('two')
    })
  })

  describe('changes a link', () => {
    test('appends facts and writes the row together', async () => {
      await store.create({ ...ask('one'), lookedAt: noon })
      const facts = [unposted(noon + 1), unposted(noon + 2)]
      const result = await store.transact('one', [], ({ link, version }) => ({
        change: change(link, facts, noon + minute),
        result: version,
      }))
      expect(result).toBe(1)
      expect(await store.get('one')).toEqual({
        link: change(ask('one').link, facts).link,
        version: 3,
        due: noon + minute,
        lookedAt: noon,
        lease: undefined,
      })
      expect(await store.facts('one')).toEqual([...ask('one').facts, ...facts])
    })

    test('without facts moves only when it is due and when it was looked at', async () => {
      await store.create(ask('one'))
      await store.transact('one', [], ({ link }) => ({
        change: { facts: [], link, due: undefined, lookedAt: noon + 5 },
        result: 0,
      }))
      expect(await store.get('one')).toEqual({
        link: ask('one').link,
        version: 1,
        due: undefined,
        lookedAt: noon + 5,
        lease: undefined,
      })
    })

    test('not at all when there is nothing to write, or the work throws', async () => {
      await store.create(ask('one'))
      const before = await row('one')
      expect(await store.transact('one', [], ({ version }) => ({ result: version }))).toBe(1)
      const failing = store.transact('one', [], () => {
        throw new Error('decided otherwise')
      })
      await expect(failing).rejects.toThrow('decided otherwise')
      expect(await row('one')).toEqual(before)
    })

    test('not when it is unknown, or another was offered', async () => {
      await store.create(ask('one'))
      await expect(store.transact('two', [], appending(unposted(noon)))).rejects.toThrow('no link two')
      const mixedUp = store.transact('one', [], () => ({ change: ask('two'), result: 0 }))
      await expect(mixedUp).rejects.toThrow('offered for one')
    })

    test('not to something that would read back otherwise', async () => {
      await store.create(ask('one'))
      const before = await row('one')
      const never = store.transact('one', [], appending({ ...unposted(noon), at: Number.POSITIVE_INFINITY }))
      await expect(never).rejects.toThrow('cannot be kept')
      const neither = store.transact('one', [], ({ link }) => ({
        change: { facts: [], link: { ...link, since: Number.NaN }, due: noon },
        result: 0,
      }))
      await expect(neither).rejects.toThrow('cannot be kept')
      expect(await row('one')).toEqual(before)
    })

    test('one after the other when many do at once', async () => {
      await store.create(ask('one'))
      const turns = Array.from({ length: 40 }, (_, turn) => turn)
      const seen = await Promise.all(
        turns.map((turn) => store.transact('one', [], appending(unposted(noon + turn)))),
      )
      expect(seen.toSorted((a, b) => a - b)).toEqual(turns.map((turn) => turn + 1))
      const { link, version } = await row('one')
      expect(version).toBe(41)
      expect(link.told.status).toMatchObject({ count: 40 })
      expect(foldAll(await store.facts('one'))).toEqual(link)
      expect(await flaw()).toBeUndefined()
    })

    test('and its members keep their order, so that a digest over them outlives a restart', async () => {
      await store.create(ask('one'))
      await store.transact(
        'one',
        [],
        appending({ fact: 'followed', at: noon, by: 'z', thread: channel('a') }),
      )
      const order = JSON.stringify((await row('one')).link)
      await reopen()
      await store.transact('one', [], ({ link }) => ({ change: { facts: [], link, due: noon }, result: 0 }))
      expect(JSON.stringify((await row('one')).link)).toBe(order)
      expect(order).toBe(
        JSON.stringify(
          change(ask('one').link, [{ fact: 'followed', at: noon, by: 'z', thread: channel('a') }]).link,
        ),
      )
    })
  })

  describe('turns to gates alone', () => {
    const keys = ['bucket', 'ticket']
    const gates = () => store.gates(keys, (found) => ({ result: found }))

    test('whoever holds them, with when they were written', async () => {
      const bucket = { key: 'bucket', holder: '', until: noon + 1, at: noon }
      const ticket = { key: 'ticket', holder: 'one', until: noon }
      expect(await store.gates(keys, (found) => ({ take: [bucket, ticket], result: found }))).toEqual([])
      expect(await gates()).toEqual([bucket, ticket])
      const later = { ...bucket, until: noon + 2, at: noon + 1 }
      expect(await store.gates(keys, () => ({ take: [later], release: ['ticket'], result: 'done' }))).toBe(
        'done',
      )
      expect(await gates()).toEqual([later])
    })

    test('one after the other, even where there is none yet', async () => {
      const add = () =>
        store.gates(['bucket'], ([found]) => {
          const until = (found?.until ?? 0) + 1
          return { take: [{ key: 'bucket', holder: '', until }], result: until }
        })
      const turns = await Promise.all(Array.from({ length: 20 }, add))
      expect(turns.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    })
  })

  test('sweeps the dated gates that opened before a time, and no others', async () => {
    const gate = (key: string, until: number, at?: number) =>
      ({ key, holder: '', until, ...(at && { at }) }) as const
    const all = [gate('passed', noon, noon - 1), gate('stands', noon + 1, noon - 1), gate('write', noon)]
    const keys = all.map(({ key }) => key)
    await store.gates(keys, () => ({ take: all, result: undefined }))
    await store.sweepGates(noon + 1)
    const [, stands, write] = all
    expect(await store.gates(keys, (found) => ({ result: found }))).toEqual([stands, write])
  })

  describe('keeps gates', () => {
    const read = (link: string) =>
      store.transact(link, ['signalr', 'vault', 'other'], (_, gates) => ({ result: gates }))
    const write = (link: string, gates: { take?: string[]; release?: string[] }) =>
      store.transact(link, ['signalr', 'vault'], (found) => ({
        change: {
          ...change(found.link, []),
          take: (gates.take ?? []).map((key) => ({ key, holder: link, until: noon })),
          release: gates.release ?? [],
        },
        result: undefined,
      }))

    test('that only their holder gives back', async () => {
      await store.create(ask('one'))
      await store.create(ask('two'))
      await write('one', { take: ['vault', 'signalr'] })
      await write('two', { release: ['vault', 'signalr'] })
      expect(await read('two')).toEqual([
        { key: 'signalr', holder: 'one', until: noon },
        { key: 'vault', holder: 'one', until: noon },
      ])
      await write('one', { release: ['vault'] })
      expect(await read('two')).toEqual([{ key: 'signalr', holder: 'one', until: noon }])
      expect(await store.transact('two', ['vault'], (_, gates) => ({ result: gates }))).toEqual([])
    })

    test('that only one of many finds open at the same time', async () => {
      const all = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
      for (const id of all) await store.create(ask(id))
      const takes = (id: string, key: string) =>
        store.transact(id, ['signalr', key], ({ link }, gates) =>
          gates.length > 0
            ? { result: 'closed' }
            : { change: { ...change(link, []), take: [{ key, holder: id, until: noon }] }, result: 'taken' },
        )
      for (const key of ['vault 1', 'vault 2', 'vault 3', 'vault 4', 'vault 5']) {
        const found = await Promise.all(all.map((id) => takes(id, key)))
        expect(found.filter((one) => one === 'taken')).toHaveLength(1)
      }
    })

    test('that another takes over when the work found them free', async () => {
      await store.create(ask('one'))
      await store.create(ask('two'))
      await write('one', { take: ['vault'] })
      await write('two', { take: ['vault'] })
      await write('one', { release: ['vault'] })
      expect(await read('one')).toEqual([{ key: 'vault', holder: 'two', until: noon }])
    })
  })

  test('names what is not ended with its version, and reads many at once', async () => {
    for (const id of ['one', 'two', 'three']) await store.create(ask(id))
    await store.transact('two', [], appending(unposted(noon)))
    await store.transact('three', [], ({ link }) => ({
      change: change({ ...link, stage: { status: 'Removed' } }, []),
      result: undefined,
    }))
    const open = await store.openVersions()
    expect([...open].sort((a, b) => a.id.localeCompare(b.id))).toEqual([
      { id: 'one', version: 1 },
      { id: 'two', version: 2 },
    ])
    const rows = await store.rows(['two', 'one', 'nobody'])
    expect(rows.map(({ link }) => link.id).sort()).toEqual(['one', 'two'])
    expect(rows.find(({ link }) => link.id === 'two')).toEqual(await store.get('two'))
    expect(await store.rows([])).toEqual([])
  })

  describe('hands out due links', () => {
    beforeEach(async () => {
      await store.create(ask('late', {}, noon))
      await store.create(ask('later', {}, noon + 1))
      await store.create(ask('latest', {}, noon + 2))
      await store.create({ ...ask('never'), due: undefined })
    })

    test('in their order, as many as are wanted, none before its time', async () => {
      expect(await claimed('w', noon - 1)).toEqual([])
      expect(await claimed('w', noon + 1, 1)).toEqual(['late'])
      expect(await claimed('w', noon + 1)).toEqual(['later'])
      expect(await claimed('w', noon + minute - 1)).toEqual(['latest'])
    })

    test('to one worker at a time, until its lease ends', async () => {
      const claims = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => claimed(holder, noon + 2, 2)))
      expect(claims.flat().toSorted()).toEqual(['late', 'later', 'latest'])
      expect((await row('late')).lease).toEqual({ holder: expect.any(String), until: noon + 2 + minute })
      expect(await claimed('e', noon + 1 + minute)).toEqual([])
      expect(await claimed('e', noon + 2 + minute)).toEqual(['late', 'later', 'latest'])
      expect((await row('late')).lease).toEqual({ holder: 'e', until: noon + 2 + 2 * minute })
    })

    test('again when their holder, and nobody else, gives them back', async () => {
      await claimed('a', noon)
      await store.release('late', 'b')
      expect(await claimed('b', noon)).toEqual([])
      await store.release('late', 'a')
      expect((await row('late')).lease).toBeUndefined()
      expect(await claimed('b', noon)).toEqual(['late'])
    })

    test('longer, while their holder says so', async () => {
      await claimed('a', noon)
      expect(await store.renew(['late', 'later'], 'b', noon + 9 * minute)).toEqual([])
      expect(await store.renew(['late', 'later'], 'a', noon + 2 * minute)).toEqual(['late'])
      expect(await store.renew([], 'a', noon)).toEqual([])
      expect((await row('late')).lease).toEqual({ holder: 'a', until: noon + 2 * minute })
      expect((await row('later')).lease).toBeUndefined()
      expect(await claimed('b', noon + 2 * minute - 1)).toEqual(['later', 'latest'])
      expect(await claimed('c', noon + 2 * minute)).toEqual(['late'])
      expect(await store.renew(['late'], 'a', noon + 9 * minute)).toEqual([])
      expect((await row('late')).lease?.holder).toBe('c')
      // What is due later than that is due no sooner, and what is done is never due.
      await store.transact('late', [], ({ link }) => ({
        change: { facts: [], link, due: noon + 20 * minute },
        result: 0,
      }))
      await store.renew(['late'], 'c', noon + 10 * minute)
      expect(await claimed('d', noon + 15 * minute)).not.toContain('late')
      await end('late')
      await store.renew(['late'], 'c', noon + 10 * minute)
      expect(await claimed('d', noon + 60 * minute)).not.toContain('late')
    })

    test('not while they are held, whatever a turn makes of them', async () => {
      await claimed('a', noon)
      await store.transact('late', [], appending(unposted(noon)))
      expect((await row('late')).lease?.holder).toBe('a')
      expect(await claimed('b', noon)).toEqual([])
      await store.release('late', 'a')
      expect(await claimed('b', noon)).toEqual(['late'])
    })

    test('nor once a turn has taken one over, until it gives it back or its lease ends', async () => {
      await claimed('a', noon)
      const hold = { holder: 'turn', until: noon + 2 * minute }
      await store.transact('late', [], ({ link }) => ({
        change: { facts: [], link, due: noon, hold },
        result: 0,
      }))
      await store.release('late', 'a')
      expect((await row('late')).lease).toEqual(hold)
      expect(await claimed('b', noon)).toEqual([])
      await store.release('late', 'turn')
      expect(await claimed('b', noon)).toEqual(['late'])
      await store.transact('late', [], ({ link }) => ({
        change: { facts: [], link, due: noon, hold },
        result: 0,
      }))
      expect(await claimed('c', hold.until - 1)).toEqual(['later', 'latest'])
      expect(await claimed('c', hold.until)).toEqual(['late'])
    })

    test('and knows when the next one is', async () => {
      expect(await store.nextDue()).toBe(noon)
      await claimed('a', noon)
      expect(await store.nextDue()).toBe(noon + 1)
      await claimed('a', noon + 2)
      // All are held: the first lease to end.
      expect(await store.nextDue()).toBe(noon + minute)
      await store.transact('late', [], ({ link }) => ({
        change: { facts: [], link, due: noon + 2 * minute },
        result: 0,
      }))
      expect(await store.nextDue()).toBe(noon + 2 + minute)
      for (const id of ['late', 'later', 'latest']) {
        await store.release(id, 'a')
        await end(id)
      }
      expect(await store.nextDue()).toBeUndefined()
      expect(await claimed('a', noon + 24 * 60 * minute)).toEqual([])
    })

    test('earlier when the clock was set back; what somebody holds stays theirs', async () => {
      await claimed('a', noon)
      await store.hasten(10 * minute)
      expect(await claimed('b', noon - 10 * minute + 1)).toEqual(['later'])
      expect((await row('late')).due).toBe(noon - 10 * minute)
      expect(await claimed('b', noon - 10 * minute + 2)).toEqual(['latest'])
      await store.release('late', 'a')
      expect(await claimed('b', noon - 10 * minute)).toEqual(['late'])
      await end('latest')
      await store.hasten(minute)
      expect((await row('latest')).due).toBeUndefined()
    })

    describe('sooner after a hint', () => {
      const later = 60 * minute
      const keys = (...resources: string[]) => resources.map(resourceKey)
      /** A look that began when the row was so. */
      const looks = ({ link, hintedAt }: Row, due: number) =>
        store.transact(link.id, [], () => ({
          change: { facts: [], link, due, lookedAt: due - later, heeded: hintedAt },
          result: undefined,
        }))

      beforeEach(async () => {
        await store.create(ask('quiet', {}, noon + later))
        await store.create(ask('other', { signalr: signalrId('another') }, noon + later))
        await store.create(ask('over', {}, noon + later))
        await end('over')
        for (const id of ['late', 'later', 'latest', 'never']) await end(id)
      })

      test('on its SignalR or its vault, however that is spelled, and never when it is over', async () => {
        expect(await store.hint(keys(signalrId('unknown'), vaultId('unknown'), 'nonsense'), noon)).toBe(0)
        expect(await claimed('a', noon)).toEqual([])
        expect(await store.hint(keys(signalrId('contoso-signalr').toUpperCase()), noon)).toBe(1)
        expect(await store.nextDue()).toBe(noon)
        expect(await claimed('a', noon)).toEqual(['quiet'])
        const both = keys(vaultId('other'), vaultId('quiet'), vaultId('over'), vaultId('unknown'))
        expect(await store.hint(both, noon + 1)).toBe(2)
        expect(await claimed('b', noon + 1)).toEqual(['other'])
        expect(await store.nextDue()).toBe(noon + minute)
        expect((await store.verify()).flaw).toBeUndefined()
      })

      test('which stands until a look that began after it is written down', async () => {
        const resources = keys(vaultId('quiet'))
        await store.hint(resources, noon)
        const before = await row('quiet')
        expect(before.hintedAt).toBe(noon)
        // While the look is under way.
        await store.hint(resources, noon)
        await looks(before, noon + later)
        expect((await row('quiet')).hintedAt).toBeGreaterThan(noon)
        await looks(await row('quiet'), noon + later)
        expect(await row('quiet')).toMatchObject({ hintedAt: undefined, due: noon + later })
      })

      test('and a second one makes nobody come again who comes already', async () => {
        await store.hint(keys(vaultId('quiet')), noon)
        await store.transact('quiet', [], ({ link }) => ({
          change: { facts: [], link, due: noon + 10 },
          result: undefined,
        }))
        expect(await store.hint(keys(vaultId('quiet')), noon + 1)).toBe(1)
        expect(await store.nextDue()).toBe(noon + 10)
      })
    })

    test('but leaves alone what a newer version wrote', async () => {
      await tamper(`update links set schema = 3 where id = 'late'`)
      const events: string[] = []
      await reopen({ log: (level, event) => events.push(`${level} ${event}`) })
      expect(await store.nextDue()).toBe(noon + 1)
      expect(await claimed('w', noon + minute)).toEqual(['later', 'latest'])
      await expect(store.get('late')).rejects.toThrow('newer version')
      await expect(store.transact('late', [], appending(unposted(noon)))).rejects.toThrow('newer version')
      expect(ids(await store.list({}, 10)).toSorted()).toEqual(['later', 'latest', 'never'])
      expect(events).toEqual(['warn store.unreadable'])
    })
  })

  describe('lists links', () => {
    test('newest first, as many as are wanted, by asker, vault, and whether they have ended', async () => {
      await store.create(ask('one', { at: noon }))
      await store.create(ask('three', { at: noon + 3, by: 'noor' }))
      await store.create(ask('two', { at: noon + 2 }))
      await end('two')
      expect(ids(await store.list({}, 10))).toEqual(['three', 'two', 'one'])
      expect(ids(await store.list({}, 2))).toEqual(['three', 'two'])
      expect(ids(await store.list({ by: 'riley' }, 10))).toEqual(['two', 'one'])
      expect(ids(await store.list({ by: 'riley', ended: false }, 10))).toEqual(['one'])
      expect(ids(await store.list({ ended: true }, 10))).toEqual(['two'])
      expect(ids(await store.list({ vault: vaultId('THREE') }, 10))).toEqual(['three'])
    })

    test('by the conversations and channels in which they are asked and decided', async () => {
      const inConversation = async (conversation: string) => ids(await store.list({ conversation }, 10))
      await store.create(ask('one', { thread: thread('general', '1') }))
      await store.create(
        ask('two', {
          at: noon + 1,
          thread: thread('general', '2'),
          owners: { place: channel('others'), because: { is: 'default' } },
        }),
      )
      const card = {
        fact: 'posted',
        at: noon,
        post: 'approval',
        activity: '9',
        digest: 'd',
        schema: 1,
      } as const
      await store.transact('one', [], appending({ ...card, ...thread('vault-owners', '9') }))

      expect(await inConversation(thread('general', '1').conversation)).toEqual(['one'])
      expect(await inConversation(thread('general', '3').conversation)).toEqual([])
      expect(await inConversation(channel('general').conversation)).toEqual(['two', 'one'])
      expect(await inConversation(channel('vault-owners').conversation)).toEqual(['one'])
      expect(await inConversation(thread('vault-owners', '9').conversation)).toEqual(['one'])
      expect(await inConversation(thread('vault-owners', '8').conversation)).toEqual([])

      await store.transact('two', [], ({ link }) => ({
        change: change(link, [
          { fact: 'followed', at: noon, by: 'noor', thread: thread('elsewhere', '4') },
          { fact: 'rerouted', at: noon, owners: { place: channel('new'), because: { is: 'tagged' } } },
        ]),
        result: undefined,
      }))
      expect(await inConversation(thread('elsewhere', '4').conversation)).toEqual(['two'])
      expect(await inConversation(channel('new').conversation)).toEqual(['two'])
      expect(await inConversation(channel('others').conversation)).toEqual([])
    })
  })

  describe('knows for which link a message was posted', () => {
    const posted = (post: PostKey, conversation: string, activity: string) =>
      ({ fact: 'posted', at: noon, post, conversation, activity, digest: 'd', schema: 1 }) as const
    const there = thread('general', '1').conversation
    const found = async (conversation: string, activity: string) =>
      (await store.posted(conversation, activity))?.id

    test('by its conversation and its id, of whatever kind it is', async () => {
      await store.create(ask('one'))
      await store.create(ask('two', { at: noon + 1 }))
      await store.transact('one', [], appending(posted('status', there, '17')))
      await store.transact(
        'two',
        [],
        appending(posted('status', there, '18'), posted('thread/0', there, '19')),
      )
      await store.transact(
        'two',
        [],
        appending({ fact: 'adopted', at: noon, card: 'status', conversation: there, activity: '20' }),
      )
      expect(await found(there, '17')).toBe('one')
      for (const activity of ['18', '19', '20']) expect(await found(there, activity)).toBe('two')
      expect(await found(thread('general', '2').conversation, '17')).toBeUndefined()
    })

    test('also when its update failed, and in a chat that only the post names', async () => {
      await store.create(ask('one'))
      await store.transact(
        'one',
        [],
        appending({ fact: 'gone', at: noon, place: 'thread' }, posted('status', 'a:chat', '17')),
      )
      await store.transact(
        'one',
        [],
        appending({ fact: 'unposted', at: noon, post: 'status', notBefore: noon }),
      )
      expect(await found('a:chat', '17')).toBe('one')
    })

    test.each(['%', '_7', '1%', '\\', '"', "17' or '1'='1", ''])(
      'and is not talked into another by %j',
      async (activity) => {
        await store.create(ask('one'))
        await store.transact('one', [], appending(posted('status', there, '17')))
        expect(await found(there, activity)).toBeUndefined()
        await store.transact('one', [], appending(posted('approval', there, activity)))
        expect(await found(there, activity)).toBe('one')
      },
    )
  })

  describe('keeps an audit log', () => {
    /** A link with a log of five facts, and another with two. */
    const story = async () => {
      await store.create(ask('one', { reason: 'words' }))
      await store.create(ask('two'))
      const facts: Fact[] = [
        { fact: 'intended', at: noon + 1, effect: 'put' },
        { fact: 'done', at: noon + 2, effect: 'put', operation: 'https://management.azure.com/op' },
        { fact: 'followed', at: noon + 3, by: 'noor', thread: channel('elsewhere') },
        { fact: 'cancelled', at: noon + 4, by: 'riley' },
      ]
      await store.transact('one', [], appending(...facts.slice(0, 1)))
      await store.transact('one', [], appending(...facts.slice(1)))
      await store.transact('two', [], appending(unposted(noon)))
    }

    test('whose fold is the row', async () => {
      await story()
      for (const id of ['one', 'two']) expect(foldAll(await store.facts(id))).toEqual((await row(id)).link)
      expect(await store.verify()).toEqual({
        links: 2,
        facts: 7,
        head: await store.head(),
        proved: 0,
        takenOver: 0,
      })
      expect((await store.head()).n).toBe(5)
    })

    test('that is empty at first, and well', async () => {
      const head = { n: 0, head: '0'.repeat(64) }
      expect(await store.verify([head])).toEqual({ links: 0, facts: 0, head, proved: 0, takenOver: 0 })
    })

    /** In the ledger: 1 asked one, 2 asked two, 3 one's second fact, 4 its facts 3 to 5, 5 two's second fact. */
    const at = (flaw: string, place: Record<string, unknown>) => ({ flaw, ...place })
    const one = { link: 'one' }
    const swap = (a: number, b: number) => [
      `update facts set seq = -1 where link = 'one' and seq = ${a}`,
      `update facts set seq = ${a} where link = 'one' and seq = ${b}`,
      `update facts set seq = ${b} where link = 'one' and seq = -1`,
    ]
    const whole = (link: string) => [
      `delete from facts where link = '${link}'`,
      `delete from links where id = '${link}'`,
    ]
    test.each([
      [
        'a changed fact',
        [`update facts set json = replace(json, 'noor', 'sam') where link = 'one' and seq = 4`],
        at('factEdited', { ...one, seq: 4, n: 4 }),
      ],
      [
        'a changed space',
        [`update facts set json = json || ' ' where link = 'one' and seq = 4`],
        at('factEdited', { ...one, seq: 4, n: 4 }),
      ],
      [
        'a changed time',
        [`update facts set at = at + 1 where link = 'one' and seq = 2`],
        at('factEdited', { ...one, seq: 2, n: 3 }),
      ],
      [
        'a changed name',
        [`update facts set name = 'failed' where link = 'one' and seq = 3`],
        at('factEdited', { ...one, seq: 3, n: 4 }),
      ],
      [
        'a changed hash',
        [`update facts set hash = 'x' where link = 'one' and seq = 5`],
        at('factEdited', { ...one, seq: 5, n: 4 }),
      ],
      [
        'a changed number',
        [`update facts set seq = 9 where link = 'one' and seq = 5`],
        at('factMissing', { ...one, seq: 5, n: 4 }),
      ],
      [
        'a changed count',
        [`update links set version = 6 where id = 'one'`],
        at('rowEdited', { ...one, n: 4 }),
      ],
      [
        'a changed record',
        [`update links set record = replace(record, 'Requested', 'Approved') where id = 'two'`],
        at('rowEdited', { link: 'two', n: 5 }),
      ],
      [
        'a dropped fact',
        [`delete from facts where link = 'one' and seq = 3`],
        at('factMissing', { ...one, seq: 3, n: 4 }),
      ],
      [
        'a dropped fact whose gap was closed',
        [
          `delete from facts where link = 'one' and seq = 3`,
          `update facts set seq = seq - 1 where link = 'one' and seq = 4`,
          `update facts set seq = seq - 1 where link = 'one' and seq = 5`,
          `update links set version = 4 where id = 'one'`,
        ],
        at('factEdited', { ...one, seq: 3, n: 4 }),
      ],
      [
        'the newest fact dropped, and counted out',
        [
          `delete from facts where link = 'two' and seq = 2`,
          `update links set version = 1, head = (select hash from facts where link = 'two') where id = 'two'`,
        ],
        at('factMissing', { link: 'two', seq: 2, n: 5 }),
      ],
      [
        'all facts dropped',
        [`delete from facts where link = 'one'`],
        at('factMissing', { ...one, seq: 1, n: 1 }),
      ],
      ['two facts swapped', swap(3, 4), at('factEdited', { ...one, seq: 3, n: 4 })],
      [
        'a fact added',
        [`insert into facts select link, 6, at, name, json, hash from facts where link = 'one' and seq = 5`],
        at('factUnwitnessed', { ...one, seq: 6 }),
      ],
      [
        'a fact added and counted in, though it was taken over',
        [
          `insert into facts select link, 6, at, name, json, hash from facts where link = 'one' and seq = 5`,
          `update links set version = 6 where id = 'one'`,
        ],
        at('factEdited', { ...one, seq: 6, n: 6 }),
      ],
      [
        'a fact added and counted in that does not even fit its row: it is not taken over',
        [
          `insert into facts select link, 6, at, name, json, 'x' from facts where link = 'one' and seq = 5`,
          `update links set version = 6 where id = 'one'`,
        ],
        at('factUnwitnessed', { ...one, seq: 6 }),
      ],
      [
        "another link's log",
        [
          `delete from facts where link = 'one'`,
          `update facts set link = 'one' where link = 'two'`,
          `update links set version = 2, head = (select head from links where id = 'two') where id = 'one'`,
        ],
        at('factEdited', { ...one, seq: 1, n: 1 }),
      ],
      ['a whole link dropped', whole('two'), at('factMissing', { link: 'two', seq: 1, n: 2 })],
      [
        'a whole link dropped, out of the ledger too',
        [...whole('two'), `delete from ledger where link = 'two'`],
        at('entryMissing', { n: 2 }),
      ],
      [
        'a link that nobody asked for',
        [
          `insert into links select 'three', schema, 0, head, record, 'other', vault_key, status, ended, asked_by, asked_at, due, looked_at, lease_holder, lease_until, claimable_at, hinted_at from links where id = 'one'`,
        ],
        at('linkUnwitnessed', { link: 'three' }),
      ],
      [
        'a link whose row alone is dropped',
        [`delete from links where id = 'two'`],
        at('linkMissing', { link: 'two', n: 5 }),
      ],
      ['an entry dropped', [`delete from ledger where n = 3`], at('entryMissing', { n: 3 })],
      ['the newest entries dropped', [`delete from ledger where n > 3`], at('entryMissing', { n: 4 })],
      [
        'an entry changed',
        [`update ledger set entry = replace(entry, '"facts":1', '"facts":0') where n = 3`],
        at('entryEdited', { n: 3 }),
      ],
      [
        'an entry of another link',
        [`update ledger set link = 'two' where n = 3`],
        at('entryEdited', { n: 3 }),
      ],
      [
        'an entry repeated',
        [
          `insert into ledger select 6, link, seq, entry, head from ledger where n = 5`,
          `update ledger_head set n = 6`,
        ],
        at('entryMisplaced', { n: 6 }),
      ],
      [
        'two entries swapped',
        [
          `update ledger set n = -1 where n = 3`,
          `update ledger set n = 3 where n = 4`,
          `update ledger set n = 4 where n = -1`,
        ],
        at('entryMisplaced', { n: 3 }),
      ],
      [
        'the note of the newest entry changed',
        [`update ledger_head set head = 'x'`],
        at('headEdited', { n: 5 }),
      ],
    ])('that shows %s, and where', async (_, statements, found) => {
      await story()
      await tamper(...statements)
      expect(await flaw()).toEqual(found)
    })

    test('that shows what was cut off at its end, or hashed anew, by a head that was kept elsewhere', async () => {
      await story()
      const anchor = await store.head()
      const cut = [
        `delete from ledger where n > 3`,
        `update ledger_head set n = 3, head = (select head from ledger where n = 3)`,
        `delete from facts where link = 'one' and seq > 2`,
        `delete from facts where link = 'two' and seq > 1`,
      ]
      await tamper(...cut)
      expect(await flaw()).toEqual(at('rowEdited', { ...one, n: 3 }))
      expect((await store.verify([anchor])).flaw).toEqual({ flaw: 'truncated', n: 3, anchored: 5 })
      expect((await store.verify([{ head: anchor.head }])).flaw).toEqual({
        flaw: 'anchorNowhere',
        head: anchor.head,
      })
    })

    test('that takes over what an older version wrote beside this one, and says how much that was', async () => {
      await story()
      await tamper(
        `delete from ledger where n = 5`,
        `update ledger_head set n = 4, head = (select head from ledger where n = 4)`,
      )
      const head = await store.head()
      expect(head.n).toBe(5)
      expect(await store.verify()).toEqual({ links: 2, facts: 7, head, proved: 0, takenOver: 1 })
    })

    test('that takes over a database from before the ledger, and goes on', async () => {
      await story()
      await tamper(
        'drop table ledger',
        'drop table ledger_head',
        'drop table forgotten',
        'alter table gates drop column at',
        'alter table links drop column hinted_at',
        `delete from kysely_migration where name > '0001-links'`,
      )
      expect(await store.verify()).toEqual({
        links: 2,
        facts: 7,
        head: await store.head(),
        proved: 0,
        takenOver: 7,
      })
      await store.transact('two', [], appending(unposted(noon + 1)))
      const after = await store.verify()
      expect(after).toEqual({ links: 2, facts: 8, head: await store.head(), proved: 0, takenOver: 7 })
      expect(after.head.n).toBe(3)
      await tamper(`update facts set json = replace(json, 'kv-two', 'kv-other') where link = 'two'`)
      expect(await flaw()).toEqual(at('factEdited', { link: 'two', seq: 1, n: 2 }))
    })
  })

  describe('knows people', () => {
    test('by one key each, with the newest name', async () => {
      const key = await store.remember(riley)
      expect(await store.remember(riley)).toBe(key)
      const renamed = { ...riley, objectId: riley.objectId.toUpperCase(), name: 'Riley Park-Ortiz' }
      expect(await store.remember(renamed)).toBe(key)
      const elsewhere = { ...riley, tenant: '11111111-0000-4000-8000-000000000000' }
      const others = [await store.remember(noor), await store.remember(elsewhere)]
      expect(new Set([key, ...others]).size).toBe(3)
      expect(await store.people([key, ...others, 'nobody'])).toEqual(
        new Map([
          [key, renamed],
          [others[0], noor],
          [others[1], elsewhere],
        ]),
      )
      expect(await store.people([])).toEqual(new Map())
    })

    test('once, when several turns meet them at the same time', async () => {
      const keys = await Promise.all([1, 2, 3, 4, 5].map(() => store.remember(riley)))
      expect(new Set(keys).size).toBe(1)
    })

    test('and their words to the letter', async () => {
      const anyText = fc.string({
        unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      })
      await fc.assert(
        fc.asyncProperty(anyText, async (text) => {
          const key = await store.keep(text, 'somebody')
          expect(await store.texts([key, 'none'])).toEqual(new Map([[key, text]]))
        }),
        { numRuns: 50 },
      )
      expect(await store.texts([])).toEqual(new Map())
    })

    test('until they are forgotten, with their words; the facts stay', async () => {
      const [by, other] = [await store.remember(riley), await store.remember(noor)]
      const why = await store.keep('certificate', by)
      const whyNot = await store.keep('not now', by)
      const theirs = await store.keep('theirs', other)
      // Kept for a wish that was refused: no fact names it.
      const refused = await store.keep('never decided', by)
      await store.create(ask('one', { by, reason: why }))
      await store.create(ask('two', { by: other, reason: theirs }))
      await store.transact(
        'two',
        [],
        appending({ fact: 'decided', at: noon, verdict: 'reject', by, reason: whyNot }),
      )
      const facts = [...(await store.facts('one')), ...(await store.facts('two'))]

      for (const id of ['one', 'two']) await end(id)
      expect(await store.forget(by, noon + 9)).toEqual({
        is: 'forgotten',
        texts: 3,
        scrubbed: kind.scrubbed,
      })
      expect(await store.people([by, other])).toEqual(new Map([[other, noor]]))
      expect(await store.texts([why, whyNot, theirs, refused])).toEqual(new Map([[theirs, 'theirs']]))
      expect([...(await store.facts('one')), ...(await store.facts('two'))]).toEqual(facts)
      expect(await flaw()).toBeUndefined()
      // Met again they are somebody new: nothing leads back.
      expect(await store.remember(riley)).not.toBe(by)
    })

    test('but not while something is still decided or done in which they have a part', async () => {
      const [asker, approver] = [await store.remember(riley), await store.remember(noor)]
      await store.create(ask('one', { by: asker }))
      await store.transact(
        'one',
        [],
        appending({ fact: 'followed', at: noon, by: approver, thread: channel('elsewhere') }),
      )
      const before = await store.head()
      for (const who of [asker, riley.objectId.toUpperCase(), approver])
        expect(await store.forget(who, noon)).toEqual({ is: 'involved', links: ['one'] })
      expect(await store.people([asker, approver])).toHaveProperty('size', 2)
      expect(await store.head()).toEqual(before)
      await stand('one')
      expect(await store.forget(riley.objectId.toUpperCase(), noon)).toMatchObject({ is: 'forgotten' })
      expect((await store.head()).n).toBe(before.n + 2)
    })

    test('and a key that is forgotten stays so: nothing is written under it again', async () => {
      const by = await store.remember(riley)
      await store.create(ask('one'))
      expect(await store.forget('nobody', noon)).toEqual({ is: 'unknown', scrubbed: kind.scrubbed })
      expect(await store.forget(by, noon + 1)).toMatchObject({ is: 'forgotten' })
      expect(await store.forget(by, noon + 2)).toEqual({
        is: 'already',
        at: noon + 1,
        scrubbed: kind.scrubbed,
      })
      const before = [await store.head(), await row('one')]
      // A turn that read the key before.
      const late = [
        () => store.keep('words', by),
        () => store.create(ask('two', { by })),
        () =>
          store.transact(
            'one',
            [],
            appending({ fact: 'followed', at: noon, by, thread: channel('elsewhere') }),
          ),
        () => store.own({ vault: vaultId('kv'), team: 't', place: channel('c'), since: noon, by }),
      ]
      for (const write of late) await expect(write()).rejects.toThrow('forgotten meanwhile')
      expect([await store.head(), await row('one')]).toEqual(before)
      expect(await store.ownedVaults()).toEqual([])
      expect(await flaw()).toBeUndefined()
    })
  })

  describe('knows whose vault it is', () => {
    const owner: Owner = {
      vault: vaultId('kv'),
      team: 'blue',
      place: channel('blue'),
      since: noon,
      by: 'noor',
    }

    test('the first who said so, until they say otherwise', async () => {
      expect(await store.owner(vaultId('kv'))).toBeUndefined()
      expect(await store.own(owner)).toEqual(owner)
      const second = { ...owner, vault: owner.vault.toUpperCase(), team: 'green', place: channel('green') }
      expect(await store.own(second)).toEqual(owner)
      expect(await store.owner(second.vault)).toEqual(owner)
      const given = { team: 'blue', by: 'noor', conversation: 'c', at: noon }
      expect(await store.disown({ ...given, vault: second.vault, team: 'green' })).toBe(false)
      expect(await store.disown({ ...given, vault: second.vault })).toBe(true)
      expect(await store.disown({ ...given, vault: owner.vault })).toBe(false)
      expect(await store.own(second)).toEqual(second)
    })

    test('one of many who say so at the same time', async () => {
      const answers = await Promise.all(['a', 'b', 'c'].map((team) => store.own({ ...owner, team })))
      expect(new Set(answers.map(({ team }) => team)).size).toBe(1)
    })

    test('and which vaults have somebody', async () => {
      await store.own({ ...owner, vault: vaultId('b') })
      await store.own({ ...owner, vault: vaultId('a') })
      expect((await store.ownedVaults()).map(({ vault }) => vault)).toEqual([vaultId('a'), vaultId('b')])
    })
  })

  describe('knows where it may write', () => {
    const general: KnownConversation = { ...channel('general'), team: 'blue', name: 'General' }

    test('with what was said last; what an activity leaves out is still so', async () => {
      expect(await store.conversation(general.conversation)).toBeUndefined()
      await store.meet(general)
      expect(await store.conversation(general.conversation)).toEqual(general)
      await store.meet({ ...channel('general'), serviceUrl: 'https://smba.trafficmanager.net/amer/' })
      const moved = { ...general, serviceUrl: 'https://smba.trafficmanager.net/amer/' }
      expect(await store.conversation(general.conversation)).toEqual(moved)
      await store.meet({ ...moved, name: 'Everything' })
      expect(await store.conversation(general.conversation)).toEqual({ ...moved, name: 'Everything' })
    })

    test('until it leaves', async () => {
      await store.meet(general)
      await store.leave(general.conversation)
      expect(await store.conversation(general.conversation)).toBeUndefined()
    })

    test('but not the name of the person in a personal chat', async () => {
      const chat = { conversation: 'a:1', serviceUrl: general.serviceUrl, kind: 'personal' } as const
      await store.meet({ ...chat, name: riley.name })
      expect(await store.conversation('a:1')).toEqual(chat)
    })

    test('and welcomes each once', async () => {
      const answers = await Promise.all(['a', 'a', 'b', 'a'].map(store.welcome))
      expect(answers).toEqual([true, false, true, false])
      await reopen()
      expect(await store.welcome('a')).toBe(false)
    })
  })

  test('shows the same after it was closed and opened again', async () => {
    const by = await store.remember(riley)
    const reason = await store.keep('certificate', by)
    await store.create({
      ...ask('one', { by, reason }),
      take: [{ key: 'gate', holder: 'one', until: noon }],
    })
    await store.create(ask('two'))
    await store.transact('one', [], appending(unposted(noon)))
    await store.own({ vault: vaultId('kv'), team: 'blue', place: channel('blue'), since: noon, by })
    await store.meet({ ...channel('general'), name: 'General' })
    const everything = async () => [
      await store.get('one'),
      await store.get('two'),
      await store.facts('one'),
      await store.verify(),
      await store.nextDue(),
      await store.list({}, 10),
      await store.list({ conversation: channel('general').conversation }, 10),
      await store.transact('one', ['gate'], (_, gates) => ({ result: gates })),
      await store.people([by]),
      await store.texts([reason]),
      await store.ownedVaults(),
      await store.conversation(channel('general').conversation),
    ]
    const before = await everything()
    await reopen()
    expect(await everything()).toEqual(before)
  })

  test('answers what was asked before it closes', async () => {
    await store.create(ask('one'))
    const asked = [1, 2, 3].map((turn) => store.transact('one', [], appending(unposted(noon + turn))))
    await close(store)
    // Which of them comes first is the database's to say.
    expect((await Promise.all(asked)).toSorted()).toEqual([1, 2, 3])
    store = await open()
    expect((await row('one')).version).toBe(4)
  })

  describe('when the process dies', () => {
    test('just before a commit, nothing of it stays', async () => {
      const told: string[][] = []
      await reopen({
        onCommit: (facts) => {
          told.push(facts.map(({ fact }) => fact))
          if (told.length === 2) throw new Error('crash point')
        },
      })
      await store.create({ ...ask('one'), take: [{ key: 'gate', holder: 'one', until: noon }] })
      const before = await row('one')
      const crash = store.transact('one', [], ({ link }) => ({
        change: { ...change(link, [unposted(noon), unposted(noon)], noon + 9), release: ['gate'] },
        result: 0,
      }))
      await expect(crash).rejects.toThrow('crash point')
      expect(told).toEqual([['asked'], ['unposted', 'unposted']])
      expect(await row('one')).toEqual(before)
      expect(await store.facts('one')).toHaveLength(1)
      expect(await store.transact('one', ['gate'], (_, gates) => ({ result: gates }))).toHaveLength(1)

      await close(store)
      const [, signal] = await once(append('one', 1, 'die'), 'exit')
      expect(signal).toBe('SIGKILL')
      store = await open()
      expect(await row('one')).toEqual(before)
      expect(await flaw()).toBeUndefined()
    })

    test('in the middle of writing, nothing that was acknowledged is lost', async () => {
      await store.create(ask('one'))
      for (const round of [1, 2, 3]) {
        await close(store)
        const child = append('one', 1_000_000)
        const exit = once(child, 'exit')
        let acknowledged = 0
        let heard = 0
        if (!child.stdout) throw new Error('no output')
        for await (const line of createInterface({ input: child.stdout })) {
          acknowledged = Number(line)
          heard += 1
          // Another moment in each round, while it writes on.
          if (heard === 17 * round) child.kill('SIGKILL')
        }
        await exit
        store = await open()
        const { link, version } = await row('one')
        expect(heard).toBeGreaterThanOrEqual(17 * round)
        // The kill may fall between a commit and its acknowledgement.
        expect([acknowledged, acknowledged + 1]).toContain(version)
        expect(await flaw()).toBeUndefined()
        expect(foldAll(await store.facts('one'))).toEqual(link)
      }
    })
  })

  describe('when several processes have it open', () => {
    test('their changes of one link come one after the other', async () => {
      await store.create(ask('one'))
      const exits = [1, 2].map(() => once(append('one', 60), 'exit'))
      const own = Array.from({ length: 60 }, (_, turn) =>
        store.transact('one', [], appending(unposted(noon + turn))),
      )
      await Promise.all(own)
      expect(await Promise.all(exits)).toEqual([
        [0, null],
        [0, null],
      ])
      const { link, version } = await row('one')
      expect(version).toBe(181)
      expect(link.told.status).toMatchObject({ count: 180 })
      expect(await flaw()).toBeUndefined()
    })

    test('they draw from one bucket as much as it holds, and come again one after the other', async () => {
      const draws = [1, 2].map(() => drawn(draw('40')))
      const [own, ...others] = await Promise.all([drawFrom(store, 40), ...draws])
      const all = [...own, ...others.flat()]
      expect(all).toHaveLength(120)
      const promised = all.filter((at) => at !== 0)
      // Three tokens, twenty-five times.
      expect(promised).toHaveLength(45)
      expect(new Set(promised).size).toBe(45)
    })

    test('and all create it at once, they end up with one', async () => {
      const fresh = await kind.place()
      try {
        const run = () => spawn(process.execPath, [appender, fresh.url, 'none', '0'], { stdio: 'inherit' })
        const started = [run(), run(), run()]
        children.push(...started)
        expect(await Promise.all(started.map((child) => once(child, 'exit')))).toEqual([
          [0, null],
          [0, null],
          [0, null],
        ])
        expect(await fresh.sql('select name from kysely_migration')).toHaveLength(4)
      } finally {
        await fresh.remove()
      }
    })
  })

  test('a migration that fails leaves nothing half done', async () => {
    const fresh = await kind.place()
    try {
      await fresh.sql('create table welcomes (other integer)')
      await expect(openStore({ url: fresh.url })).rejects.toThrow('could not be migrated')
      await expect(fresh.sql('select * from links')).rejects.toThrow()
      await fresh.sql('drop table welcomes')
      await (await openStore({ url: fresh.url })).close()
      expect(await fresh.sql('select * from links')).toEqual([])
    } finally {
      await fresh.remove()
    }
  })

  describe('when a newer version has migrated it', () => {
    test('it is opened as it is', async () => {
      await store.create(ask('one'))
      await tamper(
        `insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01T00:00:00.000Z')`,
      )
      const events: string[] = []
      await reopen({ log: (level, event, fields) => events.push(`${level} ${event} ${fields?.migrations}`) })
      expect(events).toEqual(['warn store.newer 9999-later'])
      expect((await row('one')).version).toBe(1)
    })

    test('it is refused if it lacks what this version needs', async () => {
      await close(store)
      await place.sql(`update kysely_migration set name = '0000-foreign' where name = '0001-links'`)
      await expect(open()).rejects.toThrow('0000-foreign')
    })
  })
})
