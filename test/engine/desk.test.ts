/** What a press leaves in the store, with the real journal on a real store. */
import { afterEach, expect, test } from '@jest/globals'
import { createDesk } from '../../src/engine/desk.ts'
import { createJournal } from '../../src/engine/journal.ts'
import type { Person, Store } from '../../src/engine/ports.ts'
import type { Link, PersonKey, Right } from '../../src/link/link.ts'
import { openStore } from '../../src/store/openStore.ts'
import { at, general, limits, vaultOwners } from '../link/given.ts'

let store: Store | undefined
afterEach(() => store?.close())

const requester: Person = { objectId: 'r', teamsId: '29:r', name: 'Riley Park', tenant: 't' }
const owner: Person = { objectId: 'o', teamsId: '29:o', name: 'Noor Haddad', tenant: 't' }

/** A link of the requester's, and a desk before it. */
async function ground(before: Link, right: Right = { is: 'held' }) {
  const kept = await openStore({ url: ':memory:' })
  const words: string[] = []
  const opened: Store = {
    ...kept,
    keep: (text: string, by: PersonKey) => {
      words.push(text)
      return kept.keep(text, by)
    },
  }
  store = opened
  const clock = { now: () => before.moved, until: async () => undefined }
  const journal = createJournal({ store: opened, clock, limits, wake: () => undefined })
  const by = await opened.remember(requester)
  const asked = { ...before.asked, by }
  const { link } = await journal.ask(asked)
  const { id } = link
  const standing = { ...before, id, asked }
  await opened.transact(id, [], () => ({
    change: { facts: [], link: standing, due: before.moved },
    result: undefined,
  }))
  const unused = async (): Promise<never> => {
    throw new Error('A rejection asks for a right, and nothing else')
  }
  const desk = createDesk({
    store: opened,
    journal,
    directory: {
      signalr: unused,
      vault: unused,
      signalrs: unused,
      vaults: unused,
      signalrsNamed: unused,
      vaultsNamed: unused,
      connections: unused,
    },
    access: { may: async () => right, botMay: unused },
    roster: unused,
    router: unused,
    deadlineMs: 10_000,
    freshDecisionMs: limits.freshDecisionMs,
  })
  return { desk, id, words }
}

test('why somebody rejects is kept with the decision', async () => {
  const { desk, id, words } = await ground(at('Pending'))
  const press = { link: id, by: owner, conversation: vaultOwners.conversation, reason: 'not ours' }
  const answer = await desk.reject(press)
  expect(answer).toMatchObject({ is: 'granted', link: { decision: { verdict: 'reject' } } })
  expect(words).toEqual(['not ours'])
})

test.each<[string, Link, Person, string, Right]>([
  ['comes too late', at('Approving'), owner, vaultOwners.conversation, { is: 'held' }],
  ['is the requester’s own', at('Pending'), requester, vaultOwners.conversation, { is: 'held' }],
  ['comes from elsewhere', at('Pending'), owner, general.conversation, { is: 'held' }],
  ['comes without the right', at('Pending'), owner, vaultOwners.conversation, { is: 'missing', actions: [] }],
])('the words of a rejection that %s are not kept', async (_why, link, by, conversation, right) => {
  const { desk, id, words } = await ground(link, right)
  expect(await desk.reject({ link: id, by, conversation, reason: 'not ours' })).toMatchObject({
    is: 'refused',
  })
  expect(words).toEqual([])
})
