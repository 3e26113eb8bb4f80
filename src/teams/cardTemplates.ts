/** The constant templates of `cards/`, and their one expansion. */
import type { Template } from 'adaptivecards-templating'
import approval from '../../cards/approval.json' with { type: 'json' }
import confirmUnlink from '../../cards/confirmUnlink.json' with { type: 'json' }
import help from '../../cards/help.json' with { type: 'json' }
import linkForm from '../../cards/linkForm.json' with { type: 'json' }
import status from '../../cards/status.json' with { type: 'json' }
import welcome from '../../cards/welcome.json' with { type: 'json' }

const payloads = { approval, confirmUnlink, help, linkForm, status, welcome }
export type TemplateName = keyof typeof payloads
export type AdaptiveCard = Readonly<Record<string, unknown>>
/** What may enter a template. A text is `clean`ed before; only this file's callers make lists and objects. */
export type Value = string | boolean | readonly Value[] | { readonly [key: string]: Value }

/**
 * A parsed template expands in a tenth of the time; both the engine (177 ms) and the parsing wait for the first card.
 * Nothing but this constant result is kept.
 */
const parsed = new Map<TemplateName, Promise<Template>>()
function template(name: TemplateName): Promise<Template> {
  const found = parsed.get(name)
  if (found) return found
  const made = import('adaptivecards-templating').then(({ Template }) => new Template(payloads[name]))
  parsed.set(name, made)
  return made
}

export async function expand(
  name: TemplateName,
  data: { readonly [key: string]: Value },
): Promise<AdaptiveCard> {
  const expanded: unknown = (await template(name)).expand({ $root: data })
  return withoutEmpty(expanded) as AdaptiveCard
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
