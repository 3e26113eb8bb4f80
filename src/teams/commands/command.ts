/** What a command is. The index makes help, the manifest's list and the routing of these. */
import type { Scope, Turn } from '../turn.ts'

export type Command<Parsed> = {
  /** The first word of what is said, and the entry in Teams' own menu. */
  readonly name: string
  readonly title: string
  readonly example: string
  readonly description: string
  readonly scopes: readonly Scope[]
  /** Undefined when the text is not this command's. Never throws. */
  parse(text: string): Parsed | undefined
  run(turn: Turn, parsed: Parsed): Promise<void>
}

export const everywhere: readonly Scope[] = ['personal', 'team', 'groupChat']

/** What follows the command's word, or undefined when the text begins with another. */
export function after(name: string, text: string): string | undefined {
  const [, first = '', rest = ''] = /^\/?(\S+)\s*([\s\S]*)$/.exec(text.trim()) ?? []
  return first.toLowerCase().replace(/[.,;:!?…]+$/u, '') === name ? rest : undefined
}
