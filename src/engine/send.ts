/**
 * Sends a decision as whoever made it, within their turn: the token that it takes is theirs, is kept nowhere, and is gone
 * after the one call. Written down before, and what came of it after; between the two nobody else touches the record.
 */
import { randomUUID } from 'node:crypto'
import type { Cause, Link, LinkId, Refusal, Wish } from '../link/link.ts'
import { decisionMessage, pinnedAmong } from '../link/match.ts'
import type { Pressed } from '../link/places.ts'
import { callDeadline } from './callDeadline.ts'
import type { Journal } from './journal.ts'
import type { CrashPoint } from './perform.ts'
import type { Azure, Clock, Log, Outcome, Store, WishAnswer } from './ports.ts'
import { StoreAway, StoreInDoubt } from './ports.ts'

/** Long enough for the one call, and what is written after it. */
const leaseMs = 60_000

type Sending = Wish & { readonly wish: 'send' }
export type Sender = {
  /** `perform` acts as whoever decides. When `patience` ends first, what came of it is written down all the same. */
  send(
    id: LinkId,
    wish: Sending,
    pressed: Pressed | undefined,
    perform: Azure['perform'],
    patience: AbortSignal,
  ): Promise<WishAnswer | { readonly is: 'sent'; readonly link: Link }>
  /** Resolves when nothing is on its way any more. */
  settled(): Promise<void>
}

type Ports = {
  store: Store
  clock: Clock
  journal: Journal
  wake: () => void
  log: Log
  crashPoint: CrashPoint
  /** Aborted when the process has to end: calls under way are let go of. */
  ending?: AbortSignal
}

export function createSender(ports: Ports): Sender {
  const { store, clock, journal, log, ending = new AbortController().signal } = ports
  const underWay = new Set<Promise<unknown>>()

  async function finish(
    link: Link,
    { verdict, connections }: Sending,
    perform: Azure['perform'],
    holder: string,
  ): ReturnType<Sender['send']> {
    const connection = connections.is === 'present' ? pinnedAmong(link, connections.value) : undefined
    if (!connection) throw new Error('Nothing is decided without its connection')
    const { vault, nonce } = link.asked
    try {
      ports.crashPoint(`before ${verdict}`)
      const outcome = await perform(
        { effect: verdict, vault, connection, description: decisionMessage(verdict, nonce) },
        callDeadline(ending),
      )
      ports.crashPoint(`after ${verdict}`)
      const answer = await take(link.id, verdict, outcome)
      ports.crashPoint(`committed ${verdict}`)
      return answer
    } catch (error) {
      if (!(error instanceof StoreAway || error instanceof StoreInDoubt)) throw error
      // Azure was told; a look will show it to whoever finds the intent, and the card to people.
      log('error', 'azure.sentUnrecorded', { link: link.id }, error)
      return { is: 'sent', link }
    } finally {
      await store.release(link.id, holder).catch((error: unknown) => {
        log('warn', 'link.notReleased', { link: link.id }, error)
      })
      ports.wake()
    }
  }

  async function take(id: LinkId, effect: Sending['verdict'], outcome: Outcome): ReturnType<Sender['send']> {
    const at = clock.now()
    if (outcome.is === 'done') {
      log('info', 'azure.done', { link: id, effect, as: 'approver' })
      return { is: 'granted', link: await journal.record(id, [{ fact: 'done', effect, at }]) }
    }
    const cause = ofDecider(outcome.cause)
    log('warn', 'azure.failed', {
      link: id,
      effect,
      as: 'approver',
      cause: cause.cause,
      answer: outcome.log,
    })
    const link = await journal.record(id, [{ fact: 'failed', effect, cause, notBefore: at, at }])
    return cause.cause === 'unavailable'
      ? { is: 'sent', link }
      : { is: 'refused', refusal: refusalOf(cause), link }
  }

  return {
    async send(id, wish, pressed, perform, patience) {
      const holder = randomUUID()
      const begun = await journal.send(id, wish, pressed, { holder, until: clock.now() + leaseMs })
      if (begun.is === 'signInNeeded') throw new Error('Who sends has signed in')
      if (begun.is !== 'sending') return begun
      const { link } = begun
      const finished = finish(link, wish, perform, holder)
      const ended = finished.then(
        () => undefined,
        (error: unknown) => log('error', 'azure.sentUnrecorded', { link: id }, error),
      )
      underWay.add(ended)
      ended.finally(() => underWay.delete(ended))
      return Promise.race([finished, over(patience).then(() => ({ is: 'sent', link }) as const)])
    },
    async settled() {
      await Promise.all(underWay)
    },
  }
}

/** Here it is not the bot that Azure turned away. */
const ofDecider = (cause: Cause): Cause =>
  cause.cause === 'botLacksRight' ? { ...cause, cause: 'deciderLacksRight' } : cause

const refusalOf = (cause: Cause): Refusal =>
  cause.cause === 'deciderLacksRight'
    ? { refusal: 'lacksRight', actions: [cause.action] }
    : { refusal: 'notTaken', cause }

const over = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
