/**
 * `npm run soak`: activities of mixed traffic at a bounded rate against the bot as a process of its own: questions, and
 * requests that live their whole lives beside them. Prints how its memory, its event loop and its handles developed.
 * Ends with 1 when a turn failed, a request came to no end, or the bot logged an error.
 */
import { parseArgs } from 'node:util'
import type { Message } from '../sandbox/teams/face.ts'
import { hurried, startWorld } from '../sandbox/world.ts'

const { values } = parseArgs({
  options: {
    activities: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '60' },
  },
})
const [most, minutes] = [Number(values.activities), Number(values.minutes)]
const everyMs = (minutes * 60_000) / most
const samples = 40
/** Never more questions under way than this: a bot that falls behind is waited for, and the rate is what it can do. */
const mostUnderWay = 16
const within = 60_000

const world = await startWorld({ pace: hurried })
const { teams, azure } = world
teams.configure({ throttle: false })
// In a hurried world a link is looked at a dozen times a second, more than Azure would take.
azure.configure({ throttle: false })

const problems: string[] = []
let sent = 0
let requests = 0
const answered = (what: string, status: number | undefined): void => {
  sent += 1
  if (status !== 200) problems.push(`${what}: ${status}`)
}

// ---- traffic -----------------------------------------------------------------------------------------

/** Numbers from 0 to 1 that are the same in each run. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed
  while (true) {
    // https://en.wikipedia.org/wiki/Linear_congruential_generator, with the numbers of Numerical Recipes.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}
const drawn = numbers(7)
const pick = <T>(all: readonly [T, ...T[]]): T => all[Math.floor(drawn.next().value * all.length)] ?? all[0]

const owner = teams.person('owner')
const requester = teams.person('requester')
const questions = [
  'help',
  'list',
  'status',
  'list all',
  'about',
  'lnk contoso-signalr to contoso-kv',
] as const

async function question(): Promise<void> {
  const text = pick(questions)
  const { delivered } = await teams
    .person(pick(['requester', 'owner', 'second']))
    .says(text)
    .in('general')
  answered(text, delivered)
}

/** A request on this vault from its asking to its end, whichever that is: until its link is removed, the same is not asked anew. */
async function request(vault: string): Promise<void> {
  const pair = `contoso-signalr to ${vault}`
  const asked = await requester.says(`link ${pair}`).in('general')
  answered('link', asked.delivered)
  const thread = teams.thread(asked)
  const channel = teams.channel('vault-owners')
  const card: Message = await channel
    .shows(`Approve a private connection to ${vault}?`, { within })
    .catch(() => {
      throw new Error(`the owners were not asked, and the requester was told: ${thread.text()}`)
    })
  const end = pick(['approve', 'reject', 'cancel', 'portal'])
  switch (end) {
    case 'cancel': {
      const status = await thread.shows(`Link ${pair}`, { within })
      answered(end, (await requester.presses('Cancel request', 'Yes, cancel').on(status)).status)
      await thread.shows(/Cancelled by .*The link \S+ is removed/, { within })
      break
    }
    case 'reject':
      answered(end, (await owner.presses('Reject…', 'Yes, reject').on(card, { reason: 'soak' })).status)
      await thread.shows(/Rejected by .*the link \S+ is removed/, { within })
      break
    default: {
      if (end === 'portal') azure.portal.approve(vault, 'owner')
      else answered(end, (await owner.presses('Approve…', 'Yes, approve').on(card)).status)
      await thread.shows(/can now reach/, { within })
      const wish = await requester.says(`unlink contoso-signalr from ${vault}`).in('with:requester')
      answered('unlink', wish.delivered)
      const sure = await teams.thread(wish).shows(`Unlink contoso-signalr from ${vault}?`, { within })
      answered('yes', (await requester.presses('Yes, unlink').on(sure)).status)
      await thread.shows(/removed the link/, { within })
    }
  }
  requests += 1
}

let stopping = false
async function lane(vault: string): Promise<void> {
  answered('own', (await owner.says(`own ${vault}`).in('vault-owners')).delivered)
  while (!stopping) await request(vault)
}

// ---- what is measured --------------------------------------------------------------------------------

type Sample = {
  readonly sent: number
  readonly mb: number
  readonly delayMs: number
  readonly handles: number
}
const taken: Sample[] = []
async function sample(): Promise<void> {
  const text = await (await fetch(`${world.bot().probes}/metrics`)).text()
  const read = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  taken.push({
    sent,
    mb: read('process_resident_memory_bytes') / 2 ** 20,
    delayMs: read('vaultlink_event_loop_delay_seconds') * 1_000,
    handles: read('vaultlink_active_resources'),
  })
}

/** How much a value grows with each 10,000 activities: the line of least squares. */
function slope(of: (one: Sample) => number, over: readonly Sample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const [x, y] = [mean(over.map((one) => one.sent)), mean(over.map(of))]
  const spread = over.reduce((sum, one) => sum + (one.sent - x) ** 2, 0)
  return (10_000 * over.reduce((sum, one) => sum + (one.sent - x) * (of(one) - y), 0)) / spread
}

// ---- the run -----------------------------------------------------------------------------------------

const began = performance.now()
const lanes = ['contoso-kv', 'contoso-certs'].map((vault) =>
  lane(vault).catch((error: unknown) => void problems.push(`a request on ${vault}: ${String(error)}`)),
)
const underWay = new Set<Promise<void>>()
await sample()
let next = began
while (sent < most) {
  if (sent >= (taken.length * most) / samples) await sample()
  next = Math.max(next + everyMs, performance.now() - 1_000)
  const wait = next - performance.now()
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  if (underWay.size >= mostUnderWay) await Promise.race(underWay)
  const one = question()
    .catch((error: unknown) => void problems.push(String(error)))
    .finally(() => underWay.delete(one))
  underWay.add(one)
}
stopping = true
await Promise.all([...underWay, ...lanes])
await sample()
const ms = performance.now() - began

const turns = teams.events
  .flatMap((event) => (event.kind === 'delivery' ? [event.ms] : []))
  .sort((a, b) => a - b)
const errors = world.bot().log.filter(({ level }) => level === 'error')
await world.bot().stop()
const left = await world.bot().ended
await world.close()
if (left.code !== 0) problems.push(`it left with ${left.code ?? left.signal}`)
for (const { event } of errors) problems.push(`error in the log: ${event}`)

const half = taken.slice(Math.floor(taken.length / 2))
const of = (what: (one: Sample) => number): string =>
  [taken.at(1), taken.at(taken.length >> 1), taken.at(-1)]
    .map((one) => (one ? what(one).toFixed(0) : '?'))
    .join(' → ')
const p99 = turns[Math.floor(turns.length * 0.99)] ?? Number.NaN
console.log(`\
repeat with: npm run soak -- --activities ${most} --minutes ${minutes}
activities            ${sent} in ${(ms / 60_000).toFixed(1)} minutes (${((1_000 * sent) / ms).toFixed(0)}/s), ${requests} requests from their asking to their end
99 of 100 answered in ${p99.toFixed(0)} ms
memory, MB            ${of(({ mb }) => mb)}; in the second half ${slope(({ mb }) => mb, half).toFixed(2)} MB for each 10,000 activities
event loop, ms        ${of(({ delayMs }) => delayMs)}: the delay that 99 of 100 stay below
handles               ${of(({ handles }) => handles)}; in the second half ${slope(({ handles }) => handles, half).toFixed(2)} for each 10,000 activities
problems              ${problems.length}`)
for (const [problem, times] of Map.groupBy(problems, (it) => it))
  console.log(`  ${times.length} × ${problem.slice(0, 300)}`)
process.exitCode = problems.length > 0 ? 1 : 0
