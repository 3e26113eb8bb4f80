/** An Adaptive Card as plain text, for the terminal and for looking for words on it. */
import { type Json, list, record, records, string } from './json.ts'

type Options = { open?: boolean }

const newestVersion = 1.5

export const cardVersion = (card: Json): number => Number.parseFloat(string(card.version) ?? '1.0')

/** Teams shows a card newer than it knows as its fallback text. */
export function cardText(card: unknown, options: Options = {}): string[] {
  const root = record(card)
  if (!root) return []
  if (cardVersion(root) > newestVersion) return [string(root.fallbackText) ?? '(this card cannot be shown)']
  return bodyText(root, options)
}

function bodyText(card: Json, options: Options): string[] {
  return [
    ...list(card.body).flatMap((element) => elementText(element, options)),
    ...actionsText(list(card.actions), options),
  ]
}

function elementText(value: unknown, options: Options): string[] {
  const element = record(value)
  if (!element) return []
  const lines = visibleText(element, options)
  return element.isVisible === false ? lines.map((line) => `(hidden) ${line}`) : lines
}

function visibleText(element: Json, options: Options): string[] {
  switch (element.type) {
    case 'TextBlock':
      return plain(string(element.text) ?? '')
        .split('\n')
        .filter((line) => line.trim() !== '')
    case 'RichTextBlock':
      return [
        list(element.inlines)
          .map((run) => string(run) ?? string(record(run)?.text) ?? '')
          .join(''),
      ]
    case 'FactSet':
      return list(element.facts).map((fact) => {
        const { title, value } = record(fact) ?? {}
        return `${plain(string(title) ?? '').replace(/:$/, '')}: ${plain(string(value) ?? '')}`
      })
    case 'ColumnSet':
      return [
        list(element.columns)
          .map((column) => elementText(column, options).join(' '))
          .filter((text) => text !== '')
          .join('  '),
      ].filter((line) => line !== '')
    case 'Column':
    case 'Container':
    case 'TableCell':
      return list(element.items).flatMap((item) => elementText(item, options))
    case 'Table':
      return list(element.rows).map((row) =>
        list(record(row)?.cells)
          .map((cell) => elementText(cell, options).join(' '))
          .join(' | '),
      )
    case 'ActionSet':
      return actionsText(list(element.actions), options)
    case 'Image':
      return string(element.altText) ? [`(image: ${string(element.altText)})`] : []
    case 'ImageSet':
      return list(element.images).flatMap((image) => elementText(image, options))
    case 'Input.Text':
    case 'Input.Number':
    case 'Input.Date':
    case 'Input.Time':
      return [`${inputLabel(element)}: [${shown(element.value) ?? shown(element.placeholder) ?? ''}]`]
    case 'Input.Toggle':
      return [
        `[${element.value === (element.valueOn ?? 'true') ? 'x' : ' '}] ${plain(string(element.title) ?? '')}`,
      ]
    case 'Input.ChoiceSet': {
      const chosen = new Set((string(element.value) ?? '').split(','))
      const choices = list(element.choices).map((choice) => {
        const { title, value } = record(choice) ?? {}
        return `${chosen.has(string(value) ?? '') ? '(•)' : '( )'} ${string(title) ?? ''}`
      })
      return [`${inputLabel(element)}: ${choices.join('  ')}`]
    }
    default: {
      // What a client does not know it replaces by the element's fallback, or drops.
      const fallback = record(element.fallback)
      return fallback ? elementText(fallback, options) : []
    }
  }
}

function actionsText(actions: unknown[], options: Options): string[] {
  const shownActions = records(actions)
  const titles = shownActions.flatMap((action) => {
    const title = string(action.title) ?? ''
    return title === '' ? [] : [`[${title}${action.isEnabled === false ? ' (greyed out)' : ''}]`]
  })
  const opened = options.open
    ? shownActions
        .filter((action) => action.type === 'Action.ShowCard')
        .flatMap((action) => [
          `${string(action.title) ?? ''}`,
          ...bodyText(record(action.card) ?? {}, options).map((line) => `  ${line}`),
        ])
    : []
  return [...(titles.length > 0 ? [titles.join(' ')] : []), ...opened]
}

const inputLabel = (input: Json): string =>
  `${string(input.label) ?? string(input.id) ?? ''}${input.isRequired === true ? ' *' : ''}`

const shown = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(value) : string(value)

/** Markdown and the date functions as a reader sees them. Dates are shown in UTC. */
function plain(text: string): string {
  return text
    .replace(
      /\{\{(DATE|TIME)\(\s*([^,)]+?)\s*(?:,\s*(\w+)\s*)?\)\}\}/g,
      (all, kind: string, when: string) => {
        const at = new Date(when)
        if (Number.isNaN(at.getTime())) return all
        return kind === 'TIME' ? at.toISOString().slice(11, 16) : at.toISOString().slice(0, 10)
      },
    )
    .replace(/\[([^\]]+)\]\((?:[^()\s]|\([^()\s]*\))+\)/g, '$1')
    .replace(/\*\*([^*]+)\*\*/g, '$1')
    .replace(/\\([\\`*_{}[\]()#+\-.!|])/g, '$1')
    .replace(/<at>([^<]*)<\/at>/g, '@$1')
}
