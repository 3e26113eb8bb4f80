import { existsSync, readFileSync } from 'node:fs'
import { Ajv2019, type ValidateFunction } from 'ajv/dist/2019.js'

/** The official OpenAPI files, as a judge of replies. */
const root = new URL('../../../shared/azure/openapi/', import.meta.url)
export const openapiIsThere = existsSync(root)

const files = [
  'signalr/resource-manager/Microsoft.SignalRService/stable/2024-03-01/signalr.json',
  'keyvault/resource-manager/Microsoft.KeyVault/stable/2024-11-01/keyvault.json',
  'keyvault/resource-manager/Microsoft.KeyVault/stable/2024-11-01/common.json',
  'common-types/resource-management/v5/types.json',
]

type Schema = { $ref: string }
type Definition = { allOf?: { $ref?: string }[]; [keyword: string]: unknown }
type Document = {
  definitions?: Record<string, Definition>
  paths?: Record<string, Record<string, { responses: Record<string, { schema?: Schema }> }>>
}

/** No member that the file does not name, at any depth; what others extend is closed where they do. */
function closed(definitions: Record<string, Definition>): Record<string, Definition> {
  const extended = new Set([
    'Resource',
    ...Object.values(definitions).flatMap(({ allOf = [] }) =>
      allOf.map(({ $ref = '' }) => $ref.split('/').at(-1)),
    ),
  ])
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      definition.properties && !extended.has(name) && name !== 'ProxyResource'
        ? { ...definition, unevaluatedProperties: false }
        : definition,
    ]),
  )
}

export type Verdict = { operation: string; problems: string[] }

/** Judges one reply: is the status documented for this path, and does the body fit its schema, without a stray member? */
export function openapiJudge(): (method: string, path: string, status: number, body: unknown) => Verdict {
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true })
  const operations: {
    pattern: RegExp
    method: string
    name: string
    responses: Record<string, { schema?: Schema }>
    file: string
  }[] = []
  for (const file of files) {
    const document: Document = JSON.parse(readFileSync(new URL(file, root), 'utf8'))
    ajv.addSchema({
      ...document,
      definitions: closed(document.definitions ?? {}),
      $id: `https://openapi/${file}`,
    })
    for (const [path, methods] of Object.entries(document.paths ?? {}))
      for (const [method, { responses }] of Object.entries(methods))
        operations.push({
          pattern: new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`, 'i'),
          method: method.toUpperCase(),
          name: `${method.toUpperCase()} ${path.split('/providers/')[1]}`,
          responses,
          file,
        })
  }
  const compiled = new Map<string, ValidateFunction>()
  return (method, path, status, body) => {
    const operation = operations.find((one) => one.method === method && one.pattern.test(path))
    if (!operation) return { operation: '', problems: ['the path is not in the files'] }
    const response =
      operation.responses[String(status)] ?? (status >= 400 ? operation.responses.default : undefined)
    const verdict = (problems: string[]): Verdict => ({ operation: `${operation.name} ${status}`, problems })
    if (!response) return verdict([`status ${status} is not documented`])
    if (!response.schema) return verdict(body === undefined ? [] : ['a body where none is documented'])
    const $ref = new URL(response.schema.$ref, `https://openapi/${operation.file}`).href
    const validate = compiled.get($ref) ?? ajv.compile({ $ref })
    compiled.set($ref, validate)
    return verdict(
      validate(body) ? [] : (validate.errors ?? []).map((one) => `${one.instancePath} ${one.message}`),
    )
  }
}
