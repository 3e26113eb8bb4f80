import { instanceGone, instanceProvisioned } from './instances.ts'
import { moved } from './moves.ts'
import { appears, connectionGone, linkGone, propagates, provisioned, settled } from './privateLinks.ts'
import type { Step, World } from './state.ts'

/** Works off what is due, in order, each step at its own time. */
export function settle(world: World): void {
  const held = (step: Step): boolean => step.kind === 'propagates' && world.settings.propagation === 'never'
  for (;;) {
    const now = world.now()
    const index = world.agenda.findIndex(({ at, step }) => at > now || !held(step))
    const entry = world.agenda[index]
    if (!entry || entry.at > now) return
    world.agenda.splice(index, 1)
    run(world, entry.at, entry.step)
  }
}

function run(world: World, at: number, step: Step): void {
  switch (step.kind) {
    case 'provisioned':
      provisioned(world, at, step)
      break
    case 'appears':
      appears(world, at, step)
      break
    case 'settled':
      settled(world, step)
      break
    case 'propagates':
      propagates(world, at, step)
      break
    case 'linkGone':
      linkGone(world, at, step)
      break
    case 'connectionGone':
      connectionGone(world, at, step)
      break
    case 'instanceProvisioned':
      instanceProvisioned(world, at, step)
      break
    case 'moved':
      moved(world, at, step)
      break
    case 'instanceGone':
      instanceGone(world, at, step)
      break
    default:
      step satisfies never
  }
}
