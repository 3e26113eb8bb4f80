/**
 * Who may speak to the bot. One function: a request comes in, and goes on only when its token is the Bot
 * Connector's for us, and its activity comes from Teams, from our tenant, from a person, to this bot.
 */
import type { Activity } from 'botbuilder'
import { type Incoming, readActivity } from './activity.ts'
import type { Authenticated, Authentication } from './adapter.ts'
import { TurnTooLong, within } from './errors.ts'

type Verdict =
  | {
      readonly is: 'admitted'
      readonly incoming: Incoming
      readonly activity: Activity
      readonly authenticated: Authenticated
    }
  /** `why` is for the log alone: who is refused learns nothing from it. */
  | { readonly is: 'refused'; readonly status: 400 | 401 | 403 | 503; readonly why: string }
export type Guard = (authorization: string, body: unknown) => Promise<Verdict>

const authenticateWithinMs = 5_000

export function createGuard(options: {
  authentication: Authentication
  /** Both are absent in the sandbox alone; then any bot id and any one tenant will do. */
  appId?: string
  tenantId?: string
}): Guard {
  const { authentication, appId, tenantId } = options
  if (authentication.required && !(appId && tenantId))
    throw new Error('A bot that asks for tokens needs its app id and its tenant')
  return async (authorization, body) => {
    const incoming = readActivity(body)
    if (typeof incoming === 'string') return { is: 'refused', status: 400, why: `no ${incoming}` }
    if (authentication.required && issuerOf(authorization) !== authentication.issuer)
      // The SDK would let an Entra token for the app id pass as "the emulator's", with any sender it names.
      return { is: 'refused', status: 401, why: 'token of another issuer' }
    const wrong = wrongWith(incoming, appId, tenantId)
    if (wrong) return { is: 'refused', status: 403, why: wrong }
    const activity = body as Activity
    try {
      // The keys may have to be fetched, and the SDK would wait for them without an end.
      const authenticated = await within(
        authenticateWithinMs,
        authentication.authenticate(activity, authorization),
        () => new TurnTooLong('the keys were not fetched in time'),
      )
      return { is: 'admitted', incoming, activity, authenticated }
    } catch (error) {
      if (error instanceof TurnTooLong) return { is: 'refused', status: 503, why: error.message }
      // The SDK throws a plain error for a bad signature. Its message names the flaw, never the token.
      return {
        is: 'refused',
        status: 401,
        why: error instanceof Error ? error.message.slice(0, 200) : 'token',
      }
    }
  }
}

function wrongWith(
  incoming: Incoming,
  appId: string | undefined,
  tenantId: string | undefined,
): string | undefined {
  const { from, recipient, what } = incoming
  const [conversationTenant, channelTenant] = incoming.tenants
  // Web Chat and Direct Line clients choose their own `from`.
  if (incoming.channelId !== 'msteams') return 'not from Teams'
  if (!conversationTenant || !channelTenant) return 'no tenant'
  if (conversationTenant !== channelTenant) return 'two tenants'
  if (tenantId !== undefined && conversationTenant !== tenantId) return 'another tenant'
  if (appId === undefined ? !recipient.startsWith('28:') : recipient !== `28:${appId}`)
    return 'meant for another bot'
  const isPersons = what.is === 'message' || what.is === 'pressed' || what.is === 'signsIn'
  if (!isPersons) return undefined
  if (!from.id.startsWith('29:') || from.role === 'bot' || from.role === 'skill') return 'not from a person'
  if (!from.objectId) return 'from an anonymous person'
  return undefined
}

/** The issuer that a token claims, not yet believed. */
function issuerOf(authorization: string): unknown {
  const payload = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/.exec(authorization)?.[1]
  if (!payload) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined
  } catch {
    return undefined
  }
}
