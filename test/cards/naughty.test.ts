/** Every naughty string in every field in every place, beside a twin that differs in that field alone. */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { naughty, ownList, strangeText } from './naughtyStrings.ts'
import { type Field, type Fill, fields, harmless, type Place, places } from './places.ts'
import {
  cardProblems,
  differences,
  letters,
  marker,
  mentionProblems,
  oddMarker,
  type Shown,
  shownBy,
} from './shown.ts'

const figures = process.env.VAULTLINK_FIGURES === '1'

/** What stands in the field's place in twins: a sentence may close it, a field that is empty may leave its row out. */
const twinTexts = (field: Field): readonly string[] => {
  const usual = [marker, oddMarker, `${marker}.`, `${marker}…`, '']
  if (field === 'missingAction') return [...usual, `Microsoft.${marker}`, `/${marker}`]
  // An id that does not parse, or that a shell would not take, is shown with less around it.
  if (fields[field] === 'name' || field === 'group') return [...usual, `${marker}\n`, `${marker}\u0001`]
  return usual
}
const filled = (field: Field, text: string): Fill => ({ ...harmless, [field]: text })

const twins = new Map<string, readonly (readonly [string, Shown])[]>()
async function twinsOf(place: Place, field: Field): Promise<readonly (readonly [string, Shown])[]> {
  const key = `${place.place} ${field}`
  const made =
    twins.get(key) ??
    (await Promise.all(
      twinTexts(field).map(async (text) => [text, shownBy(await place.draw(filled(field, text)))] as const),
    ))
  twins.set(key, made)
  return made
}

async function problemsIn(
  place: Place,
  field: Field,
  wrote: string,
  whole: boolean,
): Promise<readonly string[]> {
  const rendered = await place.draw(filled(field, wrote))
  const shown = shownBy(rendered)
  const least: (readonly string[])[] = []
  for (const [text, twin] of await twinsOf(place, field)) {
    // Only what holds no letter may be left out.
    if (text === '' && letters(wrote) !== '') continue
    least.push(differences(shown, twin, wrote, fields[field]))
  }
  const [fewest = ['no twin']] = least.sort((a, b) => a.length - b.length)
  return [
    ...fewest,
    ...mentionProblems(rendered),
    ...(whole && rendered.card ? cardProblems(rendered.card) : []),
  ]
}

const shows = async (place: Place, field: Field): Promise<boolean> =>
  JSON.stringify(shownBy(await place.draw(filled(field, marker)))).includes(marker)
const every = places.map((place) => [place.place, place] as const)
const all = Object.keys(fields) as readonly Field[]

/** Fails with the strings, so that they can be written here. */
const found = new Map<string, readonly string[]>()
const note = (place: Place, field: Field, wrote: string, problems: readonly string[]): void => {
  if (problems.length > 0)
    found.set(`${place.place}, ${field}: ${JSON.stringify(wrote.slice(0, 200))}`, problems)
}

describe('a stranger writes', () => {
  let pairs = 0
  let cases = 0
  const showing = new Map<Field, number>()

  test.each(every)('%s', async (_, place) => {
    found.clear()
    for (const field of place.fields ?? all) {
      if (await shows(place, field)) {
        pairs++
        showing.set(field, (showing.get(field) ?? 0) + 1)
        for (const [index, wrote] of naughty.entries()) {
          const own = index < ownList.length
          // Each string meets each field and each place, though not each pair of them.
          // Such a group would make an id that leads elsewhere, which is none: `resourceId.test.ts`.
          if (field === 'group' && /^\.\.?$/.test(wrote)) continue
          if (!figures && (index + pairs) % (own ? 4 : 40) !== 0) continue
          cases++
          note(place, field, wrote, await problemsIn(place, field, wrote, own))
        }
      } else {
        // What a place does not show, it does not show of anybody.
        expect(shownBy(await place.draw(filled(field, ownList.join(' '))))).toEqual(
          shownBy(await place.draw(harmless)),
        )
      }
    }
    expect(Object.fromEntries(found)).toEqual({})
  })

  test('every field is shown somewhere', () => {
    process.stderr.write(`naughty strings: ${naughty.length}, in ${pairs} fields of places, ${cases} cases\n`)
    expect(all.filter((field) => !showing.has(field))).toEqual([])
    expect(pairs).toBeGreaterThan(300)
  })
})

describe('random words', () => {
  test('in any field of any place', async () => {
    const seed = Date.now() % 2 ** 31
    const numRuns = figures ? 100_000 : 300
    process.stderr.write(`random words: seed ${seed}, ${numRuns} cases\n`)
    const cases = fc.tuple(fc.constantFrom(...places), fc.constantFrom(...all), strangeText)
    await fc.assert(
      fc.asyncProperty(cases, async ([place, field, wrote]) => {
        expect(await problemsIn(place, field, wrote, true)).toEqual([])
      }),
      { seed, numRuns },
    )
  })
})
