/** What is measured without a load: the guard, the cards, a turn while Azure is silent, the whole demo. */
import { spawn } from 'node:child_process'
import { verify } from 'node:crypto'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { bot, people, tenantId } from '../sandbox/seed.ts'
import { startTeams } from '../sandbox/teams/server.ts'
import { startWorld, watchable } from '../sandbox/world.ts'
import { helpCard, type Rendered, renderView } from '../src/teams/cards.ts'
import { commands } from '../src/teams/commands/index.ts'
import { createGuard } from '../src/teams/guard.ts'
import { createSigningKeys } from '../src/teams/keys.ts'
import { publicCloud } from '../src/teams/publicCloud.ts'
import { createServiceList } from '../src/teams/services.ts'
import { createTokenCheck } from '../src/teams/token.ts'
import { en } from '../src/teams/words/en.ts'
import { approvalOf, names, records, statusOf } from '../test/cards/records.ts'
import { median, percentile } from './figures.ts'

export type Alone = {
  readonly guard: readonly { readonly what: string; readonly ms: number; readonly bareMs: number }[]
  readonly cards: readonly { readonly what: string; readonly firstMs: number; readonly ms: number }[]
  readonly hungAzureMs: number
  readonly demo: { readonly ms: number; readonly code: number }
}

/** `calls`: how many in each of eleven rounds. */
export async function measureAlone(calls: number): Promise<Alone> {
  return {
    guard: await guard(calls),
    cards: await cards(calls),
    hungAzureMs: await hungAzure(),
    demo: await wholeDemo(),
  }
}

/** What the guard costs a request that it lets in, beside the one thing in it that cannot be saved. */
async function guard(calls: number): Promise<Alone['guard']> {
  const teams = await startTeams({ signed: true })
  const activity = {
    type: 'message',
    id: '1',
    channelId: 'msteams',
    serviceUrl: teams.serviceUrl,
    text: 'list',
    from: { id: '29:1', aadObjectId: people.owner.objectId },
    recipient: { id: `28:${bot.appId}` },
    conversation: { id: '19:x@thread.tacv2', conversationType: 'channel', tenantId },
    channelData: { tenant: { id: tenantId } },
  }
  const log = (): void => undefined
  const keys = createSigningKeys({ openIdMetadataUrl: teams.openIdUrl, now: Date.now, log })
  const { issuer } = publicCloud
  const isListed = createServiceList({ hosts: [teams.host], log })
  const newGuard = () =>
    createGuard({
      appId: bot.appId,
      tenantId,
      tokenCheck: createTokenCheck({ keys, issuer, appId: bot.appId, now: Date.now }),
      isListed,
    })
  const tokens = await Promise.all(Array.from({ length: 200 }, (_, jti) => teams.token({ jti })))
  const key = (await keys.find('teams'))?.key
  if (!key) throw new Error('Teams published no key')
  const onThread = promisify(verify)
  const admitted = async (by: ReturnType<typeof newGuard>, token: string): Promise<number> => {
    const began = performance.now()
    const caller = await by.admitCaller(`Bearer ${token}`)
    if (caller.is === 'refused' || by.admitActivity(caller, activity).is === 'refused')
      throw new Error('The guard refused a genuine request')
    return performance.now() - began
  }
  /** Interleaved: a moment in which the machine is busy elsewhere spoils one of them. */
  const first: number[][] = []
  const again: number[][] = []
  const verified: number[][] = []
  for (let round = 0; round < 11; round++) {
    const [unseen, seen, bare]: [number[], number[], number[]] = [[], [], []]
    let guard = newGuard()
    for (let call = 0; call < calls; call++) {
      // A guard remembers what it has verified: one that has not is set before the tokens begin anew.
      if (call % tokens.length === 0) guard = newGuard()
      const token = tokens[call % tokens.length] ?? ''
      unseen.push(await admitted(guard, token))
      seen.push(await admitted(guard, token))
      const [header, payload, signature = ''] = token.split('.')
      const began = performance.now()
      // On a thread of the pool, where jose's is done too: what waits for that on a busy machine is in both.
      await onThread('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))
      bare.push(performance.now() - began)
    }
    // In the first the runtime compiles.
    if (round === 0) continue
    first.push(unseen)
    again.push(seen)
    verified.push(bare)
  }
  await teams.close()
  return [
    ['half of all within, each token new to it', first, 0.5] as const,
    ['99 of 100 within, each token new to it', first, 0.99] as const,
    ['99 of 100 within, each token seen before', again, 0.99] as const,
  ].map(([what, guarded, part]) => ({
    what,
    ms: median(guarded.map((values) => percentile(values, part))),
    bareMs: median(verified.map((values) => percentile(values, part))),
  }))
}

/** From a view to the card that Teams gets: the first of a process, and the later ones. */
async function cards(calls: number): Promise<Alone['cards']> {
  const drawing = { portal: 'https://portal.azure.com', timeZone: 'UTC', tenantId, asApprover: false }
  const approval = approvalOf(records.pending)
  if (!approval) throw new Error('The sample has no approval card')
  const drawn: readonly (readonly [string, () => Promise<Rendered>])[] = [
    ['help', () => helpCard(en, commands)],
    ['status', () => renderView(statusOf(records.pending), names, en, drawing)],
    ['approval', () => renderView(approval, names, en, drawing)],
  ]
  const figures: { what: string; firstMs: number; ms: number }[] = []
  for (const [what, draw] of drawn) {
    let began = performance.now()
    await draw()
    const firstMs = performance.now() - began
    const times: number[] = []
    for (let call = 0; call < calls; call++) {
      began = performance.now()
      await draw()
      times.push(performance.now() - began)
    }
    figures.push({ what, firstMs, ms: median(times.slice(calls / 2)) })
  }
  return figures
}

async function hungAzure(): Promise<number> {
  const world = await startWorld({ pace: watchable })
  world.azure.fail({ times: 1_000, how: 'hang' })
  const began = performance.now()
  await world.teams.person('requester').says('link contoso-signalr to contoso-kv').in('general')
  const took = performance.now() - began
  await world.close()
  return took
}

async function wholeDemo(): Promise<Alone['demo']> {
  const began = performance.now()
  const demo = spawn(process.execPath, ['sandbox/demo.ts', '--json'], { stdio: 'ignore' })
  const [code] = await once(demo, 'exit')
  return { ms: performance.now() - began, code: Number(code) }
}
