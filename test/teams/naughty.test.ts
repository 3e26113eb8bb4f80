/** What strangers type at the bot, and send as a form's inputs: to the desk, to the answer, to Azure, to the log. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Desk } from '../../src/engine/ports.ts'
import { bears, requestMessage } from '../../src/link/match.ts'
import { actions } from '../../src/teams/actions/index.ts'
import { readActivity } from '../../src/teams/activity.ts'
import type { Rendered } from '../../src/teams/cards.ts'
import { understand } from '../../src/teams/commands/index.ts'
import { type Prose, toPlain } from '../../src/teams/prose.ts'
import type { Turn } from '../../src/teams/turn.ts'
import { evened } from '../../src/teams/typedText.ts'
import { en } from '../../src/teams/words/en.ts'
import { naughty, ownList, strangeText } from '../cards/naughtyStrings.ts'
import { cardProblems, shownBy } from '../cards/shown.ts'
import { asker, type Stage, signalr, startStage, vault } from './stage.ts'

const nonce = '4f7c9e21d0b84c6fa35e7d1890ab2c3d'
const otherNonce = '0'.repeat(32)
const figures = process.env.VAULTLINK_FIGURES === '1'
/** What nobody sees; an emoji's look is chosen by one of them. */
const unseen = /(?!\ufe0e|\ufe0f)[\p{Cc}\p{Cf}\p{Cs}\p{DI}\u2028\u2029]/u

/** All the ways to say something with a text in it. */
const commands: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `link ${text} to contoso-kv`,
  (text) => `link "${text}" to contoso-kv`,
  (text) => `link contoso-signalr to ${text}`,
  (text) => `link contoso-signalr to contoso-kv as ${text}`,
  (text) => `link contoso-signalr to contoso-kv because ${text}`,
  (text) => `link contoso-signalr because ${text}`,
  (text) => `status ${text}`,
  (text) => `unlink ${text} from "${text}"`,
  (text) => `own ${text}`,
  (text) => `own '${text}'`,
  (text) => `disown "${text}"`,
]
const inputs = ['signalr', 'vault', 'as', 'because'] as const

/** A turn whose desk finds nothing, and tells what it was asked. */
function aTurn() {
  const asked: unknown[] = []
  const answers: Rendered[] = []
  const unclear = (what: 'signalr' | 'vault', wrote: string) =>
    ({ what, wrote, is: 'unknown', like: [what === 'vault' ? vault : signalr] }) as const
  const desk: Partial<Desk> = {
    link: async (wish) => {
      asked.push(wish)
      return { is: 'unclear', problems: [unclear('signalr', wish.signalr), unclear('vault', wish.vault)] }
    },
    choices: async () => ({ signalrs: [signalr], vaults: [vault] }),
    find: async ({ by: _, ...which }) => {
      asked.push(which)
      return []
    },
    own: async (claim) => {
      asked.push(claim.vault)
      return { is: 'unclear', problem: unclear('vault', claim.vault) }
    },
    disown: async (claim) => {
      asked.push(claim.vault)
      return { is: 'unclear', problem: unclear('vault', claim.vault) }
    },
  }
  const place = {
    conversation: '19:x@thread.tacv2;messageid=1',
    serviceUrl: 'http://127.0.0.1:1/',
    kind: 'channel',
  } as const
  const turn: Turn = {
    by: asker,
    place,
    scope: 'team',
    team: 'team',
    channel: '19:x@thread.tacv2',
    desk: desk as Desk,
    words: en,
    usual: { usualProvisioningMs: 1, usualPropagatingMs: 1 },
    drawing: {},
    say: async (text: Prose) => {
      answers.push({ text, summary: toPlain(text) })
    },
    show: async (rendered) => {
      answers.push(rendered)
    },
  }
  return { turn, asked, answers }
}

function expectHarmless(asked: readonly unknown[], answers: readonly Rendered[]): void {
  for (const rendered of answers) {
    // Throws at what is not well-formed, and at tags and links that are not ours.
    shownBy(rendered)
    if (rendered.card) expect(cardProblems(rendered.card)).toEqual([])
    expect(JSON.stringify(rendered)).not.toContain('{{')
    expect(JSON.stringify(rendered)).not.toMatch(/\$\{/)
  }
  expect(asked.flatMap(textsIn).filter((text) => unseen.test(text))).toEqual([])
  for (const wish of asked) {
    const reason =
      typeof wish === 'object' && wish !== null && 'reason' in wish ? String(wish.reason) : undefined
    const message = requestMessage(reason, nonce)
    expect(message.length).toBeLessThanOrEqual(140)
    expect(message.isWellFormed()).toBe(true)
    expect(message).not.toMatch(unseen)
    expect(message.match(/\[vaultlink /giu)).toHaveLength(1)
    expect(bears(otherNonce, message)).toBe(false)
  }
}
const textsIn = (value: unknown): readonly string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(textsIn)
      : []

async function typed(said: string): Promise<void> {
  const { turn, asked, answers } = aTurn()
  const text = evened(said)
  const understood = text === undefined ? undefined : understand(text)
  if (understood?.is === 'command') await understood.run(turn)
  else
    await turn.say(
      understood?.near === undefined ? en.notUnderstood.plain : en.notUnderstood.near(understood.near),
    )
  expect(answers).toHaveLength(asked.length > 0 && answers.length === 0 ? 0 : 1)
  expectHarmless(asked, answers)
}
async function submitted(input: string, text: string): Promise<void> {
  const { turn, asked } = aTurn()
  const data = { verb: 'link', signalr: 'contoso-signalr', vault: 'contoso-kv', [input]: text }
  const answer = await actions.get('link')?.run(turn, data)
  if (answer === undefined || !('say' in answer)) throw new Error('no answer')
  expectHarmless(asked, [{ text: answer.say, summary: toPlain(answer.say) }])
}
const sample = figures ? naughty : naughty.filter((_, index) => index < ownList.length || index % 8 === 0)

describe('what is typed', () => {
  test.each(commands.map((command) => [command('…'), command] as const))('%s', async (_, command) => {
    for (const text of sample) await typed(command(text))
  })
  test.each(inputs)("the form's input %s", async (input) => {
    for (const text of sample) await submitted(input, text)
  })
  test.each([399, 400])('a cut after %i units of pairs leaves no half of one', async (before) => {
    const text = `${'x'.repeat(before)}${'😀'.repeat(3)}`
    for (const command of commands) await typed(command(text))
    for (const input of inputs) await submitted(input, text)
  })
  test('random words', async () => {
    const seed = Date.now() % 2 ** 31
    const numRuns = figures ? 50_000 : 400
    process.stderr.write(`random words typed: seed ${seed}, ${numRuns} cases\n`)
    const ways = [
      ...commands.map((command) => (text: string) => typed(command(text))),
      ...inputs.map((input) => (text: string) => submitted(input, text)),
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...ways), strangeText, (way, text) => way(text)),
      { seed, numRuns },
    )
  })
})

describe('mentions that a client sends', () => {
  const bot = '28:bot'
  const read = (text: string, names: readonly string[]) => {
    const incoming = readActivity({
      type: 'message',
      channelId: 'msteams',
      from: { id: '29:1' },
      recipient: { id: bot },
      conversation: { id: 'a', conversationType: 'personal' },
      serviceUrl: 'http://127.0.0.1:1/',
      text,
      entities: names.map((name, index) => ({
        type: 'mention',
        text: `<at>${name}</at>`,
        mentioned: { id: index === 0 ? bot : '29:2' },
      })),
    })
    if (typeof incoming === 'string' || incoming.what.is !== 'message') throw new Error('no message')
    return incoming.what.text
  }
  test.each(['$&', '$`', "$'", '$1', '$$', '$<x>'])('a name of %s is not expanded', (name) => {
    expect(read(`<at>Vaultlink</at> own <at>${name}</at> kv`, ['Vaultlink', name])).toBe(`  own ${name} kv`)
  })
  test('names cannot make a text grow', () => {
    const names = Array.from({ length: 60 }, (_, index) => `${index}$\`$\`$'`)
    const text = names.map((name) => `<at>${name}</at>`).join(' ')
    expect(read(text, ['Vaultlink', ...names]).length).toBeLessThanOrEqual(text.length)
  })
})

describe('over the wire', () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await startStage({ teams: { throttle: false } })
    await stage.teams.install('contoso', 'owner')
    stage.answers({
      link: async ({ signalr: wrote }) => ({
        is: 'unclear',
        problems: [{ what: 'signalr', wrote, is: 'unknown', like: [signalr] }],
      }),
    })
  })
  afterAll(() => stage.close())

  test('every string is answered, mentions nobody, and stands in no line of the log', async () => {
    const canary = 'canary7f3a'
    const before = stage.teams.events.length
    for (const text of ownList) {
      if (text.length > 3_000) continue
      const message = await stage.teams
        .person('requester')
        .says(`link "${canary} ${text}" to contoso-kv because ${canary}`)
        .in('general')
      expect(message.delivered).toBe(200)
    }
    const posts = stage.teams.events.slice(before).filter((event) => event.who === 'Vaultlink')
    expect(posts.length).toBeGreaterThanOrEqual(ownList.length - 2)
    expect(posts.filter((event) => 'mentions' in event && event.mentions.length > 0)).toEqual([])
    expect(JSON.stringify(stage.log)).not.toContain(canary)
    expect(stage.log.filter(({ level }) => level === 'error')).toEqual([])
  })
})
