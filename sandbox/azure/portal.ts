import { parseResourceId, resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { settle } from './agenda.ts'
import { refuseLocked } from './locks.ts'
import { moveResource } from './moves.ts'
import {
  addStranger,
  decideConnection,
  deleteLink,
  findLink,
  putLink,
  removeConnection,
} from './privateLinks.ts'
import type { Reply } from './reply.ts'
import { may } from './rights.ts'
import { isReply, member } from './routes.ts'
import { type Connection, connectionsOf, type Decision, type World } from './state.ts'
import { approvalAction } from './vaults.ts'

/** What people do in the Azure portal, behind the bot's back. What Azure would refuse throws. */
export type Portal = {
  /** `by`: the name of a person. `which`: the connection's name, or part of its id or description; unless given, the one that can be decided so. */
  approve(vaultName: string, by: string, which?: string): void
  reject(vaultName: string, by: string, which?: string): void
  removeConnection(vaultName: string, which?: string): void
  deleteLink(signalrName: string, linkName: string): void
  createLink(signalrName: string, vaultName: string, linkName: string, message: string): void
  addConnection(vaultName: string, description: string, status?: Decision): void
  /** Moves a SignalR or vault, at once, to the group of that name in its subscription, or of that id. */
  move(name: string, group: string): void
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

function named<T extends { id: string }>(all: Iterable<T>, name: string): T {
  const [found, ...more] = [...all].filter(({ id }) => same(resourceName(id), name) || same(id, name))
  if (!found) throw new Error(`There is no ${name}`)
  if (more.length > 0) throw new Error(`There are several ${name}; give the resource id`)
  return found
}

const refused = (reply: Reply): Error =>
  new Error(String(member(member(reply.body, 'error'), 'message') ?? `Azure answered ${reply.status}`))

export function createPortal(world: World): Portal {
  function mindLocks(method: 'PUT' | 'DELETE', id: string): void {
    const locked = refuseLocked(world, method, id)
    if (locked) throw refused(locked)
  }

  function pick(vaultName: string, which: string | undefined, may: (one: Connection) => boolean): Connection {
    settle(world)
    const vault = named(world.vaults.values(), vaultName)
    const all = connectionsOf(world, resourceKey(vault.id))
    const wanted = which?.toLowerCase()
    const found = all.filter((one) =>
      wanted === undefined
        ? may(one)
        : one.id.toLowerCase().includes(wanted) || one.description?.toLowerCase().includes(wanted),
    )
    const [only] = found
    if (found.length === 1 && only) return only
    throw new Error(
      `${found.length === 0 ? 'No' : 'More than one'} such connection on ${vaultName}: ${all
        .map((one) => `${resourceName(one.id)} ${one.status} ${one.description ?? ''}`)
        .join('; ')}`,
    )
  }

  function decide(status: Decision, vaultName: string, by: string, which: string | undefined): void {
    const connection = pick(vaultName, which, (one) =>
      status === 'Approved' ? one.status === 'Pending' : one.status !== status,
    )
    const principal = new Map(Object.entries(world.people)).get(by)?.objectId
    if (principal === undefined) throw new Error(`by is one of ${Object.keys(world.people).join(', ')}`)
    if (!may(world, principal, approvalAction, connection.id))
      throw new Error(`${by} may not do ${approvalAction} on ${connection.id}`)
    mindLocks('PUT', connection.id)
    const description = world.settings.portalDescription === 'kept' ? connection.description : undefined
    const reply = decideConnection(world, connection, { status, description }, by)
    if (reply) throw refused(reply)
  }

  return {
    approve: (vaultName, by, which) => decide('Approved', vaultName, by, which),
    reject: (vaultName, by, which) => decide('Rejected', vaultName, by, which),
    removeConnection(vaultName, which) {
      const connection = pick(vaultName, which, () => true)
      mindLocks('DELETE', connection.id)
      removeConnection(world, connection, world.now(), 'portal')
    },
    deleteLink(signalrName, linkName) {
      settle(world)
      const link = findLink(world, signalrName, linkName)
      if (!link) throw new Error(`There is no ${linkName} on ${signalrName}`)
      mindLocks('DELETE', link.id)
      const operation = deleteLink(world, link.id, 'portal')
      if (operation && isReply(operation)) throw refused(operation)
    },
    createLink(signalrName, vaultName, linkName, message) {
      settle(world)
      const signalr = named(world.instances.values(), signalrName)
      const target = named(world.vaults.values(), vaultName).id
      const id = `${signalr.id}/sharedPrivateLinkResources/${linkName}`
      mindLocks('PUT', id)
      const made = putLink(world, id, { groupId: 'vault', target, requestMessage: message }, 'portal')
      if (isReply(made)) throw refused(made)
    },
    addConnection(vaultName, description, status = 'Pending') {
      settle(world)
      addStranger(world, named(world.vaults.values(), vaultName).id, description, status)
    },
    move(name, group) {
      settle(world)
      const { id } = named([...world.instances.values(), ...world.vaults.values()], name)
      const subscription = parseResourceId(id)?.subscription
      const wanted = [group, `/subscriptions/${subscription}/resourceGroups/${group}`]
      const to = [...world.resourceGroups.values()].find((one) => wanted.some((id) => same(one.id, id)))
      if (!to) throw new Error(`There is no group ${group}`)
      mindLocks('PUT', id)
      mindLocks('PUT', to.id)
      moveResource(world, world.now(), id, to.id, 'portal')
    },
  }
}
