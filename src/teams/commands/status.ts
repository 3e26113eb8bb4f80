import { statusView } from '../../link/views.ts'
import { namesIn } from '../about.ts'
import { statusText } from '../cards.ts'
import { type Command, everywhere } from './command.ts'
import { linkMeant, parseMeant } from './linkMeant.ts'
import type { Pair } from './linkText.ts'

export const status: Command<Pair> = {
  name: 'status',
  title: 'status',
  example: 'status contoso-signalr to contoso-kv',
  description: 'See how a link stands, and where to see the same in Azure',
  scopes: everywhere,
  parse: (text) => parseMeant('status', text),
  async run(turn, pair) {
    const meant = await linkMeant(turn, pair, { name: 'status', fits: () => true, ended: true })
    if (meant.is === 'unclear') return turn.say(meant.say)
    const view = statusView(meant.link, turn.usual)
    return turn.say(statusText(view, await namesIn(turn, view), turn.words, turn.drawing))
  },
}
