import { expect, test } from '@jest/globals'
import { retryAfter } from '../../src/link/retryAfter.ts'

const noon = Date.UTC(2026, 10, 23, 12)
const hour = 3_600_000

test.each([
  ['seconds', { 'retry-after': '17' }, 17_000],
  ['none', { 'retry-after': '0' }, 0],
  ['a fraction, rounded up', { 'retry-after': '1.2345' }, 1_235],
  ['a date', { 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30_000],
  ['a date that has passed', { 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' }, 0],
  ['less than nothing', { 'retry-after': '-1' }, 0],
  ['milliseconds', { 'retry-after-ms': '250', 'retry-after': '17' }, 250],
  ["milliseconds in Azure's older name", { 'x-ms-retry-after-ms': '250.1' }, 251],
  ['milliseconds that are none', { 'x-ms-retry-after-ms': 'soon', 'retry-after': '17' }, 17_000],
  ['more than an hour', { 'retry-after': '3601' }, hour],
  ['more than a number holds', { 'retry-after': '9'.repeat(400) }, hour],
  ['more than a database holds', { 'x-ms-retry-after-ms': '1e300' }, hour],
  ['a date in another age', { 'retry-after': 'Fri, 31 Dec 2999 00:00:00 GMT' }, hour],
  ['no wait at all', {}, undefined],
  ['nothing in it', { 'retry-after': '' }, undefined],
  ['nonsense', { 'retry-after': 'soon' }, undefined],
] as const)('%s', (_what, headers: Readonly<Record<string, string>>, ms) => {
  expect(retryAfter((name) => headers[name], noon)).toBe(ms)
})
