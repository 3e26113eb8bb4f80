/** What must not be read in a log, sent through every path: no line of either stream holds it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { people } from '../../sandbox/seed.ts'
import { within } from '../story/stage.ts'
import { type Production, secret, startProduction } from './production.ts'
import { post } from './requests.ts'

const canaries = {
  mail: 'canary.of.contoso@mail.example',
  /** What people say, in messages, reasons and inputs. */
  words: 'yellowfeather',
  /** In a token's claims, which are its body. */
  claim: 'claimfeather',
  secret,
}
const said = `${canaries.words} ${canaries.mail}`

let world: Production
let folder: string
beforeAll(async () => {
  // A crash of the bot's own, at a signal: the process that starts it cannot reach into it otherwise.
  folder = await mkdtemp(join(tmpdir(), 'vaultlink-canaries-'))
  const crash = join(folder, 'crash.mjs')
  const error = { request: { headers: { authorization: `Bearer ${secret}` } } }
  await writeFile(
    crash,
    `process.on('SIGUSR2', () => { throw Object.assign(new Error(${JSON.stringify(`${said} ${secret}`)}), ${JSON.stringify(error)}) })`,
  )
  world = await startProduction({ NODE_OPTIONS: `--import ${pathToFileURL(crash)}` })
  await world.teams.install('contoso', 'owner')
})
afterAll(async () => {
  await world.close()
  await rm(folder, { recursive: true, force: true })
})

/** The marks of links, as they stand in the requests that the bot made. */
const marks = (): readonly string[] => {
  const sent = JSON.stringify(world.azure.events.filter(({ kind }) => kind === 'arm'))
  return [...new Set([...sent.matchAll(/vaultlink ([0-9a-f]{32})/g)].flatMap(([, mark]) => mark ?? []))]
}
/** Fails for each canary that any line holds, and says where. */
function expectSilence(more: readonly string[] = []): void {
  const lines = world.bot().output().split('\n')
  const leaks = [...Object.values(canaries), ...marks(), ...more].flatMap((canary) =>
    [canary, encodeURIComponent(canary), Buffer.from(canary).toString('base64')].flatMap((form) =>
      lines.filter((line) => line.includes(form)).map((line) => ({ canary, line })),
    ),
  )
  expect(leaks).toEqual([])
  expect(lines.filter((line) => /eyJ[\w-]{8}|Bearer \S/.test(line))).toEqual([])
  // Whatever is written is the log's, and a line of it.
  for (const line of lines.filter((one) => one !== '')) expect(JSON.parse(line)).toHaveProperty('event')
}

describe('no line holds what it must not', () => {
  test('when it is said and refused', async () => {
    const { teams } = world
    const [activity] = await world.overhears(() => teams.person('owner').says(said).in('vault-owners'))
    const body = JSON.stringify(activity)
    const tokens = [
      await teams.token({ note: canaries.claim, aud: canaries.claim }),
      await teams.token({ note: canaries.claim, iss: canaries.mail }),
      await teams.token({ note: canaries.claim, exp: canaries.words }),
      await teams.token({ serviceurl: `https://${canaries.claim}/${secret}` }),
      await teams.token({ note: canaries.claim }, { kid: canaries.words }),
      await teams.token({ note: canaries.claim }, { alg: canaries.words }),
      await teams.token({ note: canaries.claim }, { crit: [canaries.words] }),
      secret,
      `${secret}.${secret}.${secret}`,
    ]
    for (const token of tokens)
      expect(
        (await post(world.bot().url, { headers: { authorization: `Bearer ${token}` }, body })).status,
      ).toBeLessThan(500)
    const token = await teams.token()
    const headers = { authorization: `Bearer ${token}` }
    for (const mutated of [
      { channelId: said },
      { type: said },
      { from: { id: said, name: said, aadObjectId: said, role: said } },
      { recipient: { id: said } },
      { conversation: { id: said, conversationType: said } },
      { channelData: { tenant: { id: said } } },
      { serviceUrl: `https://${canaries.words}.example/` },
      { serviceUrl: said },
      { type: 'invoke', name: said, value: said },
      { type: 'conversationUpdate', channelData: { ...activity?.channelData, eventType: said } },
      { text: { [said]: said } },
      { value: said },
      { value: { verb: said, action: said } },
    ])
      expect(
        (await post(world.bot().url, { headers, body: JSON.stringify({ ...activity, ...mutated }) })).status,
      ).toBeLessThan(500)
    for (const broken of [said, `{"${said}"`, `{"text":"${said}`, `${body}${said}`])
      expect((await post(world.bot().url, { headers, body: broken })).status).toBe(400)
    await fetch(`${world.bot().url}/${encodeURIComponent(said)}?${secret}`)
    await fetch(`${world.bot().probes}/${encodeURIComponent(said)}?${secret}`)
    expectSilence([token, ...tokens.slice(0, -2)])
  })

  test('when it is said and obeyed, from the request to the end', async () => {
    const { teams } = world
    const owner = teams.person('owner')
    const requester = teams.person('requester')
    await requester.says(`${said} what is this`).in('general')
    await requester.says(`link ${canaries.words} to ${canaries.words} because ${said}`).in('general')
    await owner.says('own contoso-kv').in('vault-owners')
    const asked = await requester.says(`link contoso-signalr to contoso-kv because ${said}`).in('general')
    const card = await teams.channel('vault-owners').shows('Approve a private connection', { within })
    await requester.sendsInvoke({
      action: { type: 'Action.Execute', verb: said, data: { link: said, reason: said } },
    })
    await owner.presses('Approve…', 'Yes, approve').on(card, { reason: said })
    await teams.thread(asked).shows('can now reach contoso-kv privately', { within })
    expect(marks().length).toBeGreaterThan(0)
    expectSilence()
  })

  test('when Azure and Teams quote it in what they refuse', async () => {
    const { teams, azure } = world
    const [mark = ''] = marks()
    const token = await azure.identity.tokenFor(people.owner.objectId)
    const quoted = `${said} ${secret} [vaultlink ${mark}] Bearer ${token}`
    // What a turn asks and what it says.
    for (const status of [400, 403, 404, 500])
      teams.fail({ path: /./, times: 8, status, code: quoted, message: quoted })
    await teams.person('requester').says('link contoso-global to contoso-kv').in('general')
    await teams.person('owner').says('status').in('vault-owners')
    await teams.install('labs', 'second')
    await Promise.all([world.logged(/^teams\.roster$/), world.logged(/^turn\.unsaid$/)])
    const headers = { 'x-ms-correlation-request-id': quoted }
    for (const status of [400, 401, 403, 404, 409, 500])
      azure.fail({ status, code: quoted, message: quoted, headers, times: 4, path: /./ })
    await teams.person('owner').says('own contoso-certs').in('vault-owners')
    await teams
      .person('requester')
      .says(`link contoso-signalr to contoso-certs because ${said}`)
      .in('general')
    await world.logged(/^azure\.\w*unread$/i)
    expectSilence([token])
  })

  test('when the bot crashes of it', async () => {
    const bot = world.bot()
    process.kill(bot.pid, 'SIGUSR2')
    expect(await bot.ended).toEqual({ code: 1, signal: null })
    expect(bot.log.at(-1)).toMatchObject({
      level: 'error',
      event: 'crashed',
      error: 'Error',
      thrown: expect.any(String),
    })
    expectSilence()
  })
})
