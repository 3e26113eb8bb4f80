import { canCancel } from '../../link/views.ts'
import { wordRefusal } from '../about.ts'
import { confirmUnlinkCard } from '../cards.ts'
import { type Command, everywhere } from './command.ts'
import { linkMeant, parseMeant } from './linkMeant.ts'
import type { Pair } from './linkText.ts'

export const unlink: Command<Pair> = {
  name: 'unlink',
  title: 'unlink',
  example: 'unlink contoso-signalr from contoso-kv',
  description: 'Remove a link that works; asks you to confirm first',
  scopes: everywhere,
  parse: (text) => parseMeant('unlink', text),
  async run(turn, pair) {
    const meant = await linkMeant(turn, pair, {
      name: 'unlink',
      fits: ({ stage }) => stage.status === 'Approved' || stage.status === 'Disconnected',
      ended: false,
    })
    if (meant.is === 'unclear') return turn.say(meant.say)
    const { link } = meant
    // Nobody is asked to confirm what the answer would send back to `cancel`.
    if (canCancel(link.stage.status))
      return turn.say(await wordRefusal(turn, { refusal: 'notApprovedYet' }, link, 'unlink'))
    await turn.desk.question({ link: link.id, by: turn.by, conversation: turn.place.conversation })
    return turn.show(await confirmUnlinkCard(link, turn.words, turn.drawing))
  },
}
