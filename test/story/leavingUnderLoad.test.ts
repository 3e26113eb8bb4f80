/**
 * The bot is told to go (SIGTERM) while many talk to it. It ends of itself, every turn was answered or turned away in a
 * way that Teams repeats, and what it answered is not lost.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Message } from '../../sandbox/teams/face.ts'
import type { World } from '../../sandbox/world.ts'
import { buttonsOf, seen, sentence, startStage, within } from './stage.ts'

const rounds = process.env.VAULTLINK_FIGURES === '1' ? 100 : 4
/** Who talks at once. */
const crowd = 12

describe('told to go under load', () => {
  let world: World
  const became = { answered: 0, turnedAway: 0, asked: 0, askedAgain: 0 }
  beforeAll(async () => {
    world = await startStage()
  })
  afterAll(async () => {
    await world.close()
    process.stderr.write(
      `figure: ${rounds} times told to go under load: each time it ended of itself; ${became.answered} turns answered, ${became.turnedAway} turned away, ${became.asked} requests answered and kept, ${became.askedAgain} delivered again\n`,
    )
  })

  test(
    `${rounds} times: what was answered is kept, what was not is answered when it comes again`,
    async () => {
      for (let round = 0; round < rounds; round++) await leaves(round)
      expect(became.answered).toBeGreaterThan(0)
      expect(became.asked + became.askedAgain).toBe(rounds)
    },
    rounds * within,
  )

  async function leaves(round: number): Promise<void> {
    const { teams } = world
    const requester = teams.person('requester')
    const bot = world.bot()
    let answers = 0
    let stopping: Promise<void> | undefined
    // Now at once, now when all were answered, now in between.
    const enough = (crowd + 2 - (round % (crowd + 2))) % (crowd + 2)
    const goes = (): void => {
      if (answers >= enough) stopping ??= bot.stop()
    }
    const say = async (text: string): Promise<Message> => {
      const said = await requester.says(text).in('general')
      answers += 1
      goes()
      return said
    }
    const talk = Array.from({ length: crowd }, (_, index) => say(index % 2 === 0 ? 'help' : 'list'))
    const asking = say(sentence)
    goes()
    const [asked, ...said] = await Promise.all([asking, ...talk])
    await stopping
    expect(await bot.ended).toEqual({ code: 0, signal: null })
    expect(bot.log.at(-1)).toMatchObject({ event: 'left' })
    expect(bot.log.filter(({ level }) => level === 'error')).toEqual([])
    for (const { delivered } of said) {
      // Teams delivers again what was answered with 503, or found nobody (502 here).
      expect([200, 502, 503]).toContain(delivered)
      became[delivered === 200 ? 'answered' : 'turnedAway'] += 1
    }

    await world.restart()
    if (asked.delivered === 200) became.asked += 1
    else {
      became.askedAgain += 1
      expect(await teams.redeliver(asked.id, { sameId: true })).toMatchObject({ status: 200 })
    }
    const status = await teams.thread(asked).shows(/^Link contoso-signalr to contoso-kv/, { within })
    expect(buttonsOf(status)).toContain('Cancel request')
    await requester.presses('Cancel request', 'Yes, cancel').on(status)
    await teams.thread(asked).shows(/Cancelled by Riley Park\. /, { within })
    expect(world.azure.links()).toEqual([])
    expect(
      teams
        .thread(asked)
        .messages()
        .filter((one) => /^Link contoso-signalr/.test(seen(one))),
    ).toHaveLength(1)
  }
})
