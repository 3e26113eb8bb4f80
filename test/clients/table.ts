/** The steps as a table that fits a terminal: what was run, which requests it made, what came of it. */
import type { Step } from './record.ts'

const widths = [52, 62, 34] as const

/** Words of a text in lines of at most `width`; a word that is longer is broken. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'g')) ?? [])
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** An id in a path says nothing here but that it is one. */
const anonymous = (text: string): string =>
  text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')

function row(cells: readonly (readonly string[])[]): string[] {
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, at) =>
    cells
      .map((lines, column) => (lines[at] ?? '').padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

export function table(steps: readonly Step[]): string {
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  const lines: string[] = []
  let client = ''
  for (const step of steps) {
    if (step.client !== client) {
      client = step.client
      lines.push('', client, ...row([['command'], ['requests'], ['outcome']]), rule)
    }
    lines.push(
      ...row([
        wrap(step.command, widths[0]),
        step.requests.length === 0
          ? ['none']
          : step.requests.flatMap((one) => wrap(anonymous(one), widths[1])),
        wrap(`${step.passed ? '✓' : '✗ FAILED'} ${step.outcome}`, widths[2]),
      ]),
    )
  }
  return lines.join('\n')
}
