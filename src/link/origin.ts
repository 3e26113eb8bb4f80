/** Who a fact is by, in whose words, and where it comes from: what whoever reads the log asks of each. */
import type { Fact, Link, PersonKey, TextKey } from './link.ts'

/** The person whose doing it is; undefined for what we did, what Azure showed, and what time brought. */
export function personIn(fact: Fact): PersonKey | undefined {
  switch (fact.fact) {
    case 'asked':
      return fact.asked.by
    case 'followed':
    case 'heard':
    case 'decided':
    case 'endorsed':
    case 'revoked':
    case 'questioned':
    case 'cancelled':
    case 'unlinked':
    case 'retried':
    case 'intended':
      return fact.by
    default:
      return undefined
  }
}

/** What the person wrote with it. */
export function wordsIn(fact: Fact): TextKey | undefined {
  switch (fact.fact) {
    case 'asked':
      return fact.asked.reason
    case 'decided':
    case 'revoked':
    case 'intended':
      return fact.reason
    default:
      return undefined
  }
}

export type Origin =
  /** Said or pressed in Teams; `conversation` is unknown for what was written before it was kept. */
  | { readonly is: 'person'; readonly conversation?: string }
  /** Somebody decided in the Azure portal, or past us by other means: Azure shows that, and not who. */
  | { readonly is: 'portal' }
  /** Azure showed or answered it. */
  | { readonly is: 'azure' }
  /** Teams answered it. */
  | { readonly is: 'teams'; readonly conversation?: string }
  /** What follows from the record by itself. */
  | { readonly is: 'vaultlink' }
  | { readonly is: 'clock' }

/** Where a fact comes from. `before` and `after` are the record without and with it, where they can be read. */
export function originOf(fact: Fact, before: Link | undefined, after: Link | undefined): Origin {
  switch (fact.fact) {
    case 'asked':
    case 'followed':
    case 'heard':
    case 'decided':
    case 'endorsed':
    case 'revoked':
    case 'questioned':
    case 'cancelled':
    case 'unlinked':
    case 'retried':
      return person(fact)
    case 'observed': {
      const decision = after?.decision
      const isNew = decision !== undefined && decision.at !== before?.decision?.at
      return isNew && decision.where === 'portal' ? { is: 'portal' } : { is: 'azure' }
    }
    case 'done':
    case 'failed':
    case 'rechecked':
      return { is: 'azure' }
    case 'posted':
    case 'adopted':
      return { is: 'teams', conversation: fact.conversation }
    case 'unposted':
    case 'lost':
    case 'gone':
      return { is: 'teams' }
    case 'intended':
      return fact.by === undefined ? { is: 'vaultlink' } : person(fact)
    case 'rerouted':
      return { is: 'vaultlink' }
    case 'passed':
      return { is: 'clock' }
    default:
      return fact satisfies never
  }
}

function person(fact: Fact): Origin {
  const thread =
    fact.fact === 'asked' ? fact.asked.thread : fact.fact === 'followed' ? fact.thread : undefined
  const conversation = fact.from ?? thread?.conversation
  return conversation === undefined ? { is: 'person' } : { is: 'person', conversation }
}
