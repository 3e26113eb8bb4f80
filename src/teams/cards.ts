/**
 * Views and words to cards and messages. Every value that enters a template is a capped string without control
 * characters; other people's words stand only in RichTextBlocks, which read no Markdown.
 */
import type { Person } from '../engine/ports.ts'
import type { Decision, Link, PersonKey, TextKey } from '../link/link.ts'
import { requestMessage } from '../link/match.ts'
import { parseResourceId, resourceName, sameResource } from '../link/resourceId.ts'
import {
  type ApprovalView,
  isEnded,
  type NewsView,
  type NudgeView,
  type Sign,
  type StatusView,
  type View,
} from '../link/views.ts'
import { type AdaptiveCard, expand, type Value } from './cardTemplates.ts'
import { azureName, clean, type Mention, type Prose, toPlain } from './prose.ts'
import type { About, Decided, Explanation, Then, Words } from './words/en.ts'

/** What Teams is to show: a card, or text after the mentions. `summary` is what a notification says. */
export type Rendered = {
  readonly card?: AdaptiveCard
  readonly text?: Prose
  readonly mentions?: readonly Mention[]
  readonly summary: string
}
/** Who and what the keys in a view stand for; undefined when it was forgotten. */
export type Names = {
  person(key: PersonKey): Person | undefined
  text(key: TextKey): string | undefined
}
export type Drawing = {
  readonly tenantId?: string
  /** The portal's address, `https://portal.azure.com` unless it is another cloud's. */
  readonly portal?: string
  /** An IANA time zone; UTC when absent. */
  readonly timeZone?: string
  /** Whether owners decide as themselves. */
  readonly asApprover?: boolean
}

const longest = { person: 60, reason: 300, message: 140, azure: 300, id: 600, url: 1_000 } as const
const zoneOf = (drawing: Drawing): string => drawing.timeZone ?? 'UTC'

/** Who approved so far, where others have to as well. */
function approversOf(view: View): readonly PersonKey[] {
  if (view.view === 'approval' && view.phase.is === 'open') return view.phase.approvals?.by ?? []
  if (view.view === 'status' && view.waits?.for === 'owner') return view.waits.approvals?.by ?? []
  if (view.view === 'nudge') return view.approvals?.by ?? []
  return []
}

/** Keys of the people and the texts that a view names. */
export function namesOf(view: View): { people: readonly PersonKey[]; texts: readonly TextKey[] } {
  if (view.view === 'nudge')
    return { people: [...new Set([view.by, ...approversOf(view)])], texts: view.reason ? [view.reason] : [] }
  const decision = view.decision
  const people = [
    view.by,
    decision?.by,
    view.view === 'news' ? view.mentions : view.endedBy,
    view.view === 'news' && view.news.news === 'ended' ? view.news.by : undefined,
    view.view === 'news' && view.news.news === 'askAgain' ? view.news.by : undefined,
    ...(decision?.with ?? []).map(({ by }) => by),
    ...approversOf(view),
  ]
  const texts = [view.view === 'news' ? undefined : view.reason, decision?.reason]
  const known = (keys: readonly (string | undefined)[]): string[] => [
    ...new Set(keys.filter((key) => key !== undefined)),
  ]
  return { people: known(people), texts: known(texts) }
}

/** The resource in the portal: `https://portal.azure.com/#@<tenant>/resource<id>`. */
export function portalUrl(id: string, drawing: Drawing): string {
  const home = (drawing.portal ?? 'https://portal.azure.com').replace(/\/+$/, '')
  if (id.length > longest.id || !parseResourceId(id)) return home
  const address = `${home}/#${drawing.tenantId ? `@${encodeURIComponent(drawing.tenantId)}/` : ''}resource${encodeURI(id.toWellFormed())}`
  // An address that is cut off leads nowhere.
  return address.length > longest.url ? home : address
}

/** What the Azure CLI shows of the link; undefined for an id that a shell would not take as it is. */
function azCommand(link: { readonly signalr: string; readonly name: string }): string | undefined {
  const id = `${link.signalr}/sharedPrivateLinkResources/${link.name}`
  if (!/^[\w\-./()]+$/.test(id)) return undefined
  return `az rest --method get --url "${id}?api-version=2024-03-01"`
}

/** A person's name, or a word for somebody whose name was forgotten. */
export const named = (key: PersonKey | undefined, names: Names, words: Words): string =>
  (key !== undefined && clean(names.person(key)?.name ?? '', longest.person)) || words.somebody
const said = (key: TextKey | undefined, names: Names): string | undefined =>
  (key !== undefined && clean(names.text(key) ?? '', longest.reason)) || undefined

/** The names that sentences about a link use. */
export function aboutOf(
  link: { readonly signalr: string; readonly vault: string; readonly name: string; readonly by: PersonKey },
  names: Names,
  words: Words,
): About {
  return {
    signalr: azureName(resourceName(link.signalr)),
    vault: azureName(resourceName(link.vault)),
    name: azureName(link.name),
    asker: named(link.by, names, words),
  }
}

export function decidedOf(decision: Decision | undefined, names: Names, words: Words): Decided | undefined {
  if (!decision) return undefined
  return {
    verdict: decision.verdict,
    who:
      decision.where === 'portal'
        ? undefined
        : words.list([...(decision.with ?? []), decision].map(({ by }) => named(by, names, words))),
    at: decision.at,
    reason: said(decision.reason, names),
  }
}

/** Draws a view; the only way from the core's data to what people see. */
export async function renderView(
  view: View,
  names: Names,
  words: Words,
  drawing: Drawing,
): Promise<Rendered> {
  switch (view.view) {
    case 'status': {
      const data = statusData(view, names, words, drawing)
      return { card: await expand('status', data), summary: data.fallback }
    }
    case 'approval': {
      const data = approvalData(view, names, words, drawing)
      return { card: await expand('approval', data), summary: data.fallback }
    }
    case 'news':
      return newsMessage(view, names, words, drawing)
    case 'nudge':
      return nudgeMessage(view, names, words, drawing)
  }
}

const colors: Record<Sign, string> = {
  done: 'Good',
  now: 'Accent',
  next: 'Default',
  failed: 'Attention',
  skipped: 'Default',
}
type Lede = ReturnType<Words['standing']>
const ledeData = (lede: Lede, words: Words) => ({
  sign: words.signs[lede.sign].sign,
  color: colors[lede.sign],
  strong: lede.strong,
  rest: lede.rest,
})

function troubleData(explanation: Explanation | undefined, then: Then, words: Words): Value {
  if (!explanation) return {}
  const { happened, next, todo, grant } = explanation
  const { labels } = words
  const actions = (grant?.actions ?? [])
    .map((action) => clean(action, longest.azure))
    .filter((it) => it !== '')
  return {
    style: then === 'trying' ? 'emphasis' : 'warning',
    happened: clean(happened, 2 * longest.azure),
    hasNext: then !== 'ended',
    next,
    label: labels.todo,
    todo: clean(todo, 2 * longest.azure),
    grant:
      grant && actions.length > 0
        ? [
            ...copied(labels.right, actions.join(', ')),
            ...copied(labels.scope, clean(grant.scope, longest.id)),
          ]
        : [],
  }
}

/** To be copied, so it may be long and without a space: only a TextBlock breaks it on a phone, and only what looks so is safe there. */
const copied = (label: string, value: string): readonly Value[] =>
  value === '' ? [] : [{ label, value, plain: /^(?:Microsoft\.|\/)[A-Za-z0-9./, -]*$/.test(value) }]

const buttonsData = (words: Words) => ({ ...words.buttons })

const statusLede = (view: StatusView, about: About, names: Names, words: Words, zone: string): Lede => {
  const facts = {
    decided: decidedOf(view.decision, names, words),
    endedBy: view.endedBy === undefined ? undefined : named(view.endedBy, names, words),
    functionalAt: view.functionalAt,
    approvers: approversOf(view).map((key) => named(key, names, words)),
  }
  return view.waits
    ? words.waiting(view.waits, about, facts, zone)
    : words.standing(view.status, about, facts, zone)
}

const isAlarmed = ({ waits }: StatusView): boolean => waits?.for === 'signalr' && waits.alarmed === true

const thenOf = (view: StatusView): Then => {
  if (view.waits?.for === 'retry' || isAlarmed(view)) return 'blocked'
  if (view.status === 'Removing') return 'ending'
  return isEnded(view.status) ? 'ended' : 'trying'
}

type Row = { readonly label: string; readonly value: string }
const rows = (entries: readonly (readonly [string, string | undefined])[]): readonly Row[] =>
  entries.flatMap(([label, value]) => (value ? [{ label, value: clean(value, longest.id) }] : []))

const messageOf = (view: StatusView | ApprovalView, names: Names): string =>
  clean(requestMessage(said(view.reason, names), view.nonce), longest.message)

export function statusData(view: StatusView, names: Names, words: Words, drawing: Drawing) {
  const zone = zoneOf(drawing)
  const { labels } = words
  const about = aboutOf(view, names, words)
  const lede = statusLede(view, about, names, words, zone)
  const then = thenOf(view)
  const trouble = isAlarmed(view)
    ? words.statusCard.alarm(about)
    : view.cause && words.cause(view.cause, about, then)
  const final = isEnded(view.status) || view.status === 'Approved'
  const vault = parseResourceId(view.vault)
  const unseen = final ? undefined : labels.unseen
  // A final card has no button to open its details: it keeps those that a later reader asks for.
  const works = view.status === 'Approved' ? [labels.provisioningState, labels.connectionState] : []
  const kept: readonly string[] = [labels.name, labels.message, ...works]
  const asked: readonly Row[] = rows([
    [labels.askedBy, `${about.asker}, ${words.time.moment(view.askedAt, zone)}`],
    [labels.why, said(view.reason, names)],
  ])
  const azure = rows([
    [labels.name, about.name],
    [labels.type, 'Microsoft.KeyVault/vaults'],
    [labels.subscription, vault?.subscription],
    [labels.vault, about.vault],
    [labels.message, messageOf(view, names)],
    [labels.provisioningState, view.provisioningState ?? unseen],
    [labels.connectionState, view.connectionState ?? unseen],
  ])
  return {
    link: view.link,
    fallback: clean(words.statusCard.summary(about, lede), longest.id),
    title: words.statusCard.title(about),
    lede: ledeData(lede, words),
    hasTrouble: trouble !== undefined,
    trouble: troubleData(trouble, then, words),
    steps: view.steps.map(({ step, sign }) => ({
      sign: words.signs[sign].sign,
      word: words.signs[sign].word,
      name: words.step(step, sign),
      color: colors[sign],
      weight: sign === 'now' || sign === 'failed' ? 'Bolder' : 'Default',
      subtle: sign === 'next' || sign === 'skipped',
    })),
    hasNote: view.status === 'Approved' && view.vaultIsPublic === true,
    note: words.statusCard.publicVault(about.vault),
    details: final ? [...asked, ...azure.filter(({ label }) => kept.includes(label))] : [...azure, ...asked],
    detailsOpen: final,
    hasActions: !final,
    canRetry: view.actions.includes('retry'),
    canCancel: view.actions.includes('cancel'),
    cancelling: words.statusCard.cancelling(about, view.decision !== undefined),
    buttons: buttonsData(words),
    portal: portalUrl(view.signalr, drawing),
  }
}
function approvalLede(view: ApprovalView, about: About, names: Names, words: Words, zone: string): Lede {
  const decided = decidedOf(view.decision, names, words)
  const { approvalCard } = words
  const endedBy = view.endedBy === undefined ? undefined : named(view.endedBy, names, words)
  switch (view.phase.is) {
    case 'open':
      return approvalCard.open(
        {
          answerBy: view.phase.answerBy,
          again: view.phase.again === true,
          approvals: view.phase.approvals,
          approvers: approversOf(view).map((key) => named(key, names, words)),
        },
        zone,
      )
    case 'approving':
      return view.phase.retry ? approvalCard.stopped(decided) : approvalCard.approving(decided, about.vault)
    case 'propagating':
      return view.phase.alarmed ? approvalCard.unfollowed(decided) : approvalCard.propagating(decided)
    case 'works':
      return words.standing('Approved', about, { decided, functionalAt: view.phase.since }, zone)
    case 'disconnected':
      return words.standing('Disconnected', about, { decided }, zone)
    case 'ending':
      return words.ending(view.phase.outcome, about, { decided, endedBy }, zone)
    case 'ended':
      return words.standing(view.phase.outcome, about, { decided, endedBy }, zone)
  }
}

/** "contoso-kv (group contoso, subscription …)"; the subscription only where it differs from `beside`'s. */
function whereabouts(id: string, beside: string | undefined, words: Words): string {
  const parsed = parseResourceId(id)
  const name = azureName(resourceName(id))
  if (!parsed) return name
  const same = beside !== undefined && parseResourceId(beside)?.subscription === parsed.subscription
  return `${name} (${words.approvalCard.of(clean(parsed.resourceGroup, 90), same ? undefined : parsed.subscription)})`
}

export function approvalData(view: ApprovalView, names: Names, words: Words, drawing: Drawing) {
  const zone = zoneOf(drawing)
  const { approvalCard, labels } = words
  const about = aboutOf(view, names, words)
  const lede = approvalLede(view, about, names, words, zone)
  const { phase } = view
  const open = phase.is === 'open'
  const cause = phase.is === 'approving' ? phase.retry : phase.is === 'ended' ? phase.cause : undefined
  const alarmed = phase.is === 'propagating' && phase.alarmed === true
  const then = phase.is === 'approving' || alarmed ? 'blocked' : 'ended'
  const trouble = alarmed
    ? approvalCard.alarm(about, drawing.asApprover === true)
    : cause && words.cause(cause, about, then)
  const reason = said(view.reason, names)
  const connection = clean(resourceName(view.connection), 80)
  const final = phase.is === 'works' || phase.is === 'ended'
  const title = open ? approvalCard.question(about.vault) : approvalCard.title(about.vault)
  return {
    link: view.link,
    fallback: clean(`${title} ${lede.strong}, ${lede.rest}`, longest.id),
    title,
    lede: ledeData(lede, words),
    asker: about.asker,
    asks: open ? approvalCard.asks(about.signalr) : approvalCard.asked(about.signalr),
    hasReason: reason !== undefined,
    because: reason === undefined ? '' : approvalCard.because(reason),
    hasTrouble: trouble !== undefined,
    trouble: troubleData(trouble, then, words),
    facts: rows([
      [labels.from, whereabouts(view.signalr, undefined, words)],
      [labels.to, whereabouts(view.vault, view.signalr, words)],
      [labels.connection, connection],
      [labels.message, messageOf(view, names)],
    ]),
    isOpen: open,
    explained: [
      { title: approvalCard.approvingDoes.title, text: approvalCard.approvingDoes.text(about.vault) },
      { title: approvalCard.checked.title, text: approvalCard.checked.text(about.signalr) },
      { title: approvalCard.whyHere.title, text: approvalCard.whyHere.text(view.because, about.vault, zone) },
    ],
    approve: {
      question: approvalCard.approve.question(connection, about.vault),
      follows: approvalCard.approve.follows(about, {
        asYou: drawing.asApprover === true,
        waits: phase.is === 'open' && (phase.approvals?.missing ?? 1) > 1,
      }),
    },
    reject: {
      question: approvalCard.reject.question(connection, about.vault),
      follows: approvalCard.reject.follows(about, drawing.asApprover === true),
      reason: approvalCard.reject.reason,
      tooLong: approvalCard.reject.tooLong,
    },
    canRevoke: alarmed && drawing.asApprover !== true,
    revoke: {
      question: approvalCard.rejectConnection.question(connection, about.vault),
      follows: approvalCard.rejectConnection.follows(about),
      reason: approvalCard.reject.reason,
      tooLong: approvalCard.reject.tooLong,
    },
    canRetry: phase.is === 'approving' && phase.retry !== undefined,
    hasActions: !final,
    buttons: buttonsData(words),
    portal: portalUrl(view.vault, drawing),
  }
}

function newsMessage(view: NewsView, names: Names, words: Words, drawing: Drawing): Rendered {
  const about = aboutOf(view, names, words)
  const { news } = view
  const who = 'by' in news && news.by !== undefined ? named(news.by, names, words) : undefined
  // Where the reader can do something about what the message says.
  const onVault =
    view.to === 'owners' || news.news === 'unfollowed' || (news.news === 'approved' && view.vaultIsPublic)
  const text = words.news(
    news,
    view.to,
    about,
    {
      decided: decidedOf(view.decision, names, words),
      who,
      functionalAt: view.functionalAt,
      vaultIsPublic: view.vaultIsPublic,
      asYou: drawing.asApprover === true,
      portal: portalUrl(onVault ? view.vault : view.signalr, drawing),
    },
    zoneOf(drawing),
  )
  const person = view.mentions === undefined ? undefined : names.person(view.mentions)
  return {
    text,
    ...(person && { mentions: [mentionOf(person, words)] }),
    summary: clean(toPlain(text), longest.azure),
  }
}

function nudgeMessage(view: NudgeView, names: Names, words: Words, drawing: Drawing): Rendered {
  const text = words.nudge(
    view.nudge,
    view.to,
    aboutOf(view, names, words),
    {
      status: view.status,
      askedAt: view.askedAt,
      endsAt: view.endsAt,
      reason: said(view.reason, names),
      reminders: view.reminders,
      isEscalated: view.isEscalated,
      approvals: view.approvals,
      approvers: approversOf(view).map((key) => named(key, names, words)),
      portal: portalUrl(view.vault, drawing),
    },
    zoneOf(drawing),
  )
  const person = view.to === 'requester' ? names.person(view.by) : undefined
  return {
    text,
    ...(person && { mentions: [mentionOf(person, words)] }),
    summary: clean(toPlain(text), longest.azure),
  }
}

const mentionOf = (person: Person, words: Words): Mention => ({
  id: person.teamsId,
  name: clean(person.name, longest.person) || words.somebody,
  aadObjectId: person.objectId,
})

/** The answer to `status`: how it stands, where to look, and what shows the same without Vaultlink. */
export function statusText(view: StatusView, names: Names, words: Words, drawing: Drawing): Prose {
  const zone = zoneOf(drawing)
  const about = aboutOf(view, names, words)
  const { statusText: say, labels } = words
  const lede = statusLede(view, about, names, words, zone)
  const trouble = view.cause && words.cause(view.cause, about, thenOf(view))
  const az = azCommand(view)
  return [
    { strong: clean(say.line(about, lede), longest.id) },
    `\n${say.asked(about.asker, view.askedAt, zone)} ${say.azure(view.provisioningState ?? labels.unseen, view.connectionState ?? labels.unseen)}`,
    trouble ? `\n${clean(`${trouble.happened} ${trouble.next} ${trouble.todo}`, 3 * longest.azure)}` : '',
    '\n',
    { link: portalUrl(view.signalr, drawing), title: words.buttons.portal },
    ...(az === undefined ? [] : [`\n${say.sameInAz}`, { code: az }]),
  ]
}

/** Names of resources that a list of choices shows, told apart by group and subscription where they need it. */
function choicesOf(ids: readonly string[]): readonly { readonly title: string; readonly value: string }[] {
  const times = (name: string): number => ids.filter((id) => sameName(resourceName(id), name)).length
  return ids.map((id) => {
    const name = azureName(resourceName(id))
    const parsed = parseResourceId(id)
    const alone = !parsed || times(resourceName(id)) === 1
    return {
      title: alone ? name : clean(`${name} (${parsed.resourceGroup}, ${parsed.subscription})`, 140),
      value: id,
    }
  })
}
const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** Above this a list would push the card over what Teams takes: the name is typed instead. */
const mostChoiceBytes = 7_000

function fieldData(
  words: { readonly label: string; readonly placeholder: string; readonly missing: string },
  ids: readonly string[],
  known: string | undefined,
) {
  const choices = choicesOf(ids)
  const listed = choices.length > 0 && Buffer.byteLength(JSON.stringify(choices)) <= mostChoiceBytes
  const chosen = ids.filter(
    (id) => known !== undefined && (sameResource(id, known) || sameName(resourceName(id), known)),
  )
  const only = known === undefined ? ids : chosen
  const value = listed ? (only.length === 1 ? only[0] : '') : clean(known ?? '', longest.id)
  // A long list is searched by typing; a short one is seen at once.
  const style = choices.length > 8 ? 'filtered' : 'compact'
  return { ...words, style, listed, typed: !listed, choices: listed ? choices : [], value: value ?? '' }
}

/** What is known of a link that somebody wants to ask for. */
export type LinkDraft = {
  readonly signalr?: string
  readonly vault?: string
  readonly as?: string
  readonly because?: string
}

export function linkFormData(
  choices: { readonly signalrs: readonly string[]; readonly vaults: readonly string[] },
  draft: LinkDraft,
  words: Words,
) {
  const { form } = words
  const vault = fieldData(form.vault, choices.vaults, draft.vault)
  return {
    fallback: form.fallback,
    title: form.title,
    intro: form.intro,
    signalr: fieldData(form.signalr, choices.signalrs, draft.signalr),
    vault,
    hasHint: vault.listed,
    hint: form.listedVaults,
    because: { ...form.because, value: clean(draft.because ?? '', 100) },
    as: { ...form.as, value: clean(draft.as ?? '', 63) },
    ask: words.buttons.ask,
  }
}

/** The form for `link` with a part missing, filled with what is known. Its inputs: signalr, vault, as, because. */
export async function linkFormCard(
  choices: { readonly signalrs: readonly string[]; readonly vaults: readonly string[] },
  draft: LinkDraft,
  words: Words,
): Promise<Rendered> {
  const data = linkFormData(choices, draft, words)
  return { card: await expand('linkForm', data), summary: words.form.summary }
}

const nobody: Names = { person: () => undefined, text: () => undefined }

export function confirmUnlinkData(link: Link, words: Words, drawing: Drawing) {
  const about = aboutOf({ ...link.asked }, nobody, words)
  const { unlink, buttons } = words
  return {
    link: link.id,
    fallback: `${unlink.title(about)} ${unlink.follows(about)}`,
    title: unlink.title(about),
    follows: unlink.follows(about),
    nothingElse: unlink.nothingElse,
    waits: unlink.waits,
    yes: buttons.yesUnlink,
    portalTitle: buttons.portal,
    portal: portalUrl(link.asked.signalr, drawing),
  }
}

/** Asks before a working link is taken away. */
export async function confirmUnlinkCard(link: Link, words: Words, drawing: Drawing): Promise<Rendered> {
  const data = confirmUnlinkData(link, words, drawing)
  return { card: await expand('confirmUnlink', data), summary: data.title }
}

/** What `help` says of a command. */
export type Described = { readonly title: string; readonly description: string; readonly example: string }

export function helpData(words: Words, commands: readonly Described[]) {
  const { help } = words
  return {
    fallback: `${help.title}: ${commands.map(({ example }) => example).join(' · ')}`,
    title: help.title,
    intro: help.intro,
    commands: commands.map(({ title, description, example }) => ({
      title,
      description,
      example,
      // `List · the links of this channel` says all there is to type.
      hasExample: !sameName(title, example),
    })),
  }
}

export async function helpCard(words: Words, commands: readonly Described[]): Promise<Rendered> {
  return { card: await expand('help', helpData(words, commands)), summary: words.help.summary }
}

/** Who added the bot, and whether it is addressed by a mention there. */
export type Arrival = { readonly installedBy?: string; readonly inTeam: boolean }

export function welcomeData(words: Words, arrival: Arrival) {
  const { welcome } = words
  const installer = clean(arrival.installedBy ?? '', longest.person)
  const ways = arrival.inTeam ? [welcome.ask, welcome.own, welcome.help] : [welcome.ask, welcome.help]
  return {
    fallback: `${welcome.title}. ${welcome.what}`,
    title: welcome.title,
    hasInstaller: installer !== '',
    installer: installer === '' ? '' : welcome.installed(installer),
    what: welcome.what,
    begin: welcome.begin,
    ways: ways.map(({ text, example }) => ({
      text,
      example: `${welcome.addressed(arrival.inTeam)}${example}`,
    })),
  }
}

/** Said once in each place: what the bot does, who added it, how to begin. */
export async function welcomeCard(words: Words, arrival: Arrival): Promise<Rendered> {
  return { card: await expand('welcome', welcomeData(words, arrival)), summary: words.welcome.summary }
}
