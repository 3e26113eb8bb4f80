import { readFile } from 'node:fs/promises'
import { beforeAll, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import { billOfMaterials } from '../../scripts/sbom.ts'
import { lock } from './lock.ts'

type Component = { readonly 'bom-ref': string; readonly purl: string; readonly hashes?: readonly unknown[] }
type Bill = { readonly metadata: { readonly component: unknown }; readonly components: readonly Component[] }

let bill: Bill
beforeAll(async () => {
  bill = JSON.parse(await billOfMaterials()) as Bill
})

const schemas = '../../node_modules/@cyclonedx/cyclonedx-library/res/schema'
/** A schema as CycloneDX's makers ship it; the name of the file is how they refer to each other. */
async function schema(file: string): Promise<object> {
  return JSON.parse(await readFile(new URL(`${schemas}/${file}`, import.meta.url), 'utf8')) as object
}

test('is CycloneDX 1.5, as its schema has it', async () => {
  // The schema is written for draft 7 and names formats that no part of a bill of ours has.
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  for (const part of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'])
    ajv.addSchema(await schema(part), `http://cyclonedx.org/schema/${part}`)
  const validate = ajv.compile(await schema('bom-1.5.SNAPSHOT.schema.json'))
  validate(bill)
  expect(validate.errors).toBeNull()
  validate({ ...bill, components: [{ type: 'library' }] })
  expect(validate.errors).not.toBeNull()
})

test('is of Vaultlink, and names every package of production, each with its hash, and no other', () => {
  expect(bill.metadata.component).toMatchObject({ name: 'vaultlink', type: 'application' })
  const production = lock.filter(({ dev }) => !dev)
  expect(production.length).toBeGreaterThan(100)
  expect(bill.components.map((one) => one['bom-ref']).toSorted()).toEqual(
    [...new Set(production.map(({ name, version }) => `${name}@${version}`))].toSorted(),
  )
  for (const { hashes, purl } of bill.components) {
    expect(hashes).toHaveLength(1)
    expect(purl).toMatch(/^pkg:npm\//)
  }
})
