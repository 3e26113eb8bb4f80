import type { LinkAnswer } from '../../engine/ports.ts'
import { isEnded } from '../../link/views.ts'
import { longestReason } from '../commands/linkText.ts'
import { wordLinkAnswer } from '../linkAnswer.ts'
import { evened, resourceText } from '../typedText.ts'
import { type Action, inputOf } from './action.ts'

function saidAgain({ link, askedBy }: LinkAnswer & { readonly is: 'heard' }): LinkAnswer {
  const { asked, stage } = link
  return isEnded(stage.status)
    ? {
        is: 'refused',
        refusal: { refusal: 'endedJustNow', status: stage.status },
        signalr: asked.signalr,
        vault: asked.vault,
      }
    : { is: 'followed', link, askedBy, new: true }
}

/** The form's submit. Its inputs are as little believed as what is typed. */
export const link: Action = {
  verb: 'link',
  inputs: ['signalr', 'vault', 'as', 'because'],
  async run(turn, data) {
    const { desk, words, by, place } = turn
    const named = (name: string): string | undefined => {
      const text = evened(inputOf(data, name) ?? '')
      return text ? resourceText(text) : undefined
    }
    const [signalr, vault, as, reason] = [named('signalr'), named('vault'), named('as'), named('because')]
    if (!signalr || !vault) return { is: 'message', say: words.replies.formIncomplete }
    if (reason !== undefined && reason.length > longestReason)
      return { is: 'message', say: words.replies.reasonTooLong(reason.length, longestReason) }
    const answer = await desk.link({
      by,
      signalr,
      vault,
      ...(as && { as }),
      ...(reason && { reason }),
      thread: place,
    })
    // Somebody waits for an answer to a press, however often it was given.
    const said = await wordLinkAnswer(turn, answer.is === 'heard' ? saidAgain(answer) : answer)
    // The form is used up once it was asked; else it stays, to be corrected.
    if (said === undefined) return { is: 'done', say: words.replies.askedByForm }
    return { is: answer.is === 'followed' ? 'done' : 'message', say: said }
  },
}
