import { canCancel } from '../../link/views.ts'
import { pairOf, wordRefusal } from '../about.ts'
import { type Command, everywhere } from './command.ts'
import { linkMeant, parseMeant } from './linkMeant.ts'
import type { Pair } from './linkText.ts'

export const cancel: Command<Pair> = {
  name: 'cancel',
  title: 'cancel',
  example: 'cancel contoso-signalr to contoso-kv',
  description: 'Take a request back before it is approved',
  scopes: everywhere,
  parse: (text) => parseMeant('cancel', text),
  async run(turn, pair) {
    const { desk, words, by, place } = turn
    const meant = await linkMeant(turn, pair, {
      name: 'cancel',
      fits: ({ stage }) => canCancel(stage.status),
      ended: false,
    })
    if (meant.is === 'unclear') return turn.say(meant.say)
    const answer = await desk.cancel({ link: meant.link.id, by, conversation: place.conversation })
    switch (answer.is) {
      case 'granted':
        return turn.say(words.replies.cancelling(pairOf(answer.link)))
      case 'refused':
        return turn.say(await wordRefusal(turn, answer.refusal, answer.link, 'cancel'))
      case 'unknown':
        return turn.say(words.replies.noSuchLink)
    }
  },
}
