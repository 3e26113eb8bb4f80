/**
 * One JSON object a line on standard output: an event's name and plain fields. What must not be read there is kept out
 * three times over: nobody hands in what people wrote or what a service answered in words, an error is cut down to
 * what bears no words, and what looks like a secret is taken out of the finished line.
 */
import pino from 'pino'
import type { Log } from './engine/ports.ts'

/** `secrets` are values that no line may hold, whoever wrote it. */
export function createLog(now: () => number, secrets: readonly string[] = []): Log {
  const clean = cleaner(secrets)
  const logger = pino(
    {
      base: null,
      timestamp: () => `,"at":"${new Date(now()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
      redact: ['authorization', 'token', 'password', 'secret', 'body', 'text', 'words', 'reason'],
      hooks: { streamWrite: clean },
    },
    // Written before the next instruction runs: what is killed after it has said so.
    pino.destination({ fd: 1, sync: true }),
  )
  return (level, event, fields, error) =>
    logger[level]({ event, ...fields, ...(error !== undefined && errorFields(error)) })
}

/** An error's name, code, status and where it was thrown. Its message may quote what people wrote, or a service's words. */
export function errorFields(error: unknown): Record<string, string | number | undefined> {
  if (!(error instanceof Error)) return { error: typeof error }
  const { code, statusCode } = error as Error & { code?: unknown; statusCode?: unknown }
  return {
    error: word(error.name) ?? 'Error',
    code: typeof code === 'number' ? code : word(code),
    status: typeof statusCode === 'number' ? statusCode : undefined,
    // `at` is the line's own time.
    thrown:
      error.stack
        ?.split('\n')
        .filter((line) => line.startsWith('    at '))
        .slice(0, 3)
        .map((line) => line.trim())
        .join(' ') || undefined,
  }
}

/** A code or a name is a word; what is longer, or says more, is somebody's sentence. */
const word = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.:/-]{1,80}$/.test(value) ? value : undefined

const patterns: readonly (readonly [RegExp, string])[] = [
  [/eyJ[\w-]{5,}(?:\.[\w-]*){0,4}/g, '[token]'],
  [/\b(Bearer|Basic) [\w.~+/=-]{4,}/gi, '$1 [token]'],
  [/\bvaultlink [0-9a-f]{32}\b/gi, 'vaultlink [mark]'],
]
/** Conversations are named `19:…@thread.tacv2`, and they are no secret. */
const address = /[\w.%+'-]+@(?!thread\.)(?:[\w-]+\.)+[a-z]{2,}/gi

/** A finished line without what looks like a secret; still JSON, since nothing that is put in needs an escape. */
function cleaner(secrets: readonly string[]): (line: string) => string {
  const values = secrets.flatMap((secret) =>
    secret === '' ? [] : [JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)],
  )
  return (line) => {
    let clean = line
    for (const value of values) clean = clean.replaceAll(value, '[secret]')
    for (const [pattern, instead] of patterns) clean = clean.replace(pattern, instead)
    // Most lines hold none, and this pattern would try every word of them.
    return clean.includes('@') ? clean.replace(address, '[address]') : clean
  }
}
