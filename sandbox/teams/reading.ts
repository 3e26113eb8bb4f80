/** Reading a channel or a thread as its people do, and waiting until something is there. */
import { cardText } from './cardText.ts'
import type { Channel, Message, Thread } from './face.ts'
import { messageIn, messagesIn, placeByKey, type World } from './world.ts'

const patience = 10_000

/** A card is replaced and never changed, and whoever waits reads all of a conversation at each event. */
const read = new WeakMap<object, string>()
const textOfCard = (card: object): string => {
  const known = read.get(card) ?? cardText(card).join('\n')
  read.set(card, known)
  return known
}

const renderedText = ({ deleted, text, card }: Message): string =>
  deleted
    ? '(deleted)'
    : [...(text ? [text] : []), ...(card ? [textOfCard(card)] : [])].filter((part) => part !== '').join('\n')

const transcript = (messages: Message[]): string =>
  messages
    .map((message) => {
      const [first = '', ...rest] = renderedText(message).split('\n')
      const indent = message.root === message.id ? '' : '  '
      return [`${indent}${message.from}  ${first}`, ...rest.map((line) => `${indent}  | ${line}`)].join('\n')
    })
    .join('\n')

function shows(
  world: World,
  what: string | RegExp,
  where: { name: string; messages(): Message[] },
  within = patience,
): Promise<Message> {
  const find = (): Message | undefined =>
    where.messages().findLast((message) => {
      const text = renderedText(message)
      return typeof what === 'string'
        ? text.includes(what)
        : new RegExp(what, what.flags.replace(/[gy]/g, '')).test(text)
    })
  const already = find()
  if (already) return Promise.resolve(already)
  return new Promise((resolve, reject) => {
    const stop = world.onEvent(() => {
      const message = find()
      if (!message) return
      settle()
      resolve(message)
    })
    const deadline = setTimeout(() => {
      settle()
      reject(
        new Error(
          `${where.name} did not show ${String(what)} within ${within} ms. It shows:\n${transcript(where.messages())}`,
        ),
      )
    }, within)
    const settle = (): void => {
      stop()
      clearTimeout(deadline)
    }
  })
}

export function createChannel(world: World, key: string): Channel {
  const place = placeByKey(world, key)
  const messages = (): Message[] => [...messagesIn(world, key)]
  const name = place.kind === 'channel' ? `#${place.name}` : place.key
  return {
    key,
    messages,
    shows: (what, options) => shows(world, what, { name, messages }, options?.within),
    text: () => transcript(messages()),
  }
}

/** In a channel the replies under one message; in a chat, which has no threads, what follows the message. */
export function createThread(world: World, message: Message): Thread {
  const place = placeByKey(world, message.channel)
  const root = place.kind === 'channel' ? (messageIn(world, place, message.root) ?? message) : message
  const messages = (): Message[] => {
    if (place.kind === 'channel') return [root, ...root.replies]
    const inPlace = messagesIn(world, place.key)
    return inPlace.slice(Math.max(0, inPlace.lastIndexOf(root)))
  }
  return {
    root,
    messages,
    shows: (what, options) =>
      shows(world, what, { name: `The thread in ${place.key}`, messages }, options?.within),
    text: () => transcript(messages()),
  }
}
