import { describe, expect, test } from '@jest/globals'
import { createFailures, createWaits } from '../../src/engine/keptInMind.ts'

const hour = 60 * 60_000

describe('failures', () => {
  test('are counted in a row, for each link', () => {
    const failures = createFailures(() => 0)
    expect([failures.count('a'), failures.count('a'), failures.count('b')]).toEqual([1, 2, 1])
    failures.clear('a')
    expect(failures.count('a')).toBe(1)
  })

  test('of links that never come again are forgotten, those of others are not', () => {
    let now = 0
    const failures = createFailures(() => now)
    for (let n = 0; n < 5_000; n++) {
      failures.count(`gone ${n}`)
      failures.count('stays')
      now += hour / 100
    }
    expect(failures.size()).toBeLessThan(500)
    expect(failures.count('stays')).toBe(5_001)
    // So they are by a clock that was set back.
    now -= 1_000 * hour
    failures.count('one')
    expect(failures.size()).toBe(1)
  })
})

describe('waits', () => {
  test('stay while they last, and are the same for whoever comes again', () => {
    let now = 0
    const waits = createWaits(() => now)
    const lanes = waits.of('a')
    lanes.set('azure', 10)
    waits.leave('a', lanes)
    expect(waits.of('a').get('azure')).toBe(10)
    now = 10
    waits.leave('a', lanes)
    expect(waits.size()).toBe(0)
  })

  test('of links that nobody leaves again are forgotten when they are over', () => {
    let now = 0
    const waits = createWaits(() => now)
    for (let n = 0; n < 20_000; n++) {
      const lanes = waits.of(`gone ${n}`)
      lanes.set('azure', now + 10)
      waits.leave(`gone ${n}`, lanes)
      now += 1
    }
    expect(waits.size()).toBeLessThan(2_000)
  })

  test('that begin late in a long stay are not lost', () => {
    const waits = createWaits(() => 0)
    const lanes = waits.of('long')
    for (let n = 0; n < 5_000; n++) waits.of(`waiting ${n}`).set('azure', 10)
    lanes.set('azure', 10)
    waits.leave('long', lanes)
    expect(waits.of('long').get('azure')).toBe(10)
  })

  test('that are ahead are none forgotten, however many', () => {
    const waits = createWaits(() => 0)
    for (let n = 0; n < 5_000; n++) waits.of(`waiting ${n}`).set('azure', 10)
    expect(waits.of('waiting 0').get('azure')).toBe(10)
    expect(waits.size()).toBe(5_000)
  })
})
