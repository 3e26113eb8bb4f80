/**
 * Text that people read, on its way to Teams. Names, reasons and Azure's messages are other people's words: they
 * are stripped here, and nothing in them is ever read as markup.
 */

/** A sentence with what Teams can show inside it. Strings are plain; `\n` begins a new line. */
export type Run =
  | string
  | { readonly link: string; readonly title: string }
  | { readonly code: string }
  | { readonly strong: string }
export type Prose = string | readonly Run[]

/** Somebody whom a message mentions, by ids; `name` is only what is shown. */
export type Mention = { readonly id: string; readonly name: string; readonly aadObjectId: string }

/**
 * Without control, bidi or invisible characters (joiners and the choice of an emoji's look stay inside words: scripts
 * and emoji need them), without marks that would lie on our own text, and without the openings of `{{DATE()}}` and
 * `${}`, which clients evaluate in any text.
 */
const harmless = (text: string): string =>
  // Almost all that is said, and of what follows nothing else can concern it.
  /^[ -~]*$/.test(text) ? unevaluated(text.replace(/ {2,}/g, ' ')) : unevaluated(visible(text))

const visible = (text: string): string =>
  text
    .toWellFormed()
    .replace(/(?!\s|\u200c|\u200d|\ufe0e|\ufe0f)[\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{DI}]/gu, '')
    .replace(/[\s\p{Cc}\u2800]+/gu, ' ')
    // Where there is no emoji, its look is one more thing that nobody sees.
    .replace(/(?<!\p{Emoji})[\ufe0e\ufe0f]/gu, '')
    .replace(/(^| )[\p{M}\u200c\u200d]+/gu, '$1')
    .replace(/([\u200c\u200d])[\u200c\u200d]+/g, '$1')
    .replace(/[\u200c\u200d](?![\p{L}\p{M}\p{S}])/gu, '')
    .normalize('NFC')
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')

const unevaluated = (text: string): string => text.replace(/\$(?=\{)/g, '$ ').replace(/\{(?=\{)/g, '{ ')

/** Other people's words on one line, harmless, and at most `most` characters. */
export function clean(text: string, most: number): string {
  const line = harmless(text.slice(0, most * 8)).trim()
  const characters = Array.from(line)
  if (characters.length <= most) return line
  return `${characters
    .slice(0, most - 1)
    .join('')
    .trimEnd()}…`
}

/** The same for sentences that may have several lines: what leaves here never holds more than our own lines. */
const lines = (text: string): string => text.split('\n').map(harmless).join('\n')

/** A name in the alphabet that Azure allows for SignalRs, vaults and links: safe even where Markdown is read. */
export const azureName = (name: string): string =>
  name
    .replace(/[^A-Za-z0-9-]/g, '')
    .replace(/^-+/, '')
    .slice(0, 63) || '?'

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

export const mentionTag = (mention: Mention): string => `<at>${escaped(mention.name)}</at>`

const runs = (prose: Prose): readonly Run[] => (typeof prose === 'string' ? [prose] : prose)

/**
 * For `textFormat: 'xml'`. Markdown has no escape that every Teams client honours; XML has, so data cannot become markup.
 */
export function toXml(prose: Prose): string {
  return runs(prose)
    .map((run) => {
      if (typeof run === 'string') return escaped(lines(run)).replace(/\n/g, '<br/>')
      if ('link' in run) return `<a href="${escaped(run.link)}">${escaped(harmless(run.title))}</a>`
      if ('code' in run) return `<code>${escaped(harmless(run.code))}</code>`
      return `<strong>${escaped(harmless(run.strong))}</strong>`
    })
    .join('')
}

/** Without markup, for notifications, for cards' fallbacks, and for answers to a press. */
export function toPlain(prose: Prose): string {
  return runs(prose)
    .map((run) => {
      if (typeof run === 'string') return lines(run)
      if ('link' in run) return harmless(run.title)
      return harmless('code' in run ? run.code : run.strong)
    })
    .join('')
}
