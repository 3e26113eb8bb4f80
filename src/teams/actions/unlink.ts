import { pairOf, wordRefusal } from '../about.ts'
import { type Action, linkIdOf, pressOf } from './action.ts'

/** The confirmation that the command `unlink` asked for. */
export const unlink: Action = {
  verb: 'unlink',
  inputs: [],
  async run(turn, data) {
    const { desk, words } = turn
    const link = linkIdOf(data)
    if (link === undefined) return { is: 'message', say: words.replies.notACardOfMine }
    const answer = await desk.unlink(pressOf(turn, link))
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
