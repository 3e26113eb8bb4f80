/** The constant templates of `cards/`, and their one expansion. */
import type { Template } from 'adaptivecards-templating/lib/template-engine.js'
import approval from '../../cards/approval.json' with { type: 'json' }
import confirmUnlink from '../../cards/confirmUnlink.json' with { type: 'json' }
import help from '../../cards/help.json' with { type: 'json' }
import linkForm from '../../cards/linkForm.json' with { type: 'json' }
import status from '../../cards/status.json' with { type: 'json' }
import welcome from '../../cards/welcome.json' with { type: 'json' }
import { clean } from './prose.ts'

const payloads = { approval, confirmUnlink, help, linkForm, status, welcome }
export type TemplateName = keyof typeof payloads
export type AdaptiveCard = Readonly<Record<string, unknown>>
/** What may enter a template: never a value that came from outside as it is, for an object would become card. */
export type Value = string | boolean | readonly Value[] | { readonly [key: string]: Value }

/**
 * A parsed template expands in a tenth of the time; both the engine (177 ms) and the parsing wait for the first card.
 * The package's entry is passed by: its types want the `adaptivecards` package, a browser's renderer.
 * Nothing but this constant result is kept.
 */
const parsed = new Map<TemplateName, Promise<Template>>()
const loadEngine = () => import('adaptivecards-templating/lib/template-engine.js')

/** Loads the engine ahead of the first card. */
export async function warmCards(): Promise<void> {
  await loadEngine()
}

function template(name: TemplateName): Promise<Template> {
  const found = parsed.get(name)
  if (found) return found
  const made = loadEngine().then(({ Template }) => new Template(payloads[name]))
  parsed.set(name, made)
  return made
}

export async function expand(
  name: TemplateName,
  data: { readonly [key: string]: Value },
): Promise<AdaptiveCard> {
  const expanded: unknown = (await template(name)).expand({ $root: harmless(data) })
  return unmarked(withoutEmpty(expanded) as AdaptiveCard)
}

/** The longest text on any card: an Azure message with what to do about it. */
const longestText = 1_000

/** The one gate for all data: whoever made a text, on a card it is capped and without control characters. */
function harmless(value: Value): Value {
  if (typeof value === 'string') return clean(value, longestText)
  if (typeof value === 'boolean') return value
  if (Array.isArray(value)) return value.map(harmless)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, harmless(inner)]))
}

/** `fallbackText` "may contain markdown" (adaptivecards.io/explorer/AdaptiveCard.html), and names and reasons stand in it. */
function unmarked(card: AdaptiveCard): AdaptiveCard {
  const { fallbackText } = card
  if (typeof fallbackText !== 'string') return card
  return { ...card, fallbackText: fallbackText.replace(/[\\`*_[\]<>#~|&]/g, '') }
}

/** Clients warn of an empty `value` or `placeholder`: what is empty is left out. */
function withoutEmpty(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutEmpty)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(
    Object.entries(node)
      .filter(([, value]) => value !== '')
      .map(([key, value]) => [key, withoutEmpty(value)]),
  )
}
