import { linkFormCard } from '../cards.ts'
import { wordLinkAnswer } from '../linkAnswer.ts'
import { after, type Command, everywhere } from './command.ts'
import { type LinkText, longestReason, parseLink } from './linkText.ts'

export const link: Command<LinkText> = {
  name: 'link',
  title: 'link',
  example: 'link contoso-signalr to contoso-kv because custom domain certificate',
  description: 'Ask for a private link from a SignalR to a Key Vault',
  scopes: everywhere,
  parse(text) {
    const rest = after('link', text)
    return rest === undefined ? undefined : parseLink(rest)
  },
  async run(turn, parsed) {
    const { words, desk, by, place } = turn
    switch (parsed.is) {
      case 'reasonTooLong':
        return turn.say(words.replies.reasonTooLong(parsed.length, longestReason))
      case 'tooMany':
        return turn.say(words.replies.tooManyWords(parsed.word))
      case 'partial':
        return turn.show(
          await linkFormCard(
            await desk.choices(by),
            { ...parsed, ...(parsed.reason && { because: parsed.reason }) },
            words,
          ),
        )
      case 'whole': {
        const { is: _, ...asked } = parsed
        const said = await wordLinkAnswer(turn, await desk.link({ by, ...asked, thread: place }))
        // The status card that follows is the answer.
        if (said) await turn.say(said)
        return
      }
    }
  },
}
