import { parseResourceId } from '../../src/link/resourceId.ts'
import { type Reply, refusal } from './reply.ts'
import type { Route } from './routes.ts'
import { registrationKey, type World } from './state.ts'

/** Whether a subscription may use a resource provider: most have to be registered there first. */

export type RegistrationState = 'Registered' | 'Registering' | 'NotRegistered' | 'Unregistering'

/** What works in a subscription without anybody having registered it. */
const free = new Set(['microsoft.resources', 'microsoft.authorization', 'microsoft.resourcegraph'])

export const isRegistrationFree = (namespace: string): boolean => free.has(namespace.toLowerCase())

export function registrationOf(world: World, subscription: string, namespace: string): RegistrationState {
  const last = world.registrations.get(registrationKey(subscription, namespace))
  if (!last) return 'Registered'
  if (world.now() < last.done) return last.registered ? 'Registering' : 'Unregistering'
  return last.registered ? 'Registered' : 'NotRegistered'
}

/** Registers or unregisters the provider, done after so long, unless that is how it is. */
export function setRegistration(
  world: World,
  subscription: string,
  namespace: string,
  registered: boolean,
  takesMs = 0,
): void {
  if (registered === isUsable(registrationOf(world, subscription, namespace))) return
  const done = world.now() + takesMs
  world.registrations.set(registrationKey(subscription, namespace), {
    subscription,
    namespace,
    registered,
    done,
  })
}

// Documented: what is being registered can be used already, region by region.
const isUsable = (state: RegistrationState): boolean => state === 'Registered' || state === 'Registering'

const isRegistered = (world: World, subscription: string, namespace: string): boolean =>
  isRegistrationFree(namespace) || isUsable(registrationOf(world, subscription, namespace))

/** ARM's refusal of a write to a provider that the subscription is not registered for. */
export function refuseUnregistered(world: World, route: Route, subscription?: string): Reply | undefined {
  const namespace = /^.*\/providers\/([^/{]+)/.exec(route.path)?.[1]
  if (route.method === 'GET' || subscription === undefined || namespace === undefined) return undefined
  if (isRegistered(world, subscription, namespace)) return undefined
  const code = 'MissingSubscriptionRegistration'
  const message = `The subscription is not registered to use namespace '${namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.`
  const details = [{ code, target: namespace, message }]
  return { status: 409, body: { error: { code, message, details } } }
}

const endpointSentence =
  'Microsoft.KeyVault provider must be registered on subscription containing private endpoint'

/** The refusal that people report of an approval: where the private endpoint is, Key Vault is not registered. */
export function refuseEndpoint(world: World, endpoint: string): Reply | undefined {
  const subscription = parseResourceId(endpoint)?.subscription ?? ''
  return isRegistered(world, subscription, 'Microsoft.KeyVault')
    ? undefined
    : refusal(403, 'AuthorizationFailed', `${endpointSentence}: ${endpoint}`)
}

/** The same, said as early as when the link is made, of the subscription that the SignalR is in. */
export function refuseLink(world: World, signalr: string): Reply | undefined {
  const subscription = parseResourceId(signalr)?.subscription ?? ''
  return world.settings.unregisteredKeyVault === 'refusesApproval' ||
    isRegistered(world, subscription, 'Microsoft.KeyVault')
    ? undefined
    : refusal(403, 'AuthorizationFailed', `${endpointSentence}.`)
}
