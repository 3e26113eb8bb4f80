import { pairOf } from '../about.ts'
import { after, type Command, everywhere } from './command.ts'

/** More than this is no answer any more; the sentence says how many there are. */
const most = 15

export const list: Command<true> = {
  name: 'list',
  title: 'list',
  example: 'list',
  description: 'See the links that were asked for here, or by you',
  scopes: everywhere,
  parse: (text) => (after('list', text) === undefined ? undefined : true),
  async run(turn) {
    const { desk, words, by, place } = turn
    const links = await desk.find({ by, conversation: place.conversation, open: true })
    const shown = links
      .slice(0, most)
      .map((link) => ({ ...pairOf(link), status: words.status[link.stage.status] }))
    await turn.say(links.length === 0 ? words.replies.noLinks : words.replies.list(shown, links.length))
  },
}
