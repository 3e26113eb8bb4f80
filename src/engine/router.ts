/** Reads what is known of a vault's owners and lets `route.ts` choose. */
import type { Place, Route } from '../link/link.ts'
import { escalation, escalationTag, ownersTag, route } from '../link/route.ts'
import type { Directory, Log, Store } from './ports.ts'

/** The channel that decides for a vault; undefined when there is none. Rejects with `Unanswered`. */
export type Router = (vault: string, signal: AbortSignal, tags?: Tags) => Promise<Route | undefined>

/** The channel that hears of it when the owners do not answer; undefined when there is none. */
export type Escalations = (tags: Tags, owners: Place) => Promise<Place | undefined>
type Tags = Readonly<Record<string, string>>

/** Only where the bot has been: it cannot write elsewhere. */
async function knownTo(store: Store, conversation: string | undefined): Promise<Place | undefined> {
  const met = conversation && (await store.conversation(conversation))
  return met ? { conversation: met.conversation, serviceUrl: met.serviceUrl, kind: met.kind } : undefined
}

export const createEscalations =
  ({ store, fallback, log }: { store: Store; fallback: string | undefined; log: Log }): Escalations =>
  async (tags, owners) => {
    const named = [tags[escalationTag], fallback]
    const [tagged, usual] = await Promise.all(named.map((conversation) => knownTo(store, conversation)))
    if (!tagged && !usual && named.some((one) => one !== undefined))
      log('warn', 'escalation.channelUnknown', {})
    return escalation({ tagged, fallback: usual, owners })
  }

export function createRouter(ports: {
  store: Store
  directory: Directory
  defaultOwners: string | undefined
}): Router {
  const { store, directory } = ports
  const known = (conversation: string | undefined): Promise<Place | undefined> => knownTo(store, conversation)
  async function tagsOf(vault: string, signal: AbortSignal): Promise<Tags> {
    const found = await directory.vault(vault, signal)
    return found.is === 'present' ? found.value.tags : {}
  }
  return async (vault, signal, tags) => {
    const [owner, fallback] = await Promise.all([store.owner(vault), known(ports.defaultOwners)])
    const tagged = owner ? undefined : await known((tags ?? (await tagsOf(vault, signal)))[ownersTag])
    return route({ owned: owner && { place: owner.place, since: owner.since }, tagged, fallback })
  }
}
