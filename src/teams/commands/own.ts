import { resourceName } from '../../link/resourceId.ts'
import { azureName } from '../prose.ts'
import type { Command } from './command.ts'
import { parseVault, type VaultNamed } from './vaultNamed.ts'

export const own: Command<VaultNamed> = {
  name: 'own',
  title: 'own',
  example: 'own contoso-kv',
  description: "Decide for a vault in this team's channel from now on",
  scopes: ['team'],
  parse: (text) => parseVault('own', text),
  async run(turn, { vault, extra }) {
    const { desk, words, by, place, team, channel } = turn
    if (team === undefined) return turn.say(words.replies.ownOnlyInTeam)
    if (extra !== undefined) return turn.say(words.replies.tooManyWords(extra))
    if (vault === undefined) return turn.say(words.replies.whichVault('own'))
    // The channel itself is remembered, not the thread in which it was said.
    const answer = await desk.own({ vault, by, place: { ...place, conversation: channel }, team })
    if (answer.is === 'unclear') return turn.say(words.replies.unclear(answer.problem))
    const name = azureName(resourceName(answer.vault))
    switch (answer.is) {
      case 'owned':
        return turn.say(words.replies.owned(name, answer))
      case 'ownedElsewhere':
        return turn.say(words.replies.ownedElsewhere(name, answer.owner.team === team, 'own'))
      case 'lacksRight':
        return turn.say(words.replies.vaultRightMissing(name, answer.actions))
      case 'rightUnreadable':
        return turn.say(words.replies.vaultRightUnreadable(name))
    }
  },
}
