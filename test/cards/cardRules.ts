/** What every card must keep to, checked on the card alone. Each problem is a sentence; none means fine. */
import { createRequire } from 'node:module'

type Parsed = { readonly eventCount: number; getEventAt(index: number): { readonly message: string } }
type Renderer = {
  AdaptiveCard: new () => { parse(card: unknown, context: Parsed): void }
  SerializationContext: new (version: unknown) => Parsed
  Version: new (major: number, minor: number) => unknown
}
const { AdaptiveCard, SerializationContext, Version } = createRequire(import.meta.url)(
  'adaptivecards/dist/adaptivecards.js',
) as Renderer

type Node = Readonly<Record<string, unknown>>
const largest = 20_000
const mostActions = 6

/** Every object in the card, with where it is. */
function* nodes(value: unknown, path = 'card'): Generator<readonly [Node, string]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [value as Node, path]
  for (const [key, inner] of Object.entries(value)) yield* nodes(inner, `${path}.${key}`)
}

export function problemsOf(card: unknown): readonly string[] {
  const text = JSON.stringify(card)
  const context = new SerializationContext(new Version(1, 5))
  new AdaptiveCard().parse(card, context)
  const parser = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message)
  return [
    ...parser.map((message) => `The parser says: ${message}`),
    ...(Buffer.byteLength(text) > largest ? [`${Buffer.byteLength(text)} bytes`] : []),
    ...(text.includes('${') ? ['A binding is left'] : []),
    ...(text.includes('{{') ? ['A date function is left'] : []),
    ...[...nodes(card)].flatMap(([node, path]) => problemsAt(node).map((problem) => `${path}: ${problem}`)),
    ...sameIds(card),
  ]
}

function problemsAt(node: Node): readonly string[] {
  const { type } = node
  const missing = (...keys: readonly string[]): readonly string[] =>
    keys.filter((key) => typeof node[key] !== 'string').map((key) => `${String(type)} without ${key}`)
  const empty = Object.entries(node).flatMap(([key, value]) => (value === '' ? [`${key} is empty`] : []))
  return [...empty, ...problemsOfType(node, String(type ?? ''), missing)]
}

function problemsOfType(
  node: Node,
  type: string,
  missing: (...keys: readonly string[]) => readonly string[],
): readonly string[] {
  const { data, fallback, actions } = node
  switch (type) {
    case 'AdaptiveCard': {
      const late = node.version === '1.5' ? [] : [`version ${String(node.version)}`]
      const many = Array.isArray(actions) && actions.length > mostActions ? [`${actions.length} actions`] : []
      // A card inside Action.ShowCard is shown by a client that can, so it needs no text in its place.
      return [...late, ...many, ...('$schema' in node ? missing('fallbackText') : [])]
    }
    case 'TextBlock':
      return [...missing('text'), ...(node.wrap === true ? [] : ['TextBlock that does not wrap'])]
    case 'TextRun':
      return missing('text')
    case 'Image':
      return missing('url', 'altText')
    case 'Action.OpenUrl':
      return [...missing('title', 'url'), ...(/^https:\/\//.test(String(node.url)) ? [] : ['not https'])]
    case 'Action.ShowCard':
    case 'Action.ToggleVisibility':
      return missing('title')
    case 'Action.Execute':
    case 'Action.Submit': {
      const { link, verb, ...more } = (data ?? {}) as Node
      return [
        ...missing('title'),
        ...(type === 'Action.Execute' ? missing('verb') : []),
        ...(link === undefined || /^[0-9a-f]{32}$/.test(String(link)) ? [] : ['the link is no id']),
        ...(Object.keys(more).length > 0 ? [`data carry ${Object.keys(more).join(', ')}`] : []),
        ...(type === 'Action.Execute' && verb !== node.verb ? ['data name another verb'] : []),
        ...(type === 'Action.Execute' &&
        JSON.stringify((fallback as Node | undefined)?.data) !== JSON.stringify(data)
          ? ['the fallback says something else']
          : []),
      ]
    }
    case 'Input.Text':
    case 'Input.ChoiceSet':
      return missing('id', 'label', 'errorMessage')
    default:
      return []
  }
}

function sameIds(card: unknown): readonly string[] {
  const ids = [...nodes(card)].flatMap(([{ id }]) => (typeof id === 'string' ? [id] : []))
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `two elements are called ${id}`)
}
