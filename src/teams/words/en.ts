/**
 * Every sentence that a person reads, as functions of plain data. `Words` is what another language has to offer.
 * Sentences say what happened, what happens next, and what the reader can do; Azure's own terms stay Azure's.
 *
 * Times are written with their zone ("14:02 UTC"), the same for all readers: a card is one for a whole channel, and
 * Teams turns `{{TIME()}}` into local time only in Markdown text, which data is kept out of.
 */

import type { NameProblem } from '../../engine/ports.ts'
import type {
  AskRefusal,
  Cause,
  ConnectionState,
  Ended,
  Millis,
  News,
  Nudge,
  Refusal,
  Route,
  Status,
  Undoing,
} from '../../link/link.ts'
import { parseResourceId, resourceName, topResource } from '../../link/resourceId.ts'
import type { Approvals, Sign, StepName, Waiting } from '../../link/views.ts'
import { azureName, clean, type Prose, type Run } from '../prose.ts'

/** The names that sentences need: of SignalR, vault and link, and of who asked. */
export type About = {
  readonly signalr: string
  readonly vault: string
  readonly name: string
  readonly asker: string
}
/** What became of a decision: who, where, when. `who` is absent when it was made in the portal. */
export type Decided = {
  readonly verdict: 'approve' | 'reject'
  readonly who: string | undefined
  readonly at: Millis
  readonly reason: string | undefined
}
/** What follows when something went wrong: a person acts, or presses again, it ended, it is ending, or Vaultlink tries again. */
export type Then = 'blocked' | 'pressing' | 'ended' | 'ending' | 'trying'
/** What happened, what happens next, what the reader can do, and the rights to grant, to be copied. */
export type Explanation = {
  readonly happened: string
  readonly next: string
  readonly todo: string
  readonly grant?: { readonly actions: readonly string[]; readonly scope: string }
}
export type Press = 'approve' | 'reject' | 'rejectConnection' | 'cancel' | 'unlink' | 'retry' | 'follow'

const locale = 'en-GB'

/** A formatter is kept for each time zone: making one takes a hundred times as long as using it. */
const formatting = (options: Intl.DateTimeFormatOptions) => {
  const formats = new Map<string, Intl.DateTimeFormat>()
  return (at: Millis, zone: string): string => {
    const format = formats.get(zone) ?? new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
    formats.set(zone, format)
    return format.format(at)
  }
}
const clock = formatting({
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
})
const day = formatting({ day: 'numeric', month: 'short' })
const time = {
  /** "30 Nov, 14:02 UTC" */
  moment: (at: Millis, zone: string): string => `${day(at, zone)}, ${clock(at, zone)}`,
  /** "14:02 UTC", and the day too when it is another than that of `near`. */
  near: (at: Millis, near: Millis, zone: string): string =>
    day(at, zone) === day(near, zone) ? clock(at, zone) : `${day(at, zone)}, ${clock(at, zone)}`,
  /** "12 March 2026" */
  date: formatting({ day: 'numeric', month: 'long', year: 'numeric' }),
}

const conjunction = new Intl.ListFormat(locale, { type: 'conjunction' })
const list = (items: readonly string[]): string => conjunction.format(items)
const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

const linkAgain = ({ signalr, vault }: About): string => `link ${signalr} to ${vault}`

/** Somebody's reason in quotes brings its own full stop, or gets one. */
const sentence = (text: string, reason: string | undefined): string =>
  reason ? `${text}: "${reason}"${/[.!?…]$/.test(reason) ? '' : '.'}` : `${text}.`

const app = 'Vaultlink'
const somebody = 'somebody'
const portalName = 'the Azure portal'

const signs: Record<Sign, { readonly sign: string; readonly word: string }> = {
  done: { sign: '✓', word: 'Done' },
  now: { sign: '●', word: 'Now' },
  next: { sign: '○', word: 'Next' },
  failed: { sign: '✕', word: 'Stopped' },
  skipped: { sign: '–', word: 'Not done' },
}

const steps: Record<StepName, { readonly now: string; readonly done: string; readonly name: string }> = {
  requested: { now: 'Requested', done: 'Requested', name: 'Requested' },
  created: { now: 'Creating the endpoint', done: 'Endpoint created', name: 'Endpoint created' },
  decided: {
    now: "The vault's owner decides",
    done: "The vault's owner decided",
    name: "The vault's owner decides",
  },
  approvedOnVault: {
    now: 'Approving on the vault',
    done: 'Approved on the vault',
    name: 'Approved on the vault',
  },
  approvedOnSignalr: {
    now: 'Reaching SignalR',
    done: 'Approved on SignalR',
    name: 'Approved on SignalR',
  },
}
const step = (name: StepName, sign: Sign): string =>
  ({
    done: steps[name].done,
    now: steps[name].now,
    failed: steps[name].now,
    next: steps[name].name,
    skipped: steps[name].name,
  })[sign]

/** One or two words for a link's status, for lists. */
const status: Record<Status, string> = {
  Requested: 'requested',
  Provisioning: 'creating the endpoint',
  Pending: "waiting for the vault's owner",
  Approving: 'approving on the vault',
  Propagating: 'on its way to SignalR',
  Approved: 'working',
  Disconnected: 'disconnected',
  Removing: 'being removed',
  Rejected: 'rejected',
  Cancelled: 'cancelled',
  Expired: 'expired',
  Failed: 'failed',
  Removed: 'removed',
}

/** "by Noor Haddad", or where it was done when Azure does not say by whom. */
const by = (who: string | undefined): string => (who === undefined ? `in ${portalName}` : `by ${who}`)

/** What the line under a card's title may name. */
type Standing = {
  readonly decided?: Decided | undefined
  /** Who approved so far, where several have to. */
  readonly approvers?: readonly string[]
  readonly endedBy?: string | undefined
  readonly functionalAt?: Millis | undefined
}
/** The line under a card's title: a sign with a word, and what is waited for until when. */
type Lede = { readonly sign: Sign; readonly strong: string; readonly rest: string }

/** "two people have to approve", and after the first "one more person has to approve". */
function haveTo({ by, missing }: Approvals): string {
  const [n, verb] = missing === 1 ? ['one', 'has'] : [missing === 2 ? 'two' : String(missing), 'have']
  return `${n} ${by.length > 0 ? 'more ' : ''}${missing === 1 ? 'person' : 'people'} ${verb} to approve`
}

function waiting(waits: Waiting, about: About, facts: Standing, zone: string): Lede {
  const { decided } = facts
  switch (waits.for) {
    case 'creation':
      return waits.late
        ? {
            sign: 'now',
            strong: 'Still creating the endpoint',
            rest: `longer than usual. ${app} keeps looking; Azure sometimes takes an hour.`,
          }
        : {
            sign: 'now',
            strong: 'Creating the endpoint',
            rest: `usually done by ${time.moment(waits.until, zone)}`,
          }
    case 'owner': {
      const until = `until ${time.moment(waits.until, zone)}`
      return {
        sign: 'now',
        strong: facts.approvers?.length
          ? `Approved by ${list(facts.approvers)}`
          : "Waiting for the vault's owner",
        rest: waits.approvals ? `${haveTo(waits.approvals)}, ${until}` : until,
      }
    }
    case 'approvalOnVault':
      return {
        sign: 'now',
        strong: `Approved ${by(decided?.who)}`,
        rest: waits.late
          ? `but ${about.vault} does not show it yet, longer than usual. ${app} keeps looking.`
          : `on its way to ${about.vault}, usually there by ${time.moment(waits.until, zone)}`,
      }
    case 'signalr':
      if (waits.alarmed) return unfollowed(decided)
      return {
        sign: 'now',
        strong: `Approved ${by(decided?.who)}`,
        rest: waits.late
          ? `but SignalR does not show it yet, longer than usual. ${app} keeps looking.`
          : `on its way to SignalR, usually there by ${time.moment(waits.until, zone)}`,
      }
    case 'removal':
      return ending(waits.outcome, about, facts, zone)
    case 'retry':
      return { sign: 'failed', strong: 'Stopped', rest: 'until somebody helps; nothing is lost' }
  }
}

/** SignalR does not follow what was approved. */
const unfollowed = (decided: Decided | undefined): Lede => ({
  sign: 'failed',
  strong: `Approved ${by(decided?.who)}`,
  rest: 'but SignalR does not follow: the wrong connection may be open',
})

/** How it will end, while the link is still being removed from SignalR. */
const ending = (outcome: Ended, about: About, facts: Standing, zone: string): Lede => ({
  sign: 'now',
  strong: outcome === 'Removed' ? 'Unlinking' : standing(outcome, about, facts, zone).strong,
  rest: 'removing the link from SignalR',
})

/** The one line that says how a link that waits for nothing stands. */
function standing(now: Status, about: About, facts: Standing, zone: string): Lede {
  const { decided, endedBy, functionalAt } = facts
  switch (now) {
    case 'Approved':
      return {
        sign: 'done',
        strong: `Approved${decided ? ` ${by(decided.who)}` : ''}`,
        rest: functionalAt === undefined ? 'working' : `working since ${time.moment(functionalAt, zone)}`,
      }
    case 'Disconnected':
      return {
        sign: 'failed',
        strong: 'Disconnected',
        rest: `${about.signalr} no longer reaches ${about.vault} privately`,
      }
    case 'Rejected':
      return {
        sign: 'failed',
        strong: `Rejected ${by(decided?.verdict === 'reject' ? decided.who : undefined)}`,
        rest: decided?.reason ? `"${decided.reason}"` : 'the link is removed',
      }
    case 'Cancelled':
      return {
        sign: 'skipped',
        strong: endedBy === undefined ? 'Cancelled' : `Cancelled by ${endedBy}`,
        rest: 'nothing of it is left in Azure',
      }
    case 'Expired':
      return { sign: 'skipped', strong: 'Nobody answered in time', rest: 'the link is removed' }
    case 'Failed':
      return { sign: 'failed', strong: 'Failed', rest: 'nothing of it is left in Azure' }
    case 'Removed':
      return {
        sign: 'skipped',
        strong: endedBy === undefined ? 'Removed' : `Removed by ${endedBy}`,
        rest: `${about.signalr} no longer reaches ${about.vault} privately`,
      }
    default:
      return { sign: 'now', strong: 'Under way', rest: status[now] }
  }
}

/** Azure's words, of which a sentence can hold only so many. */
const quoted = (text: string): string => clean(text, 400)

const scopeName = (scope: string): string => clean(resourceName(topResource(scope)), 90) || 'the subscription'

/** What went wrong, told to a person. `then` is what follows from it in this link. */
function cause(cause: Cause, about: About, then: Then): Explanation {
  const { signalr, vault, name } = about
  const again = {
    blocked: ', then press Retry',
    pressing: ', then press again',
    trying: '; it goes on by itself then',
    ended: `, then ask again: ${linkAgain(about)}`,
    ending: `, then ask again: ${linkAgain(about)}`,
  }[then]
  const next = {
    blocked: 'The request stays as it is, and so does what was decided.',
    pressing: 'The request stays as it is, and others can still act on the card.',
    ended: 'The request ended; nothing of it is left in Azure.',
    ending: `${app} is removing what it made.`,
    trying: `${app} keeps trying by itself; nothing is lost.`,
  }[then]
  const afresh = then === 'ended' || then === 'ending' ? 'ask again' : 'cancel and ask again'
  const wait = then === 'pressing' ? 'Please press again in a minute.' : 'Nothing for now.'
  const told = (happened: string, todo: string): Explanation => ({ happened, next, todo })
  switch (cause.cause) {
    case 'botLacksRight':
      return {
        happened: `${app} lacks a right on ${scopeName(cause.scope)}, so Azure turned it away.`,
        next,
        todo: `Ask whoever manages access to ${scopeName(cause.scope)} to give ${app}'s identity this right${again}.`,
        grant: { actions: [quoted(cause.action)], scope: quoted(topResource(cause.scope)) },
      }
    case 'deciderLacksRight':
      return told(
        `Whoever decided lacks a right on ${scopeName(cause.scope)}, so Azure turned it away: ${quoted(cause.action)}.`,
        `Ask whoever manages access to ${scopeName(cause.scope)} for it${again}.`,
      )
    case 'nameTaken':
      return told(
        `${signalr} already has a link named ${name} that ${app} did not make.`,
        `Pick another name: ${linkAgain(about)} as <another name>.`,
      )
    case 'madeByOthers':
      return told(
        `${signalr} already has a link to ${vault} that somebody else made: ${quoted(cause.name)}, ${connectionState(cause.status)}.`,
        cause.status === 'Approved'
          ? 'Nothing to do: that link does what you asked for.'
          : cause.status === 'Pending'
            ? `Ask the vault's owner to decide on it in ${portalName}, or remove it and ask again.`
            : `Remove that link in ${portalName}, then ask again.`,
      )
    case 'ambiguous':
      return told(
        `${count(cause.count, 'connection')} on ${vault} carry this request's message, and ${app} never guesses which is right.`,
        `On ${vault}, under Networking, Private endpoint connections, remove what is not from ${signalr}${again}.`,
      )
    case 'strangeEndpoint':
      return told(
        `A connection on ${vault} carries this request's message, but its private endpoint lies in a subscription that ${app} can see. SignalR's never does.`,
        `Look at it on ${vault}, under Networking, and remove it if nobody knows it${again}.`,
      )
    case 'connectionChanged':
      return told(
        `The connection on ${vault} is no longer the one that the owners were asked about.`,
        `Look at ${vault}'s private endpoint connections in ${portalName}. If the change was meant, ${afresh}.`,
      )
    case 'connectionGone':
      return told(
        `The connection is no longer on ${vault}.`,
        `If it is still wanted, ${afresh}: ${linkAgain(about)}.`,
      )
    case 'cannotReject':
      return told(
        `Azure does not let the connection on ${vault} be rejected any more.`,
        `Remove it on ${vault}, under Networking, Private endpoint connections${again}.`,
      )
    case 'deletedElsewhere':
      return told(
        `Somebody removed the link in Azure.`,
        `If it is still wanted, ask again: ${linkAgain(about)}.`,
      )
    case 'refused':
      return told(
        `Azure said no: "${quoted(cause.message)}" (${quoted(cause.code)}).`,
        `See to what Azure names${again}.`,
      )
    case 'provisioningFailed':
      return told(
        `Azure could not create the endpoint: "${quoted(cause.message)}" (${quoted(cause.code)}).`,
        `See to what Azure names${again}.`,
      )
    case 'notRegistered':
      return told(
        `Azure said no: "${quoted(cause.message)}"`,
        `Register the provider in the subscription that Azure names (az provider register --namespace Microsoft.KeyVault)${again}.`,
      )
    case 'quota':
      return told(
        `A limit in Azure is reached: "${quoted(cause.message)}"`,
        `Raise the limit or make room${again}.`,
      )
    case 'locked':
      return told(
        `A lock in Azure forbids the change: "${quoted(cause.message)}"`,
        `Ask whoever set the lock to lift it${again}.`,
      )
    case 'signalrGone':
      return told(`${signalr} is no longer there.`, `Check its name and resource group in ${portalName}.`)
    case 'vaultGone':
      return told(`${vault} is no longer there.`, `Check its name and resource group in ${portalName}.`)
    case 'decidedMeanwhile':
      return told(
        `Somebody decided on ${vault} at the same moment.`,
        then === 'pressing'
          ? 'Look at the card in a minute, and press again if it still asks.'
          : `Nothing for now: ${app} looks again and follows what stands there.`,
      )
    case 'conflict':
      return told(`Azure is busy with another change there (${quoted(cause.code)}).`, wait)
    case 'throttled':
      return told('Azure asked for fewer calls.', wait)
    case 'unavailable':
      return told(`Azure isn't answering (${quoted(cause.code)}).`, wait)
  }
}

const connectionState = (state: ConnectionState): string =>
  state === 'Unknown' ? 'in a state that has no name here' : `state ${state}`

const actionsOn = (actions: readonly string[], where: string): string => `${list(actions)} on ${where}`

/** Why a press is not granted; said to the presser alone. */
function refusal(
  refusal: Refusal,
  about: About,
  press: Press,
  decided: Decided | undefined,
  endedBy: string | undefined,
  zone: string,
): string {
  const { vault, signalr, asker } = about
  const where = press === 'approve' || press === 'reject' || press === 'rejectConnection' ? vault : signalr
  switch (refusal.refusal) {
    case 'ownRequest':
      return "You asked for this link, so somebody else has to approve it. If you own the vault alone, decide in the Azure portal; I'll notice."
    case 'lacksRight':
      return `You lack the right to do this: ${actionsOn(refusal.actions, where)}. Nothing was recorded, and others can still act on the card. Ask whoever manages access to ${where} for it, or leave it to somebody who has it.`
    case 'rightUnreadable':
      return `Your rights on ${where} could not be read, and then the answer is no. Nothing was recorded; please try again in a minute. If it stays so, ${app}'s identity needs Microsoft.Authorization/roleAssignments/read, roleDefinitions/read and denyAssignments/read there.`
    case 'notYourRequest':
      return `${asker} asked for this link. It can be taken back by ${asker}, or by anybody who may write ${signalr}'s shared private links.`
    case 'wrongPlace': {
      const decides = press === 'approve' || press === 'reject' || press === 'rejectConnection'
      return `This card is not where ${app} posted it, so nothing was recorded. ${decides ? "Decide on the card in the vault owners' channel." : 'To see how the link stands, say: status.'}`
    }
    case 'wrongCard':
      return replies.notACardOfMine
    case 'tooEarly':
      return `Not yet: it is still ${status[refusal.status]}. Nothing was recorded; the card will ask when it is time.`
    case 'alreadyDecided':
      return `${decided?.verdict === 'reject' ? 'Rejected' : 'Approved'} already ${by(decided?.who)}, ${time.moment(refusal.decision.at, zone)}. The first answer stands. Now: ${status[refusal.status]}.`
    case 'alreadyEndorsed':
      return `You approved this already, and one person counts once: ${refusal.missing === 1 ? 'one more person has' : `${refusal.missing} more people have`} to approve it. You can still reject it.`
    case 'otherUnreadable':
      return `Whether whoever approved before you still may could not be read, and then the answer is no. Nothing was recorded; please try again in a minute.`
    case 'alreadyEnded':
      return `${refusal.status === 'Removing' ? 'This request is ending already' : 'This request has ended'}: ${status[refusal.outcome]}${endedBy === undefined ? '' : ` by ${endedBy}`}. Nothing was changed.`
    case 'alreadyApproved':
      return `${signalr} reaches ${vault} privately already, so there is nothing to take back. To remove the link, say: unlink ${signalr} from ${vault}.`
    case 'notApprovedYet':
      return `This link is not working yet, so there is nothing to unlink. To take the request back, say: cancel.`
    case 'noAlarm':
      return refusal.status === 'Approved'
        ? `SignalR has followed: ${signalr} reaches ${vault} privately. Nothing was rejected. To remove the link, say: unlink ${signalr} from ${vault}.`
        : `Nothing is open here that SignalR does not follow; it is ${status[refusal.status]}. Nothing was rejected.`
    case 'rejectInPortal':
      return `${app} has no right to reject connections on ${vault}, so nothing was changed. Reject it in the Azure portal: ${vault}, under Networking, Private endpoint connections.`
    case 'expired':
      return `The time to answer has passed, and the link is being removed. If it is still wanted, ask again: ${linkAgain(about)}.`
    case 'connection': {
      const { happened, todo } = cause(refusal.cause, about, 'pressing')
      return `${happened} Nothing was recorded. ${todo}`
    }
    case 'beingSent':
      return `${refusal.verdict === 'reject' ? 'A rejection' : 'An approval'} is on its way to ${vault}, and Azure has not answered yet. The card shows what comes of it; if it did not arrive, it asks again within a minute.`
    case 'vaultBusy':
      return `${vault} is still busy with another change, and Azure takes one at a time. Nothing was recorded; please press again in a minute.`
    case 'notTaken': {
      const { happened, next, todo } = cause(refusal.cause, about, 'pressing')
      return `${happened} ${next} ${todo}`
    }
    case 'nothingBlocked':
      return `Nothing is stopped here: the link goes on by itself.`
    case 'heardAlready':
      return `You follow this link already; I'll tell you here how it ends.`
  }
}

/** Why no link is begun; said before anybody else is bothered. */
function askRefusal(refusal: AskRefusal, about: Omit<About, 'name' | 'asker'>): Prose {
  const { signalr, vault } = about
  const other = { ...about, name: '', asker: '' }
  switch (refusal.refusal) {
    case 'requesterLacksRight':
      return [
        `You may not make links on ${signalr}, so nothing was asked for. You need `,
        { code: list(refusal.actions) },
        ` on ${signalr}: ask whoever manages access to it, or ask a colleague who has it to say this.`,
      ]
    case 'rightUnreadable':
      return `Your rights on ${signalr} could not be read, and then the answer is no. Nothing was recorded; please try again in a minute.`
    case 'freeTier':
      return `${signalr} is on the free tier (${clean(refusal.sku, 60)}), which has no shared private endpoints. Scale it to Standard or Premium, then say it again: ${linkAgain(other)}.`
    case 'replicas':
      return refusal.count === 'unreadable'
        ? `Whether ${signalr} has replicas could not be read, and ${app} does not guess: nothing was created. Its identity needs Microsoft.SignalRService/SignalR/replicas/read there.`
        : `${signalr} has ${count(refusal.count, 'replica')}. Azure copies the link to each, with a connection for each to approve, which ${app} does not do yet: nothing was created. Make the link in ${portalName}.`
    case 'badName':
      return `"${clean(refusal.name, 80)}" cannot be a link's name. Azure wants 3 to 63 letters, digits and hyphens, beginning with a letter and not ending with a hyphen. Try: ${linkAgain(other)} as kv-${vault}.`
    case 'nameTaken':
      return `${signalr} already has a link named ${clean(refusal.name, 80)}. Pick another: ${linkAgain(other)} as <another name>, or leave the name out.`
    case 'alreadyLinked':
      return `${signalr} reaches ${vault} privately already, through ${clean(refusal.name, 80)}. Nothing was created.`
    case 'madeByOthers': {
      const { happened, todo } = cause(
        { cause: 'madeByOthers', name: refusal.name, status: refusal.status },
        other,
        'ended',
      )
      return `${happened} Nothing was created. ${todo}`
    }
    case 'vaultFull':
      return `${vault} has ${count(refusal.count, 'private endpoint connection')}, and Azure allows 64. Its owner has to remove one first; nothing was created.`
    case 'botLacksRight':
      return [
        `${app} itself lacks a right on ${refusal.on === 'vault' ? vault : signalr}, so nobody was asked. Ask whoever manages access to it to give ${app}'s identity `,
        { code: list(refusal.actions) },
        refusal.on === 'vault'
          ? ` there (the built-in role Azure AI Enterprise Network Connection Approver has them), then say it again.`
          : ' there, then say it again.',
      ]
    case 'noOwners':
      return `No channel decides for ${vault} yet, so there is nobody to ask. Ask its owner to add ${app} to their team and say there: own ${vault}.`
    case 'nobodyMayApprove':
      return `Nobody in the channel that decides for ${vault} may approve there, so asking would lead nowhere. Ask the vault's owner to join that channel, or to claim the vault in theirs: own ${vault}.`
    case 'tooFewApprovers':
      return `${refusal.needs} different people have to approve for ${vault}, and only ${count(refusal.count, 'person', 'people')} in the channel that decides for it may, so asking would lead nowhere. Ask the vault's owner to add somebody to that channel who may approve there.`
    case 'alreadyAsked':
      return `This was asked already and is ${status[refusal.link.stage.status]}.`
    case 'endedJustNow':
      return `You asked for this here a moment ago, and it is ${status[refusal.status]} by now. In case this is the same message once more, nothing was asked for again. If it is wanted anew, say it in two minutes: ${linkAgain(other)}.`
  }
}

type Told = 'requester' | 'owners' | 'follower'
type NewsFacts = {
  readonly decided: Decided | undefined
  readonly who: string | undefined
  readonly functionalAt: Millis | undefined
  readonly vaultIsPublic: boolean | undefined
  readonly portal: string
  /** Owners decide as themselves, and the bot rejects nothing for them. */
  readonly asYou: boolean
}

/** How it ended, without what is to be said besides. */
function ended(
  piece: News & { readonly news: 'ended' },
  to: Told,
  about: About,
  { decided, who }: Pick<NewsFacts, 'decided' | 'who'>,
): string {
  const { signalr, vault, name } = about
  const pair = `${signalr} to ${vault}`
  switch (piece.outcome) {
    case 'Rejected': {
      const rejected = decided?.verdict === 'reject' ? decided : undefined
      const head = sentence(`Rejected ${by(rejected?.who)}`, rejected?.reason)
      return to === 'owners'
        ? `${head} The link ${name} is removed from ${signalr}.`
        : `${head} ${signalr} is not linked to ${vault}, and the link ${name} is removed. If that can be settled, ask again: ${linkAgain(about)}.`
    }
    case 'Cancelled':
      return `Cancelled${who ? ` by ${who}` : ''}. The link ${name} is removed from ${signalr}; there is nothing left to decide.`
    case 'Expired':
      return to === 'owners'
        ? `Nobody answered in time, so the link ${name} is removed from ${signalr}. There is nothing left to decide.`
        : `Nobody answered for ${vault} in time, so the link ${name} is removed from ${signalr}. If it is still wanted, talk to the vault's owner and ask again: ${linkAgain(about)}.`
    case 'Failed': {
      const why = piece.cause ? cause(piece.cause, about, 'ended') : undefined
      return why
        ? `Linking ${pair} failed. ${why.happened} ${why.next} ${why.todo}`
        : `Linking ${pair} failed; nothing of it is left in Azure. If it is still wanted, ask again: ${linkAgain(about)}.`
    }
    case 'Removed': {
      if (who) return `${who} removed the link ${name}. ${signalr} no longer reaches ${vault} privately.`
      const again = to === 'owners' ? '' : ` If it is still wanted, ask again: ${linkAgain(about)}.`
      if (piece.cause?.cause === 'signalrGone')
        return `${signalr} is no longer there, deleted or moved, and the link ${name} to ${vault} went with it.${again}`
      return piece.cause?.cause === 'deletedElsewhere'
        ? `Somebody removed the link ${name} in Azure. ${signalr} no longer reaches ${vault} privately.${again}`
        : `The link ${name} is removed. ${signalr} no longer reaches ${vault} privately.`
    }
  }
  return piece.outcome satisfies never
}

/** Why a link that worked works no longer, and what the vault's owners and the others can do about it. */
function undone(
  because: Undoing,
  state: ConnectionState,
  about: About,
): { readonly happened: string; readonly owners: string; readonly others: string } {
  const { signalr, vault, name } = about
  const anew = `to begin anew, say unlink ${signalr} from ${vault}, then ${linkAgain(about)}.`
  const askAgain = 'If that was not meant, somebody should ask for the link again.'
  const connections = `${vault}, under Networking, Private endpoint connections`
  switch (because) {
    case 'onVault': {
      const happened = `its connection on ${vault} is ${state}`
      // What was disconnected cannot be approved any more.
      if (state !== 'Rejected' && state !== 'Pending')
        return { happened, owners: askAgain, others: `Ask the vault's owner why; ${anew}` }
      return {
        happened,
        owners: `If that was not meant, approve it again on ${connections}; ${app} will notice.`,
        others: `Ask the vault's owner why: once they approve it again, it works again, and you hear of it here. Or, ${anew}`,
      }
    }
    case 'onSignalr':
      return {
        happened: `SignalR says ${state === 'Unknown' ? 'something that has no name here' : state}`,
        owners: askAgain,
        others: `Ask the vault's owner why; ${anew}`,
      }
    case 'linkFailed':
      return {
        happened: `the link ${name} has failed on SignalR`,
        owners: askAgain,
        others: `Look at ${signalr}, under Networking; ${anew}`,
      }
    case 'connectionGone':
      return {
        happened: `its connection is no longer on ${vault}`,
        owners: askAgain,
        others: `Ask the vault's owner why; ${anew}`,
      }
    case 'connectionReplaced':
      return {
        happened: `another connection stands on ${vault} in the place of its own`,
        owners: `Look at ${connections}, and remove what nobody knows.`,
        others: `Ask the vault's owner to look at it; ${anew}`,
      }
    case 'vaultGone':
      return {
        happened: `${vault} is no longer there, deleted or moved`,
        owners: `If that was not meant, recover it: Azure keeps deleted vaults for a while. Its connections may not come back with it; then somebody should ask for the link again.`,
        others: `If that was not meant, ask its owner to recover it: Azure keeps deleted vaults for a while. If the link does not come back with it, ${anew} If it was meant, say unlink ${signalr} from ${vault}.`,
      }
  }
}

/** What somebody is told in a reply. The mention, if any, goes before it; `link` is the portal's. */
function news(piece: News, to: Told, about: About, facts: NewsFacts, zone: string): Prose {
  const { signalr, vault } = about
  const { decided, functionalAt, vaultIsPublic, portal, asYou } = facts
  const view = { link: portal, title: buttons.portal }
  const near = (at: Millis): string => time.near(at, piece.at, zone)
  switch (piece.news) {
    case 'approved': {
      const since = near(functionalAt ?? piece.at)
      if (to === 'owners')
        return [
          `Working ${piece.again ? 'again ' : ''}since ${since}: ${signalr} reaches ${vault} privately. `,
          view,
        ]
      const head = piece.again
        ? `${signalr} reaches ${vault} privately again.`
        : `${signalr} can now reach ${vault} privately.`
      const how = decided ? ` Approved ${by(decided.who)} at ${near(decided.at)};` : ''
      const open = vaultIsPublic ? ` ${vault} still accepts public traffic: ` : ' '
      return [`${head}${how} SignalR says Succeeded and Approved since ${since}.${open}`, view]
    }
    case 'ended': {
      const over = ended(piece, to, about, facts)
      return piece.closed
        ? [
            `${over} Careful: the connection that had been approved on ${vault} was still open after that, so it may not have been from ${signalr}. ${app} rejected it. `,
            to === 'owners'
              ? `Look at ${vault}, under Networking, Private endpoint connections, and ask who made it: `
              : `The vault's owners are told too; ask them who made it: `,
            view,
          ]
        : over
    }
    case 'disconnected': {
      const { because = 'onSignalr', status } = piece
      const { happened, owners, others } = undone(because, status, about)
      return [
        `${signalr} no longer reaches ${vault} privately: ${happened}. ${app} has removed nothing. ${to === 'owners' ? owners : others} `,
        view,
      ]
    }
    case 'late':
      return [
        `This takes longer than usual; it is still ${status[piece.status]}. ${app} keeps looking and will tell you here. If it is the same in an hour, look at ${signalr}, under Networking: `,
        view,
      ]
    case 'unfollowed':
      return [
        `Careful: a connection on ${vault} was approved, and SignalR does not follow. The wrong connection may be open. `,
        to === 'owners'
          ? `Look at ${vault}, under Networking, Private endpoint connections. If it is not from ${signalr}, ${asYou ? 'reject it there' : `press ${buttons.rejectConnection} on the card above`}: `
          : `The vault's owners are told too and can reject it${asYou ? '' : ' on their card'}; ${app} keeps looking. `,
        view,
      ]
    case 'blocked': {
      const { happened, next, todo, grant } = cause(piece.cause, about, 'blocked')
      return [
        `${happened} ${next} ${todo}`,
        ...(grant?.actions.some((action) => action !== '')
          ? ['\nRight: ', { code: list(grant.actions) }, '\nScope: ', { code: grant.scope }]
          : []),
      ]
    }
    case 'askAgain':
      return `Your answer could not reach Azure for a while, and by then your right to decide on ${vault} could not be confirmed. It was not carried out. Please decide again on the card above, or leave it to a colleague.`
    case 'notApplied':
      return piece.verdict === 'approve'
        ? `Your approval did not reach Azure: ${vault} still says Pending. Only you can send it as yourself, so please press Approve on the card above again, or leave it to a colleague.`
        : `Your rejection did not reach Azure: ${vault} still says Pending. Only you can send it as yourself, so please press Reject on the card above again, or leave it to a colleague.`
    case 'unasked':
      return `${app} cannot post the approval card in the channel that decides for ${vault}, so nobody there was asked yet. It keeps trying. Meanwhile the vault's owner can decide in ${portalName}; ${app} will notice.`
    case 'ownersGone':
      return `${app} can no longer write to the channel that decides for ${vault}, so nobody there sees the request. Ask the vault's owner to add ${app} to a team again and say there: own ${vault}.`
  }
  return piece satisfies never
}

/** What people are told because time passes. The mention, if any, goes before it. */
function nudge(
  piece: Nudge['nudge'],
  to: 'requester' | 'owners' | 'escalation',
  about: About,
  facts: {
    readonly status: Status
    readonly askedAt: Millis
    readonly endsAt: Millis
    readonly reason: string | undefined
    readonly reminders: number
    readonly isEscalated: boolean
    readonly approvals: Approvals | undefined
    readonly approvers: readonly string[]
    readonly portal: string
  },
  zone: string,
): Prose {
  const { signalr, vault, name, asker } = about
  const { askedAt, reason, reminders, isEscalated, approvals, approvers, portal } = facts
  const view = { link: portal, title: buttons.portal }
  const ends = time.moment(facts.endsAt, zone)
  /** "Nobody has decided yet", or who has approved and how many more have to. */
  const missing = approvals
    ? `${approvers.length > 0 ? `${list(approvers)} approved, and ` : ''}${haveTo(approvals)}`
    : undefined
  const stands = missing === undefined ? `nobody has decided for ${vault} yet` : `${missing} for ${vault}`
  switch (piece) {
    case 'reminder':
      return [
        `${reminders > 1 ? `Reminder ${reminders}` : 'Reminder'}: ${asker} asked to connect ${signalr} on ${time.moment(askedAt, zone)}, and ${stands}. `,
        `Please decide on the card above by ${ends}; after that the request ends. `,
        ...(isEscalated ? ['Another channel has been told that it waits. '] : []),
        view,
      ]
    case 'escalation':
      return [
        `Still waiting: ${stands}. ${sentence(`${asker} asked to connect ${signalr} on ${time.moment(askedAt, zone)}`, reason)} `,
        `Its owners were reminded ${reminders === 1 ? 'once' : `${reminders} times`} in the channel that decides for ${vault}. `,
        `Without an answer it ends on ${ends}. Whoever may approve there can decide on the card in that channel or in ${portalName}, and ${app} will notice: `,
        view,
      ]
    case 'ending':
      if (to === 'owners')
        return [
          `This request ends on ${ends}: ${stands}. If it is not decided on the card above by then, the link ${name} is removed from ${signalr}, and ${asker} can ask again. `,
          view,
        ]
      return facts.status === 'Pending'
        ? `Your request ends on ${ends}: ${stands}. Then the link ${name} is removed from ${signalr}. If it is still wanted, talk to the vault's owner now, or ask again after that: ${linkAgain(about)}.`
        : `Your request ends on ${ends}: it is still ${status[facts.status]}, and the owners of ${vault} could not be asked yet. What was made of it is removed then. You can ask again after that: ${linkAgain(about)}.`
  }
}

function whyHere(because: Route['because'], vault: string, zone: string): string {
  switch (because.is) {
    case 'owned':
      return `This channel decides for ${vault}, since ${time.date(because.since, zone)}.`
    case 'tagged':
      return `This channel decides for ${vault}, because the vault is tagged so.`
    case 'default':
      return `No team has claimed ${vault}, and this channel decides for all such vaults.`
  }
}

const buttons = {
  portal: 'View in Azure portal',
  details: 'Show details',
  cancel: 'Cancel request',
  yesCancel: 'Yes, cancel',
  retry: 'Retry',
  approve: 'Approve…',
  yesApprove: 'Yes, approve',
  reject: 'Reject…',
  yesReject: 'Yes, reject',
  rejectConnection: 'Reject connection…',
  yesRejectConnection: 'Yes, reject it',
  yesUnlink: 'Yes, unlink',
  ask: 'Ask for this link',
} as const

/** A link among others, in a list. */
type Listed = Pick<About, 'signalr' | 'vault'> & { readonly status: string }
const listed = (links: readonly Listed[], total: number): string =>
  [
    ...links.map(({ signalr, vault, status }) => `• ${signalr} to ${vault}: ${status}`),
    ...(total > links.length ? [`… and ${total - links.length} more`] : []),
  ].join('\n')

/** A resource's name and where it is, to tell two of one name apart. */
const placed = (id: string): string => {
  const parsed = parseResourceId(id)
  const name = azureName(resourceName(id))
  return parsed ? `${name} (${clean(parsed.resourceGroup, 90)})` : name
}

/** A name that leads nowhere: which, why, and what to write or to ask for instead. */
function unclear(problem: NameProblem): readonly Run[] {
  const wrote = clean(problem.wrote, 80)
  switch (problem.is) {
    case 'ambiguous':
      return [
        `There are ${problem.ids.length} of the name "${wrote}". Say which by its resource id:`,
        ...problem.ids.slice(0, 8).flatMap((id): Run[] => ['\n• ', { code: clean(id, 300) }]),
      ]
    case 'hidden':
      return [
        problem.cause.cause === 'botLacksRight'
          ? `${app} may not look at "${wrote}". Ask whoever manages access to it to give ${app}'s identity `
          : `${app} could not look at "${wrote}", so nothing was recorded. Check its id; if it is right, please try again in a minute.`,
        ...(problem.cause.cause === 'botLacksRight'
          ? [
              { code: clean(problem.cause.action, 200) },
              ` on ${scopeName(problem.cause.scope)}, then say it again.`,
            ]
          : []),
      ]
    case 'unknown': {
      const like = problem.like.slice(0, 5).map(placed)
      const near = like.length > 0 ? ` You can use ${list(like)}.` : ''
      const manager = 'if it is there, ask whoever manages access to it for'
      return [
        problem.what === 'signalr'
          ? `I find no SignalR "${wrote}" that you may make links on.${near} Otherwise create it, or, ${manager} Microsoft.SignalRService/SignalR/sharedPrivateLinkResources/write for you and Microsoft.SignalRService/SignalR/read for ${app}'s identity.`
          : `I find no vault "${wrote}".${near} Otherwise create it, or, ${manager} Microsoft.KeyVault/vaults/read for ${app}'s identity; its owner then says in their channel: own <vault>.`,
      ]
    }
  }
}

const replies = {
  notUnderstoodLong: 'That is longer than I read. Try: link contoso-signalr to contoso-kv.',
  reasonTooLong: (length: number, most: number): string =>
    `The reason has ${length} characters, and at most ${most} fit. Nothing was recorded; please say it shorter.`,
  tooManyWords: (word: string): string =>
    `I didn't get "${clean(word, 60)}". Nothing was recorded. Names have no spaces; try: link contoso-signalr to contoso-kv because custom domain certificate.`,
  formIncomplete: 'Please pick a SignalR and a vault. Nothing was recorded.',
  askedByForm: 'Asked. The card below follows it to the end.',
  followed: ({ signalr, vault, asker }: About, now: Status, isNew: boolean): string => {
    if (now === 'Approved')
      return `${signalr} reaches ${vault} privately already; ${asker} asked for it. I'll tell you here if that changes.`
    if (now === 'Disconnected')
      return `${asker} asked for ${signalr} to ${vault} already, and it is disconnected. To begin anew, say unlink ${signalr} from ${vault}, then this again.`
    return isNew
      ? `${asker} asked for ${signalr} to ${vault} already; it is ${status[now]}. You follow it from here: I'll tell you how it ends.`
      : `${signalr} to ${vault} is asked for already and is ${status[now]}. I'll tell you here how it ends.`
  },
  unclear,
  noLinks: 'There is no link here yet, and none that you asked for. Try: link contoso-signalr to contoso-kv.',
  noSuchLink: 'I know no such link. Say list to see those that you can name.',
  list: (links: readonly Listed[], total: number): string =>
    `${count(total, 'open link')}:\n${listed(links, total)}\nSay status with the two names to see more.`,
  /** Several could be meant: how to say which. */
  which: (command: string, links: readonly Listed[], total: number): string => {
    const [first] = links
    const between = command === 'unlink' ? 'from' : 'to'
    const example = first ? ` Try: ${command} ${first.signalr} ${between} ${first.vault}.` : ''
    return `Which one do you mean?\n${listed(links, total)}\nSay it with both names.${example}`
  },
  cancelling: ({ signalr, vault }: Pick<About, 'signalr' | 'vault'>): string =>
    `Cancelled: ${signalr} to ${vault}. The link is being removed, and the owners are not asked any more.`,
  unlinking: ({ signalr, vault }: Pick<About, 'signalr' | 'vault'>): string =>
    `Unlinking ${signalr} from ${vault}. Nothing else is deleted.`,
  recorded: 'Recorded.',
  notACardOfMine:
    'This button is not on a card of mine as I made it. Nothing was recorded. Say status to see how a link stands.',
  ownOnlyInTeam: "Say this in a channel of the team that owns the vault: it is that channel where I'll ask.",
  whichVault: (command: string): string => `Which vault? Try: ${command} contoso-kv.`,
  owned: (
    vault: string,
    facts: { readonly approvers: number | 'unknown'; readonly members: number; readonly already: boolean },
  ): string => {
    const head = facts.already
      ? `This channel decides for ${vault} already.`
      : `This channel decides for ${vault} from now on: requests for a private link to it come here.`
    if (facts.approvers === 'unknown')
      return `${head} How many people here may approve on it could not be read.`
    if (facts.approvers === 0)
      return `${head} None of the ${count(facts.members, 'person', 'people')} here may approve on it yet.`
    const who = `${facts.approvers} of the ${count(facts.members, 'person', 'people')} here may approve on it.`
    return facts.approvers === 1
      ? `${head} ${who} Nobody approves their own request, so a second one is worth having.`
      : `${head} ${who}`
  },
  /** `here`: it is another channel of the same team. */
  ownedElsewhere: (vault: string, here: boolean, command: string): string => {
    const where = here ? 'another channel of this team' : 'another team'
    return command === 'disown'
      ? `${vault} is decided for in ${where}, so it can only be given up there: disown ${vault}.`
      : `${vault} is decided for in ${where}. Ask them to give it up first (disown ${vault}), then say it again.`
  },
  vaultRightMissing: (vault: string, actions: readonly string[]): Prose => [
    `Only somebody who may approve on ${vault} can say who decides for it. You lack `,
    { code: list(actions) },
    ` there: ask whoever manages access to ${vault}, or ask a colleague who has it to say this.`,
  ],
  vaultRightUnreadable: (vault: string): string =>
    `Your rights on ${vault} could not be read, and then the answer is no. Nothing was recorded; please try again in a minute.`,
  disowned: (vault: string): string =>
    `This team no longer decides for ${vault}. Another one can say: own ${vault}. Requests that are open stay where they are.`,
  notOwned: (vault: string): string =>
    `No channel decides for ${vault}. To decide for it here, say: own ${vault}.`,
  outsider: {
    guests: `You are a guest in this organisation, and ${app} serves its own people only. Ask a colleague who belongs to it.`,
    federated: `You belong to another organisation, and ${app} serves the people of this one only. Ask somebody who belongs to it.`,
    stranger: `${app} cannot tell who you are here, so it does nothing for you. Ask a colleague who belongs to this organisation.`,
  },
  teamsSlow: "Teams isn't answering. Nothing was recorded; please try again in a minute.",
  storeAway: "I can't write this down right now; nothing was done. Please try again in a minute.",
  storeInDoubt:
    "I lost my database while I was writing this down, and can't tell yet whether it was. Say status in a minute to see.",
  storeAwayAfter: "I can't look up right now what came of this. Say status in a minute to see.",
  tooLong: 'This takes longer than it should. Say status in a minute to see whether it was recorded.',
  broken:
    'Something went wrong on my side; it was logged. Say status to see what was recorded, or try again in a minute.',
}

export const en = {
  locale,
  app,
  somebody,
  time,
  list,
  count,
  signs,
  step,
  status,
  buttons,
  scopeName,
  connectionState,
  waiting,
  standing,
  ending,
  cause,
  refusal,
  askRefusal,
  news,
  nudge,
  labels: {
    name: 'Name',
    type: 'Type',
    signalr: 'SignalR',
    subscription: 'Subscription',
    vault: 'Vault',
    message: 'Request message',
    provisioningState: 'Provisioning state',
    connectionState: 'Connection state',
    askedBy: 'Asked by',
    why: 'Why',
    from: 'From',
    to: 'To',
    connection: 'Connection',
    answerBy: 'Answer by',
    decided: 'Decided',
    todo: 'What to do',
    right: 'Right to grant',
    scope: 'Scope',
    unseen: 'not seen yet',
  },
  statusCard: {
    title: ({ signalr, vault }: Pick<About, 'signalr' | 'vault'>): string => `Link ${signalr} to ${vault}`,
    /** What goes with SignalR not following: the owners have the button, if there is one. */
    alarm: ({ signalr, vault }: About): Explanation => ({
      happened: `SignalR does not follow the approval, so the connection that is open on ${vault} may not be ${signalr}'s.`,
      next: `The vault's owners are told too, and ${app} keeps looking.`,
      todo: `Ask the vault's owners to look at ${vault} now, under Networking, Private endpoint connections, and to reject what is not from ${signalr}.`,
    }),
    publicVault: (vault: string): string => `${vault} still accepts public traffic.`,
    /** What pressing "Cancel request" leads to. */
    cancelling: ({ signalr, name }: About, decided: boolean): string =>
      `The link ${name} is removed from ${signalr}, and ${decided ? 'the approval goes with it' : "the vault's owners are not asked any more"}. Nothing else is deleted.`,
    summary: ({ signalr, vault }: About, lede: Lede): string =>
      `${signalr} to ${vault}: ${lede.strong}, ${lede.rest}`,
  },
  approvalCard: {
    question: (vault: string): string => `Approve a private connection to ${vault}?`,
    title: (vault: string): string => `Private connection to ${vault}`,
    /** After the asker's name. */
    asks: (signalr: string): string => `asks to connect ${signalr}`,
    asked: (signalr: string): string => `asked to connect ${signalr}`,
    because: (reason: string): string => `: "${reason}"`,
    /** The resource group and subscription of a resource. */
    of: (group: string, subscription: string | undefined): string =>
      subscription === undefined ? `group ${group}` : `group ${group}, subscription ${subscription}`,
    approvingDoes: {
      title: 'What approving does',
      text: (vault: string): string =>
        `Opens a private path from this SignalR to ${vault}. It grants no rights to secrets, keys or certificates, and leaves public access as it is. You can undo it.`,
    },
    checked: {
      title: 'What was checked',
      text: (signalr: string): string =>
        `This is the connection that ${app} made. It is still Pending. The requester may write to ${signalr}.`,
    },
    whyHere: { title: 'Why here', text: whyHere },
    /** What "Approve…" and "Reject…" lead to. */
    approve: {
      question: (connection: string, vault: string): string =>
        `Approve connection ${connection} on ${vault}?`,
      /**
       * `asYou`: whoever presses is whom Azure sees approve. `waits`: others have to approve as well, after this one.
       */
      follows: (
        { signalr, vault }: About,
        { asYou, waits }: { readonly asYou: boolean; readonly waits: boolean },
      ): string =>
        waits
          ? `${app} reads your rights on ${vault}, looks at the connection once more, and notes your approval. Nothing is opened before somebody else has approved it too.`
          : asYou
            ? `${app} looks at the connection once more, and you approve it on ${vault} as yourself: Azure checks your rights and notes your name. ${signalr} usually follows within minutes.`
            : `${app} reads your rights on ${vault}, looks at the connection once more, and approves it. ${signalr} usually follows within minutes.`,
    },
    reject: {
      question: (connection: string, vault: string): string => `Reject connection ${connection} on ${vault}?`,
      follows: ({ signalr, name }: About, asYou: boolean): string =>
        `${asYou ? 'You reject the connection as yourself' : 'The connection is rejected'} and the link ${name} is removed from ${signalr}. It can be asked for again.`,
      reason: 'Reason (the requester will see it)',
      tooLong: 'Please keep it under 300 characters.',
    },
    /** The line under the title, while it is open. */
    open: (
      {
        answerBy,
        again,
        approvals,
        approvers,
      }: {
        readonly answerBy: Millis
        readonly again: boolean
        readonly approvals: Approvals | undefined
        readonly approvers: readonly string[]
      },
      zone: string,
    ): Lede => ({
      sign: 'now',
      strong: again
        ? 'Please decide again'
        : approvers.length > 0
          ? `Approved by ${list(approvers)}`
          : 'Your decision',
      rest: [
        again && 'the last answer did not reach Azure',
        again && approvers.length > 0 && `approved by ${list(approvers)}`,
        [approvals && haveTo(approvals), `by ${time.moment(answerBy, zone)}`].filter(Boolean).join(', '),
        'then the request ends',
      ]
        .filter(Boolean)
        .join('; '),
    }),
    approving: (decided: Decided | undefined, vault: string): Lede => ({
      sign: 'now',
      strong: `Approved ${by(decided?.who)}`,
      rest: `on its way to ${vault}`,
    }),
    stopped: (decided: Decided | undefined): Lede => ({
      sign: 'failed',
      strong: `Approved ${by(decided?.who)}`,
      rest: 'but stopped until somebody helps',
    }),
    unfollowed,
    /** Why "Reject connection…" is offered, and what it leads to. */
    alarm: ({ signalr, vault }: About, asYou: boolean): Explanation => ({
      happened: `SignalR does not follow this approval, so the connection that is open on ${vault} may not be ${signalr}'s.`,
      next: `${app} keeps looking.`,
      todo: `Look at ${vault}, under Networking, Private endpoint connections. If the connection is not from ${signalr}, ${asYou ? 'reject it there.' : `press ${buttons.rejectConnection}`}`,
    }),
    rejectConnection: {
      question: (connection: string, vault: string): string =>
        `Reject the approved connection ${connection} on ${vault}?`,
      follows: ({ signalr, vault, name }: About): string =>
        `${app} reads your rights on ${vault} and closes that path. The link ${name} is removed from ${signalr}. It can be asked for again.`,
    },
    propagating: (decided: Decided | undefined): Lede => ({
      sign: 'now',
      strong: `Approved ${by(decided?.who)}`,
      rest: 'on its way to SignalR',
    }),
  },
  /** The answer to `status`, and what shows the same without Vaultlink. */
  statusText: {
    line: ({ signalr, vault, name }: About, lede: Lede): string =>
      `${signalr} to ${vault} (${name}): ${lede.strong}, ${lede.rest}`,
    asked: (asker: string, at: Millis, zone: string): string =>
      `Asked by ${asker}, ${time.moment(at, zone)}.`,
    azure: (provisioning: string, connection: string): string =>
      `Azure says provisioning state ${provisioning}, connection state ${connection}.`,
    sameInAz: 'The same from the command line: ',
  },
  form: {
    title: 'Link a SignalR to a Key Vault',
    intro: "The vault's owner is asked in their channel; you see how it goes in this thread.",
    signalr: {
      label: 'SignalR',
      placeholder: 'contoso-signalr',
      missing: 'Which SignalR should reach the vault?',
    },
    vault: { label: 'Key Vault', placeholder: 'contoso-kv', missing: 'Which vault should it reach?' },
    as: {
      label: "The link's name (optional)",
      placeholder: 'kv-contoso-kv',
      wrong: '3 to 63 letters, digits and hyphens, beginning with a letter.',
    },
    because: {
      label: 'Why (the owner will see it)',
      placeholder: 'custom domain certificate',
      tooLong: 'Please keep it under 100 characters.',
    },
    listedVaults: 'Not listed? Its owner first says "own <vault>" in their team\'s channel.',
    fallback: 'Say: link <signalr> to <vault> because <reason>.',
    summary: 'A form to ask for a link',
  },
  unlink: {
    title: ({ signalr, vault }: Pick<About, 'signalr' | 'vault'>): string =>
      `Unlink ${signalr} from ${vault}?`,
    follows: ({ signalr, vault, name }: About): string =>
      `The link ${name} is removed from ${signalr}, which then no longer reaches ${vault} privately.`,
    nothingElse: 'Nothing else is deleted. Deleting the resource group would delete everything in it.',
    waits: 'Nothing happens until you confirm.',
  },
  help: {
    title: 'What I can do',
    intro:
      "I link a SignalR to a Key Vault through a shared private endpoint: you ask, the vault's owner decides, and I do the steps in Azure.",
    try: 'Try: ',
    summary: 'What Vaultlink can do',
  },
  welcome: {
    title: "Hi, I'm Vaultlink",
    what: "I link a SignalR to a Key Vault through a shared private endpoint: you ask in a sentence, the vault's owner decides on a card, and I do the steps in Azure.",
    installed: (who: string): string => `${who} added me here.`,
    begin: 'To begin:',
    ask: {
      text: 'Ask for a link',
      example: 'link contoso-signalr to contoso-kv because custom domain certificate',
    },
    own: { text: "Decide for a vault in this team's channel", example: 'own contoso-kv' },
    help: { text: 'See what else I can do', example: 'help' },
    addressed: (inTeam: boolean): string => (inTeam ? `@${app} ` : ''),
    summary: 'Vaultlink is here',
  },
  notUnderstood: {
    plain: "I didn't get that. Try: link contoso-signalr to contoso-kv.",
    near: (meant: string): string =>
      `I didn't get that. Did you mean ${meant}? Try: link contoso-signalr to contoso-kv.`,
  },
  /** What commands and buttons answer. */
  replies,
  /** Where owners decide as themselves, to the presser alone. */
  signIn: {
    text: `Azure has to know that it is you. Sign in, agree that ${app} may pass your decision on to Azure as yours, and press again. If you cannot sign in, ask your administrator to agree for everybody, or decide in the Azure portal; I'll notice.`,
    button: 'Sign in',
    consent: `Azure has to know that it is you. Agree that ${app} may pass your decision on to Azure as yours, or ask your administrator to, and press again.`,
    notYou: `Teams signed in somebody else than you here, so nothing was recorded. Check with which account you use Teams, and press again.`,
    refused: (code: string): string =>
      `Your sign-in did not do for Azure (${code}), so nothing was recorded. Please press again. If it stays so, decide in the Azure portal, I'll notice; and tell whoever runs ${app} that code.`,
    sent: (vault: string): string =>
      `Sent to ${vault} as you, and Azure has not answered yet. The card shows what comes of it; if it did not arrive, it asks you again within a minute.`,
    oldClient: `Azure has to know that it is you, and this Teams cannot say so. Use Teams on the web or a newer one, or decide in the Azure portal; I'll notice.`,
  },
  azureSlow: "Azure isn't answering. Nothing was recorded; please try again in a minute.",
}
export type Words = typeof en
