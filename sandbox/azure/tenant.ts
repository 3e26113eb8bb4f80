import type { Directory } from '../entra/directory.ts'
import type { World } from './state.ts'

/** Who of the world can sign in, as Entra ID knows them. */
export const directoryOf = (world: World): Directory => ({
  tenantId: world.tenantId,
  applications: Object.values(world.applications).map(
    ({ appId, objectId, displayName, secret, managedIdentity }) => ({
      name: displayName,
      appId,
      objectId,
      secrets: secret === undefined ? [] : [secret],
      managedIdentity,
    }),
  ),
  people: Object.values(world.people).map(({ displayName, objectId, userPrincipalName, password }) => ({
    name: displayName,
    objectId,
    userPrincipalName,
    password,
  })),
})
