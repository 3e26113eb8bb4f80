/** What production installs: the overrides of SECURITY.md in force, nothing that has to run a script, nothing unhashed. */
import { describe, expect, test } from '@jest/globals'
import { lock, project } from './lock.ts'

const numbers = (version: string): readonly number[] => version.split('.').map(Number)

/** Whether a version is one that `^range` takes, of a range whose major number is not 0. */
function takes(range: string, version: string): boolean {
  const [least, is] = [numbers(range.replace('^', '')), numbers(version)]
  if (least[0] !== is[0]) return false
  const place = least.findIndex((number, index) => number !== is[index])
  return place === -1 || (is[place] ?? 0) > (least[place] ?? 0)
}

const fixed = { uuid: '^11.1.1', 'fast-xml-parser': '^5.7.0', pino: '^10', '@azure/msal-node': '^5.6.0' }

describe('the override of', () => {
  test.each(Object.entries(fixed))('%s to %s is in force everywhere', (name, range) => {
    expect(project.overrides[name] ?? project.dependencies[name]).toBeDefined()
    const installed = lock.filter((one) => one.name === name)
    expect(installed.length).toBeGreaterThan(0)
    for (const { path, version } of installed)
      expect([path, version, takes(range, version)]).toEqual([path, version, true])
  })

  test('none of them would take what it is against', () => {
    expect(takes('^11.1.1', '11.1.0')).toBe(false)
    expect(takes('^11.1.1', '8.3.2')).toBe(false)
    expect(takes('^5.7.0', '5.12.1')).toBe(true)
    expect(lock.some(({ name }) => name === 'fast-redact')).toBe(false)
  })
})

test('nothing that production installs has to run a script of its own', () => {
  // dtrace-provider builds an optional probe, and does without; allowScripts keeps npm from it.
  const scripted = lock.filter(({ dev, hasInstallScript }) => !dev && hasInstallScript)
  expect(scripted).toMatchObject([{ name: 'dtrace-provider', optional: true }])
  expect(project.allowScripts['dtrace-provider']).toBe(false)
})

test('every package is held to a hash, and no download host is named', () => {
  for (const { path, integrity } of lock)
    expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)])
  expect(JSON.stringify(lock)).not.toContain('"resolved"')
})

test('the versions that are asked for are exact', () => {
  for (const [name, version] of Object.entries(project.dependencies))
    expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)])
})
