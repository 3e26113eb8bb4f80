import { locations } from './locations.ts'
import { isRegistrationFree, registrationOf, setRegistration } from './registration.ts'
import { notAllowed, ok, type Reply, refusal } from './reply.ts'
import { resourcesVersions } from './resourcesVersions.ts'
import { typesOf } from './resourceTypes.ts'
import { may } from './rights.ts'
import { type Call, page, type Route } from './routes.ts'
import { kinds, typeOf } from './signalrShape.ts'
import { vaultType } from './vaults.ts'

/** Microsoft.Resources: which resource providers there are, what they serve, and whether a subscription may use them. */

/** What can be moved and tagged. */
const tracked =
  'CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation'
const capabilities = new Map([vaultType, ...kinds.map(typeOf)].map((type) => [type, tracked]))

const invalidNamespace = (namespace: string): Reply =>
  refusal(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`)

/** The routes of the providers themselves: what they say is read off the routes that are served. */
export function providerRoutes(served: readonly Route[]): readonly Route[] {
  const readAction = 'Microsoft.Resources/subscriptions/providers/read'

  function show(call: Call, namespace: string): unknown {
    const { subscription } = call.params
    const types = all.filter((one) => one.namespace === namespace)
    return {
      id: `${subscription === undefined ? '' : `/subscriptions/${subscription}`}/providers/${namespace}`,
      namespace,
      resourceTypes: types.map(({ type, versions, located }) => ({
        resourceType: type,
        locations: located ? locations : [],
        apiVersions: versions.toReversed(),
        capabilities: capabilities.get(`${namespace}/${type}`) ?? 'None',
      })),
      ...(subscription !== undefined && {
        registrationState: registrationOf(call.world, subscription, namespace),
      }),
      registrationPolicy: isRegistrationFree(namespace) ? 'RegistrationFree' : 'RegistrationRequired',
    }
  }

  const find = (call: Call): string | undefined =>
    namespaces.find((one) => one.toLowerCase() === call.params.namespace?.toLowerCase())

  const refusedFor = (call: Call, action: string): Reply | undefined => {
    const scope = `/subscriptions/${call.params.subscription}`
    if (call.params.subscription === undefined || may(call.world, call.principal, action, scope))
      return undefined
    return notAllowed(call.principal, action, scope)
  }

  const list = (call: Call): Reply =>
    refusedFor(call, readAction) ??
    page(
      call,
      namespaces.map((namespace) => show(call, namespace)),
    )

  function get(call: Call): Reply {
    const namespace = find(call)
    const refused = refusedFor(call, readAction)
    if (refused) return refused
    return namespace === undefined ? invalidNamespace(call.params.namespace ?? '') : ok(show(call, namespace))
  }

  const set =
    (registered: boolean) =>
    (call: Call): Reply => {
      const { world, params } = call
      const { subscription = '', namespace: asked = '' } = params
      const namespace = find(call)
      const refused = refusedFor(
        call,
        `${namespace ?? asked}/${registered ? 'register' : 'unregister'}/action`,
      )
      if (refused) return refused
      if (namespace === undefined) return invalidNamespace(asked)
      setRegistration(world, subscription, namespace, registered, world.settings.registeringMs)
      return ok(show(call, namespace))
    }

  const one = '/subscriptions/{subscription}/providers'
  const own = [
    { method: 'GET', path: '/providers', handle: list },
    { method: 'GET', path: '/providers/{namespace}', handle: get },
    { method: 'GET', path: one, handle: list },
    { method: 'GET', path: `${one}/{namespace}`, handle: get },
    { method: 'POST', path: `${one}/{namespace}/register`, handle: set(true) },
    { method: 'POST', path: `${one}/{namespace}/unregister`, handle: set(false) },
  ] as const
  const routes = own.map((route) => ({ ...route, versions: resourcesVersions }))
  const all = typesOf([...served, ...routes])
  const namespaces = [...new Set(all.map(({ namespace }) => namespace))]
  return routes
}
