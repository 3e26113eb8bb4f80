import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { findChromium } from '../../scripts/chromium.ts'
import { drawIcons, type Icon, iconFile, icons } from '../../scripts/icons.ts'
import { type Picture, readPng } from './png.ts'

const icon = (name: Icon) => readPng(readFileSync(iconFile(name, 'png')))
const pixels = (picture: Picture) =>
  Array.from({ length: picture.width * picture.height }, (_, i) => {
    const [x, y] = [i % picture.width, Math.floor(i / picture.width)]
    return { x, y, rgba: picture.at(x, y) }
  })
type Box = readonly [left: number, top: number, right: number, bottom: number]
const boxOf = (points: readonly { x: number; y: number }[]): Box => [
  Math.min(...points.map(({ x }) => x)),
  Math.min(...points.map(({ y }) => y)),
  Math.max(...points.map(({ x }) => x)),
  Math.max(...points.map(({ y }) => y)),
]

describe('color.png', () => {
  const color = icon('color')
  test('is 192 by 192 and fills it: Teams rounds the corners itself', () => {
    expect([color.width, color.height]).toEqual([192, 192])
    expect(pixels(color).every(({ rgba }) => rgba[3] === 255)).toBe(true)
  })
  test("keeps the mark within the middle 120 pixels, which is Teams' safe area, and uses all of it", () => {
    // The mark alone is white; the ground's red never passes that of its lighter end.
    const mark = pixels(color).filter(({ rgba }) => rgba[0] > 128)
    const [left, top, right, bottom] = boxOf(mark)
    expect(Math.min(left, top)).toBeGreaterThanOrEqual(36)
    expect(Math.max(right, bottom)).toBeLessThan(156)
    expect(Math.min(right - left, bottom - top)).toBeGreaterThan(116)
  })
  test("stands on the manifest's accent colour: it lies between the two ends of the ground", () => {
    const { accentColor } = JSON.parse(
      readFileSync(new URL('manifest.json', iconFile('color', 'png')), 'utf8'),
    )
    const accent = [1, 3, 5].map((at) => Number.parseInt(accentColor.slice(at, at + 2), 16))
    const [light, dark] = [color.at(0, 0), color.at(191, 191)]
    accent.forEach((value, c) => {
      expect(value).toBeLessThanOrEqual(Math.max(light[c] ?? 0, dark[c] ?? 0))
      expect(value).toBeGreaterThanOrEqual(Math.min(light[c] ?? 0, dark[c] ?? 0))
    })
  })
})

describe('outline.png', () => {
  const outline = icon('outline')
  test('is 32 by 32', () => expect([outline.width, outline.height]).toEqual([32, 32]))
  test('is white and nothing else on nothing', () => {
    const drawn = pixels(outline).filter(({ rgba }) => rgba[3] > 0)
    expect(drawn.filter(({ rgba }) => Math.min(rgba[0], rgba[1], rgba[2]) < 255)).toEqual([])
    expect(drawn.filter(({ rgba }) => rgba[3] === 255).length).toBeGreaterThan(60)
    for (const [x, y] of [
      [0, 0],
      [31, 0],
      [0, 31],
      [31, 31],
    ] as const) {
      expect(outline.at(x, y)[3]).toBe(0)
    }
  })
  test('uses the room that it has and touches no edge', () => {
    const [left, top, right, bottom] = boxOf(pixels(outline).filter(({ rgba }) => rgba[3] > 0))
    expect([left, top, right, bottom]).toEqual([2, 2, 29, 29])
  })
})

const chromium = findChromium()
const title = 'the pictures are what the drawings show'
if (chromium === undefined) {
  test.skip(`${title} [no Chromium on the PATH]`, () => undefined)
} else {
  test(title, async () => {
    const drawn = await drawIcons(chromium)
    for (const name of icons) {
      const [kept, fresh] = [icon(name), readPng(drawn[name])]
      const apart = pixels(kept).map(({ x, y, rgba }) => {
        const other = fresh.at(x, y)
        return Math.max(...rgba.map((value, c) => Math.abs(value - (other[c] ?? 0))))
      })
      // Another Chromium may smooth an edge a little otherwise; a changed drawing moves whole edges.
      expect(apart.filter((difference) => difference > 32)).toEqual([])
    }
  })
}
