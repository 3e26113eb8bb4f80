/** Plays one link's whole life: the plan, its effects with their failures, people, the portal, and a clock that is turned. */
import { retryAt } from '../../src/link/causes.ts'
import { decide } from '../../src/link/decide.ts'
import { begin, fold } from '../../src/link/fold.ts'
import type {
  ApproveAs,
  Cause,
  Effect,
  Fact,
  Link,
  Millis,
  Place,
  Right,
  Seen,
  Wish,
} from '../../src/link/link.ts'
import { bears, pinnedAmong } from '../../src/link/match.ts'
import { type AzureStep, next, type Plan, type PlannedMessage } from '../../src/link/next.ts'
import { isEnded, type View, viewSchema } from '../../src/link/views.ts'
import { type Answer, createAzure, type Delays, type PortalAct, type Request } from './azureModel.ts'
import {
  around,
  asked,
  cardThread,
  hour,
  limits,
  minute,
  newOwners,
  noon,
  otherThread,
  type Reminding,
  second,
  vaultOwners,
} from './given.ts'

/** How a request may go wrong. What is lost may have been done, or be done later; killed is lost without an outcome. */
export const faults = [
  'none',
  'conflict',
  'throttled',
  'lacksRight',
  'lostBefore',
  'lostAfter',
  'lostAndLate',
  'killedBefore',
  'killedAfter',
  'killedAndLate',
] as const
export type Fault = (typeof faults)[number]
export const deliveries = ['posted', 'failed', 'gone'] as const
export type Delivery = (typeof deliveries)[number]
export const wishes = [
  'approve',
  'approveToo',
  'approveOwn',
  'reject',
  'revoke',
  'cancel',
  'unlink',
  'retry',
  'follow',
] as const

export type Move =
  | { readonly move: 'work'; readonly fault: Fault; readonly delivery: Delivery; readonly right: Right['is'] }
  | { readonly move: 'wait'; readonly ms: Millis }
  /** Our clock is set, and Azure's is not. */
  | { readonly move: 'set'; readonly ms: Millis }
  | { readonly move: 'beginLook' }
  | { readonly move: 'endLook' }
  | { readonly move: 'portal'; readonly act: PortalAct }
  /** For want of a right, or by a policy, which nobody is asked to mend. */
  | { readonly move: 'hide'; readonly link: boolean; readonly vault: boolean; readonly byPolicy?: boolean }
  | { readonly move: 'wish'; readonly wish: (typeof wishes)[number]; readonly right: Right['is'] }
  /** An owner decides and sends it as themselves. */
  | {
      readonly move: 'send'
      readonly verdict: 'approve' | 'reject'
      readonly fault: Fault
      readonly by: 'owner' | 'another'
      readonly right: Right['is']
    }
  /** The vault asks for so many approvers from now on. */
  | { readonly move: 'tag'; readonly needs: number }
  /** Something that was recorded before arrives once more. */
  | { readonly move: 'again'; readonly index: number }

const decides = (effect: Effect): boolean => effect === 'approve' || effect === 'reject'
const callDeadlineMs = 20 * second
const unavailable: Cause = { cause: 'unavailable', code: 'Deadline' }

export type Life = ReturnType<typeof createLife>

/** What somebody reads of it in Teams, and when. */
export type Read = { readonly at: Millis; readonly view: View }
/** Where owners are reminded, and how long they have to answer. */
export type Waiting = Reminding & { readonly lastsMs: Millis; readonly escalation?: Place }

/** As `approver` owners send their decisions themselves, and the bot none. */
export function createLife(delays: Delays, approveAs: ApproveAs = 'bot', approvers = 1, waiting?: Waiting) {
  const azure = createAzure(delays)
  const request = {
    fact: 'asked',
    at: noon,
    id: 'link-1',
    asked: {
      ...asked,
      expiresAt: noon + (waiting?.lastsMs ?? 2 * hour),
      ...(waiting?.escalation && { escalation: waiting.escalation }),
      ...(approvers > 1 && { approvers }),
    },
  } as const
  const log: Fact[] = [request]
  const broken: string[] = []
  const read: Read[] = []
  /** How far our clock is ahead of Azure's. */
  let ahead = 0
  let steadySince: Millis | undefined
  let now: Millis = noon
  let link: Link = begin(request)
  let lookedAt: Millis | undefined
  let looking: { seen: Seen; attempt: Link['attempt'] } | undefined
  let granted = 0
  let tagged = approvers
  /** As many as the vault ever asked for when somebody could read it. */
  let most = approvers

  const law = (name: string, holds: boolean): void => {
    if (!holds) broken.push(`${name} (at ${(now - noon) / second} s, ${link.stage.status})`)
  }
  const plan = (): Plan => next(link, around(now, lookedAt, approveAs, waiting, steadySince))

  function record(fact: Fact): void {
    const before = link.stage.status
    const folded = fold(link, fact)
    if (folded === link) return
    link = folded
    log.push(fact)
    const { status } = link.stage
    if (status === before) return
    const own = fact.fact === 'observed' && fact.seen.own.is === 'present' ? fact.seen.own.value : undefined
    law('Approved only by what Azure shows', status !== 'Approved' || own?.status === 'Approved')
    law('an end is the end', !isEnded(before))
  }

  function observe(seen: Seen, attempt: Link['attempt']): void {
    // The engine drops a look when an effect or another look began since, or the clock was set back.
    if (seen.at > now || (lookedAt !== undefined && seen.at < lookedAt && lookedAt <= now)) return
    if (link.attempt?.at !== attempt?.at || link.attempt?.count !== attempt?.count) return
    lookedAt = seen.at
    record({ fact: 'observed', seen, at: now })
  }

  function wait(ms: Millis): void {
    now += ms
    azure.turn(now - ahead)
  }

  const look = (): Seen => ({
    ...azure.look(now - ahead),
    at: now,
    ...(steadySince !== undefined && { steadySince }),
  })

  const requestOf = (step: AzureStep & { step: Effect }): Request =>
    step.step === 'approve' || step.step === 'reject'
      ? { does: step.step, connection: step.connection }
      : { does: step.step }

  /** The moment before an approval goes out: what must be true of the record. */
  function checkApproval(step: AzureStep & { step: Effect }): void {
    if (step.step !== 'approve') return
    const { pinned, seen, attempt, decision } = link
    const shown =
      seen?.connections.is === 'present'
        ? seen.connections.value.find(({ id }) => id === pinned?.connection)
        : undefined
    law('an approval goes to the pinned connection', step.connection.id === pinned?.connection)
    law('its endpoint is the pinned one', shown?.privateEndpoint === pinned?.privateEndpoint)
    law('a look showed it Pending', shown?.status === 'Pending')
    const all = seen?.connections.is === 'present' ? seen.connections.value : []
    law('and alone', all.filter(({ description }) => bears(asked.nonce, description)).length === 1)
    const own = seen?.own.is === 'present' ? seen.own.value : undefined
    law('and our link beside it, which stays', own !== undefined && own.provisioningState !== 'Deleting')
    law('somebody decided so', decision?.verdict === 'approve' && granted > 0)
    const who = new Set([decision?.by, ...(decision?.with ?? []).map(({ by }) => by)])
    law('as many different people as the vault asks for', who.size >= most && !who.has('requester'))
    if (attempt?.effect !== 'approve') return
    const known = attempt.outcome.is === 'underWay' ? attempt.at : attempt.outcome.at
    law(
      'the look is later than the last attempt',
      lookedAt !== undefined && lookedAt > attempt.at && lookedAt >= known,
    )
  }

  function fail(effect: Effect, cause: Cause, retryAfterMs?: Millis): void {
    record({
      fact: 'failed',
      effect,
      cause,
      at: now,
      notBefore: retryAt(now, link.attempt?.count ?? 1, retryAfterMs),
    })
  }
  function finish(effect: Effect, answer: Answer): void {
    if (answer === 'done') record({ fact: 'done', effect, at: now })
    else fail(effect, answer === 'conflict' ? { cause: 'conflict', code: 'Conflict' } : { cause: answer })
  }

  function act(step: AzureStep & { step: Effect }, fault: Fault): void {
    checkApproval(step)
    law('the bot sends no decision for owners who do', approveAs === 'bot' || !decides(step.step))
    record({ fact: 'intended', effect: step.step, at: now })
    carryOut(requestOf(step), step.step, fault)
  }

  function carryOut(sent: Request, effect: Effect, fault: Fault): void {
    wait(second)
    switch (fault) {
      case 'none':
        finish(effect, azure.answer(sent, now - ahead))
        return
      case 'conflict':
        fail(effect, { cause: 'conflict', code: 'Conflict' })
        return
      case 'throttled':
        fail(effect, { cause: 'throttled' }, minute)
        return
      case 'lacksRight':
        fail(effect, { cause: 'botLacksRight', action: effect, scope: 'there' })
        return
      case 'lostBefore':
        fail(effect, unavailable)
        return
      case 'lostAfter':
        azure.answer(sent, now - ahead)
        fail(effect, unavailable)
        return
      case 'lostAndLate':
        azure.send(sent, now - ahead + callDeadlineMs)
        wait(callDeadlineMs / 2)
        fail(effect, unavailable)
        return
      case 'killedBefore':
        return
      case 'killedAfter':
        azure.answer(sent, now - ahead)
        return
      case 'killedAndLate':
        azure.send(sent, now - ahead + callDeadlineMs)
    }
  }

  /** What an approval is weighed with; the rights of those before are as the presser's. */
  function weighing(right: Right) {
    const freshSince = now - limits.freshDecisionMs
    const others = (link.endorsements ?? [])
      .filter(({ checkedAt }) => checkedAt < freshSince)
      .map((one) => ({ by: one.by, right }))
    return { needs: { is: 'present', value: tagged } as const, others, freshSince }
  }

  function send({ verdict, fault, by, right: is }: Move & { move: 'send' }): void {
    const { connections } = look()
    const conversation = link.asked.owners.place.conversation
    const right = rightOf(is)
    const sent = { wish: 'send', by, connections, conversation } as const
    const decided = decide(
      link,
      verdict === 'approve'
        ? { ...sent, verdict, right, ...weighing(right) }
        : { ...sent, verdict, reason: 'no' },
      now,
    )
    if (decided.is === 'refused') return
    const before = link
    if (verdict === 'approve') most = Math.max(most, tagged)
    record(decided.fact)
    if (decided.fact.fact === 'endorsed') {
      law('an approval that only counts takes the right', right.is === 'held')
      law('and changes nothing in Azure', link.attempt === before.attempt && link.stage === before.stage)
      return
    }
    const who = new Set([by, ...(link.endorsements ?? []).map((one) => one.by)])
    law('sent by the last of as many as the vault asks for', verdict === 'reject' || who.size >= most)
    law('nothing is decided before Azure took it', link.decision === before.decision)
    law('one at a time', before.attempt?.by === undefined || before.attempt.outcome.is !== 'underWay')
    const connection = connections.is === 'present' ? pinnedAmong(link, connections.value) : undefined
    law('what is sent goes to the pinned connection', connection?.status === 'Pending')
    if (connection) carryOut({ does: verdict, connection }, verdict, fault)
  }

  function checkNudge(view: View): void {
    if (view.view !== 'nudge') return
    const { status } = link.stage
    law('what runs out is undecided', ['Requested', 'Provisioning', 'Pending'].includes(status))
    law('nothing is said of it after its end', now < link.asked.expiresAt)
    if (view.nudge !== 'ending') law('only who can decide is reminded', status === 'Pending' && !link.blocked)
  }

  function tell({ post, view, to, digest, place }: PlannedMessage, delivery: Delivery): void {
    const conversation =
      to.how === 'thread' ? cardThread : to.how === 'personal' ? 'personal' : to.conversation
    switch (delivery) {
      case 'posted':
        read.push({ at: now, view })
        record({
          fact: 'posted',
          post,
          conversation,
          activity: post,
          digest,
          schema: viewSchema,
          at: now,
        })
        return
      case 'failed':
        record({ fact: 'unposted', post, notBefore: now + minute, at: now })
        return
      case 'gone':
        record({ fact: 'gone', place, at: now })
        return
    }
  }

  function work(fault: Fault, delivery: Delivery, right: Right['is']): boolean {
    const { passed, azure: step, messages } = plan()
    for (const { view } of messages) checkNudge(view)
    law('one message a lane', new Set(messages.map(({ lane }) => lane)).size === messages.length)
    if (passed) record({ fact: 'passed', what: passed, at: now })
    else if (step) take(step, fault, right)
    for (const message of messages) tell(message, delivery)
    return Boolean(passed ?? step) || messages.length > 0
  }

  function take(step: AzureStep, fault: Fault, right: Right['is']): void {
    switch (step.step) {
      case 'look': {
        const seen = look()
        const { attempt } = link
        wait(second)
        observe(seen, attempt)
        return
      }
      case 'recheck':
        record({ fact: 'rechecked', right, by: step.by, at: now })
        return
      case 'reroute':
        if (fault === 'none')
          record({ fact: 'rerouted', owners: { place: newOwners, because: { is: 'tagged' } }, at: now })
        return
      default:
        act(step, fault)
        return
    }
  }

  const rightOf = (is: Right['is']): Right => (is === 'missing' ? { is, actions: ['write'] } : { is })

  function wish(what: (typeof wishes)[number], right: Right): void {
    // Where owners decide as themselves, the bot rejects no connection.
    if (what === 'revoke' && approveAs === 'approver') return
    const conversation = link.gone.includes('owners')
      ? vaultOwners.conversation
      : link.asked.owners.place.conversation
    const wished = ((): Wish => {
      switch (what) {
        case 'approve':
        case 'approveToo':
        case 'approveOwn': {
          const by = { approve: 'owner', approveToo: 'another', approveOwn: 'requester' }[what]
          const { connections } = look()
          return { wish: 'approve', by, right, connections, ...weighing(right), conversation }
        }
        case 'reject':
          return { wish: 'reject', by: 'owner', right, conversation }
        case 'revoke':
          return {
            wish: 'revoke',
            by: 'owner',
            right,
            connections: look().connections,
            conversation,
          }
        case 'follow':
          return { wish: 'follow', by: 'colleague', thread: otherThread }
        case 'retry':
          return { wish: 'retry', by: 'colleague', right: { is: 'held' } }
        default:
          return { wish: what, by: 'requester', right }
      }
    })()
    const decided = decide(link, wished, now)
    if (decided.is === 'refused') return
    law('nobody approves what they asked for', what !== 'approveOwn')
    if (what === 'revoke') law('rejected once approved only after the alarm', link.alarmed)
    if (['approve', 'approveToo', 'reject', 'revoke', 'unlink'].includes(what))
      law('only with the right', right.is === 'held')
    if (decided.fact.fact === 'decided' || decided.fact.fact === 'endorsed') {
      granted += 1
      most = Math.max(most, tagged)
    }
    record(decided.fact)
  }

  function play(move: Move): void {
    switch (move.move) {
      case 'work':
        work(move.fault, move.delivery, move.right)
        return
      case 'wait':
        wait(move.ms)
        return
      case 'set':
        now += move.ms
        ahead += move.ms
        steadySince = now
        return
      case 'beginLook':
        looking = { seen: look(), attempt: link.attempt }
        return
      case 'endLook':
        if (looking) observe(looking.seen, looking.attempt)
        looking = undefined
        return
      case 'portal':
        azure.portal(move.act, now - ahead)
        return
      case 'hide':
        Object.assign(azure.hides, { link: move.link, vault: move.vault, byPolicy: move.byPolicy ?? false })
        return
      case 'wish':
        wish(move.wish, rightOf(move.right))
        return
      case 'send':
        send(move)
        return
      case 'tag':
        tagged = move.needs
        return
      case 'again': {
        const fact = log[move.index % log.length]
        // The log itself is written once; what arrives twice are outcomes, news of posts, and clicks.
        // That a time has come is written only while it still stands to be.
        const isOnce = fact?.fact === 'observed' || fact?.fact === 'intended' || fact?.fact === 'asked'
        if (fact && !isOnce && (fact.fact !== 'passed' || plan().passed === fact.what))
          record({ ...fact, at: now })
      }
    }
  }

  return {
    play,
    azure,
    broken,
    log,
    read,
    now: () => now,
    link: () => link,
    /** Azure and Teams are fair from now on, somebody presses Retry: the number of rounds until it rests; undefined: never. */
    rest(mostRounds: number): number | undefined {
      play({ move: 'hide', link: false, vault: false })
      for (let round = 1; round <= mostRounds; round++) {
        if (link.blocked && round % 10 === 0 && round <= 30) wish('retry', { is: 'held' })
        if (work('none', 'posted', 'held')) continue
        const { wake } = plan()
        if (wake === undefined) return round
        const stands = link.stage.status === 'Approved' || link.stage.status === 'Disconnected'
        // The wrong connection is open: people were told so, and it is theirs to undo.
        const waits = link.stage.status === 'Propagating' ? link.late : link.stage.status === 'Removing'
        const told = waits && link.alarmed && azure.imitated()
        // An imitation stopped what an owner had granted: that too is for people to clear up.
        const stopped = link.stage.status === 'Approving' && link.blocked?.cause.cause === 'ambiguous'
        if (stands || told || stopped) return round
        wait(wake - now)
      }
      return undefined
    },
  }
}
