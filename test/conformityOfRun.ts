/** Has every sandbox of a run, in whatever process, hold its replies against Microsoft's OpenAPI files. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { add, answered, emptyTally, type Tally } from '../sandbox/azure/tally.ts'

const shared = fileURLToPath(new URL('../../shared/azure/openapi', import.meta.url))

type Outcome = {
  readonly deviations: readonly string[]
  /** Request bodies that do not fit, which is the business of whoever sent them. */
  readonly misfits: readonly string[]
  readonly line: string
}

/** Tells the workers and their children, who inherit the environment; what is returned sums up once they are done. */
export function beginConformity(): () => Outcome {
  if (process.env.SANDBOX_OPENAPI === undefined && existsSync(shared)) process.env.SANDBOX_OPENAPI = shared
  if (!process.env.SANDBOX_OPENAPI)
    return () => ({
      deviations: [],
      misfits: [],
      line: "conformity: not checked, for want of Microsoft's OpenAPI files (../shared/azure/openapi)",
    })
  const folder = mkdtempSync(join(tmpdir(), 'vaultlink-conformity-'))
  const file = join(folder, 'tallies')
  process.env.SANDBOX_CONFORMITY = file
  return () => {
    const run = emptyTally()
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
    for (const line of lines) add(run, JSON.parse(line))
    rmSync(folder, { recursive: true, force: true })
    const listed = (what: string, counts: Tally['answers']): string[] =>
      Object.entries(counts).map(([line, count]) => `${what}: ${line} (${many(count, 'time', 'times')})`)
    return {
      deviations: listed('deviation', run.deviations),
      misfits: listed('sent', run.misfits),
      line: sentence(run),
    }
  }
}

const sum = (counts: Tally['answers']): number => Object.values(counts).reduce((all, one) => all + one, 0)
const many = (count: number, one: string, more: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : more}`

function sentence(run: Tally): string {
  if (run.documented === 0) return 'conformity: no local Azure was started'
  const replies = many(sum(run.answers), 'reply', 'replies')
  const kinds = many(Object.keys(run.answers).length, 'kind', 'kinds')
  const deviations = many(Object.keys(run.deviations).length, 'deviation', 'deviations')
  const others = many(run.undescribed, 'reply', 'replies')
  const bodies = many(sum(run.requests), 'request body', 'request bodies')
  return `conformity: ${replies} of the local Azure checked against Microsoft's OpenAPI files, ${answered(run).length} of ${run.documented} documented operations, ${kinds} of answer (operation and status), ${deviations}; ${others} to paths that the files do not describe; ${bodies}, ${sum(run.misfits).toLocaleString('en')} of them not as documented`
}
