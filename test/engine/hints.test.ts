/** Hints from several requests at once go to the store together, and each is answered once its own are written. */
import { expect, test } from '@jest/globals'
import { createHints } from '../../src/engine/hints.ts'

const vault = (name: string): string =>
  `/subscriptions/1/resourceGroups/contoso/providers/Microsoft.KeyVault/vaults/${name}`

/** A store that writes when it is let; what it was given. */
function slowStore(known: string) {
  const given: (readonly string[])[] = []
  const open: { write: () => void; fail: () => void }[] = []
  return {
    given,
    open,
    hint: (resources: readonly string[]) => {
      given.push(resources)
      return new Promise<number>((resolve, reject) => {
        const links = resources.filter((one) => one.endsWith(known)).length
        open.push({ write: () => resolve(links), fail: () => reject(new Error('The store is away')) })
      })
    },
  }
}
const turn = (): Promise<void> => new Promise(setImmediate)

test('a storm is one write at a time, each resource once in it', async () => {
  const store = slowStore('known')
  let woken = 0
  const counts: number[] = []
  const hints = createHints({
    store,
    clock: { now: () => 1 },
    wake: () => void woken++,
    onHinted: (links) => void counts.push(links),
  })
  const first = hints([vault('first')])
  await turn()
  const answered: number[] = []
  const storm = Array.from({ length: 1_000 }, (_, n) =>
    hints([vault('KNOWN'), vault('known')]).then(() => void answered.push(n)),
  )
  await turn()
  expect(store.given).toHaveLength(1)
  expect(woken).toBe(0)
  store.open[0]?.write()
  await first
  expect(woken).toBe(0)
  await turn()
  expect(store.given.slice(1)).toEqual([[vault('known').toLowerCase()]])
  expect(answered).toEqual([])
  store.open[1]?.write()
  await Promise.all(storm)
  expect({ woken, counts }).toEqual({ woken: 1, counts: [0, 1] })
  await hints([])
  expect(store.given).toHaveLength(2)
})

test('whoever was not written hears so, and the next is written', async () => {
  const store = slowStore('known')
  const hints = createHints({ store, clock: { now: () => 1 }, wake: () => undefined })
  const lost = hints([vault('one')])
  await turn()
  const kept = hints([vault('two')])
  store.open[0]?.fail()
  await expect(lost).rejects.toThrow('away')
  await turn()
  store.open[1]?.write()
  await kept
  expect(store.given).toHaveLength(2)
})
