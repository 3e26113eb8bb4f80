/**
 * The long-running operation behind a PUT, as a text that survives a restart: where to ask, and how. The client's own
 * poller is not used for it: it polls within the same call as the PUT, so that a poll that fails makes a PUT that was
 * done look failed; given an empty state it sends the PUT anew; and it reports a failure as prose, without the code.
 * https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
 */
import type { Seen } from '../link/link.ts'
import type { Answer } from './clients.ts'
import { clean } from './errors.ts'
import { operationStatus, record, text } from './parse.ts'

type Headers = { get(name: string): string | undefined }

/** `Azure-AsyncOperation` wins over `Location`; with neither, the resource itself tells how far it is. */
export function operationOf(headers: Headers): string | undefined {
  const status = headers.get('azure-asyncoperation')
  if (status !== undefined) return `status ${status}`
  const result = headers.get('location')
  return result === undefined ? undefined : `result ${result}`
}

export type Operation = NonNullable<Seen['operation']>

export function parseOperation(
  operation: string,
): { readonly asks: 'status' | 'result'; readonly address: string } | undefined {
  const [asks, address, ...rest] = operation.split(' ')
  if ((asks !== 'status' && asks !== 'result') || address === undefined || rest.length > 0) return undefined
  return { asks, address }
}

/** What one poll of it showed; undefined when it says nothing that may be relied on. */
export function readOperation(asks: 'status' | 'result', { status, body }: Answer): Operation | undefined {
  // The result's address answers 202 until there is one.
  if (asks === 'result') return { status: status === 202 ? 'Running' : 'Succeeded' }
  const fields = record(body)
  const word = text(fields.status)
  if (word === undefined) return undefined
  const said = operationStatus(word)
  // The protocol has three last words; every other, whatever it is, means that it goes on.
  if (said !== 'Failed' && said !== 'Canceled')
    return { status: said === 'Succeeded' ? 'Succeeded' : 'Running' }
  const error = record(fields.error)
  const code = text(error.code)
  const message = text(error.message)
  return {
    status: said,
    ...(code !== undefined && { code: clean(code) }),
    ...(message !== undefined && { message: clean(message) }),
  }
}
