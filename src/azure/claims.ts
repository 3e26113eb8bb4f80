/** What a token says of its bearer. Whether that is true is for whoever the token is meant for to say. */
import { record, text } from './parse.ts'

/** No claims at all when it is no JSON Web Token. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const [, payload = ''] = token.split('.')
  try {
    return record(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')))
  } catch {
    // Opaque, or somebody's invention.
    return {}
  }
}

export const objectIdOf = (token: string): string | undefined => text(claimsOf(token).oid)
