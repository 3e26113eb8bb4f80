/** What a cloud says of itself before anybody has signed in: where its other parts are. */
import { ok, type Reply } from './reply.ts'

const path = '/metadata/endpoints'

/**
 * The answer at `/metadata/endpoints`, or undefined elsewhere. With it `az cloud register` needs one address; the shape
 * before 2019-05-01 is Azure Stack's, which the CLI asks for.
 */
export function cloudMetadata(
  asked: { readonly path: string; readonly origin: string; readonly query: URLSearchParams },
  tenantId: string,
): Reply | undefined {
  if (asked.path !== path) return undefined
  const { origin } = asked
  const loginEndpoint = `${origin}/adfs`
  const audiences = ['https://management.core.windows.net/', 'https://management.azure.com/']
  const portalEndpoint = 'https://portal.azure.com/'
  if ((asked.query.get('api-version') ?? '') < '2019-05-01')
    return ok({
      galleryEndpoint: `${origin}/`,
      graphEndpoint: `${origin}/`,
      portalEndpoint,
      authentication: { loginEndpoint, audiences },
    })
  return ok([
    {
      name: 'VaultlinkSandbox',
      portal: portalEndpoint,
      resourceManager: origin,
      authentication: { loginEndpoint, audiences, tenant: tenantId, identityProvider: 'ADFS' },
      graph: `${origin}/`,
      gallery: `${origin}/`,
      suffixes: { keyVaultDns: 'vault.azure.net', storage: 'core.windows.net' },
    },
  ])
}
