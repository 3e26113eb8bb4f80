import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { busy, dropLink, effect, startOperation } from './privateLinks.ts'
import { badRequest, type Reply, refusal } from './reply.ts'
import { kindOf } from './signalrShape.ts'
import { type Instance, later, linksOf, type Operation, type Step, type World } from './state.ts'

/** What creating, changing and deleting an instance of SignalR or Web PubSub sets going. */

export type InstanceWish = Pick<Instance, 'location' | 'sku' | 'capacity' | 'tags' | 'properties'>

const namePattern = /^[a-zA-Z][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$/

export function createInstance(
  world: World,
  id: string,
  wish: InstanceWish,
  by: string,
): { instance: Instance; operation: Operation } | Reply {
  if (!namePattern.test(resourceName(id)))
    return badRequest(`Resource name '${resourceName(id)}' is invalid.`, 'InvalidResourceName')
  const taken = [...world.instances.values()].some(
    (one) =>
      kindOf(one.id) === kindOf(id) && resourceName(one.id).toLowerCase() === resourceName(id).toLowerCase(),
  )
  if (taken)
    return badRequest(
      `Leaf domain ${resourceName(id)} is already in use. Please use a different resource name.`,
      'BadArgument',
    )
  const now = world.now()
  const instance: Instance = {
    ...wish,
    id,
    replicas: [],
    provisioningState: 'Creating',
    history: { createdAt: now, createdBy: by, changedAt: now, changedBy: by },
  }
  world.instances.set(resourceKey(id), instance)
  effect(world, now, 'instanceCreated', id, by)
  return { instance, operation: provision(world, instance) }
}

/** Gives the instance what the wish names; the rest stays. */
export function updateInstance(
  world: World,
  instance: Instance,
  wish: Partial<InstanceWish>,
  by: string,
): Operation | Reply {
  const { location, ...changes } = wish
  if (location !== undefined && location !== instance.location)
    return refusal(
      409,
      'InvalidResourceLocation',
      `The resource '${resourceName(instance.id)}' already exists in location '${instance.location}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
    )
  const conflict = busy(world, instance)
  if (conflict) return conflict
  const now = world.now()
  const { createdAt = now, createdBy = by } = instance.history ?? {}
  Object.assign(instance, changes)
  instance.provisioningState = 'Updating'
  instance.history = { createdAt, createdBy, changedAt: now, changedBy: by }
  effect(world, now, 'instanceUpdated', instance.id, by)
  return provision(world, instance)
}

function provision(world: World, instance: Instance): Operation {
  const operation = startOperation(world, instance, 'put')
  later(world, world.now() + world.settings.instanceMs, {
    kind: 'instanceProvisioned',
    instance: resourceKey(instance.id),
    operation: operation.id,
  })
  return operation
}

/** Deletes the instance; an operation only where deleting goes on after the answer. */
export function deleteInstance(world: World, instance: Instance, by: string): Operation | Reply | undefined {
  const conflict = busy(world, instance)
  if (conflict) return conflict
  if (world.settings.deletedInstance === 'atOnce') {
    drop(world, instance, world.now(), by)
    return undefined
  }
  const now = world.now()
  const { createdAt = now, createdBy = by } = instance.history ?? {}
  instance.provisioningState = 'Deleting'
  instance.history = { createdAt, createdBy, changedAt: now, changedBy: by }
  const operation = startOperation(world, instance, 'delete')
  later(world, now + world.settings.deletingMs, {
    kind: 'instanceGone',
    instance: resourceKey(instance.id),
    operation: operation.id,
  })
  return operation
}

export function instanceProvisioned(
  world: World,
  at: number,
  step: Extract<Step, { kind: 'instanceProvisioned' }>,
): void {
  const instance = world.instances.get(step.instance)
  const operation = world.operations.get(step.operation)
  if (!instance || !operation) return
  operation.status = world.settings.operationOutcome
  operation.endedAt = at
  instance.provisioningState = operation.status
}

export function instanceGone(world: World, at: number, step: Extract<Step, { kind: 'instanceGone' }>): void {
  const instance = world.instances.get(step.instance)
  const operation = world.operations.get(step.operation)
  if (!instance || !operation) return
  operation.status = world.settings.deletionOutcome
  operation.endedAt = at
  if (operation.status !== 'Succeeded') {
    instance.provisioningState = operation.status
    return
  }
  drop(world, instance, at, instance.history?.changedBy ?? 'Azure')
}

/** The instance is gone, its links with it; their connections follow as those of any deleted link. */
function drop(world: World, instance: Instance, at: number, by: string): void {
  const key = resourceKey(instance.id)
  for (const link of linksOf(world, key)) dropLink(world, link, at, by)
  world.instances.delete(key)
  effect(world, at, 'instanceDeleted', instance.id, by)
}
