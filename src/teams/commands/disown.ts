import { resourceName } from '../../link/resourceId.ts'
import { azureName } from '../prose.ts'
import type { Command } from './command.ts'
import { parseVault, type VaultNamed } from './vaultNamed.ts'

export const disown: Command<VaultNamed> = {
  name: 'disown',
  title: 'disown',
  example: 'disown contoso-kv',
  description: 'Stop deciding for a vault, so that another team can',
  scopes: ['team'],
  parse: (text) => parseVault('disown', text),
  async run(turn, { vault, extra }) {
    const { desk, words, by, place, team } = turn
    if (team === undefined) return turn.say(words.replies.ownOnlyInTeam)
    if (extra !== undefined) return turn.say(words.replies.tooManyWords(extra))
    if (vault === undefined) return turn.say(words.replies.whichVault('disown'))
    const answer = await desk.disown({ vault, by, team, conversation: place.conversation })
    if (answer.is === 'unclear') return turn.say(words.replies.unclear(answer.problem))
    const name = azureName(resourceName(answer.vault))
    switch (answer.is) {
      case 'disowned':
        return turn.say(words.replies.disowned(name))
      case 'notOwned':
        return turn.say(words.replies.notOwned(name))
      case 'ownedElsewhere':
        return turn.say(words.replies.ownedElsewhere(name, answer.owner.team === team, 'disown'))
      case 'lacksRight':
        return turn.say(words.replies.vaultRightMissing(name, answer.actions))
      case 'rightUnreadable':
        return turn.say(words.replies.vaultRightUnreadable(name))
    }
  },
}
