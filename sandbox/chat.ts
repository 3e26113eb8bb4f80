/** `npm run chat`: the same local Azure and Teams, and a prompt at which you are everybody. Reads a pipe as well. */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { obey, type Scene } from './chatLines.ts'
import { people } from './seed.ts'
import { createTranscript, type Event } from './transcript.ts'
import { startWorld, watchable } from './world.ts'

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const live = process.stdin.isTTY === true && process.stdout.isTTY === true && !options.json

const transcript = createTranscript((text) => process.stdout.write(text), live)
let lastMove = performance.now()
const show = (event: Event): void => {
  // The bot looks at Azure all the time while somebody is waited for: that moves nothing.
  if (event.kind !== 'anonymous' && (event.kind !== 'arm' || event.write)) lastMove = performance.now()
  if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`)
  else transcript.show(event)
}

const world = await startWorld({ pace: watchable })
world.azure.onEvent(show)
world.teams.onEvent(show)
const scene: Scene = {
  world,
  who: 'requester',
  places: { requester: 'general', owner: 'vault-owners', second: 'vault-owners', lone: 'solo-owners' },
}
const say = (text: string): void => {
  if (options.json)
    process.stdout.write(`${JSON.stringify({ at: Date.now(), who: 'chat', kind: 'note', text })}\n`)
  else transcript.line(text)
}
say(`Vaultlink chat: you are everybody. People: ${Object.keys(people).join(', ')}. Type help, or quit.`)

const lines = createInterface({ input: process.stdin, output: process.stdout, terminal: live, prompt: '' })
const prompt = (): void => {
  if (!live) return
  lines.setPrompt(`${scene.who} in ${scene.places[scene.who] ?? 'general'}> `)
  lines.prompt()
}
try {
  prompt()
  for await (const line of lines) {
    if (/^\s*(quit|exit)\s*$/.test(line)) break
    const began = performance.now()
    try {
      const answer = await obey(line, scene)
      if (answer) say(answer)
    } catch (error) {
      say(error instanceof Error ? error.message : String(error))
    }
    // What the line itself moved leads to more; so does time, and what changes in Azure.
    if (lastMove >= began || /^\s*(clock|azure)>/.test(line)) await quiet()
    transcript.end()
    prompt()
  }
} finally {
  lines.close()
  await world.close()
}

/** Waits until nothing has moved for longer than Azure's longest wait, so that a pipe's next line comes after the last one's consequences. */
async function quiet(): Promise<void> {
  const pauseMs = live ? 300 : 2_500
  const until = performance.now() + 12_000
  lastMove = performance.now()
  while (performance.now() - lastMove < pauseMs && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
