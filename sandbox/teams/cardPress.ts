/**
 * Pressing a button as a client does: find it by its visible title, check the inputs that belong to it, and
 * make what is sent. Follows the adaptivecards renderer: an action carries the inputs of its own card and of
 * the cards around it, not those of sibling ShowCards; an input that is not set is left out.
 */
import { cardVersion } from './cardText.ts'
import { type Json, list, record, records, string } from './json.ts'

export type Press =
  | { kind: 'execute'; title: string; verb?: string; id?: string; data: unknown }
  | { kind: 'submit'; title: string; data: unknown }
  | { kind: 'openUrl'; title: string; url: string }
  | { kind: 'local'; title: string; type: string }

type Typed = Readonly<Record<string, string>>
/** An action, and the cards it stands in, the outermost first. */
type Found = { action: Json; cards: Json[] }

export function pressOn(card: unknown, titles: readonly string[], typed: Typed): Press {
  // A copy, since ToggleVisibility changes what is seen on the way.
  const root = record(structuredClone(card))
  if (!root) throw new Error('This message has no card to press on.')
  let scope = [root]
  let found: Found | undefined
  for (const title of titles) {
    if (found) scope = follow(found, scope, title)
    found = findAction(scope, title)
  }
  if (!found) throw new Error('Name the button to press.')
  return made(found, cardVersion(root), typed)
}

function findAction(scope: Json[], title: string): Found {
  const named = actionsOf(scope).filter(({ action }) => string(action.title)?.trim() === title.trim())
  const depth = Math.min(...named.map(({ cards }) => cards.length))
  const nearest = named.filter(({ cards }) => cards.length === depth)
  const first = nearest[0]
  if (!first) {
    const titles = actionsOf(scope).flatMap(({ action }) => string(action.title) ?? [])
    throw new Error(
      `There is no button "${title}". ${titles.length > 0 ? `There is: ${titles.map((t) => `"${t}"`).join(', ')}.` : 'There are no buttons.'}`,
    )
  }
  if (nearest.some(({ action }) => JSON.stringify(action) !== JSON.stringify(first.action)))
    throw new Error(`Several buttons are called "${title}" and do different things.`)
  if (first.action.isEnabled === false) throw new Error(`The button "${title}" is greyed out.`)
  return first
}

function follow({ action, cards }: Found, scope: Json[], next: string): Json[] {
  if (action.type === 'Action.ShowCard') return [...cards, record(action.card) ?? {}]
  if (action.type === 'Action.ToggleVisibility') {
    const root = scope[0]
    if (root) toggle(root, list(action.targetElements))
    return scope
  }
  throw new Error(`"${string(action.title) ?? ''}" opens nothing that could hold "${next}".`)
}

function toggle(root: Json, targets: unknown[]): void {
  for (const target of targets) {
    const id = string(target) ?? string(record(target)?.elementId)
    for (const element of everyElement(root))
      if (element.id === id) element.isVisible = record(target)?.isVisible ?? element.isVisible === false
  }
}

const childLists = ['body', 'items', 'columns', 'rows', 'cells', 'images', 'inlines'] as const

const childrenOf = (element: Json): Json[] => childLists.flatMap((key) => records(element[key]))

/** All elements of one card; a ShowCard's own card is another card. */
function everyElement(element: Json): Json[] {
  return childrenOf(element).flatMap((child) => [child, ...everyElement(child)])
}

/** Actions of the innermost card of `cards`, and of the ShowCards in it. */
function actionsOf(cards: Json[]): Found[] {
  const card = cards.at(-1)
  if (!card) return []
  const inElement = (element: Json): Json[] =>
    element.isVisible === false
      ? []
      : [
          ...records([element.selectAction, element.inlineAction]),
          ...childrenOf(element).flatMap(inElement),
          ...records(element.actions),
        ]
  return inElement(card).flatMap((action) => [
    { action, cards },
    ...(action.type === 'Action.ShowCard' ? actionsOf([...cards, record(action.card) ?? {}]) : []),
  ])
}

function made({ action, cards }: Found, version: number, typed: Typed): Press {
  const title = string(action.title) ?? ''
  const inputs = () =>
    action.associatedInputs === 'none' ? {} : filledIn(cards.flatMap(everyElement).filter(isInput), typed)
  const data = (): unknown => {
    const values = inputs()
    if (typeof action.data === 'string' && Object.keys(values).length === 0) return action.data
    return { ...record(action.data), ...values }
  }
  switch (action.type) {
    case 'Action.Execute': {
      const fallback = record(action.fallback)
      // Universal actions came with 1.4; below it a client takes the fallback.
      if (version < 1.4 && fallback) return made({ action: { title, ...fallback }, cards }, version, typed)
      const verb = string(action.verb)
      const id = string(action.id)
      return {
        kind: 'execute',
        title,
        ...(verb !== undefined && { verb }),
        ...(id !== undefined && { id }),
        data: data(),
      }
    }
    case 'Action.Submit':
      return { kind: 'submit', title, data: data() }
    case 'Action.OpenUrl':
      return { kind: 'openUrl', title, url: string(action.url) ?? '' }
    case 'Action.ShowCard':
    case 'Action.ToggleVisibility':
      return { kind: 'local', title, type: action.type }
    default:
      throw new Error(`Teams knows no ${String(action.type)}.`)
  }
}

const isInput = (element: Json): boolean => string(element.type)?.startsWith('Input.') ?? false

function filledIn(inputs: Json[], typed: Typed): Record<string, string> {
  const byId = new Map(inputs.flatMap((input) => (string(input.id) ? [[string(input.id), input]] : [])))
  const missing = Object.keys(typed).filter((id) => !byId.has(id))
  if (missing.length > 0)
    throw new Error(
      `There is no input "${missing.join('", "')}" with this button. There is: ${[...byId.keys()].join(', ') || 'none'}.`,
    )
  return Object.fromEntries(
    inputs.flatMap((input) => {
      const id = string(input.id)
      if (!id) return []
      const value = checked(input, typed[id])
      return value === '' ? [] : [[id, value]]
    }),
  )
}

/** The input's value, or an error that says what the client would show under it. */
function checked(input: Json, typed: string | undefined): string {
  const name = string(input.label) ?? string(input.title) ?? string(input.id)
  const refuse = (why: string): never => {
    const shown = string(input.errorMessage)
    throw new Error(`"${name}" ${why}${shown ? `: ${shown}` : ''}.`)
  }
  const value = givenTo(input, typed, refuse)
  const unset = input.type === 'Input.Toggle' ? value !== (input.valueOn ?? 'true') : value === ''
  if (input.isRequired === true && unset) refuse('is required')
  if (value === '') return value
  if (typeof input.maxLength === 'number' && value.length > input.maxLength)
    refuse(`takes at most ${input.maxLength} characters`)
  const pattern = string(input.regex)
  if (pattern && !new RegExp(pattern).test(value)) refuse('is not of the form asked for')
  if (input.type === 'Input.Number') {
    const number = Number(value)
    if (Number.isNaN(number)) refuse('is not a number')
    if (typeof input.min === 'number' && number < input.min) refuse(`is at least ${input.min}`)
    if (typeof input.max === 'number' && number > input.max) refuse(`is at most ${input.max}`)
  }
  return value
}

function givenTo(input: Json, typed: string | undefined, refuse: (why: string) => never): string {
  const given = typed ?? (typeof input.value === 'number' ? String(input.value) : string(input.value)) ?? ''
  if (input.type === 'Input.Toggle') return given === '' ? (string(input.valueOff) ?? 'false') : given
  if (input.type !== 'Input.ChoiceSet' || given === '') return given
  const choices = records(input.choices)
  const one = (word: string): string => {
    const choice = choices.find(({ value }) => value === word) ?? choices.find(({ title }) => title === word)
    // A dynamic choice set is filled by the bot, so its values are not on the card.
    if (!choice && !record(input['choices.data']))
      refuse(`offers no "${word}", but ${choices.map(({ title }) => `"${String(title)}"`).join(', ')}`)
    return string(choice?.value) ?? word
  }
  return input.isMultiSelect === true ? given.split(',').map(one).join(',') : one(given)
}
