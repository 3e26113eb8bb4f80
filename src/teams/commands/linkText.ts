/** Reads `link <signalr> to <vault> [as <name>] [because <reason>]`, and the pairs that other commands take. */
import { resourceText, unquoted, type Word, words } from '../typedText.ts'

export const longestReason = 100

export type LinkText =
  | {
      readonly is: 'whole'
      readonly signalr: string
      readonly vault: string
      readonly as?: string
      readonly reason?: string
    }
  /** Something is missing: a form asks for it, filled with what is known. */
  | {
      readonly is: 'partial'
      readonly signalr?: string
      readonly vault?: string
      readonly as?: string
      readonly reason?: string
    }
  | { readonly is: 'reasonTooLong'; readonly length: number }
  | { readonly is: 'tooMany'; readonly word: string }

const isArrow = (word: Word): boolean => !word.quoted && /^(to|from|->|→|=>)$/i.test(word.text)
const is = (word: Word, keyword: string): boolean => !word.quoted && word.text.toLowerCase() === keyword

/** `rest` is what follows the word `link`. */
export function parseLink(rest: string): LinkText {
  const all = words(rest)
  const because = all.findIndex((word) => is(word, 'because'))
  const head = because < 0 ? all : all.slice(0, because)
  const reason = unquoted(because < 0 ? '' : rest.slice(all[because]?.end))
  if (reason.length > longestReason) return { is: 'reasonTooLong', length: reason.length }

  // The name comes last: a SignalR or vault called `as` keeps its own word.
  const as = head.findLastIndex((word, index) => is(word, 'as') && index > 0)
  const pair = as < 0 ? head : head.slice(0, as)
  const named = as < 0 ? [] : head.slice(as + 1)
  const { signalr, vault, extra } = parsePair(pair)
  const tooMany = extra ?? named[1]?.text
  if (tooMany !== undefined) return { is: 'tooMany', word: tooMany.slice(0, 60) }
  const known = {
    ...(signalr && { signalr }),
    ...(vault && { vault }),
    ...(named[0]?.text && { as: named[0].text }),
    ...(reason && { reason }),
  }
  if (signalr && vault && pair.some(isArrow) && (as < 0 || named[0]?.text))
    return { is: 'whole', ...known, signalr, vault }
  return { is: 'partial', ...known }
}

export type Pair = { readonly signalr?: string; readonly vault?: string; readonly extra?: string }

/** `<signalr> to <vault>` (`from`, when unlinking), either of them alone, or nothing. A lone word before no `to` is the SignalR's. */
export function parsePair(text: string | readonly Word[]): Pair {
  const all = typeof text === 'string' ? words(text) : text
  // The first place where `to` can stand between two names; a thing called `to` is quoted.
  const to = all.findIndex(isArrow)
  const before = to < 0 ? all.slice(0, 1) : all.slice(0, to)
  const after = to < 0 ? all.slice(1) : all.slice(to + 1)
  const extra = (before[1] ?? after[1])?.text
  const signalr = name(before[0])
  const vault = name(after[0])
  return { ...(signalr && { signalr }), ...(vault && { vault }), ...(extra !== undefined && { extra }) }
}

const name = (word: Word | undefined): string => resourceText(word?.text ?? '')
