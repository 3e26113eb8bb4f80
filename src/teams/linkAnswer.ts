/** Words for what came of asking for a link, said or by the form. */
import type { LinkAnswer } from '../engine/ports.ts'
import { resourceName } from '../link/resourceId.ts'
import { aboutLink } from './about.ts'
import { azureName, type Prose } from './prose.ts'
import type { Turn } from './turn.ts'

/** Undefined when nothing is to be said: the status card is the answer, or the line that it got before. */
export async function wordLinkAnswer(turn: Turn, answer: LinkAnswer): Promise<Prose | undefined> {
  const { words } = turn
  switch (answer.is) {
    case 'asked':
    case 'heard':
      return undefined
    case 'followed': {
      const about = await aboutLink(turn, answer.link)
      return words.replies.followed(about, answer.link.stage.status, answer.new)
    }
    case 'refused':
      return words.askRefusal(answer.refusal, {
        signalr: azureName(resourceName(answer.signalr)),
        vault: azureName(resourceName(answer.vault)),
      })
    case 'unclear':
      return answer.problems.flatMap((problem, index) => [
        ...(index > 0 ? ['\n'] : []),
        ...words.replies.unclear(problem),
      ])
  }
}
