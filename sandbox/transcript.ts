/** Prints what observers of the traffic see, as a person reads it: who says what where, each card, each ARM call. */
import { stripVTControlCharacters, styleText } from 'node:util'
import type { AzureEvent } from './azure/state.ts'
import { people } from './seed.ts'
import { cardText } from './teams/cardText.ts'
import type { TeamsEvent } from './teams/face.ts'

export type Event = AzureEvent | TeamsEvent | DemoEvent
/** What the stage itself says: a process that ends, time that passes, a step reached or missed. */
export type DemoEvent =
  | { at: number; who: 'demo'; kind: 'killed' | 'started'; text: string }
  | { at: number; who: 'demo'; kind: 'clock'; text: string }
  | { at: number; who: 'demo'; kind: 'step'; text: string; happened: boolean }
  | { at: number; who: 'demo'; kind: 'counts'; text: string; counts: Record<string, number> }

export type Transcript = {
  show(event: Event): void
  /** A line of the stage's own. */
  line(text: string): void
  /** Prints what is still held back. */
  end(): void
}

const nameWidth = 12
const hiddenMark = '\u0000'
/** ARM's paths are long and alike: the two ends of them tell what is meant. */
const shorten = (path: string): string => {
  const segments = path.split('/').filter((segment) => segment !== '')
  const provider = segments.lastIndexOf('providers')
  const rest = provider >= 0 ? segments.slice(provider + 2) : segments
  // …/vaults/contoso-kv/providers/Microsoft.Authorization/roleAssignments: whose assignments they are matters.
  const scope = provider > 0 && segments.indexOf('providers') !== provider ? `${segments[provider - 1]}/` : ''
  const tidy = rest
    .filter((segment) => !/^(signalr|vaults|locations)$/i.test(segment))
    .map((segment) => (segment.length >= 32 ? `${segment.slice(0, 4)}…` : segment))
  return `${scope}${tidy.join('/')}`
}

type Read = { key: string; outcomes: { text: string; times: number }[] }

/** `live`: a terminal, where a line may be drawn over. */
export function createTranscript(write: (text: string) => void, live: boolean): Transcript {
  let place = ''
  let reads: Read[] = []
  const cards = new Map<string, string[]>()
  let drawnOver = false

  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    live ? styleText(style, text) : text
  function print(text: string): void {
    if (drawnOver) write('\r\u001b[2K')
    drawnOver = false
    write(`${text}\n`)
  }
  function said(who: string, text: string): void {
    const [first = '', ...rest] = readable(text)
      .split('\n')
      .filter((line) => line.trim() !== '')
    const name = who.padEnd(nameWidth)
    print(` ${who === 'Vaultlink' ? paint('cyan', name) : paint('bold', name)} ${first}`)
    for (const line of rest) print(` ${' '.repeat(nameWidth)} ${line}`)
  }
  function enter(channel: string): void {
    flush()
    if (channel === place) return
    place = channel
    print(
      `\n${paint(['bold', 'underline'], channel.includes(':') ? channel.replace(/^with:/, 'chat with ') : `#${channel}`)}`,
    )
  }
  const bars = (lines: readonly string[]): void => {
    for (const line of lines) print(` ${' '.repeat(nameWidth)} ${paint('dim', '│')} ${signs(line)}`)
  }
  const signs = (line: string): string =>
    live
      ? line
          .replace('✓', styleText('green', '✓'))
          .replace('✗', styleText('red', '✗'))
          .replace('●', styleText('yellow', '●'))
      : line

  /** Polls that say the same are one line: `Running ×3, Succeeded`. */
  function flush(): void {
    for (const { key, outcomes } of reads) {
      const [method = '', path = ''] = key.split(' ')
      const told = outcomes.map(({ text, times }) => (times > 1 ? `${text} ×${times}` : text)).join(', ')
      arm(method, path, told)
    }
    reads = []
  }
  function arm(method: string, path: string, told: string): void {
    const left = ` ${'Azure'.padEnd(nameWidth)} ${method.padEnd(6)} ${path}`
    print(paint('dim', `${left.padEnd(78)} ${told}`))
  }

  function call(event: AzureEvent & { kind: 'arm' }): void {
    const path = shorten(event.path)
    const told = `${event.status || 'no answer'}${outcome(event.body)}`
    if (event.write) {
      flush()
      const person = Object.values(people).find(({ objectId }) => objectId === event.principal)
      arm(event.method, path, person ? `${told}, as ${person.name}` : told)
      return
    }
    const key = `${event.method} ${path}`
    const read = reads.find((candidate) => candidate.key === key)
    if (!read) reads.push({ key, outcomes: [{ text: told, times: 1 }] })
    else {
      const last = read.outcomes.at(-1)
      if (last?.text === told) last.times++
      else read.outcomes.push({ text: told, times: 1 })
    }
    if (!live) return
    const times = reads.reduce(
      (sum, { outcomes }) => sum + outcomes.reduce((all, one) => all + one.times, 0),
      0,
    )
    write(
      `\r\u001b[2K${styleText('dim', ` ${'Azure'.padEnd(nameWidth)} ⋯ ${times} looks, last ${path} ${told}`.slice(0, 110))}`,
    )
    drawnOver = true
  }

  /** A card that is edited shows only the lines that are new on it. */
  function card(event: TeamsEvent & { activityId: string; card?: unknown; kind: string }): void {
    const lines = cardText(event.card).map((line) => line.replace(/^\(hidden\) /, hiddenMark))
    const before = cards.get(event.activityId)
    cards.set(event.activityId, lines)
    if (!before) {
      bars(lines.filter((line) => !line.startsWith(hiddenMark)))
      return
    }
    const fresh = lines.filter((line) => !before.includes(line))
    const [title = ''] = lines
    // Azure's answers in between change only what "Show details" hides.
    if (fresh.every((line) => line.startsWith(hiddenMark)) && fresh.length > 0) {
      said(
        'Vaultlink',
        `(card edited, behind Show details: ${fresh.map((line) => line.slice(1)).join(' · ')})`,
      )
      return
    }
    said('Vaultlink', `(card edited: ${stripVTControlCharacters(title)})`)
    const buttonsGone =
      before.some((line) => line.startsWith('[')) && !lines.some((line) => line.startsWith('['))
    bars([
      ...fresh.filter((line) => line !== title && !line.startsWith(hiddenMark)),
      ...(buttonsGone ? ['(no buttons left)'] : []),
    ])
  }

  function show(event: Event): void {
    switch (event.kind) {
      case 'arm':
        call(event)
        break
      case 'anonymous':
      case 'effect':
      case 'delivery':
        return
      case 'says':
        enter(event.channel)
        said(nameOf(event.who), event.text)
        break
      case 'presses':
        enter(event.channel)
        said(nameOf(event.who), `presses ${event.title}${inputs(event.inputs)}`)
        break
      case 'answers':
        enter(event.channel)
        if (event.text) said('Vaultlink', `(only ${nameOf(event.to)} sees) ${event.text}`)
        return
      case 'posts':
      case 'replies':
        enter(event.channel)
        if (event.text) said('Vaultlink', event.text)
        else if (event.card !== undefined) said('Vaultlink', '(card)')
        if (event.card !== undefined) card(event)
        return
      case 'updates':
        enter(event.channel)
        if (event.card !== undefined) card(event)
        return
      case 'deletes':
        return
      case 'killed':
      case 'started':
      case 'clock':
        flush()
        print(paint('magenta', ` ${'·'.padEnd(nameWidth)} ${event.text}`))
        break
      case 'step':
        if (event.happened) return
        flush()
        print(paint('red', `\n✗ This step did not happen: ${event.text}`))
        break
      case 'counts':
        flush()
        print(`\n${event.text}`)
        break
    }
  }
  return { show, line: print, end: flush }
}

const nameOf = (key: string): string =>
  Object.values(people).find((person) => person.key === key)?.name ?? key

/** Links by their titles, as Teams shows them. */
const readable = (text: string): string => text.replace(/(View in Azure portal) <[^>]*>/g, '[$1]')

const inputs = (given: Record<string, string>): string => {
  const values = Object.values(given).filter((value) => value !== '')
  return values.length > 0 ? ` and writes "${values.join('", "')}"` : ''
}

/** What the answer says of the state, in Azure's own words. */
function outcome(body: unknown): string {
  if (typeof body !== 'object' || body === null) return ''
  const { error, status, properties, value } = body as Record<string, unknown>
  if (typeof error === 'object' && error !== null && 'code' in error) return ` ${String(error.code)}`
  if (typeof status === 'string') return ` ${status}`
  if (Array.isArray(value))
    return ` ${value.length === 1 ? 'one' : value.length === 0 ? 'none' : value.length}`
  if (typeof properties !== 'object' || properties === null) return ''
  const {
    status: state,
    provisioningState,
    privateLinkServiceConnectionState: connection,
  } = properties as Record<string, unknown>
  const approval =
    typeof connection === 'object' && connection !== null && 'status' in connection
      ? connection.status
      : state
  return [provisioningState, approval]
    .filter((text) => typeof text === 'string')
    .map((text) => ` ${String(text)}`)
    .join(' ·')
}
