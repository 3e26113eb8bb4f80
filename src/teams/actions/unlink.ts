import { pairOf, wordRefusal } from '../about.ts'
import { type Action, linkIdOf } from './action.ts'

/** The confirmation that the command `unlink` asked for. */
export const unlink: Action = {
  verb: 'unlink',
  async run(turn, data) {
    const { desk, words, by, place } = turn
    const link = linkIdOf(data)
    if (link === undefined) return { is: 'message', say: words.replies.notACardOfMine }
    const answer = await desk.unlink({ link, by, conversation: place.conversation })
    switch (answer.is) {
      case 'granted':
        return { is: 'done', say: words.replies.unlinking(pairOf(answer.link)) }
      case 'refused':
        return { is: 'message', say: await wordRefusal(turn, answer.refusal, answer.link, 'unlink') }
      case 'unknown':
        return { is: 'message', say: words.replies.noSuchLink }
    }
  },
}
