// Draws the app's icons from their SVG sources: npm run icons
import { readFile, writeFile } from 'node:fs/promises'
import { findChromium, launchChromium } from './chromium.ts'

const sizes = { color: 192, outline: 32 } as const
export type Icon = keyof typeof sizes
export const icons = Object.keys(sizes) as Icon[]

/** Where an icon's drawing and its picture lie. */
export const iconFile = (icon: Icon, kind: 'svg' | 'png') =>
  new URL(`../appPackage/${icon}.${kind}`, import.meta.url)

/** The icons as PNG, drawn anew from their sources. */
export async function drawIcons(chromium: string): Promise<Record<Icon, Buffer>> {
  const browser = await launchChromium(chromium)
  try {
    const draw = async (icon: Icon) => {
      const page = await browser.newPage({ viewport: { width: sizes[icon], height: sizes[icon] } })
      const svg = await readFile(iconFile(icon, 'svg'), 'utf8')
      await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${svg}`)
      return page.screenshot({ omitBackground: true })
    }
    return { color: await draw('color'), outline: await draw('outline') }
  } finally {
    await browser.close()
  }
}

if (import.meta.main) {
  const chromium = findChromium()
  if (chromium === undefined) {
    console.error('Install Chromium so that it is on the PATH; the icons are drawn with it.')
    process.exitCode = 1
  } else {
    const drawn = await drawIcons(chromium)
    for (const icon of icons) {
      await writeFile(iconFile(icon, 'png'), drawn[icon])
      console.log(`appPackage/${icon}.png: ${sizes[icon]} × ${sizes[icon]}, ${drawn[icon].length} bytes`)
    }
  }
}
