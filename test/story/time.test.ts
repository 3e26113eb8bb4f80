/** What people read as time passes and nobody decides, and when the clock is set. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { team } from '../../sandbox/seed.ts'
import type { World } from '../../sandbox/world.ts'
import {
  allWell,
  approves,
  closed,
  days,
  minutes,
  pending,
  seen,
  startStage,
  told,
  unlinked,
  until,
  watch,
  within,
} from './stage.ts'

const zone = 'Europe/Berlin'
const hours = (n: number): number => minutes(60 * n)
const crew = team.channels.find(({ key }) => key === 'solo-owners')?.id ?? ''
const leads = team.channels.find(({ key }) => key === 'random')?.id ?? ''

/** What a clock on a wall in Berlin shows, as `Mon 09:00 CET`. */
function wall(at: number): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).formatToParts(at)
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? ''
  return `${part('weekday')} ${part('hour')}:${part('minute')} ${part('timeZoneName')}`
}
/** The next moment from `at` on at which a wall shows that; the zone may be left out. */
function nextAt(at: number, shows: string): number {
  const first = Math.ceil(at / minutes(1)) * minutes(1)
  for (let minute = first; minute < first + days(9); minute += minutes(1))
    if (wall(minute).startsWith(shows)) return minute
  throw new Error(`No wall shows ${shows}`)
}
/** When the clock is changed the next time, and to which zone. */
function nextChange(at: number, to: 'CET' | 'CEST'): number {
  const hour = Math.ceil(at / hours(1)) * hours(1)
  for (let next = hour; next < hour + days(370); next += hours(1))
    if (wall(next).endsWith(` ${to}`) && !wall(next - 1).endsWith(` ${to}`)) return next
  throw new Error('The clock is changed no more')
}

/** A world that knows what time it is in it. */
async function clockwork(environment: Record<string, string> = {}) {
  const world = await startStage({ environment: { VAULTLINK_TIME_ZONE: zone, ...environment } })
  let turned = 0
  const now = (): number => Date.now() + turned
  const passes = async (ms: number): Promise<void> => {
    turned += ms
    await world.passes(ms)
  }
  return { world, now, passes, goesTo: (shows: string) => passes(nextAt(now(), shows) - now()) }
}
type Clockwork = Awaited<ReturnType<typeof clockwork>>

const reminders = (texts: readonly string[]): readonly string[] =>
  texts.filter((text) => text.startsWith('Reminder'))

describe('nobody decides', () => {
  let clock: Clockwork
  let world: World
  beforeAll(async () => {
    clock = await clockwork({ VAULTLINK_ESCALATION_CHANNEL: leads })
    world = clock.world
    for (const channel of ['random', 'solo-owners']) {
      await world.teams.person('second').says('help').in(channel)
      await world.teams.channel(channel).shows('What I can do', { within })
    }
  })
  afterAll(async () => expect(await closed(world)).toEqual(allWell))

  test('a week: reminded daily in working hours, brought up elsewhere, told a day ahead, and it is over', async () => {
    await clock.goesTo('Mon 09:30')
    const since = watch(world)
    const request = await pending(world)
    const thread = world.teams.thread(request.approval)
    expect(seen(request.approval)).toMatch(/Your decision · by \d+ \w+, 09:3\d CE/)
    await request.thread.shows(/Waiting for the vault's owner · until \d+ \w+, 09:3\d CE/, { within })

    await clock.goesTo('Mon 13:40')
    const first = await thread.shows(/^Reminder: /, { within })
    expect(first.text).toMatch(
      /^Reminder: Riley Park asked to connect contoso-signalr on \d+ \w+, 09:3\d CES?T, and nobody has decided for contoso-kv yet\. Please decide on the card above by \d+ \w+, 09:3\d CES?T; after that the request ends\. .*View in Azure portal/,
    )
    expect(first.root).toBe(request.approval.id)
    // The night brings none, the next day one, and the day after the second channel as well.
    await clock.goesTo('Tue 08:00')
    await clock.goesTo('Tue 13:50')
    await thread.shows(/^Reminder 2: /, { within })
    expect(
      world.teams
        .channel('random')
        .messages()
        .filter(({ from }) => from === 'Vaultlink'),
    ).toHaveLength(1)
    await clock.goesTo('Wed 14:00')
    await thread.shows(/^Reminder 3: .*Another channel has been told that it waits\./, { within })
    const raised = await world.teams.channel('random').shows(/^Still waiting: /, { within })
    expect(raised.text).toMatch(
      /^Still waiting: nobody has decided for contoso-kv yet\. Riley Park asked to connect contoso-signalr on .*: "custom domain certificate"\. Its owners were reminded 2 times in the channel that decides for contoso-kv\. Without an answer it ends on \d+ \w+, 09:3\d CE/,
    )
    expect(raised.root).toBe(raised.id)
    await clock.goesTo('Thu 14:10')
    await thread.shows(/^Reminder 4: /, { within })
    await clock.goesTo('Fri 14:20')
    await thread.shows(/^Reminder 5: /, { within })
    await clock.goesTo('Sun 09:20')
    await clock.goesTo('Sun 09:41')
    const soon = await request.thread.shows(/^@Riley Park Your request ends on /, { within })
    expect(soon.mentions).toEqual(['requester'])
    await thread.shows(/^This request ends on \d+ \w+, 09:3\d CES?T: nobody has decided/, { within })
    await clock.goesTo('Mon 09:42')
    await request.thread.shows('Nobody answered for contoso-kv in time', { within })
    await thread.shows('Nobody answered in time, so the link', { within })
    await world.teams.thread(raised).shows('Nobody answered in time, so the link', { within })
    await clock.passes(days(20))
    await until(world, 'all is removed', () => world.azure.links().length === 0)
    // Two cards and two ends, five reminders, the second channel with its end, and two warnings.
    expect(since.told()).toHaveLength(13)
    expect(reminders(since.told().map(({ text }) => text))).toHaveLength(5)
  })

  test('asleep for days, it brings one reminder; and once it is decided none, and the channel that the vault names hears of it', async () => {
    await clock.goesTo('Mon 09:30')
    const since = watch(world)
    world.azure.portal.tag('contoso-kv', 'vaultlink-escalation', crew)
    const request = await pending(world)
    await clock.goesTo('Thu 10:00')
    const thread = world.teams.thread(request.approval)
    await thread.shows(/^Reminder: /, { within })
    await clock.goesTo('Fri 10:10')
    await thread.shows(/^Reminder 2: /, { within })
    await clock.goesTo('Mon 09:10')
    const raised = await world.teams.channel('solo-owners').shows(/^Still waiting: .*2 times/, { within })
    expect(
      world.teams
        .channel('random')
        .messages()
        .filter((one) => seen(one).startsWith('Still')),
    ).toHaveLength(1)
    await approves(world, request.approval)
    await request.thread.shows('can now reach', { within })
    await world.teams.thread(raised).shows('Working since', { within })
    await clock.goesTo('Tue 13:00')
    await clock.goesTo('Wed 13:00')
    await until(world, 'it was looked at', () => since.looks() > 0)
    expect(reminders(told(thread))).toHaveLength(2)
    expect(told(thread).filter((text) => text.startsWith('This request ends'))).toHaveLength(1)
  })
})

describe.each([
  ['put back', 'CET'],
  ['put on', 'CEST'],
] as const)('the clock on the wall is %s', (_what, to) => {
  let clock: Clockwork
  beforeAll(async () => {
    clock = await clockwork({ VAULTLINK_WORKING_HOURS: 'Sat-Mon 09:00-17:00', VAULTLINK_EXPIRY_DAYS: '3' })
  })
  afterAll(async () => expect(await closed(clock.world)).toEqual(allWell))

  test('the day after brings its reminder at the same time, and what ends says so by the new clock', async () => {
    const { world } = clock
    const from = to === 'CET' ? 'CEST' : 'CET'
    const change = nextChange(clock.now() + days(2), to)
    // The Saturday before, at nine.
    await clock.passes(nextAt(change - days(1), 'Sat 09:0') - clock.now())
    const { approval, thread } = await pending(world)
    const owners = world.teams.thread(approval)
    const ends = to === 'CET' ? '08:0' : '10:0'
    expect(seen(approval)).toMatch(
      new RegExp(`Your decision · by \\d+ \\w+, ${ends}\\d ${to}; then the request ends\\n`),
    )
    await thread.shows(new RegExp(`until \\d+ \\w+, ${ends}\\d ${to}`), { within })
    await clock.goesTo('Sat 13:10')
    await owners.shows(new RegExp(`^Reminder: .*, 09:0\\d ${from}, and nobody .* by .*, ${ends}\\d ${to};`), {
      within,
    })
    await clock.goesTo('Sun 13:05')
    expect(wall(clock.now())).toContain(to)
    // By itself, or with all that rest.
    const before = world.azure.events.length
    await until(world, 'Azure is looked at', () => world.azure.events.length > before + 2)
    expect(reminders(told(owners))).toHaveLength(1)
    await clock.goesTo('Sun 13:15')
    await owners.shows(/^Reminder 2: /, { within })
    expect(reminders(told(owners))).toHaveLength(2)
  })
})

describe("the bot's clock is set, and nobody else's", () => {
  let clock: Clockwork
  let world: World
  beforeAll(async () => {
    clock = await clockwork({ VAULTLINK_WORKING_HOURS: 'always' })
    world = clock.world
  })
  afterAll(async () => expect(await closed(world)).toEqual(allWell))
  let set = 0
  afterEach(async () => {
    await world.bot().jump(-set)
    set = 0
  })
  const jumps = async (ms: number): Promise<void> => {
    set += ms
    await world.bot().jump(ms)
  }

  test.each([
    ['by an hour', hours(1)],
    ['back by an hour', hours(-1)],
    ['by a day', days(1)],
    ['back by a day', days(-1)],
  ])('%s, while it waits and while it works: all goes on, once', async (_what, ms) => {
    const since = watch(world)
    const request = await pending(world)
    await jumps(ms)
    // While an approval is on its way.
    world.azure.configure({ latencyMs: 200 })
    const answer = approves(world, request.approval)
    await until(world, 'it is written', () => since.writes().length > 0)
    await jumps(-2 * ms)
    await answer
    world.azure.configure({ latencyMs: 0 })
    await request.thread.shows('can now reach', { within })
    await world.teams.thread(request.approval).shows('Working since', { within })
    expect(since.writes()).toHaveLength(2)
    expect(since.effects().filter((what) => what === 'connectionApproved')).toHaveLength(1)
    const reads = since.told().map(({ text }) => text)
    expect(reminders(reads).length).toBeLessThanOrEqual(1)
    expect(reads.filter((text) => !text.startsWith('Reminder'))).toHaveLength(4)
    await unlinked(world, request)
  })
})

test.each([
  ['before post', 1],
  ['committing posted', 2],
  ['committed post', 1],
])('killed %s owners/nudge-0: the reminder stands %d times', async (moment, times) => {
  const { world, passes } = await clockwork({ VAULTLINK_WORKING_HOURS: 'always' })
  await world.restart({ environment: { VAULTLINK_CRASH_AT: `${moment} owners/nudge-0` } })
  const { approval } = await pending(world)
  const { ended } = world.bot()
  await passes(hours(4) + minutes(1))
  expect(await ended).toMatchObject({ signal: 'SIGKILL' })
  await world.restart()
  const owners = world.teams.thread(approval)
  await owners.shows(/^Reminder: /, { within })
  await until(world, 'all of them stand', () => reminders(told(owners)).length === times)
  await passes(hours(1))
  await approves(world, approval)
  await owners.shows('Working since', { within })
  expect(reminders(told(owners))).toHaveLength(times)
  await world.close()
})
