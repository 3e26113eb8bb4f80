/** An answer of the local ARM, and the errors in ARM's own words. */
import type { Wired } from '../proxy/wire.ts'

export type Reply = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export const ok = (body: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  body,
  headers,
})

export const refusal = (
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({ status, body: { error: { code, message } }, headers })

export const subscriptionNotFound = (subscription: string): Reply =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(subscription)
    ? refusal(404, 'SubscriptionNotFound', `The subscription '${subscription}' could not be found.`)
    : refusal(
        400,
        'InvalidSubscriptionId',
        `The provided subscription identifier '${subscription}' is malformed or invalid.`,
      )

export const groupNotFound = (group: string): Reply =>
  refusal(404, 'ResourceGroupNotFound', `Resource group '${group}' could not be found.`)

export const resourceNotFound = (type: string, name: string, group: string): Reply =>
  refusal(
    404,
    'ResourceNotFound',
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  )

export const parentNotFound = (verb: 'read' | 'write' | 'delete', type: string, parent: string): Reply =>
  refusal(
    404,
    'ParentResourceNotFound',
    `Failed to perform '${verb}' on resource(s) of type '${type}', because the parent resource '${parent}' could not be found.`,
  )

export const notAllowed = (principal: string, action: string, scope: string): Reply =>
  refusal(
    403,
    'AuthorizationFailed',
    `The client '${principal}' with object id '${principal}' does not have authorization to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  )

export const badRequest = (message: string, code = 'BadRequest'): Reply => refusal(400, code, message)

/** As it goes over the wire, with what else every answer bears. */
export const wired = (
  { status, body, headers: own }: Reply,
  headers: Readonly<Record<string, string>> = {},
): Wired => ({
  status,
  headers: {
    ...headers,
    ...own,
    ...(body !== undefined && { 'content-type': 'application/json; charset=utf-8' }),
  },
  body: body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)),
})
