/** Draws Adaptive Cards in Chromium as Teams shows them: Microsoft's renderer with the Teams host config. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Page } from 'playwright-core'

const require = createRequire(import.meta.url)

/** Where Chromium is, or undefined: then there are no pictures. */
export function findChromium(): string | undefined {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim()
    } catch {
      // Not on the path under this name: the next one may be.
    }
  }
  return undefined
}

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export type Look = {
  readonly theme: 'light' | 'dark'
  readonly width: number
  /** Titles of the actions that are pressed before the picture is taken, in order. */
  readonly press?: readonly string[]
}
export type Gallery = {
  /** The picture, and what the renderer complained of. */
  draw(
    card: unknown,
    look: Look,
  ): Promise<{ readonly png: Buffer; readonly height: number; readonly problems: readonly string[] }>
  close(): Promise<void>
}

// Teams' own buttons and inputs are drawn by its client, not by the host config: an approximation of them.
const style = `
  * { box-sizing: border-box }
  body { margin: 0; padding: 12px; background: var(--page); color: var(--ink); font: 14px/20px 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif }
  #card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; box-shadow: 0 1px 2px #0002 }
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
  const browser = await chromium.launch({ executablePath, args })
  const library = readFileSync(require.resolve('adaptivecards/dist/adaptivecards.js'), 'utf8')
  const hostConfig = (theme: string): unknown =>
    JSON.parse(
      readFileSync(
        require.resolve(`adaptivecards-designer/lib/hostConfigs/microsoft-teams-${theme}.json`),
        'utf8',
      ),
    )
  return {
    async draw(card, { theme, width, press = [] }) {
      const page = await browser.newPage({ viewport: { width, height: 400 }, deviceScaleFactor: 2 })
      try {
        await page.setContent(
          `<!doctype html><html style="${colors[theme]}"><meta charset="utf-8"><style>${style}</style><div id="card"></div>`,
        )
        await page.addScriptTag({ content: library })
        const problems = await render(page, card, hostConfig(theme))
        for (const title of press)
          await page.getByRole('button', { name: title, exact: true }).first().click()
        const height = await page.evaluate('document.documentElement.scrollHeight')
        return { png: await page.screenshot({ fullPage: true }), height: Number(height), problems }
      } finally {
        await page.close()
      }
    },
    close: () => browser.close(),
  }
}

async function render(page: Page, card: unknown, hostConfig: unknown): Promise<readonly string[]> {
  const problems: unknown = await page.evaluate(
    `(([payload, config]) => {
      const { AdaptiveCard, HostConfig, SerializationContext, Version } = globalThis.AdaptiveCards
      const card = new AdaptiveCard()
      card.hostConfig = new HostConfig(config)
      const context = new SerializationContext(new Version(1, 5))
      card.parse(payload, context)
      const problems = []
      for (let i = 0; i < context.eventCount; i++) problems.push(context.getEventAt(i).message)
      document.getElementById('card').append(card.render())
      return problems
    })(${JSON.stringify([card, hostConfig])})`,
  )
  return problems as readonly string[]
}
