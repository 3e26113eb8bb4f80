import { parseResourceId, resourceName } from '../../src/link/resourceId.ts'
import { plainLocation } from './locations.ts'
import { ok, type Reply, refusal } from './reply.ts'
import { type Call, isReply, member, page, type Route } from './routes.ts'
import type { DeletedVault } from './state.ts'
import { deletedVaults, purgeVault } from './vaultLife.ts'
import { vaultVersions } from './vaults.ts'

/** Microsoft.KeyVault: vaults that were deleted and not yet purged. Managed HSMs there are none, but clients ask. */

const provider = 'Microsoft.KeyVault'

const isIn = ({ vault }: DeletedVault, subscription = ''): boolean =>
  parseResourceId(vault.id)?.subscription.toLowerCase() === subscription.toLowerCase()

export const deletedVaultNotFound = (name: string): Reply =>
  refusal(
    404,
    'DeletedVaultNotFound',
    `The specified deleted vault '${name}' does not exist. Ensure that the vault was indeed deleted and that it is in recoverable state. If soft delete was not enabled then the vault is permanently deleted. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2149745`,
  )

function show({ vault, deletedAt, goneAt }: DeletedVault): unknown {
  const subscription = parseResourceId(vault.id)?.subscription
  const name = resourceName(vault.id)
  return {
    id: `/subscriptions/${subscription}/providers/${provider}/locations/${plainLocation(vault.location)}/deletedVaults/${name}`,
    name,
    type: `${provider}/deletedVaults`,
    properties: {
      vaultId: vault.id,
      location: vault.location,
      tags: vault.tags ?? {},
      deletionDate: new Date(deletedAt).toISOString(),
      scheduledPurgeDate: new Date(goneAt).toISOString(),
      ...(vault.properties?.enablePurgeProtection === true && { purgeProtectionEnabled: true }),
    },
  }
}

const list = (call: Call): Reply =>
  page(
    call,
    deletedVaults(call.world)
      .filter((one) => isIn(one, call.params.subscription))
      .map(show),
    { endsEmpty: call.world.settings.vaultListEnd === 'empty' },
  )

function find(call: Call): DeletedVault | Reply {
  const { subscription, location = '', name = '' } = call.params
  const found = deletedVaults(call.world).find(
    (one) =>
      isIn(one, subscription) &&
      plainLocation(one.vault.location) === plainLocation(location) &&
      resourceName(one.vault.id).toLowerCase() === name.toLowerCase(),
  )
  return found ?? deletedVaultNotFound(name)
}

function get(call: Call): Reply {
  const found = find(call)
  return isReply(found) ? found : ok(show(found))
}

/** `2022-01-18 16:50:32Z`, as recorded. */
const stamp = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')

const operationAddress = (call: Call, operation: string): string =>
  call.address(
    `/subscriptions/${call.params.subscription}/providers/${provider}/locations/${call.params.location}/operationResults/${operation}`,
    { 'api-version': call.apiVersion },
  )

const pollAgain = (call: Call, operation: string): Record<string, string> => ({
  location: operationAddress(call, operation),
  'retry-after': '5',
})

function purge(call: Call): Reply {
  const deleted = find(call)
  if (isReply(deleted)) return deleted
  const goneAt = purgeVault(call.world, deleted, call.principal)
  if (typeof goneAt !== 'number') return goneAt
  const operation = Buffer.from(JSON.stringify({ from: call.world.now(), to: goneAt })).toString('base64url')
  return { status: 202, headers: pollAgain(call, operation) }
}

/** A purge's operation is nothing but its two times, so its opaque name holds them. */
function parseOperation(name: string): { from: number; to: number } | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(name, 'base64url').toString())
  } catch {
    return undefined
  }
  const from = member(parsed, 'from')
  const to = member(parsed, 'to')
  return typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined
}

function operationResult(call: Call): Reply {
  const { operation = '' } = call.params
  const purging = parseOperation(operation)
  if (!purging) return refusal(404, 'NotFound', `The operation '${operation}' was not found.`)
  const createdDateTime = stamp(purging.from)
  return call.world.now() < purging.to
    ? {
        status: 202,
        body: { createdDateTime, status: 'NotStarted' },
        headers: pollAgain(call, operation),
      }
    : ok({ createdDateTime, lastActionDateTime: stamp(purging.to), status: 'Succeeded' })
}

const none = (call: Call): Reply => page(call, [])

const root = `/subscriptions/{subscription}/providers/${provider}`
const inGroup = `/subscriptions/{subscription}/resourceGroups/{group}/providers/${provider}`
const one = `${root}/locations/{location}/deletedVaults/{name}`
const action = (what: string): string => `${provider}/${what}`

const routes: readonly Omit<Route, 'versions'>[] = [
  { method: 'GET', path: `${root}/deletedVaults`, action: action('deletedVaults/read'), handle: list },
  { method: 'GET', path: one, action: action('locations/deletedVaults/read'), handle: get },
  {
    method: 'POST',
    path: `${one}/purge`,
    action: action('locations/deletedVaults/purge/action'),
    handle: purge,
  },
  {
    method: 'GET',
    path: `${root}/locations/{location}/operationResults/{operation}`,
    action: action('locations/operationResults/read'),
    handle: operationResult,
  },
  { method: 'GET', path: `${root}/managedHSMs`, action: action('managedHSMs/read'), handle: none },
  { method: 'GET', path: `${inGroup}/managedHSMs`, action: action('managedHSMs/read'), handle: none },
  {
    method: 'GET',
    path: `${root}/deletedManagedHSMs`,
    action: action('deletedManagedHsms/read'),
    handle: none,
  },
]

/** The first version with that type: as ARM lists it for deleted vaults, by the OpenAPI files for HSMs. */
const since = (path: string): string => (/HSMs$/.test(path) ? '2020-04-01-preview' : '2016-10-01')

export const deletedVaultRoutes: readonly Route[] = routes.map((route) => ({
  ...route,
  versions: vaultVersions.filter((version) => version >= since(route.path)),
}))
