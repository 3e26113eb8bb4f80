/**
 * What a turn asks of the engine: the reads that a decision needs, under one deadline, then the decision in the
 * journal. Names are resolved here; what may be done is decided in `src/link`.
 */
import { approversNeeded } from '../link/approvals.ts'
import { decide, hasHeardOfEnd, isAskedLately } from '../link/decide.ts'
import type { Findings, Link, Millis, PersonKey, Right, Sighting, TextKey, Wish } from '../link/link.ts'
import { nearest } from '../link/names.ts'
import { channelOf, type Pressed } from '../link/places.ts'
import { askActions, botActions, decideActions, decideAsk } from '../link/policy.ts'
import { isSignalrId, isVaultId, resourceName, sameResource } from '../link/resourceId.ts'
import type { Journal } from './journal.ts'
import type {
  Access,
  ActAs,
  DecisionAnswer,
  Desk,
  Directory,
  LinkAnswer,
  LinkRequest,
  NameProblem,
  Person,
  Press,
  Roster,
  Store,
  WishAnswer,
} from './ports.ts'
import { Unanswered } from './ports.ts'
import type { Escalations, Router } from './router.ts'
import type { Sender } from './send.ts'

/** People of a channel whose rights are read before an ask or an `own`; beyond that the count is unknown. */
const mostApproversAsked = 40
/** SignalRs whose rights are read to offer them to a person. */
const mostOffered = 25
const mostListed = 50

type Ports = {
  store: Store
  journal: Journal
  directory: Directory
  access: Access
  roster: Roster
  router: Router
  escalations?: Escalations
  /** Present where owners decide as themselves. */
  asApprover?: { actAs: ActAs; sender: Sender }
  /** How long a turn's reads may take, in milliseconds. */
  deadlineMs: number
  /** How long a right that was read counts for an approval that waits for others. */
  freshDecisionMs: number
}

export function createDesk(ports: Ports): Desk {
  const { store, journal, directory, access, asApprover } = ports
  const deadline = (): AbortSignal => AbortSignal.timeout(ports.deadlineMs)

  // ---- names ---------------------------------------------------------------------------------------

  type Kind = NameProblem['what']
  type Resolved = { is: 'one'; id: string } | { is: 'problem'; problem: NameProblem }

  const mayAsk = (by: Person, id: string, signal: AbortSignal): Promise<Right> =>
    access.may(by.objectId, askActions, id, signal)

  /** What the person may be shown: SignalRs they may write, vaults that have an owners' channel; nothing else. */
  async function offered(
    what: Kind,
    ids: readonly string[],
    by: Person,
    signal: AbortSignal,
  ): Promise<string[]> {
    const some = ids.slice(0, mostOffered)
    const shown = await Promise.all(
      some.map(async (id) =>
        what === 'signalr'
          ? (await mayAsk(by, id, signal)).is === 'held'
          : (await ports.router(id, signal)) !== undefined,
      ),
    )
    return some.filter((_, index) => shown[index])
  }

  async function resolve(what: Kind, wrote: string, by: Person, signal: AbortSignal): Promise<Resolved> {
    if (what === 'signalr' ? isSignalrId(wrote) : isVaultId(wrote)) return { is: 'one', id: wrote }
    const named = await (what === 'signalr'
      ? directory.signalrsNamed(wrote, signal)
      : directory.vaultsNamed(wrote, signal))
    const [only] = named
    if (only !== undefined && named.length === 1) return { is: 'one', id: only }
    const unclear = (
      problem: { is: 'unknown'; like: string[] } | { is: 'ambiguous'; ids: string[] },
    ): Resolved => ({
      is: 'problem',
      problem: { what, wrote, ...problem },
    })
    if (named.length === 0) return unclear({ is: 'unknown', like: await alike(what, wrote, by, signal) })
    const theirs = await offered(what, named, by, signal)
    const [mine] = theirs
    if (mine !== undefined && theirs.length === 1) return { is: 'one', id: mine }
    return theirs.length === 0
      ? unclear({ is: 'unknown', like: [] })
      : unclear({ is: 'ambiguous', ids: theirs })
  }

  async function alike(what: Kind, wrote: string, by: Person, signal: AbortSignal): Promise<string[]> {
    const all = await (what === 'signalr' ? directory.signalrs(signal) : directory.vaults(signal))
    return (await offered(what, nearest(wrote, all, resourceName, mostOffered), by, signal)).slice(0, 5)
  }

  // ---- what is found out before a link is asked for -------------------------------------------------

  async function enquire(
    request: LinkRequest,
    signalrId: string,
    vaultId: string,
    signal: AbortSignal,
  ): Promise<{ findings: Findings; tags: Readonly<Record<string, string>> } | { problems: NameProblem[] }> {
    const { by } = request
    const [requester, signalr, vault, botOnSignalr, botOnVault, open] = await Promise.all([
      mayAsk(by, signalrId, signal),
      directory.signalr(signalrId, signal),
      directory.vault(vaultId, signal),
      access.botMay(botActions.signalr, signalrId, signal),
      access.botMay(botActions.vault[asApprover ? 'approver' : 'bot'], vaultId, signal),
      store.open(signalrId, vaultId),
    ])
    const problems: NameProblem[] = []
    for (const [what, wrote, seen] of [
      ['signalr', request.signalr, signalr],
      ['vault', request.vault, vault],
    ] as const) {
      if (seen.is === 'hidden') problems.push({ what, wrote, is: 'hidden', cause: seen.cause })
      if (seen.is === 'absent')
        problems.push({
          what,
          wrote,
          is: 'unknown',
          like: await alike(what, resourceName(wrote), by, signal),
        })
    }
    if (signalr.is !== 'present' || vault.is !== 'present') return { problems }
    const route = await ports.router(vaultId, signal, vault.value.tags)
    const approvers = route ? (await approversIn(route.place, vaultId, signal)).approvers : 0
    return {
      tags: vault.value.tags,
      findings: {
        signalr: signalr.value,
        vault: vault.value,
        requester,
        bot: { signalr: botOnSignalr, vault: botOnVault },
        route,
        approvers,
        needs: approversNeeded(vault.value.tags),
        open,
      },
    }
  }

  async function approversIn(
    place: Link['asked']['thread'],
    vault: string,
    signal: AbortSignal,
  ): Promise<{ approvers: number | 'unknown'; members: number }> {
    const members = await ports.roster(place, signal)
    const asked = members.slice(0, mostApproversAsked)
    const rights = await Promise.all(
      asked.map(({ objectId }) => access.may(objectId, decideActions, vault, signal)),
    )
    const held = rights.filter(({ is }) => is === 'held').length
    const all = members.length === asked.length && rights.every(({ is }) => is !== 'unreadable')
    return { approvers: all || held > 0 ? held : 'unknown', members: members.length }
  }

  // ---- wishes on a link that exists -----------------------------------------------------------------

  const rightOn = (by: Person, link: Link, what: 'ask' | 'decide', signal: AbortSignal): Promise<Right> =>
    what === 'ask'
      ? mayAsk(by, link.asked.signalr, signal)
      : access.may(by.objectId, decideActions, link.asked.vault, signal)

  /** Of those who approved so long ago that their rights are read again. */
  async function rightsOfOthers(link: Link, freshSince: Millis, signal: AbortSignal) {
    const old = (link.endorsements ?? [])
      .filter(({ checkedAt }) => checkedAt < freshSince)
      .map(({ by }) => by)
    const people = await store.people(old)
    return Promise.all(
      old.map(async (by) => {
        const person = people.get(by)
        // Whose name was erased can no longer be asked about, and no longer counts.
        const right: Right = person
          ? await access.may(person.objectId, decideActions, link.asked.vault, signal)
          : { is: 'missing', actions: decideActions }
        return { by, right }
      }),
    )
  }

  /** `on`: the card that has the button, where it can be pressed. */
  async function wish(
    press: Press,
    on: Pressed['on'],
    make: (link: Link, by: PersonKey, signal: AbortSignal) => Promise<Exclude<Wish, { wish: 'send' }>>,
  ): Promise<WishAnswer> {
    const row = await store.get(press.link)
    if (!row) return { is: 'unknown' }
    const posted = await isOnAnothers(press)
    if (posted) return { is: 'refused', refusal: { refusal: 'wrongCard' }, link: row.link }
    const wanted = await make(row.link, await store.remember(press.by), deadline())
    return journal.wish(press.link, wanted, press.conversation, pressedOn(press, on))
  }

  /** Why somebody rejects is kept once nothing speaks against it: the words of a press that was refused are nobody's to find. */
  async function withReason<W extends Wish & { readonly reason?: TextKey }>(
    link: Link,
    wanted: W,
    press: Press & { readonly reason?: string },
  ): Promise<W> {
    const decided = decide(link, wanted, journal.now(), pressedOn(press, 'approval'))
    if (!press.reason || decided.is === 'refused') return wanted
    return { ...wanted, reason: await store.keep(press.reason, wanted.by) }
  }

  /** The button of one link on a message of another was put there by somebody. */
  async function isOnAnothers({ link: id, conversation, pressed }: Press): Promise<boolean> {
    const { activity } = pressed ?? {}
    const posted = activity === undefined ? undefined : await store.posted(conversation, activity)
    return posted !== undefined && posted.id !== id
  }

  const pressedOn = ({ conversation, pressed }: Press, on: Pressed['on']): Pressed | undefined =>
    pressed && { ...pressed, conversation, on }

  async function needsOf(vault: string, signal: AbortSignal): Promise<Sighting<number>> {
    const found = await directory.vault(vault, signal)
    return found.is === 'present' ? { is: 'present', value: approversNeeded(found.value.tags) } : found
  }

  /** Whoever decides sends it themselves. Who would be refused anyway is not asked to sign in. */
  async function sendAs(
    { actAs, sender }: NonNullable<Ports['asApprover']>,
    verdict: 'approve' | 'reject',
    press: Press & { readonly reason?: string },
  ): Promise<DecisionAnswer> {
    const row = await store.get(press.link)
    if (!row) return { is: 'unknown' }
    if (await isOnAnothers(press)) return { is: 'refused', refusal: { refusal: 'wrongCard' }, link: row.link }
    const signal = deadline()
    const { asked, pinned } = row.link
    const by = await store.remember(press.by)
    const acting = press.token === undefined ? undefined : await actAs(press.token, press.by, signal)
    if (acting && acting.is !== 'acting') return acting
    const [connections, weighing] = await Promise.all([
      directory.connections(asked.vault, asked.nonce, pinned, signal),
      verdict === 'approve' ? weighingOf(press.by, row.link, signal) : undefined,
    ])
    const { conversation } = press
    const wish = { wish: 'send', by, connections, conversation } as const
    // From here on something is written: a turn that came too late writes nothing.
    if (signal.aborted) throw new Unanswered('the reads took longer than the turn')
    const rejects = { ...wish, verdict: 'reject' } as const
    const wanted = weighing
      ? { ...wish, verdict: 'approve' as const, ...weighing }
      : acting
        ? await withReason(row.link, rejects, press)
        : rejects
    const pressed = pressedOn(press, 'approval')
    if (acting) return sender.send(press.link, wanted, pressed, acting.perform, signal)
    const answer = await journal.send(press.link, wanted, pressed, undefined)
    if (answer.is === 'sending') throw new Error('Nothing is sent before who sends it has signed in')
    return answer
  }

  /** Their own right is Azure's to say when they send it, and is read only where theirs may be an approval that waits. */
  async function weighingOf(person: Person, link: Link, signal: AbortSignal) {
    const { vault } = link.asked
    const freshSince = journal.now() - ports.freshDecisionMs
    const [needs, others] = await Promise.all([
      needsOf(vault, signal),
      rightsOfOthers(link, freshSince, signal),
    ])
    const isAlone = needs.is !== 'present' || Math.max(needs.value, link.needs ?? 1) === 1
    const right = isAlone ? undefined : await rightOn(person, link, 'decide', signal)
    return { needs, others, freshSince, ...(right && { right }) }
  }

  /** A message that is delivered again may find its request ended meanwhile. */
  async function endedJustNow(by: PersonKey, conversation: string, signalr: string, vault: string) {
    const theirs = await store.list({ by, vault, ended: true }, mostListed)
    return theirs.find(
      (link) =>
        sameResource(link.asked.signalr, signalr) && isAskedLately(link, by, conversation, journal.now()),
    )
  }

  /** Whether they have not heard yet, where they asked, that it has ended; from now on they have. */
  async function hearsOfEnd({ id }: Link, by: PersonKey, conversation: string): Promise<boolean> {
    const at = journal.now()
    let isNew = false
    await journal.record(id, [{ fact: 'heard', by, conversation, at, from: conversation }], {
      unless: ({ link }) => {
        isNew = !hasHeardOfEnd(link, by, conversation)
        return !isNew
      },
    })
    return isNew
  }

  async function follow(request: LinkRequest, by: PersonKey, link: Link): Promise<LinkAnswer> {
    const askedBy = (await store.people([link.asked.by])).get(link.asked.by)
    const { conversation } = request.thread
    const follows = link.followers.some(({ thread }) => thread.conversation === conversation)
    const answer = await journal.wish(link.id, { wish: 'follow', by, thread: request.thread }, conversation)
    if (answer.is === 'granted') {
      const isNew = answer.link.followers.length > link.followers.length
      return { is: 'followed', link, askedBy, new: isNew }
    }
    // Delivered again: the status card is the answer to whoever asked there, the line that stands there to others.
    return follows ? { is: 'heard', link, askedBy } : { is: 'asked', link }
  }

  return {
    async link(request) {
      const signal = deadline()
      const [signalr, vault] = await Promise.all([
        resolve('signalr', request.signalr, request.by, signal),
        resolve('vault', request.vault, request.by, signal),
      ])
      if (signalr.is === 'problem' || vault.is === 'problem') {
        return {
          is: 'unclear',
          problems: [signalr, vault].flatMap((name) => (name.is === 'problem' ? [name.problem] : [])),
        }
      }
      const found = await enquire(request, signalr.id, vault.id, signal)
      if ('problems' in found) return { is: 'unclear', problems: found.problems }
      const { findings, tags } = found
      const decided = decideAsk(findings, request.as)
      const refused = (refusal: Extract<LinkAnswer, { is: 'refused' }>['refusal']): LinkAnswer => ({
        is: 'refused',
        refusal,
        signalr: signalr.id,
        vault: vault.id,
      })
      if (decided.is === 'refused' && decided.refusal.refusal !== 'alreadyAsked')
        return refused(decided.refusal)
      // From here on something is written: a turn that came too late writes nothing.
      if (signal.aborted) throw new Unanswered('the reads took longer than the turn')
      const by = await store.remember(request.by)
      if (decided.is === 'refused') {
        return decided.refusal.refusal === 'alreadyAsked'
          ? follow(request, by, decided.refusal.link)
          : refused(decided.refusal)
      }
      const { conversation } = request.thread
      const ended = await endedJustNow(by, conversation, signalr.id, vault.id)
      if (ended) {
        return (await hearsOfEnd(ended, by, conversation))
          ? refused({ refusal: 'endedJustNow', status: ended.stage.status })
          : { is: 'heard', link: ended, askedBy: request.by }
      }
      const reason = request.reason ? await store.keep(request.reason, by) : undefined
      const escalation = await ports.escalations?.(tags, decided.route.place)
      const asked = await journal.ask({
        by,
        signalr: findings.signalr.id,
        vault: findings.vault.id,
        name: decided.name,
        ...(reason && { reason }),
        thread: request.thread,
        owners: decided.route,
        ...(escalation && { escalation }),
        ...(findings.needs > 1 && { approvers: findings.needs }),
      })
      // Two asked in the same moment: the second follows the first.
      return asked.is === 'open' ? follow(request, by, asked.link) : { is: 'asked', link: asked.link }
    },

    async choices(by) {
      const signal = deadline()
      const [signalrs, vaults] = await Promise.all([directory.signalrs(signal), directory.vaults(signal)])
      return {
        signalrs: await offered('signalr', signalrs, by, signal),
        vaults: await offered('vault', vaults, by, signal),
      }
    },

    approve: (press) =>
      asApprover
        ? sendAs(asApprover, 'approve', press)
        : wish(press, 'approval', async (link, by, signal) => {
            const { vault, nonce } = link.asked
            const freshSince = journal.now() - ports.freshDecisionMs
            const [right, connections, needs, others] = await Promise.all([
              rightOn(press.by, link, 'decide', signal),
              directory.connections(vault, nonce, link.pinned, signal),
              needsOf(vault, signal),
              rightsOfOthers(link, freshSince, signal),
            ])
            const { conversation } = press
            return { wish: 'approve', by, right, connections, needs, others, freshSince, conversation }
          }),

    reject: (press) =>
      asApprover
        ? sendAs(asApprover, 'reject', press)
        : wish(press, 'approval', async (link, by, signal) => {
            const right = await rightOn(press.by, link, 'decide', signal)
            const { conversation } = press
            return withReason(link, { wish: 'reject', by, right, conversation }, press)
          }),

    async tries({ token, by }) {
      const tried = await asApprover?.actAs(token, by, deadline())
      return tried?.is === 'acting' ? 'works' : tried
    },

    async rejectConnection(press) {
      if (asApprover) {
        // The card offers it no more; one from before may still stand.
        const row = await store.get(press.link)
        return row
          ? { is: 'refused', refusal: { refusal: 'rejectInPortal' }, link: row.link }
          : { is: 'unknown' }
      }
      return wish(press, 'approval', async (link, by, signal) => {
        const { vault, nonce } = link.asked
        const [right, connections] = await Promise.all([
          rightOn(press.by, link, 'decide', signal),
          directory.connections(vault, nonce, link.pinned, signal),
        ])
        const { conversation } = press
        return withReason(link, { wish: 'revoke', by, right, connections, conversation }, press)
      })
    },

    cancel: (press) =>
      wish(press, 'status', async (link, by, signal) => ({
        wish: 'cancel',
        by,
        // Whoever asked may always take it back; only others need the right, and only theirs is read.
        right: by === link.asked.by ? { is: 'held' } : await rightOn(press.by, link, 'ask', signal),
      })),

    unlink: (press) =>
      wish(press, 'question', async (link, by, signal) => ({
        wish: 'unlink',
        by,
        right: await rightOn(press.by, link, 'ask', signal),
      })),

    async question({ link, by, conversation }) {
      const fact = {
        fact: 'questioned',
        by: await store.remember(by),
        conversation,
        from: conversation,
        at: journal.now(),
      } as const
      await journal.record(link, [fact])
    },

    retry: (press) =>
      wish(press, 'either', async (link, by, signal) => {
        // Whoever asked, may ask, or may decide: each has a part in it.
        if (by === link.asked.by) return { wish: 'retry', by, right: { is: 'held' } }
        const right = await rightOn(press.by, link, 'ask', signal)
        return {
          wish: 'retry',
          by,
          right: right.is === 'held' ? right : await rightOn(press.by, link, 'decide', signal),
        }
      }),

    get: async (link) => (await store.get(link))?.link,
    isPost: async ({ conversation, activity }) => (await store.posted(conversation, activity)) !== undefined,

    async find({ by, conversation, signalr, vault, open }) {
      const asker = await store.remember(by)
      const which = open ? { ended: false } : {}
      // Whoever says it in a channel begins a new thread there: what belongs to the channel is meant as well.
      const [here, around, theirs] = await Promise.all([
        store.list({ conversation, ...which }, mostListed),
        store.list({ conversation: channelOf(conversation), ...which }, mostListed),
        store.list({ by: asker, ...which }, mostListed),
      ])
      const named = (id: string, name: string | undefined): boolean =>
        name === undefined ||
        [id, resourceName(id)].some((spelt) => spelt.toLowerCase() === name.toLowerCase())
      const inThread = (link: Link): number => (link.asked.thread.conversation === conversation ? 0 : 1)
      const found = [...new Map([...here, ...around, ...theirs].map((link) => [link.id, link])).values()]
      return found
        .filter((link) => named(link.asked.signalr, signalr) && named(link.asked.vault, vault))
        .sort((a, b) => inThread(a) - inThread(b) || b.asked.at - a.asked.at)
    },

    async own({ vault, by, place, team }) {
      const signal = deadline()
      const named = await resolveVault(vault, signal)
      if (named.is === 'problem') return { is: 'unclear', problem: named.problem }
      const right = await access.may(by.objectId, decideActions, named.id, signal)
      if (right.is === 'missing') return { is: 'lacksRight', vault: named.id, actions: right.actions }
      if (right.is === 'unreadable') return { is: 'rightUnreadable', vault: named.id }
      const counted = await approversIn(place, named.id, signal)
      if (signal.aborted) throw new Unanswered('the reads took longer than the turn')
      const key = await store.remember(by)
      const before = await store.owner(named.id)
      const owner = await store.own({ vault: named.id, team, place, since: journal.now(), by: key })
      const ours = owner.team === team && owner.place.conversation === place.conversation
      if (!ours) return { is: 'ownedElsewhere', vault: named.id, owner }
      return {
        is: 'owned',
        vault: named.id,
        ...counted,
        already: before?.place.conversation === place.conversation,
      }
    },

    async disown({ vault, by, team, conversation }) {
      const signal = deadline()
      const named = await resolveVault(vault, signal)
      if (named.is === 'problem') return { is: 'unclear', problem: named.problem }
      const owner = await store.owner(named.id)
      if (!owner) return { is: 'notOwned', vault: named.id }
      const right = await access.may(by.objectId, decideActions, named.id, signal)
      if (right.is === 'missing') return { is: 'lacksRight', vault: named.id, actions: right.actions }
      if (right.is === 'unreadable') return { is: 'rightUnreadable', vault: named.id }
      if (owner.team !== team) return { is: 'ownedElsewhere', vault: named.id, owner }
      const key = await store.remember(by)
      await store.disown({ vault: named.id, team, by: key, conversation, at: journal.now() })
      return { is: 'disowned', vault: named.id }
    },

    people: (keys) => store.people(keys),
    texts: (keys) => store.texts(keys),
  }

  /** Whoever owns a vault must find it before it has an owners' channel, so nothing is offered here. */
  async function resolveVault(wrote: string, signal: AbortSignal): Promise<Resolved> {
    const ids = isVaultId(wrote) ? [wrote] : await directory.vaultsNamed(wrote, signal)
    const [id] = ids
    if (id === undefined) return { is: 'problem', problem: { what: 'vault', wrote, is: 'unknown', like: [] } }
    if (ids.length > 1) return { is: 'problem', problem: { what: 'vault', wrote, is: 'ambiguous', ids } }
    const seen = await directory.vault(id, signal)
    if (seen.is === 'hidden')
      return { is: 'problem', problem: { what: 'vault', wrote, is: 'hidden', cause: seen.cause } }
    if (seen.is === 'absent')
      return { is: 'problem', problem: { what: 'vault', wrote, is: 'unknown', like: [] } }
    return { is: 'one', id: seen.value.id }
  }
}
