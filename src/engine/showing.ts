/** What a survey shows of a link at rest, beside how the link was last seen. */
import type { Connection, SharedPrivateLink } from '../link/link.ts'
import { resourceKey } from '../link/resourceId.ts'
import { type AtRest, marksIn, nothing, onVaultOf, ownOf } from '../link/rest.ts'
import type { Shown, Surveyed, VaultShown } from './ports.ts'

/** How each half looks. One that was not shown this time is left out. */
export type Sight = { readonly own?: string; readonly onVault?: string }

export type Judgement =
  /** As it was, as far as it was shown. */
  | 'same'
  /** Otherwise, or Azure says that what it hangs on is gone. */
  | 'changed'
  /** A list leaves it out, which by itself proves nothing. */
  | 'missing'
  /** It cannot be seen in this way, or what is shown of it was contradicted before. */
  | 'unseen'
const gravest: readonly Judgement[] = ['changed', 'missing', 'unseen', 'same']

type Half = { readonly judgement: Judgement; readonly sight?: string }

/**
 * Judges each link by what one survey shows. `disbelieved` is what an own look has contradicted; what is shown as it
 * should be again is believed again.
 */
export function createShowing({ signalrs, vaults }: Surveyed) {
  const linksOn = remembered((signalr) => byName(signalrs.get(signalr)))
  const connectionsOn = remembered((vault) => byMark(vaults.get(vault)))

  function own(link: AtRest): Half {
    const shown = signalrs.get(link.signalr)
    if (shown?.is !== 'present') return unshown(shown, link.own)
    const found = linksOn(link.signalr).get(link.name)
    return compared(ownOf(link, found ? [found] : []), link.own)
  }

  function onVault(link: AtRest): Half {
    const shown = vaults.get(link.vault)
    if (shown?.is !== 'present') return unshown(shown, link.onVault)
    const { marked, byId } = connectionsOn(link.vault)
    const pinned = link.pinned && byId.get(link.pinned.connection)
    const ours = new Set([...(marked.get(link.nonce) ?? []), ...(pinned ? [pinned] : [])])
    const { isPublic } = shown.value
    const opened = isPublic !== undefined && link.vaultIsPublic === !isPublic
    const sight = onVaultOf(link, [...ours])
    return opened
      ? { judgement: 'changed', sight: `${sight} ${isPublic ? 'open' : 'closed'}` }
      : compared(sight, link.onVault)
  }

  return (
    link: AtRest,
    disbelieved: Sight,
  ): { readonly judgement: Judgement; readonly sight: Sight; readonly disbelieved: Sight } => {
    const halves = { own: own(link), onVault: onVault(link) }
    const judgements: Judgement[] = []
    const sight: { -readonly [K in keyof Sight]: Sight[K] } = {}
    const still: typeof sight = {}
    for (const half of ['own', 'onVault'] as const) {
      const { judgement, sight: shown } = halves[half]
      const before = disbelieved[half]
      const isOld = before !== undefined && shown === before && judgement !== 'same'
      judgements.push(isOld ? 'unseen' : judgement)
      if (shown !== undefined && judgement !== 'same') sight[half] = shown
      if (before !== undefined && (isOld || shown === undefined)) still[half] = before
    }
    const judgement = gravest.find((one) => judgements.includes(one)) ?? 'same'
    return { judgement, sight, disbelieved: still }
  }
}

const compared = (sight: string, before: string): Half => ({
  judgement: sight === before ? 'same' : sight === nothing ? 'missing' : 'changed',
  sight,
})

function unshown(shown: Shown<unknown> | undefined, before: string): Half {
  if (shown === undefined) return { judgement: 'same' }
  if (shown.is === 'hidden') return { judgement: 'unseen' }
  return { judgement: before === nothing ? 'same' : 'changed', sight: nothing }
}

function remembered<T>(make: (key: string) => T): (key: string) => T {
  const all = new Map<string, T>()
  return (key) => {
    const known = all.get(key) ?? make(key)
    all.set(key, known)
    return known
  }
}

const byName = (
  shown: Shown<readonly SharedPrivateLink[]> | undefined,
): ReadonlyMap<string, SharedPrivateLink> =>
  new Map(shown?.is === 'present' ? shown.value.map((one) => [one.name.toLowerCase(), one]) : [])

function byMark(shown: Shown<VaultShown> | undefined): {
  readonly marked: ReadonlyMap<string, readonly Connection[]>
  readonly byId: ReadonlyMap<string, Connection>
} {
  const marked = new Map<string, Connection[]>()
  const byId = new Map<string, Connection>()
  for (const one of shown?.is === 'present' ? shown.value.connections : []) {
    byId.set(resourceKey(one.id), one)
    for (const mark of marksIn(one.description)) marked.set(mark, [...(marked.get(mark) ?? []), one])
  }
  return { marked, byId }
}
