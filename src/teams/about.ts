/** The names that sentences and cards of a link need, looked up by their keys. */
import type { Link, Refusal } from '../link/link.ts'
import { resourceName } from '../link/resourceId.ts'
import { statusView, type View } from '../link/views.ts'
import { aboutOf, decidedOf, type Names, named, namesOf } from './cards.ts'
import { azureName, type Prose } from './prose.ts'
import type { Turn } from './turn.ts'
import type { About, Press } from './words/en.ts'

export async function namesIn({ desk }: Pick<Turn, 'desk'>, view: View): Promise<Names> {
  const needed = namesOf(view)
  const [people, texts] = await Promise.all([desk.people(needed.people), desk.texts(needed.texts)])
  return { person: (key) => people.get(key), text: (key) => texts.get(key) }
}

export const pairOf = (link: Link): Pick<About, 'signalr' | 'vault' | 'name'> => ({
  signalr: azureName(resourceName(link.asked.signalr)),
  vault: azureName(resourceName(link.asked.vault)),
  name: azureName(link.asked.name),
})

export async function aboutLink(turn: Turn, link: Link): Promise<About> {
  const view = statusView(link, turn.usual)
  return aboutOf(view, await namesIn(turn, view), turn.words)
}

export async function wordRefusal(turn: Turn, refusal: Refusal, link: Link, press: Press): Promise<Prose> {
  const { words, usual, drawing } = turn
  const view = statusView(link, usual)
  const names = await namesIn(turn, view)
  const decided = decidedOf(link.decision, names, words)
  const about = aboutOf(view, names, words)
  const endedBy =
    'outcome' in refusal && refusal.by !== undefined ? named(refusal.by, names, words) : undefined
  return words.refusal(refusal, about, press, decided, endedBy, drawing.timeZone ?? 'UTC')
}
