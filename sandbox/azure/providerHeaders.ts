import { randomUUID } from 'node:crypto'

/** What is on every answer of Azure Resource Manager, as recorded. */
export const armHeaders = {
  'cache-control': 'no-cache',
  expires: '-1',
  pragma: 'no-cache',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
} as const

/** What a provider's own front end adds, as recorded; ARM's refusals that never reach it lack that. */
const ofProviders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'microsoft.keyvault': {
    server: 'Microsoft-IIS/10.0',
    vary: 'Accept-Encoding',
    'x-aspnet-version': '4.0.30319',
    'x-ms-keyvault-service-version': '1.5.372.0',
  },
  'microsoft.signalrservice': {
    server: 'Kestrel',
    // Names the build that answers: the same in every answer of a recording.
    'x-rp-server-mvid': randomUUID(),
  },
}

export function providerHeaders(path: string): Readonly<Record<string, string>> {
  const provider = /.*\/providers\/([^/]+)/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return ofProviders[provider] ?? {}
}
