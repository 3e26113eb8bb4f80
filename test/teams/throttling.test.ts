/** A turn's own calls to Teams: nobody holds them up, but each is counted, and a refusal is heard. */
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type Stage, startStage } from './stage.ts'

const called: (string | undefined)[] = []
const refused: { conversation: string | undefined; retryAfterMs: number | undefined }[] = []
let stage: Stage
beforeEach(async () => {
  called.length = 0
  refused.length = 0
  stage = await startStage({
    teams: { throttle: false },
    traffic: {
      called: async (conversation) => void called.push(conversation),
      refused: async (conversation, retryAfterMs) => void refused.push({ conversation, retryAfterMs }),
    },
  })
  await stage.teams.install('contoso', 'owner')
  called.length = 0
})
afterEach(() => stage.close())

test('a read counts for the tenant, an answer for its conversation too', async () => {
  const { conversationId } = await stage.teams.person('owner').says('help').in('general')
  expect(called).toEqual([undefined, conversationId])
  await stage.teams.person('owner').says('help').in('general')
  // Who somebody is was asked before.
  expect(called).toHaveLength(3)
  expect(refused).toEqual([])
})

test.each([
  { message: 'Too many requests.', of: 'the conversation' },
  { message: 'Too many requests for this tenant.', of: 'the tenant' },
])('a 429 is heard, with its Retry-After, as of $of', async ({ message, of }) => {
  stage.teams.fail({
    method: 'POST',
    path: /activities/,
    times: 1,
    status: 429,
    message,
    headers: { 'retry-after': '7' },
  })
  const { conversationId } = await stage.teams.person('owner').says('help').in('general')
  expect(refused).toEqual([
    { conversation: of === 'the tenant' ? undefined : conversationId, retryAfterMs: 7_000 },
  ])
})
