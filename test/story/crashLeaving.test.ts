/** The bot is told to go (SIGTERM) while a step is under way: the step comes to its end, is written down, and is not done again. */
import { afterEach, describe, expect, test } from '@jest/globals'
import { armWording } from '../../sandbox/azure/faults.ts'
import type { LogLine } from '../../sandbox/botProcess.ts'
import { openProxy, type PeerProxy } from '../../sandbox/proxy/proxy.ts'
import type { Message } from '../../sandbox/teams/face.ts'
import { hurried, startWorld, type World } from '../../sandbox/world.ts'
import { seen, sentence, until, within } from './stage.ts'

type Stage = {
  readonly world: World
  readonly door: PeerProxy
  /** Tells the bot to go, lets `release` happen once it is leaving, and sees it end of itself. */
  leaves(release: () => void): Promise<readonly LogLine[]>
}
const open = new Set<() => Promise<void>>()
afterEach(async () => {
  for (const close of open) await close()
  open.clear()
})

async function startStage(environment: Record<string, string> = {}): Promise<Stage> {
  const door = await openProxy({ wording: armWording })
  const watching = new Set<() => void>()
  const world = await startWorld({
    pace: { azure: hurried.azure, bot: { ...hurried.bot, VAULTLINK_SETTLE_SECONDS: '0.5' } },
    environment: { ARM_ENDPOINT: door.url, ...environment },
    onLog: () => {
      for (const look of [...watching]) look()
    },
  })
  open.add(async () => {
    await world.close()
    await door.close()
  })
  door.leadsTo(world.azure.url)
  world.teams.configure({ throttle: false })
  await world.teams.person('owner').says('own contoso-kv').in('vault-owners')
  const logged = (event: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!world.bot().log.some((line) => line.event === event)) return
        watching.delete(look)
        resolve()
      }
      watching.add(look)
      look()
    })
  return {
    world,
    door,
    async leaves(release) {
      const bot = world.bot()
      const stopped = bot.stop()
      await logged('leaving')
      release()
      await stopped
      expect(await bot.ended).toEqual({ code: 0, signal: null })
      expect(bot.log.at(-1)).toMatchObject({ event: 'left' })
      expect(bot.log.filter(({ level }) => level === 'error')).toEqual([])
      return bot.log
    },
  }
}

const done = (log: readonly LogLine[]): unknown[] =>
  log.filter(({ event }) => event === 'azure.done').map(({ effect }) => effect)
const writes = ({ azure }: World): string[] =>
  azure.events.flatMap((event) =>
    event.kind === 'arm' && event.write ? [`${event.method} ${event.path.split('/').at(-2)}`] : [],
  )
const ask = ({ teams }: World): Promise<Message> => teams.person('requester').says(sentence).in('general')
const approval = ({ teams }: World): Promise<Message> =>
  teams.channel('vault-owners').shows('Approve a private connection to contoso-kv?', { within })
const botSays = ({ teams }: World, channel: string, what: RegExp): readonly Message[] =>
  teams
    .channel(channel)
    .messages()
    .filter((message) => message.from === 'Vaultlink' && what.test(seen(message)))

const link = /\/sharedPrivateLinkResources\/kv-contoso-kv/i
const connection = /\/privateEndpointConnections\/[^/?]+/i

describe('told to go', () => {
  test('while Azure makes the link, while an owner presses, while it approves, while Teams takes a reply', async () => {
    const { world, door, leaves } = await startStage()
    const { teams } = world

    const put = door.holds('PUT', link)
    const asked = await ask(world)
    await put.arrived
    expect(done(await leaves(put.release))).toEqual(['put'])

    await world.restart()
    const card = await approval(world)
    const rights = door.holds('GET', /contoso-kv\/providers\/Microsoft\.Authorization\/roleAssignments/i)
    const answer = teams.person('owner').presses('Approve…', 'Yes, approve').on(card)
    await rights.arrived
    await leaves(rights.release)
    // Whoever was being answered is answered, and it stands.
    expect(await answer).toMatchObject({ status: 200, type: 'application/vnd.microsoft.card.adaptive' })

    const approve = door.holds('PUT', connection)
    await world.restart()
    await approve.arrived
    expect(done(await leaves(approve.release))).toEqual(['approve'])

    teams.configure({ latencyMs: 300 })
    const replied = Promise.withResolvers<void>()
    const stop = teams.onEvent((event) => {
      if (event.kind === 'replies' && /can now reach/.test(event.text ?? '')) replied.resolve()
    })
    await world.restart()
    await replied.promise
    stop()
    await leaves(() => teams.configure({ latencyMs: 0 }))

    await world.restart()
    await teams.channel('vault-owners').shows('Working since', { within })
    await teams.thread(asked).shows(/Approved .*working since/, { within })
    expect(writes(world)).toEqual(['PUT sharedPrivateLinkResources', 'PUT privateEndpointConnections'])
    expect(botSays(world, 'general', /^Link contoso-signalr/)).toHaveLength(1)
    expect(botSays(world, 'general', /can now reach/)).toHaveLength(1)
    expect(botSays(world, 'vault-owners', /rivate connection to contoso-kv/)).toHaveLength(1)
    expect(botSays(world, 'vault-owners', /Working since/)).toHaveLength(1)
  })

  test('while it rejects, and while it removes the link', async () => {
    const { world, door, leaves } = await startStage()
    await ask(world)
    const reject = door.holds('PUT', connection)
    const remove = door.holds('DELETE', link)
    await world.teams
      .person('owner')
      .presses('Reject…', 'Yes, reject')
      .on(await approval(world))
    await reject.arrived
    expect(done(await leaves(reject.release))).toEqual(['put', 'reject'])
    await world.restart()
    await remove.arrived
    expect(done(await leaves(remove.release))).toEqual(['delete'])
    await world.restart()
    await until(world, 'both are told', () =>
      ['general', 'vault-owners'].every(
        (channel) => botSays(world, channel, /^[^\n]*Rejected by Noor/).length === 1,
      ),
    )
    expect(writes(world)).toEqual([
      'PUT sharedPrivateLinkResources',
      'PUT privateEndpointConnections',
      'DELETE sharedPrivateLinkResources',
    ])
    expect(world.azure.links()).toEqual([])
  })

  test('while Azure does not answer at all: it goes at the end of the deadline, and looks before it does more', async () => {
    const { world, leaves } = await startStage({ VAULTLINK_CALL_SECONDS: '1' })
    // Done, but nobody hears of it.
    world.azure.fail({ method: 'PUT', path: link, times: 1, when: 'after', how: 'hang' })
    await ask(world)
    await until(world, 'the link is made', () => world.azure.links().length === 1)
    const log = await leaves(() => undefined)
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'azure.failed', effect: 'put', cause: 'unavailable' }),
    )
    await world.restart()
    await approval(world)
    expect(writes(world)).toEqual(['PUT sharedPrivateLinkResources'])
  })

  test('while Azure makes the link, and a turn goes on for a while: nothing more is begun beside that', async () => {
    const { world, door, leaves } = await startStage()
    const put = door.holds('PUT', link)
    await ask(world)
    await put.arrived
    const rights = door.holds('GET', /contoso-kv\/providers\/Microsoft\.Authorization\/roleAssignments/i)
    const answer = world.teams.person('owner').says('own contoso-kv').in('vault-owners')
    await rights.arrived
    let before = 0
    await leaves(() => {
      before = door.calls.length
      put.release()
    })
    await answer
    const since = door.calls.slice(before)
    expect(since.filter(({ path }) => link.test(path))).toEqual([])
  })

  test('while Azure does not answer at all, by the usual deadline: Azure is let go of in time', async () => {
    const { world, leaves } = await startStage()
    world.azure.fail({ method: 'PUT', path: link, times: 1, when: 'after', how: 'hang' })
    await ask(world)
    await until(world, 'the link is made', () => world.azure.links().length === 1)
    const log = await leaves(() => undefined)
    expect(log).toContainEqual(
      expect.objectContaining({
        event: 'azure.failed',
        effect: 'put',
        answer: expect.stringContaining('Abort'),
      }),
    )
    await world.restart()
    await approval(world)
    expect(writes(world)).toEqual(['PUT sharedPrivateLinkResources'])
  })

  test('before it has anything to do', async () => {
    const { leaves } = await startStage()
    await leaves(() => undefined)
  })
})
