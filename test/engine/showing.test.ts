import { expect, test } from '@jest/globals'
import type { Surveyed } from '../../src/engine/ports.ts'
import { createShowing } from '../../src/engine/showing.ts'
import { resourceKey } from '../../src/link/resourceId.ts'
import { atRest, nothing } from '../../src/link/rest.ts'
import { at, connection, own, signalr, vault } from '../link/given.ts'

const link = atRest(at('Pending'))
const sighting = own()
const links = sighting.is === 'present' ? [sighting.value] : []
type Half = 'signalrs' | 'vaults'
const shown = { is: 'present', value: links } as const
const shownVault = { is: 'present', value: { connections: [connection()] } } as const

function judged(shows: Partial<Pick<Surveyed, Half>>, disbelieved = {}) {
  return createShowing({ reads: 0, signalrs: new Map(), vaults: new Map(), ...shows })(link, disbelieved)
}
const signalrs = (one: typeof shown | { is: 'absent' | 'hidden' }) => new Map([[resourceKey(signalr), one]])
const vaults = (one: typeof shownVault | { is: 'absent' | 'hidden' }) => new Map([[resourceKey(vault), one]])

test('as it was last seen, and what was not shown this time, is nothing new', () => {
  expect(judged({ signalrs: signalrs(shown), vaults: vaults(shownVault) }).judgement).toBe('same')
  expect(judged({}).judgement).toBe('same')
})

test('a resource that is gone is a change; one that cannot be seen is neither change nor absence', () => {
  expect(judged({ signalrs: signalrs({ is: 'absent' }) })).toMatchObject({
    judgement: 'changed',
    sight: { own: nothing },
  })
  expect(judged({ vaults: vaults({ is: 'absent' }) }).judgement).toBe('changed')
  expect(judged({ signalrs: signalrs({ is: 'hidden' }), vaults: vaults(shownVault) })).toMatchObject({
    judgement: 'unseen',
    sight: {},
  })
})

test('what a list leaves out is missing, and by itself proves nothing', () => {
  expect(judged({ signalrs: signalrs({ ...shown, value: [] }) }).judgement).toBe('missing')
})

test('what an own look contradicted says nothing when shown again, until it is shown right', () => {
  const disbelieved = { own: nothing, onVault: 'another' }
  const again = judged({ signalrs: signalrs({ ...shown, value: [] }) }, disbelieved)
  expect(again).toMatchObject({ judgement: 'unseen', disbelieved })
  expect(judged({ signalrs: signalrs(shown) }, disbelieved)).toEqual({
    judgement: 'same',
    sight: {},
    disbelieved: { onVault: 'another' },
  })
})

test('a vault that opened or closed is a change', () => {
  const open = { ...shownVault, value: { ...shownVault.value, isPublic: true } }
  const judge = createShowing({ reads: 0, signalrs: new Map(), vaults: vaults(open) })
  expect(judge({ ...link, vaultIsPublic: false }, {}).judgement).toBe('changed')
  expect(judge({ ...link, vaultIsPublic: true }, {}).judgement).toBe('same')
})
