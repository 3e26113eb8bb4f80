/**
 * `npm run build`: what is shipped, in `dist`. The bot is one file with its source map, so that a start reads one file
 * and not two thousand; so are the tools that stand beside it. `dist/start.js` starts the bot.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/**
 * What the Bot Framework's packages load at their start and call in no turn of this bot, or not before the first: it is
 * loaded when something of it is asked for. Nothing is left out, it only comes later.
 */
const later = [
  '@azure/core-rest-pipeline',
  '@azure/identity',
  '@azure/msal-node',
  'axios',
  'base64url',
  'botframework-streaming',
  'cross-fetch',
  'dayjs',
  'fs-extra',
  'htmlparser2',
  'jsonwebtoken',
  'node-fetch',
]
const botFramework = /node_modules[\\/]bot(?:builder|framework)/

const loadsLater: Plugin = {
  name: 'loads later',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: new RegExp(`^(?:${later.join('|')})$`) }, ({ path, kind, importer }) =>
      kind === 'require-call' && botFramework.test(importer)
        ? // Its own, where it has another version than the rest.
          { path: createRequire(importer).resolve(path), namespace: 'later' }
        : undefined,
    )
    // As TypeScript's own interop reads a module: by `__esModule`, and by a `default` where there is none.
    onLoad({ filter: /./, namespace: 'later' }, ({ path }) => ({
      resolveDir: here('.'),
      contents: `
        let module_
        const real = () => (module_ ??= require(${JSON.stringify(path)}))
        module.exports = new Proxy({}, {
          get(_, name) {
            if (name === '__esModule') return true
            return name === 'default' && !real().__esModule ? real() : real()[name]
          },
        })`,
    }))
    // restify's plugins are a third of it, and the bot uses none.
    onResolve({ filter: /^\.\/plugins$/ }, ({ importer }) =>
      /restify[\\/]lib[\\/]index\.js$/.test(importer) ? { path: 'none', namespace: 'none' } : undefined,
    )
    onLoad({ filter: /./, namespace: 'none' }, () => ({ contents: 'module.exports = {}' }))
    // Of undici the bot uses one class; its entry brings all of fetch, WebSocket and the cache with them.
    onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'undici' }))
    onLoad({ filter: /./, namespace: 'undici' }, () => ({
      resolveDir: here('.'),
      contents: `exports.EnvHttpProxyAgent = require('undici/lib/dispatcher/env-http-proxy-agent.js')`,
    }))
    // An import of it reads all that it exports, and with that Node's own undici is loaded; a require does not.
    onResolve({ filter: /^(?:node:)?http$/ }, ({ kind }) =>
      kind === 'require-call' ? undefined : { path: 'http', namespace: 'required' },
    )
    onLoad({ filter: /./, namespace: 'required' }, () => ({
      contents: `module.exports = require('node:http')`,
    }))
  },
}

await rm(here('dist'), { recursive: true, force: true })
await mkdir(here('dist'), { recursive: true })
await build({
  entryPoints: {
    main: here('src/main.ts'),
    audit: here('src/audit/start.js'),
    'migrate-store': here('src/migrate/start.js'),
  },
  outdir: here('dist'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: true,
  // A process holds the text of all that it may still compile.
  minifySyntax: true,
  minifyWhitespace: true,
  lineLimit: 160,
  legalComments: 'linked',
  // Each is asked for in case it is there.
  external: ['pg-native', 'dtrace-provider'],
  plugins: [loadsLater],
  // The pipeline of Azure's clients asks of each request whether it is a form, and Node would load all of its fetch to say no.
  define: { FormData: 'undefined' },
  banner: {
    js: `import { createRequire as requireFrom_ } from 'node:module'
import { dirname as folderOf_ } from 'node:path'
import { fileURLToPath as pathOf_ } from 'node:url'
const require = requireFrom_(import.meta.url)
const __filename = pathOf_(import.meta.url)
const __dirname = folderOf_(__filename)`,
  },
  logLevel: 'warning',
})
// One letter beyond ASCII doubles what V8 takes for the text of the file; esbuild escapes all but those in patterns.
await writeFile(here('dist/main.js'), inAscii(await readFile(here('dist/main.js'), 'utf8')))
// Apart from the bot, so that what Node keeps compiled is there before the bot is read.
await copyFile(here('src/requireNode.js'), here('dist/requireNode.js'))
const start = await readFile(here('src/start.js'), 'utf8')
await writeFile(here('dist/start.js'), start.replace('./main.ts', './main.js'))

function inAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
