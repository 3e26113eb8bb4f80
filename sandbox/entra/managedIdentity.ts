/** Where an application on App Service or Container Apps gets the token of its managed identity: `IDENTITY_ENDPOINT`. */
import { type Directory, equal, isResource } from './directory.ts'
import { applicationToken, type Reply } from './grants.ts'

const refuse = (status: number, message: string): Reply => ({ status, body: { statusCode: status, message } })

/** `header` is the secret that the platform gives to the process as `IDENTITY_HEADER`. */
export async function managedIdentityToken(
  directory: Directory,
  query: URLSearchParams,
  given: string | undefined,
  header: string,
): Promise<Reply> {
  if (given === undefined || !equal(given, header))
    return refuse(401, 'The X-IDENTITY-HEADER is missing or wrong.')
  if (query.get('api-version') !== '2019-08-01') return refuse(400, 'The api-version is 2019-08-01.')
  const identities = directory.applications.filter((one) => one.managedIdentity)
  // By its resource id none is found: there are none here.
  const [wanted = null] = ['client_id', 'principal_id', 'object_id', 'mi_res_id'].flatMap(
    (name) => query.get(name) ?? [],
  )
  const found = identities.filter((one) => wanted === null || [one.appId, one.objectId].includes(wanted))
  const [identity] = found
  if (!identity || found.length > 1)
    return refuse(
      400,
      'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
    )
  const resource = query.get('resource') ?? ''
  if (!isResource(directory, resource))
    return refuse(400, `AADSTS500011: The resource principal named ${resource} was not found.`)
  return {
    status: 200,
    body: {
      access_token: await applicationToken(directory, identity, resource),
      client_id: identity.appId,
      expires_on: String(Math.floor(Date.now() / 1000) + 3_599),
      resource,
      token_type: 'Bearer',
    },
  }
}
