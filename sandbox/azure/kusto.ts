/**
 * The small part of the Kusto language that a bot's look-ups need, parsed and run over rows:
 * `table | where … | project … | order by … | limit n`.
 */
export type Row = Readonly<Record<string, unknown>>

type Token = { readonly kind: 'word' | 'text' | 'number' | 'sign'; readonly text: string }
type Path = readonly string[]
type Test =
  | { readonly is: 'and' | 'or'; readonly parts: readonly Test[] }
  | { readonly is: 'not'; readonly part: Test }
  | {
      readonly is: 'compare'
      readonly path: Path
      readonly operator: string
      readonly values: readonly Literal[]
    }
type Literal = string | number | boolean
type Stage =
  | { readonly kind: 'where'; readonly test: Test }
  | { readonly kind: 'project'; readonly columns: readonly { readonly name: string; readonly path: Path }[] }
  | { readonly kind: 'order'; readonly path: Path; readonly descending: boolean }
  | { readonly kind: 'limit'; readonly count: number }
  | { readonly kind: 'count' }
export type Query = { readonly table: string; readonly stages: readonly Stage[] }

/** The query is not in the part of the language that is known here. */
export class QueryError extends Error {}

function tokens(text: string): Token[] {
  const found: Token[] = []
  const pattern =
    /\s+|\/\/[^\n]*|'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|([A-Za-z_][\w$]*~?)|(\d+)|(==|!=|=~|!~|[|(),.=[\]])/gy
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(text)
    if (!match) throw new QueryError(`Unexpected character at ${at}: ${text.slice(at, at + 10)}`)
    const [, single, double, word, number, sign] = match
    const quoted = single ?? double
    if (quoted !== undefined) found.push({ kind: 'text', text: quoted.replaceAll(/\\(.)/g, '$1') })
    else if (word !== undefined) found.push({ kind: 'word', text: word })
    else if (number !== undefined) found.push({ kind: 'number', text: number })
    else if (sign !== undefined) found.push({ kind: 'sign', text: sign })
  }
  return found
}

const operators = ['==', '!=', '=~', '!~', 'contains', 'startswith', 'endswith', 'has', 'in', 'in~']

export function parseQuery(text: string): Query {
  const all = tokens(text)
  let at = 0
  const peek = (): Token | undefined => all[at]
  const isWord = (...words: string[]): boolean => {
    const token = peek()
    return token?.kind === 'word' && words.includes(token.text.toLowerCase())
  }
  const isSign = (sign: string): boolean => peek()?.kind === 'sign' && peek()?.text === sign
  const fail = (wanted: string): never => {
    throw new QueryError(`Expected ${wanted}, found ${peek()?.text ?? 'the end'}`)
  }
  const take = (kind: Token['kind'], wanted: string): string => {
    const token = peek()
    if (token?.kind !== kind) return fail(wanted)
    at += 1
    return token.text
  }
  const sign = (text: string): void => {
    if (!isSign(text)) fail(text)
    at += 1
  }
  const path = (): Path => {
    const parts = [take('word', 'a column')]
    while (isSign('.') || isSign('[')) {
      if (isSign('.')) {
        at += 1
        parts.push(take('word', 'a member'))
      } else {
        at += 1
        parts.push(take('text', 'a member'))
        sign(']')
      }
    }
    return parts
  }
  const column = (): Path => {
    if (!isWord('tostring', 'tolower', 'toupper')) return path()
    if (!isWord('tostring')) fail('a column')
    at += 1
    sign('(')
    const inner = path()
    sign(')')
    return inner
  }
  const literal = (): Literal => {
    const token = peek()
    at += 1
    if (token?.kind === 'text') return token.text
    if (token?.kind === 'number') return Number(token.text)
    if (token?.kind === 'word' && /^(true|false)$/i.test(token.text))
      return token.text.toLowerCase() === 'true'
    at -= 1
    return fail('a value')
  }
  const compare = (): Test => {
    if (isWord('not')) {
      at += 1
      sign('(')
      const part = either()
      sign(')')
      return { is: 'not', part }
    }
    if (isSign('(')) {
      at += 1
      const inner = either()
      sign(')')
      return inner
    }
    const left = column()
    const operator = peek()?.text.toLowerCase() ?? ''
    if (!operators.includes(operator)) fail('an operator')
    at += 1
    if (operator !== 'in' && operator !== 'in~')
      return { is: 'compare', path: left, operator, values: [literal()] }
    sign('(')
    const values = [literal()]
    while (isSign(',')) {
      at += 1
      values.push(literal())
    }
    sign(')')
    return { is: 'compare', path: left, operator, values }
  }
  const joined = (word: 'and' | 'or', part: () => Test) => (): Test => {
    const parts = [part()]
    while (isWord(word)) {
      at += 1
      parts.push(part())
    }
    const [only] = parts
    return parts.length === 1 && only ? only : { is: word, parts }
  }
  const both = joined('and', compare)
  const either = joined('or', both)

  const stage = (): Stage => {
    const verb = take('word', 'an operator').toLowerCase()
    switch (verb) {
      case 'where':
        return { kind: 'where', test: either() }
      case 'project': {
        const columns: { name: string; path: Path }[] = []
        do {
          if (columns.length > 0) sign(',')
          const first = column()
          if (isSign('=') && first.length === 1) {
            at += 1
            columns.push({ name: first[0] ?? '', path: column() })
          } else columns.push({ name: first.join('_'), path: first })
        } while (isSign(','))
        return { kind: 'project', columns }
      }
      case 'order':
      case 'sort': {
        if (!isWord('by')) fail('by')
        at += 1
        const by = column()
        const direction = isWord('asc', 'desc') ? take('word', 'asc or desc') : 'desc'
        return { kind: 'order', path: by, descending: direction.toLowerCase() === 'desc' }
      }
      case 'limit':
      case 'take':
        return { kind: 'limit', count: Number(take('number', 'a number')) }
      case 'count':
        return { kind: 'count' }
      default:
        throw new QueryError(`Unknown operator ${verb}`)
    }
  }

  const table = take('word', 'a table')
  const stages: Stage[] = []
  while (isSign('|')) {
    at += 1
    stages.push(stage())
  }
  if (at < all.length) fail('| or the end')
  return { table: table.toLowerCase(), stages }
}

const valueAt = (row: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    row,
  )

function holds(row: Row, test: Test): boolean {
  switch (test.is) {
    case 'and':
      return test.parts.every((part) => holds(row, part))
    case 'or':
      return test.parts.some((part) => holds(row, part))
    case 'not':
      return !holds(row, test.part)
    case 'compare':
      return compares(String(valueAt(row, test.path) ?? ''), test.operator, test.values.map(String))
    default:
      return test satisfies never
  }
}

function compares(value: string, operator: string, values: readonly string[]): boolean {
  const low = value.toLowerCase()
  const lows = values.map((one) => one.toLowerCase())
  const [first = ''] = lows
  switch (operator) {
    case '==':
    case 'in':
      return values.includes(value)
    case '!=':
      return !values.includes(value)
    case '=~':
    case 'in~':
      return lows.includes(low)
    case '!~':
      return !lows.includes(low)
    case 'startswith':
      return low.startsWith(first)
    case 'endswith':
      return low.endsWith(first)
    case 'has':
      return low.split(/[^a-z0-9]+/).includes(first)
    default:
      return low.includes(first)
  }
}

export function runQuery(query: Query, rows: readonly Row[]): Row[] {
  let left = [...rows]
  for (const stage of query.stages) {
    switch (stage.kind) {
      case 'where':
        left = left.filter((row) => holds(row, stage.test))
        break
      case 'project':
        left = left.map((row) =>
          Object.fromEntries(stage.columns.map(({ name, path }) => [name, valueAt(row, path) ?? null])),
        )
        break
      case 'order': {
        const key = (row: Row): string => String(valueAt(row, stage.path) ?? '')
        left.sort((a, b) => (stage.descending ? -1 : 1) * key(a).localeCompare(key(b)))
        break
      }
      case 'limit':
        left = left.slice(0, stage.count)
        break
      case 'count':
        left = [{ Count: left.length }]
        break
      default:
        stage satisfies never
    }
  }
  return left
}
