import { randomUUID } from 'node:crypto'
import { isWithin, resourceKey } from '../../src/link/resourceId.ts'
import { busy, effect, vaultConflict } from './privateLinks.ts'
import type { Reply } from './reply.ts'
import { later, type Move, type Step, type World } from './state.ts'

/** What moving resources to another group does: they and all below them have new ids, and the old ones name nothing. */

/** Begins to move the resources, or only to look whether they could be. */
export function beginMove(
  world: World,
  wish: Pick<Move, 'resources' | 'from' | 'to' | 'validateOnly'>,
  by: string,
): Move {
  const move: Move = { ...wish, id: randomUUID(), by, problem: refusedByProvider(world, wish.resources) }
  world.moves.set(move.id, move)
  later(world, world.now() + world.settings.movingMs, { kind: 'moved', move: move.id })
  return move
}

/** Documented: nothing moves while a resource is not provisioned, or being written. */
function refusedByProvider(world: World, resources: readonly string[]): Reply | undefined {
  const writing = resources.filter((id) => {
    const instance = world.instances.get(resourceKey(id))
    return instance ? busy(world, instance) : vaultConflict(world, { id })
  })
  if (writing.length === 0) return undefined
  const why = (code: string, message: string): { code: string; message: string } => ({ code, message })
  return {
    status: 409,
    body: {
      error: {
        ...why(
          'ResourceMoveProviderValidationFailed',
          'Resource move validation failed. Please see details.',
        ),
        details: writing.map((target) => ({
          target,
          ...why(
            'MoveCannotProceedWithResourcesNotInSucceededState',
            'The move cannot proceed while resources are not in the succeeded state.',
          ),
          details: [
            { target, ...why('ResourceNotProvisioned', `The resource '${target}' is not provisioned.`) },
          ],
        })),
      },
    },
  }
}

export function moved(world: World, at: number, step: Extract<Step, { kind: 'moved' }>): void {
  const move = world.moves.get(step.move)
  if (!move) return
  world.moves.set(move.id, { ...move, endedAt: at })
  if (move.problem || move.validateOnly) return
  for (const id of move.resources) moveResource(world, at, id, move.to, move.by)
}

/** Gives the resource and its children their new ids, wherever the world knows them by the old ones. */
export function moveResource(world: World, at: number, from: string, group: string, by: string): void {
  const to = `${group}${from.slice(from.search(/\/providers\//i))}`
  const renamed = (text: string): string => {
    if (!isWithin(from, text)) return text
    // Keys are ids in small letters.
    return (text === text.toLowerCase() ? to.toLowerCase() : to) + text.slice(from.length)
  }
  const within = <T>(value: T): T => renamedIn(value, renamed)
  const rekey = <T>(all: Map<string, T>, rename: (value: T) => T = within): void => {
    const entries = [...all].map(([key, value]) => [renamed(key), rename(value)] as const)
    all.clear()
    for (const [key, value] of entries) all.set(key, value)
  }
  rekey(world.instances)
  rekey(world.vaults)
  rekey(world.connections)
  rekey(world.operations)
  rekey(world.locks)
  rekey(world.links, (link) =>
    world.settings.movedTarget === 'kept' ? { ...within(link), target: link.target } : within(link),
  )
  for (const [index, { at, step }] of world.agenda.entries()) world.agenda[index] = { at, step: within(step) }
  effect(world, at, 'resourceMoved', to, by)
}

function renamedIn<T>(value: T, renamed: (text: string) => string): T {
  if (typeof value === 'string') return renamed(value) as T
  if (Array.isArray(value)) return value.map((one) => renamedIn(one, renamed)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, renamedIn(inner, renamed)]),
  ) as T
}
