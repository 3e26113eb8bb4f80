/**
 * Who may speak to the bot. Two questions: is the token the Bot Connector's for us (asked before anything of the body is
 * read), and does the activity come from Teams, from our tenant, from a person, to this bot.
 */
import { type Incoming, readActivity } from './activity.ts'
import { type Reason, type Refused, refused } from './refusal.ts'
import type { IsListed } from './services.ts'
import { type Claims, type TokenCheck, teamsChannel } from './token.ts'

/** In the sandbox alone a bot may ask for no token. */
export type Caller = Claims | { readonly is: 'unasked' }
type Admitted = { readonly is: 'admitted'; readonly incoming: Incoming }

export type Guard = {
  /** Whether tokens are asked for at all. */
  readonly tokens: boolean
  /** The token, from the header that carries it. */
  admitCaller(authorization: string): Promise<Caller | Refused>
  /** The activity, for a caller whose token held. */
  admitActivity(caller: Caller, body: unknown): Admitted | Refused
}

export function createGuard(options: {
  /** Whose people may speak, and to which bot. Absent in the sandbox alone; then any bot id and any one tenant will do. */
  readonly appId?: string
  readonly tenantId?: string
  /** Absent exactly when `appId` is. */
  readonly tokenCheck?: TokenCheck
  readonly isListed: IsListed
}): Guard {
  const { appId, tenantId, tokenCheck, isListed } = options
  if ((appId !== undefined || tokenCheck) && !(appId && tenantId && tokenCheck))
    throw new Error('A bot that asks for tokens needs its app id and its tenant')
  return {
    tokens: tokenCheck !== undefined,
    admitCaller: async (authorization) => (tokenCheck ? tokenCheck(authorization) : { is: 'unasked' }),
    admitActivity(caller, body) {
      const incoming = readActivity(body)
      if (typeof incoming === 'string') return refused(400, `no ${incoming}`)
      const wrong = wrongWith(incoming, appId, tenantId)
      if (wrong) return refused(403, wrong)
      const { serviceUrl } = incoming
      if (caller.is === 'held' && caller.serviceUrl !== serviceUrl)
        return refused(403, 'service URL is another than the token has')
      // Asked last: what is signed by Teams' own keys and misses the list is an alarm.
      if (!isListed(serviceUrl)) return refused(403, 'service host is not listed')
      return { is: 'admitted', incoming }
    },
  }
}

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** What Teams tells of itself, and nobody is answered for. */
const events: readonly Incoming['what']['is'][] = [
  'installed',
  'removed',
  'channelNamed',
  'channelDeleted',
  'other',
]

function wrongWith(
  incoming: Incoming,
  appId: string | undefined,
  tenantId: string | undefined,
): Reason | undefined {
  const { from, recipient, what } = incoming
  const [conversationTenant, channelTenant] = incoming.tenants
  // Web Chat and Direct Line clients choose their own `from`.
  if (incoming.channelId !== teamsChannel) return 'not from Teams'
  if (!conversationTenant || !channelTenant) return 'no tenant'
  if (conversationTenant !== channelTenant) return 'two tenants'
  if (tenantId !== undefined && conversationTenant !== tenantId) return 'another tenant'
  if (appId === undefined ? !recipient.startsWith('28:') : recipient !== `28:${appId}`)
    return 'meant for another bot'
  if (events.includes(what.is)) return undefined
  if (!from.id.startsWith('29:') || (from.role !== undefined && from.role !== 'user'))
    return 'not from a person'
  if (!guid.test(from.objectId ?? '')) return 'from an anonymous person'
  return undefined
}
