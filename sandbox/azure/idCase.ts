import type { Switches } from './switches.ts'

/** Ids in another case than they were made in: clients have to take them for the same. */

type Case = Switches['idCase']

const seen: Readonly<Record<string, string>> = {
  resourcegroups: 'resourcegroups',
  'microsoft.keyvault': 'Microsoft.Keyvault',
  signalr: 'signalr',
  webpubsub: 'webpubsub',
}

function segment(text: string, wanted: Exclude<Case, 'kept'>): string {
  switch (wanted) {
    case 'lower':
      return text.toLowerCase()
    case 'upper':
      return text.toUpperCase()
    case 'seen':
      return seen[text.toLowerCase()] ?? text
  }
}

function id(text: string, wanted: Exclude<Case, 'kept'>): string {
  // Ids are pairs: what it is, and its name. Names keep their case, those of providers and groups excepted.
  return text
    .split('/')
    .map((one, index, all) => {
      const of = all[index - 1]?.toLowerCase()
      const varies = index % 2 === 1 || of === 'providers' || (of === 'resourcegroups' && wanted !== 'seen')
      return index > 2 && varies ? segment(one, wanted) : one
    })
    .join('/')
}

/** The body of a reply with every id in it in that case. */
export function recased(body: unknown, wanted: Case): unknown {
  if (wanted === 'kept') return body
  if (typeof body === 'string') return /^\/subscriptions\/[^/]+\/./i.test(body) ? id(body, wanted) : body
  if (Array.isArray(body)) return body.map((one) => recased(one, wanted))
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, recased(value, wanted)]))
}
