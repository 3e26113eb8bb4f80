/**
 * The keys with which callers' tokens are signed, where an OpenID document says that they are published: the Bot
 * Connector's, as learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication describes it,
 * and those of an Entra tenant.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Log } from '../engine/ports.ts'
import { left, type Wait, waitOf } from '../link/wait.ts'
import { fieldsOf, textOf } from './activity.ts'
import { retryAfter } from './throttling.ts'

export type SigningKey = {
  readonly key: KeyObject
  /** The channels that calls signed with it may come from. */
  readonly endorsements: readonly unknown[]
}
export type SigningKeys = {
  /** The key of this id, or undefined when none is published under it. Rejects with `NoKeys` while there are none at all. */
  find(kid: string): Promise<SigningKey | undefined>
  /** Fetches them anew. Never rejects: what is held goes on. */
  refresh(): Promise<void>
  /** How long ago they were fetched. */
  ageMs(): number | undefined
}

/** No key was ever fetched, or not for so long that none may be relied on. */
export class NoKeys extends Error {
  override readonly name = 'NoKeys'
}

const minute = 60_000
/** A key that was withdrawn is believed for so long at most while the service answers. */
const refreshedAfterMs = 60 * minute
/** How long they are believed while it does not: five days, as long as the SDK keeps them by the page above. */
const keptMs = 5 * 24 * 60 * minute
/** Tokens name any key id they like; so often at most does one lead to a look at what is published now. */
const quietMs = 20_000
/** The same while there is no key yet, and everybody is turned away for it. */
const quietWithoutKeysMs = 1_000

export function createSigningKeys(options: {
  readonly openIdMetadataUrl: string
  readonly now: () => number
  readonly log: Log
  /** For the document and the keys together. */
  readonly deadline?: () => AbortSignal
}): SigningKeys {
  const { openIdMetadataUrl, now, log, deadline = () => AbortSignal.timeout(5_000) } = options
  let held: { readonly keys: ReadonlyMap<string, SigningKey>; readonly at: number } | undefined
  let triedAt: number | undefined
  let asked: Wait | undefined
  let flight: Promise<void> | undefined

  const ageMs = (): number | undefined => held && now() - held.at
  const standing = (): ReadonlyMap<string, SigningKey> | undefined =>
    held && now() - held.at < keptMs ? held.keys : undefined
  const isFresh = (): boolean => held !== undefined && left(waitOf(refreshedAfterMs, held.at), now()) > 0
  const rested = (ms: number): boolean => triedAt === undefined || Math.abs(now() - triedAt) >= ms

  const fetchOnce = async (): Promise<void> => {
    triedAt = now()
    if (asked && left(asked, triedAt) > 0) return
    try {
      held = { keys: await fetchKeys(openIdMetadataUrl, deadline(), now()), at: now() }
    } catch (error) {
      if (error instanceof Unpublished) asked = waitOf(error.retryAfterMs ?? 0, now())
      const age = ageMs()
      const ageMinutes = age === undefined ? undefined : Math.round(age / minute)
      log(standing() ? 'warn' : 'error', 'keys.unavailable', { ageMinutes }, error)
    }
  }
  const refresh = (): Promise<void> => {
    flight ??= fetchOnce().finally(() => {
      flight = undefined
    })
    return flight
  }

  return {
    ageMs,
    refresh,
    async find(kid) {
      const known = standing()?.get(kid)
      if (known) {
        if (!isFresh() && rested(quietMs)) refresh()
        return known
      }
      if (flight || rested(standing() ? quietMs : quietWithoutKeysMs)) await refresh()
      const keys = standing()
      if (!keys) throw new NoKeys()
      return keys.get(kid)
    },
  }
}

async function fetchKeys(
  address: string,
  signal: AbortSignal,
  now: number,
): Promise<ReadonlyMap<string, SigningKey>> {
  const keysAddress = textOf(fieldsOf(await fetchJson(address, signal, now)).jwks_uri) ?? ''
  // In the clear only where the document itself was: on this machine, in the sandbox.
  if (
    !URL.canParse(keysAddress) ||
    !['https:', new URL(address).protocol].includes(new URL(keysAddress).protocol)
  )
    throw new Unpublished('jwks_uri')
  const { keys } = fieldsOf(await fetchJson(keysAddress, signal, now))
  const usable = new Map((Array.isArray(keys) ? keys : []).flatMap(keyOf))
  // An empty list is a failure of the service: it would shut everybody out.
  if (usable.size === 0) throw new Unpublished('keys')
  return usable
}

/** The service answered, and published nothing that can be used. */
class Unpublished extends Error {
  override readonly name = 'Unpublished'
  statusCode?: number
  retryAfterMs?: number
}

async function fetchJson(address: string, signal: AbortSignal, now: number): Promise<unknown> {
  const response = await fetch(address, {
    signal,
    redirect: 'error',
    headers: { accept: 'application/json' },
  })
  if (!response.ok) {
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), now)
    throw Object.assign(new Unpublished(), {
      statusCode: response.status,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
  return response.json()
}

function keyOf(published: unknown): (readonly [string, SigningKey])[] {
  const { kid, kty, use, n, e, endorsements } = fieldsOf(published)
  if (typeof kid !== 'string' || kty !== 'RSA' || (use !== undefined && use !== 'sig')) return []
  if (typeof n !== 'string' || typeof e !== 'string') return []
  try {
    const key = createPublicKey({ key: { kty, n, e }, format: 'jwk' })
    if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) return []
    return [[kid, { key, endorsements: Array.isArray(endorsements) ? endorsements : [] }]]
  } catch {
    // One key that is none must not take the others with it.
    return []
  }
}
