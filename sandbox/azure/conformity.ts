import { appendFileSync } from 'node:fs'
import { type Openapi, type Operation, readOpenapi } from './openapi.ts'
import { add, emptyTally, type Tally } from './tally.ts'

/**
 * Holds every reply against Microsoft's OpenAPI files, tells on stderr what does not fit, and counts. Where the files are
 * is given, or SANDBOX_OPENAPI says it; then SANDBOX_CONFORMITY may name a file that takes the counts of every sandbox.
 */
export type Conformity = {
  judge(exchange: Exchange): void
  tally(): Tally
  close(): void
}

export type Exchange = {
  readonly method: string
  readonly path: string
  readonly url: URL
  readonly requestBody: unknown
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly by: 'gateway' | 'provider'
}

// What is compiled serves every sandbox of the process.
const read = new Map<string, Promise<Openapi>>()

export async function startConformity(given: string | undefined): Promise<Conformity | undefined> {
  const folder = given ?? process.env.SANDBOX_OPENAPI
  if (!folder) return undefined
  const file = given === undefined ? process.env.SANDBOX_CONFORMITY : undefined
  const reading = read.get(folder) ?? readOpenapi(folder)
  read.set(folder, reading)
  const openapi = await reading
  const empty = (): Tally => emptyTally(openapi.operations.length)
  const total = empty()
  let unwritten = empty()
  const write = (): void => {
    if (file) appendFileSync(file, `${JSON.stringify(unwritten)}\n`)
    unwritten = empty()
  }
  /** Where long-running operations sent their callers. */
  const polled = new Map<string, Operation>()

  function judged({ method, path, url, requestBody, status, headers, body, by }: Exchange): Tally {
    const one = emptyTally()
    const begun = method === 'GET' ? polled.get(url.pathname + url.search) : undefined
    const operation = begun ?? openapi.find(method, path, url.searchParams.get('api-version'))
    if (!operation) return { ...one, undescribed: 1 }
    const answer = `${operation.name} ${status}${begun ? ' polled' : ''}`
    one.answers[answer] = 1
    // What ARM refuses before a provider sees it has ARM's own form, whatever the operation documents.
    const fits = by === 'gateway' && status >= 400 ? openapi.refusal : operation.reply
    // ARM's own rule for a poll: 202 as long as the operation runs.
    if (!begun || status !== 202)
      for (const problem of fits(status, headers, asSent(body))) one.deviations[`${answer}: ${problem}`] = 1
    if (operation.longRunning && headers.location) {
      const { pathname, search } = new URL(headers.location)
      polled.set(pathname + search, operation)
    }
    if (operation.request && !begun) {
      one.requests[operation.name] = 1
      const problems = operation.request(requestBody)
      if (problems.length > 0) one.misfits[`${answer}: ${problems.join('; ')}`] = 1
    }
    return one
  }

  return {
    judge(exchange) {
      const one = judged(exchange)
      const deviations = Object.keys(one.deviations).filter((line) => !(line in total.deviations))
      for (const line of deviations)
        console.error(`deviates from the OpenAPI files: ${line} (${exchange.method} ${exchange.path})`)
      const isNew = deviations.length > 0 || Object.keys(one.answers).some((name) => !(name in total.answers))
      add(total, one)
      add(unwritten, one)
      // Whoever is killed before it closes has told at least of every kind.
      if (isNew) write()
    },
    tally: () => structuredClone(total),
    close: write,
  }
}

const asSent = (body: unknown): unknown => (body === undefined ? undefined : JSON.parse(JSON.stringify(body)))
