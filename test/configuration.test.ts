import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { configurationFile, configurationText } from '../scripts/configuration.ts'

test('docs/configuration.md says what src/config.ts reads', () => {
  expect(readFileSync(configurationFile, 'utf8')).toBe(configurationText())
})
