/** Draws Adaptive Cards in Chromium as Teams shows them: Microsoft's renderer with the Teams host config. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { launchChromium } from '../../scripts/chromium.ts'

const require = createRequire(import.meta.url)

export type Look = {
  readonly theme: 'light' | 'dark'
  readonly width: number
  /** Titles of the actions that are pressed before the picture is taken, in order. */
  readonly press?: readonly string[]
}
export type Gallery = {
  /** The picture, how many pixels stand out at the right, and what the renderer complained of. */
  draw(
    card: unknown,
    look: Look,
  ): Promise<{ readonly png: Buffer; readonly overflow: number; readonly problems: readonly string[] }>
  close(): Promise<void>
}

// Teams' own buttons and inputs are drawn by its client, not by the host config: an approximation of them.
const style = `
  * { box-sizing: border-box }
  body { margin: 0; padding: 12px; background: var(--page); color: var(--ink); font: 14px/20px 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif }
  #card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; box-shadow: 0 1px 2px #0002 }
  .ac-actionSet { flex-wrap: wrap; row-gap: 8px; overflow: visible !important }
  .ac-actionSet > * { max-width: 100% }
  .ac-pushButton { font: 600 14px/20px 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif; padding: 5px 12px; border-radius: 4px; border: 1px solid var(--edge); background: var(--card); color: var(--ink); max-width: 100% }
  .ac-pushButton.style-positive { background: #5b5fc7; border-color: #5b5fc7; color: #fff }
  .ac-pushButton.style-destructive { background: var(--card); border-color: #c4314b; color: #c4314b }
  .ac-pushButton.expandable::after { content: ' ⌄' }
  .ac-input { width: 100%; font: inherit; padding: 6px 10px; border: 1px solid var(--edge); border-radius: 4px; background: var(--field); color: var(--ink) }
  textarea.ac-input { min-height: 64px }
`
const colors = {
  light: '--page:#f5f5f5;--card:#fff;--ink:#252424;--line:#e1e1e1;--edge:#c8c6c4;--field:#f7f7f7',
  dark: '--page:#1f1f1f;--card:#292929;--ink:#fff;--line:#3d3d3d;--edge:#666;--field:#1f1f1f',
}

export async function openGallery(executablePath: string): Promise<Gallery> {
  const browser = await launchChromium(executablePath)
  const library = readFileSync(require.resolve('adaptivecards/dist/adaptivecards.js'), 'utf8')
  const pages = new Map<string, Promise<Page>>()
  const pageFor = (theme: Look['theme'], width: number): Promise<Page> => {
    const key = `${theme} ${width}`
    const open = async (): Promise<Page> => {
      const page = await browser.newPage({ viewport: { width, height: 60 }, deviceScaleFactor: 2 })
      await page.setContent(
        `<!doctype html><html style="${colors[theme]}"><meta charset="utf-8"><style>${style}</style><div id="card"></div>`,
      )
      await page.addScriptTag({ content: library })
      return page
    }
    const page = pages.get(key) ?? open()
    pages.set(key, page)
    return page
  }
  return {
    async draw(card, { theme, width, press = [] }) {
      const page = await pageFor(theme, width)
      const problems = await render(page, card, hostConfig(theme))
      for (const title of press) await page.getByRole('button', { name: title, exact: true }).first().click()
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      return { png: await page.screenshot({ fullPage: true }), overflow: Number(overflow), problems }
    },
    close: () => browser.close(),
  }
}

const hostConfigs = {
  light: require.resolve('adaptivecards-designer/lib/hostConfigs/microsoft-teams-light.json'),
  dark: require.resolve('adaptivecards-designer/lib/hostConfigs/microsoft-teams-dark.json'),
}
const hostConfig = (theme: Look['theme']): unknown => JSON.parse(readFileSync(hostConfigs[theme], 'utf8'))

/** Parses and renders as a client that knows version 1.5, and says what the renderer complained of. */
async function render(page: Page, card: unknown, config: unknown): Promise<readonly string[]> {
  const problems: unknown = await page.evaluate(
    `(([payload, config]) => {
      const { AdaptiveCard, HostConfig, SerializationContext, Version } = globalThis.AdaptiveCards
      const card = new AdaptiveCard()
      card.hostConfig = new HostConfig(config)
      const context = new SerializationContext(new Version(1, 5))
      card.parse(payload, context)
      const problems = []
      for (let i = 0; i < context.eventCount; i++) problems.push(context.getEventAt(i).message)
      document.getElementById('card').replaceChildren(card.render())
      return problems
    })(${JSON.stringify([card, config])})`,
  )
  return problems as readonly string[]
}
