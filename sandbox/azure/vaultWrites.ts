import { resourceKey, resourceName } from '../../src/link/resourceId.ts'
import { deletedVaultNotFound } from './deletedVaults.ts'
import { badRequest, groupNotFound, ok, type Reply } from './reply.ts'
import { type Call, groupOf, isReply, member, type Route } from './routes.ts'
import { deleteVault, putVault, recoverVault, type VaultWish } from './vaultLife.ts'
import { showVault, vaultPath, vaultType, vaultVersions } from './vaults.ts'

/** Microsoft.KeyVault: vaults made, changed, recovered and deleted. */

/** What of a vault's properties is the caller's; the rest is the service's own. */
const settable = [
  'accessPolicies',
  'enabledForDeployment',
  'enabledForDiskEncryption',
  'enabledForTemplateDeployment',
  'enablePurgeProtection',
  'enableRbacAuthorization',
  'enableSoftDelete',
  'networkAcls',
  'publicNetworkAccess',
  'sku',
  'softDeleteRetentionInDays',
  'tenantId',
]

function tagsOf(body: unknown): Record<string, string> {
  const tags: object = Object(member(body, 'tags') ?? {})
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, String(value)]))
}

function parseWish(body: unknown): VaultWish | Reply {
  const location = member(body, 'location')
  const properties = member(body, 'properties')
  if (typeof location !== 'string' || location === '')
    return badRequest('The location property is required for this definition.', 'LocationRequired')
  for (const name of ['sku', 'tenantId'])
    if (member(properties, name) === undefined) return badRequest(`properties.${name} is required.`)
  const given = settable
    .map((name) => [name, member(properties, name)] as const)
    .filter(([, value]) => value !== undefined && value !== null)
  return { location, tags: tagsOf(body), properties: Object.fromEntries(given) }
}

/** The vault's id as the path has it, or that there is no such group. */
function idOf({ world, params }: Call): string | Reply {
  const { subscription = '', group = '', name } = params
  return groupOf(world, subscription, group)
    ? `/subscriptions/${subscription}/resourceGroups/${group}/providers/${vaultType}/${name}`
    : groupNotFound(group)
}

function put(call: Call): Reply {
  const { world, body, principal } = call
  const id = idOf(call)
  if (typeof id !== 'string') return id
  const wish = parseWish(body)
  if (isReply(wish)) return wish
  if (member(member(body, 'properties'), 'createMode') === 'recover') {
    const recovered = recoverVault(world, id, wish.tags, principal)
    return recovered ? ok(showVault(world, recovered)) : deletedVaultNotFound(resourceName(id))
  }
  const vault = putVault(world, id, wish, principal)
  return isReply(vault) ? vault : ok(showVault(world, vault))
}

function remove(call: Call): Reply {
  const { world, principal } = call
  const id = idOf(call)
  if (typeof id !== 'string') return id
  const vault = world.vaults.get(resourceKey(id))
  return vault ? (deleteVault(world, vault, principal) ?? { status: 200 }) : { status: 204 }
}

export const vaultWriteRoutes: readonly Route[] = [
  { method: 'PUT', path: vaultPath, action: `${vaultType}/write`, versions: vaultVersions, handle: put },
  {
    method: 'DELETE',
    path: vaultPath,
    action: `${vaultType}/delete`,
    versions: vaultVersions,
    handle: remove,
  },
]
