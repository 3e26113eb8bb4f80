/** One turn: who speaks, where, and what an answer needs. Everything in it outlives the adapter's own context. */

import type { Desk, Person } from '../engine/ports.ts'
import type { Link, Place } from '../link/link.ts'
import { standingOf } from '../link/places.ts'
import type { UsualTimes } from '../link/views.ts'
import type { Drawing, Rendered } from './cards.ts'
import type { Prose } from './prose.ts'
import type { Words } from './words/en.ts'

/** Where a command can be said, in the manifest's words. */
export type Scope = 'personal' | 'team' | 'groupChat'

export type Turn = {
  readonly by: Person
  /** With which their client signed them in, when it was asked to; passed on, never kept. */
  readonly token?: string
  /** The thread or chat in which it was said. */
  readonly place: Place
  readonly scope: Scope
  /** The team's id, in a team. */
  readonly team?: string
  /** The channel's conversation, or the chat's: what threads hang on. */
  readonly channel: string
  /** The message whose button was pressed, where Teams names it. */
  readonly card?: string
  readonly desk: Desk
  readonly words: Words
  readonly usual: UsualTimes
  /** How times and portal links are written. */
  readonly drawing: Drawing
  /** Answers in the conversation, for all who are in it. */
  say(prose: Prose): Promise<void>
  show(rendered: Rendered): Promise<void>
}

/** Whether something of this link was said or posted in exactly this conversation. */
export const isTalkedAboutIn = (link: Link, conversation: string): boolean =>
  link.asked.thread.conversation === conversation ||
  Object.values(link.told).some((told) => standingOf(told)?.conversation === conversation)
