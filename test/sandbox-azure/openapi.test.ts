import { expect, test } from '@jest/globals'
import { type Openapi, readOpenapi } from '../../sandbox/azure/openapi.ts'
import { folderWith, specification } from './specification.ts'

const path = '/subscriptions/{subscription}/providers/Microsoft.Some.Thing/things/{thing}'
const asked = '/Subscriptions/one/providers/microsoft.some.thing/THINGS/two'

const things = specification(
  {
    [`put ${path}`]: {
      operationId: 'Things_Put',
      'x-ms-long-running-operation': true,
      parameters: [
        { name: 'thing', in: 'path', required: true, type: 'string' },
        { name: 'body', in: 'body', schema: { $ref: '#/definitions/Thing' } },
      ],
      responses: {
        200: {
          schema: { $ref: '#/definitions/Thing' },
          headers: { 'Retry-After': { type: 'integer' }, Location: { type: 'string' } },
        },
        202: {},
        default: { schema: { $ref: '../common/types.json#/definitions/Refusal' } },
      },
      'x-ms-examples': { one: { $ref: './examples/one.json' } },
    },
  },
  {
    Thing: {
      type: 'object',
      allOf: [{ $ref: '../common/types.json#/definitions/Resource' }],
      properties: { properties: { $ref: '#/definitions/ThingProperties', description: 'What it is.' } },
    },
    ThingProperties: {
      type: 'object',
      required: ['state'],
      properties: {
        state: { type: 'string', enum: ['On', 'Off'] },
        madeAt: { type: 'string', format: 'date-time' },
        parts: { type: 'array', items: { $ref: '#/definitions/Thing' } },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        anything: { type: 'object' },
      },
    },
  },
)
const common = specification(
  {},
  {
    Resource: { type: 'object', properties: { id: { type: 'string', format: 'arm-id' } } },
    Refusal: { type: 'object', properties: { error: { type: 'object', properties: { code: {} } } } },
  },
)

const read = async (files: Readonly<Record<string, unknown>>): Promise<Openapi> =>
  readOpenapi(await folderWith(files))
const both = (): Promise<Openapi> => read({ 'some/things.json': things, 'common/types.json': common })
const thing = (properties: object, more: object = {}): object => ({ id: '/things/two', properties, ...more })

test.each<[string, number, unknown, string[], Record<string, string>?]>([
  ['what fits', 200, thing({ state: 'On', labels: { a: 'b' }, anything: { at: ['all'] } }), []],
  ['what fits, with its headers', 200, thing({ state: 'On' }), [], { 'retry-after': '1', location: 'x' }],
  ['a status without a body', 202, undefined, []],
  ['an error', 409, { error: { code: 'Conflict' } }, []],
  ['a stray member', 200, thing({ state: 'On' }, { size: 1 }), ['body/size is not in the schema']],
  [
    'stray members at depth',
    200,
    thing({ state: 'On', parts: [thing({ state: 'Off', size: 1 }), thing({ state: 'Off', size: 2 })] }),
    ['body/properties/parts/*/properties/size is not in the schema'],
  ],
  ['a stray member of an error', 400, { error: { cod: 'x' } }, ['body/error/cod is not in the schema']],
  [
    'a wrong type',
    200,
    thing({ state: 'On', labels: { a: 1 } }),
    ['body/properties/labels/a must be string'],
  ],
  ['no body', 200, undefined, ['body must be object']],
  ['an unknown value', 200, thing({ state: 'Up' }), ['body/properties/state is "Up", not one of On, Off']],
  ['a missing member', 200, thing({}), ["body/properties must have required property 'state'"]],
  [
    'no such date',
    200,
    thing({ state: 'On', madeAt: 'yesterday' }),
    ['body/properties/madeAt must match format "date-time"'],
  ],
  ['no resource id', 200, { id: 'two' }, ['body/id must match format "arm-id"']],
  ['a status that is not documented', 201, thing({ state: 'On' }), ['the status is not documented']],
  ['a success that only the default would fit', 204, { error: {} }, ['the status is not documented']],
  ['a body where none is documented', 202, {}, ['body where none is documented']],
  [
    'a header of a wrong type',
    200,
    thing({ state: 'On' }),
    ['header Retry-After is no integer'],
    { 'retry-after': 'soon' },
  ],
])('judges a reply: %s', async (_, status, body, problems, headers = {}) => {
  const operation = (await both()).find('PUT', asked, '2024-03-01')
  expect(operation).toMatchObject({ name: 'Things_Put', longRunning: true })
  expect(operation?.reply(status, headers, body)).toEqual(problems)
})

test('judges a request as well', async () => {
  const operation = (await both()).find('PUT', asked, null)
  expect(operation?.request?.(thing({ state: 'On' }))).toEqual([])
  expect(operation?.request?.(thing({}))).toEqual(["body/properties must have required property 'state'"])
})

test.each([
  ['GET', asked],
  ['PUT', `${asked}/parts`],
  ['PUT', asked.replace('.some.', '-some-')],
])('leaves what is not in the files: %s %s', async (method, other) => {
  expect((await both()).find(method, other, '2024-03-01')).toBeUndefined()
})

test('takes the file of the api-version that was asked for, else the newest', async () => {
  const of = (version: string) =>
    specification({ [`get ${path}`]: { operationId: version, responses: { 200: {} } } }, {}, version)
  const openapi = await read({
    'a/2020-01-01/t.json': of('2020-01-01'),
    'a/2024-01-01/t.json': of('2024-01-01'),
  })
  expect(openapi.operations.map(({ name }) => name)).toEqual(['2020-01-01', '2024-01-01'])
  expect(openapi.find('GET', asked, '2020-01-01')?.name).toBe('2020-01-01')
  expect(openapi.find('GET', asked, '2030-01-01')?.name).toBe('2024-01-01')
})

test('leaves examples and other JSON aside, and says when there is nothing else', async () => {
  const files = { 'some/examples/one.json': things, 'package.json': { name: 'x' } }
  await expect(read(files)).rejects.toThrow('There are no OpenAPI files below ')
})

test('a schema in a file that is not there fits nothing, and says why', async () => {
  const openapi = await read({ 'some/things.json': things })
  const [problem] = openapi.find('PUT', asked, null)?.reply(200, {}, thing({ state: 'On' })) ?? []
  expect(problem).toMatch(/^body cannot be judged: can't resolve reference .*common\/types\.json/)
})
