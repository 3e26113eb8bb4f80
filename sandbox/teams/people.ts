/** What people do in Teams: say, press, open; and what somebody with a forged client sends. */
import { bot, type PersonKey, people } from '../seed.ts'
import {
  invokeActivity,
  isListed,
  messageActivity,
  type Stamp,
  submitActivity,
  worded,
} from './activities.ts'
import { type Press, pressOn } from './cardPress.ts'
import { answerOf, type Delivery } from './delivery.ts'
import type { Actor, Answer, Message, Settings, Thread } from './face.ts'
import { type Json, list, record } from './json.ts'
import { consent, singleSignOn, withToken } from './signIn.ts'
import { botIsIn, conversationOf, keep, type Place, placeByKey, viewKey, type World } from './world.ts'

export type Stage = { world: World; stamp: Stamp; delivery: Delivery; settings: Settings }

export function createActor(stage: Stage, key: PersonKey): Actor {
  return {
    key,
    says: (text, options) => ({ in: (where) => say(stage, key, text, where, options?.plain === true) }),
    presses: (...titles) => ({ on: (card, inputs = {}) => press(stage, key, titles, card, inputs) }),
    agrees: () => agree(stage, key),
    opens: (card) => open(stage, key, card),
    sendsInvoke: async (value, over) => {
      const { world, stamp } = stage
      const card = world.messages.get(String(over?.replyToId ?? ''))
      const place = placeByKey(world, card?.channel ?? `with:${key}`)
      const conversationId = card?.conversationId ?? place.id
      const made = invokeActivity(stamp, key, place, {
        conversationId,
        value,
        ...(card && { card: card.id }),
      })
      const outcome = await stage.delivery.deliver({ ...made, ...over })
      return { ...answerOf(outcome), activityId: over?.id ?? made.id }
    },
  }
}

async function say(
  { world, stamp, delivery }: Stage,
  who: PersonKey,
  text: string,
  where: string | Thread,
  plain: boolean,
): Promise<Message> {
  const place = placeByKey(world, typeof where === 'string' ? where : where.root.channel)
  mustBeIn(place, who)
  const addressed = !plain
  if (addressed && !botIsIn(world, place))
    throw new Error(`${bot.name} is not installed in ${place.team?.name ?? place.key}.`)
  const id = world.newId()
  const root = typeof where !== 'string' && place.kind === 'channel' ? where.root.id : id
  // In a personal chat everything is for the bot, so nobody mentions it there.
  const wording = worded(world, place, text, addressed && place.kind !== 'personal')
  const message: Message = {
    id,
    channel: place.key,
    conversationId: conversationOf(place, root),
    from: who,
    text: wording.shown,
    root,
    replies: [],
    history: [],
    mentions: wording.mentions,
  }
  keep(world, message)
  world.record({
    at: world.now(),
    who,
    kind: 'says',
    channel: place.key,
    text: wording.shown,
    activityId: id,
    conversationId: message.conversationId,
  })
  // A bot sees what mentions it, and nothing else, in teams and group chats.
  if (addressed) {
    const outcome = await delivery.deliver(messageActivity(stamp, who, place, { id, root, wording }))
    message.delivered = outcome.status
  }
  return message
}

async function press(
  stage: Stage,
  who: PersonKey,
  titles: readonly string[],
  message: Message,
  inputs: Record<string, string>,
): Promise<Answer> {
  const { world } = stage
  const place = placeByKey(world, message.channel)
  mustBeIn(place, who)
  if (message.deleted) throw new Error('This message was deleted.')
  if (message.card === undefined) throw new Error(`This message has no card: ${message.text ?? ''}`)
  const found = await chosen(stage, who, titles, message, inputs)
  world.record({
    at: world.now(),
    who,
    kind: 'presses',
    channel: place.key,
    title: titles.join(' / '),
    card: message.id,
    inputs,
    conversationId: message.conversationId,
  })
  switch (found.kind) {
    case 'openUrl':
      return { status: 200, type: 'Action.OpenUrl', text: found.url }
    case 'local':
      return { status: 200, type: found.type }
    case 'submit':
      return submit(stage, who, place, message, found.data)
    case 'execute': {
      const { kind: _, ...action } = found
      return execute(stage, who, message, {
        action: { type: 'Action.Execute', ...action },
        trigger: 'manual',
      })
    }
    default:
      return found satisfies never
  }
}

/** The button on the card as this person sees it; their own view is fetched when the button is not there. */
async function chosen(
  stage: Stage,
  who: PersonKey,
  titles: readonly string[],
  message: Message,
  inputs: Record<string, string>,
): Promise<Press> {
  const key = viewKey(message, who)
  const seen = stage.world.views.get(key) ?? message.card
  try {
    return pressOn(seen, titles, inputs)
  } catch (error) {
    if (stage.world.views.has(key) || !refreshFor(message, who)) throw error
    const answer = await open(stage, who, message)
    if (answer?.card === undefined) throw error
    return pressOn(answer.card, titles, inputs)
  }
}

async function open(stage: Stage, who: PersonKey, message: Message): Promise<Answer | undefined> {
  mustBeIn(placeByKey(stage.world, message.channel), who)
  const action = refreshFor(message, who)
  return action && execute(stage, who, message, { action, trigger: 'automatic' })
}

function refreshFor(message: Message, who: PersonKey): Record<string, unknown> | undefined {
  const refresh = record(record(message.card)?.refresh)
  return refresh && isListed(list(refresh.userIds), who) ? record(refresh.action) : undefined
}

async function execute(stage: Stage, who: PersonKey, message: Message, value: Json): Promise<Answer> {
  const { world } = stage
  const place = placeByKey(world, message.channel)
  const shownBefore = message.history.length
  const answer = await signedIn(stage, who, message, value)
  // The card in an answer is seen by the presser alone, until the message itself is updated.
  if (answer.card !== undefined && message.history.length === shownBefore)
    world.views.set(viewKey(message, who), answer.card)
  world.record({
    at: world.now(),
    who: bot.name,
    kind: 'answers',
    to: who,
    channel: place.key,
    ...shownOf(answer),
  })
  return answer
}

/** Sends a press; asked to sign the presser in, a client that can does so and sends it again. */
async function signedIn(stage: Stage, who: PersonKey, message: Message, value: Json): Promise<Answer> {
  const { world, settings } = stage
  const answer = await invoke(stage, who, message, value)
  const { signIn } = answer
  if (signIn?.uri === undefined || settings.entra === '') return answer
  const token = await singleSignOn(settings.entra, who, signIn.uri)
  if (token === undefined) return answer
  const again = await invoke(stage, who, message, withToken(value, signIn, token))
  if (again.status === 412) world.unagreed.set(who, { message, value, uri: signIn.uri })
  return again
}

async function invoke(
  { world, stamp, delivery }: Stage,
  who: PersonKey,
  message: Message,
  value: Json,
): Promise<Answer> {
  const activity = invokeActivity(stamp, who, placeByKey(world, message.channel), {
    card: message.id,
    conversationId: message.conversationId,
    value,
  })
  return { ...answerOf(await delivery.deliver(activity)), activityId: activity.id }
}

async function agree(stage: Stage, who: PersonKey): Promise<Answer> {
  const asked = stage.world.unagreed.get(who)
  if (!asked) throw new Error(`${people[who].name} was not asked to agree to anything.`)
  stage.world.unagreed.delete(who)
  await consent(stage.settings.entra, who, asked.uri)
  return execute(stage, who, asked.message, asked.value)
}

const shownOf = ({ status, text, card }: Answer) => ({
  status,
  ...(text !== undefined && { text }),
  ...(card !== undefined && { card }),
})

async function submit(
  { world, stamp, delivery }: Stage,
  who: PersonKey,
  place: Place,
  message: Message,
  data: unknown,
): Promise<Answer> {
  const kind = record(record(data)?.msteams)?.type
  if (kind !== undefined) throw new Error(`A button of msteams type "${String(kind)}" is not known here.`)
  const activity = submitActivity(stamp, who, place, {
    id: world.newId(),
    card: message.id,
    conversationId: message.conversationId,
    value: data,
  })
  const outcome = await delivery.deliver(activity)
  return { status: outcome.status, type: 'Action.Submit', activityId: activity.id }
}

function mustBeIn(place: Place, who: PersonKey): void {
  if (place.deleted) throw new Error(`${place.key} was deleted.`)
  if (!place.members.includes(who)) throw new Error(`${people[who].name} is not in ${place.key}.`)
}
