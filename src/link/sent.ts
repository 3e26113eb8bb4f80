/** What whoever decides sends to Azure as themselves: with a token that nobody keeps, so nobody can send it again. */
import type { Attempt, Decision, Link, PersonKey } from './link.ts'

export type Sent = Attempt & { readonly effect: 'approve' | 'reject'; readonly by: PersonKey }

/** The attempt, if a person made it. */
export function sentByPerson({ attempt }: Pick<Link, 'attempt'>): Sent | undefined {
  if (attempt?.by === undefined) return undefined
  const { effect, by } = attempt
  return effect === 'approve' || effect === 'reject' ? { ...attempt, effect, by } : undefined
}

/** The attempt of which nobody knows yet whether it arrived: killed in between, still on its way, or never answered. */
export function beingSent(link: Pick<Link, 'attempt'>): Sent | undefined {
  const sent = sentByPerson(link)
  if (!sent) return undefined
  const { outcome } = sent
  const isOpen =
    outcome.is === 'underWay' || (outcome.is === 'failed' && outcome.cause.cause === 'unavailable')
  return isOpen ? sent : undefined
}

/** The decision behind an attempt whose answer was lost, once Azure shows that it arrived. */
export function decisionSent(
  link: Pick<Link, 'attempt' | 'endorsements'>,
  verdict: Decision['verdict'],
): Decision | undefined {
  const sent = beingSent(link)
  if (sent?.effect !== verdict) return undefined
  const { at, by, reason } = sent
  const others = verdict === 'approve' ? (link.endorsements ?? []) : []
  return {
    at,
    verdict,
    by,
    ...(reason && { reason }),
    where: 'card',
    checkedAt: at,
    ...(others.length > 0 && { with: others }),
  }
}
