/** What the load sends: activities of 1.5 KB in Teams' own shape, from many people in many conversations. */
import { bot, tenantId } from '../../sandbox/seed.ts'

export const bytesEach = 1_500
export const tokensUsed = 20
/** Messages go to threads of so many channels, as many as it takes for Teams to allow them. */
export const channels = 250
const teams = 25
const people = 50

export type Person = { readonly id: string; readonly objectId: string; readonly name: string }
/** Somebody who sends load; their number is in all their ids. */
const personOf = (n: number): Person => ({
  id: `29:load-${n}`,
  objectId: `c0000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
  name: `Person ${n}`,
})
export const loadPeople: readonly Person[] = Array.from({ length: people }, (_, n) => personOf(n))

/** Those who may approve, ask for nothing, and are in every channel. */
export const owners: readonly Person[] = [personOf(people), personOf(people + 1)]

/**
 * SignalRs and vaults there are; each of one can be linked to each of the other. A multiple of the people, so that
 * everybody asks for SignalRs of their own and the same rights are read again.
 */
export const sides = 3 * people
export const signalrOf = (n: number): string => `load-signalr-${n % sides}`
export const vaultOf = (n: number): string => `load-kv-${(n + Math.floor(n / sides)) % sides}`

export type Turn = { readonly id: string; readonly body: string }
export type Told =
  | { readonly is: 'message'; readonly text: string }
  /** A button of a card that stands in this conversation, by one of the owners. */
  | {
      readonly is: 'press'
      readonly verb: string
      readonly link: string
      readonly card: string
      readonly conversation: string
    }

export const channelId = (n: number): string => `19:load-channel-${n}@thread.tacv2`

/** The n-th activity of a run; every one has an id, a thread and a time of its own. */
export function activity(serviceUrl: string, run: string, n: number, told: Told): Turn {
  const place = n % channels
  const by = told.is === 'press' ? owners[n % owners.length] : undefined
  const person = by ?? personOf(place % people)
  const team = `19:load-team-${place % teams}@thread.tacv2`
  const id = `${run}-${n}`
  const at = new Date().toISOString()
  const conversation = told.is === 'press' ? told.conversation : `${channelId(place)};messageid=${id}`
  const [channel = ''] = conversation.split(';')
  const base = {
    type: told.is === 'press' ? 'invoke' : 'message',
    id,
    timestamp: at,
    localTimestamp: at,
    localTimezone: 'Europe/Amsterdam',
    channelId: 'msteams',
    serviceUrl,
    from: { id: person.id, name: person.name, aadObjectId: person.objectId },
    recipient: { id: `28:${bot.appId}`, name: bot.name },
    conversation: {
      isGroup: true,
      conversationType: 'channel',
      tenantId,
      id: conversation,
    },
    channelData: {
      tenant: { id: tenantId },
      team: { id: team, name: 'Load', aadGroupId: 'd0000000-0000-4000-8000-00000000000f' },
      channel: { id: channel },
      teamsTeamId: team,
      teamsChannelId: channel,
    },
    locale: 'en-GB',
  }
  const client = { type: 'clientInfo', locale: 'en-GB', country: 'GB', platform: 'Web' }
  if (told.is === 'press') {
    const value = {
      action: { type: 'Action.Execute', verb: told.verb, data: { verb: told.verb, link: told.link } },
      trigger: 'manual',
    }
    return {
      id,
      body: padded({ ...base, name: 'adaptiveCard/action', replyToId: told.card, value, entities: [client] }),
    }
  }
  const mention = { type: 'mention', mentioned: base.recipient, text: `<at>${bot.name}</at>` }
  const text = `<at>${bot.name}</at> ${told.text}`
  return { id, body: padded({ ...base, text, textFormat: 'plain', entities: [mention, client] }) }
}

/** Teams sends the text a second time as HTML, which fills what is left here. */
function padded(activity: Readonly<Record<string, unknown>>): string {
  const filled = (content: string): string =>
    JSON.stringify({ ...activity, attachments: [{ contentType: 'text/html', content }] })
  const missing = bytesEach - Buffer.byteLength(filled(''))
  return filled('x'.repeat(Math.max(0, missing)))
}

/** More than can be said in the time. */
const most = 20_000

const linked = (does: string): readonly Told[] =>
  Array.from({ length: most }, (_, n) => ({
    is: 'message',
    text: `${does} ${signalrOf(n)} to ${vaultOf(n)}`,
  }))
/** Each asks for another pair. */
export const links = linked('link')
export const statuses = linked('status')
