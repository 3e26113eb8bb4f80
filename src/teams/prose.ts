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
 * Other people's words, made harmless: no control, bidi or invisible characters (joiners stay: scripts and emoji need
 * them), one line, at most `most` characters. Clients evaluate `{{DATE()}}` and templates `${}` in any text, so
 * neither opening survives.
 */
export function clean(text: string, most: number): string {
  const line = text
    .slice(0, most * 8)
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\s\p{Zl}\p{Zp}\p{Cc}]+/gu, ' ')
    .replace(/(?![\u200c\u200d])[\p{Cf}\p{Cs}\p{Co}\p{Cn}\u3164\uffa0\u115f\u1160]/gu, '')
    .replace(/(\p{M}{3})\p{M}+/gu, '$1')
    .replace(/\$(?=\{)/g, '$ ')
    .replace(/\{(?=\{)/g, '{ ')
    .trim()
  const characters = Array.from(line)
  return characters.length <= most
    ? line
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`
}

/** A name in the alphabet that Azure allows for SignalRs, vaults and links: safe even where Markdown is read. */
export const azureName = (name: string): string => name.replace(/[^A-Za-z0-9-]/g, '').slice(0, 63) || '?'

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
      if (typeof run === 'string') return escaped(run).replace(/\n/g, '<br/>')
      if ('link' in run) return `<a href="${escaped(run.link)}">${escaped(run.title)}</a>`
      if ('code' in run) return `<code>${escaped(run.code)}</code>`
      return `<strong>${escaped(run.strong)}</strong>`
    })
    .join('')
}

/** Without markup, for notifications, for cards' fallbacks, and for answers to a press. */
export function toPlain(prose: Prose): string {
  return runs(prose)
    .map((run) => {
      if (typeof run === 'string') return run
      if ('link' in run) return run.title
      return 'code' in run ? run.code : run.strong
    })
    .join('')
}
