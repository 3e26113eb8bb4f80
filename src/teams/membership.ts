/** Whether somebody belongs to the organisation, asked of Teams: an activity does not say that its sender is a guest. */
import { TeamsInfo, type TurnContext } from 'botbuilder'
import { type Fields, fieldsOf, type Incoming, textOf } from './activity.ts'
import { TeamsSilent } from './errors.ts'
import { createKept } from './kept.ts'

/** People of other organisations: invited into this one, or met in a shared channel or chat. */
export type Outsider = 'guests' | 'federated'
type Member =
  | { readonly is: 'member'; readonly name?: string; readonly tenant?: string }
  | { readonly is: 'outsider'; readonly who: Outsider }
  /** In no roster, anonymous, or not who the activity says. */
  | { readonly is: 'stranger' }
export type Membership = (context: TurnContext, incoming: Incoming) => Promise<Member>

/** Guests seldom become members, or members guests. */
const believed = { keptMs: 600_000, most: 2_000 }

/** Answers are kept for ten minutes. `admits`: outsiders who count as members. Rejects with `TeamsSilent` when Teams does not say. */
export function createMembership(now: () => number, admits: readonly Outsider[]): Membership {
  const kept = createKept<Member>(now, believed)
  return async (context, incoming) => {
    const key = `${incoming.from.id} ${incoming.from.objectId} ${incoming.team ?? incoming.conversation}`
    const known = kept.get(key)
    if (known) return known
    const member = await ask(context, incoming, admits)
    kept.set(key, member)
    return member
  }
}

async function ask(
  context: TurnContext,
  { from, tenants }: Incoming,
  admits: readonly Outsider[],
): Promise<Member> {
  let member: Fields
  try {
    member = fieldsOf(await TeamsInfo.getMember(context, from.id))
  } catch (error) {
    const { statusCode: status } = fieldsOf(error)
    // In no roster that the bot may read.
    if (status === 403 || status === 404) return { is: 'stranger' }
    throw new TeamsSilent('Teams does not say who this is', { cause: error })
  }
  if (from.objectId === undefined || member.aadObjectId !== from.objectId) return { is: 'stranger' }
  const who = whoIs(member, tenants[0])
  if (who === 'stranger') return { is: 'stranger' }
  if (who !== 'member' && !admits.includes(who)) return { is: 'outsider', who }
  const name = textOf(member.name)
  const tenant = textOf(member.tenantId)
  return { is: 'member', ...(name && { name }), ...(tenant && { tenant }) }
}

/** What a roster's entry says of somebody, seen from the organisation of that tenant. A role without a name here, as of somebody anonymous, is nobody's that could hold a right. */
export function whoIs(member: Fields, tenant: string | undefined): 'member' | Outsider | 'stranger' {
  const role = textOf(member.userRole)?.toLowerCase() ?? 'user'
  if (role === 'guest' || textOf(member.userPrincipalName)?.includes('#EXT#')) return 'guests'
  if (role !== 'user') return 'stranger'
  const home = textOf(member.tenantId)
  return home === undefined || home === tenant ? 'member' : 'federated'
}
