/** SECURITY.md claims nothing that no test shows: each threat names tests that are there, by file and name. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url)

const [, table = ''] = readFileSync(at('SECURITY.md'), 'utf8').split(/^\| threat .*\n\| --- .*\n/m)
const threats = table
  .slice(0, table.search(/^(?!\|)/m))
  .trimEnd()
  .split('\n')
  .map((row) => {
    const [threat = '', answer = '', shown = '', ...more] = row
      .split(' | ')
      .map((cell) => cell.replace(/^\||\|$/g, '').trim())
    return { threat, answer, shown, more }
  })

/** Whether a test of that name is written in the file: given to `test` itself, or to a table of cases. */
function holds(file: string, name: string): boolean {
  const source = readFileSync(at(file), 'utf8')
  return ["'", '"', '`'].some((quote) =>
    [`test(${quote}${name}${quote},`, `)(${quote}${name}${quote},`].some((call) =>
      source.replace(/\(\s+(?=['"`])/g, '(').includes(call),
    ),
  )
}

test('there are threats, each with an answer', () => {
  expect(threats.length).toBeGreaterThan(15)
  for (const { threat, answer, more } of threats)
    expect([threat, answer, more]).toEqual([expect.stringMatching(/\S/), expect.stringMatching(/\S/), []])
})

test.each(threats)('$threat', ({ shown }) => {
  const named = shown.split(/; (?=`)/).map((one) => /^`(test\/[^`]+\.test\.ts)` “([^”]+)”$/.exec(one))
  for (const [index, one] of named.entries()) {
    const [whole, file = '', name = ''] = one ?? []
    expect([index, whole]).toEqual([index, expect.any(String)])
    expect([file, existsSync(at(file))]).toEqual([file, true])
    expect([name, holds(file, name)]).toEqual([name, true])
  }
})

test('a name that no test has is found out', () => {
  expect(holds('test/supply/threats.test.ts', 'a name that no test has is found out')).toBe(true)
  expect(holds('test/supply/threats.test.ts', 'a name that no test has')).toBe(false)
})
