/**
 * The bot as production runs it: it asks everybody for a token and gets one of its own, from a local Teams that signs.
 * Only the local Azure keeps it in sandbox mode. Who is turned away is in test/guard.
 */
import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startBot } from '../../sandbox/botProcess.ts'
import { type Production, secret, startProduction } from '../guard/production.ts'
import { sentence, within } from './stage.ts'

describe('in production', () => {
  let world: Production
  beforeAll(async () => {
    world = await startProduction()
    await world.teams.install('contoso', 'owner')
  })
  afterAll(() => world.close())

  test('the story runs: welcome, own, link, both cards, approve, Approved', async () => {
    const { azure, teams } = world
    await teams.channel('general').shows("Hi, I'm Vaultlink", { within })
    await teams.person('owner').says('own contoso-kv').in('vault-owners')
    const asked = await teams.person('requester').says(sentence).in('general')
    expect(asked.delivered).toBe(200)
    const card = await teams
      .channel('vault-owners')
      .shows('Approve a private connection to contoso-kv?', { within })
    expect((await teams.person('requester').presses('Approve…', 'Yes, approve').on(card)).text).toContain(
      'somebody else',
    )
    await teams.person('owner').presses('Approve…', 'Yes, approve').on(card)
    await teams.thread(asked).shows('can now reach contoso-kv privately', { within })
    expect(azure.links()).toMatchObject([{ status: 'Approved', provisioningState: 'Succeeded' }])
    expect(world.bot().log.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a wrong secret is named in the log by what the authority says to it, and not quoted', async () => {
    const wrong = 'an-old-secret~of-ours'
    await world.restart({ MicrosoftAppPassword: wrong })
    await world.teams.person('owner').says('help').in('vault-owners')
    expect(world.bot().log).toContainEqual(
      expect.objectContaining({ level: 'error', error: 'NoToken', code: 'invalid_client' }),
    )
    expect(world.bot().output()).not.toContain(wrong)
  })
})

describe('npm start', () => {
  /** The last words of a bot that does not start. */
  const refusal = async (environment: Record<string, string>): Promise<string> => {
    try {
      const bot = await startBot(environment)
      await bot.kill()
      return 'it started'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  test('refuses without app id and tenant, and names all that is wrong at once, no secret among it', async () => {
    const words = await refusal({
      MicrosoftAppPassword: secret,
      PORT: 'eighty',
      DATABASE_URL: `mysql://vaultlink:${secret}@db/vaultlink`,
      ARM_ENDPOINT: 'http://127.0.0.1:4100',
      VAULTLINK_CRASH_AT: 'after put',
    })
    for (const name of [
      'MicrosoftAppId',
      'MicrosoftAppTenantId',
      'MicrosoftAppPassword',
      'PORT',
      'DATABASE_URL',
      'ARM_ENDPOINT',
      'VAULTLINK_CRASH_AT',
    ])
      expect(words).toMatch(new RegExp(`^  ${name}: `, 'm'))
    expect(words).not.toContain(secret)
  })

  test('refuses a sandbox whose Azure is not this machine', async () => {
    expect(
      await refusal({ VAULTLINK_MODE: 'sandbox', ARM_ENDPOINT: 'https://management.azure.com' }),
    ).toMatch(/^ {2}ARM_ENDPOINT: .*127\.0\.0\.1/m)
  })

  test('says what nobody asked for in a sandbox, and listens on this machine alone', async () => {
    const bot = await startBot({
      VAULTLINK_MODE: 'sandbox',
      PORT: '0',
      ARM_ENDPOINT: 'http://127.0.0.1:1',
      DATABASE_URL: ':memory:',
    })
    try {
      expect(bot.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
      expect(bot.log).toContainEqual(expect.objectContaining({ level: 'warn', event: 'sandbox' }))
      const outside = Object.values(networkInterfaces())
        .flat()
        .find((one) => one && !one.internal && one.family === 'IPv4')
      // A machine without a network has nothing else to listen on.
      if (outside) await expect(fetch(bot.url.replace('127.0.0.1', outside.address))).rejects.toThrow()
    } finally {
      await bot.stop()
    }
    expect(await bot.ended).toEqual({ code: 0, signal: null })
  })
})
