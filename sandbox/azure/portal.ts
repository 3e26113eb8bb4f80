import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { type PersonKey, people } from '../seed.ts'
import {
  addStranger,
  decideConnection,
  deleteLink,
  findLink,
  type Likeness,
  putLink,
  removeConnection,
  settle,
} from './privateLinks.ts'
import type { Reply } from './reply.ts'
import { may } from './rights.ts'
import { isReply, member } from './routes.ts'
import { type Connection, connectionsOf, type Decision, type World } from './state.ts'
import { approvalAction } from './vaults.ts'

/** What people do in the Azure portal, behind the bot's back. What Azure would refuse throws. */
export type Portal = {
  /** `which`: the connection's name, or part of its id or description; unless given, the one that can be decided so. */
  approve(vaultName: string, by: PersonKey, which?: string): void
  reject(vaultName: string, by: PersonKey, which?: string): void
  removeConnection(vaultName: string, which?: string): void
  deleteLink(signalrName: string, linkName: string): void
  createLink(signalrName: string, vaultName: string, linkName: string, message: string): void
  /** Sets a tag on a vault; without a value it takes it away. */
  tag(vaultName: string, name: string, value?: string): void
  /** `like`: the name that it bears on the vault, free until then, and the private endpoint behind it. */
  addConnection(vaultName: string, description: string, status?: Decision, like?: Likeness): void
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

  function decide(status: Decision, vaultName: string, by: PersonKey, which: string | undefined): void {
    const connection = pick(vaultName, which, (one) =>
      status === 'Approved' ? one.status === 'Pending' : one.status !== status,
    )
    const principal = people[by].objectId
    if (!may(world, principal, approvalAction, connection.id))
      throw new Error(`${by} may not do ${approvalAction} on ${connection.id}`)
    const description = world.settings.portalDescription === 'kept' ? connection.description : undefined
    const reply = decideConnection(world, connection, { status, description }, by)
    if (reply) throw refused(reply)
  }

  return {
    approve: (vaultName, by, which) => decide('Approved', vaultName, by, which),
    reject: (vaultName, by, which) => decide('Rejected', vaultName, by, which),
    removeConnection(vaultName, which) {
      removeConnection(
        world,
        pick(vaultName, which, () => true),
        world.now(),
        'portal',
      )
    },
    deleteLink(signalrName, linkName) {
      settle(world)
      const link = findLink(world, signalrName, linkName)
      if (!link) throw new Error(`There is no ${linkName} on ${signalrName}`)
      const operation = deleteLink(world, link.id, 'portal')
      if (operation && isReply(operation)) throw refused(operation)
    },
    createLink(signalrName, vaultName, linkName, message) {
      settle(world)
      const signalr = named(world.signalrs.values(), signalrName)
      const target = named(world.vaults.values(), vaultName).id
      const id = `${signalr.id}/sharedPrivateLinkResources/${linkName}`
      const made = putLink(world, id, { groupId: 'vault', target, requestMessage: message }, 'portal')
      if (isReply(made)) throw refused(made)
    },
    tag(vaultName, name, value) {
      const vault = named(world.vaults.values(), vaultName)
      const { [name]: _before, ...tags } = vault.tags ?? {}
      const tagged = { ...vault, tags: value === undefined ? tags : { ...tags, [name]: value } }
      world.vaults.set(resourceKey(vault.id), tagged)
    },
    addConnection(vaultName, description, status = 'Pending', like = {}) {
      settle(world)
      addStranger(world, named(world.vaults.values(), vaultName).id, description, status, like)
    },
  }
}
