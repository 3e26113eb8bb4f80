/** The bot itself, as a process, with links that wait: what it holds, and that it sees what happens to one of them. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { startAzure } from '../../sandbox/azure/server.ts'
import { startBot } from '../../sandbox/botProcess.ts'
import { bot as identity } from '../../sandbox/seed.ts'
import { startTeams } from '../../sandbox/teams/server.ts'
import { systemClock } from '../../src/clock.ts'
import type { Link } from '../../src/link/link.ts'
import { resourceName } from '../../src/link/resourceId.ts'
import { openStore } from '../../src/store/openStore.ts'
import { keepResting, placed, type Size, seedOf, subscriptionsOf } from '../engine/restingLinks.ts'
import { hour, minute } from '../link/given.ts'

const figures = process.env.VAULTLINK_FIGURES === '1'

const open: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

/** A bot that was started with these links in its store. */
async function waiting(size: Size) {
  const folder = await mkdtemp(join(tmpdir(), 'vaultlink-'))
  open.push(() => rm(folder, { recursive: true, force: true }))
  const url = join(folder, 'vaultlink.db')
  const azure = await startAzure({ seed: seedOf(size, Date.now()) })
  const teams = await startTeams({ appId: identity.appId })
  open.push(azure.close, teams.close)
  const store = await openStore({ url })
  await keepResting(store, size, systemClock(), teams.serviceUrl)
  await store.close()

  /** Whose lists were read since they were last asked for. */
  const surveyed = new Set<string>()
  let heard = (): void => undefined
  azure.onEvent((event) => {
    const [, subscription] =
      (event.kind === 'arm' && /^\/subscriptions\/([^/]+)\/providers\/Microsoft.KeyVault/.exec(event.path)) ||
      []
    azure.events.length = 0
    if (subscription === undefined) return
    surveyed.add(subscription)
    heard()
  })
  const all = async (): Promise<void> => {
    while (surveyed.size < subscriptionsOf(size).length)
      await new Promise<void>((resolve) => {
        heard = resolve
      })
    surveyed.clear()
  }
  const bot = await startBot({
    VAULTLINK_MODE: 'sandbox',
    PORT: '0',
    ARM_ENDPOINT: azure.url,
    AZURE_CLIENT_ID: identity.appId,
    ...azure.identity.environment,
    BOT_SERVICE_HOSTS: teams.host,
    DATABASE_URL: url,
  })
  open.push(bot.kill)
  await all()
  return {
    azure,
    bot,
    /** Time passes until every subscription was surveyed again. */
    async round(ms: number): Promise<void> {
      azure.turn(ms)
      await bot.turn(ms)
      await all()
    },
    /** The records of all, as the bot left them. */
    async links(): Promise<readonly Link[]> {
      await bot.stop()
      const store = await openStore({ url })
      open.push(store.close)
      const rows = await store.rows(placed(size).map((_, n) => `link-${n}`))
      return rows.map(({ link }) => link)
    },
  }
}

async function held(pid: number): Promise<{ mb: number; peakMb: number; seconds: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const mb = (what: string): number => Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  const [, , , , , , , , , , , user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { mb: mb('VmRSS'), peakMb: mb('VmHWM'), seconds: (Number(user) + Number(system)) / 100 }
}

const sizes: readonly Size[] = figures
  ? [
      { each: 10, linksOfEach: 10 },
      { each: 200, linksOfEach: 50 },
    ]
  : [{ each: 20, linksOfEach: 5 }]

test.each(sizes)('links wait, and what the portal does to one of them is seen: %j', async (size) => {
  const world = await waiting(size)
  const { pid } = world.bot
  if (figures) {
    const before = (await held(pid)).seconds
    const rounds = (6 * hour) / (5 * minute)
    let most = 0
    for (let round = 0; round < rounds; round++) {
      await world.round(5 * minute)
      most = Math.max(most, (await held(pid)).mb)
    }
    const { peakMb, seconds } = await held(pid)
    console.log(
      `figure: ${size.each * size.linksOfEach} links: the bot holds ${most.toFixed(0)} MB at most after a round, ${peakMb.toFixed(0)} MB at any moment; ` +
        `a round of all takes it ${(((seconds - before) / rounds) * 1_000).toFixed(0)} ms of processor time`,
    )
    expect(peakMb).toBeLessThan(250)
  }
  const [, , , place] = placed(size)
  if (!place) throw new Error('There are four links')
  world.azure.portal.reject(resourceName(place.vault), 'owner', place.nonce)
  await world.round(5 * minute)
  await world.round(5 * minute)
  const decided = (await world.links()).flatMap((link) => (link.decision ? [[link.id, link.decision]] : []))
  expect(decided).toEqual([['link-3', expect.objectContaining({ verdict: 'reject', where: 'portal' })]])
})
