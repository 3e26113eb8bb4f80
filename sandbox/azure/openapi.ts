import { readdir, readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnySchemaObject, ErrorObject } from 'ajv'
import type { Ajv2019 } from 'ajv/dist/2019.js'
import { member } from './routes.ts'

/** One operation of the files, as a judge of what is asked of it and of what it answers: each says what does not fit. */
export type Operation = {
  readonly name: string
  /** It may answer with a `Location`, at which its own reply is to be had in the end. */
  readonly longRunning: boolean
  readonly reply: (status: number, headers: Readonly<Record<string, string>>, body: unknown) => string[]
  /** Undefined where it takes no body. */
  readonly request: ((body: unknown) => string[]) | undefined
}

export type Openapi = {
  /** Every operation that the files describe. */
  readonly operations: readonly { readonly name: string; readonly method: string; readonly path: string }[]
  find(method: string, path: string, apiVersion: string | null): Operation | undefined
  /** Of a refusal by ARM itself: the `ErrorResponse` that all its providers share, where the files have it. */
  readonly refusal: Operation['reply']
}

/** Reads every OpenAPI file below the folder; a schema is compiled when the first body asks for it. */
export async function readOpenapi(folder: string): Promise<Openapi> {
  const documents = await documentsBelow(folder)
  if (documents.length === 0) throw new Error(`There are no OpenAPI files below ${folder}`)
  const { Ajv2019 } = await import('ajv/dist/2019.js')
  const ajv = new Ajv2019({ strict: false, allErrors: true, verbose: true, logger: false, formats })
  for (const { base, document } of documents) ajv.addSchema(definitionsOf(document, base))
  const compile: Compile = (schema, base) => {
    let fits: Judge | undefined
    return (body) => {
      fits ??= compiled(ajv, closed(schema, base))
      return fits(body)
    }
  }
  const operations = documents.flatMap(({ base, document }) => operationsOf(document, base, compile))
  const common = documents.find(({ document }) => member(member(document, 'definitions'), 'ErrorResponse'))
  const refusalFits = common && compile({ $ref: '#/definitions/ErrorResponse' }, common.base)
  return {
    refusal: (_status, _headers, body) => refusalFits?.(body) ?? [],
    operations: [...new Map(operations.map((one) => [one.name, one])).values()],
    find(method, path, apiVersion) {
      const found = operations.filter((one) => one.method === method && one.pattern.test(path))
      return found.find((one) => one.version === apiVersion) ?? found.at(-1)
    },
  }
}

type Judge = (body: unknown) => string[]
type Compile = (schema: unknown, base: string) => Judge

/** A schema that cannot be compiled, say for a file that is not there, fits nothing and says why. */
function compiled(ajv: Ajv2019, schema: AnySchemaObject): Judge {
  try {
    const validate = ajv.compile(schema)
    return (body) => (validate(body) ? [] : [...new Set((validate.errors ?? []).map(problem))])
  } catch (error) {
    return () => [`body cannot be judged: ${error instanceof Error ? error.message : String(error)}`]
  }
}

// The formats of replies that have a form to check; of the others only the type counts.
const formats = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  'arm-id': /^\/\S/,
}

async function documentsBelow(folder: string): Promise<{ base: string; document: unknown }[]> {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => name.endsWith('.json') && !name.split(sep).includes('examples')).sort()
  const read = files.map(async (name) => {
    const file = join(folder, name)
    const document: unknown = JSON.parse(await readFile(file, 'utf8'))
    return { base: pathToFileURL(file).href, document }
  })
  return (await Promise.all(read)).filter(({ document }) => member(document, 'swagger') === '2.0')
}

const entries = (value: unknown): [string, unknown][] =>
  typeof value === 'object' && value !== null ? Object.entries(value) : []

const mapped = (value: unknown, change: (one: unknown) => unknown): Record<string, unknown> =>
  Object.fromEntries(entries(value).map(([name, one]) => [name, change(one)]))

/** Each definition twice: as others extend it, and as it stands by itself. */
function definitionsOf(document: unknown, base: string): AnySchemaObject {
  const definitions = member(document, 'definitions')
  return {
    $id: base,
    definitions: mapped(definitions, (one) => closed(one, base, true)),
    closed: mapped(definitions, (one) => closed(one, base)),
  }
}

/** The schema without room for members that it does not name; what it extends stays open, for the two are closed as one. */
function closed(schema: unknown, base: string, extended = false): AnySchemaObject {
  const $ref = member(schema, '$ref')
  if (typeof $ref === 'string') {
    const { href } = new URL($ref, base)
    return { $ref: extended ? href : href.replace('#/definitions/', '#/closed/') }
  }
  const { properties, items, allOf, additionalProperties, ...rest } = Object(schema)
  return {
    ...rest,
    ...(properties && { properties: mapped(properties, (one) => closed(one, base)) }),
    ...(items && { items: closed(items, base) }),
    ...(allOf && { allOf: entries(allOf).map(([, one]) => closed(one, base, true)) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === 'object' ? closed(additionalProperties, base) : additionalProperties,
    }),
    ...((properties || allOf) && !extended && { unevaluatedProperties: false }),
  }
}

type Described = Operation & {
  readonly method: string
  readonly path: string
  readonly pattern: RegExp
  readonly version: unknown
}

function operationsOf(document: unknown, base: string, compile: Compile): Described[] {
  const version = member(member(document, 'info'), 'version')
  return entries(member(document, 'paths')).flatMap(([path, methods]) =>
    entries(methods)
      .filter(([, operation]) => member(operation, 'responses') !== undefined)
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        pattern: patternOf(path),
        version,
        name: String(member(operation, 'operationId') ?? `${method}:${path}`),
        longRunning: member(operation, 'x-ms-long-running-operation') === true,
        reply: replyJudge(member(operation, 'responses'), base, compile),
        request: requestJudge(member(operation, 'parameters'), base, compile),
      })),
  )
}

const patternOf = (path: string): RegExp =>
  new RegExp(
    `^${path
      .split(/\{[^}]+\}/)
      .map((literal) => literal.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&'))
      .join('[^/]+')}$`,
    'i',
  )

function replyJudge(responses: unknown, base: string, compile: Compile): Operation['reply'] {
  const answers = new Map(
    entries(responses).map(([status, response]) => {
      const schema = member(response, 'schema')
      const body: Judge = schema
        ? compile(schema, base)
        : (given) => (given === undefined ? [] : ['body where none is documented'])
      return [status, { body, headers: entries(member(response, 'headers')) }]
    }),
  )
  return (status, headers, body) => {
    const answer = answers.get(String(status)) ?? (status >= 400 ? answers.get('default') : undefined)
    if (!answer) return ['the status is not documented']
    return [...answer.headers.flatMap((header) => headerProblems(header, headers)), ...answer.body(body)]
  }
}

/** OpenAPI 2 cannot require a header of a reply: one that is there has its type. */
function headerProblems(
  [name, header]: [string, unknown],
  given: Readonly<Record<string, string>>,
): string[] {
  const value = given[name.toLowerCase()]
  return value !== undefined && member(header, 'type') === 'integer' && !/^-?\d+$/.test(value)
    ? [`header ${name} is no integer`]
    : []
}

function requestJudge(parameters: unknown, base: string, compile: Compile): Operation['request'] {
  const body = entries(parameters).find(([, one]) => member(one, 'in') === 'body')?.[1]
  return body === undefined ? undefined : compile(member(body, 'schema'), base)
}

function problem({ keyword, instancePath, params, message, data }: ErrorObject): string {
  // Where in a list it is says nothing.
  const at = `body${instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*')}`
  if (keyword === 'unevaluatedProperties') return `${at}/${params.unevaluatedProperty} is not in the schema`
  if (keyword === 'enum')
    return `${at} is ${JSON.stringify(data)}, not one of ${params.allowedValues.join(', ')}`
  return `${at} ${message}`
}
