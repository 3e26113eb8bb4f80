/** What a place shows, taken apart, and whether a stranger's words changed anything in it but their own text. */
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import type { Rendered } from '../../src/teams/cards.ts'
import { activityOf } from '../../src/teams/messenger.ts'
import { problemsOf } from './cardRules.ts'

/** A card as it is, or a message with its text as the elements that an XML parser sees. */
export type Shown = unknown

const parser = new XMLParser({
  preserveOrder: true,
  trimValues: false,
  ignoreAttributes: false,
  parseTagValue: false,
  parseAttributeValue: false,
})
/** Our own tags, a portal link, and text in which every `<`, `>`, `&` and `"` is escaped: all that we send. */
const ours =
  /^(?:[^<>&"]|&(?:lt|gt|amp|quot);|<\/?(?:at|code|strong)>|<br\/>|<a href="https:\/\/portal\.azure\.com[^"<>\s]*">|<\/a>)*$/u

export function shownBy(rendered: Rendered): Shown {
  const { attachments, text, ...activity } = activityOf(rendered)
  if (attachments) return { ...activity, card: rendered.card }
  const mentions = (activity.entities ?? []).map((entity) => ({
    ...entity,
    text: elementsOf('text' in entity ? String(entity.text) : ''),
  }))
  return { ...activity, entities: mentions, text: elementsOf(String(text)) }
}

export function elementsOf(xml: string): unknown {
  const message = `<message>${xml}</message>`
  const valid = XMLValidator.validate(message)
  if (valid !== true) throw new Error(`no XML (${valid.err.msg}): ${xml}`)
  if (!ours.test(xml)) throw new Error(`not only our own XML: ${xml}`)
  return parser.parse(message)
}

/** Mentions whose text does not stand in the message exactly once: Teams ignores them, or marks another's words. */
export function mentionProblems(rendered: Rendered): readonly string[] {
  const { text = '', entities = [] } = activityOf(rendered)
  const tags = entities.map((entity) => ('text' in entity ? String(entity.text) : '?'))
  const times = (part: string): number => String(text).split(part).length - 1
  return [
    ...tags.filter((tag) => times(tag) !== 1).map((tag) => `${tag} stands ${times(tag)} times`),
    ...(times('<at>') === tags.length ? [] : [`${times('<at>')} mentions for ${tags.length} people`]),
  ]
}

export type Kind =
  /** A sentence or a person's name: shown as it was written, as far as it can be. */
  | 'words'
  /** An Azure resource's name: of the alphabet that Azure allows, or a question mark. */
  | 'name'

/** Stand for the words in the twin that they are compared with; one is of Azure's alphabet. */
export const marker = 'Zqx'
export const oddMarker = 'Zqß'

/** What nobody sees, but our own new lines, what joins letters and emoji, and chooses an emoji's look. */
const unseen = /(?!\n|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{DI}\u2028\u2029\u2800]/u
const markdown = /[*_[\]`<>#\\~|]|^\s*(?:[-+]|\d+[.)])\s|^-+$/
const address =
  /^https:\/\/portal\.azure\.com(?:\/#@contoso\.example\/resource\/[\w\-./()%~!*';:@&=+$,?#]*)?$/

/** Letters and digits alone, in one spelling: they neither come nor go, and keep their order. */
export const letters = (text: string): string =>
  text
    .toWellFormed()
    .replace(/\p{DI}/gu, '')
    .normalize('NFD')
    .replace(/[^\p{L}\p{N}]/gu, '')

/** What differs from the twin, other than the words in the marker's place; and words that are not those written. */
export function differences(shown: Shown, twin: Shown, wrote: string, kind: Kind): readonly string[] {
  return compare(shown, twin, 'shown', '')
  function compare(now: unknown, then: unknown, path: string, key: string): readonly string[] {
    if (typeof now === 'string' && typeof then === 'string') return leaf(now, then, path, key)
    if (typeof now !== 'object' || typeof then !== 'object' || now === null || then === null)
      return now === then ? [] : [`${path}: ${String(now)} and not ${String(then)}`]
    const keys = Object.keys(now).join()
    if (keys !== Object.keys(then).join()) return [`${path}: ${keys} and not ${Object.keys(then).join()}`]
    const others: Readonly<Record<string, unknown>> = { ...then }
    return Object.entries(now).flatMap(([inner, value]) =>
      compare(value, others[inner], `${path}.${inner}`, inner),
    )
  }
  function leaf(now: string, then: string, path: string, key: string): readonly string[] {
    const at = (problem: string): readonly string[] => [
      `${path}: ${problem}: ${JSON.stringify(now.slice(0, 200))}`,
    ]
    if (unseen.test(now) || !now.isWellFormed()) return at('holds what nobody sees')
    if (now.split('\n').length !== then.split('\n').length) return at('has other lines')
    if (now.includes('${') || now.includes('{{')) return at('holds what a client evaluates')
    if (key === 'fallbackText' && markdown.test(now)) return at('holds Markdown')
    if (key === 'url' || key === '@_href') return address.test(now) ? [] : at('leads elsewhere')
    const words = between(now, then)
    if (words === undefined) return at(`is not ${JSON.stringify(then)}`)
    const isId = then.includes('/resourceGroups/')
    return words.every((each) => faithful(each, isId)) ? [] : at('says something else')
  }
  function faithful(words: string, isId: boolean): boolean {
    if (kind === 'name' && /^(?:[A-Za-z0-9-]{1,63}|\?)$/.test(words)) return true
    if (kind === 'name' && !isId) return false
    return letters(wrote).includes(letters(words)) && (words !== '' || letters(wrote) === '')
  }
}

/** What stands in the markers' places, the same in each if that can be; the end may have been cut off. */
function between(now: string, then: string): readonly string[] | undefined {
  const parts = then.split(/Zq[xß]/).map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  const [first = '', ...more] = parts
  if (more.length === 0) return now === then ? [] : undefined
  const cut = more.map((_, index) => `${[first, ...more.slice(0, index)].join('([^]*?)')}([^]*)…`)
  const ways = [`${first}([^]*)${more.join('\\1')}`, parts.join('([^]*?)'), ...cut]
  for (const way of ways) {
    const found = new RegExp(`^${way}$`).exec(now)
    if (found) return found.slice(1)
  }
  return undefined
}

/** Texts that clients read as Markdown, and what is not a card as Microsoft's parser and our rules have it. */
export function cardProblems(card: unknown): readonly string[] {
  const bytes = Buffer.byteLength(JSON.stringify(card))
  return [
    ...problemsOf(card),
    ...markdownTexts(card).filter((text) => markdown.test(text)),
    ...(bytes < 28_000 ? [] : [`${bytes} bytes`]),
  ]
}

function markdownTexts(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return []
  const { type, text, fallbackText, title, label }: Readonly<Record<string, unknown>> = { ...node }
  const read = [
    type === 'TextBlock' && text,
    fallbackText,
    String(type).startsWith('Action.') && title,
    label,
  ]
  return [...read.filter((one) => typeof one === 'string'), ...Object.values(node).flatMap(markdownTexts)]
}
