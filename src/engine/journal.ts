/**
 * The one way into the record: decide or take in, fold, reckon when the record is due again, and write it all in
 * one transaction. An outcome is folded onto whatever stands then; an observation that changes nothing is no fact.
 */
import { createHash, randomBytes } from 'node:crypto'
import { decide } from '../link/decide.ts'
import { begin, fold } from '../link/fold.ts'
import type { ApproveAs, Asked, Fact, Limits, Link, LinkId, Millis, Refusal, Wish } from '../link/link.ts'
import { next, type Plan, type Surroundings } from '../link/next.ts'
import { anyTime, type Working } from '../link/nudges.ts'
import { adopt, type Pressed } from '../link/places.ts'
import type { View } from '../link/views.ts'
import { atGate, gateKey, isShut, lineKey, longestGateMs } from './gates.ts'
import type { Change, Clock, Gate, Row, Store, WishAnswer } from './ports.ts'

export type Journal = ReturnType<typeof createJournal>

const digestOf = (view: View): string =>
  createHash('sha256').update(JSON.stringify(view)).digest('base64url').slice(0, 22)

/** Opaque, unguessable: the only thing that a card carries. */
const newLinkId = (): LinkId => randomBytes(16).toString('hex')
const newNonce = (): string => randomBytes(16).toString('hex')

/** A row, and how long its look took where whoever asks has just made it. */
export type Watched = Pick<Row, 'lookedAt' | 'hintedAt'> & { readonly lookTookMs?: Millis | undefined }

type Sending = Wish & { readonly wish: 'send' }

const adopted = (link: Link, { by }: Wish, now: Millis, pressed: Pressed | undefined): readonly Fact[] => {
  const adoption = pressed && adopt(link, pressed, by, now)
  return adoption ? [adoption] : []
}
const said = (from: string, ...facts: readonly (readonly Fact[])[]): readonly Fact[] =>
  facts.flat().map((fact) => ({ ...fact, from }))

export function createJournal(ports: {
  store: Store
  clock: Clock
  limits: Limits
  working?: Working
  approveAs?: ApproveAs
  wake: () => void
  /** Called after each commit that holds a decision, ours or the portal's. */
  onDecision?: () => void
}) {
  const { store, clock, limits, working = anyTime, approveAs = 'bot' } = ports

  const around = ({ lookedAt, lookTookMs, hintedAt }: Watched): Surroundings => ({
    now: clock.now(),
    lookedAt,
    lookTookMs,
    hintedAt,
    limits,
    working,
    steadySince: clock.set?.().since,
    approveAs,
    digest: digestOf,
  })
  const planFor = (link: Link, watched: Watched): Plan => next(link, around(watched))
  const dueOf = (plan: Plan): Millis | undefined =>
    plan.azure || plan.passed || plan.messages.length > 0 ? clock.now() : plan.wake

  /** The row with these facts folded in; undefined when they change nothing. */
  function change(
    row: Row,
    facts: readonly Fact[],
    { lookedAt = row.lookedAt, heeded }: Pick<Change, 'lookedAt' | 'heeded'> = {},
  ) {
    let link = row.link
    const told: Fact[] = []
    for (const fact of facts) {
      const folded = fold(link, fact)
      if (folded === link) continue
      told.push(fact)
      link = folded
    }
    return {
      facts: told,
      link,
      due: dueOf(planFor(link, { lookedAt, hintedAt: row.hintedAt === heeded ? undefined : row.hintedAt })),
      ...(lookedAt !== undefined && { lookedAt }),
      ...(heeded !== undefined && { heeded }),
    }
  }

  /** One transaction on one record that may decide. */
  async function commit<T>(
    id: LinkId,
    gates: readonly string[],
    work: (row: Row, gates: readonly Gate[]) => { readonly change?: Change; readonly result: T },
  ): Promise<T> {
    let isDecided = false
    const result = await store.transact(id, gates, (row, held) => {
      const done = work(row, held)
      const decision = done.change?.link.decision
      // An approval that waits for others is one too.
      isDecided =
        (decision !== undefined && decision.at !== row.link.decision?.at) ||
        done.change?.facts.some(({ fact }) => fact === 'endorsed') === true
      return done
    })
    if (isDecided) ports.onDecision?.()
    return result
  }

  return {
    planFor,
    now: () => clock.now(),

    /** Begins a link. When the same is open already, that one comes back and nothing is written. */
    async ask(
      asked: Omit<Asked, 'at' | 'nonce' | 'expiresAt'>,
    ): Promise<{ is: 'created' | 'open'; link: Link }> {
      const at = clock.now()
      const id = newLinkId()
      const fact = {
        fact: 'asked',
        at,
        from: asked.thread.conversation,
        id,
        asked: { ...asked, at, nonce: newNonce(), expiresAt: at + limits.expiryMs },
      } as const
      const link = begin(fact)
      const created = await store.create({ facts: [fact], link, due: at })
      if (created.is === 'open') return created
      ports.wake()
      return { is: 'created', link }
    },

    /**
     * Grants a wish, said in the conversation `from`, or says why not, on the record as it stands in the transaction. A
     * card of ours that was pressed and that the record does not know is taken in with it, whatever the answer.
     */
    async wish(
      id: LinkId,
      wish: Exclude<Wish, Sending>,
      from: string,
      pressed?: Pressed,
    ): Promise<WishAnswer> {
      if (!(await store.get(id))) return { is: 'unknown' }
      const { answer, changed } = await commit<{ answer: WishAnswer; changed: boolean }>(id, [], (row) => {
        const now = clock.now()
        const decided = decide(row.link, wish, now, pressed)
        const wanted = decided.is === 'fact' ? [decided.fact] : []
        const taken = change(row, said(from, wanted, adopted(row.link, wish, now, pressed)))
        const { link } = taken
        const answer: WishAnswer =
          decided.is === 'fact' ? { is: 'granted', link } : { is: 'refused', refusal: decided.refusal, link }
        return taken.facts.length > 0
          ? { change: taken, result: { answer, changed: true } }
          : { result: { answer, changed: false } }
      })
      if (changed) ports.wake()
      return answer
    },

    /**
     * Writes that somebody sends their decision themselves, before they do, and holds record and vault for it. A worker
     * may be at the record: as long as nobody has decided it looks and tells, and then it leaves. Without `hold` nothing
     * can be sent yet. An approval that waits for others is granted at once, and nothing is sent.
     */
    async send(
      id: LinkId,
      wish: Sending,
      pressed: Pressed | undefined,
      hold: { holder: string; until: Millis } | undefined,
    ): Promise<{ is: 'sending'; link: Link } | { is: 'signInNeeded' } | WishAnswer> {
      const known = await store.get(id)
      if (!known) return { is: 'unknown' }
      const key = gateKey(known.link, wish.verdict)
      type Answer = { is: 'sending'; link: Link } | { is: 'signInNeeded' } | WishAnswer
      const { answer, changed } = await commit<{ answer: Answer; changed: boolean }>(
        id,
        [key],
        (row, gates) => {
          const now = clock.now()
          const decided = decide(row.link, wish, now, pressed)
          const adoption = adopted(row.link, wish, now, pressed)
          /** Takes in no more than the card. */
          const only = (answerFor: (link: Link) => Answer) => {
            const taken = change(row, said(wish.conversation, [], adoption))
            const answer = answerFor(taken.link)
            return taken.facts.length > 0
              ? { change: taken, result: { answer, changed: true } }
              : { result: { answer, changed: false } }
          }
          const refused = (refusal: Refusal) => only((link) => ({ is: 'refused', refusal, link }))
          if (decided.is === 'refused') return refused(decided.refusal)
          const sends = decided.fact.fact === 'intended'
          if (sends && !hold) return only(() => ({ is: 'signInNeeded' }))
          if (sends && gates.some((gate) => isShut(gate, id, now))) return refused({ refusal: 'vaultBusy' })
          const taken = change(row, said(wish.conversation, [decided.fact], adoption))
          const { link } = taken
          if (!sends || !hold)
            return { change: taken, result: { answer: { is: 'granted', link }, changed: true } }
          const take = [{ key, holder: id, until: now + longestGateMs }]
          return {
            change: { ...taken, take, hold },
            result: { answer: { is: 'sending', link }, changed: true },
          }
        },
      )
      // What is being sent wakes the worker when it is over.
      if (changed && answer.is !== 'sending') ports.wake()
      return answer
    },

    /**
     * Takes in what happened, whatever stands by now. `unless` drops it all when the record has meanwhile become
     * something that these facts no longer speak of.
     */
    async record(
      id: LinkId,
      facts: readonly Fact[],
      how: {
        lookedAt?: Millis
        heeded?: Millis | undefined
        unless?: (row: Row) => boolean
        gates?: readonly string[]
        release?: (link: Link, held: readonly Gate[]) => readonly string[]
      } = {},
    ): Promise<Link> {
      return commit(id, how.gates ?? [], (row, gates) => {
        if (how.unless?.(row)) return { result: row.link }
        const changed = change(row, facts, how)
        const held = gates.filter(({ holder }) => holder === id)
        const release = how.release?.(changed.link, held) ?? []
        return { change: { ...changed, release }, result: changed.link }
      })
    },

    /**
     * Writes an intent before its effect, if the record still asks for just that, we still hold it, and Azure may be
     * written to there. Whoever meets a busy gate first is next in line for as long as `gate.placeMs`. `look`: what the
     * plan went by.
     */
    async intend(
      id: LinkId,
      holder: string,
      wanted: (plan: Plan) => (Fact & { fact: 'intended' }) | undefined,
      gate: { key: string; until: Millis; placeMs: Millis },
      look: Pick<Watched, 'lookedAt' | 'lookTookMs'>,
    ): Promise<
      { is: 'intended'; link: Link } | { is: 'changed' } | { is: 'lost' } | { is: 'busy'; isNext: boolean }
    > {
      type Result =
        | { is: 'intended'; link: Link }
        | { is: 'changed' }
        | { is: 'lost' }
        | { is: 'busy'; isNext: boolean }
      const line = lineKey(gate.key)
      return store.transact<Result>(id, [gate.key, line], (row, gates) => {
        const now = clock.now()
        if (row.lease?.holder !== holder || row.lease.until <= now) return { result: { is: 'lost' } }
        const watched = row.lookedAt === look.lookedAt ? { ...row, lookTookMs: look.lookTookMs } : row
        const intent = wanted(planFor(row.link, watched))
        if (!intent) return { result: { is: 'changed' } }
        const result = atGate(gates, gate.key, id, now)
        if (result.is === 'busy') {
          const place = { key: line, holder: id, until: now + gate.placeMs }
          return {
            ...(result.isNext && { change: { facts: [], link: row.link, due: row.due, take: [place] } }),
            result,
          }
        }
        const changed = change(row, [intent])
        return {
          change: { ...changed, take: [{ key: gate.key, holder: id, until: gate.until }], release: [line] },
          result: { is: 'intended', link: changed.link },
        }
      })
    },

    /**
     * Sets when the record is due once nothing more can be done now. `earliest`: until then what the plan asks for would
     * be in vain, as only the worker knows. It holds for the record `as` it was then alone: a newer one, or a hint since,
     * may ask for more.
     */
    async rest(
      id: LinkId,
      { as, earliest }: { as?: Pick<Row, 'version' | 'hintedAt'>; earliest?: Millis },
    ): Promise<void> {
      await store.transact(id, [], (row) => {
        const plan = planFor(row.link, row)
        const isSame = as === undefined || (as.version === row.version && as.hintedAt === row.hintedAt)
        const holds = earliest !== undefined && isSame
        const due = holds ? Math.min(earliest, plan.wake ?? earliest) : dueOf(plan)
        return due === row.due
          ? { result: undefined }
          : { change: { facts: [], link: row.link, due }, result: undefined }
      })
    },
  }
}
