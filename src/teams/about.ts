/** The names that a sentence about a link needs, looked up by their keys. */
import type { Link, Refusal } from '../link/link.ts'
import { resourceName } from '../link/resourceId.ts'
import { azureName, clean, type Prose } from './prose.ts'
import type { Turn } from './turn.ts'
import type { About, Decided, Press } from './words/en.ts'

export const pairOf = (link: Link): Pick<About, 'signalr' | 'vault' | 'name'> => ({
  signalr: azureName(resourceName(link.asked.signalr)),
  vault: azureName(resourceName(link.asked.vault)),
  name: azureName(link.asked.name),
})

type Knowing = Pick<Turn, 'desk' | 'words'>

/** Who is forgotten is "somebody". */
export async function aboutOf(
  { desk, words }: Knowing,
  link: Link,
): Promise<{ about: About; decided: Decided | undefined; endedBy: string | undefined }> {
  const { asked, decision, stage } = link
  const ending = 'by' in stage ? stage.by : undefined
  const [people, texts] = await Promise.all([
    desk.people([asked.by, decision?.by, ending].filter((key) => key !== undefined)),
    desk.texts(decision?.reason === undefined ? [] : [decision.reason]),
  ])
  const name = (key: string): string => clean(people.get(key)?.name ?? words.somebody, 60)
  const reason = decision?.reason === undefined ? undefined : texts.get(decision.reason)
  return {
    about: { ...pairOf(link), asker: name(asked.by) },
    decided: decision && {
      verdict: decision.verdict,
      who: decision.by === undefined ? undefined : name(decision.by),
      at: decision.at,
      reason: reason === undefined ? undefined : clean(reason, 300),
    },
    endedBy: ending === undefined ? undefined : name(ending),
  }
}

export async function wordRefusal(turn: Turn, refusal: Refusal, link: Link, press: Press): Promise<Prose> {
  const { about, decided } = await aboutOf(turn, link)
  return turn.words.refusal(refusal, about, press, decided, turn.options.timeZone ?? 'UTC')
}
