/** The answer to `status`: how a link stands, and where to see the same without Vaultlink. */
import type { Link } from '../link/link.ts'
import { statusView } from '../link/views.ts'
import { aboutOf } from './about.ts'
import type { Run } from './prose.ts'
import type { Turn } from './turn.ts'

export async function statusReply(turn: Turn, link: Link): Promise<readonly Run[]> {
  const { words, options, usual } = turn
  const zone = options.timeZone ?? 'UTC'
  const { about, decided, endedBy } = await aboutOf(turn, link)
  const { status, waits, functionalAt, provisioningState, connectionState } = statusView(link, usual)
  const lede = waits
    ? words.waiting(waits, about, decided, zone)
    : words.standing(status, about, { decided, endedBy, functionalAt }, zone)
  return [
    `${words.statusText.line(about, lede)}\n${words.statusText.asked(about.asker, link.asked.at, zone)}`,
    ...(provisioningState && connectionState
      ? [` ${words.statusText.azure(provisioningState, connectionState)}`]
      : []),
    '\n',
    { link: portalLink(options, link.asked.signalr), title: words.buttons.portal },
    `\n${words.statusText.sameInAz}`,
    { code: azLine(link) },
  ]
}

/** Read-only, and on one line: it shows what Azure itself says of the shared private link resource. */
const azLine = ({ asked }: Link): string =>
  `az rest --method get --url "${asked.signalr}/sharedPrivateLinkResources/${asked.name}?api-version=2024-03-01"`

/** Tolerant of an id that holds what a shell or a browser would take for its own. */
const portalLink = ({ portal, tenantId }: Turn['options'], id: string): string =>
  `${portal ?? 'https://portal.azure.com'}/#@${tenantId ?? ''}/resource${encodeURI(id)}`
