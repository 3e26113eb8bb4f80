import { helpCard } from '../cards.ts'
import { after, type Command, everywhere } from './command.ts'

/** Help lists all commands, itself included, so the index makes it of the others. */
export const helpOf = (others: readonly Command<unknown>[]): Command<true> => {
  const help: Command<true> = {
    name: 'help',
    title: 'help',
    example: 'help',
    description: 'See what Vaultlink can do',
    scopes: everywhere,
    parse: (text) => (text === '' || text === '?' || after('help', text) !== undefined ? true : undefined),
    async run(turn) {
      const said = [...others, help].filter(({ scopes }) => scopes.includes(turn.scope))
      await turn.show(await helpCard(turn.words, said))
    },
  }
  return help
}
