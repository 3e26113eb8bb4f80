/** What a fault does on the wire, the same at whichever server it is met. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Fault } from './fault.ts'

export type Wired = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** Ends a call by its fault. `acted`: what it would have been answered, where it acted; `refused`: the fault's own words. */
export function breakOff(
  request: IncomingMessage,
  response: ServerResponse,
  { how = 'answer' }: Fault,
  { acted, refused }: { readonly acted: Wired | undefined; readonly refused: Wired },
): void {
  if (response.destroyed) return
  switch (how) {
    case 'reset':
      // With a reset and not with an end; over TLS Node has no more than to drop it.
      if (request.socket instanceof TLSSocket) response.destroy()
      else request.socket.resetAndDestroy()
      return
    case 'hang':
      return
    case 'empty':
      response.writeHead(204, kept(acted, ['content-length', 'content-type', 'transfer-encoding']))
      response.end()
      return
    case 'truncate':
    case 'garble': {
      const { status, body } = acted ?? refused
      const whole = body.byteLength > 0 ? body : Buffer.from('{"value":[]}')
      const half = whole.subarray(0, Math.ceil(whole.byteLength / 2))
      const length = how === 'garble' ? half.byteLength : whole.byteLength
      // A body where none belongs would be no answer at all.
      const said = status === 204 ? 200 : status
      const headers = kept(acted ?? refused, ['content-length', 'transfer-encoding'])
      response.writeHead(said, { ...headers, 'content-length': String(length) })
      if (how === 'garble') response.end(half)
      else response.write(half, () => response.destroy())
      return
    }
    case 'page': {
      const body = Buffer.from('<html><body><h1>The service is unavailable.</h1></body></html>')
      pass(response, { status: refused.status, headers: { 'content-type': 'text/html' }, body })
      return
    }
    case 'answer':
    case 'expire':
      pass(response, refused)
  }
}

export function pass(response: ServerResponse, { status, headers, body }: Wired): void {
  if (response.destroyed) return
  const withoutBody = status === 204 || status === 304
  response.writeHead(status, {
    ...kept({ status, headers, body }, ['content-length', 'transfer-encoding']),
    ...(!withoutBody && { 'content-length': String(body.byteLength) }),
  })
  response.end(withoutBody ? undefined : body)
}

function kept(wired: Wired | undefined, without: readonly string[]): Record<string, string | string[]> {
  const left: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(wired?.headers ?? {}))
    if (value !== undefined && !without.includes(name.toLowerCase()))
      left[name] = typeof value === 'string' ? value : [...value]
  return left
}
