/** Draws every card with its sample data to `docs/pictures/`, and writes those data beside the templates. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { expand } from '../src/teams/cardTemplates.ts'
import { type Look, openGallery } from '../test/cards/gallery.ts'
import { samples, templateNames } from '../test/cards/samples.ts'
import { findChromium } from './chromium.ts'

const { values } = parseArgs({
  options: {
    /** Where the pictures go. */
    to: { type: 'string', default: 'docs/pictures' },
    /** Every sample in every theme and width, instead of those that the documents show. */
    all: { type: 'boolean', default: false },
  },
})

for (const name of templateNames)
  writeFileSync(`cards/${name}.sample.json`, `${JSON.stringify(samples[name], undefined, 2)}\n`)

const executable = findChromium()
if (executable === undefined) {
  console.error('No Chromium found on the path: the sample data are written, the pictures are not.')
  process.exit(1)
}

const desktop: Look = { theme: 'light', width: 520 }
const phone: Look = { theme: 'light', width: 320 }
/** Those that the documents show. */
const shown: readonly (readonly [name: keyof typeof samples, sample: string, look: Look])[] = [
  ['status', 'pending', desktop],
  ['status', 'approved', desktop],
  ['approval', 'pending', desktop],
  ['approval', 'approved', desktop],
]
/** The buttons of approval cards that open in place. */
const pressed: Readonly<Record<string, readonly string[]>> = {
  pending: ['Approve…', 'Reject…'],
  pendingForTwo: ['Approve…', 'Reject…'],
  unfollowed: ['Reject connection…'],
}
const looks = (name: string, sample: string): readonly Look[] => [
  desktop,
  phone,
  { ...desktop, theme: 'dark' },
  ...(name === 'status' && ['pending', 'stopped'].includes(sample)
    ? ['Show details', 'Cancel request'].flatMap((press) => [
        { ...desktop, press: [press] },
        { ...phone, press: [press] },
      ])
    : []),
  ...(name === 'approval'
    ? (pressed[sample] ?? []).flatMap((press) => [
        { ...desktop, press: [press] },
        { ...phone, press: [press] },
      ])
    : []),
]
const every = templateNames.flatMap((name) =>
  Object.keys(samples[name]).flatMap((sample) =>
    looks(name, sample).map((look) => [name, sample, look] as const),
  ),
)

mkdirSync(values.to, { recursive: true })
const gallery = await openGallery(executable)
for (const [name, sample, look] of values.all ? every : shown) {
  const { png, overflow, problems } = await gallery.draw(
    await expand(name, samples[name][sample] ?? {}),
    look,
  )
  if (overflow > 0)
    console.error(`${name}, ${sample}, ${look.width} px wide: ${overflow} px stand out at the right.`)
  for (const problem of problems) console.error(`${name}, ${sample}: ${problem}`)
  const parts = [
    name,
    sample,
    ...(values.all ? [String(look.width), look.theme] : []),
    ...(look.press ?? []).map((title) => title.replace(/\W+/g, '').toLowerCase()),
  ]
  writeFileSync(`${values.to}/${parts.join('-')}.png`, png)
}
await gallery.close()
