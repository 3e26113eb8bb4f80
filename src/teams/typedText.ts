/** What people type, made even: odd spaces, quotes from phones, characters that nobody sees. */

const longest = 2000

/** Spaces of every kind become one, invisible and control characters go; undefined when it is too long to be a command. */
export function evened(text: string): string | undefined {
  if (text.length > longest) return undefined
  return (
    text
      .replace(/&nbsp;/gi, ' ')
      .replace(/&quot;/gi, '"')
      .replace(/&#39;|&apos;/gi, "'")
      .replace(/&lt;/gi, '<')
      .replace(/&gt;/gi, '>')
      .replace(/&amp;/gi, '&')
      .replace(/[\s\p{Z}]+/gu, ' ')
      // Controls, bidirectional marks, lone surrogates and all that nobody sees; an emoji's look stays.
      .replace(/(?!\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{DI}]/gu, '')
      .trim()
  )
}

export type Word = {
  readonly text: string
  readonly quoted: boolean
  readonly start: number
  readonly end: number
}

const word = /"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»|‘([^’]*)’|'([^']*)'|`([^`]*)`|(\S+)/gu

/** Splits at spaces, keeping what stands in quotes together; loose words lose the punctuation of a sentence. */
export function words(text: string): readonly Word[] {
  const all = [...text.matchAll(word)].map((match) => {
    const quoted = match.slice(1, 8).find((group) => group !== undefined)
    const loose = (match[8] ?? '').replace(/[.,;:!?…]+$/u, '')
    const start = match.index
    return {
      text: (quoted ?? loose).trim(),
      quoted: quoted !== undefined,
      start,
      end: start + match[0].length,
    }
  })
  return all.filter(({ text, quoted }) => text !== '' || quoted)
}

/** Without one pair of quotes around the whole. */
export const unquoted = (text: string): string =>
  text
    .trim()
    .replace(
      /^(?:"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»|‘([^’]*)’|'([^']*)'|`([^`]*)`)$/u,
      '$1$2$3$4$5$6$7',
    )
    .trim()

/** An id of ours is shorter than this; what is longer is not sent anywhere. */
const longestId = 400

/** A resource's name or id, also when it was copied from the portal's address bar; at most 400 UTF-16 units. */
export function resourceText(text: string): string {
  const inPortal = /(\/subscriptions\/[^?#\s]+)/i.exec(text)
  if (!inPortal?.[1] || !/^https?:/i.test(text)) return shortened(text)
  // The portal's addresses go on after the resource: …/contoso-kv/overview.
  const id = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+/i.exec(
    inPortal[1],
  )
  return shortened(id?.[0] ?? text)
}

/** Half a pair at the cut would be no character at all. */
const shortened = (text: string): string => text.slice(0, longestId).replace(/[\uD800-\uDBFF]$/, '')
