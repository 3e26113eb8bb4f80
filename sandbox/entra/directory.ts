/** Who is in the tenant and may sign in: applications and people, with what proves them, and what tokens are for. */
import { timingSafeEqual } from 'node:crypto'

export type Application = {
  readonly name: string
  readonly appId: string
  /** Of its service principal: whom role assignments name. */
  readonly objectId: string
  readonly secrets?: readonly string[]
  /** PEM; what they sign proves the application. */
  readonly certificates?: readonly string[]
  /** Other issuers whose tokens prove the application: workload identity federation. */
  readonly federations?: readonly Federation[]
  /** Its tokens come from the managed identity endpoint. */
  readonly managedIdentity?: boolean
  /** By what else than its app id tokens name it: its Application ID URIs. */
  readonly uris?: readonly string[]
  /** Its app roles, and the app ids of who holds each: their tokens for it say so. */
  readonly roles?: Readonly<Record<string, readonly string[]>>
  /** Its tokens are of version 2: they name it by its id alone. */
  readonly tokenVersion?: 1 | 2
  /** Nobody agreed for the whole tenant that it acts for people: each has to. */
  readonly asksConsent?: boolean
}
export type Federation = {
  readonly issuer: string
  readonly subject: string
  /**
   * PEM of the issuer's public key; the real service reads it from the issuer's OpenID document. Absent where the
   * issuer is this tenant: a managed identity vouches for the application.
   */
  readonly publicKey?: string
}
export type Person = {
  readonly name: string
  readonly objectId: string
  readonly userPrincipalName: string
  readonly password: string
}
export type Directory = {
  readonly tenantId: string
  readonly applications: readonly Application[]
  readonly people: readonly Person[]
}

/** The Azure CLI's own registration: a public client of Microsoft's that every tenant knows. */
export const azureCli = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
/** Teams' own, on desktop and mobile. */
export const teamsClient = '1fec8e78-bce4-4aaf-ab1b-5451cc387264'
/** Public clients: they sign people in without a secret. */
export const publicClients: readonly string[] = [azureCli, teamsClient]
/** What a token is for that vouches for an application, unless the two sides agree on something else. */
export const exchangeAudience = 'api://AzureADTokenExchange'

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export const applicationOf = (directory: Directory, appId: string): Application | undefined =>
  directory.applications.find((one) => same(one.appId, appId))

export const personOf = (directory: Directory, userPrincipalName: string): Person | undefined =>
  directory.people.find((one) => same(one.userPrincipalName, userPrincipalName))

export function equal(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)]
  return one.byteLength === other.byteLength && timingSafeEqual(one, other)
}

/** Azure Resource Manager, by the names that it answers to. */
export const armAudiences: readonly string[] = [
  'https://management.core.windows.net/',
  'https://management.core.windows.net',
  'https://management.azure.com/',
  'https://management.azure.com',
]
export const connectorAudience = 'https://api.botframework.com'

/** A custom cloud's Resource Manager is its own audience: here any door on this machine. */
const isLoopback = (audience: string): boolean =>
  URL.canParse(audience) && ['127.0.0.1', 'localhost'].includes(new URL(audience).hostname)

export const isArm = (audience: string): boolean => armAudiences.includes(audience) || isLoopback(audience)

/** The application that a token for `audience` is meant for: its id, with or without `api://`, or one of its URIs. */
export const apiOf = (directory: Directory, audience: string): Application | undefined =>
  directory.applications.find(({ uris }) => uris?.some((uri) => same(uri, audience))) ??
  applicationOf(directory, audience.replace(/^api:\/\/(?:[^/]+\/)?/i, ''))

/** Is there anything in the tenant that tokens for `audience` are for? */
export const isResource = (directory: Directory, audience: string): boolean =>
  isArm(audience) ||
  [connectorAudience, exchangeAudience].includes(audience) ||
  apiOf(directory, audience) !== undefined
