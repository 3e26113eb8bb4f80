/** Requests of all kinds that are accepted, as Teams sends them: in a world where each, were it believed, does something. */
import type { Activity } from '../../sandbox/teams/face.ts'
import { sentence, within } from '../story/stage.ts'
import type { Twin } from './forgeries.ts'
import type { Production } from './production.ts'
import { written } from './rows.ts'

/** A link waits for its owner; these are what was overheard and never delivered. */
export async function overheardTwins(world: Production): Promise<readonly Twin[]> {
  const { teams, overhears } = world
  const owner = teams.person('owner')
  const requester = teams.person('requester')
  await teams.install('contoso', 'owner')
  await owner.says('own contoso-kv').in('vault-owners')
  await requester.says(sentence).in('general')
  const card = await teams.channel('vault-owners').shows('Approve a private connection', { within })
  // After this both cards stand as they are until somebody decides, and looks show nothing new.
  await teams.channel('general').shows("Waiting for the vault's owner · until ", { within })
  await written(world)

  const acts: readonly (readonly [kind: string, act: () => Promise<unknown>])[] = [
    ['a message in a channel', () => requester.says('link contoso-signalr to contoso-certs').in('general')],
    ['another in another', () => owner.says('disown contoso-kv').in('vault-owners')],
    ['a message in private', () => teams.person('outsider').says('help').in('with:outsider')],
    ['a button', () => owner.presses('Approve…', 'Yes, approve').on(card)],
    ['a renamed channel', () => teams.renameChannel('random', 'Chance', 'owner')],
    ['an installation', () => teams.install({ personal: 'second' }, 'second')],
  ]
  const twins: Twin[] = []
  for (const [kind, act] of acts) {
    const heard = await overhears(act)
    twins.push(
      ...heard.map((activity, nth) => ({
        kind: nth === 0 ? kind : `${kind}, again`,
        activity,
        isPersons: isPersons(activity),
      })),
    )
  }
  return twins
}

const isPersons = ({ type }: Activity): boolean => type === 'message' || type === 'invoke'
