/** A small picture of how the engine's figures grow: a look by the number of links, claims by the number of workers. */
import { type AtScale, databases, workers } from './atScale.ts'

export const pictureName = 'atScale.svg'

const [width, height, margin] = [300, 200, 44]
const colors: Readonly<Record<(typeof databases)[number], string>> = {
  SQLite: '#0f6cbd',
  PostgreSQL: '#c239b3',
}

type Line = {
  readonly name: string
  readonly color: string
  readonly dashed: boolean
  readonly values: readonly number[]
}

export function pictureOf(atScale: readonly AtScale[]): string {
  const links = [...new Set(atScale.map((one) => one.links))]
  const looks = databases.map((database) => ({
    name: database,
    color: colors[database],
    dashed: false,
    values: links.map(
      (count) => atScale.find((one) => one.database === database && one.links === count)?.look.ms ?? 0,
    ),
  }))
  const claims = atScale.map((one) => ({
    name: `${one.database}, ${one.links.toLocaleString('en')}`,
    color: colors[one.database],
    dashed: one.links !== links[0],
    values: workers.map((count) => one.claimsPerSecond.get(count) ?? 0),
  }))
  const panels = [
    panel(
      'ms a look, by links that wait',
      links.map((count) => count.toLocaleString('en')),
      looks,
      0,
    ),
    panel('claims a second, by workers', workers.map(String), claims, width),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * width} ${height}" width="${2 * width}" height="${height}" font-family="sans-serif" font-size="10">
<title>A look by the links that wait, and claims a second by workers</title>
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`
}

function panel(title: string, steps: readonly string[], lines: readonly Line[], left: number): string {
  const most = Math.max(...lines.flatMap(({ values }) => values)) * 1.1
  const [right, bottom, top] = [width - 16, height - 30, 48]
  const x = (index: number): number => margin + ((right - margin) * index) / Math.max(1, steps.length - 1)
  const y = (value: number): number => bottom - ((bottom - top) * value) / most
  const drawn = lines.flatMap(({ name, color, dashed, values }, index) => {
    const points = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    const dash = dashed ? ' stroke-dasharray="4 3"' : ''
    const [column, row] = [index % 2, Math.floor(index / 2)]
    return [
      `<polyline points="${points}" fill="none" stroke="${color}" stroke-width="2"${dash}/>`,
      `<line x1="${margin + column * 125}" y1="${25 + row * 12}" x2="${margin + column * 125 + 14}" y2="${25 + row * 12}" stroke="${color}" stroke-width="2"${dash}/>`,
      `<text x="${margin + column * 125 + 18}" y="${28 + row * 12}">${name}</text>`,
    ]
  })
  const marks = [0, most / 2.2, most / 1.1].map(
    (value) =>
      `<text x="${margin - 6}" y="${y(value) + 3}" text-anchor="end">${value.toFixed(0)}</text><line x1="${margin}" y1="${y(value)}" x2="${right}" y2="${y(value)}" stroke="#ddd"/>`,
  )
  const under = steps.map(
    (step, index) => `<text x="${x(index)}" y="${bottom + 14}" text-anchor="middle">${step}</text>`,
  )
  return `<g transform="translate(${left} 0)"><text x="${margin}" y="13" font-weight="bold">${title}</text>${[...marks, ...under, ...drawn].join('')}</g>`
}
