/** Teams takes only so many messages: what is too much waits, the newest alone is sent, and nothing is lost. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { team } from '../../sandbox/seed.ts'
import type { TeamsEvent } from '../../sandbox/teams/face.ts'
import { hurried, startWorld, type World } from '../../sandbox/world.ts'
import {
  allWell,
  approvalOf,
  approves,
  closed,
  pending,
  seen,
  shownOverTime,
  standing,
  startStage,
  until,
  watch,
  within,
} from './stage.ts'

const large = process.env.VAULTLINK_FIGURES === '1'
const figure = (line: string): void => {
  if (large) process.stdout.write(`figure: ${line}\n`)
}

let world: World
afterEach(async () => expect(await closed(world)).toEqual(allWell))

type Sent = TeamsEvent & { readonly kind: 'posts' | 'replies' | 'updates' }
/** What the bot sent since, in a channel or anywhere. */
const sentIn = (channel?: string, from = 0): readonly Sent[] =>
  world.teams.events
    .slice(from)
    .filter(
      (event): event is Sent =>
        (event.kind === 'posts' || event.kind === 'replies' || event.kind === 'updates') &&
        (channel === undefined || event.channel === channel),
    )

describe('Teams says 429', () => {
  beforeEach(async () => {
    world = await startStage({ owned: ['contoso-kv', 'contoso-certs'] })
  })
  const refuses = (method: string, message?: string): unknown =>
    world.teams.fail({
      method,
      path: /conversations\/19:team-contoso@thread\.tacv2;messageid=\d+\/activities/,
      times: 1,
      status: 429,
      headers: { 'retry-after': '600' },
      ...(message !== undefined && { message }),
    })
  const refused = (): boolean => world.bot().log.some(({ event }) => event === 'teams.failed')

  test('and no message of any link goes to that channel before Retry-After, but to others, and turns are answered', async () => {
    const { teams } = world
    const from = teams.events.length
    refuses('POST')
    const first = await teams.person('requester').says('link contoso-signalr to contoso-kv').in('general')
    await until(world, 'the card was refused', refused)
    const second = await teams.person('requester').says('link contoso-signalr to contoso-certs').in('general')
    // The owners are asked all the same, in their channel.
    for (const vault of ['contoso-kv', 'contoso-certs'])
      await teams
        .channel('vault-owners')
        .shows(new RegExp(`^Approve a private connection[\\s\\S]*${vault}`), { within })
    expect(sentIn('general', from)).toEqual([])
    const help = await teams.person('requester').says('help').in('general')
    await teams.thread(help).shows('link', { within })
    await world.passes(590_000)
    const before = world.azure.events.length
    await until(world, 'Azure is looked at', () => world.azure.events.length > before + 2)
    expect(sentIn('general', from)).toHaveLength(1)
    await world.passes(11_000)
    for (const message of [first, second])
      await teams.thread(message).shows(/\[vaultlink [0-9a-f]{32}\]/, { within })
  })

  test('and of a card that changes while it waits the newest state alone is sent', async () => {
    const { teams } = world
    const request = await pending(world)
    const { card, thread, approval } = request
    await until(world, 'the card waits for the owner', () => /Connection state: Pending/.test(seen(card)))
    const before = shownOverTime(card)
    // Another link's card closes the channel.
    refuses('POST')
    const other = await teams.person('requester').says('link contoso-signalr to contoso-certs').in('general')
    await until(world, 'the other card was refused', refused)
    await approves(world, approval)
    // Decided, approved on the vault, approved on SignalR: three changes.
    await teams.thread(approval).shows('Working since', { within })
    expect(shownOverTime(card)).toEqual(before)
    await world.passes(601_000)
    await thread.shows('can now reach', { within })
    const after = shownOverTime(card)
    expect(after.slice(0, -1)).toEqual(before)
    expect(after.at(-1)).toContain('working since')
    await teams.thread(other).shows(/\[vaultlink [0-9a-f]{32}\]/, { within })
  })

  test('of the whole tenant, and nothing is sent anywhere before Retry-After', async () => {
    const { teams } = world
    const from = teams.events.length
    refuses('POST', 'Too many requests for this tenant.')
    const looks = watch(world)
    const asked = await teams.person('requester').says('link contoso-signalr to contoso-kv').in('general')
    await until(world, 'the owners could be asked', () => refused() && looks.looks() > 10)
    expect(sentIn(undefined, from)).toEqual([])
    await world.passes(601_000)
    const thread = teams.thread(asked)
    const request = standing(await thread.shows(/\[vaultlink [0-9a-f]{32}\]/, { within }), thread)
    expect(seen(await approvalOf(world, request))).toContain('contoso-kv')
  })
})

describe('a burst of requests in one channel', () => {
  const count = large ? 200 : 40
  const signalrs = 10
  const names = (prefix: string, most: number): readonly string[] =>
    Array.from({ length: most }, (_, n) => `${prefix}-${String(n).padStart(2, '0')}`)
  const group = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contoso/providers'
  const pairs = names('burst-kv', count / signalrs).flatMap((vault) =>
    names('burst-signalr', signalrs).map((signalr) => ({ signalr, vault })),
  )

  beforeEach(async () => {
    const owners = team.channels.find(({ key }) => key === 'vault-owners')?.id ?? ''
    world = await startWorld({
      pace: hurried,
      seed: {
        signalrs: names('burst-signalr', signalrs).map((name) => ({
          id: `${group}/Microsoft.SignalRService/SignalR/${name}`,
          location: 'westeurope',
          sku: 'Standard_S1',
        })),
        vaults: names('burst-kv', count / signalrs).map((name) => ({
          id: `${group}/Microsoft.KeyVault/vaults/${name}`,
          location: 'westeurope',
          publicNetworkAccess: 'Disabled',
        })),
      },
      environment: {
        VAULTLINK_OWNERS_CHANNEL: owners,
        // As in production: the clock is turned, and Azure need not be looked at each time.
        VAULTLINK_SENDS_FASTER: '1',
        VAULTLINK_FIRST_LOOK_SECONDS: '2',
        VAULTLINK_LONGEST_LOOK_SECONDS: '60',
      },
    })
    world.azure.configure({ throttle: false })
  })

  /** Nothing has happened for as long as it takes to ask the bot three times whether it lives. */
  async function quiet(): Promise<void> {
    const happened = () => world.teams.events.length + world.azure.events.length
    for (let still = 0; still < 3; ) {
      const before = happened()
      await (await fetch(`${world.bot().probes}/healthz`)).text()
      still = happened() === before ? still + 1 : 0
    }
  }

  test(
    `ends with every card right and no 429: ${count} links`,
    async () => {
      const { teams } = world
      // The channel in which all is decided has to be known.
      await teams.person('owner').says('help').in('vault-owners')
      const cards = (channel: string, text: RegExp): readonly string[] =>
        teams
          .channel(channel)
          .messages()
          .map((message) => seen(message))
          .filter((shown) => text.test(shown))
      const begun = teams.now()
      const passed = (): number => Math.round((teams.now() - begun) / 1_000)
      const asksFor = async ({ signalr, vault }: (typeof pairs)[number]): Promise<void> => {
        const asked = await teams.person('requester').says(`link ${signalr} to ${vault}`).in('general')
        // The local Azure and Teams share a busy machine: what was not answered in time is asked again.
        if (teams.thread(asked).text().includes('please try again')) await asksFor({ signalr, vault })
      }
      const together = 4
      for (let first = 0; first < count; first += together)
        await Promise.all(pairs.slice(first, first + together).map(asksFor))
      const askedAfter = passed()
      const approved = new Set<string>()
      const told = { general: /can now reach/, 'vault-owners': /Working since/ }
      const isOver = (): boolean =>
        Object.entries(told).every(([channel, news]) => cards(channel, news).length >= count)
      const cut = teams.now() + 3 * 3_600_000
      while (!isOver() && teams.now() < cut) {
        await world.passes(600)
        await quiet()
        for (const card of teams.channel('vault-owners').messages()) {
          if (approved.has(card.id) || !seen(card).includes('Approve…')) continue
          approved.add(card.id)
          await approves(world, card, 'second')
        }
      }
      const marks = (shown: readonly string[]): number =>
        new Set(shown.map((text) => /\[vaultlink [0-9a-f]{32}\]/.exec(text)?.[0])).size
      for (const [channel, card] of [
        ['general', /^\n?Link burst-signalr/],
        ['vault-owners', /^\n?Private connection to burst-kv/],
      ] as const) {
        const standing = cards(channel, card)
        expect(standing).toHaveLength(count)
        expect(marks(standing)).toBe(count)
        expect(
          standing.filter((text) => text.includes('Approved by Mika Aalto · working since')),
        ).toHaveLength(count)
        expect(cards(channel, told[channel])).toHaveLength(count)
      }
      expect(teams.throttled()).toBe(0)
      expect(world.bot().log.filter(({ answer }) => String(answer).startsWith('429'))).toEqual([])
      const [general, owners] = [sentIn('general').length, sentIn('vault-owners').length]
      figure(
        `Teams' limits: ${count} links asked for within ${askedAfter} s, all told after ${passed()} s; ${general} and ${owners} messages in the two channels, ${teams.throttled()} refused`,
      )
    },
    large ? 1_200_000 : 120_000,
  )
})
