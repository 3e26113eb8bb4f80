/** What pressing a button on a card is. Nothing on the card is believed but the link's opaque id. */

import type { DecisionAnswer, Press as Pressed } from '../../engine/ports.ts'
import type { LinkId } from '../../link/link.ts'
import { pairOf, wordRefusal } from '../about.ts'
import { type Fields, textOf } from '../activity.ts'
import { cardShownIn } from '../cardShownIn.ts'
import type { Prose } from '../prose.ts'
import type { Turn } from '../turn.ts'
import type { Press } from '../words/en.ts'

export type Action = {
  readonly verb: string
  /** The ids of the inputs that go with the button; nothing else comes from a card as it was made. */
  readonly inputs: readonly string[]
  /** `data` is the button's data with the card's inputs, as the client sent them. */
  run(turn: Turn, data: Fields): Promise<ActionAnswer>
}

/** The presser alone sees it. `done`: the pressed card asked once and is used up, so that its place shows this instead. */
export type ActionAnswer =
  | { readonly is: 'message'; readonly say: Prose }
  | { readonly is: 'card'; readonly card: unknown }
  | { readonly is: 'done'; readonly say: Prose }
  /** The presser's client is to sign them in and press again. */
  | { readonly is: 'signIn' }
  /** The presser has to agree first that Vaultlink acts for them; `say` is for a client that shows it. */
  | { readonly is: 'consent'; readonly say: Prose }

/** Whether the data can be those of this button: nothing but what was put there, and its inputs. */
export const isAsMade = ({ verb, inputs }: Action, data: Fields): boolean =>
  Object.keys(data).every((key) => key === 'link' || key === 'verb' || inputs.includes(key)) &&
  data.verb === verb

/** What a button wants of a link, and where it was pressed. */
export const pressOf = ({ by, place, card, token }: Turn, link: LinkId): Pressed => ({
  link,
  by,
  conversation: place.conversation,
  ...(token !== undefined && { token }),
  pressed: { ...(card !== undefined && { activity: card }) },
})

/** 32 hex digits, or nothing of ours. */
export const linkIdOf = (data: Fields): LinkId | undefined => {
  const id = textOf(data.link)
  return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined
}

/** An input's text, without the spaces around it; undefined when it was left empty or is not a text. */
export const inputOf = (data: Fields, name: string): string | undefined => {
  const text = textOf(data[name])?.trim()
  return text === '' ? undefined : text
}

/** A button that wants something of an existing link: asks the desk, and words what it answers. */
export const wishAction = (
  verb: Press,
  ask: (turn: Turn, press: Pressed, data: Fields) => Promise<DecisionAnswer>,
  inputs: readonly string[] = [],
): Action => ({
  verb,
  inputs,
  async run(turn, data) {
    const { words } = turn
    const link = linkIdOf(data)
    if (link === undefined) return { is: 'message', say: words.replies.notACardOfMine }
    const answer = await ask(turn, pressOf(turn, link), data)
    switch (answer.is) {
      case 'unknown':
        return { is: 'message', say: words.replies.noSuchLink }
      case 'refused':
        return { is: 'message', say: await wordRefusal(turn, answer.refusal, answer.link, verb) }
      case 'signInNeeded':
        return { is: 'signIn' }
      case 'consentMissing':
        return { is: 'consent', say: words.signIn.consent }
      case 'notTheirs':
        return { is: 'message', say: words.signIn.notYou }
      case 'tokenRefused':
        return { is: 'message', say: words.signIn.refused(answer.code) }
      case 'sent':
        return { is: 'message', say: words.signIn.sent(pairOf(answer.link).vault) }
      case 'granted': {
        const card = await cardShownIn(turn, answer.link)
        return card === undefined ? { is: 'message', say: words.replies.recorded } : { is: 'card', card }
      }
    }
  },
})
