/** What can be typed at the chat's prompt, a line at a time. */
import { type PersonKey, people } from './seed.ts'
import type { Message } from './teams/face.ts'
import type { World } from './world.ts'

export type Scene = {
  readonly world: World
  who: PersonKey
  readonly places: Partial<Record<PersonKey, string>>
}

const help = `  link contoso-signalr to contoso-kv      say it to the bot, as whoever you are now
  owner> own contoso-kv                   become somebody, and say it
  in vault-owners                         go to another channel (general, random, group, with:requester …)
  reply status                            say it in the newest thread here
  press Approve… / Yes, approve           press a button; behind "with": reason=not this one
  azure> approve contoso-kv               the portal: approve, reject, remove <vault> · delete <signalr> <link>
  azure> set propagation never            a switch of the local Azure
  clock> +3d                              let time pass: s, m, h, d
  quit`

const isPerson = (text: string): text is PersonKey => Object.hasOwn(people, text)

/** Does what the line says; returns what the chat itself has to say to it. */
export async function obey(line: string, scene: Scene): Promise<string | undefined> {
  const [, speaker, rest = ''] = /^(?:([a-z]+)>)?\s*(.*?)\s*$/.exec(line) ?? []
  if (speaker === 'azure') return portal(rest, scene.world)
  if (speaker === 'clock') return pass(rest, scene.world)
  if (speaker !== undefined) {
    if (!isPerson(speaker)) return `There is no ${speaker} here. People: ${Object.keys(people).join(', ')}`
    scene.who = speaker
  }
  const [verb = '', ...words] = rest.split(/\s+/)
  const place = scene.places[scene.who] ?? 'general'
  switch (verb) {
    case '':
      return undefined
    case 'help':
      return help
    case 'in':
      scene.places[scene.who] = words.join(' ') || place
      return undefined
    case 'press':
      return press(rest.slice('press'.length).trim(), scene, place)
    case 'reply': {
      const newest = scene.world.teams.channel(place).messages().at(-1)
      if (!newest) return `Nothing was said in ${place} yet.`
      await scene.world.teams.person(scene.who).says(words.join(' ')).in(scene.world.teams.thread(newest))
      return undefined
    }
    default:
      await scene.world.teams.person(scene.who).says(rest).in(place)
      return undefined
  }
}

async function press(text: string, { world, who }: Scene, place: string): Promise<string | undefined> {
  const [buttons = '', given = ''] = text.split(/\s+with\s+/)
  const titles = buttons.split('/').map((title) => title.trim())
  const inputs = Object.fromEntries(
    given
      .split(/,\s*/)
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')).trim(), pair.slice(pair.indexOf('=') + 1).trim()]),
  )
  const cards = allMessages(world, place).filter((message) => message.card !== undefined)
  const [first = ''] = titles
  const card = cards.findLast((message) => JSON.stringify(message.card).includes(JSON.stringify(first)))
  if (!card) return `No card in ${place} has a button ${first}.`
  await world.teams
    .person(who)
    .presses(...titles)
    .on(card, inputs)
  return undefined
}

const allMessages = (world: World, place: string): Message[] => {
  const roots = world.teams.channel(place).messages()
  return [
    ...new Map(
      roots.flatMap((root) => [root, ...root.replies]).map((message) => [message.id, message]),
    ).values(),
  ]
}

function portal(text: string, { azure }: World): string | undefined {
  const [verb = '', name = '', more = ''] = text.split(/\s+/)
  switch (verb) {
    case 'approve':
      azure.portal.approve(name, 'owner')
      return undefined
    case 'reject':
      azure.portal.reject(name, 'owner')
      return undefined
    case 'remove':
      azure.portal.removeConnection(name)
      return undefined
    case 'delete':
      azure.portal.deleteLink(name, more)
      return undefined
    case 'set':
      azure.configure({
        [name]:
          more !== '' && Number.isFinite(Number(more))
            ? Number(more)
            : more === 'true'
              ? true
              : more === 'false'
                ? false
                : more,
      })
      return undefined
    default:
      return 'The portal knows approve, reject, remove <vault>; delete <signalr> <link>; set <switch> <value>.'
  }
}

const units: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

async function pass(text: string, world: World): Promise<string> {
  const [, count = '', unit = ''] = /^\+?(\d+)\s*([smhd])$/.exec(text) ?? []
  const ms = Number(count) * (units[unit] ?? Number.NaN)
  if (!Number.isFinite(ms)) return 'Write how much time passes: +30s, +15m, +4h, +3d.'
  await world.passes(ms)
  return `${count}${unit} later`
}
