/** The roles that an administrator grants hold what the bot asks Azure about, and on vaults nothing beyond it. */
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import type { ApproveAs } from '../../src/link/link.ts'
import { botActions } from '../../src/link/policy.ts'

const files = { bot: 'role.json', approver: 'role.approver.json' } as const
const actionsOf = (approveAs: ApproveAs): readonly string[] =>
  JSON.parse(readFileSync(new URL(`../../infra/${files[approveAs]}`, import.meta.url), 'utf8')).Actions

test.each(['bot', 'approver'] as const)('the role for APPROVE_AS=%s', (approveAs) => {
  const actions = actionsOf(approveAs)
  expect(actions).toEqual(expect.arrayContaining([...botActions.signalr]))
  expect(actions.filter((action) => action.startsWith('Microsoft.KeyVault/')).toSorted()).toEqual(
    [...botActions.vault[approveAs]].toSorted(),
  )
  expect(actions.join()).not.toContain('*')
})

test('they differ in what the bot may do on vaults, and in nothing else', () => {
  const inBoth = actionsOf('bot').filter((action) => actionsOf('approver').includes(action))
  expect(actionsOf('approver')).toEqual(inBoth)
  const more = actionsOf('bot').filter((action) => !inBoth.includes(action))
  expect(more.every((action) => action.startsWith('Microsoft.KeyVault/vaults/'))).toBe(true)
})
