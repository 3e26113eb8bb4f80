/**
 * `npm run demo`: plays a story against a local Azure and a local Teams, over real HTTP, with the real bot. The
 * script holds what people say and press; every other line is printed by those who watch the traffic.
 */
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { crashMoments } from './crashMoments.ts'
import { type StoryName, story } from './story.ts'
import { createTranscript, type DemoEvent, type Event } from './transcript.ts'
import { startWorld, type World, watchable } from './world.ts'

const { values: options } = parseArgs({
  options: {
    reject: { type: 'boolean', default: false },
    portal: { type: 'boolean', default: false },
    stuck: { type: 'boolean', default: false },
    'as-approver': { type: 'boolean', default: false },
    crash: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

const name: StoryName = options.reject
  ? 'reject'
  : options.portal
    ? 'portal'
    : options.stuck
      ? 'stuck'
      : 'approve'
if (options['as-approver'] && options.crash) {
  // Killed while a decision is on its way, the owner would have to press again, which this story does not tell.
  console.error('--as-approver goes with --reject and --stuck, not with --crash.')
  process.exitCode = 2
} else process.exitCode = await play()

async function play(): Promise<number> {
  const began = performance.now()
  const live = process.stdout.isTTY === true && !options.json && process.env.NO_COLOR === undefined
  const transcript = createTranscript((text) => process.stdout.write(text), live)
  const events: Event[] = []
  const show = (event: Event): void => {
    events.push(event)
    if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`)
    else transcript.show(event)
  }
  const stage = (
    event: { [K in DemoEvent['kind']]: Omit<DemoEvent & { kind: K }, 'at' | 'who'> }[DemoEvent['kind']],
  ): void => show({ at: Date.now(), who: 'demo', ...event } as DemoEvent)

  if (!options.json)
    transcript.line("Vaultlink demo: a local Azure and Teams over real HTTP, Azure's waits shortened")
  const asApprover = options['as-approver'] && ({ consent: 'forEverybody' } as const)
  const world = await startWorld({ pace: watchable, ...(asApprover && { asApprover }) })
  if (options.stuck) world.azure.configure({ propagation: 'never' })
  world.azure.onEvent(show)
  world.teams.onEvent(show)
  const kills = options.crash ? keepKilling(world, stage) : undefined
  try {
    let done = 0
    const steps = story(name, { ...world, passes }, kills ? 90_000 : undefined)
    for (const step of steps) {
      try {
        await step.happens()
      } catch (error) {
        stage({
          kind: 'step',
          text: `${step.name}. ${error instanceof Error ? firstLine(error.message) : ''}`,
          happened: false,
        })
        count(steps.length, done)
        return 1
      }
      done++
      stage({ kind: 'step', text: step.name, happened: true })
    }
    const crashes = await kills?.all()
    const twice = count(steps.length, done, crashes?.killed)
    if (crashes && crashes.never.length > 0)
      stage({ kind: 'step', text: `killed ${crashes.never.join(', ')}`, happened: false })
    return twice === 0 && !crashes?.never.length ? 0 : 1
  } finally {
    kills?.finish()
    await world.close()
  }

  async function passes(ms: number): Promise<void> {
    stage({ kind: 'clock', text: `${ms / 60_000} minutes later` })
    await world.passes(ms)
  }

  /** The last lines; returns how much was done twice that must not be. */
  function count(steps: number, done: number, killed?: number): number {
    const effects = (what: string): number =>
      events.filter((event) => event.kind === 'effect' && event.what === what).length
    const sent = events.filter(
      (event) =>
        event.kind === 'arm' && event.method === 'PUT' && /privateEndpointConnections/i.test(event.path),
    ).length
    const counts = {
      steps: done,
      of: steps,
      linksMade: effects('linkCreated'),
      approvalsSent: name === 'portal' ? 0 : sent,
      doneTwice:
        Math.max(0, effects('linkCreated') - 1) +
        Math.max(0, effects('connectionApproved') - 1) +
        Math.max(0, effects('connectionRejected') - 1),
      ...(killed !== undefined && { killed, cardsTwice: cardsTwice() }),
      seconds: Number(((performance.now() - began) / 1000).toFixed(1)),
    }
    const links = `${counts.linksMade} link${counts.linksMade === 1 ? '' : 's'} made`
    const decisions =
      name === 'reject'
        ? `${sent} rejection${sent === 1 ? '' : 's'} sent`
        : `${counts.approvalsSent} approval${counts.approvalsSent === 1 ? '' : 's'} sent`
    const twice = counts.doneTwice === 0 ? 'nothing done twice' : `${counts.doneTwice} done twice`
    const crashes =
      killed === undefined ? '' : ` · killed ${killed} times · ${counts.cardsTwice ?? 0} cards twice`
    const sign = done === steps && counts.doneTwice === 0 ? '✓' : '✗'
    const next =
      done === steps ? '\nNext: npm run chat · npm run demo -- --crash · README: Put it in your tenant' : ''
    stage({
      kind: 'counts',
      counts,
      text: `${sign} ${done} of ${steps} steps · ${links} · ${decisions} · ${twice}${crashes} · ${counts.seconds} s${next}`,
    })
    return counts.doneTwice
  }
  function cardsTwice(): number {
    const cards = events.filter(
      (event) => (event.kind === 'posts' || event.kind === 'replies') && event.card !== undefined,
    )
    const titles = cards.map((event) => ('card' in event ? JSON.stringify(event.card).slice(0, 400) : ''))
    return titles.length - new Set(titles).size
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}

/** Kills the bot once at each moment, and starts it again. */
function keepKilling(world: World, stage: (event: { kind: 'killed' | 'started'; text: string }) => void) {
  let moments: readonly string[] = crashMoments
  let killed = 0
  let finished = false
  let done = (): void => undefined
  const nothingLeft = new Promise<void>((resolve) => {
    done = resolve
  })
  const armed = (): Record<string, string> => ({ VAULTLINK_CRASH_AT: moments.join(',') })
  const watch = async (): Promise<void> => {
    await world.restart({ environment: armed() })
    while (!finished) {
      const bot = world.bot()
      await bot.ended
      if (finished) return
      const last = bot.log.at(-1)
      const moment = last?.event === 'crash' ? String(last.moment) : 'at no moment of ours'
      killed++
      moments = moments.filter((one) => one !== moment)
      stage({ kind: 'killed', text: `SIGKILL ${moment}` })
      await world.restart({ kill: true, environment: armed() })
      stage({ kind: 'started', text: 'the bot starts again' })
      if (moments.length === 0) done()
    }
  }
  void watch().catch((error: unknown) => {
    if (!finished) stage({ kind: 'killed', text: `the bot could not be started again: ${String(error)}` })
  })
  return {
    /** The last moments come when all has been told. */
    async all(): Promise<{ killed: number; never: readonly string[] }> {
      await Promise.race([nothingLeft, setTimeout(15_000, undefined, { ref: false })])
      finished = true
      return { killed, never: moments }
    },
    finish(): void {
      finished = true
    },
  }
}
