/** Shared private link resources, the SignalR side of a link. */
import type { SignalRManagementClient } from '@azure/arm-signalr'
import type { SharedPrivateLink } from '../link/link.ts'
import type { Clients } from './clients.ts'
import { all, type Look, listed, look, type Reading } from './looks.ts'
import { type Operation, operationOf, parseOperation, readOperation } from './operation.ts'
import { record, sharedPrivateLink } from './parse.ts'
import { parts } from './resourceIds.ts'

const provider = 'Microsoft.SignalRService/SignalR'
export const linkActions = {
  read: `${provider}/sharedPrivateLinkResources/read`,
  write: `${provider}/sharedPrivateLinkResources/write`,
  delete: `${provider}/sharedPrivateLinkResources/delete`,
  followOperation: `${provider}/operationStatuses/read`,
} as const

export const linkId = (signalr: string, name: string): string =>
  `${signalr}/sharedPrivateLinkResources/${name}`

export type SharedPrivateLinks = ReturnType<typeof createSharedPrivateLinks>

export function createSharedPrivateLinks(clients: Clients, reading: Reading) {
  return {
    get: (signalr: string, name: string, signal: AbortSignal): Promise<Look<SharedPrivateLink>> =>
      look(reading, linkActions.read, linkId(signalr, name), signal, async (abortSignal) => {
        const of = parts(signalr)
        const client = await clients.signalr(of.subscription)
        return sharedPrivateLink(
          await client.signalRSharedPrivateLinkResources.get(name, of.group, of.name, { abortSignal }),
        )
      }),

    list: (signalr: string, signal: AbortSignal): Promise<Look<readonly SharedPrivateLink[]>> =>
      look(reading, linkActions.read, signalr, signal, async (abortSignal) => {
        const of = parts(signalr)
        const client = await clients.signalr(of.subscription)
        const pages = client.signalRSharedPrivateLinkResources.list(of.group, of.name, listed(abortSignal))
        return (await all(pages, abortSignal)).map(sharedPrivateLink)
      }),

    /** One poll of the operation that a PUT left. What it does not say, the link itself does. */
    async operation(operation: string, signalr: string, signal: AbortSignal): Promise<Look<Operation>> {
      const at = parseOperation(operation)
      if (!at) return { is: 'absent' }
      return await look(reading, linkActions.followOperation, signalr, signal, async (abortSignal) => {
        return readOperation(at.asks, await clients.get(at.address, abortSignal)) ?? 'absent'
      })
    },

    /** Sends the PUT, once, and returns what ARM first answered: the operation to follow. */
    async put(
      signalr: string,
      name: string,
      wish: { readonly vault: string; readonly requestMessage: string },
      signal: AbortSignal,
    ): Promise<string | undefined> {
      const of = parts(signalr)
      const client = await clients.signalr(of.subscription)
      const { headers } = await firstAnswer(signal, (options) =>
        client.signalRSharedPrivateLinkResources.beginCreateOrUpdate(
          name,
          of.group,
          of.name,
          { groupId: 'vault', privateLinkResourceId: wish.vault, requestMessage: wish.requestMessage },
          options,
        ),
      )
      return operationOf(headers)
    },

    /** Sends the DELETE, once, and does not wait for its end. */
    async delete(signalr: string, name: string, signal: AbortSignal): Promise<void> {
      const of = parts(signalr)
      const client = await clients.signalr(of.subscription)
      await firstAnswer(signal, (options) =>
        client.signalRSharedPrivateLinkResources.beginDelete(name, of.group, of.name, options),
      )
    },
  }
}

type Begin = SignalRManagementClient['signalRSharedPrivateLinkResources']['beginCreateOrUpdate']
type OperationOptions = NonNullable<Parameters<Begin>[4]>
type FirstAnswer = Parameters<NonNullable<OperationOptions['onResponse']>>[0]

/** The client goes on to poll in the same call; it is stopped as soon as the first answer is there. */
async function firstAnswer(
  signal: AbortSignal,
  begin: (options: OperationOptions) => Promise<unknown>,
): Promise<FirstAnswer> {
  const enough = new AbortController()
  let first: FirstAnswer | undefined
  try {
    await begin({
      abortSignal: AbortSignal.any([signal, enough.signal]),
      onResponse(response) {
        first ??= response
        enough.abort()
      },
    })
  } catch (error) {
    // The client shows a refusal here too, and drops the argument that says so: an error about the first answer is
    // the answer; any other is of the poll that was cut short.
    if (!first || record(error).response === first) throw error
  }
  if (!first) throw new Error('The client returned without an answer')
  return first
}
