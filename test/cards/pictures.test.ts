/** A picture of every card, at a desktop's and at a phone's width: nothing may stand out of it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findChromium } from '../../scripts/chromium.ts'
import { expand } from '../../src/teams/cardTemplates.ts'
import { type Gallery, openGallery } from './gallery.ts'
import { samples, templateNames } from './samples.ts'

const executable = findChromium()
const drawn = executable === undefined ? describe.skip : describe
/** The longest of each template, and those with something to open. */
const shown = [
  ['status', 'pending', ['Show details', 'Cancel request']],
  ['status', 'stopped', ['Show details']],
  ['status', 'approved', []],
  ['approval', 'pending', ['Approve…', 'Reject…']],
  ['approval', 'stopped', []],
  ['linkForm', 'lists', []],
  ['confirmUnlink', 'approved', []],
  ['help', 'commands', []],
  ['welcome', 'team', []],
] as const

drawn(`pictures${executable === undefined ? ' [no Chromium on the path]' : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'vaultlink-pictures-'))
  let gallery: Gallery
  beforeAll(async () => {
    gallery = await openGallery(executable ?? '')
  })
  afterAll(() => gallery.close())

  test('every template is drawn', () => {
    expect([...new Set(shown.map(([name]) => name))].sort()).toEqual([...templateNames].sort())
  })

  test.each([
    ...shown.map((each) => [...each, 320] as const),
    ...shown.filter(([, sample]) => sample === 'pending').map((each) => [...each, 520] as const),
  ])('%s %s, %j pressed, %i px', async (name, sample, press, width) => {
    const card = await expand(name, samples[name][sample] ?? {})
    const { png, overflow, problems } = await gallery.draw(card, { theme: 'light', width, press })
    expect(problems).toEqual([])
    expect(overflow).toBe(0)
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    writeFileSync(join(folder, `${name}-${sample}-${width}.png`), png)
  })
})
