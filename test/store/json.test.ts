import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { canonicalJson, strictJson } from '../../src/store/json.ts'

test('what is written reads back the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // JSON itself has one zero.
      const once: unknown = JSON.parse(JSON.stringify(value))
      expect(JSON.parse(strictJson(value))).toEqual(once)
      expect(JSON.parse(canonicalJson(value))).toEqual(once)
    }),
  )
})

test('in canonical JSON the order of members makes no difference, in the other it is kept', () => {
  const one = { b: 1, a: [{ d: null, c: 'x' }], left: undefined }
  const other = { a: [{ c: 'x', d: null }], b: 1 }
  expect(canonicalJson(one)).toBe('{"a":[{"c":"x","d":null}],"b":1}')
  expect(canonicalJson(other)).toBe(canonicalJson(one))
  expect(strictJson(one)).toBe('{"b":1,"a":[{"d":null,"c":"x"}]}')
})

test.each([
  Number.NaN,
  Number.POSITIVE_INFINITY,
  new Date(0),
  new Map(),
  () => 0,
  1n,
  Symbol('x'),
  undefined,
  [undefined],
])('%p is refused', (value) => {
  expect(() => strictJson({ value: [value] })).toThrow('cannot be kept as JSON')
})
