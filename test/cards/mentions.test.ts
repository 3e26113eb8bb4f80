/** A mention is made of ids alone: a name is only what is shown, whosever else it is or contains. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Person } from '../../src/engine/ports.ts'
import { type Names, renderView } from '../../src/teams/cards.ts'
import { activityOf } from '../../src/teams/messenger.ts'
import { en } from '../../src/teams/words/en.ts'
import { ownList, strangeText } from './naughtyStrings.ts'
import { news, newsOf, records } from './records.ts'
import { elementsOf, mentionProblems } from './shown.ts'

const ids = { riley: '29:1', noor: '29:2', mika: '29:3' } as const
const called = (riley: string, noor: string): Names => {
  const person = (key: keyof typeof ids, name: string): Person => ({
    objectId: `object of ${key}`,
    teamsId: ids[key],
    name,
    tenant: 't',
  })
  const people = [person('riley', riley), person('noor', noor), person('mika', 'Mika Aalto')] as const
  return {
    person: (key) => people.find(({ objectId }) => objectId === `object of ${key}`),
    text: () => riley,
  }
}
const mentioning = newsOf({
  ...records.rejected,
  followers: [{ by: 'mika', thread: records.pending.asked.thread }],
  news,
}).filter(({ mentions }) => mentions !== undefined)

async function mentioned(names: Names): Promise<void> {
  for (const view of mentioning) {
    const rendered = await renderView(view, names, en, {})
    const { text, entities = [] } = activityOf(rendered)
    expect(mentionProblems(rendered)).toEqual([])
    expect(entities).toHaveLength(1)
    const key = view.mentions as keyof typeof ids
    expect(entities[0]).toMatchObject({
      type: 'mention',
      mentioned: { id: ids[key], aadObjectId: `object of ${key}` },
    })
    // The one element that is a mention is the first, before all that is said.
    const tree = JSON.stringify(elementsOf(String(text)))
    expect(tree.split('{"at":')).toHaveLength(2)
    expect(tree.startsWith('[{"message":[{"at":')).toBe(true)
  }
}

const pairs: readonly (readonly [string, string])[] = [
  ['Noor Haddad', 'Noor Haddad'],
  ['Noor', 'Noor Haddad'],
  ['Noor Haddad', 'Noor'],
  ['Vaultlink', 'Vaultlink'],
  ['Riley <at>Noor Haddad</at>', 'Noor Haddad'],
  ['at', '</at>'],
  ['<at>Riley Park</at>', 'Riley Park'],
  ['Riley "The Vault" Park & Sons', "O'Neil <b>"],
  ['everyone', 'channel'],
  ['29:2', '29:1'],
  ['', ''],
]

describe('mentions', () => {
  test('somebody is mentioned in many of the replies', () => {
    expect(mentioning.length).toBeGreaterThan(20)
  })
  test.each(pairs)('%j beside %j', (one, other) => mentioned(called(one, other)))
  test.each(ownList.map((text) => [JSON.stringify(text).slice(0, 40), text] as const))('%s', (_, text) =>
    mentioned(called(text, text)),
  )
  test('random names', async () => {
    await fc.assert(
      fc.asyncProperty(strangeText, strangeText, (one, other) => mentioned(called(one, other))),
      { numRuns: 60 },
    )
  })
})
