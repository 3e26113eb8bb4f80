import { helpCard, type Rendered } from '../cards.ts'
import type { Scope } from '../turn.ts'
import type { Words } from '../words/en.ts'
import { after, type Command, everywhere } from './command.ts'

/** Help lists all commands, itself included, so the index makes it of the others. */
export const helpOf = (others: readonly Command<unknown>[]): Command<true> => {
  /** Nothing in it is of the turn but where it was said, and drawing it is half of what the turn would take. */
  const drawn = new WeakMap<Words, Map<Scope, Rendered>>()
  const help: Command<true> = {
    name: 'help',
    title: 'help',
    example: 'help',
    description: 'See what Vaultlink can do',
    scopes: everywhere,
    parse: (text) => (text === '' || text === '?' || after('help', text) !== undefined ? true : undefined),
    async run(turn) {
      const { words, scope } = turn
      const ofLanguage = drawn.get(words) ?? new Map<Scope, Rendered>()
      drawn.set(words, ofLanguage)
      const said = [...others, help].filter(({ scopes }) => scopes.includes(scope))
      const card = ofLanguage.get(scope) ?? (await helpCard(words, said))
      ofLanguage.set(scope, card)
      await turn.show(card)
    },
  }
  return help
}
