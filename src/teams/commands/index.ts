/** All commands. A command is one file and one line here. */
import type { Turn } from '../turn.ts'
import { unique } from '../unique.ts'
import { cancel } from './cancel.ts'
import type { Command } from './command.ts'
import { disown } from './disown.ts'
import { isGreeting } from './greeting.ts'
import { helpOf } from './help.ts'
import { link } from './link.ts'
import { list } from './list.ts'
import { nearest } from './nearest.ts'
import { own } from './own.ts'
import { status } from './status.ts'
import { unlink } from './unlink.ts'

const tasks: readonly Command<unknown>[] = [link, status, list, cancel, unlink, own, disown]
const help = helpOf(tasks)

/** In the order in which help and Teams' menu show them. */
export const commands: readonly Command<unknown>[] = unique('name', [...tasks, help])

export type Understood =
  | { readonly is: 'command'; readonly name: string; run(turn: Turn): Promise<void> }
  /** `near`: the command that was probably meant. */
  | { readonly is: 'unknown'; readonly near: string | undefined }

/** What an evened text asks for. Never throws. */
export function understand(text: string): Understood {
  const said = isGreeting(text) ? help.name : text
  for (const command of commands) {
    const parsed = command.parse(said)
    if (parsed !== undefined)
      return { is: 'command', name: command.name, run: (turn) => command.run(turn, parsed) }
  }
  return {
    is: 'unknown',
    near: nearest(
      text,
      commands.map(({ name }) => name),
    ),
  }
}
