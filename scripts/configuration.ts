/** `npm run configuration`: writes docs/configuration.md from the settings themselves; a test compares the two. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Setting, settings } from '../src/config.ts'

export const configurationFile = fileURLToPath(new URL('../docs/configuration.md', import.meta.url))

/** The document: a table for each group of settings, in their order. */
export function configurationText(all: readonly Setting[] = settings): string {
  const groups = [...new Set(all.map(({ group }) => group))]
  const cell = (text: string): string => text.replaceAll('|', '\\|')
  const table = (group: string): string =>
    [
      `## ${group}`,
      '',
      '| variable | what it is | default |',
      '| --- | --- | --- |',
      ...all
        .filter((setting) => setting.group === group)
        .map(
          ({ name, what, default: value, secret }) =>
            `| \`${name}\` | ${cell(what)}${secret ? '. Never printed' : ''} | ${value === undefined ? '' : cell(value)} |`,
        ),
    ].join('\n')
  return [
    '# Settings',
    '',
    'Environment variables, read once at the start. Everything that is wrong with them is said at once, each with what to write. This file is made from `src/config.ts` by `npm run configuration`.',
    '',
    groups.map(table).join('\n\n'),
    '',
  ].join('\n')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(configurationFile, configurationText())
  console.log('Wrote docs/configuration.md')
}
