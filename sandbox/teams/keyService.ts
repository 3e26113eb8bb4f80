/** Publishes the keys, and fails at it when told to. */
import type { KeyService } from './face.ts'
import type { Json } from './json.ts'
import type { Tokens } from './tokens.ts'

export type Published = { status: number; body?: Json }

/** The service, and its answer to a request for one of its addresses; never, when it hangs. */
export function createKeyService(
  tokens: Tokens,
  baseUrl: string,
): KeyService & { answer(path: string): Promise<Published | 'never' | undefined> } {
  let state: Parameters<KeyService['become']>[0] = 'up'
  let asked = 0
  const documents: Readonly<Record<string, () => Promise<Json>>> = {
    '/v1/.well-known/openidconfiguration': async () => tokens.openId(baseUrl),
    '/v1/.well-known/keys': async () => (state === 'empty' ? { keys: [] } : tokens.keys()),
  }
  return {
    rotate: tokens.rotate,
    become(next) {
      state = next
    },
    asked: () => asked,
    async answer(path) {
      const document = documents[path]
      if (!document) return undefined
      asked++
      if (state === 'hung') return 'never'
      if (state === 'broken') return { status: 503 }
      return { status: 200, body: await document() }
    },
  }
}
