/** A process of its own: the local Azure with links that have waited for their owners for an hour. */
import { startAzure } from '../../sandbox/azure/server.ts'
import { type Size, seedOf } from '../../test/engine/restingLinks.ts'
import { answerQuestions } from '../load/asking.ts'

let reads = 0
let url = ''
answerQuestions({
  start: async (size) => {
    const azure = await startAzure({ seed: seedOf(size as Size, Date.now()), throttle: false })
    azure.onEvent(({ kind }) => {
      if (kind === 'arm') reads++
      azure.events.length = 0
    })
    url = azure.url
    return url
  },
  reads: () => reads,
})
