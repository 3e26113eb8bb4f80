import { parseResourceId, resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { plainLocation } from './locations.ts'
import { effect, removeConnection, vaultConflict } from './privateLinks.ts'
import { badRequest, type Reply, refusal } from './reply.ts'
import { connectionsOf, type DeletedVault, type Vault, type World } from './state.ts'

/** What creating, changing, deleting, recovering and purging a vault do; its name stays taken until it is purged. */

export type VaultWish = {
  location: string
  tags: Record<string, string>
  properties: Readonly<Record<string, unknown>>
}

const day = 24 * 3_600_000

/** The deleted vaults that can still be recovered. */
export const deletedVaults = (world: World): DeletedVault[] =>
  [...world.deletedVaults.values()].filter(({ goneAt }) => world.now() < goneAt)

const sameName = (a: { id: string }, id: string): boolean =>
  resourceName(a.id).toLowerCase() === resourceName(id).toLowerCase()

function refuseName(world: World, id: string): Reply | undefined {
  const name = resourceName(id)
  if (!/^(?=.{3,24}$)[a-zA-Z](?:-?[a-zA-Z0-9])*$/.test(name))
    return badRequest(
      `The vault name '${name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens.`,
      'VaultNameNotValid',
    )
  if (deletedVaults(world).some(({ vault }) => sameName(vault, id)))
    return refusal(
      409,
      'ConflictError',
      'A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.',
    )
  if ([...world.vaults.values()].some((vault) => sameName(vault, id)))
    return refusal(409, 'VaultAlreadyExists', `The vault name '${name}' is already in use.`)
  return undefined
}

/** Creates the vault or gives it all that the wish names; the connections on it stay. */
export function putVault(world: World, id: string, wish: VaultWish, by: string): Vault | Reply {
  const before = world.vaults.get(resourceKey(id))
  const refused = before ? vaultConflict(world, before) : refuseName(world, id)
  if (refused) return refused
  if (before && plainLocation(before.location) !== plainLocation(wish.location))
    return refusal(
      409,
      'InvalidResourceLocation',
      `The resource '${resourceName(id)}' already exists in location '${before.location}' in resource group '${parseResourceId(before.id)?.resourceGroup}'. A resource with the same name cannot be created in location '${wish.location}'. Please select a new resource name.`,
    )
  const { location, tags, properties } = wish
  const isProtected = before?.properties?.enablePurgeProtection === true
  const isPublic = properties.publicNetworkAccess !== 'Disabled'
  const vault: Vault = {
    id: before?.id ?? id,
    location: before?.location ?? location,
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled',
    tags,
    // Documented: once protected from purging, it stays so.
    properties: { ...properties, ...(isProtected && { enablePurgeProtection: true }) },
    namedAt: before ? before.namedAt : world.now() + world.settings.registeringDnsMs,
  }
  world.vaults.set(resourceKey(id), vault)
  effect(world, world.now(), before ? 'vaultUpdated' : 'vaultCreated', vault.id, by)
  return vault
}

/** Takes the vault away, to be recovered or purged; its connections are gone for good. */
export function deleteVault(world: World, vault: Vault, by: string): Reply | undefined {
  const conflict = vaultConflict(world, vault)
  if (conflict) return conflict
  const key = resourceKey(vault.id)
  const now = world.now()
  world.vaults.delete(key)
  world.deletedVaults.set(key, { vault, deletedAt: now, goneAt: now + retentionDays(vault) * day })
  effect(world, now, 'vaultDeleted', vault.id, by)
  for (const connection of connectionsOf(world, key)) removeConnection(world, connection, now, 'Azure')
  return undefined
}

function retentionDays({ properties = {} }: Vault): number {
  const days = Number(properties.softDeleteRetentionInDays ?? 90)
  return days >= 7 && days <= 90 ? days : 90
}

/** Brings a deleted vault back as it was, with the tags of the wish. */
export function recoverVault(
  world: World,
  id: string,
  tags: Record<string, string>,
  by: string,
): Vault | undefined {
  const key = resourceKey(id)
  const deleted = deletedVaults(world).find(({ vault }) => resourceKey(vault.id) === key)
  if (!deleted) return undefined
  const vault: Vault = { ...deleted.vault, tags }
  world.deletedVaults.delete(key)
  world.vaults.set(key, vault)
  effect(world, world.now(), 'vaultRecovered', vault.id, by)
  return vault
}

/** Begins to purge the vault, unless it is protected from that; answers when that will be done. */
export function purgeVault(world: World, deleted: DeletedVault, by: string): number | Reply {
  if (deleted.vault.properties?.enablePurgeProtection === true)
    return refusal(405, 'MethodNotAllowed', "Operation 'DeletedVaultPurge' is not allowed.")
  const goneAt = Math.min(deleted.goneAt, world.now() + world.settings.purgingMs)
  world.deletedVaults.set(resourceKey(deleted.vault.id), { ...deleted, goneAt })
  effect(world, world.now(), 'vaultPurged', deleted.vault.id, by)
  return goneAt
}
