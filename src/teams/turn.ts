/** One turn: who speaks, where, and what an answer needs. Everything in it outlives the adapter's own context. */
import type { Link, Place } from '../link/link.ts'
import type { UsualTimes } from '../link/views.ts'
import type { Desk, Person } from '../engine/ports.ts'
import type { Prose } from './prose.ts'
import type { Words } from './words/en.ts'

/** Where a command can be said, in the manifest's words. */
export type Scope = 'personal' | 'team' | 'groupChat'

export type Turn = {
  readonly by: Person
  /** The thread or chat in which it was said. */
  readonly place: Place
  readonly scope: Scope
  /** In a team: its id, and its channel's. */
  readonly team?: string
  readonly channel?: string
  readonly desk: Desk
  readonly words: Words
  readonly usual: UsualTimes
  /** How times and portal links are written. */
  readonly options: RenderOptions
  /** Answers in the conversation, for all who are in it. */
  say(prose: Prose): Promise<void>
  show(rendered: { readonly card: unknown; readonly summary: string }): Promise<void>
}
export type RenderOptions = {
  readonly tenantId?: string
  readonly portal?: string
  readonly timeZone?: string
}

/** Whether something of this link was said or posted in exactly this conversation. */
export const isTalkedAboutIn = (link: Link, conversation: string): boolean =>
  link.asked.thread.conversation === conversation ||
  Object.values(link.told).some((told) => {
    const standing = told?.is === 'posted' ? told : told?.standing
    return standing?.conversation === conversation
  })
