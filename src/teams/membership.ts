/** Whether somebody belongs to the organisation, asked of Teams: an activity does not say that its sender is a guest. */
import { TeamsInfo, type TurnContext } from 'botbuilder'
import type { Incoming } from './activity.ts'
import { TeamsSilent } from './errors.ts'

type Member = { readonly is: 'member'; readonly name?: string } | { readonly is: 'stranger' }
export type Membership = (context: TurnContext, incoming: Incoming) => Promise<Member>

/** Guests seldom become members, or members guests. */
const keptMs = 600_000
const mostKept = 2_000

/** Answers are kept for ten minutes. Rejects with `TeamsSilent` when Teams does not say. */
export function createMembership(now: () => number): Membership {
  const kept = new Map<string, { readonly member: Member; readonly until: number }>()
  return async (context, incoming) => {
    const key = `${incoming.from.id} ${incoming.from.objectId} ${incoming.team ?? incoming.conversation}`
    const known = kept.get(key)
    if (known && known.until > now()) return known.member
    const member = await ask(context, incoming)
    kept.delete(key)
    kept.set(key, { member, until: now() + keptMs })
    const [oldest] = kept.keys()
    if (kept.size > mostKept && oldest !== undefined) kept.delete(oldest)
    return member
  }
}

async function ask(context: TurnContext, { from, tenants }: Incoming): Promise<Member> {
  try {
    const member = await TeamsInfo.getMember(context, from.id)
    const isGuest =
      (member.userRole !== undefined && member.userRole.toLowerCase() !== 'user') ||
      (member.tenantId !== undefined && member.tenantId !== tenants[0]) ||
      member.aadObjectId !== from.objectId ||
      member.userPrincipalName?.includes('#EXT#') === true
    return isGuest ? { is: 'stranger' } : { is: 'member', ...(member.name && { name: member.name }) }
  } catch (error) {
    const status = statusOf(error)
    // In no roster that the bot may read.
    if (status === 403 || status === 404) return { is: 'stranger' }
    throw new TeamsSilent('Teams does not say who this is', { cause: error })
  }
}

const statusOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined
