import { expect, test } from '@jest/globals'
import { createRoleDefinitions } from '../../src/azure/roleDefinitions.ts'

const { signal } = new AbortController()

/** Reads that are answered by hand; `reads` counts them. */
function started() {
  const answers: (() => void)[] = []
  const withRoles = createRoleDefinitions(() => {
    const actions = [`read ${answers.length + 1}`]
    return new Promise((resolve) => answers.push(() => resolve([{ actions, notActions: [] }])))
  })
  /** A question that asks for the role once `go` is called. */
  const question = () => {
    const { promise: gone, resolve: go } = Promise.withResolvers<void>()
    const answer = withRoles(async (role) => {
      await gone
      return (await role('Role', signal))[0]?.actions[0]
    })
    return { go, answer }
  }
  return { answers, question }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('questions asked before the read began share it', async () => {
  const { answers, question } = started()
  const [first, second] = [question(), question()]
  first.go()
  await turn()
  second.go()
  await turn()
  for (const answer of answers) answer()
  expect(await Promise.all([first.answer, second.answer])).toEqual(['read 1', 'read 1'])
})

test('a question asked while a read is under way, or after it, reads for itself', async () => {
  const { answers, question } = started()
  const first = question()
  first.go()
  await turn()
  const second = question()
  second.go()
  await turn()
  expect(answers).toHaveLength(2)
  answers[0]?.()
  const third = question()
  third.go()
  await turn()
  expect(answers).toHaveLength(3)
  for (const answer of answers) answer()
  expect(await Promise.all([first.answer, second.answer, third.answer])).toEqual([
    'read 1',
    'read 2',
    'read 3',
  ])
})

test('a read that fails fails the questions that waited for it, and no other', async () => {
  let reads = 0
  const withRoles = createRoleDefinitions(() => {
    reads += 1
    return reads === 1 ? Promise.reject(new Error('no')) : Promise.resolve([])
  })
  await expect(withRoles((role) => role('one', signal))).rejects.toThrow('no')
  expect(await withRoles((role) => role('one', signal))).toEqual([])
})
