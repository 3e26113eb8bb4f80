import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { distance, nearest } from '../../src/link/names.ts'

describe('distance', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['contoso', 'contoso', 0],
    ['contoso', 'contosa', 1],
    ['contoso', 'contos', 1],
    ['contoso', 'contosoo', 1],
    ['contoso', 'cnotoso', 1],
    ['kitten', 'sitting', 3],
    ['abc', 'xyz', 3],
  ])('from %j to %j: %i', (a, b, expected) => {
    expect(distance(a, b)).toBe(expected)
  })

  test('it is a measure: nothing only to itself, the same both ways, never more than the longer text', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const d = distance(a, b)
        expect(d).toBe(distance(b, a))
        expect(d === 0).toBe(a === b)
        expect(d).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(d).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})

describe('nearest', () => {
  const names = ['contoso-signalr', 'contoso-signalr-2', 'fabrikam', 'contoso-chat']
  const near = (wrote: string, most: number) => nearest(wrote, names, (name) => name, most)

  test('likest first, no more than asked for', () => {
    expect(near('fabrikan', 1)).toEqual(['fabrikam'])
    expect(near('contoso-signlar', 2)).toEqual(['contoso-signalr', 'contoso-signalr-2'])
    expect(near('x', 0)).toEqual([])
    expect(near('x', 9)).toHaveLength(names.length)
  })

  test('a part of a name is like it, whatever the letters', () => {
    expect(near('CHAT', 1)).toEqual(['contoso-chat'])
  })

  test('what is given stays as it was', () => {
    const given = [...names]
    near('fabrikam', 2)
    expect(names).toEqual(given)
  })
})
